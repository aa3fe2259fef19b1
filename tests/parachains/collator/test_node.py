"""Para nodes on a relay chain that is moved by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn

from parachains.adder.chain import Adder
from parachains.collator.behaviour import (
    CollatorBehaviour,
    honest,
)
from parachains.collator.collator import CollatorSetup
from parachains.collator.node import ParaSurroundings, PlainParaNode, RuntimeParaNode
from parachains.collator.parent_search import SYNCHRONOUS
from parachains.sdk.contract import ParaConfig
from relaychain.erasure.coding import obtain_chunks
from relaychain.erasure.proofs import branches
from relaychain.primitives.availability import AvailableData
from relaychain.primitives.bundle import SourceFile
from relaychain.primitives.types import ParaId
from relaychain.pvf.bundle import make_bundle
from relaychain.pvf.host import BACKING_STEPS, InlineHost
from substrate.block import Header
from substrate.client.importing import ExecutionCache
from substrate.client.rpc.methods_system import NodeInfo
from substrate.crypto.keys import dev_pair
from substrate.errors import ChainError
from substrate.runtime.extrinsic import Signing, sign_extrinsic
from substrate.scale.codec import decode
from substrate.types import AccountId, Hash
from testnet.clock import clock_of, run_virtual
from testnet.transports.memory import MemoryHub
from tests.parachains.collator.relay_double import LOOKAHEAD, FetchingValidator, RelayDouble

PARA = ParaId(2000)
SLOT_MS = 6_000
UNIT = 10**12
ALICE, BOB = dev_pair("Alice", "ed25519"), dev_pair("Bob", "ed25519")
KEYS = {"carol": dev_pair("Carol", "ed25519"), "dan": dev_pair("Dan", "ed25519")}
SOURCE = b"""
from parachains.sdk.plugin import Parachain, Signed, call


class Spinner(Parachain):
    @call
    def spin(self, origin: Signed) -> None:
        while True:
            pass
"""
CODE = make_bundle("spinner:Spinner", [SourceFile("spinner", SOURCE)])
ADDER = Path(__file__).parents[3] / "parachains/adder/chain.py"
ADDER_CODE = make_bundle("parachains.adder.chain:Adder", [SourceFile("parachains.adder.chain", ADDER.read_bytes())])


def erasure_root(validators: int, data: AvailableData) -> Hash:
    return branches(obtain_chunks(max(validators, 2), data.encode()))[0]


class Rows:
    """A recorder that keeps its rows."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, dict[str, Any]]] = []

    def row(self, table: str, /, **columns: object) -> None:
        self.rows.append((table, columns))

    def of(self, table: str) -> list[dict[str, Any]]:
        return [columns for name, columns in self.rows if name == table]


class World:
    """A relay chain, a validator, and the nodes of one para."""

    def __init__(
        self, hub: MemoryHub, names: tuple[str, ...], behaviour: CollatorBehaviour, limit: int, max_pending: int
    ) -> None:
        loop = asyncio.get_running_loop()
        self.clock = clock_of(loop)
        self.rows = Rows()
        host = InlineHost()

        def load(code: bytes) -> Any:
            loaded = host.load(code)
            loaded.meter.left = limit
            return loaded.entry

        self.load = load
        accounts = {AccountId(pair.public): 100 * UNIT for pair in (ALICE, BOB)}
        authorities = tuple(KEYS[name].public for name in names)
        config = ParaConfig(
            PARA, CODE, accounts, authorities=authorities, slot_duration_ms=SLOT_MS, sudo=AccountId(ALICE.public)
        )
        genesis = load(CODE).genesis_block(config)
        self.genesis = decode(Header, genesis.head).hash
        self.relay = RelayDouble(PARA, genesis.head, CODE, slot=self.clock.now_us() // (SLOT_MS * 1000))
        self.validator = FetchingValidator(hub.join("alice"), self.relay)
        cache = ExecutionCache()
        self.nodes = {
            name: RuntimeParaNode(
                ParaSurroundings(
                    chain="spinner",
                    para=PARA,
                    members=names,
                    relay=self.relay,
                    directory=lambda _: "alice",
                    network=hub.join(name),
                    clock=self.clock,
                    recorder=self.rows,
                ),
                genesis.state,
                load,
                NodeInfo("spinner", "relayloom", "0", {}),
                cache,
                CollatorSetup(KEYS[name], erasure_root, behaviour, max_pending),
            )
            for name in names
        }

    def sign(self, name: str, nonce: int = 0, **args: object) -> bytes:
        runtime = self.load(CODE).runtime()
        call = runtime.encode_call(runtime.call_named(name, **args))
        return sign_extrinsic(call, ALICE, nonce=nonce, signing=Signing(1, 1, self.genesis, self.genesis))

    async def slot(self) -> Header:
        header = self.relay.advance()
        await self.clock.sleep_until_us(self.clock.now_us() + SLOT_MS * 1000)
        return header

    async def slots(self, count: int) -> list[Header]:
        return [await self.slot() for _ in range(count)]

    async def round(self, collator: str = "carol") -> Header:
        """One candidate from its relay parent to inclusion; returns the relay block that includes it."""
        await self.slot()
        self.relay.back(self.validator.validate(await self.validator.fetch(collator)))
        await self.slot()
        self.relay.include()
        return await self.slot()


def play(
    story: Callable[[World], Awaitable[None]],
    *names: str,
    behaviour: CollatorBehaviour = honest,
    limit: int = BACKING_STEPS,
    max_pending: int = SYNCHRONOUS,
) -> World:
    async def main() -> World:
        async with MemoryHub(seed=1) as hub:
            world = World(hub, names or ("carol",), behaviour, limit, max_pending)
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(run(world))
                await asyncio.sleep(0)
                await story(world)
                running.cancel()
            return world

    return run_virtual(main())


async def run(world: World) -> None:
    async with asyncio.TaskGroup() as tasks:
        for node in world.nodes.values():
            node.start(tasks)


def test_the_best_block_is_the_included_one_and_final_with_its_relay_block() -> None:
    async def story(world: World) -> None:
        chain = world.nodes["carol"].chain
        await world.slot()
        assert (len(chain.leaves()), chain.best_number) == (1, 0)
        world.relay.back(world.validator.validate(await world.validator.fetch("carol")))
        await world.slot()
        assert len(world.validator.advertised) == 1, "one candidate in flight"
        world.relay.include()
        including = await world.slot()
        assert (chain.best_number, chain.finalized_number) == (1, 0)
        assert len(world.validator.advertised) == 2
        world.relay.finalize(including)
        await world.slot()
        assert chain.finalized_number == 1

    world = play(story)

    assert [row["block"] for row in world.rows.of("finality")] == [1]
    assert [(row["stage"], row["collator"]) for row in world.rows.of("candidates")][:1] == [("collated", "carol")]
    assert world.rows.of("faults") == []


def test_extrinsics_of_the_pool_get_into_a_block_once() -> None:
    async def story(world: World) -> None:
        node = world.nodes["carol"]
        node.pool.submit(world.sign("System.remark", remark=b"hello"))
        await world.round()
        assert len(node.chain.block(node.chain.best).extrinsics) == 3
        assert len(node.pool) == 0
        await world.round()
        assert len(node.chain.block(node.chain.best).extrinsics) == 2

    play(story)


def test_a_relay_reorganisation_takes_the_included_head_along() -> None:
    async def story(world: World) -> None:
        chain = world.nodes["carol"].chain
        first = await world.slot()
        world.relay.back(world.validator.validate(await world.validator.fetch("carol")))
        await world.slot()
        world.relay.include()
        await world.slot()
        old = chain.best
        assert chain.best_number == 1
        world.relay.go_back(first)
        await world.slot()
        assert chain.best_number == 0, "the fork has not included it"
        world.relay.back(world.validator.validate(await world.validator.fetch("carol")))
        await world.slot()
        world.relay.include()
        await world.slot()
        assert chain.best_number == 1
        assert chain.best != old

    play(story)


def test_collators_take_turns_by_slot_and_import_each_others_blocks() -> None:
    """A block every second relay slot: the one who is in turn changes with each."""
    authors = list[str]()

    async def story(world: World) -> None:
        for _ in range(4):
            await world.slot()
            last = world.validator.advertised[-1].candidate_hash
            authors.append(next(row["collator"] for row in world.rows.of("candidates") if row["candidate"] == last))
            world.relay.back(world.validator.validate(await world.validator.fetch(authors[-1])))
            await world.slot()
            world.relay.include()
        await world.slot()
        assert {node.chain.best_number for node in world.nodes.values()} == {4}

    world = play(story, "carol", "dan")

    assert authors in (["carol", "dan"] * 2, ["dan", "carol"] * 2)
    assert world.rows.of("faults") == []


def test_transactions_reach_the_para_s_other_collators() -> None:
    async def story(world: World) -> None:
        world.nodes["carol"].pool.submit(world.sign("System.remark", remark=b"hello"))
        await world.clock.sleep_until_us(world.clock.now_us() + 1_000_000)
        assert len(world.nodes["dan"].pool) == 1

    play(story, "carol", "dan")


def test_what_prevents_a_collation_is_recorded_and_the_next_one_is_made() -> None:
    async def story(world: World) -> None:
        size, world.relay.fork.max_pov_size = world.relay.fork.max_pov_size, 1_000
        await world.slot()
        assert world.validator.advertised == []
        world.relay.fork.max_pov_size = size
        await world.slot()
        assert len(world.validator.advertised) == 1

    world = play(story)

    assert [(row["node"], row["kind"]) for row in world.rows.of("faults")] == [("carol", "BuildError")]


def test_a_relay_chain_that_cannot_be_read_is_recorded_and_read_again() -> None:
    async def story(world: World) -> None:
        async def unreadable(block: Hash, key: bytes) -> NoReturn:
            raise ChainError("state discarded")

        world.relay.storage = unreadable  # type: ignore[method-assign]
        await world.slot()
        world.relay.finalize(await world.slot())
        await world.slot()
        del world.relay.storage  # type: ignore[method-assign]
        await world.round()
        assert world.nodes["carol"].chain.best_number == 1

    world = play(story)

    faults = {(row["node"], row["kind"], row["detail"].rpartition(": ")[2]) for row in world.rows.of("faults")}
    assert faults == {("carol", "ChainError", "state discarded")}


def test_a_runaway_extrinsic_is_thrown_out_of_the_pool() -> None:
    async def story(world: World) -> None:
        node = world.nodes["carol"]
        node.pool.submit(world.sign("Spinner.spin"))
        node.pool.submit(world.sign("System.remark", nonce=1, remark=b"after it"))
        await world.round()
        assert len(node.chain.block(node.chain.best).extrinsics) == 2
        assert len(node.pool) == 1, "the other one waits for that nonce"
        node.pool.submit(world.sign("System.remark", remark=b"instead"))
        await world.slots(LOOKAHEAD - 1)
        await world.round()
        assert len(node.chain.block(node.chain.best).extrinsics) == 4

    play(story, limit=100_000)


def test_what_is_no_extrinsics_fault_throws_none_out() -> None:
    async def story(world: World) -> None:
        node = world.nodes["carol"]
        node.pool.submit(world.sign("System.remark", remark=b"hello"))
        size, world.relay.fork.max_pov_size = world.relay.fork.max_pov_size, 1_000
        await world.slot()
        assert len(node.pool) == 1
        world.relay.fork.max_pov_size = size
        await world.round()
        assert len(node.chain.block(node.chain.best).extrinsics) == 3

    play(story)


def test_with_asynchronous_backing_a_block_stands_on_a_pending_one() -> None:
    async def story(world: World) -> None:
        node = world.nodes["carol"]
        node.pool.submit(world.sign("System.remark", remark=b"hello"))
        await world.slot()
        world.relay.back(world.validator.validate(await world.validator.fetch("carol")))
        await world.slot()
        assert len(world.validator.advertised) == 2
        world.relay.back(world.validator.validate(await world.validator.fetch("carol")))
        assert len(node.pool) == 1, "what the pending block holds is not thrown out"
        world.relay.include()
        await world.slot()
        world.relay.include()
        await world.slot()
        assert node.chain.best_number == 2
        assert len(node.pool) == 0

    world = play(story, max_pending=1)

    assert world.rows.of("faults") == []


def test_the_adder_goes_the_same_way() -> None:
    async def main() -> None:
        rows = Rows()
        genesis = Adder.genesis_block(ParaConfig(PARA, ADDER_CODE))
        relay = RelayDouble(PARA, genesis.head, ADDER_CODE)
        async with MemoryHub(seed=1) as hub, asyncio.TaskGroup() as tasks:
            clock = clock_of(asyncio.get_running_loop())
            validator = FetchingValidator(hub.join("alice"), relay)
            network = hub.join("carol")
            around = ParaSurroundings("adder", PARA, ("carol",), relay, lambda _: "alice", network, clock, rows)
            node = PlainParaNode(around, Adder(), genesis, CollatorSetup(KEYS["carol"], erasure_root))
            node.ledger.submit((5).to_bytes(8, "little"))

            async def following() -> None:
                async with asyncio.TaskGroup() as inner:
                    node.start(inner)

            running = tasks.create_task(following())
            await asyncio.sleep(0)
            for _ in range(3):
                relay.advance()
                await clock.sleep_until_us(clock.now_us() + 1_000_000)
                relay.back(validator.validate(await validator.fetch("carol")))
                relay.advance()
                await clock.sleep_until_us(clock.now_us() + 1_000_000)
                relay.include()
            relay.finalize(relay.advance())
            await clock.sleep_until_us(clock.now_us() + 1_000_000)
            ledger = node.ledger
            assert (ledger.number(ledger.best), ledger.number(ledger.finalized)) == (3, 3)
            assert ledger.state(ledger.best) == 7
            running.cancel()
        assert [row["block"] for row in rows.of("finality")] == [1, 2, 3]
        assert rows.of("faults") == []

    run_virtual(main())
