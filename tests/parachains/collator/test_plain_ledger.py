"""A Level 0 chain at its collator."""

from dataclasses import replace
from itertools import takewhile
from typing import Any

import pytest

from parachains.adder.chain import Adder
from parachains.collator.plain_ledger import PlainLedger
from parachains.sdk.contract import Collated, CollationContext, ParaConfig, Rejected
from relaychain.primitives.types import HeadData, ParaId
from substrate.errors import ChainError
from tests.parachains.sdk.fake_relay import FakeRelay

PARA = ParaId(2001)


class Still:
    def now_us(self) -> int:
        return 0

    async def sleep_until_us(self, at: int) -> None:
        raise AssertionError(at)


class Rows(list[tuple[str, dict[str, object]]]):
    def row(self, table: str, /, **columns: object) -> None:
        self.append((table, columns))


class Broken(Adder):
    @staticmethod
    def collate(head: HeadData, state: int, context: CollationContext) -> Collated[int]:
        raise ZeroDivisionError("a plugin's bug")


class Quitting(Adder):
    @staticmethod
    def collate(head: HeadData, state: int, context: CollationContext) -> Collated[int]:
        raise SystemExit


class Hoarding(Adder):
    @staticmethod
    def collate(head: HeadData, state: int, context: CollationContext) -> Collated[int]:
        raise MemoryError(bytes(2**62))


class Refusing(Adder):
    @staticmethod
    def collate(head: HeadData, state: int, context: CollationContext) -> Collated[int]:
        refused = tuple(Rejected(each, "no number", retry=False) for each in context.extrinsics)
        return replace(Adder.collate(head, state, context), rejected=refused)


def ledger(plugin: Any = Adder) -> tuple[PlainLedger, Rows]:
    rows = Rows()
    genesis = Adder.genesis_block(ParaConfig(PARA))
    still = Still()
    return PlainLedger(plugin, genesis, chain="adder", para=PARA, clock=still, recorder=rows, authoring_us=0), rows


def grow(chain: PlainLedger, head: HeadData, *extrinsics: bytes) -> HeadData:
    relay = FakeRelay(PARA, head)
    made = chain.collate(head, relay.context(*extrinsics))
    chain.keep(head, made)
    return made.result.head_data


def test_best_and_final_follow_the_relay_chain_also_backwards() -> None:
    chain, rows = ledger()
    genesis = chain.best
    first = grow(chain, genesis)
    second = grow(chain, first)
    other = grow(chain, genesis, (9).to_bytes(8, "little"))

    chain.set_best(second)
    chain.set_best(other)
    assert chain.best == other
    chain.set_best(second)
    chain.set_final(second)

    assert (chain.number(chain.best), chain.number(chain.finalized)) == (2, 2)
    assert [row["block"] for table, row in rows if table == "finality"] == [1, 2]
    assert not chain.knows(other)


def test_extrinsics_wait_until_a_block_of_the_best_chain_has_them() -> None:
    chain, _ = ledger()
    five = (5).to_bytes(8, "little")
    chain.submit(five)
    head = grow(chain, chain.best, *chain.extrinsics())
    assert chain.extrinsics() == (five,)
    chain.set_best(head)
    assert chain.extrinsics() == ()
    chain.set_final(head)
    assert chain.extrinsics() == ()
    assert chain.state(head) == 5


def test_of_equal_extrinsics_each_gets_into_a_block() -> None:
    chain, _ = ledger()
    five = (5).to_bytes(8, "little")
    chain.submit(five)
    first = grow(chain, chain.best, *chain.extrinsics())
    chain.set_best(first)
    chain.submit(five)
    chain.submit(five)
    assert chain.extrinsics() == (five, five)
    chain.set_final(first)
    assert chain.extrinsics() == (five, five)
    second = grow(chain, first, *chain.extrinsics())
    chain.set_best(second)
    chain.set_final(second)

    assert (chain.extrinsics(), chain.state(second)) == ((), 15)


class Timely(Adder):
    @staticmethod
    def collate(head: HeadData, state: int, context: CollationContext) -> Collated[int]:
        timely = tuple(takewhile(lambda _: context.has_time(), context.extrinsics))
        return Adder.collate(head, state, replace(context, extrinsics=timely))


def test_a_plugin_is_told_when_its_time_is_over() -> None:
    chain, _ = ledger(Timely)

    head = grow(chain, chain.best, *((number).to_bytes(8, "little") for number in (3, 4)))

    assert chain.state(head) == 3


def test_of_equal_extrinsics_one_goes_with_each_refusal() -> None:
    chain, _ = ledger(Refusing)
    for _ in range(3):
        chain.submit(b"no")
    chain.collate(chain.best, FakeRelay(PARA, chain.best).context(b"no", b"no"))

    assert chain.extrinsics() == (b"no",)


def test_finality_that_is_heard_of_first_takes_the_best_block_along() -> None:
    chain, _ = ledger()
    first = grow(chain, chain.best)
    second = grow(chain, first)
    rival = grow(chain, first, (9).to_bytes(8, "little"))
    chain.submit(b"waiting.")

    chain.set_final(second)

    assert (chain.best, chain.finalized) == (second, second)
    assert chain.extrinsics() == (b"waiting.",)
    assert [chain.knows(head) for head in (first, second, rival)] == [False, True, False]


def test_an_unknown_head_changes_nothing() -> None:
    chain, _ = ledger()
    before = chain.best
    chain.set_best(HeadData(b"?"))
    chain.set_final(HeadData(b"?"))
    assert (chain.best, chain.finalized) == (before, before)


@pytest.mark.parametrize(
    ("plugin", "cause"), [(Broken, "ZeroDivisionError"), (Quitting, "SystemExit"), (Hoarding, "MemoryError")]
)
def test_whatever_a_plugin_raises_the_node_goes_on(plugin: Any, cause: str) -> None:
    chain, _ = ledger(plugin)

    with pytest.raises(ChainError, match=cause):
        grow(chain, chain.best)


def test_a_block_is_kept_once() -> None:
    chain, rows = ledger()
    made = chain.collate(chain.best, replace(FakeRelay(PARA, chain.best).context()))
    chain.keep(chain.best, made)
    chain.keep(chain.best, made)

    assert [table for table, _ in rows] == ["blocks"]
