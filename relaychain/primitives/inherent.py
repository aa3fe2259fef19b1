"""What a relay block's author puts in for the parachains.

Source: polkadot-sdk, `polkadot/primitives/src/v9/mod.rs` (`InherentData`).
"""

from relaychain.primitives.availability import SignedAvailabilityBitfield
from relaychain.primitives.candidate import BackedCandidate, CandidateReceipt, ValidityAttestation
from relaychain.primitives.disputes import DisputeStatementSet
from relaychain.primitives.types import PRIMITIVES, SessionIndex, ValidatorIndex
from substrate.block import Header
from substrate.scale.types import Struct, path

PARACHAINS_INHERENT_IDENTIFIER = b"parachn0"


@path(f"{PRIMITIVES}::InherentData")
class ParachainsInherentData(Struct):
    """Bitfields, backed candidates and disputes, with the parent they were made for."""

    bitfields: tuple[SignedAvailabilityBitfield, ...]
    backed_candidates: tuple[BackedCandidate, ...]
    disputes: tuple[DisputeStatementSet, ...]
    parent_header: Header


@path(f"{PRIMITIVES}::ScrapedOnChainVotes")
class ScrapedOnChainVotes(Struct):
    """Votes that a block put on chain, for those who watch for disputes."""

    session: SessionIndex
    backing_validators_per_candidate: tuple[
        tuple[CandidateReceipt, tuple[tuple[ValidatorIndex, ValidityAttestation], ...]], ...
    ]
    disputes: tuple[DisputeStatementSet, ...]
