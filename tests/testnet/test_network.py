"""What the nodes of a network say of themselves."""

from pathlib import Path

from testnet.clock import run_virtual
from testnet.manifest import Duration, Manifest, Node, Parachain, Relaychain, Settings
from testnet.network import node_info, running
from testnet.record import Record


def test_a_node_knows_who_authors_and_whether_it_has_peers() -> None:
    alice, bob = Node(name="alice"), Node(name="bob", validator=False)

    author, watcher = (node_info("net", "UNIT", 12, node, (alice, bob)) for node in (alice, bob))
    alone = node_info("net-para", "UNIT", 12, alice, (alice,))

    assert (author.roles, author.authorities, author.is_alone) == (("Authority",), ("alice",), False)
    assert (watcher.roles, watcher.authorities, watcher.is_alone) == (("Full",), ("alice",), False)
    assert (alone.roles, alone.authorities, alone.is_alone) == (("Authority",), ("alice",), True)


def test_collators_take_extrinsics_for_a_third_of_the_networks_block_time(tmp_path: Path) -> None:
    paras = (Parachain(id=1000, runtime="assets"), Parachain(id=2000, runtime="adder"))
    nodes = (Node(name="alice"), Node(name="bob"))
    settings = Settings(block_time=Duration(900_000, "us"))
    manifest = Manifest(settings=settings, relaychain=Relaychain(nodes=nodes), parachains=paras)

    async def shares() -> list[int]:
        async with running(manifest, Record(tmp_path / "run.sqlite")) as network:
            return [node.ledger._authoring_us for [node] in network.para_nodes.values()]

    assert run_virtual(shares()) == [300_000, 300_000]
