"""Statement table: which candidates of a relay parent have which votes, and which are backable.

Source: polkadot-sdk, `polkadot/statement-table/src/generic.rs`.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from relaychain.node.scheduling import RelayParent
from relaychain.primitives.candidate import (
    BackedCandidate,
    CommittedCandidateReceipt,
    Explicit,
    Implicit,
    ValidityAttestation,
    backed_candidate,
    candidate_hash,
)
from relaychain.primitives.statements import Seconded, SignedFullStatement, compact_statement, statement_payload
from relaychain.primitives.types import CandidateHash, CoreIndex, ValidatorIndex
from substrate.crypto.keys import verify_ed25519
from substrate.errors import RuleError
from substrate.scale.bits import BitVec


class StatementReason(StrEnum):
    """Why a statement is refused."""

    UNKNOWN_VALIDATOR = "UnknownValidator"
    DISABLED_VALIDATOR = "DisabledValidator"
    BAD_SIGNATURE = "BadSignature"
    WRONG_RELAY_PARENT = "WrongRelayParent"
    INVALID_ASSIGNMENT = "InvalidAssignment"
    NOT_IN_GROUP = "UnauthorizedStatement"
    EXCESSIVE_SECONDED = "ExcessiveSeconded"
    EXCESSIVE_VALID = "ExcessiveValid"


class StatementError(RuleError):
    """A statement breaks a rule of backing."""


@dataclass
class Attested:
    """A candidate with the votes for it, in order of arrival."""

    receipt: CommittedCandidateReceipt
    core: CoreIndex
    votes: dict[ValidatorIndex, ValidityAttestation] = field(default_factory=dict[ValidatorIndex, ValidityAttestation])


class StatementTable:
    """Votes about candidates of one relay parent. A validator's first vote on a candidate is the one that counts."""

    def __init__(self, parent: RelayParent) -> None:
        self.parent = parent
        self.candidates: dict[CandidateHash, Attested] = {}
        self._early: dict[CandidateHash, dict[ValidatorIndex, ValidityAttestation]] = {}
        self._seconded: dict[ValidatorIndex, int] = {}
        self._early_count: dict[ValidatorIndex, int] = {}

    def seconded_count(self, validator: ValidatorIndex) -> int:
        """How many candidates a validator has seconded here."""
        return self._seconded.get(validator, 0)

    def import_statement(self, signed: SignedFullStatement) -> CandidateHash | None:
        """Take in a statement; returns its candidate, None if the validator had voted on it before.

        Raises:
            StatementError: any reason; the table is as before.
        """
        statement = compact_statement(signed.payload)
        candidate, validator = statement.candidate_hash, signed.validator_index
        if self._has_voted(candidate, validator):
            return None
        if validator >= len(self.parent.validators):
            raise StatementError(StatementReason.UNKNOWN_VALIDATOR, validator=validator)
        if validator in self.parent.disabled:
            raise StatementError(StatementReason.DISABLED_VALIDATOR, validator=validator)
        payload = statement_payload(statement, self.parent.context)
        if not verify_ed25519(signed.signature, payload, self.parent.validators[validator]):
            raise StatementError(StatementReason.BAD_SIGNATURE, validator=validator)
        if isinstance(signed.payload, Seconded):
            self._second(signed.payload.receipt, candidate, signed)
        else:
            self._attest(candidate, signed)
        return candidate

    def _has_voted(self, candidate: CandidateHash, validator: ValidatorIndex) -> bool:
        known = self.candidates.get(candidate)
        return validator in (known.votes if known else self._early.get(candidate, {}))

    def _second(self, receipt: CommittedCandidateReceipt, hash_: CandidateHash, signed: SignedFullStatement) -> None:
        validator, descriptor = signed.validator_index, receipt.descriptor
        if descriptor.relay_parent != self.parent.hash:
            raise StatementError(StatementReason.WRONG_RELAY_PARENT, candidate=hash_.hex())
        core = self.parent.core_of_candidate(descriptor)
        if core is None:
            raise StatementError(StatementReason.INVALID_ASSIGNMENT, para=descriptor.para_id)
        self._check_group(core, validator)
        if self.seconded_count(validator) >= self.parent.lookahead:
            raise StatementError(StatementReason.EXCESSIVE_SECONDED, validator=validator)
        self._seconded[validator] = self.seconded_count(validator) + 1
        attested = self.candidates.setdefault(hash_, Attested(receipt, core))
        attested.votes[validator] = Implicit(signed.signature)
        group = self.parent.group_on(core)
        for early, vote in self._early.pop(hash_, {}).items():
            if early in group:
                attested.votes.setdefault(early, vote)

    def _attest(self, candidate: CandidateHash, signed: SignedFullStatement) -> None:
        validator, vote = signed.validator_index, Explicit(signed.signature)
        known = self.candidates.get(candidate)
        if known is not None:
            self._check_group(known.core, validator)
            known.votes[validator] = vote
            return
        count = self._early_count.get(validator, 0)
        if count >= self.parent.lookahead * max(map(len, self.parent.groups), default=0):
            raise StatementError(StatementReason.EXCESSIVE_VALID, validator=validator)
        self._early_count[validator] = count + 1
        self._early.setdefault(candidate, {})[validator] = vote

    def _check_group(self, core: CoreIndex, validator: ValidatorIndex) -> None:
        if validator not in self.parent.group_on(core):
            raise StatementError(StatementReason.NOT_IN_GROUP, validator=validator, core=core)

    def backed(self, candidate: CandidateHash) -> BackedCandidate | None:
        """The candidate with its votes, in the group's order; None while there are too few."""
        attested = self.candidates.get(candidate)
        if attested is None or len(attested.votes) < self.parent.votes_needed(attested.core):
            return None
        group = self.parent.group_on(attested.core)
        votes = tuple(attested.votes[member] for member in group if member in attested.votes)
        voters = BitVec(member in attested.votes for member in group)
        return backed_candidate(attested.receipt, votes, voters, attested.core)

    def backable(self) -> list[BackedCandidate]:
        """All candidates with enough votes, by hash: the fork rule prefers the lower one."""
        found = (self.backed(candidate) for candidate in sorted(self.candidates))
        return [backed for backed in found if backed is not None]


def hash_of(backed: BackedCandidate) -> CandidateHash:
    """Identity of a backed candidate."""
    return candidate_hash(backed.candidate)
