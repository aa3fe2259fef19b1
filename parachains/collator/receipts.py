"""From a collation to a candidate receipt.

Source: polkadot-sdk, `polkadot/node/collation-generation/src/lib.rs` (`construct_and_distribute_receipt`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from relaychain.primitives.availability import AvailableData
from relaychain.primitives.candidate import CommittedCandidateReceipt, descriptor_v2
from relaychain.primitives.collation import Collation
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import CoreIndex, ParaId, SessionIndex, ValidationCodeHash, head_hash
from substrate.types import Hash

ErasureRoot = Callable[[int, AvailableData], Hash]
"""Root over the chunks of the data, for so many validators."""


@dataclass(frozen=True)
class Assignment:
    """What a relay parent fixes for a para's candidate."""

    para: ParaId
    relay_parent: Hash
    core: CoreIndex
    session: SessionIndex
    validator_count: int
    validation_code_hash: ValidationCodeHash


def candidate_receipt(
    collation: Collation, assignment: Assignment, validation_data: PersistedValidationData, erasure_root: ErasureRoot
) -> CommittedCandidateReceipt:
    """The candidate of a collation: a V2 receipt, so nothing is signed."""
    available = AvailableData(collation.proof_of_validity, validation_data)
    descriptor = descriptor_v2(
        para_id=assignment.para,
        relay_parent=assignment.relay_parent,
        core_index=assignment.core,
        session_index=assignment.session,
        persisted_validation_data_hash=validation_data.hash,
        pov_hash=collation.proof_of_validity.hash,
        erasure_root=erasure_root(assignment.validator_count, available),
        para_head=head_hash(collation.head_data),
        validation_code_hash=assignment.validation_code_hash,
    )
    return CommittedCandidateReceipt(descriptor, collation.commitments)
