"""The relay chain alone: authored, final, the same every time; also where validators are silent, late or apart."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

from testnet.clock import run_virtual
from testnet.manifest import DelaySettings, Duration, Manifest, Node, Relaychain, Settings
from testnet.network import Network, running
from testnet.record import Record
from testnet.transports.memory import MemoryHub, heal, partition

SLOTS = 25
NAMES = ("alice", "bob", "charlie", "dave")


def manifest(seed: int = 7, **relaychain: object) -> Manifest:
    nodes = tuple(Node(name=name) for name in NAMES)
    return Manifest(settings=Settings(seed=seed), relaychain=Relaychain(nodes=nodes, **relaychain))  # pyright: ignore[reportArgumentType]


async def slots(network: Network, count: int) -> None:
    await network.clock.sleep_until_us(network.clock.now_us() + count * network.manifest.block_time_us)


Heads = list[tuple[int, int, bytes]]
"""Best and final height of every validator, and the final block."""


def heads_of(network: Network) -> Heads:
    chains = [node.chain for node in network.relay_nodes.values()]
    return [(chain.best_number, chain.finalized_number, chain.finalized) for chain in chains]


async def heads(path: Path, count: int = SLOTS, seed: int = 7) -> tuple[Heads, str]:
    record = Record(path)
    async with running(manifest(seed), record) as network:
        await slots(network, count)
        found = heads_of(network)
    digest = record.digest()
    record.close()
    return found, digest


def play(path: Path, network_file: Manifest, act: Callable[[Network], Awaitable[None]]) -> None:
    """Run a network as long as `act` takes."""

    async def main() -> None:
        record = Record(path)
        async with running(network_file, record) as network:
            await act(network)
        record.close()

    run_virtual(main())


def max_lag(path: Path) -> int:
    """How many blocks the best one was ahead when a block became final, at most."""
    with sqlite3.connect(path) as db:
        return int(db.execute("SELECT max(lag) FROM finality WHERE chain = 'relay'").fetchone()[0])


def test_every_slot_has_a_block_and_all_validators_finalise_the_same(tmp_path: Path) -> None:
    """Given 4 validators. When 25 slots pass over two epochs. Then each has the blocks, final within 3 slots."""
    found, _ = run_virtual(heads(tmp_path / "run.sqlite"))

    best, final, block = found[0]
    assert found == [(best, final, block)] * 4
    assert best >= SLOTS - 1
    assert best - final <= 3


def test_a_run_is_a_function_of_its_seed(tmp_path: Path) -> None:
    """Given one network file. When it runs twice. Then the digests agree."""
    first = run_virtual(heads(tmp_path / "first.sqlite"))
    second = run_virtual(heads(tmp_path / "second.sqlite"))

    assert first == second


def test_one_silent_validator_of_four_costs_its_slots_only(tmp_path: Path) -> None:
    """Given dave silent. When 60 slots pass. Then the others fill all slots but his, final within 3 blocks."""

    async def act(network: Network) -> None:
        partition(network.hub, [["dave"], NAMES[:3]])
        await slots(network, 60)
        best, final, block = heads_of(network)[0]
        assert heads_of(network)[:3] == [(best, final, block)] * 3
        assert best >= 36
        assert best - final <= 3

    path = tmp_path / "run.sqlite"
    play(path, manifest(), act)

    assert max_lag(path) <= 3


def test_loss_and_jitter_slow_finality_within_bounds(tmp_path: Path) -> None:
    """Given 5 % loss, 30 ms and up to 20 ms more. When 60 slots pass. Then hardly a slot is lost, finality keeps up."""
    link = DelaySettings(latency=Duration.parse("30ms"), jitter=Duration.parse("20ms"), loss=0.05)

    async def act(network: Network) -> None:
        await slots(network, 60)
        for best, final, _ in heads_of(network):
            assert best >= 54
            assert best - final <= 5

    path = tmp_path / "run.sqlite"
    play(path, manifest(default_delay_network_settings=link), act)

    assert max_lag(path) <= 5


def test_finality_resumes_when_a_partition_heals(tmp_path: Path) -> None:
    """Given two halves apart for 15 slots. When they meet again. Then one of their chains becomes final everywhere."""

    async def act(network: Network) -> None:
        await slots(network, 10)
        before = heads_of(network)[0][1]
        partition(network.hub, [NAMES[:2], NAMES[2:]])
        await slots(network, 15)
        apart = heads_of(network)
        assert {final - before for _, final, _ in apart} <= {0, 1}, "no half has a supermajority"
        assert apart[0] != apart[3]
        heal(network.hub)
        await slots(network, 15)
        best, final, block = heads_of(network)[0]
        assert heads_of(network) == [(best, final, block)] * 4
        assert best - final <= 3

    play(tmp_path / "run.sqlite", manifest(), act)


def test_a_validator_that_was_cut_off_takes_over_what_the_others_made_final(tmp_path: Path) -> None:
    """Given dave alone on a fork for 30 slots. When he is back. Then he gives it up; it ends nobody's run."""

    async def act(network: Network) -> None:
        await slots(network, 10)
        partition(network.hub, [["dave"], NAMES[:3]])
        await slots(network, 30)
        (_, final, _), (fork, own_final, _) = heads_of(network)[0], heads_of(network)[3]
        assert own_final < fork < final
        heal(network.hub)
        await slots(network, 12)
        best, final, block = heads_of(network)[0]
        assert heads_of(network) == [(best, final, block)] * 4
        assert best - final <= 3

    play(tmp_path / "run.sqlite", manifest(seed=4), act)


def test_a_validator_that_joins_late_catches_up(tmp_path: Path) -> None:
    """Given dave who starts 80 slots late. When he hears of a block. Then he asks for all the others, and votes."""

    async def main() -> None:
        record = Record(tmp_path / "run.sqlite")
        async with MemoryHub(seed=7) as hub:
            network = Network(manifest(), hub, record)
            async with asyncio.TaskGroup() as tasks:
                running_ = tasks.create_task(start(network))
                await slots(network, 80)
                assert heads_of(network)[3][0] == 0
                await slots(network, 15)
                best, final, block = heads_of(network)[0]
                assert heads_of(network) == [(best, final, block)] * 4
                assert best - final <= 3
                hub.close()
                running_.cancel()
        record.close()

    async def start(network: Network) -> None:
        async with asyncio.TaskGroup() as tasks:
            for name in NAMES[:3]:
                network.relay_nodes[name].start(tasks)
            await slots(network, 80)
            network.relay_nodes["dave"].start(tasks)

    run_virtual(main())

    with sqlite3.connect(tmp_path / "run.sqlite") as db:
        votes = "SELECT count(*) FROM votes WHERE validator = 'dave' AND kind = 'precommit'"
        assert db.execute(votes).fetchone()[0] > 5
        assert db.execute("SELECT * FROM faults").fetchall() == []
