"""Candidate validation: what a receipt may say, and names of refused rules."""

import msgspec
import pytest

from relaychain.node.candidate_validation import (
    CandidateRejected,
    CandidateValidation,
    Invalid,
    check_inputs,
    check_result,
    check_session,
    refused_rule,
)
from relaychain.node.runtime_api import ValidationContext
from relaychain.primitives.availability import PoV
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import (
    CoreIndex,
    OccupiedCoreAssumption,
    ParaId,
    SessionIndex,
    ValidationCode,
    validation_code_hash,
)
from relaychain.primitives.validation import ValidationResult
from relaychain.runtime.dmp import DmpError, DmpReason
from relaychain.runtime.hrmp_rules import HrmpError, HrmpReason
from relaychain.runtime.inclusion_rules import InclusionError, InclusionReason
from relaychain.runtime.ump import UmpError, UmpReason
from substrate.errors import RuleError
from tests.relaychain.node.backing_parts import candidate, relay_parent
from tests.relaychain.node.surroundings import PVD, Unused


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (DmpError(DmpReason.UNDERFLOW), "ProcessedDownwardMessages::Underflow"),
        (UmpError(UmpReason.MESSAGE_SIZE), "UpwardMessages::MessageSize"),
        (HrmpError(HrmpReason.ADVANCEMENT_RULE), "HrmpWatermark::AdvancementRule"),
        (HrmpError(HrmpReason.NO_SUCH_CHANNEL), "OutboundHrmp::NoSuchChannel"),
        (InclusionError(InclusionReason.HEAD_DATA_TOO_LARGE), "HeadDataTooLarge"),
    ],
)
def test_a_refused_rule_has_upstreams_name(error: RuleError, name: str) -> None:
    assert refused_rule(error) == name


def test_a_candidate_of_another_session_is_refused() -> None:
    descriptor = candidate(session_index=SessionIndex(3)).descriptor

    check_session(descriptor, SessionIndex(3))
    with pytest.raises(CandidateRejected, match=r"InvalidSessionIndex \(found=3, expected=4\)"):
        check_session(descriptor, SessionIndex(4))


def test_a_candidate_of_another_session_is_refused_before_anything_is_asked() -> None:
    receipt = candidate(session_index=SessionIndex(3)).receipt
    context = ValidationContext(PVD, OccupiedCoreAssumption.INCLUDED)
    subject = CandidateValidation(Unused(), Unused())

    verdict = subject.validate(receipt, PoV(b""), context, relay_parent())

    assert verdict == Invalid("InvalidSessionIndex", "InvalidSessionIndex (found=3, expected=1)")


CODE = ValidationCode(b"code")
POV = PoV(b"block")


def test_a_block_may_be_as_large_as_the_validation_data_say() -> None:
    size = len(POV.encode())
    fits, short = (msgspec.structs.replace(PVD, max_pov_size=limit) for limit in (size, size - 1))

    def check(data: PersistedValidationData) -> None:
        fields = {"pov_hash": POV.hash, "persisted_validation_data_hash": data.hash}
        receipt = candidate(**fields, validation_code_hash=validation_code_hash(CODE)).receipt
        check_inputs(receipt, data, POV, CODE)

    check(fits)
    with pytest.raises(CandidateRejected) as refusal:
        check(short)
    assert str(refusal.value) == f"ParamsTooLarge (size={size}, limit={size - 1})"


def test_a_candidate_is_of_the_core_that_its_signals_and_the_claim_queue_select() -> None:
    committed = candidate()
    outputs = committed.commitments
    result = ValidationResult(outputs.head_data, None, (), (), 0, outputs.hrmp_watermark)

    assert check_result(committed.receipt, result, {ParaId(1000): {0: (CoreIndex(0),)}}) == outputs
    with pytest.raises(CandidateRejected) as refusal:
        check_result(committed.receipt, result, {})
    assert str(refusal.value) == "InvalidUMPSignals (cause=NoAssignment (para=1000))"
