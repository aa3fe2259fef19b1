"""Parachains of both levels under a relay chain, on the virtual clock."""

import sqlite3
from pathlib import Path

import pytest

from parachains.collator.behaviour import CollatorBehaviour, ForgeStateRoot, LieAboutWatermark, Mint, Times, honest
from substrate.types import AccountId
from testnet.clock import run_virtual
from testnet.manifest import Manifest, Node, Parachain, Relaychain, Settings
from testnet.network import heights, running
from testnet.record import Record

SLOTS = 30


def manifest(**assets: object) -> Manifest:
    nodes = tuple(Node(name=name) for name in ("alice", "bob", "charlie", "dave"))
    paras = (Parachain(id=2000, runtime="assets", **assets), Parachain(id=2001, runtime="adder"))  # pyright: ignore[reportArgumentType]
    return Manifest(settings=Settings(seed=7), relaychain=Relaychain(nodes=nodes), parachains=paras)


async def play(
    path: Path, network_file: Manifest, behaviour: CollatorBehaviour = honest
) -> tuple[dict[int, list[tuple[int, int]]], str]:
    """Heights of every para at each of its nodes, best and final; the record's digest."""
    record = Record(path)
    async with running(network_file, record) as network:
        for nodes in network.para_nodes.values():
            collator = nodes[0].collator
            assert collator is not None
            collator.behaviour = behaviour
        await network.clock.sleep_until_us(network.clock.now_us() + SLOTS * network_file.block_time_us)
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


LIES = 3


@pytest.mark.parametrize(
    ("cheat", "para", "check"),
    [
        (Mint(AccountId(b"m" * 32), 10**15), 2000, "ExecutionError"),
        (ForgeStateRoot(), 2000, "ExecutionError"),
        (LieAboutWatermark(), 2001, "CommitmentsHashMismatch"),
        (ForgeStateRoot(), 2001, "ParaHeadHashMismatch"),
    ],
)
def test_validators_refuse_a_lie_and_the_para_goes_on(
    tmp_path: Path, cheat: CollatorBehaviour, para: int, check: str
) -> None:
    """Given a collator that lies at first. When validators check its candidates. Then they back none of the lies."""
    whole = manifest()
    only = tuple(each for each in whole.parachains if each.id == para)
    network_file = Manifest(settings=whole.settings, relaychain=whole.relaychain, parachains=only)

    found, _ = run_virtual(play(tmp_path / "run.sqlite", network_file, Times(cheat, LIES)))

    refused = rows(tmp_path / "run.sqlite", 'SELECT DISTINCT candidate, "check" FROM refusals')
    assert len(refused) == LIES
    assert {reason for _, reason in refused} == {check}
    refused_or_backed = (
        "SELECT candidate FROM candidate_facts WHERE stage = 'backed' AND candidate IN (SELECT candidate FROM refusals)"
    )
    assert rows(tmp_path / "run.sqlite", refused_or_backed) == []
    assert found[para][0][0] >= SLOTS // 3 - LIES


def test_a_run_with_parachains_repeats(tmp_path: Path) -> None:
    """Given one network file. When it runs twice. Then the digests agree."""
    network_file = manifest(collators=(Node(name="carol"), Node(name="dan")))

    first = run_virtual(play(tmp_path / "first.sqlite", network_file))
    second = run_virtual(play(tmp_path / "second.sqlite", network_file))

    assert first == second
