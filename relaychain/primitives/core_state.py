"""Cores, groups and sessions as the runtime APIs show them.

Source: polkadot-sdk, `polkadot/primitives/src/v9/mod.rs`.
"""

from typing import Annotated

from relaychain.primitives.candidate import CandidateDescriptor, CandidateReceipt
from relaychain.primitives.types import (
    PRIMITIVES,
    AssignmentId,
    AuthorityDiscoveryId,
    CandidateHash,
    CollatorId,
    CoreIndex,
    GroupIndex,
    HeadData,
    ParaId,
    ValidatorId,
    ValidatorIndex,
)
from substrate.scale.bits import BitVec
from substrate.scale.types import Fixed, Struct, enum_path, path, u32, variant
from substrate.types import BlockNumber


@path(f"{PRIMITIVES}::ScheduledCore")
class ScheduledCore(Struct):
    """A para whose candidate the core waits for."""

    para_id: ParaId
    collator: CollatorId | None = None


@path(f"{PRIMITIVES}::OccupiedCore")
class OccupiedCore(Struct):
    """A core whose candidate is pending availability."""

    next_up_on_available: ScheduledCore | None
    occupied_since: BlockNumber
    time_out_at: BlockNumber
    next_up_on_time_out: ScheduledCore | None
    availability: BitVec
    group_responsible: GroupIndex
    candidate_hash: CandidateHash
    candidate_descriptor: CandidateDescriptor


@variant(0, unnamed=True)
class Occupied(Struct):
    """Pending availability."""

    core: OccupiedCore


@variant(1, unnamed=True)
class Scheduled(Struct):
    """Free, with a para assigned."""

    core: ScheduledCore


@variant(2)
class Free(Struct):
    """Free, with no para assigned."""


CoreState = Occupied | Scheduled | Free
enum_path(CoreState, f"{PRIMITIVES}::CoreState")


@path(f"{PRIMITIVES}::GroupRotationInfo")
class GroupRotationInfo(Struct):
    """Which group backs for which core at block `now`."""

    session_start_block: BlockNumber
    group_rotation_frequency: BlockNumber
    now: BlockNumber

    @property
    def _rotations(self) -> int:
        if not self.group_rotation_frequency:
            return 0
        return max(self.now - self.session_start_block, 0) // self.group_rotation_frequency

    def group_for_core(self, core: CoreIndex, cores: int) -> GroupIndex:
        """Group of a core."""
        if not self.group_rotation_frequency:
            return GroupIndex(core)
        return GroupIndex((core + self._rotations) % cores) if cores else GroupIndex(0)

    def core_for_group(self, group: GroupIndex, cores: int) -> CoreIndex:
        """Core of a group: the inverse of `group_for_core`."""
        if not self.group_rotation_frequency:
            return CoreIndex(group)
        return CoreIndex((group - self._rotations) % cores) if cores else CoreIndex(0)

    @property
    def next_rotation_at(self) -> BlockNumber:
        """First block of the next rotation."""
        return BlockNumber(self.last_rotation_at + self.group_rotation_frequency)

    @property
    def last_rotation_at(self) -> BlockNumber:
        """First block of the current rotation."""
        return BlockNumber(self.session_start_block + self._rotations * self.group_rotation_frequency)


@path(f"{PRIMITIVES}::SessionInfo")
class SessionInfo(Struct):
    """A session's validators and parameters, kept as long as disputes may need them."""

    active_validator_indices: tuple[ValidatorIndex, ...]
    """Places of the active validators in the list of all validators."""
    random_seed: Annotated[bytes, Fixed(32)]
    dispute_period: u32
    validators: tuple[ValidatorId, ...]
    discovery_keys: tuple[AuthorityDiscoveryId, ...]
    """Active validators first, then the others."""
    assignment_keys: tuple[AssignmentId, ...]
    validator_groups: tuple[tuple[ValidatorIndex, ...], ...]
    n_cores: u32
    zeroth_delay_tranche_width: u32
    relay_vrf_modulo_samples: u32
    n_delay_tranches: u32
    no_show_slots: u32
    needed_approvals: u32


@variant(0, unnamed=True)
class CandidateBacked(Struct):
    """A candidate was backed, and now waits for availability."""

    receipt: CandidateReceipt
    head: HeadData
    core: CoreIndex
    group: GroupIndex


@variant(1, unnamed=True)
class CandidateIncluded(Struct):
    """A candidate became available, and is now its para's head."""

    receipt: CandidateReceipt
    head: HeadData
    core: CoreIndex
    group: GroupIndex


@variant(2, unnamed=True)
class CandidateTimedOut(Struct):
    """A candidate did not become available in time."""

    receipt: CandidateReceipt
    head: HeadData
    core: CoreIndex


CandidateEvent = CandidateBacked | CandidateIncluded | CandidateTimedOut
enum_path(CandidateEvent, f"{PRIMITIVES}::CandidateEvent")
