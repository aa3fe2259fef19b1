"""Candidate validation: results that are not what their type says, and names of refused rules."""

from typing import Any

import pytest

from relaychain.node.candidate_validation import CandidateRejected, check_session, refused_rule, well_formed
from relaychain.primitives.types import HeadData, SessionIndex
from relaychain.primitives.validation import ValidationResult
from relaychain.pvf.host import InvalidCandidate
from relaychain.runtime.dmp import DmpError, DmpReason
from relaychain.runtime.hrmp_rules import HrmpError, HrmpReason
from relaychain.runtime.inclusion_rules import InclusionError, InclusionReason
from relaychain.runtime.ump import UmpError, UmpReason
from substrate.errors import RuleError
from substrate.types import BlockNumber
from tests.relaychain.node.backing_parts import candidate

GOOD: tuple[Any, ...] = (HeadData(b"head"), None, (), (), 0, BlockNumber(7))


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("value", ["text", -1, 1 << 40, object(), (1,), 2.5])
def test_a_field_of_a_wrong_type_or_size_is_a_bad_return(place: int, value: object) -> None:
    result = ValidationResult(*GOOD[:place], value, *GOOD[place + 1 :])

    with pytest.raises(InvalidCandidate, match="BadReturn"):
        well_formed(result)


def test_a_good_result_stays_as_it_is() -> None:
    assert well_formed(ValidationResult(*GOOD)) == ValidationResult(*GOOD)


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
