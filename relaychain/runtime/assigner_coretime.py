"""Coretime assigner: which para a core serves next, by schedules in parts of 57,600.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/assigner_coretime/mod.rs`.

A core goes through its schedules in order of their begin. Within one it serves the assignments in turn, each until its
share is used up: `step` is the smallest share, and what an assignment has left over counts in the next round.
On-demand cores (`Pool`) may be scheduled but serve nobody: there is no order queue yet.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Annotated

import msgspec

from relaychain.primitives.types import CoreIndex, ParaId
from substrate.errors import RuleError
from substrate.runtime.hashers import Twox64Concat
from substrate.runtime.origin import Root
from substrate.runtime.pallet import Error, Event, Pallet, call
from substrate.runtime.storage import StorageMap, storage_map
from substrate.scale.types import MaxLen, Struct, enum_path, path, u16, u32, variant
from substrate.types import BlockNumber

FULL = 57_600
"""Parts of a whole core."""
MAX_ASSIGNMENTS = 100


@variant(0)
class Idle(Struct, order=True):
    """Nobody."""


@variant(1)
class Pool(Struct, order=True):
    """Whoever orders on demand."""


@variant(2, unnamed=True)
class Task(Struct, order=True):
    """A para."""

    task: u32


CoreAssignment = Idle | Pool | Task
enum_path(CoreAssignment, "pallet_broker::coretime_interface::CoreAssignment")
Assignments = Annotated[tuple[tuple[CoreAssignment, u16], ...], MaxLen(MAX_ASSIGNMENTS)]
"""Assignments with their parts, in ascending order."""

_CRATE = "polkadot_runtime_parachains::assigner_coretime"


@path(f"{_CRATE}::Schedule")
class Schedule(Struct):
    """What a core does from a block on."""

    assignments: tuple[tuple[CoreAssignment, u16], ...]
    end_hint: BlockNumber | None
    """The schedule ends here if nothing replaces it before."""
    next_schedule: BlockNumber | None
    """Begin of the schedule after this one."""


@path(f"{_CRATE}::QueueDescriptor")
class QueueDescriptor(Struct):
    """First and last begin of the schedules that wait."""

    first: BlockNumber
    last: BlockNumber


@path(f"{_CRATE}::AssignmentState")
class AssignmentState(Struct):
    """An assignment's share and what is left of it."""

    ratio: u16
    remaining: u16


@path(f"{_CRATE}::WorkState")
class WorkState(Struct):
    """Where a core is in its current schedule."""

    assignments: tuple[tuple[CoreAssignment, AssignmentState], ...]
    end_hint: BlockNumber | None
    pos: u16
    step: u16


@path(f"{_CRATE}::CoreDescriptor")
class CoreDescriptor(Struct):
    """A core's waiting schedules and current work."""

    queue: QueueDescriptor | None = None
    current_work: WorkState | None = None


class CoretimeReason(StrEnum):
    """Why a schedule is refused."""

    ASSIGNMENTS_EMPTY = "AssignmentsEmpty"
    ASSIGNMENTS_NOT_SORTED = "AssignmentsNotSorted"
    UNDER_SCHEDULED = "UnderScheduled"
    OVER_SCHEDULED = "OverScheduled"
    DISALLOWED_INSERT = "DisallowedInsert"


class CoretimeError(RuleError):
    """A schedule breaks a rule."""


def _order(assignment: CoreAssignment) -> tuple[int, int]:
    match assignment:
        case Idle():
            return 0, 0
        case Pool():
            return 1, 0
        case Task(task):
            return 2, task


def check_assignments(assignments: Sequence[tuple[CoreAssignment, int]]) -> None:
    """Check that assignments ascend and add up to a whole core.

    Raises:
        CoretimeError: all but `DISALLOWED_INSERT`.
    """
    if not assignments:
        raise CoretimeError(CoretimeReason.ASSIGNMENTS_EMPTY)
    keys = [_order(assignment) for assignment, _ in assignments]
    if any(left >= right for left, right in pairwise(keys)):
        raise CoretimeError(CoretimeReason.ASSIGNMENTS_NOT_SORTED)
    parts = sum(part for _, part in assignments)
    if parts != FULL:
        raise CoretimeError(
            CoretimeReason.OVER_SCHEDULED if parts > FULL else CoretimeReason.UNDER_SCHEDULED, parts=parts
        )


def work_of(schedule: Schedule) -> WorkState:
    """The state in which a schedule's work begins."""
    return WorkState(
        assignments=tuple((kind, AssignmentState(parts, parts)) for kind, parts in schedule.assignments),
        end_hint=schedule.end_hint,
        pos=0,
        step=min(parts for _, parts in schedule.assignments),
    )


def popped(work: WorkState) -> tuple[CoreAssignment, WorkState]:
    """The assignment that is served now, and the work after it."""
    pos = work.pos % len(work.assignments)
    kind, state = work.assignments[pos]
    remaining = max(state.remaining - work.step, 0)
    following = pos
    if remaining < work.step:
        # Used up: move on, and credit what is left to the next round.
        following = pos + 1
        remaining += state.ratio
    assignments = list(work.assignments)
    assignments[pos] = (kind, AssignmentState(state.ratio, remaining))
    return kind, WorkState(tuple(assignments), work.end_hint, following, work.step)


def ensured_workload(
    descriptor: CoreDescriptor, schedules: Mapping[BlockNumber, Schedule], *, now: BlockNumber
) -> tuple[CoreDescriptor, tuple[BlockNumber, ...]]:
    """The descriptor with the work of block `now`, and the begins of the schedules it used up."""
    work, queue = descriptor.current_work, descriptor.queue
    if work is not None and work.end_hint is not None and work.end_hint <= now:
        work = None
    if queue is None or queue.first > now:
        return CoreDescriptor(queue, work), ()
    taken: list[BlockNumber] = []
    begin: BlockNumber | None = queue.first
    work = None
    while begin is not None:
        schedule = schedules[begin]
        taken.append(begin)
        begin = schedule.next_schedule
        if schedule.end_hint is None or schedule.end_hint > now:
            work = work_of(schedule)
            break
    return CoreDescriptor(QueueDescriptor(begin, queue.last) if begin is not None else None, work), tuple(taken)


class CoretimeAssignmentProvider(Pallet):
    """Core schedules. The first ones come with the initializer's genesis."""

    crate = _CRATE

    core_schedules: StorageMap[tuple[CoreIndex, BlockNumber], Schedule] = storage_map(Twox64Concat)
    """Schedules that wait, by core and begin."""
    core_descriptors: StorageMap[CoreIndex, CoreDescriptor] = storage_map(Twox64Concat, default=CoreDescriptor())
    """State of each core."""

    class CoreAssigned(Event):
        """A core has been assigned."""

        core: CoreIndex

    class InvalidAssignments(Error):
        """The assignments are empty, unsorted, or not a whole core."""

    class DisallowedInsert(Error):
        """The schedule begins before one that already waits."""

    def assign_whole(self, core: CoreIndex, para: ParaId) -> None:
        """Give a core to one para from now on."""
        self._insert(core, self.number, ((Task(para), FULL),), None)

    @call(0)
    def assign_core(
        self,
        origin: Root,
        core: CoreIndex,
        begin: BlockNumber,
        assignment: Assignments,
        end_hint: BlockNumber | None,
    ) -> None:
        """Schedule what a core does from `begin` on."""
        try:
            check_assignments(assignment)
        except CoretimeError as error:
            raise self.InvalidAssignments(str(error)) from error
        self._insert(core, begin, assignment, end_hint)
        self.deposit_event(self.CoreAssigned(core))

    def _insert(
        self, core: CoreIndex, begin: BlockNumber, assignments: Assignments, end_hint: BlockNumber | None
    ) -> None:
        descriptor = self.core_descriptors[core]
        queue = descriptor.queue
        if queue is None:
            queue = QueueDescriptor(begin, begin)
        elif begin <= queue.last:
            raise self.DisallowedInsert
        else:
            last = self.core_schedules[core, queue.last]
            self.core_schedules[core, queue.last] = msgspec.structs.replace(last, next_schedule=begin)
            queue = QueueDescriptor(queue.first, begin)
        self.core_schedules[core, begin] = Schedule(assignments, end_hint, None)
        self.core_descriptors[core] = CoreDescriptor(queue, descriptor.current_work)

    def pop_assignment_for_core(self, core: CoreIndex) -> ParaId | None:
        """The para that the core serves next; None if it idles."""
        descriptor = self.core_descriptors[core]
        if descriptor.queue is not None and descriptor.queue.first <= self.number:
            descriptor, taken = ensured_workload(descriptor, self._waiting(core, descriptor.queue), now=self.number)
            for begin in taken:
                del self.core_schedules[core, begin]
        else:
            descriptor, _ = ensured_workload(descriptor, {}, now=self.number)
        served: CoreAssignment = Idle()
        if descriptor.current_work is not None:
            served, work = popped(descriptor.current_work)
            descriptor = CoreDescriptor(descriptor.queue, work)
        if descriptor != self.core_descriptors[core]:
            self.core_descriptors[core] = descriptor
        return ParaId(served.task) if isinstance(served, Task) else None

    def _waiting(self, core: CoreIndex, queue: QueueDescriptor) -> Mapping[BlockNumber, Schedule]:
        waiting: dict[BlockNumber, Schedule] = {}
        begin: BlockNumber | None = queue.first
        while begin is not None:
            waiting[begin] = self.core_schedules[core, begin]
            begin = waiting[begin].next_schedule
        return waiting
