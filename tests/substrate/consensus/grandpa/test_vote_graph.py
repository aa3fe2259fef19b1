"""The vote graph: compression, ancestors, ghost."""

import json
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from substrate.consensus.grandpa.blocks import BlockRef, GrandpaError
from substrate.consensus.grandpa.testing import BlockTree
from substrate.consensus.grandpa.vote_graph import VoteGraph
from substrate.consensus.grandpa.voter_set import threshold
from substrate.types import BlockNumber, Hash

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[3] / "vectors/relay_grandpa.json").read_text())
COMPARE: dict[str, Callable[[int, int], bool]] = {">": operator.gt, ">=": operator.ge}


def ref(pair: list[Any]) -> BlockRef:
    return BlockRef(Hash(pair[0].encode()), BlockNumber(pair[1]))


def tree_of(case: dict[str, Any]) -> BlockTree:
    tree = BlockTree(Hash(b"genesis"), 1)
    for branch in case["chain"]:
        tree.push(branch["parent"], *branch["blocks"])
    return tree


@pytest.mark.parametrize("case", VECTORS["vote_graph"], ids=lambda case: case["name"])
def test_the_upstream_cases_hold(case: dict[str, Any]) -> None:
    inserts = [op for op in case["ops"] if op["op"] == "insert"]
    orders = case.get("orders", [[op["hash"] for op in inserts]])
    for order in orders:
        graph, tree = VoteGraph(ref(case["base"]), merge=operator.add), tree_of(case)
        for name in order:
            op = next(op for op in inserts if op["hash"] == name)
            graph.insert(ref([op["hash"], op["number"]]), op["weight"], tree)
        for op in case["ops"]:
            if op["op"] == "find_ghost":
                current = op["current"] and ref(op["current"])
                assert graph.find_ghost(current, lambda votes, op=op: votes >= op["threshold"]) == ref(op["expect"])
            elif op["op"] == "find_ancestor":
                met = COMPARE[op["cmp"]]
                found = graph.find_ancestor(
                    ref([op["hash"], op["number"]]), lambda votes, op=op, met=met: met(votes, op["threshold"])
                )
                assert found == ref(op["expect"])
        check_entries(graph, case.get("expect", {}))


def check_entries(graph: VoteGraph, expect: dict[str, Any]) -> None:
    if "heads" in expect:
        assert sorted(graph.heads) == sorted(name.encode() for name in expect["heads"])
    for name, facts in expect.get("entries", {}).items():
        entry = graph.entries[Hash(name.encode())]
        assert entry.cumulative == facts["cumulative"]
        if "descendents" in facts:
            assert sorted(entry.descendents) == sorted(child.encode() for child in facts["descendents"])
        if "ancestor" in facts:
            assert entry.ancestor_node == facts["ancestor"].encode()


def test_a_vote_beside_the_base_is_refused() -> None:
    tree = BlockTree(Hash(b"genesis"), 1)
    tree.push("genesis", "A", "B")
    other = tree.push("genesis", "X")

    with pytest.raises(GrandpaError, match="NotDescendent"):
        VoteGraph(tree.ref(Hash(b"A"))).insert(other, 1, tree)


@pytest.mark.parametrize(("total", "expected"), VECTORS["thresholds"])
def test_the_threshold_is_more_than_two_thirds(total: int, expected: int) -> None:
    assert threshold(total) == expected


@given(parents=st.lists(st.integers(0, 100), min_size=1, max_size=14), votes=st.lists(st.integers(0, 100), max_size=9))
def test_the_graph_counts_as_the_plain_tree_does(parents: list[int], votes: list[int]) -> None:
    tree = BlockTree(Hash(b"0"))
    for index, parent in enumerate(parents, 1):
        tree.push(str(parent % index), str(index))
    blocks = list(tree.numbers)
    cast = [blocks[vote % len(blocks)] for vote in votes]
    graph = VoteGraph(tree.ref(Hash(b"0")))
    for index, block in enumerate(cast):
        graph.insert(tree.ref(block), 1 << index, tree)

    plain = {block: sum(tree.is_equal_or_descendant(block, vote) for vote in cast) for block in blocks}
    assert {block: graph.cumulative_vote(tree.ref(block)).bit_count() for block in blocks} == plain
    majority = len(cast) // 2 + 1
    heavy = [tree.ref(block) for block in blocks if plain[block] >= majority]
    ghost = graph.find_ghost(None, lambda vote: vote.bit_count() >= majority)
    assert ghost == max(heavy, key=lambda block: block.number, default=None)
