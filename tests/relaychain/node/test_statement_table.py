"""Statement table: whose vote counts, and when a candidate is backable."""

from itertools import permutations

import pytest

from relaychain.node.statement_table import StatementError, StatementTable
from relaychain.primitives.candidate import Explicit, Implicit, candidate_hash
from relaychain.primitives.statements import Seconded, SignedFullStatement, SigningContext
from relaychain.primitives.types import ParaId, ValidatorId, ValidatorIndex
from relaychain.runtime.inclusion_rules import check_backing_votes
from substrate.types import Hash
from tests.relaychain.node.backing_parts import PAIRS, candidate, relay_parent, seconded, signed, valid

PARENT = relay_parent()
ONE = candidate(1)


def test_two_votes_of_three_make_a_candidate_backable_and_the_runtime_agrees() -> None:
    table = StatementTable(PARENT)

    table.import_statement(seconded(ONE, 2, PARENT))
    assert table.backable() == []

    table.import_statement(valid(ONE, 0, PARENT))
    (backed,) = table.backable()
    assert [type(vote) for vote in backed.validity_votes] == [Explicit, Implicit]
    backers = check_backing_votes(
        backed,
        context=SigningContext(PARENT.session, PARENT.hash),
        validators=[ValidatorId(pair.public) for pair in PAIRS],
        group=PARENT.groups[0],
        minimum_backing_votes=2,
    )
    assert [validator for validator, _ in backers] == [0, 2]
    assert backed.core_index == 0


def test_a_group_of_one_needs_one_vote() -> None:
    parent = relay_parent(groups=((ValidatorIndex(0),), (ValidatorIndex(3),)))
    table = StatementTable(parent)

    table.import_statement(seconded(ONE, 0, parent))

    assert len(table.backable()) == 1


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_arrival_does_not_matter(order: tuple[int, ...]) -> None:
    statements = [seconded(ONE, 1, PARENT), valid(ONE, 0, PARENT), valid(ONE, 2, PARENT)]
    table = StatementTable(PARENT)

    for place in order:
        assert table.import_statement(statements[place]) == candidate_hash(ONE)

    (backed,) = table.backable()
    assert [type(vote) for vote in backed.validity_votes] == [Explicit, Implicit, Explicit]


def test_a_second_vote_on_the_same_candidate_is_ignored() -> None:
    table = StatementTable(PARENT)
    table.import_statement(seconded(ONE, 1, PARENT))

    assert table.import_statement(valid(ONE, 1, PARENT)) is None
    assert table.backable() == []


def test_an_early_vote_from_outside_the_group_does_not_count() -> None:
    table = StatementTable(PARENT)
    table.import_statement(valid(ONE, 3, PARENT))

    table.import_statement(seconded(ONE, 1, PARENT))

    assert table.backable() == []


def test_a_validator_seconds_as_many_as_the_lookahead() -> None:
    table = StatementTable(PARENT)
    for height in range(3):
        table.import_statement(seconded(candidate(height), 0, PARENT))

    with pytest.raises(StatementError, match="ExcessiveSeconded"):
        table.import_statement(seconded(candidate(3), 0, PARENT))


def test_votes_on_unknown_candidates_are_bounded() -> None:
    table = StatementTable(PARENT)
    for height in range(9):
        table.import_statement(valid(candidate(height), 0, PARENT))

    with pytest.raises(StatementError, match="ExcessiveValid"):
        table.import_statement(valid(candidate(9), 0, PARENT))


REFUSED: list[tuple[SignedFullStatement, str]] = [
    (SignedFullStatement(Seconded(ONE), ValidatorIndex(9), seconded(ONE, 0, PARENT).signature), "UnknownValidator"),
    (signed(Seconded(ONE), 0, PARENT, pair=1), "BadSignature"),
    (seconded(ONE, 0, relay_parent(session=2)), "BadSignature"),
    (seconded(ONE, 3, PARENT), "UnauthorizedStatement"),
    (seconded(candidate(para=7), 0, PARENT), "InvalidAssignment"),
    (seconded(candidate(core=1), 0, PARENT), "InvalidAssignment"),
    (seconded(candidate(core=9), 0, PARENT), "InvalidAssignment"),
    (seconded(candidate(relay_parent=Hash(bytes(32))), 0, PARENT), "WrongRelayParent"),
]


@pytest.mark.parametrize(("statement", "reason"), REFUSED)
def test_a_bad_statement_is_refused_by_name(statement: SignedFullStatement, reason: str) -> None:
    table = StatementTable(PARENT)

    with pytest.raises(StatementError) as refusal:
        table.import_statement(statement)

    assert refusal.value.reason == reason
    assert table.candidates == {}


def test_a_disabled_validator_has_no_vote() -> None:
    table = StatementTable(relay_parent(disabled=(ValidatorIndex(0),)))

    with pytest.raises(StatementError, match="DisabledValidator"):
        table.import_statement(seconded(ONE, 0, PARENT))


def test_claims_decide_how_many_collations_are_worth_fetching() -> None:
    assert [PARENT.claims_of(core, ParaId(1000)) for core in sorted(PARENT.claim_queue)] == [3, 0]
