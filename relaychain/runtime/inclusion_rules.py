"""Inclusion: from backed to available. The rules.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/inclusion/mod.rs`. The pallet is in `inclusion.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from relaychain.primitives.availability import SignedAvailabilityBitfield
from relaychain.primitives.candidate import (
    BackedCandidate,
    CandidateCommitments,
    CandidateDescriptor,
    CandidateReceipt,
    CommittedCandidateReceipt,
    ValidityAttestation,
    candidate_hash,
)
from relaychain.primitives.statements import SigningContext, attestation_payload
from relaychain.primitives.types import (
    CandidateHash,
    CoreIndex,
    GroupIndex,
    ValidatorId,
    ValidatorIndex,
    effective_minimum_backing_votes,
)
from substrate.crypto.keys import verify_ed25519
from substrate.errors import RuleError
from substrate.scale.bits import BitVec
from substrate.scale.types import Struct, path
from substrate.types import BlockNumber


class InclusionReason(StrEnum):
    """Why a backed candidate is rejected; the names are the pallet's errors."""

    VALIDATOR_INDEX_OUT_OF_BOUNDS = "ValidatorIndexOutOfBounds"
    UNSCHEDULED_CANDIDATE = "UnscheduledCandidate"
    HEAD_DATA_TOO_LARGE = "HeadDataTooLarge"
    PREMATURE_CODE_UPGRADE = "PrematureCodeUpgrade"
    NEW_CODE_TOO_LARGE = "NewCodeTooLarge"
    DISALLOWED_RELAY_PARENT = "DisallowedRelayParent"
    INVALID_ASSIGNMENT = "InvalidAssignment"
    INVALID_GROUP_INDEX = "InvalidGroupIndex"
    INSUFFICIENT_BACKING = "InsufficientBacking"
    INVALID_BACKING = "InvalidBacking"
    VALIDATION_DATA_HASH_MISMATCH = "ValidationDataHashMismatch"
    INVALID_VALIDATION_CODE_HASH = "InvalidValidationCodeHash"
    PARA_HEAD_MISMATCH = "ParaHeadMismatch"


class InclusionError(RuleError):
    """A backed candidate breaks a rule of inclusion."""


@path("polkadot_runtime_parachains::inclusion::CandidatePendingAvailability")
class CandidatePendingAvailability(Struct):
    """A backed candidate that waits until its data is available."""

    core: CoreIndex
    hash: CandidateHash
    descriptor: CandidateDescriptor
    commitments: CandidateCommitments
    availability_votes: BitVec
    """Validators who hold their chunk."""
    backers: BitVec
    relay_parent_number: BlockNumber
    backed_in_number: BlockNumber
    backing_group: GroupIndex

    @property
    def committed(self) -> CommittedCandidateReceipt:
        """The candidate with its commitments."""
        return CommittedCandidateReceipt(self.descriptor, self.commitments)

    @property
    def receipt(self) -> CandidateReceipt:
        """The candidate."""
        return self.committed.receipt


Pending = tuple[CandidatePendingAvailability, ...]
"""A para's queue: each candidate builds on the one before it."""
Votes = Mapping[CoreIndex, Sequence[ValidatorIndex]]


def votes_per_core(bitfields: Iterable[SignedAvailabilityBitfield]) -> Votes:
    """Who voted for which core."""
    votes: dict[CoreIndex, list[ValidatorIndex]] = {}
    for bitfield in bitfields:
        for core in bitfield.payload.indices():
            votes.setdefault(CoreIndex(core), []).append(bitfield.validator_index)
    return votes


def with_votes(pending: Pending, votes: Votes) -> Pending:
    """A queue with the block's votes noted."""
    return tuple(_voted(candidate, votes.get(candidate.core, ())) for candidate in pending)


def _voted(candidate: CandidatePendingAvailability, voters: Sequence[ValidatorIndex]) -> CandidatePendingAvailability:
    bits = candidate.availability_votes
    for voter in voters:
        bits = bits.with_bit(voter)
    return (
        candidate
        if bits == candidate.availability_votes
        else msgspec.structs.replace(candidate, availability_votes=bits)
    )


def available_count(pending: Pending, threshold: int) -> int:
    """How many candidates from the front are available: a later one waits for those before it."""
    count = 0
    for candidate in pending:
        if candidate.availability_votes.count_ones() < threshold:
            break
        count += 1
    return count


Backers = tuple[tuple[ValidatorIndex, ValidityAttestation], ...]


def check_backing_votes(
    backed: BackedCandidate,
    *,
    context: SigningContext,
    validators: Sequence[ValidatorId],
    group: Sequence[ValidatorIndex],
    minimum_backing_votes: int,
) -> Backers:
    """The backers with their votes, once there are enough and each signature holds.

    Raises:
        InclusionError: `INVALID_BACKING`, `INSUFFICIENT_BACKING`, `VALIDATOR_INDEX_OUT_OF_BOUNDS`.
    """
    voters, votes = backed.voters, backed.validity_votes
    if len(voters) != len(group) or voters.count_ones() != len(votes):
        raise InclusionError(
            InclusionReason.INVALID_BACKING,
            bits=len(voters),
            group=len(group),
            set=voters.count_ones(),
            votes=len(votes),
        )
    hash_ = candidate_hash(backed.candidate)
    backers: list[tuple[ValidatorIndex, ValidityAttestation]] = []
    for place, vote in zip(voters.indices(), votes, strict=True):
        validator = group[place]
        if validator >= len(validators):
            raise InclusionError(InclusionReason.VALIDATOR_INDEX_OUT_OF_BOUNDS, validator=validator)
        if not verify_ed25519(vote.signature, attestation_payload(vote, hash_, context), validators[validator]):
            raise InclusionError(InclusionReason.INVALID_BACKING, validator=validator)
        backers.append((validator, vote))
    needed = effective_minimum_backing_votes(len(group), minimum_backing_votes)
    if len(backers) < needed:
        raise InclusionError(InclusionReason.INSUFFICIENT_BACKING, votes=len(backers), needed=needed)
    return tuple(backers)


def backer_bits(backers: Backers, n_validators: int) -> BitVec:
    """The backers as bits over all validators."""
    voted = {validator for validator, _ in backers}
    return BitVec(index in voted for index in range(n_validators))
