"""The unincluded segment: bandwidth of blocks under way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parachains.sdk.relay_state_snapshot import MessagingStateSnapshot, RelayDispatchQueueRemainingCapacity
from parachains.sdk.unincluded_segment import (
    Ancestor,
    HrmpChannelUpdate,
    SegmentError,
    SegmentTracker,
    UsedBandwidth,
    check_space,
    remaining,
    split_included,
    upward_count,
)
from relaychain.primitives.messages import AbridgedHrmpChannel, UpwardMessage
from relaychain.primitives.types import ParaId, UpgradeGoAhead
from substrate.types import BlockNumber, Hash

A = ParaId(1000)
CHANNEL = AbridgedHrmpChannel(4, 100, 50, 1, 10, None)
STATE = MessagingStateSnapshot(Hash(bytes(32)), RelayDispatchQueueRemainingCapacity(5, 100), (), ((A, CHANNEL),))


def block(ump: int = 0, size: int = 0, hrmp: int = 0, signal: UpgradeGoAhead | None = None) -> Ancestor:
    outgoing = {A: HrmpChannelUpdate(1, hrmp)} if hrmp else {}
    return Ancestor(UsedBandwidth(ump, size, outgoing), None, signal)


def appended(*blocks: Ancestor, watermark: int = 7, relay_parent: int = 7) -> SegmentTracker:
    tracker = SegmentTracker()
    for one in blocks:
        tracker = tracker.append(
            one, watermark=BlockNumber(watermark), relay_parent=BlockNumber(relay_parent), total=STATE
        )
    return tracker


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ((block(ump=5), block(ump=1)), "UmpMessagesOverflow (used=6, limit=5)"),
        ((block(size=100), block(size=1)), "UmpBytesOverflow (used=101, limit=100)"),
        ((block(hrmp=1),) * 4, "HrmpMessagesOverflow (recipient=1000, used=4, limit=3)"),
        ((block(hrmp=50), block(hrmp=41)), "HrmpBytesOverflow (recipient=1000, used=91, limit=90)"),
        ((block(signal=UpgradeGoAhead.ABORT),) * 2, "UpgradeGoAheadAlreadyProcessed"),
    ],
)
def test_the_segment_keeps_within_what_the_relay_chain_takes(blocks: tuple[Ancestor, ...], reason: str) -> None:
    appended(*blocks[:-1])

    with pytest.raises(SegmentError) as rejection:
        appended(*blocks)

    assert str(rejection.value) == reason


def test_a_watermark_may_stay_but_not_fall() -> None:
    tracker = appended(block(), watermark=6, relay_parent=7)

    def with_watermark(watermark: int) -> SegmentTracker:
        return tracker.append(block(), watermark=BlockNumber(watermark), relay_parent=BlockNumber(7), total=STATE)

    assert [with_watermark(watermark).hrmp_watermark for watermark in (6, 7)] == [6, 7]
    with pytest.raises(SegmentError) as rejection:
        with_watermark(5)
    assert str(rejection.value) == "InvalidHrmpWatermark (submitted=5, latest=6)"


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20), st.integers(0, 20)), max_size=3))
def test_dropping_all_blocks_leaves_nothing_used(sizes: list[tuple[int, int, int]]) -> None:
    blocks = [block(*size) for size in sizes]
    tracker = appended(*blocks)
    for one in blocks:
        tracker = tracker.without(one)

    assert tracker.used_bandwidth == UsedBandwidth()


def test_what_is_left_counts_the_segment() -> None:
    left = remaining(STATE, appended(block(2, 30, 20)).used_bandwidth)

    assert left.relay_dispatch_queue_remaining_capacity == RelayDispatchQueueRemainingCapacity(3, 70)
    assert left.egress(A) == AbridgedHrmpChannel(4, 100, 50, 2, 30, None)


def test_ancestors_up_to_the_included_one_go() -> None:
    one, two = (Ancestor(UsedBandwidth(), Hash(bytes([n]) * 32), None) for n in (1, 2))

    assert split_included((one, two), Hash(b"\x01" * 32)) == ((one,), (two,))
    assert split_included((one, two), Hash(b"\x09" * 32)) == ((), (one, two))


def test_a_full_segment_takes_no_block() -> None:
    check_space(2, 3)

    with pytest.raises(SegmentError, match=r"NoSpaceInSegment \(unincluded=3, capacity=3\)"):
        check_space(3, 3)


@pytest.mark.parametrize(
    ("count", "size", "expected"), [(3, 9, (3, 9)), (2, 9, (2, 6)), (3, 8, (2, 6)), (0, 9, (0, 0))]
)
def test_upward_messages_leave_oldest_first_while_they_fit(count: int, size: int, expected: tuple[int, int]) -> None:
    messages = [UpwardMessage(b"abc")] * 3

    assert upward_count(messages, count=count, size=size) == expected
