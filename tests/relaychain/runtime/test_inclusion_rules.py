"""Inclusion: which votes count as backing."""

import pytest

from relaychain.primitives.candidate import Implicit, backed_candidate, candidate_hash
from relaychain.primitives.statements import SecondedHash, statement_payload
from relaychain.primitives.types import CoreIndex, ValidatorIndex, ValidatorSignature
from relaychain.runtime.inclusion_rules import InclusionError, check_backing_votes
from substrate.scale.bits import BitVec
from tests.relaychain.node.backing_parts import PAIRS, candidate, relay_parent

GROUP = (ValidatorIndex(0), ValidatorIndex(1))


@pytest.mark.parametrize(
    ("voters", "votes", "reason"),
    [
        ((True, True), 2, ""),
        ((True, True, False), 2, "InvalidBacking (bits=3, group=2, set=2, votes=2)"),
        ((True,), 1, "InvalidBacking (bits=1, group=2, set=1, votes=1)"),
        ((True, True), 1, "InvalidBacking (bits=2, group=2, set=2, votes=1)"),
        ((True, False), 2, "InvalidBacking (bits=2, group=2, set=1, votes=2)"),
        ((True, False), 1, "InsufficientBacking (votes=1, needed=2)"),
    ],
)
def test_votes_are_those_of_the_group_one_for_each_bit(voters: tuple[bool, ...], votes: int, reason: str) -> None:
    parent, receipt = relay_parent(), candidate()
    payload = statement_payload(SecondedHash(candidate_hash(receipt)), parent.context)
    signed = tuple(Implicit(ValidatorSignature(pair.sign(payload))) for pair in PAIRS[:votes])
    backed = backed_candidate(receipt, signed, BitVec(voters), CoreIndex(0))

    def backers() -> list[int]:
        found = check_backing_votes(
            backed, context=parent.context, validators=parent.validators, group=GROUP, minimum_backing_votes=2
        )
        return [validator for validator, _ in found]

    if not reason:
        assert backers() == [0, 1]
        return
    with pytest.raises(InclusionError) as refusal:
        backers()
    assert str(refusal.value) == reason
