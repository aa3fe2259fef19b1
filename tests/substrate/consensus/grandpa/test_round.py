"""A round: ghost, estimate, finality, equivocations."""

import json
from pathlib import Path
from typing import Any

import pytest

from substrate.consensus.grandpa.blocks import BlockRef, GrandpaError
from substrate.consensus.grandpa.round import Round
from substrate.consensus.grandpa.testing import BlockTree
from substrate.consensus.grandpa.types import AuthorityId, Precommit, Prevote, PrevoteEquivocation, Signature
from substrate.consensus.grandpa.voter_set import VoterSet
from substrate.types import BlockNumber, Hash

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[3] / "vectors/relay_grandpa.json").read_text())
UNSIGNED = Signature(b"")


def ref(pair: list[Any]) -> BlockRef:
    return BlockRef(Hash(pair[0].encode()), BlockNumber(pair[1]))


def voter(name: str) -> AuthorityId:
    return AuthorityId(name.encode())


@pytest.mark.parametrize("case", VECTORS["round"], ids=lambda case: case["name"])
def test_the_upstream_cases_hold(case: dict[str, Any]) -> None:
    tree = BlockTree(Hash(b"genesis"), 1)
    for branch in case["chain"]:
        tree.push(branch["parent"], *branch["blocks"])
    votes = Round(1, VoterSet((voter(name), weight) for name, weight in case["voters"].items()), ref(case["base"]))

    for op in case["ops"]:
        if op["op"] == "state":
            state = votes.state._asdict()
            for name in state.keys() & op.keys():
                expected = op[name]
                assert state[name] == (ref(expected) if isinstance(expected, list) else expected), name
            continue
        if op["op"] == "prevote":
            found = votes.import_prevote(Prevote(*ref(op["target"])), voter(op["voter"]), UNSIGNED, tree)
        else:
            found = votes.import_precommit(Precommit(*ref(op["target"])), voter(op["voter"]), UNSIGNED, tree)
        assert (found is not None) == op.get("equivocation", False)


def round_of(count: int) -> tuple[BlockTree, Round]:
    tree = BlockTree(Hash(b"genesis"), 1)
    tree.push("genesis", "A", "B")
    tree.push("A", "C")
    return tree, Round(1, VoterSet((voter(str(i)), 1) for i in range(count)), tree.ref(Hash(b"genesis")))


def test_the_specification_example_of_an_unfinalized_candidate() -> None:
    """The ghost is above what is final: precommits went to its parent."""
    tree, votes = round_of(100)
    first, second = tree.ref(Hash(b"A")), tree.ref(Hash(b"B"))

    for index in range(68):
        votes.import_prevote(Prevote(*(second if index < 67 else first)), votes.voters.ids[index], UNSIGNED, tree)
    for index in range(67):
        votes.import_precommit(Precommit(*(first if index < 66 else second)), votes.voters.ids[index], UNSIGNED, tree)

    assert votes.prevote_ghost == second
    assert votes.finalized == first
    assert votes.estimate == second, "33 voters are silent and 33 may equivocate: B can still win"
    for index in range(67, 100):
        votes.import_precommit(Precommit(*first), votes.voters.ids[index], UNSIGNED, tree)
    assert votes.estimate == first
    assert votes.completable


def test_an_equivocator_counts_for_every_block() -> None:
    tree, votes = round_of(4)
    left, right = tree.ref(Hash(b"B")), tree.ref(Hash(b"C"))
    for name in ("0", "1"):
        votes.import_prevote(Prevote(*left), voter(name), UNSIGNED, tree)
    votes.import_prevote(Prevote(*right), voter("2"), UNSIGNED, tree)
    assert votes.prevote_ghost == tree.ref(Hash(b"A"))

    proof = votes.import_prevote(Prevote(*tree.ref(Hash(b"A"))), voter("2"), UNSIGNED, tree)

    first, second = (Prevote(*right), UNSIGNED), (Prevote(*tree.ref(Hash(b"A"))), UNSIGNED)
    assert proof == PrevoteEquivocation(1, voter("2"), first, second)
    assert votes.prevote_ghost == left


def test_a_stranger_is_ignored_and_a_foreign_target_refused() -> None:
    tree, votes = round_of(4)
    assert votes.import_prevote(Prevote(*tree.ref(Hash(b"A"))), voter("9"), UNSIGNED, tree) is None
    assert votes.prevotes.weight == 0

    above = Round(1, votes.voters, tree.ref(Hash(b"B")))
    with pytest.raises(GrandpaError, match="NotDescendent"):
        above.import_prevote(Prevote(*tree.ref(Hash(b"C"))), voter("0"), UNSIGNED, tree)
    assert above.prevotes.weight == 0
