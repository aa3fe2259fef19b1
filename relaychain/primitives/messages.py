"""Messages between relay chain and paras: downward, horizontal, upward, and the chains of hashes over them.

Source: polkadot-sdk, `polkadot/core-primitives/src/lib.rs`, `polkadot/primitives/src/v9/mod.rs`,
`polkadot/parachain/src/primitives.rs`.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, NewType

from relaychain.primitives.types import (
    PARACHAIN,
    PRIMITIVES,
    ZERO_HASH,
    ClaimQueueOffset,
    CoreSelector,
    ParaId,
)
from substrate.crypto.hashing import blake2_256
from substrate.errors import DecodeError, RuleError
from substrate.scale.codec import decode, encode
from substrate.scale.types import MaxLen, Struct, enum_path, path, u32, variant, wire
from substrate.types import BlockNumber, Hash

UpwardMessage = NewType("UpwardMessage", bytes)
wire(UpwardMessage, bytes)
MAX_UPWARD_MESSAGE_SIZE_BOUND = 128 * 1024
"""Hard cap of one upward message, bytes."""
UMP_SEPARATOR = UpwardMessage(b"")
"""Ends the XCM part of a candidate's upward messages; signals follow."""


@path("polkadot_core_primitives::InboundDownwardMessage")
class InboundDownwardMessage(Struct):
    """A message waiting for its para."""

    sent_at: BlockNumber
    """Relay-chain block that enqueued the message."""
    msg: bytes
    """Opaque payload, usually a `VersionedXcm`."""


@path("polkadot_core_primitives::InboundHrmpMessage")
class InboundHrmpMessage(Struct):
    """A horizontal message as its recipient sees it."""

    sent_at: BlockNumber
    """Relay-chain block that included the sender's candidate."""
    data: bytes


@path("polkadot_core_primitives::OutboundHrmpMessage")
class OutboundHrmpMessage(Struct):
    """A horizontal message as its sender committed to it."""

    recipient: ParaId
    data: bytes


@path(f"{PARACHAIN}::HrmpChannelId")
class HrmpChannelId(Struct, order=True):
    """A one-way channel."""

    sender: ParaId
    recipient: ParaId


@path(f"{PRIMITIVES}::AbridgedHrmpChannel")
class AbridgedHrmpChannel(Struct):
    """The part of a channel that paras read by state proof."""

    max_capacity: u32
    max_total_size: u32
    max_message_size: u32
    msg_count: u32
    total_size: u32
    mqc_head: Hash | None


def message_hash(msg: bytes) -> Hash:
    """What a message queue chain covers of a message's content; the hash takes in the length prefix."""
    return Hash(blake2_256(encode(bytes, msg)))


def mqc_link_hashed(head: Hash, *, sent_at: BlockNumber, msg_hash: Hash) -> Hash:
    """Next head of a message queue chain, for a message of which only the `message_hash` is known."""
    return Hash(blake2_256(head + sent_at.to_bytes(4, "little") + msg_hash))


def mqc_link(head: Hash, *, sent_at: BlockNumber, msg: bytes) -> Hash:
    """Next head of a message queue chain."""
    return mqc_link_hashed(head, sent_at=sent_at, msg_hash=message_hash(msg))


def mqc_head(messages: Iterable[InboundDownwardMessage | InboundHrmpMessage], head: Hash = ZERO_HASH) -> Hash:
    """Head of the chain after `messages`."""
    for message in messages:
        payload = message.msg if isinstance(message, InboundDownwardMessage) else message.data
        head = mqc_link(head, sent_at=message.sent_at, msg=payload)
    return head


@variant(0, unnamed=True)
class SelectCore(Struct):
    """The core that the candidate wants: `selector` mod the cores assigned at `offset` in the claim queue."""

    selector: CoreSelector
    offset: ClaimQueueOffset


@variant(1, unnamed=True)
class ApprovedPeer(Struct):
    """The network identity that the para vouches for."""

    peer: Annotated[bytes, MaxLen(64)]


UMPSignal = SelectCore | ApprovedPeer
enum_path(UMPSignal, f"{PRIMITIVES}::UMPSignal")


class UmpSignalReason(StrEnum):
    """Why the signals of a candidate are refused."""

    TOO_MANY = "TooManyUMPSignals"
    DUPLICATE = "DuplicateUMPSignal"
    DECODE = "UmpSignalDecode"


class UmpSignalError(RuleError):
    """Upward signals break a rule."""


class UmpSignals(Struct):
    """At most one signal of each kind."""

    select_core: SelectCore | None = None
    approved_peer: ApprovedPeer | None = None


def skip_ump_signals(messages: Sequence[UpwardMessage]) -> Sequence[UpwardMessage]:
    """The messages before the separator: those that count and that are delivered."""
    return messages[: messages.index(UMP_SEPARATOR)] if UMP_SEPARATOR in messages else messages


def ump_signals(messages: Sequence[UpwardMessage]) -> UmpSignals:
    """The signals behind the separator.

    Raises:
        UmpSignalError: `TOO_MANY`, `DUPLICATE`, `DECODE`.
    """
    if UMP_SEPARATOR not in messages:
        return UmpSignals()
    encoded = messages[messages.index(UMP_SEPARATOR) + 1 :]
    if len(encoded) > 2:
        raise UmpSignalError(UmpSignalReason.TOO_MANY, count=len(encoded))
    select: SelectCore | None = None
    peer: ApprovedPeer | None = None
    for signal in map(_decoded_signal, encoded):
        if isinstance(signal, SelectCore):
            if select is not None:
                raise UmpSignalError(UmpSignalReason.DUPLICATE, signal="SelectCore")
            select = signal
        else:
            if peer is not None:
                raise UmpSignalError(UmpSignalReason.DUPLICATE, signal="ApprovedPeer")
            peer = signal
    return UmpSignals(select, peer)


def _decoded_signal(data: bytes) -> SelectCore | ApprovedPeer:
    try:
        return decode(UMPSignal, data)
    except DecodeError as error:
        raise UmpSignalError(UmpSignalReason.DECODE, detail=str(error)) from error
