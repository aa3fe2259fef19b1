"""Provisioner: what a block's author puts in for the parachains.

Source: polkadot-sdk, `polkadot/node/core/provisioner/src/lib.rs`.
"""

from collections.abc import Callable, Iterable, Sequence

from relaychain.node.statement_table import hash_of
from relaychain.primitives.availability import SignedAvailabilityBitfield
from relaychain.primitives.candidate import BackedCandidate
from relaychain.primitives.core_state import CoreState, Free, Occupied, OccupiedCore, Scheduled
from relaychain.primitives.types import (
    CoreIndex,
    HeadData,
    OccupiedCoreAssumption,
    ParaId,
    supermajority_threshold,
)
from substrate.scale.bits import BitVec
from substrate.types import BlockNumber


def selected_bitfields(
    bitfields: Iterable[SignedAvailabilityBitfield], cores: Sequence[CoreState]
) -> tuple[SignedAvailabilityBitfield, ...]:
    """Bitfields by validator, without those that claim data of a core that is not occupied."""
    chosen: dict[int, SignedAvailabilityBitfield] = {}
    for bitfield in bitfields:
        if len(bitfield.payload) != len(cores) or bitfield.validator_index in chosen:
            continue
        if all(isinstance(cores[core], Occupied) for core in bitfield.payload.indices()):
            chosen[bitfield.validator_index] = bitfield
    return tuple(chosen[index] for index in sorted(chosen))


def is_made_available(core: CoreIndex, availability: BitVec, bitfields: Iterable[SignedAvailabilityBitfield]) -> bool:
    """Whether the bitfields, with the votes that are on chain, make a core's candidate available."""
    for bitfield in bitfields:
        if bitfield.payload[core] and bitfield.validator_index < len(availability):
            availability = availability.with_bit(bitfield.validator_index)
    return availability.count_ones() >= supermajority_threshold(len(availability))


def open_claim(
    core: CoreIndex,
    state: CoreState,
    bitfields: Iterable[SignedAvailabilityBitfield],
    *,
    number: BlockNumber,
) -> tuple[ParaId, OccupiedCoreAssumption] | None:
    """The para that a core can take in block `number`, and what that assumes of its pending candidate."""
    match state:
        case Scheduled(scheduled):
            return scheduled.para_id, OccupiedCoreAssumption.FREE
        case Occupied(occupied):
            return _after(core, occupied, bitfields, number)
        case Free():
            return None


def _after(
    core: CoreIndex, occupied: OccupiedCore, bitfields: Iterable[SignedAvailabilityBitfield], number: BlockNumber
) -> tuple[ParaId, OccupiedCoreAssumption] | None:
    if is_made_available(core, occupied.availability, bitfields):
        following = occupied.next_up_on_available
        return (following.para_id, OccupiedCoreAssumption.INCLUDED) if following else None
    if occupied.time_out_at > number:
        return None
    following = occupied.next_up_on_time_out
    return (following.para_id, OccupiedCoreAssumption.TIMED_OUT) if following else None


def selected_candidates(
    cores: Sequence[CoreState],
    bitfields: Sequence[SignedAvailabilityBitfield],
    backable: Sequence[BackedCandidate],
    *,
    number: BlockNumber,
    head_of: Callable[[ParaId, OccupiedCoreAssumption], HeadData | None],
    parent_head_of: Callable[[BackedCandidate], HeadData | None],
) -> tuple[BackedCandidate, ...]:
    """At most one candidate for each core that is free, or becomes free with these bitfields.

    Args:
        cores: Cores at the parent block.
        bitfields: The bitfields that the block will contain.
        backable: Candidates with enough votes.
        number: The block's number.
        head_of: A para's latest head at the parent block, under an assumption.
        parent_head_of: The head that a candidate builds on; None if its relay parent does not know it.

    Returns:
        Candidates by core; of several, the one with the lower hash.
    """
    ordered = sorted(backable, key=hash_of)
    chosen: list[BackedCandidate] = []
    for place, state in enumerate(cores):
        core = CoreIndex(place)
        claim = open_claim(core, state, bitfields, number=number)
        if claim is None:
            continue
        head = head_of(*claim)
        for candidate in ordered:
            is_for_core = candidate.core_index == core and candidate.candidate.descriptor.para_id == claim[0]
            if is_for_core and head is not None and parent_head_of(candidate) == head:
                chosen.append(candidate)
                break
    return tuple(chosen)
