"""Inbound messages against the heads that the relay chain keeps of them.

A collator hands messages over, the newest of a backlog as hashes; only if hashing all of them leads to the relay's
heads are they all there, unchanged and in order.

Source: polkadot-sdk, `cumulus/pallets/parachain-system/src/lib.rs` (`enqueue_inbound_*`).
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise

from parachains.sdk.parachain_inherent import HashedMessage, InboundMessageId, ParachainInherentData, in_order
from relaychain.primitives.messages import AbridgedHrmpChannel, InboundHrmpMessage, mqc_head, mqc_link_hashed
from relaychain.primitives.types import ZERO_HASH, ParaId
from substrate.errors import RuleError
from substrate.scale.types import Struct
from substrate.types import BlockNumber, Hash


class InboundReason(StrEnum):
    """Why the messages that a collator submits are refused."""

    DMQ_HEAD = "DmqMqcHeadMismatch"
    HRMP_HEAD = "HrmpMqcHeadMismatch"
    NO_CHANNEL = "HrmpNoSuchChannel"
    ORDER = "HrmpOrderViolation"
    ADVANCEMENT = "AdvancementRule"


class InboundError(RuleError):
    """Inbound messages are not those that the relay chain has for us."""


class InboundDownward(Struct):
    """What follows from downward messages."""

    head: Hash
    """Chain head after those that came whole."""
    last: InboundMessageId | None
    """The last of them; None where there is none."""


class InboundHorizontal(Struct):
    """Horizontal messages in the order in which they are processed, and what follows from them."""

    messages: tuple[tuple[ParaId, InboundHrmpMessage], ...]
    """Those that came whole, by relay block, then by sender."""
    heads: Mapping[ParaId, Hash]
    """Chain heads after them, of open channels only."""
    watermark: BlockNumber
    """The last relay block of which all messages are processed."""
    last: InboundMessageId
    """The last message that is processed."""


def check_downward(data: ParachainInherentData, *, last_head: Hash, expected: Hash) -> InboundDownward:
    """The chain head after the block's messages; with the hashed ones behind them it must be the relay's.

    Raises:
        InboundError: `ADVANCEMENT`, `DMQ_HEAD`.
    """
    messages, hashed = data.downward_messages, data.hashed_downward_messages
    _check_advancement(messages, hashed, queue="DMQ")
    head = mqc_head(messages, last_head)
    if _with_hashed(head, hashed) != expected:
        count = len(messages) + len(hashed)
        raise InboundError(InboundReason.DMQ_HEAD, submitted=count, expected=f"0x{expected.hex()}")
    return InboundDownward(head, _last_of(messages[-1].sent_at, hashed) if messages else None)


def check_horizontal(
    data: ParachainInherentData,
    *,
    channels: Sequence[tuple[ParaId, AbridgedHrmpChannel]],
    last_heads: Mapping[ParaId, Hash],
    last_watermark: BlockNumber,
) -> InboundHorizontal:
    """Order the block's messages of all channels and check each channel's head.

    Args:
        data: Messages by sender, oldest first, and the hashes of later ones.
        channels: Our channels as the relay chain has them.
        last_heads: Chain heads after our parent.
        last_watermark: Our parent's, which stays where a relay block's messages do not all come.

    Raises:
        InboundError: `NO_CHANNEL`, `ADVANCEMENT`, `ORDER`, `HRMP_HEAD`.
    """
    messages, hashed = in_order(data.horizontal_messages), data.hashed_horizontal_messages
    senders = {*data.horizontal_messages, *(sender for sender, _ in hashed)}
    if strangers := senders - {sender for sender, _ in channels}:
        raise InboundError(InboundReason.NO_CHANNEL, sender=min(strangers))
    _check_advancement(messages, hashed, queue="HRMP")
    _check_order([*messages[-1:], *hashed])
    heads: dict[ParaId, Hash] = {}
    for sender, channel in channels:
        heads[sender] = mqc_head(data.horizontal_messages.get(sender, ()), last_heads.get(sender, ZERO_HASH))
        behind = (message for at, message in hashed if at == sender)
        if _with_hashed(heads[sender], behind) != (channel.mqc_head or ZERO_HASH):
            count = len(data.horizontal_messages.get(sender, ()))
            raise InboundError(InboundReason.HRMP_HEAD, sender=sender, submitted=count)
    if not messages:
        now = data.validation_data.relay_parent_number
        return InboundHorizontal((), heads, now, InboundMessageId(now))
    last = _last_of(messages[-1][1].sent_at, (message for _, message in hashed))
    done = (message.sent_at for _, message in messages if message.sent_at < last.sent_at)
    watermark = max(done, default=last_watermark) if last.reverse_idx else last.sent_at
    return InboundHorizontal(tuple(messages), heads, watermark, last)


def _check_advancement(messages: Sequence[object], hashed: Sequence[object], *, queue: str) -> None:
    if hashed and not messages:
        raise InboundError(InboundReason.ADVANCEMENT, queue=queue, hashed=len(hashed))


def _check_order(messages: Iterable[tuple[ParaId, InboundHrmpMessage | HashedMessage]]) -> None:
    for (left, before), (right, after) in pairwise(messages):
        if (after.sent_at, right) < (before.sent_at, left):
            raise InboundError(InboundReason.ORDER, sender=right, sent_at=after.sent_at)


def _with_hashed(head: Hash, hashed: Iterable[HashedMessage]) -> Hash:
    for message in hashed:
        head = mqc_link_hashed(head, sent_at=message.sent_at, msg_hash=message.msg_hash)
    return head


def _last_of(sent_at: BlockNumber, hashed: Iterable[HashedMessage]) -> InboundMessageId:
    """The last whole message, sent in that block, of which some messages may have come as hashes."""
    return InboundMessageId(sent_at, sum(message.sent_at == sent_at for message in hashed))
