"""Parachains that get new code, and code that breaks, on the virtual clock."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from parachains.collator.node import RuntimeParaNode
from parachains.collator.registry import Module
from parachains.sdk.plugin import Parachain as LevelOne
from relaychain.primitives.types import ParaId
from substrate.client.rpc.client import LocalClient
from substrate.pallets.sudo import Sudo
from substrate.pallets.system import System
from substrate.runtime.steps import CALL_STEPS
from testnet.bundler import NodeBundler
from testnet.clock import run_virtual
from testnet.manifest import Manifest, Node, Parachain, Relaychain, Settings
from testnet.network import Network, running
from testnet.record import Record
from testnet.users import ChainClient, dev_users

ALICE, BOB = dev_users("sr25519")[:2]
HEAD = """
from parachains.sdk.plugin import Parachain, Signed, call, u32
class Shop(Parachain, spec_version=%d):
"""
FIRST = (
    HEAD % 1
    + """
    @call
    def sell(self, origin: Signed, item: u32) -> None:
        pass
    @call
    def spin(self, origin: Signed, turns: u32) -> None:
        for _ in range(turns):
            pass
    @call
    def lose(self, origin: Signed) -> None:
        raise StopIteration
"""
)
SECOND = HEAD % 2 + "    pass\n"


class Shop:
    """A network with one para, and users who call it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        node = network.para_nodes[ParaId(2000)][0]
        assert isinstance(node, RuntimeParaNode)
        self.node = node
        kind = network.paras[0].level_one
        assert kind is not None
        self.kind: type[LevelOne] = kind
        self.runtime: Any = kind.runtime()
        self.client = ChainClient("2000", LocalClient(node.rpc), self.runtime)

    async def slots(self, count: int) -> None:
        await self.network.clock.sleep_until_us(
            self.network.clock.now_us() + count * self.network.manifest.block_time_us
        )

    async def call(self, who: Any, method: str, **args: object) -> None:
        await self.client.submit(who, self.runtime.call_named(f"Shop.{method}", **args))

    async def upgrade(self, source: str) -> None:
        code = NodeBundler().make("shop:Shop", [Module("shop", source.encode())])
        await self.client.submit(
            ALICE, self.runtime.call(Sudo.sudo, call=self.runtime.call(System.set_code, code=code))
        )


def play(directory: Path, story: Any) -> sqlite3.Connection:
    """Run a story; its record."""
    (directory / "shop.py").write_text(FIRST)
    nodes = (Node(name="alice"), Node(name="bob"))
    network_file = Manifest(
        settings=Settings(seed=7),
        directory=directory,
        relaychain=Relaychain(nodes=nodes),
        parachains=(Parachain(id=2000, runtime="./shop.py:Shop"),),
    )

    async def main() -> None:
        record = Record(directory / "run.sqlite")
        async with running(network_file, record) as network:
            await story(Shop(network))
        record.close()

    run_virtual(main())
    return sqlite3.connect(directory / "run.sqlite")


def test_an_upgrade_applies_in_a_block_with_calls_that_the_new_code_lacks(tmp_path: Path) -> None:
    """Given users who call sell in every block. When code without it is set. Then the para goes on under that code."""

    async def story(shop: Shop) -> None:
        await shop.slots(4)
        await shop.upgrade(SECOND)
        for item in range(25):
            await shop.slots(2)
            if shop.node.chain.runtime(shop.node.chain.best).version.spec_version == 1:
                await shop.call(BOB, "sell", item=item)
        chain = shop.node.chain
        assert chain.runtime(chain.best).version.spec_version == 2
        assert chain.best_number >= 20

    record = play(tmp_path, story)

    sold = "SELECT block FROM extrinsics WHERE chain = '2000' AND call = 'shop.sell' ORDER BY block DESC"
    [applied] = record.execute(
        "SELECT block FROM events WHERE chain = '2000' AND name = 'ValidationFunctionApplied'"
    ).fetchone()
    assert record.execute(sold).fetchone() == (applied,)
    assert record.execute("SELECT * FROM faults").fetchall() == []
    record.close()


@pytest.mark.parametrize(("method", "args"), [("lose", {}), ("spin", {"turns": CALL_STEPS + 1})])
def test_calls_that_break_fail_one_by_one(tmp_path: Path, method: str, args: dict[str, int]) -> None:
    """Given more calls that break than a block has steps for. When they are sent. Then each fails, and pays."""

    async def story(shop: Shop) -> None:
        await shop.slots(4)
        for _ in range(6):
            await shop.call(BOB, method, **args)
        await shop.slots(24)
        assert len(shop.node.pool) == 0

    record = play(tmp_path, story)

    failed = f"SELECT COUNT(*), SUM(fee > 0) FROM extrinsics WHERE call = 'shop.{method}' AND NOT ok"
    assert record.execute(failed).fetchone() == (6, 6)
    assert record.execute("SELECT * FROM faults").fetchall() == []
    assert record.execute("SELECT * FROM refusals").fetchall() == []
    record.close()
