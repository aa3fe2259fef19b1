"""Candidate validation: what a receipt may say, and names of refused rules."""

import pytest

from relaychain.node.candidate_validation import CandidateRejected, check_session, refused_rule
from relaychain.primitives.types import SessionIndex
from relaychain.runtime.dmp import DmpError, DmpReason
from relaychain.runtime.hrmp_rules import HrmpError, HrmpReason
from relaychain.runtime.inclusion_rules import InclusionError, InclusionReason
from relaychain.runtime.ump import UmpError, UmpReason
from substrate.errors import RuleError
from tests.relaychain.node.backing_parts import candidate


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
