"""A Level 1 chain at its node: best and final follow the relay chain, in whatever order things are heard of."""

from dataclasses import replace
from itertools import permutations, takewhile
from typing import Any, ClassVar

import pytest

from parachains.collator.runtime_ledger import RuntimeLedger
from parachains.sdk.contract import Collated, CollationContext, ParaConfig
from relaychain.primitives.types import HeadData, ParaId
from substrate.block import Block
from substrate.client.importing import ExecutionCache
from substrate.errors import ChainError
from substrate.trie.trie import Trie
from testnet.examples.bazaar import Bazaar
from tests.parachains.sdk.fake_relay import FakeRelay

PARA = ParaId(2000)
GENESIS = Bazaar.genesis_block(ParaConfig(PARA, b"code"))


class Noon:
    def now_us(self) -> int:
        return 10**15

    async def sleep_until_us(self, at: int) -> None:
        raise AssertionError(at)


class Rows(list[tuple[str, dict[str, Any]]]):
    def row(self, table: str, /, **columns: object) -> None:
        self.append((table, columns))

    def finalities(self) -> list[tuple[int, int]]:
        """Heights that became final, each with how far the best block was above it."""
        return [(columns["block"], columns["lag"]) for table, columns in self if table == "finality"]


class Node(RuntimeLedger):
    """A ledger that is told of blocks, and notes which it asks for. It has time for one extrinsic in a block."""

    def __init__(self, plugin: type[Bazaar] = Bazaar) -> None:
        self.rows = Rows()
        self.fetched: list[bytes] = []
        cache = ExecutionCache()
        super().__init__(
            GENESIS.state, lambda _: plugin, cache, name="bazaar", clock=Noon(), recorder=self.rows, authoring_us=0
        )
        self.fetch = self.fetched.append

    def take(self, *blocks: Block) -> None:
        """Import what another node made."""
        for block in blocks:
            self.importer.import_block(block)

    @property
    def tips(self) -> tuple[bytes, bytes]:
        """The best and the final block."""
        return self.chain.best, self.chain.finalized


def fork(count: int, *, slot: int = 1_000) -> list[Block]:
    """Blocks on genesis, as another node makes them."""
    maker, relay, blocks = Node(), FakeRelay(PARA, GENESIS.head, slot=slot), list[Block]()
    for _ in range(count):
        made = maker.collate(relay.head, relay.context())
        maker.keep(relay.head, made)
        blocks.append(made.block.block)
        relay.include(made)
        relay.advance()
    return blocks


def head(block: Block) -> HeadData:
    return HeadData(block.header.encode())


def test_finality_that_is_heard_of_first_takes_the_best_block_along() -> None:
    first, second = fork(2)
    (rival,) = fork(1, slot=2_000)
    node = Node()
    node.take(first, second, rival)
    node.set_best(head(rival))
    assert node.tips == (rival.hash, node.chain.genesis)

    node.set_final(head(second))

    assert node.tips == (second.hash, second.hash)
    assert rival.hash not in node.chain
    assert node.rows.finalities() == [(1, 1), (2, 0)]


def test_a_final_block_that_arrives_late_is_final_when_it_does() -> None:
    first, second, third = fork(3)
    node = Node()
    node.set_final(head(second))
    node.take(first)
    assert (node.tips, node.rows) == ((node.chain.genesis, node.chain.genesis), [])

    node.take(second)
    node.take(third)

    assert node.tips == (second.hash, second.hash)
    assert node.rows.finalities() == [(1, 1), (2, 0)]


@pytest.mark.parametrize("order", sorted(set(permutations(["take", "take", "best", "final"]))))
def test_the_order_in_which_a_node_hears_of_things_makes_no_difference(order: tuple[str, ...]) -> None:
    """Given two blocks, the first one final and the second one included. When a node has heard all. Then it agrees."""
    first, second = fork(2)
    node, arriving = Node(), iter((first, second))
    for each in order:
        match each:
            case "take":
                node.take(next(arriving))
            case "best":
                node.set_best(head(second))
            case _:
                node.set_final(head(first))

    assert node.tips == (second.hash, first.hash)
    assert [height for height, _ in node.rows.finalities()] == [1]


def test_an_included_block_that_is_not_there_is_asked_for() -> None:
    first, second = fork(2)
    node = Node()
    node.take(first)
    node.set_best(head(first))
    node.set_best(head(second))

    assert node.fetched == [second.hash]
    assert node.tips == (first.hash, node.chain.genesis)


def test_finality_of_old_changes_nothing() -> None:
    first, second = fork(2)
    node = Node()
    node.take(first, second)
    node.set_best(head(second))
    node.set_final(head(second))

    node.set_final(head(first))

    assert node.tips == (second.hash, second.hash)
    assert node.rows.finalities() == [(1, 1), (2, 0)]


class Picky(Bazaar):
    """No block can be built with what it does not like."""

    tries: ClassVar[list[int]] = []
    """How many extrinsics it was given, each time."""

    @classmethod
    def collate(cls, head: HeadData, state: Trie, context: CollationContext) -> Collated[Trie]:
        cls.tries.append(len(context.extrinsics))
        tried = list(takewhile(lambda _: context.has_time(), context.extrinsics))
        if b"bad" in tried:
            raise ChainError("it is bad")
        made = super().collate(head, state, replace(context, extrinsics=()))
        return replace(made, included=tuple(tried))


@pytest.mark.parametrize(
    ("extrinsics", "included"),
    [([b"good", b"bad"], [b"good"]), ([b"bad", *[b"good"] * 99], [])],
)
def test_what_no_block_can_be_built_with_is_found_however_short_the_time(
    extrinsics: list[bytes], included: list[bytes]
) -> None:
    node, relay = Node(Picky), FakeRelay(PARA, GENESIS.head)
    Picky.tries.clear()

    made = node.collate(relay.head, relay.context(*extrinsics))

    assert [*made.included] == included
    assert [columns["kind"] for table, columns in node.rows if table == "faults"] == ["ChainError"][len(included) :]
    assert Picky.tries == ([2] if included else [100, 0, 0]), "what there was no time for is not halved"
