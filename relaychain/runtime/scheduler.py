"""Scheduler: validator groups, their rotation over cores, and the claim queue.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/scheduler.rs`.
"""

from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from relaychain.primitives.configuration import HostConfiguration
from relaychain.primitives.core_state import GroupRotationInfo
from relaychain.primitives.types import CoreIndex, GroupIndex, ParaId, ValidatorIndex
from relaychain.runtime.assigner_coretime import CoretimeAssignmentProvider
from relaychain.runtime.configuration import Configuration
from substrate.runtime.pallet import Pallet, runtime_api
from substrate.runtime.storage import StorageValue, storage_value
from substrate.scale.types import Struct, enum_path, variant
from substrate.types import BlockNumber

Groups: TypeAlias = tuple[tuple[ValidatorIndex, ...], ...]


@variant(0, "Pool")
class PoolClaim(Struct):
    """Ordered on demand."""

    para_id: ParaId
    core_index: CoreIndex


@variant(1, "Bulk", unnamed=True)
class BulkClaim(Struct):
    """From the core's schedule."""

    para_id: ParaId


Assignment = PoolClaim | BulkClaim
enum_path(Assignment, "polkadot_runtime_parachains::scheduler::common::Assignment")
ClaimQueue: TypeAlias = Mapping[CoreIndex, tuple[Assignment, ...]]


def core_count(config: HostConfiguration, n_validators: int) -> int:
    """Cores of a session: as configured, or more where groups would be too large."""
    per_core = config.scheduler_params.max_validators_per_core
    return max(config.scheduler_params.num_cores, n_validators // per_core if per_core else 0)


def validator_groups(n_validators: int, n_cores: int) -> Groups:
    """One group per core: slices of the (shuffled) validators; the first ones are larger by one if need be."""
    if not n_cores or not n_validators:
        return ()
    size, larger = divmod(n_validators, n_cores)
    groups: list[tuple[ValidatorIndex, ...]] = []
    start = 0
    for group in range(n_cores):
        end = start + size + (group < larger)
        groups.append(tuple(ValidatorIndex(index) for index in range(start, end)))
        start = end
    return tuple(groups)


def group_assigned_to_core(
    core: CoreIndex, at: BlockNumber, *, session_start: BlockNumber, frequency: BlockNumber, n_groups: int
) -> GroupIndex | None:
    """The group that backs for a core in block `at`; None outside the session or the cores."""
    if at < session_start or not 0 <= core < n_groups:
        return None
    rotations = (at - session_start) // frequency if frequency else 0
    return GroupIndex((core + rotations) % n_groups)


def refilled(
    queue: tuple[Assignment, ...], pop: Callable[[], Assignment | None], *, lookahead: int
) -> tuple[Assignment, ...]:
    """A core's queue filled to `lookahead`. An empty one gets its first claim twice: collating takes time."""
    claims = list(queue)
    if not claims and lookahead > 1 and (first := pop()) is not None:
        claims += [first, first]
    while len(claims) < lookahead and (claim := pop()) is not None:
        claims.append(claim)
    return tuple(claims)


def advanced(
    claim_queue: ClaimQueue,
    *,
    n_cores: int,
    lookahead: int,
    blocked: Collection[CoreIndex],
    pop: Callable[[CoreIndex], Assignment | None],
) -> ClaimQueue:
    """The claim queue after a block: every core that was not `blocked` has served its first claim."""
    following: dict[CoreIndex, tuple[Assignment, ...]] = {}
    for core in map(CoreIndex, range(n_cores)):
        claims = tuple(claim_queue.get(core, ()))
        claims = claims if core in blocked else claims[1:]
        filled = refilled(claims, lambda core=core: pop(core), lookahead=lookahead)
        if filled:
            following[core] = filled
    return following


class TimeoutStatus(Struct):
    """Whether a candidate that waits for availability has timed out, and until when it lives."""

    timed_out: bool
    live_until: BlockNumber


def timeout_status(
    rotation: GroupRotationInfo, *, backed_in: BlockNumber, availability_period: BlockNumber
) -> TimeoutStatus:
    """Timeout of a candidate, as of block `rotation.now`.

    Candidates only time out in the first `availability_period` blocks of a rotation: the next group needs the core.
    """
    if timeout_check_required(rotation, availability_period=availability_period):
        until = backed_in + availability_period
    else:
        until = rotation.next_rotation_at + availability_period
    return TimeoutStatus(until <= rotation.now, BlockNumber(until))


def timeout_check_required(rotation: GroupRotationInfo, *, availability_period: BlockNumber) -> bool:
    """Whether the next block is in the head of a rotation."""
    following = GroupRotationInfo(
        rotation.session_start_block, rotation.group_rotation_frequency, BlockNumber(rotation.now + 1)
    )
    return following.now < following.last_rotation_at + availability_period


class Scheduler(Pallet):
    """Groups and claims. The claim queue stands, after each block, as the next block finds it."""

    crate = "polkadot_runtime_parachains::scheduler"

    validator_groups: StorageValue[Groups] = storage_value(default=())
    """One group per core, of places among the session's para validators."""
    session_start_block: StorageValue[BlockNumber] = storage_value(default=0)
    """First block of the session."""
    claim_queue: StorageValue[ClaimQueue] = storage_value(default={})
    """What each core serves next."""

    @property
    def _config(self) -> HostConfiguration:
        return self.pallet(Configuration).active

    def _pop(self, core: CoreIndex) -> Assignment | None:
        para = self.pallet(CoretimeAssignmentProvider).pop_assignment_for_core(core)
        return None if para is None else BulkClaim(para)

    def _advance(self, n_cores: int, blocked: Collection[CoreIndex]) -> None:
        queue = self.claim_queue.get()
        self.claim_queue.put(
            advanced(
                queue,
                n_cores=n_cores,
                lookahead=max(self._config.scheduler_params.lookahead, 1),
                blocked=blocked,
                pop=self._pop,
            )
        )

    def on_new_session(self, n_validators: int, new_config: HostConfiguration) -> None:
        """Form groups for the session that starts with the next block, and fill the queues of new cores."""
        groups = validator_groups(n_validators, core_count(new_config, n_validators))
        self.validator_groups.put(groups)
        self.session_start_block.put(BlockNumber(self.number + 1))
        self._advance(len(groups), tuple(map(CoreIndex, range(len(groups)))))

    def advance_claim_queue(self, blocked: Collection[CoreIndex]) -> None:
        """End the turn of all cores that could take a candidate in this block."""
        self._advance(self.availability_core_count(), blocked)

    def availability_core_count(self) -> int:
        """Cores of the session: one per group."""
        return len(self.validator_groups.get())

    def scheduled_paras(self) -> Mapping[CoreIndex, tuple[ParaId, ...]]:
        """The claim queue as paras."""
        return {core: tuple(claim.para_id for claim in claims) for core, claims in self.claim_queue.get().items()}

    def group_validators(self, group: GroupIndex) -> tuple[ValidatorIndex, ...] | None:
        """Members of a group."""
        groups = self.validator_groups.get()
        return groups[group] if group < len(groups) else None

    def group_assigned_to_core(self, core: CoreIndex, at: BlockNumber) -> GroupIndex | None:
        """The group that backs for a core in block `at`."""
        return group_assigned_to_core(
            core,
            at,
            session_start=self.session_start_block.get(),
            frequency=self._config.scheduler_params.group_rotation_frequency,
            n_groups=self.availability_core_count(),
        )

    def group_rotation_info(self, now: BlockNumber) -> GroupRotationInfo:
        """Rotation as of block `now`."""
        return GroupRotationInfo(
            self.session_start_block.get(), self._config.scheduler_params.group_rotation_frequency, now
        )

    def timeout_status(self, backed_in: BlockNumber) -> TimeoutStatus:
        """Timeout of a candidate backed in that block, as of now."""
        return timeout_status(
            self.group_rotation_info(self.number),
            backed_in=backed_in,
            availability_period=self._config.scheduler_params.paras_availability_period,
        )

    def availability_timeout_check_required(self) -> bool:
        """Whether candidates may time out in this block."""
        return timeout_check_required(
            self.group_rotation_info(self.number),
            availability_period=self._config.scheduler_params.paras_availability_period,
        )

    @runtime_api("ParachainHost_validator_groups", version=11)
    def groups_and_rotation(self) -> tuple[Groups, GroupRotationInfo]:
        """Groups, and their rotation as of the next block."""
        return self.validator_groups.get(), self.group_rotation_info(BlockNumber(self.number + 1))

    @runtime_api("ParachainHost_claim_queue", version=11)
    def claim_queue_paras(self) -> Mapping[CoreIndex, tuple[ParaId, ...]]:
        """What each core serves next."""
        return self.scheduled_paras()
