"""From a collation to its candidate."""

from parachains.collator.receipts import Assignment, candidate_receipt
from relaychain.primitives.availability import AvailableData, PoV
from relaychain.primitives.candidate import CandidateDescriptorVersion, descriptor_version
from relaychain.primitives.collation import Collation
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import CoreIndex, HeadData, ParaId, SessionIndex, ValidationCodeHash, head_hash
from substrate.crypto.hashing import blake2_256
from substrate.types import BlockNumber, Hash


def test_a_receipt_states_what_the_relay_parent_fixes_and_what_the_collation_holds() -> None:
    head, pov = HeadData(b"head"), PoV(b"block")
    collation = Collation((), (), None, head, pov, 1, BlockNumber(5))
    code_hash, relay_parent = ValidationCodeHash(b"c" * 32), Hash(b"r" * 32)
    data = PersistedValidationData(HeadData(b"parent"), BlockNumber(5), Hash(b"s" * 32), 1_000)
    assignment = Assignment(ParaId(7), relay_parent, CoreIndex(2), SessionIndex(3), 4, code_hash)

    def erasure_root(validators: int, available: AvailableData) -> Hash:
        return Hash(blake2_256(bytes([validators]) + available.encode()))

    receipt = candidate_receipt(collation, assignment, data, erasure_root)

    descriptor = receipt.descriptor
    assert descriptor_version(descriptor) is CandidateDescriptorVersion.V2
    assert (descriptor.para_id, descriptor.relay_parent, descriptor.core_index) == (7, relay_parent, 2)
    assert (descriptor.session_index, descriptor.validation_code_hash) == (3, code_hash)
    assert descriptor.persisted_validation_data_hash == data.hash
    assert (descriptor.pov_hash, descriptor.para_head) == (pov.hash, head_hash(head))
    assert descriptor.erasure_root == blake2_256(bytes([4]) + AvailableData(pov, data).encode())
    assert receipt.commitments == collation.commitments
