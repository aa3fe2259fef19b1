"""Inbound messages against the relay chain's heads, and backlogs that do not fit into a block."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from parachains.sdk.message_queue_chain import (
    InboundDownward,
    InboundError,
    InboundHorizontal,
    check_downward,
    check_horizontal,
)
from parachains.sdk.parachain_inherent import (
    HashedMessage,
    InboundMessageId,
    ParachainInherentData,
    StorageProof,
    fitting,
    unprocessed,
)
from relaychain.primitives.messages import (
    AbridgedHrmpChannel,
    InboundDownwardMessage,
    InboundHrmpMessage,
    message_hash,
    mqc_head,
)
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import ZERO_HASH, HeadData, ParaId
from relaychain.runtime.dmp import check_processed_downward_messages
from relaychain.runtime.hrmp_rules import appended_digest, check_watermark, split_digest
from substrate.types import BlockNumber, Hash

A, B = ParaId(1000), ParaId(2000)
NOW = BlockNumber(9)
Across = dict[ParaId, tuple[InboundHrmpMessage, ...]]


def down(*heights: int) -> tuple[InboundDownwardMessage, ...]:
    return tuple(InboundDownwardMessage(BlockNumber(height), bytes([height])) for height in heights)


def across(*heights: int) -> tuple[InboundHrmpMessage, ...]:
    return tuple(InboundHrmpMessage(BlockNumber(height), bytes([height])) for height in heights)


def submitted(downward: Sequence[InboundDownwardMessage] = (), horizontal: Across | None = None):  # type: ignore[no-untyped-def]
    data = PersistedValidationData(HeadData(b""), NOW, Hash(ZERO_HASH), 0)
    return ParachainInherentData(data, StorageProof(()), tuple(downward), horizontal or {})


def channel(head: Hash | None) -> AbridgedHrmpChannel:
    return AbridgedHrmpChannel(8, 1024, 1024, 0, 0, head)


def checked(
    data: ParachainInherentData,
    queues: Across,
    *,
    last_heads: dict[ParaId, Hash] | None = None,
    last_watermark: int = 0,
) -> InboundHorizontal:
    return check_horizontal(
        data,
        channels=[(para, channel(mqc_head(queue))) for para, queue in sorted(queues.items())],
        last_heads=last_heads or {},
        last_watermark=BlockNumber(last_watermark),
    )


@given(st.lists(st.integers(0, 200), max_size=8), st.integers(0, 8))
def test_only_the_whole_queue_leads_to_its_head(heights: list[int], kept: int) -> None:
    queue = down(*heights)
    head = mqc_head(queue)

    last = InboundMessageId(queue[-1].sent_at) if queue else None
    assert check_downward(submitted(queue), last_head=ZERO_HASH, expected=head) == InboundDownward(head, last)
    if kept < len(queue):
        with pytest.raises(InboundError, match="DmqMqcHeadMismatch"):
            check_downward(submitted(queue[:kept]), last_head=ZERO_HASH, expected=head)


def test_messages_go_by_block_then_sender_and_the_last_sets_the_watermark() -> None:
    queues: Across = {B: across(3, 5), A: across(3, 4)}

    inbound = checked(submitted(horizontal=queues), queues)

    assert [(sender, message.sent_at) for sender, message in inbound.messages] == [(A, 3), (B, 3), (A, 4), (B, 5)]
    assert (inbound.watermark, inbound.last) == (5, InboundMessageId(BlockNumber(5)))


def test_without_messages_the_watermark_is_the_relay_parent() -> None:
    inbound = checked(submitted(), {A: ()})

    assert inbound == InboundHorizontal((), {A: ZERO_HASH}, NOW, InboundMessageId(NOW))


def test_a_message_from_a_stranger_is_refused() -> None:
    hashed = HashedMessage(BlockNumber(1), message_hash(b""))
    for data in (submitted(horizontal={A: across(1)}), replace(submitted(), hashed_horizontal_messages=((A, hashed),))):
        with pytest.raises(InboundError) as rejection:
            checked(data, {})
        assert str(rejection.value) == "HrmpNoSuchChannel (sender=1000)"


def test_a_closed_channels_head_is_forgotten() -> None:
    inbound = checked(submitted(), {B: ()}, last_heads={A: Hash(b"\x01" * 32)})

    assert inbound.heads == {B: ZERO_HASH}


# --- backlogs ---


@pytest.mark.parametrize(
    ("last", "left"),
    [
        ((3, 0), ()),
        ((2, 0), (3,)),
        ((2, 1), (2, 3)),
        ((2, 4), (2, 2, 2, 2, 3)),
        ((2, 5), (0, 2, 2, 2, 2, 3)),
        ((0, 1), (0, 2, 2, 2, 2, 3)),
        ((0, 3), (0, 0, 2, 2, 2, 2, 3)),
        ((1, 7), (2, 2, 2, 2, 3)),  # the queue has none of block 1: what is older was processed before
    ],
)
def test_processed_messages_are_dropped_as_upstream(last: tuple[int, int], left: tuple[int, ...]) -> None:
    waiting = unprocessed((0, 0, 2, 2, 2, 2, 3), InboundMessageId(BlockNumber(last[0]), last[1]), BlockNumber)

    assert waiting == left


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(0, (1, 0)), (99, (1, 0)), (150, (1, 50)), (200, (2, 0)), (399, (3, 49)), (400, (4, 0)), (500, (4, 100))],
)
def test_whole_messages_stay_within_the_limit_but_one_always_comes(limit: int, expected: tuple[int, int]) -> None:
    assert fitting((100, 100, 150, 50), limit) == expected


START = InboundMessageId(BlockNumber(0))


def test_hashes_alone_or_out_of_order_are_refused() -> None:
    queues: Across = {A: across(3, 4), B: across(3)}
    data = submitted(down(3, 4), queues).abridged(last_downward=START, last_horizontal=START, limit=0)
    assert (len(data.downward_messages), len(data.hashed_downward_messages)) == (1, 1)

    with pytest.raises(InboundError, match="AdvancementRule"):
        check_downward(replace(data, downward_messages=()), last_head=ZERO_HASH, expected=ZERO_HASH)
    with pytest.raises(InboundError, match="AdvancementRule"):
        checked(replace(data, horizontal_messages={}), queues)
    with pytest.raises(InboundError, match="HrmpOrderViolation"):
        checked(replace(data, hashed_horizontal_messages=data.hashed_horizontal_messages[::-1]), queues)
    with pytest.raises(InboundError, match="HrmpMqcHeadMismatch"):
        checked(replace(data, hashed_horizontal_messages=data.hashed_horizontal_messages[:1]), queues)


def test_a_whole_message_may_not_overtake_one_that_is_hashed() -> None:
    queues: Across = {A: across(3, 4), B: across(3)}
    overtaking = replace(
        submitted(horizontal={A: queues[A]}),
        hashed_horizontal_messages=((B, HashedMessage(BlockNumber(3), message_hash(bytes([3])))),),
    )

    with pytest.raises(InboundError, match="HrmpOrderViolation"):
        checked(overtaking, queues)


Sent = list[tuple[int, int]]


@given(
    sent=st.lists(st.tuples(st.integers(1, 8), st.integers(0, 30)), max_size=12),
    limits=st.lists(st.integers(0, 60), min_size=1),
)
def test_a_downward_backlog_is_processed_once_in_order_and_never_stalls(sent: Sent, limits: list[int]) -> None:
    everything = tuple(InboundDownwardMessage(BlockNumber(height), bytes(size)) for height, size in sorted(sent))
    waiting: Sequence[InboundDownwardMessage] = everything
    received: list[InboundDownwardMessage] = []
    last, head = START, Hash(ZERO_HASH)
    for turn in range(len(everything)):
        # Every other block stands on a relay parent that has not included the one before.
        queue = everything if turn % 2 else waiting
        limit = limits[turn % len(limits)]
        data = submitted(queue).abridged(last_downward=last, last_horizontal=START, limit=limit)
        result = check_downward(data, last_head=head, expected=mqc_head(everything))
        head, last = result.head, result.last or last
        taken = data.downward_messages
        check_processed_downward_messages(waiting, processed_count=len(taken), relay_parent_number=NOW)
        waiting = waiting[len(taken) :]
        received += taken

    assert tuple(received) == everything


@given(
    sent=st.lists(st.tuples(st.integers(1, 8), st.sampled_from((A, B)), st.integers(0, 30)), max_size=12),
    limits=st.lists(st.integers(0, 60), min_size=1),
)
def test_a_horizontal_backlog_is_processed_once_in_order_under_watermarks_that_the_relay_takes(
    sent: list[tuple[int, ParaId, int]], limits: list[int]
) -> None:
    everything: Across = {A: (), B: ()}
    digest = ()
    for height, sender, size in sorted(sent):
        everything[sender] += (InboundHrmpMessage(BlockNumber(height), bytes(size)),)
        digest = appended_digest(digest, sender=sender, now=BlockNumber(height))
    received: list[tuple[ParaId, InboundHrmpMessage]] = []
    last, heads, watermark = START, {A: ZERO_HASH, B: ZERO_HASH}, BlockNumber(0)
    for turn in range(len(sent) + 1):
        queues = {para: tuple(m for m in queue if m.sent_at > watermark) for para, queue in everything.items()}
        limit = limits[turn % len(limits)]
        data = submitted(horizontal=queues).abridged(last_downward=START, last_horizontal=last, limit=limit)
        result = checked(data, everything, last_heads=dict(heads), last_watermark=watermark)
        check_watermark(digest, last=watermark, new=result.watermark, relay_parent_number=NOW)
        unread = [message for message in result.messages if message[1].sent_at > result.watermark]
        assert all(message.sent_at == result.last.sent_at for _, message in unread)
        heads, last, watermark = dict(result.heads), result.last, result.watermark
        _, digest = split_digest(digest, watermark)
        received += result.messages

    assert [m for para, m in received if para == A] == list(everything[A])
    assert [m for para, m in received if para == B] == list(everything[B])
    assert [message.sent_at for _, message in received] == sorted(message.sent_at for _, message in received)
    assert watermark == NOW
