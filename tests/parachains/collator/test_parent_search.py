"""Where a collator builds, and on which core."""

from parachains.collator.parent_search import core_for, find_parent
from relaychain.primitives.candidate import CandidateCommitments, CommittedCandidateReceipt, descriptor_v2
from relaychain.primitives.types import CoreIndex, HeadData, ParaId, SessionIndex, ValidationCodeHash, head_hash
from substrate.types import BlockNumber, Hash

ZERO = Hash(bytes(32))
A, B, C = HeadData(b"A"), HeadData(b"B"), HeadData(b"C")
PARA, OTHER = ParaId(2000), ParaId(2001)


def candidate(head: HeadData) -> CommittedCandidateReceipt:
    descriptor = descriptor_v2(
        para_id=PARA,
        relay_parent=ZERO,
        core_index=CoreIndex(0),
        session_index=SessionIndex(0),
        persisted_validation_data_hash=ZERO,
        pov_hash=ZERO,
        erasure_root=ZERO,
        para_head=head_hash(head),
        validation_code_hash=ValidationCodeHash(bytes(32)),
    )
    return CommittedCandidateReceipt(descriptor, CandidateCommitments((), (), None, head, 0, BlockNumber(0)))


def everything(head: HeadData) -> bool:
    return True


def test_the_included_head_is_built_on_when_the_core_is_free() -> None:
    assert find_parent(A, [], knows=everything) == A


def test_one_candidate_is_in_flight_before_asynchronous_backing() -> None:
    assert find_parent(A, [candidate(B)], knows=everything) is None


def test_with_asynchronous_backing_the_last_pending_head_is_built_on() -> None:
    pending = [candidate(B), candidate(C)]

    assert find_parent(A, pending, knows=everything, max_pending=2) == C
    assert find_parent(A, pending, knows=everything, max_pending=1) is None


def test_nothing_is_built_on_a_block_that_has_not_arrived() -> None:
    assert find_parent(A, [], knows=lambda head: head != A) is None
    assert find_parent(A, [candidate(B)], knows=lambda head: head != B, max_pending=1) is None


def test_a_core_takes_the_para_that_is_first_in_its_queue() -> None:
    claims = {CoreIndex(2): (PARA,), CoreIndex(1): (PARA, OTHER), CoreIndex(0): (OTHER, PARA), CoreIndex(3): ()}

    assert core_for(PARA, claims) == 1
    assert core_for(OTHER, claims) == 0
    assert core_for(ParaId(1), claims) is None
