"""The relay chain alone: authored, final, the same every time."""

from pathlib import Path

from testnet.clock import run_virtual
from testnet.manifest import Manifest, Node, Relaychain, Settings
from testnet.network import Network, running
from testnet.record import Record

SLOTS = 25


def manifest(seed: int = 7, **relaychain: object) -> Manifest:
    nodes = tuple(Node(name=name) for name in ("alice", "bob", "charlie", "dave"))
    return Manifest(settings=Settings(seed=seed), relaychain=Relaychain(nodes=nodes, **relaychain))  # pyright: ignore[reportArgumentType]


async def slots(network: Network, count: int) -> None:
    await network.clock.sleep_until_us(network.clock.now_us() + count * network.manifest.block_time_us)


async def heads(path: Path, count: int = SLOTS, seed: int = 7) -> tuple[list[tuple[int, int, bytes]], str]:
    record = Record(path)
    async with running(manifest(seed), record) as network:
        await slots(network, count)
        chains = [node.chain for node in network.relay_nodes.values()]
        found = [(chain.best_number, chain.finalized_number, chain.finalized) for chain in chains]
    digest = record.digest()
    record.close()
    return found, digest


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
