"""HRMP: horizontal messages between paras, relayed and stored in full. The rules.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/hrmp.rs`. The pallet is in `hrmp.py`.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

import msgspec

from relaychain.primitives.configuration import HostConfiguration
from relaychain.primitives.messages import (
    AbridgedHrmpChannel,
    HrmpChannelId,
    InboundHrmpMessage,
    OutboundHrmpMessage,
    mqc_link,
)
from relaychain.primitives.types import ZERO_HASH, ParaId, SessionIndex, is_system
from substrate.errors import RuleError
from substrate.scale.types import Struct, path, u32
from substrate.types import Balance, BlockNumber, Hash

_CRATE = "polkadot_runtime_parachains::hrmp"

Digest = tuple[tuple[BlockNumber, tuple[ParaId, ...]], ...]
"""Blocks in which a para was sent messages, ascending, with the senders of each."""


@path(f"{_CRATE}::HrmpOpenChannelRequest")
class HrmpOpenChannelRequest(Struct):
    """A channel that a sender asked for."""

    confirmed: bool
    """The recipient accepted: the channel opens with the next session."""
    age: SessionIndex
    """Unused; kept for the encoding."""
    sender_deposit: Balance
    max_message_size: u32
    max_capacity: u32
    max_total_size: u32


@path(f"{_CRATE}::HrmpChannel")
class HrmpChannel(Struct):
    """An open channel. Its first six fields are what paras read by state proof."""

    max_capacity: u32
    max_total_size: u32
    max_message_size: u32
    msg_count: u32
    total_size: u32
    mqc_head: Hash | None
    sender_deposit: Balance
    recipient_deposit: Balance

    @property
    def abridged(self) -> AbridgedHrmpChannel:
        """What paras read."""
        return AbridgedHrmpChannel(
            self.max_capacity,
            self.max_total_size,
            self.max_message_size,
            self.msg_count,
            self.total_size,
            self.mqc_head,
        )


class HrmpReason(StrEnum):
    """Why a candidate's watermark or outbound messages are rejected."""

    ADVANCEMENT_RULE = "AdvancementRule"
    AHEAD_RELAY_PARENT = "AheadRelayParent"
    LANDS_ON_BLOCK_WITH_NO_MESSAGES = "LandsOnBlockWithNoMessages"
    MORE_MESSAGES_THAN_PERMITTED = "MoreMessagesThanPermitted"
    NOT_SORTED = "NotSorted"
    NO_SUCH_CHANNEL = "NoSuchChannel"
    MAX_MESSAGE_SIZE_EXCEEDED = "MaxMessageSizeExceeded"
    TOTAL_SIZE_EXCEEDED = "TotalSizeExceeded"
    CAPACITY_EXCEEDED = "CapacityExceeded"


class HrmpError(RuleError):
    """A candidate broke a horizontal-message rule."""


def check_watermark(
    digest: Digest, *, last: BlockNumber | None, new: BlockNumber, relay_parent_number: BlockNumber
) -> None:
    """Check the block up to which a candidate claims to have read its channels.

    Raises:
        HrmpError: `ADVANCEMENT_RULE`, `AHEAD_RELAY_PARENT`, `LANDS_ON_BLOCK_WITH_NO_MESSAGES`.
    """
    if last is not None and new < last:
        raise HrmpError(HrmpReason.ADVANCEMENT_RULE, new_watermark=new, last_watermark=last)
    if new > relay_parent_number:
        raise HrmpError(HrmpReason.AHEAD_RELAY_PARENT, new_watermark=new, relay_parent=relay_parent_number)
    if new in (relay_parent_number, last) or any(block == new for block, _ in digest):
        return
    raise HrmpError(HrmpReason.LANDS_ON_BLOCK_WITH_NO_MESSAGES, new_watermark=new)


def check_outbound(
    config: HostConfiguration,
    messages: Sequence[OutboundHrmpMessage],
    channel_to: Callable[[ParaId], HrmpChannel | None],
) -> None:
    """Check a candidate's horizontal messages against its channels.

    Raises:
        HrmpError: `MORE_MESSAGES_THAN_PERMITTED`, `NOT_SORTED`, `NO_SUCH_CHANNEL`, `MAX_MESSAGE_SIZE_EXCEEDED`,
            `TOTAL_SIZE_EXCEEDED`, `CAPACITY_EXCEEDED`.
    """
    permitted = config.hrmp_max_message_num_per_candidate
    if len(messages) > permitted:
        raise HrmpError(HrmpReason.MORE_MESSAGES_THAN_PERMITTED, sent=len(messages), permitted=permitted)
    last: ParaId | None = None
    for index, message in enumerate(messages):
        # Strictly ascending: one message per recipient, in one order only.
        if last is not None and message.recipient <= last:
            raise HrmpError(HrmpReason.NOT_SORTED, idx=index)
        last = message.recipient
        channel = channel_to(message.recipient)
        if channel is None:
            raise HrmpError(HrmpReason.NO_SUCH_CHANNEL, idx=index, recipient=message.recipient)
        _check_fits(channel, len(message.data), index)


def _check_fits(channel: HrmpChannel, size: int, index: int) -> None:
    if size > channel.max_message_size:
        raise HrmpError(
            HrmpReason.MAX_MESSAGE_SIZE_EXCEEDED, idx=index, msg_size=size, max_size=channel.max_message_size
        )
    total = channel.total_size + size
    if total > channel.max_total_size:
        raise HrmpError(HrmpReason.TOTAL_SIZE_EXCEEDED, idx=index, total_size=total, limit=channel.max_total_size)
    if channel.msg_count + 1 > channel.max_capacity:
        raise HrmpError(
            HrmpReason.CAPACITY_EXCEEDED, idx=index, count=channel.msg_count + 1, limit=channel.max_capacity
        )


def split_digest(digest: Digest, watermark: BlockNumber) -> tuple[tuple[ParaId, ...], Digest]:
    """Senders of blocks up to the watermark, ascending, and the digest of later blocks."""
    senders = {sender for block, senders in digest if block <= watermark for sender in senders}
    return tuple(sorted(senders)), tuple(entry for entry in digest if entry[0] > watermark)


def appended_digest(digest: Digest, *, sender: ParaId, now: BlockNumber) -> Digest:
    """A recipient's digest once it was sent a message in block `now`."""
    if digest and digest[-1][0] == now:
        return (*digest[:-1], (now, (*digest[-1][1], sender)))
    return (*digest, (now, (sender,)))


def pruned_channel(
    channel: HrmpChannel, contents: Sequence[InboundHrmpMessage], watermark: BlockNumber
) -> tuple[HrmpChannel, tuple[InboundHrmpMessage, ...]]:
    """A channel and its contents without the messages up to the watermark."""
    kept = tuple(message for message in contents if message.sent_at > watermark)
    dropped = contents[: len(contents) - len(kept)]
    pruned = msgspec.structs.replace(
        channel,
        msg_count=channel.msg_count - len(dropped),
        total_size=channel.total_size - sum(len(message.data) for message in dropped),
    )
    return pruned, kept


def queued_channel(channel: HrmpChannel, data: bytes, *, now: BlockNumber) -> HrmpChannel:
    """A channel with one more message."""
    return msgspec.structs.replace(
        channel,
        msg_count=channel.msg_count + 1,
        total_size=channel.total_size + len(data),
        mqc_head=mqc_link(channel.mqc_head or ZERO_HASH, sent_at=now, msg=data),
    )


class ChannelReason(StrEnum):
    """Why a channel may not be asked for, accepted or closed; the names are the pallet's errors."""

    TO_SELF = "OpenHrmpChannelToSelf"
    INVALID_RECIPIENT = "OpenHrmpChannelInvalidRecipient"
    ZERO_CAPACITY = "OpenHrmpChannelZeroCapacity"
    CAPACITY_EXCEEDS_LIMIT = "OpenHrmpChannelCapacityExceedsLimit"
    ZERO_MESSAGE_SIZE = "OpenHrmpChannelZeroMessageSize"
    MESSAGE_SIZE_EXCEEDS_LIMIT = "OpenHrmpChannelMessageSizeExceedsLimit"
    ALREADY_EXISTS = "OpenHrmpChannelAlreadyExists"
    ALREADY_REQUESTED = "OpenHrmpChannelAlreadyRequested"
    OPEN_LIMIT_EXCEEDED = "OpenHrmpChannelLimitExceeded"
    ACCEPT_DOESNT_EXIST = "AcceptHrmpChannelDoesntExist"
    ACCEPT_ALREADY_CONFIRMED = "AcceptHrmpChannelAlreadyConfirmed"
    ACCEPT_LIMIT_EXCEEDED = "AcceptHrmpChannelLimitExceeded"
    CLOSE_UNAUTHORIZED = "CloseHrmpChannelUnauthorized"
    CLOSE_DOESNT_EXIST = "CloseHrmpChannelDoesntExist"
    CLOSE_ALREADY_UNDERWAY = "CloseHrmpChannelAlreadyUnderway"
    CANCEL_UNAUTHORIZED = "CancelHrmpOpenChannelUnauthorized"
    CANCEL_DOESNT_EXIST = "OpenHrmpChannelDoesntExist"
    CANCEL_ALREADY_CONFIRMED = "OpenHrmpChannelAlreadyConfirmed"
    NOT_AUTHORIZED = "ChannelCreationNotAuthorized"


class ChannelError(RuleError):
    """A channel operation is refused."""


def check_proposal(
    config: HostConfiguration, channel: HrmpChannelId, *, max_capacity: int, max_message_size: int
) -> None:
    """Check the terms of a channel that a sender proposes.

    Raises:
        ChannelError: `TO_SELF`, and the reasons of capacity and size.
    """
    if channel.sender == channel.recipient:
        raise ChannelError(ChannelReason.TO_SELF)
    if max_capacity == 0:
        raise ChannelError(ChannelReason.ZERO_CAPACITY)
    if max_capacity > config.hrmp_channel_max_capacity:
        raise ChannelError(
            ChannelReason.CAPACITY_EXCEEDS_LIMIT, capacity=max_capacity, limit=config.hrmp_channel_max_capacity
        )
    if max_message_size == 0:
        raise ChannelError(ChannelReason.ZERO_MESSAGE_SIZE)
    if max_message_size > config.hrmp_channel_max_message_size:
        raise ChannelError(
            ChannelReason.MESSAGE_SIZE_EXCEEDS_LIMIT, size=max_message_size, limit=config.hrmp_channel_max_message_size
        )


def deposits(config: HostConfiguration, channel: HrmpChannelId) -> tuple[Balance, Balance]:
    """Deposits of sender and recipient: none where either is a system para."""
    if is_system(channel.sender) or is_system(channel.recipient):
        return Balance(0), Balance(0)
    return config.hrmp_sender_deposit, config.hrmp_recipient_deposit


def opened(request: HrmpOpenChannelRequest, recipient_deposit: Balance) -> HrmpChannel:
    """The channel that a confirmed request becomes."""
    return HrmpChannel(
        max_capacity=request.max_capacity,
        max_total_size=request.max_total_size,
        max_message_size=request.max_message_size,
        msg_count=0,
        total_size=0,
        mqc_head=None,
        sender_deposit=request.sender_deposit,
        recipient_deposit=recipient_deposit,
    )


def with_para(index: Iterable[ParaId], para: ParaId) -> tuple[ParaId, ...]:
    """A channel index with one more para, ascending."""
    return tuple(sorted({*index, para}))


def without_para(index: Iterable[ParaId], para: ParaId) -> tuple[ParaId, ...]:
    """A channel index without a para."""
    return tuple(item for item in index if item != para)
