"""Message queue: order, weight, overweight messages, the ring."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaychain.pvf.meter import Meter
from substrate.errors import ChainError
from substrate.pallets.message_queue import EXECUTE, OVERHEAD, MessageQueue
from substrate.pallets.message_queue_types import (
    BookState,
    after_first,
    after_processing,
    appended,
    first_item,
    is_cullable,
    item_at_index,
    page_of,
)
from substrate.runtime.steps import StepLimit
from substrate.types import AccountId, Weight

ALICE = AccountId(bytes([1]) * 32)
EMPTY: BookState[Any] = BookState()


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=12))
def test_a_page_gives_back_its_messages_in_order(messages: list[bytes]) -> None:
    page = page_of(messages[0])
    for message in messages[1:]:
        longer = appended(page, message, heap_size=1_000)
        assert longer is not None
        page = longer
    assert page.heap == b"".join(len(m).to_bytes(4, "little") + b"\0" + m for m in messages)
    assert [item_at_index(page, index).payload for index in range(len(messages))] == messages  # type: ignore[union-attr]
    assert item_at_index(page, len(messages)) is None

    read: list[bytes] = []
    while (item := first_item(page)) is not None:
        read.append(item.payload)
        page = after_first(page, is_processed=True)

    assert read == messages
    assert page.is_complete
    assert page.remaining_size == 0


def test_a_page_is_bounded_to_the_byte() -> None:
    page = page_of(bytes(10))

    assert appended(page, bytes(20), heap_size=40) is not None
    assert appended(page, bytes(21), heap_size=40) is None


def test_an_overweight_message_can_be_marked_later() -> None:
    page = after_first(page_of(b"abc"), is_processed=False)
    assert not page.is_complete
    item = item_at_index(page, 0)
    assert item is not None

    done = after_processing(page, item)

    assert done.is_complete
    assert done.heap == b"\3\0\0\0\1abc"


@pytest.mark.parametrize(
    ("count", "begin", "index", "expected"), [(2, 9, 0, False), (3, 9, 4, True), (3, 9, 5, False), (5, 9, 6, True)]
)
def test_stale_pages_are_culled_behind_a_watermark(count: int, begin: int, index: int, expected: bool) -> None:
    book: BookState[Any] = BookState(begin=begin, end=begin, count=count)

    assert is_cullable(book, index, max_stale=2) is expected


def place(world: Any, number: int) -> Any:
    kind = type(world.runtime).assembly().mounts["message_queue"].kind
    return kind.hints["message_origin"](1, number)


def test_messages_are_processed_in_order_and_the_queue_leaves_the_ring(world: Any) -> None:
    queue, origin = world.runtime.message_queue, place(world, 7)
    queue.enqueue_messages([b"ok 1", b"fails", b"bad", b"ok 2"], origin)
    assert queue.footprint(origin) == (1, 1, 4, 16)
    assert queue.service_head.get() == origin

    used = queue.on_initialize(1)

    assert [type(event).__name__ for event in world.events()] == [
        "Processed",
        "Processed",
        "ProcessingFailed",
        "Processed",
    ]
    assert [event.success for event in world.events() if hasattr(event, "success")] == [True, False, True]
    assert queue.book_state_for[origin] == BookState(begin=1, end=1)
    assert queue.service_head.get() is None
    assert list(queue.pages.items()) == []
    assert used.any_gt(Weight(3_000, 30))


def test_what_an_unprocessable_message_wrote_is_rolled_back(world: Any) -> None:
    queue, origin = world.runtime.message_queue, place(world, 7)
    queue.enqueue_messages([b"fails", b"bad"], origin)

    queue.on_initialize(1)

    assert world.state.get(b"last") == b"fails"


def test_a_message_may_use_up_its_own_steps_and_not_those_of_its_block(world: Any) -> None:
    world.runtime.step_meter = meter = Meter()
    queue, origin = world.runtime.message_queue, place(world, 7)

    meter.left = 100
    queue.enqueue_message(b"loops 50", origin)
    queue.on_initialize(1)
    assert world.said() == ["ProcessingFailed"]
    assert meter.left == 49

    queue.enqueue_message(b"loops 50", origin)
    with pytest.raises(StepLimit):
        queue.on_initialize(1)


def test_full_pages_are_followed_by_new_ones(world: Any) -> None:
    queue, origin = world.runtime.message_queue, place(world, 7)
    queue.enqueue_messages([b"ok 0123456789"] * 5, origin)
    assert queue.footprint(origin).pages == 3

    queue.on_initialize(1)

    assert world.said() == ["Processed"] * 5
    assert queue.footprint(origin) == (0, 0, 0, 0)


def test_queues_take_turns_at_being_first(world: Any) -> None:
    queue = world.runtime.message_queue
    a, b, c = (place(world, number) for number in (1, 2, 3))
    for origin in (a, b, c):
        queue.enqueue_message(b"yield", origin)
        queue.enqueue_message(b"ok", origin)

    heads = []
    for _ in range(4):
        heads.append(queue.service_head.get())
        queue.on_initialize(1)

    assert heads == [a, b, c, a]
    assert world.said() == []
    assert queue.footprint(a).message_count == 2


def test_a_ring_in_which_nothing_moves_is_gone_round_once(world: Any) -> None:
    queue = world.runtime.message_queue

    def used(ring: int) -> int:
        queue.enqueue_message(b"yield", place(world, ring))
        return queue.on_initialize(1).ref_time

    one, two, three, four = (used(ring) for ring in range(1, 5))

    # A queue alone is its own successor: it is looked at a second time.
    assert one == two
    assert three - two == four - three > 0


def test_a_heavy_message_waits_and_an_impossible_one_is_set_aside(world: Any) -> None:
    queue, origin = world.runtime.message_queue, place(world, 7)
    most = queue.service_weight - OVERHEAD
    queue.enqueue_messages([b"ok", b"heavy %d" % most.ref_time, b"heavy %d" % (most.ref_time + 1), b"ok"], origin)

    queue.on_initialize(1)
    assert world.said() == ["Processed"]
    queue.on_initialize(2)

    assert world.said()[1:] == ["Processed"]
    queue.on_initialize(3)
    assert world.said()[2:] == ["OverweightEnqueued", "Processed"]
    assert queue.footprint(origin).message_count == 1
    assert queue.footprint(origin).ready_pages == 0
    assert queue.service_head.get() is None


def overweight(world: Any) -> Any:
    queue, origin = world.runtime.message_queue, place(world, 7)
    queue.enqueue_messages([b"heavy 2000000000", b"ok"], origin)
    queue.on_initialize(1)
    return origin


def test_anyone_executes_an_overweight_message_once(world: Any) -> None:
    origin, queue = overweight(world), world.runtime.message_queue
    call = {"message_origin": origin, "page": 0, "index": 0}
    with pytest.raises(ChainError) as refusal:
        world.dispatch(ALICE, MessageQueue.execute_overweight, **call, weight_limit=Weight(10, 10))
    assert refusal.value.error.value.error[0] == queue.errors["InsufficientWeight"].index

    weight = Weight(2_000_000_000, 100)
    world.dispatch(ALICE, MessageQueue.execute_overweight, **call, weight_limit=weight)

    assert world.said() == ["OverweightEnqueued", "Processed", "Processed"]
    assert queue.footprint(origin) == (0, 0, 0, 0)
    with pytest.raises(queue.NoPage):
        queue.execute_overweight(ALICE, origin, 0, 0, weight)
    assert world.runtime.dispatch_info(
        world.runtime.call(MessageQueue.execute_overweight, **call, weight_limit=weight)
    ).weight == (EXECUTE + weight)


def test_what_is_not_overweight_is_not_executed_by_hand(world: Any) -> None:
    origin, queue = overweight(world), world.runtime.message_queue
    queue.enqueue_message(b"yield", origin)
    with pytest.raises(queue.AlreadyProcessed):
        queue.execute_overweight(ALICE, origin, 0, 1, Weight.MAX)
    with pytest.raises(queue.NoMessage):
        queue.execute_overweight(ALICE, origin, 0, 2, Weight.MAX)
    with pytest.raises(queue.Queued):
        queue.execute_overweight(ALICE, origin, 1, 0, Weight.MAX)


def test_only_stale_pages_are_reaped(world: Any) -> None:
    origin, queue = overweight(world), world.runtime.message_queue
    with pytest.raises(queue.NotReapable):
        queue.reap_page(ALICE, origin, 0)
    with pytest.raises(queue.NotReapable):
        queue.reap_page(ALICE, origin, 1)
    for _ in range(4):
        overweight(world)

    queue.reap_page(ALICE, origin, 0)

    assert world.said()[-1] == "PageReaped"
    assert queue.footprint(origin).pages == 4
    assert queue.footprint(origin).message_count == 4


def test_a_message_may_enqueue_another(world: Any) -> None:
    queue, origin = world.runtime.message_queue, place(world, 7)
    queue.enqueue_message(b"more", origin)

    queue.on_initialize(1)

    assert world.said() == ["Processed", "Processed"]
    assert queue.service_head.get() is None


def test_a_swept_queue_is_not_served(world: Any) -> None:
    queue, a, b = world.runtime.message_queue, place(world, 1), place(world, 2)
    queue.enqueue_message(b"ok", a)
    queue.enqueue_message(b"ok", b)
    queue.sweep_queue(a)

    queue.on_initialize(1)

    assert [event.origin for event in world.events()] == [b]
    assert queue.footprint(a).ready_pages == 0


def test_too_little_weight_serves_nothing(world: Any) -> None:
    queue, origin = world.runtime.message_queue, place(world, 7)
    queue.enqueue_message(b"ok", origin)

    assert queue.service_queues(Weight(1, 1)) == Weight.ZERO
    assert queue.on_idle(1, Weight.MAX) == Weight.ZERO
    assert world.said() == []
