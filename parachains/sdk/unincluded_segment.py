"""The unincluded segment: blocks that the relay chain has not included yet, and the bandwidth that they use up.

Source: polkadot-sdk, `cumulus/pallets/parachain-system/src/unincluded_segment.rs`.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from parachains.sdk.relay_state_snapshot import MessagingStateSnapshot, RelayDispatchQueueRemainingCapacity
from relaychain.primitives.messages import AbridgedHrmpChannel, OutboundHrmpMessage, UpwardMessage
from relaychain.primitives.types import ParaId, UpgradeGoAhead
from substrate.errors import RuleError
from substrate.scale.types import Struct, path, u32
from substrate.types import BlockNumber, Hash

SEGMENT = "cumulus_pallet_parachain_system::unincluded_segment"


class SegmentReason(StrEnum):
    """Why a block does not fit on the segment."""

    UMP_MESSAGES = "UmpMessagesOverflow"
    UMP_BYTES = "UmpBytesOverflow"
    HRMP_MESSAGES = "HrmpMessagesOverflow"
    HRMP_BYTES = "HrmpBytesOverflow"
    WATERMARK = "InvalidHrmpWatermark"
    GO_AHEAD = "UpgradeGoAheadAlreadyProcessed"
    FULL = "NoSpaceInSegment"


class SegmentError(RuleError):
    """A block breaks a limit of the unincluded segment."""


@path(f"{SEGMENT}::HrmpChannelUpdate")
class HrmpChannelUpdate(Struct):
    """Use of one channel."""

    msg_count: u32 = 0
    total_bytes: u32 = 0


@path(f"{SEGMENT}::UsedBandwidth")
class UsedBandwidth(Struct):
    """Use of all outbound channels."""

    ump_msg_count: u32 = 0
    ump_total_bytes: u32 = 0
    hrmp_outgoing: Mapping[ParaId, HrmpChannelUpdate] = {}

    def plus(self, other: "UsedBandwidth", sign: int = 1) -> "UsedBandwidth":
        """The sum; with `sign` -1 the difference, without channels that come to nothing."""
        channels = dict(self.hrmp_outgoing)
        for para, more in other.hrmp_outgoing.items():
            have = channels.get(para, HrmpChannelUpdate())
            channels[para] = HrmpChannelUpdate(
                have.msg_count + sign * more.msg_count, have.total_bytes + sign * more.total_bytes
            )
        return UsedBandwidth(
            self.ump_msg_count + sign * other.ump_msg_count,
            self.ump_total_bytes + sign * other.ump_total_bytes,
            {para: update for para, update in sorted(channels.items()) if update.msg_count},
        )


@path(f"{SEGMENT}::Ancestor")
class Ancestor(Struct):
    """A block of the segment."""

    used_bandwidth: UsedBandwidth
    para_head_hash: Hash | None
    """Known from the next block on."""
    consumed_go_ahead_signal: UpgradeGoAhead | None


@path(f"{SEGMENT}::SegmentTracker")
class SegmentTracker(Struct):
    """The segment's blocks taken together."""

    used_bandwidth: UsedBandwidth = UsedBandwidth()
    hrmp_watermark: BlockNumber | None = None
    consumed_go_ahead_signal: UpgradeGoAhead | None = None

    def append(
        self, block: Ancestor, *, watermark: BlockNumber, relay_parent: BlockNumber, total: MessagingStateSnapshot
    ) -> "SegmentTracker":
        """The segment with one more block.

        Args:
            block: The new block.
            watermark: Its watermark.
            relay_parent: Its relay parent's number; a watermark there is always fine.
            total: What the relay chain takes, as its state says.

        Raises:
            SegmentError: Any but `FULL`.
        """
        if self.consumed_go_ahead_signal is not None and block.consumed_go_ahead_signal is not None:
            raise SegmentError(SegmentReason.GO_AHEAD)
        latest = self.hrmp_watermark
        if watermark != relay_parent and latest is not None and watermark < latest:
            raise SegmentError(SegmentReason.WATERMARK, submitted=watermark, latest=latest)
        used = self.used_bandwidth.plus(block.used_bandwidth)
        _check(used, total)
        consumed = block.consumed_go_ahead_signal
        return SegmentTracker(used, watermark, self.consumed_go_ahead_signal if consumed is None else consumed)

    def without(self, block: Ancestor) -> "SegmentTracker":
        """The segment after its oldest block was included."""
        consumed = None if block.consumed_go_ahead_signal is not None else self.consumed_go_ahead_signal
        return SegmentTracker(self.used_bandwidth.plus(block.used_bandwidth, -1), self.hrmp_watermark, consumed)


def _check(used: UsedBandwidth, total: MessagingStateSnapshot) -> None:
    capacity = total.relay_dispatch_queue_remaining_capacity
    if used.ump_msg_count > capacity.remaining_count:
        raise SegmentError(SegmentReason.UMP_MESSAGES, used=used.ump_msg_count, limit=capacity.remaining_count)
    if used.ump_total_bytes > capacity.remaining_size:
        raise SegmentError(SegmentReason.UMP_BYTES, used=used.ump_total_bytes, limit=capacity.remaining_size)
    for para, update in used.hrmp_outgoing.items():
        channel = total.egress(para)
        if channel is None:
            continue  # closed meanwhile: what was sent is on its way
        count, size = channel.max_capacity - channel.msg_count, channel.max_total_size - channel.total_size
        if update.msg_count > count:
            raise SegmentError(SegmentReason.HRMP_MESSAGES, recipient=para, used=update.msg_count, limit=count)
        if update.total_bytes > size:
            raise SegmentError(SegmentReason.HRMP_BYTES, recipient=para, used=update.total_bytes, limit=size)


def split_included(segment: Sequence[Ancestor], included: Hash) -> tuple[Sequence[Ancestor], Sequence[Ancestor]]:
    """The blocks up to the included one, and the rest; no blocks where it is not in the segment."""
    place = next((i + 1 for i, block in enumerate(segment) if block.para_head_hash == included), 0)
    return segment[:place], segment[place:]


def check_space(length: int, capacity: int) -> None:
    """Refuse a block on a full segment.

    Raises:
        SegmentError: `FULL`.
    """
    if length >= capacity:
        raise SegmentError(SegmentReason.FULL, unincluded=length, capacity=capacity)


def remaining(state: MessagingStateSnapshot, used: UsedBandwidth) -> MessagingStateSnapshot:
    """The relay's state as it will be when the segment is included: what is left for this block."""
    capacity = state.relay_dispatch_queue_remaining_capacity
    left = RelayDispatchQueueRemainingCapacity(
        max(capacity.remaining_count - used.ump_msg_count, 0), max(capacity.remaining_size - used.ump_total_bytes, 0)
    )
    egress = tuple((para, _used(channel, used.hrmp_outgoing.get(para))) for para, channel in state.egress_channels)
    return MessagingStateSnapshot(state.dmq_mqc_head, left, state.ingress_channels, egress)


def _used(channel: AbridgedHrmpChannel, update: HrmpChannelUpdate | None) -> AbridgedHrmpChannel:
    if update is None:
        return channel
    return AbridgedHrmpChannel(
        channel.max_capacity,
        channel.max_total_size,
        channel.max_message_size,
        channel.msg_count + update.msg_count,
        channel.total_size + update.total_bytes,
        channel.mqc_head,
    )


def upward_count(messages: Sequence[UpwardMessage], *, count: int, size: int) -> tuple[int, int]:
    """How many of these messages fit, oldest first, and how many bytes they have together."""
    taken = total = 0
    for message in messages:
        if taken + 1 > count or total + len(message) > size:
            break
        taken, total = taken + 1, total + len(message)
    return taken, total


def bandwidth(ump_count: int, ump_bytes: int, horizontal: Sequence[OutboundHrmpMessage]) -> UsedBandwidth:
    """What a block with these messages uses."""
    return UsedBandwidth(
        ump_count,
        ump_bytes,
        {message.recipient: HrmpChannelUpdate(1, len(message.data)) for message in horizontal},
    )
