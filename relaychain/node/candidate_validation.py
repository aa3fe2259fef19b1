"""Candidate validation: whether a candidate is what its receipt says, and what the relay chain would accept.

Source: polkadot-sdk, `polkadot/node/core/candidate-validation/src/lib.rs`, `polkadot/node/primitives/src/lib.rs`
(`InvalidCandidate`).

Beyond upstream, the relay chain's acceptance rules are run at the relay parent before a vote, so that the refusal names
the rule; upstream leaves them to the author and to prospective parachains' constraints.
"""

from dataclasses import dataclass
from enum import StrEnum

from relaychain.node.runtime_api import ParachainHostApi, ValidationContext
from relaychain.node.scheduling import RelayParent
from relaychain.primitives.availability import PoV
from relaychain.primitives.candidate import (
    CandidateCommitments,
    CandidateDescriptor,
    CandidateDescriptorVersion,
    CandidateError,
    CandidateReceipt,
    CommittedCandidateReceipt,
    TransposedClaimQueue,
    check_ump_signals,
    descriptor_version,
)
from relaychain.primitives.messages import UmpSignalError
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import (
    OccupiedCoreAssumption,
    SessionIndex,
    ValidationCode,
    head_hash,
    validation_code_hash,
)
from relaychain.primitives.validation import ValidationParams, ValidationResult
from relaychain.pvf.host import BACKING_STEPS, InfrastructureFailure, InvalidCandidate, ValidationHost
from relaychain.runtime.dmp import DmpError
from relaychain.runtime.hrmp_rules import HrmpError, HrmpReason
from relaychain.runtime.ump import UmpError
from substrate.errors import ChainError, RuleError


class InvalidReason(StrEnum):
    """Why a candidate is invalid; the validation host's reasons come on top of these."""

    INVALID_OUTPUTS = "InvalidOutputs"
    PARAMS_TOO_LARGE = "ParamsTooLarge"
    BAD_PARENT = "BadParent"
    POV_HASH_MISMATCH = "PoVHashMismatch"
    PARA_HEAD_HASH_MISMATCH = "ParaHeadHashMismatch"
    CODE_HASH_MISMATCH = "CodeHashMismatch"
    COMMITMENTS_HASH_MISMATCH = "CommitmentsHashMismatch"
    INVALID_SESSION_INDEX = "InvalidSessionIndex"
    INVALID_UMP_SIGNALS = "InvalidUMPSignals"
    PVD_HASH_MISMATCH = "PersistedValidationDataMismatch"
    ERASURE_ROOT_MISMATCH = "InvalidErasureRoot"


class CandidateRejected(RuleError):
    """A candidate contradicts its receipt, its context or a rule of the relay chain."""


@dataclass(frozen=True)
class Valid:
    """The candidate is valid with these outputs."""

    commitments: CandidateCommitments
    validation_data: PersistedValidationData


@dataclass(frozen=True)
class Invalid:
    """The candidate is invalid."""

    reason: str
    """The check that refused it: upstream's `InvalidCandidate` variant, or the relay chain's acceptance rule."""
    detail: str


Verdict = Valid | Invalid


def check_session(descriptor: CandidateDescriptor, session: SessionIndex) -> None:
    """Check that a candidate is of its relay parent's session; V1 does not say.

    Raises:
        CandidateRejected: `INVALID_SESSION_INDEX`.
    """
    if descriptor_version(descriptor) is CandidateDescriptorVersion.V2 and descriptor.session_index != session:
        raise CandidateRejected(InvalidReason.INVALID_SESSION_INDEX, found=descriptor.session_index, expected=session)


def check_inputs(receipt: CandidateReceipt, data: PersistedValidationData, pov: PoV, code: ValidationCode) -> None:
    """Check what can be checked before the code runs.

    Raises:
        CandidateRejected: `PARAMS_TOO_LARGE`, `POV_HASH_MISMATCH`, `PVD_HASH_MISMATCH`, `CODE_HASH_MISMATCH`.
    """
    descriptor, size = receipt.descriptor, len(pov.encode())
    if size > data.max_pov_size:
        raise CandidateRejected(InvalidReason.PARAMS_TOO_LARGE, size=size, limit=data.max_pov_size)
    if pov.hash != descriptor.pov_hash:
        raise CandidateRejected(InvalidReason.POV_HASH_MISMATCH, found=pov.hash.hex())
    if data.hash != descriptor.persisted_validation_data_hash:
        raise CandidateRejected(InvalidReason.PVD_HASH_MISMATCH, expected=data.hash.hex())
    expected = validation_code_hash(code)
    if expected != descriptor.validation_code_hash:
        raise CandidateRejected(InvalidReason.CODE_HASH_MISMATCH, expected=expected.hex())


def check_result(
    receipt: CandidateReceipt, result: ValidationResult, claims: TransposedClaimQueue
) -> CandidateCommitments:
    """The commitments that the code computed, once they are those of the receipt.

    Raises:
        CandidateRejected: `PARA_HEAD_HASH_MISMATCH`, `COMMITMENTS_HASH_MISMATCH`, `INVALID_UMP_SIGNALS`.
    """
    computed = head_hash(result.head_data)
    if computed != receipt.descriptor.para_head:
        raise CandidateRejected(InvalidReason.PARA_HEAD_HASH_MISMATCH, computed=computed.hex())
    commitments = result.commitments
    if commitments.hash != receipt.commitments_hash:
        raise CandidateRejected(InvalidReason.COMMITMENTS_HASH_MISMATCH, computed=commitments.hash.hex())
    try:
        check_ump_signals(CommittedCandidateReceipt(receipt.descriptor, commitments), claims)
    except (CandidateError, UmpSignalError) as failure:
        raise CandidateRejected(InvalidReason.INVALID_UMP_SIGNALS, cause=str(failure)) from failure
    return commitments


_WATERMARK = (
    HrmpReason.ADVANCEMENT_RULE,
    HrmpReason.AHEAD_RELAY_PARENT,
    HrmpReason.LANDS_ON_BLOCK_WITH_NO_MESSAGES,
)


def refused_rule(error: RuleError) -> str:
    """A rule of acceptance by upstream's name (`AcceptanceCheckErr`), as "HrmpWatermark::AdvancementRule"."""
    match error:
        case DmpError():
            return f"ProcessedDownwardMessages::{error.reason}"
        case UmpError():
            return f"UpwardMessages::{error.reason}"
        case HrmpError() if error.reason in _WATERMARK:
            return f"HrmpWatermark::{error.reason}"
        case HrmpError():
            return f"OutboundHrmp::{error.reason}"
        case _:
            return str(error.reason)


class CandidateValidation:
    """Judges candidates; failures of this node are raised, never made a verdict."""

    def __init__(self, api: ParachainHostApi, host: ValidationHost) -> None:
        self._api = api
        self._host = host

    def validate(
        self,
        receipt: CandidateReceipt,
        pov: PoV,
        context: ValidationContext,
        parent: RelayParent,
    ) -> Verdict:
        """Judge a candidate for backing, at its relay parent.

        Args:
            receipt: The candidate.
            pov: Its proof of validity.
            context: Its validation data, and what these assume of the para's pending candidates.
            parent: Its relay parent.

        Raises:
            InfrastructureFailure: This node cannot tell; it must not vote.
        """
        try:
            descriptor, data, assumption = receipt.descriptor, context.data, context.assumption
            check_session(descriptor, parent.session)
            code = self._api.validation_code(descriptor.relay_parent, descriptor.para_id, assumption)
            if code is None:
                raise InfrastructureFailure(f"no validation code of para {descriptor.para_id} in state")
            check_inputs(receipt, data, pov, code)
            commitments = check_result(receipt, self._run(code, pov, data), parent.transposed_claims)
            self._check_accepted(CommittedCandidateReceipt(descriptor, commitments), assumption)
        except (CandidateRejected, InvalidCandidate) as refusal:
            return Invalid(str(refusal.reason), str(refusal))
        except _OutputsRefused as refusal:
            return Invalid(refused_rule(refusal.rule), f"{InvalidReason.INVALID_OUTPUTS}: {refusal}")
        return Valid(commitments, data)

    def _run(self, code: ValidationCode, pov: PoV, data: PersistedValidationData) -> ValidationResult:
        params = ValidationParams(
            parent_head=data.parent_head,
            block_data=pov.block_data,
            relay_parent_number=data.relay_parent_number,
            relay_parent_storage_root=data.relay_parent_storage_root,
        )
        return self._host.validate(code, params, steps=BACKING_STEPS)

    def _check_accepted(self, candidate: CommittedCandidateReceipt, assumption: OccupiedCoreAssumption) -> None:
        try:
            self._api.check_validation_outputs(candidate.descriptor.relay_parent, candidate, assumption)
        except RuleError as rule:
            raise _OutputsRefused(rule) from rule


class _OutputsRefused(ChainError):
    """The relay chain would refuse the outputs."""

    def __init__(self, rule: RuleError) -> None:
        super().__init__(f"{type(rule).__name__}: {rule}")
        self.rule = rule
