"""Coretime: who a core serves."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaychain.primitives.types import CoreIndex
from relaychain.runtime.assigner_coretime import (
    FULL,
    CoreAssignment,
    CoreDescriptor,
    CoretimeError,
    CoretimeReason,
    Idle,
    Pool,
    QueueDescriptor,
    Schedule,
    Task,
    check_assignments,
    ensured_workload,
    popped,
    work_of,
)
from substrate.runtime.dispatch import DispatchFailure
from substrate.runtime.origin import RawRoot
from substrate.types import BlockNumber


def served(shares: list[tuple[CoreAssignment, int]], count: int) -> list[CoreAssignment]:
    work, order = work_of(Schedule(tuple(shares), None, None)), []
    for _ in range(count):
        kind, work = popped(work)
        order.append(kind)
    return order


def test_equal_assignments_are_served_equally() -> None:
    order = served([(Task(1), FULL // 2), (Task(2), FULL // 2)], 5)

    assert order == [Task(1), Task(2), Task(1), Task(2), Task(1)]


def test_shares_that_the_step_does_not_divide_are_served_in_proportion() -> None:
    # Upstream's case: 3/5 and 2/5 of a core; the step is 2/5.
    order = served([(Task(1), FULL * 3 // 5), (Task(2), FULL * 2 // 5)], 6)

    assert order == [Task(1), Task(2), Task(1), Task(1), Task(2), Task(1)]
    assert Counter(served([(Task(1), FULL * 3 // 5), (Task(2), FULL * 2 // 5)], 50)) == {Task(1): 30, Task(2): 20}


@given(cuts=st.lists(st.integers(1, 59), min_size=1, max_size=5, unique=True), rounds=st.integers(1, 4))
def test_after_each_round_every_assignment_had_its_share_within_one(cuts: list[int], rounds: int) -> None:
    edges = [0, *sorted(cuts), 60]
    shares: list[tuple[CoreAssignment, int]] = [
        (Task(place), (right - left) * FULL // 60) for place, (left, right) in enumerate(pairwise(edges))
    ]
    work, counts = work_of(Schedule(tuple(shares), None, None)), Counter[CoreAssignment]()

    for _ in range(rounds):
        while True:
            kind, work = popped(work)
            counts[kind] += 1
            if work.pos == len(shares):
                break

    for task, parts in shares:
        assert 0 <= rounds * parts / work.step - counts[task] < 1


@pytest.mark.parametrize(
    ("assignments", "reason"),
    [
        ([], CoretimeReason.ASSIGNMENTS_EMPTY),
        ([(Task(2), FULL // 2), (Task(1), FULL // 2)], CoretimeReason.ASSIGNMENTS_NOT_SORTED),
        ([(Task(1), FULL // 2), (Task(1), FULL // 2)], CoretimeReason.ASSIGNMENTS_NOT_SORTED),
        ([(Task(1), FULL - 1)], CoretimeReason.UNDER_SCHEDULED),
        ([(Task(1), FULL), (Task(2), 1)], CoretimeReason.OVER_SCHEDULED),
    ],
)
def test_a_schedule_is_a_whole_core_in_order(
    assignments: list[tuple[CoreAssignment, int]], reason: CoretimeReason
) -> None:
    with pytest.raises(CoretimeError) as rejection:
        check_assignments(assignments)

    assert rejection.value.reason is reason
    check_assignments([(Idle(), 1), (Pool(), 1), (Task(1), FULL - 2)])


def schedule(task: int, end: int | None = None, following: int | None = None) -> Schedule:
    return Schedule(
        ((Task(task), FULL),),
        None if end is None else BlockNumber(end),
        None if following is None else BlockNumber(following),
    )


def test_work_changes_when_the_next_schedule_begins_and_ends_with_its_hint() -> None:
    waiting = {BlockNumber(1): schedule(1, following=5), BlockNumber(5): schedule(2, end=8)}
    start = CoreDescriptor(QueueDescriptor(BlockNumber(1), BlockNumber(5)), None)

    before, _ = ensured_workload(start, waiting, now=BlockNumber(0))
    first, taken = ensured_workload(start, waiting, now=BlockNumber(3))
    second, taken_too = ensured_workload(first, waiting, now=BlockNumber(5))
    after, _ = ensured_workload(second, {}, now=BlockNumber(8))

    assert before.current_work is None
    assert first.current_work == work_of(waiting[BlockNumber(1)])
    assert second == CoreDescriptor(None, work_of(waiting[BlockNumber(5)]))
    assert (taken, taken_too) == ((1,), (5,))
    assert after == CoreDescriptor(None, None)


def test_a_schedule_that_ended_before_its_turn_is_skipped() -> None:
    waiting = {BlockNumber(1): schedule(1, end=2, following=2), BlockNumber(2): schedule(2)}
    start = CoreDescriptor(QueueDescriptor(BlockNumber(1), BlockNumber(2)), None)

    descriptor, taken = ensured_workload(start, waiting, now=BlockNumber(4))

    assert (descriptor, taken) == (CoreDescriptor(None, work_of(waiting[BlockNumber(2)])), (1, 2))


def assign(runtime: Any, begin: int, shares: tuple[tuple[CoreAssignment, int], ...]) -> None:
    pallet = runtime.coretime_assignment_provider
    call = type(runtime).call(
        type(pallet).assign_core, core=CoreIndex(0), begin=BlockNumber(begin), assignment=shares, end_hint=None
    )
    runtime.dispatch(call, RawRoot())


def test_two_paras_share_a_core(make_relay: Any) -> None:
    relay = make_relay()
    halves = ((Task(2000), FULL // 2), (Task(2001), FULL // 2))
    relay.block(before=lambda runtime: assign(runtime, 3, halves))
    for _ in range(8):
        relay.block()

    claims = relay.runtime.para_scheduler.claim_queue_paras()[CoreIndex(0)]

    assert sorted(set(claims)) == [2000, 2001]


def test_a_schedule_may_not_begin_before_one_that_waits(make_relay: Any) -> None:
    runtime = make_relay().opened()
    assign(runtime, 9, ((Task(1), FULL),))
    for begin, shares in ((9, ((Task(1), FULL),)), (10, ((Task(1), 1),))):
        with pytest.raises(DispatchFailure):
            assign(runtime, begin, shares)
