"""Provisioner: at most one candidate for each core that is, or becomes, free."""

from relaychain.node.provisioner import is_made_available, open_claim, selected_bitfields, selected_candidates
from relaychain.primitives.availability import SignedAvailabilityBitfield
from relaychain.primitives.candidate import BackedCandidate, CommittedCandidateReceipt, backed_candidate, candidate_hash
from relaychain.primitives.core_state import CoreState, Free, Occupied, OccupiedCore, Scheduled, ScheduledCore
from relaychain.primitives.types import (
    CandidateHash,
    CoreIndex,
    GroupIndex,
    HeadData,
    OccupiedCoreAssumption,
    ParaId,
    ValidatorIndex,
    ValidatorSignature,
)
from substrate.scale.bits import BitVec
from substrate.types import BlockNumber
from tests.relaychain.node.backing_parts import candidate

PARA = ParaId(1000)
SCHEDULED = Scheduled(ScheduledCore(PARA))


def bitfield(validator: int, *bits: bool) -> SignedAvailabilityBitfield:
    return SignedAvailabilityBitfield(BitVec(bits), ValidatorIndex(validator), ValidatorSignature(bytes(64)))


def occupied(*votes: bool, time_out_at: int = 100) -> Occupied:
    following = ScheduledCore(PARA)
    return Occupied(
        OccupiedCore(
            next_up_on_available=following,
            occupied_since=BlockNumber(9),
            time_out_at=BlockNumber(time_out_at),
            next_up_on_time_out=following,
            availability=BitVec(votes or (False,) * 4),
            group_responsible=GroupIndex(0),
            candidate_hash=CandidateHash(bytes(32)),
            candidate_descriptor=candidate().descriptor,
        )
    )


def backed(receipt: CommittedCandidateReceipt) -> BackedCandidate:
    return backed_candidate(receipt, (), BitVec((False,)), CoreIndex(receipt.descriptor.core_index))


def test_bitfields_are_ordered_and_claim_only_occupied_cores() -> None:
    cores = (occupied(), SCHEDULED)
    good = [bitfield(2, True, False), bitfield(0, False, False)]
    bad = [bitfield(1, False, True), bitfield(3, True), bitfield(2, False, False)]

    assert selected_bitfields([*good, *bad], cores) == (good[1], good[0])


def test_availability_takes_a_supermajority_of_old_and_new_votes() -> None:
    votes = BitVec((True, False, False, False))

    assert not is_made_available(CoreIndex(0), votes, [bitfield(0, True), bitfield(1, True)])
    assert is_made_available(CoreIndex(0), votes, [bitfield(1, True), bitfield(2, True)])


def test_what_a_core_takes_follows_from_its_state() -> None:
    def claim(state: CoreState, *bitfields: SignedAvailabilityBitfield) -> OccupiedCoreAssumption | None:
        found = open_claim(CoreIndex(0), state, bitfields, number=BlockNumber(11))
        return found[1] if found else None

    all_bits = [bitfield(place, True) for place in range(4)]
    assert claim(Free()) is None
    assert claim(SCHEDULED) is OccupiedCoreAssumption.FREE
    assert claim(occupied()) is None
    assert claim(occupied(), *all_bits) is OccupiedCoreAssumption.INCLUDED
    assert claim(occupied(time_out_at=12)) is None
    assert claim(occupied(time_out_at=11)) is OccupiedCoreAssumption.TIMED_OUT


def test_the_lower_hash_wins_among_candidates_on_the_right_head() -> None:
    rivals = [backed(candidate(height)) for height in range(4)]
    stranger = backed(candidate(9))
    heads = {candidate_hash(rival.candidate): HeadData(b"head") for rival in rivals}

    chosen = selected_candidates(
        (SCHEDULED,),
        (),
        [*rivals, stranger],
        number=BlockNumber(11),
        head_of=lambda para, _: HeadData(b"head") if para == PARA else None,
        parent_head_of=lambda each: heads.get(candidate_hash(each.candidate), HeadData(b"another")),
    )

    assert chosen == (min(rivals, key=lambda rival: candidate_hash(rival.candidate)),)
