"""Parachains of both levels under a relay chain, on the virtual clock."""

import sqlite3
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from parachains.collator.behaviour import (
    CollatorBehaviour,
    ForgeStateRoot,
    LieAboutWatermark,
    LoopForEver,
    Mint,
    SkipDownwardMessage,
    Times,
)
from parachains.collator.node import RuntimeParaNode
from relaychain.node import candidate_validation
from relaychain.primitives.types import ParaId
from substrate.client.rpc.client import LocalClient
from substrate.runtime.extrinsic import Signing, sign_extrinsic
from substrate.scale.codec import encode
from substrate.types import AccountId
from testnet.clock import run_virtual
from testnet.manifest import DelaySettings, Duration, Manifest, Node, Parachain, Relaychain, Settings
from testnet.network import Network, heights, running
from testnet.record import Record
from testnet.transports.memory import heal, partition
from testnet.users import ChainClient, dev_users, send_call
from xcm.instruction import ClearOrigin, Xcm

SLOTS = 30
ALICE = dev_users("ed25519")[0]
T = TypeVar("T")


def manifest(**assets: object) -> Manifest:
    nodes = tuple(Node(name=name) for name in ("alice", "bob", "charlie", "dave"))
    paras = (Parachain(id=2000, runtime="assets", **assets), Parachain(id=2001, runtime="adder"))  # pyright: ignore[reportArgumentType]
    return Manifest(settings=Settings(seed=7), relaychain=Relaychain(nodes=nodes), parachains=paras)


def watch(path: Path, network_file: Manifest, act: Callable[[Network], Awaitable[T]]) -> T:
    """Run a network as long as `act` takes; what it returns."""

    async def main() -> T:
        record = Record(path)
        async with running(network_file, record) as network:
            found = await act(network)
        record.close()
        return found

    return run_virtual(main())


async def slots(network: Network, count: int) -> None:
    await network.clock.sleep_until_us(network.clock.now_us() + count * network.manifest.block_time_us)


async def play(path: Path, network_file: Manifest) -> tuple[dict[int, list[tuple[int, int]]], str]:
    """Heights of every para at each of its nodes, best and final; the record's digest."""
    record = Record(path)
    async with running(network_file, record) as network:
        await slots(network, SLOTS)
        found = {int(para): [heights(node) for node in nodes] for para, nodes in network.para_nodes.items()}
    digest = record.digest()
    record.close()
    return found, digest


def rows(path: Path, select: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as db:
        return db.execute(select).fetchall()


def test_both_levels_grow_and_become_final_with_the_relay_chain(tmp_path: Path) -> None:
    """Given a Level 1 and a Level 0 para. When 30 slots pass. Then both have a block every second slot or so, final."""
    found, _ = run_virtual(play(tmp_path / "run.sqlite", manifest()))

    for ((best, final),) in found.values():
        assert best >= SLOTS // 3
        assert 1 <= best - final <= 2
    assert rows(tmp_path / "run.sqlite", "SELECT * FROM faults") == []
    assert rows(tmp_path / "run.sqlite", "SELECT * FROM refusals") == []


def test_every_included_candidate_was_collated_seconded_and_backed(tmp_path: Path) -> None:
    """Given two paras. When their candidates are included. Then each went through every stage, in time's order."""
    run_virtual(play(tmp_path / "run.sqlite", manifest()))

    found = rows(
        tmp_path / "run.sqlite",
        "SELECT collated_at, seconded_at, backed_at, included_at FROM candidates WHERE included_at IS NOT NULL",
    )
    assert len(found) > SLOTS // 2
    assert all(None not in row and list(row) == sorted(row) for row in found)  # type: ignore[type-var]


def test_two_collators_of_a_para_keep_the_same_chain(tmp_path: Path) -> None:
    """Given two collators of one para. When they take turns. Then both have the same heights, and each made blocks."""
    collators = (Node(name="carol"), Node(name="dan"))

    found, _ = run_virtual(play(tmp_path / "run.sqlite", manifest(collators=collators)))

    assert len(set(found[2000])) == 1
    assert found[2000][0][0] >= SLOTS // 3
    by = rows(
        tmp_path / "run.sqlite",
        "SELECT DISTINCT collator FROM candidate_facts WHERE para_id = 2000 AND collator IS NOT NULL",
    )
    assert sorted(by) == [("carol",), ("dan",)]
    authors = rows(
        tmp_path / "run.sqlite",
        "SELECT author FROM blocks WHERE chain = '2000' AND status = 'final' AND block > 0 ORDER BY block",
    )
    assert all(first != second for first, second in pairwise(authors)), "they alternate"


LIES = 3
CHEATS: list[tuple[CollatorBehaviour, int, str, str]] = [
    (Mint(AccountId(b"m" * 32), 10**15), 2000, "ExecutionError", "BadStateRoot"),
    (ForgeStateRoot(), 2000, "ExecutionError", "BadStateRoot"),
    (SkipDownwardMessage(), 2000, "ExecutionError", "DmqMqcHeadMismatch"),
    (LieAboutWatermark(), 2000, "CommitmentsHashMismatch", "computed"),
    (ForgeStateRoot(), 2001, "ParaHeadHashMismatch", "computed"),
    (SkipDownwardMessage(), 2001, "CommitmentsHashMismatch", "computed"),
    (LieAboutWatermark(), 2001, "CommitmentsHashMismatch", "computed"),
]
"""A lie at a chain of either level, the check that refuses it, and why."""


def alone(para: Parachain) -> Manifest:
    whole = manifest()
    return Manifest(settings=whole.settings, relaychain=whole.relaychain, parachains=(para,))


def assert_refused(path: Path, check: str, cause: str, grown: tuple[int, int]) -> None:
    """So many candidates were refused by that check, none of them was backed, and the para went on after them."""
    refused = rows(path, 'SELECT DISTINCT candidate, "check" FROM refusals')
    assert len(refused) == LIES
    assert {reason for _, reason in refused} == {check}
    assert all(cause in str(detail) for (detail,) in rows(path, "SELECT detail FROM refusals"))
    backed = "SELECT candidate FROM candidate_facts WHERE stage = 'backed'"
    assert rows(path, f"SELECT candidate FROM refusals WHERE candidate IN ({backed})") == []
    assert rows(path, "SELECT * FROM faults") == []
    best, final = grown
    assert best >= SLOTS // 3 - LIES
    assert best - final <= 2


@pytest.mark.parametrize(("cheat", "para", "check", "cause"), CHEATS)
def test_validators_refuse_a_lie_and_the_para_goes_on(
    tmp_path: Path, cheat: CollatorBehaviour, para: int, check: str, cause: str
) -> None:
    """Given a collator that lies at first, and a downward message. When validators check. Then they back no lie."""
    path = tmp_path / "run.sqlite"
    (network_file,) = (alone(each) for each in manifest().parachains if each.id == para)

    async def act(network: Network) -> tuple[int, int]:
        relay = network.relay.chain
        client = ChainClient("relay", LocalClient(network.relay.rpc), type(relay.runtime(relay.genesis)))
        await client.submit(ALICE, send_call(client.runtime, source=None, dest=para, program=Xcm((ClearOrigin(),))))
        node = network.para_nodes[ParaId(para)][0]
        assert node.collator is not None
        node.collator.behaviour = Times(cheat, LIES)
        await slots(network, SLOTS)
        waiting = relay.runtime(relay.best).api("ParachainHost_dmq_contents", encode(ParaId, ParaId(para)))
        assert waiting == b"\0", "honest again, it took the message"
        return heights(node)

    found = watch(path, network_file, act)

    assert_refused(path, check, cause, found)


SPINNER = """
from parachains.sdk.plugin import Parachain, Signed, call


class Spinner(Parachain):
    @call
    def spin(self, origin: Signed) -> None:
        while True:
            pass
"""


def test_a_block_that_never_ends_is_refused_by_steps_and_the_para_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a call that never returns, put into blocks. When validators run them. Then they time out, unbacked."""
    monkeypatch.setattr(candidate_validation, "BACKING_STEPS", 100_000)
    path = tmp_path / "run.sqlite"
    (tmp_path / "spinner.py").write_text(SPINNER)
    spinner = Parachain(id=2000, runtime="./spinner.py:Spinner")
    network_file = msgspec.structs.replace(alone(spinner), directory=tmp_path)

    async def act(network: Network) -> tuple[int, int]:
        node = network.para_nodes[ParaId(2000)][0]
        assert isinstance(node, RuntimeParaNode)
        assert node.collator is not None
        runtime, genesis = type(node.chain.runtime(node.chain.genesis)), node.chain.genesis
        call = runtime.encode_call(runtime.call_named("Spinner.spin"))
        poison = sign_extrinsic(call, ALICE.pair, nonce=0, signing=Signing(1, 1, genesis, genesis))
        node.collator.behaviour = Times(LoopForEver(poison), LIES)
        await slots(network, SLOTS)
        return heights(node)

    found = watch(path, network_file, act)

    assert_refused(path, "Timeout", "steps=100000", found)


# --- validators and links that fail ---


def test_with_a_silent_validator_the_other_group_backs_and_rotation_is_fair(tmp_path: Path) -> None:
    """Given dave silent in one of two groups. When groups rotate. Then each para grows while it has the other."""
    path = tmp_path / "run.sqlite"
    network_file = rotating(manifest(), every=5, epoch=40)

    async def act(network: Network) -> list[tuple[int, int]]:
        partition(network.hub, [["dave"], [name for name in network.hub.names() if name != "dave"]])
        await slots(network, 60)
        assert network.relay.chain.best_number - network.relay.chain.finalized_number <= 3
        return [heights(nodes[0]) for nodes in network.para_nodes.values()]

    found = watch(path, network_file, act)

    assert all(best >= 5 and best - final <= 2 for best, final in found)
    (dave,) = rows(path, "SELECT count(*) FROM votes WHERE validator = 'dave' AND kind = 'bitfield'")
    assert dave[0] > 0, "he works on, but nobody hears him"
    backers = {backers for (backers,) in rows(path, "SELECT DISTINCT backers FROM candidates WHERE backers NOT NULL")}
    assert len(backers) <= 2, "in each session one group, never his"


def test_paras_advance_over_lossy_links(tmp_path: Path) -> None:
    """Given 5 % loss, 30 ms and up to 20 ms more. When 40 slots pass. Then both paras grow, and finality keeps up."""
    path = tmp_path / "run.sqlite"
    link = DelaySettings(latency=Duration.parse("30ms"), jitter=Duration.parse("20ms"), loss=0.05)
    whole = manifest()
    relaychain = msgspec.structs.replace(whole.relaychain, default_delay_network_settings=link)

    async def act(network: Network) -> list[tuple[int, int]]:
        await slots(network, 40)
        assert network.relay.chain.best_number >= 36
        assert network.relay.chain.best_number - network.relay.chain.finalized_number <= 5
        return [heights(nodes[0]) for nodes in network.para_nodes.values()]

    found = watch(path, msgspec.structs.replace(whole, relaychain=relaychain), act)

    assert all(best >= 12 and best - final <= 3 for best, final in found)
    assert rows(path, "SELECT * FROM refusals") == []
    (lag,) = rows(path, "SELECT max(lag) FROM finality WHERE chain = 'relay'")
    assert lag[0] <= 5


def test_paras_go_on_when_a_partition_heals(tmp_path: Path) -> None:
    """Given two halves apart for 15 slots. When they meet again. Then the paras grow on, with one chain each."""
    path = tmp_path / "run.sqlite"

    async def act(network: Network) -> None:
        await slots(network, 10)
        before = [heights(nodes[0]) for nodes in network.para_nodes.values()]
        others = [name for name in network.hub.names() if name not in ("charlie", "dave")]
        partition(network.hub, [others, ["charlie", "dave"]])
        await slots(network, 15)
        heal(network.hub)
        await slots(network, 20)
        after = [heights(nodes[0]) for nodes in network.para_nodes.values()]
        assert all(new[1] >= old[1] + 5 for old, new in zip(before, after, strict=True))

    watch(path, manifest(), act)

    assert rows(path, "SELECT * FROM refusals") == []
    assert {kind for (kind,) in rows(path, "SELECT DISTINCT kind FROM faults")} <= {"ChunkFetching", "PoVFetching"}


def rotating(network_file: Manifest, *, every: int, epoch: int) -> Manifest:
    """Backing groups take the next core after so many blocks, and are drawn anew each epoch."""
    scheduler = {"scheduler_params": {"group_rotation_frequency": every}}
    duration = Duration.parse(f"{epoch} blocks")
    relaychain = msgspec.structs.replace(
        network_file.relaychain, genesis={"configuration": scheduler}, epoch_duration=duration
    )
    return msgspec.structs.replace(network_file, relaychain=relaychain)


def test_paras_go_on_over_session_changes_and_group_rotations(tmp_path: Path) -> None:
    """Given sessions of 10 blocks, rotation every 3. When 3 sessions end. Then no block of a para fails."""
    path = tmp_path / "run.sqlite"

    async def act(network: Network) -> list[tuple[int, int]]:
        await slots(network, 40)
        relay = network.relay
        assert relay.parachains.api.session_index_for_child(relay.chain.best) == 3
        return [heights(nodes[0]) for nodes in network.para_nodes.values()]

    found = watch(path, rotating(manifest(), every=3, epoch=10), act)

    assert all(best >= 17 and best - final <= 2 for best, final in found)
    groups = "SELECT DISTINCT para_id, backing_group FROM candidate_facts WHERE stage = 'backed' ORDER BY 1, 2"
    assert rows(path, groups) == [(2000, 0), (2000, 1), (2001, 0), (2001, 1)]
    assert rows(path, "SELECT * FROM faults") == []
    assert rows(path, "SELECT * FROM refusals") == []


def test_a_run_with_parachains_repeats(tmp_path: Path) -> None:
    """Given one network file. When it runs twice. Then the digests agree."""
    network_file = manifest(collators=(Node(name="carol"), Node(name="dan")))

    first = run_virtual(play(tmp_path / "first.sqlite", network_file))
    second = run_virtual(play(tmp_path / "second.sqlite", network_file))

    assert first == second
