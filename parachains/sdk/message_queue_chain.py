"""Inbound messages against the heads that the relay chain keeps of them.

A collator hands messages over; only if hashing them leads to the relay's heads are they all there, whole and in order.
Source: polkadot-sdk, `cumulus/pallets/parachain-system/src/lib.rs` (`enqueue_inbound_*`).
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from relaychain.primitives.messages import AbridgedHrmpChannel, InboundDownwardMessage, InboundHrmpMessage, mqc_head
from relaychain.primitives.types import ZERO_HASH, ParaId
from substrate.errors import RuleError
from substrate.scale.types import Struct
from substrate.types import BlockNumber, Hash


class InboundReason(StrEnum):
    """Why the messages that a collator submits are refused."""

    DMQ_HEAD = "DmqMqcHeadMismatch"
    HRMP_HEAD = "HrmpMqcHeadMismatch"
    NO_CHANNEL = "HrmpNoSuchChannel"


class InboundError(RuleError):
    """Inbound messages are not those that the relay chain has for us."""


class InboundHorizontal(Struct):
    """Horizontal messages in the order in which they are processed, and what follows from them."""

    messages: tuple[tuple[ParaId, InboundHrmpMessage], ...]
    """By relay block, then by sender."""
    heads: Mapping[ParaId, Hash]
    """New chain heads, of open channels only."""
    watermark: BlockNumber


def check_downward(messages: Sequence[InboundDownwardMessage], *, last_head: Hash, expected: Hash) -> Hash:
    """The chain head after these messages, which must be the relay's.

    Raises:
        InboundError: `DMQ_HEAD`.
    """
    head = mqc_head(messages, last_head)
    if head != expected:
        raise InboundError(InboundReason.DMQ_HEAD, submitted=len(messages), expected=f"0x{expected.hex()}")
    return head


def check_horizontal(
    submitted: Mapping[ParaId, Sequence[InboundHrmpMessage]],
    *,
    channels: Sequence[tuple[ParaId, AbridgedHrmpChannel]],
    last_heads: Mapping[ParaId, Hash],
    relay_parent_number: BlockNumber,
) -> InboundHorizontal:
    """Order the messages of all channels and check each channel's head.

    Args:
        submitted: Messages by sender, oldest first.
        channels: Our channels as the relay chain has them.
        last_heads: Chain heads after our parent.
        relay_parent_number: The watermark where there is no message.

    Raises:
        InboundError: `NO_CHANNEL`, `HRMP_HEAD`.
    """
    strangers = sorted(set(submitted) - {sender for sender, _ in channels})
    if strangers:
        raise InboundError(InboundReason.NO_CHANNEL, sender=strangers[0])
    heads: dict[ParaId, Hash] = {}
    for sender, channel in channels:
        heads[sender] = mqc_head(submitted.get(sender, ()), last_heads.get(sender, ZERO_HASH))
        if heads[sender] != (channel.mqc_head or ZERO_HASH):
            count = len(submitted.get(sender, ()))
            raise InboundError(InboundReason.HRMP_HEAD, sender=sender, submitted=count)
    messages = [(sender, message) for sender, queue in submitted.items() for message in queue]
    messages.sort(key=lambda pair: (pair[1].sent_at, pair[0]))
    watermark = messages[-1][1].sent_at if messages else relay_parent_number
    return InboundHorizontal(tuple(messages), heads, watermark)
