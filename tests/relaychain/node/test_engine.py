"""Block import: what authors may not do."""

import msgspec
import pytest

from substrate.block import Block, Header, without_seal
from substrate.client.importing import BlockImportError
from substrate.consensus.babe.verification import find_pre_digest, header_slot, seal_header
from substrate.types import Hash
from tests.relaychain.node.para_network import ParaNetwork, run_network


def twin_of_best(network: ParaNetwork) -> Header:
    """The header of another block that the author of the best one makes in the same slot."""
    best, consensus = network.best, network.validators[0].consensus
    epoch = consensus.epochs.epoch_for(best.parent_hash, header_slot(best)).epoch
    author = epoch.authorities[find_pre_digest(best).authority_index][0]
    pair = next(pair for pair in network.pairs if pair.public == author)
    return seal_header(msgspec.structs.replace(without_seal(best)[0], state_root=Hash(bytes(32))), pair)


def test_a_second_block_of_an_author_in_one_slot_is_a_fault_that_names_both() -> None:
    details: list[str] = []

    async def scenario(network: ParaNetwork) -> None:
        await network.slots(3)
        best, twin, bob = network.best, twin_of_best(network), network.validators[1]
        for _ in range(2):
            with pytest.raises(BlockImportError):
                bob.importer.import_block(Block(twin, bob.chain.block(best.hash).extrinsics))
        author = next(pair.public for pair in network.pairs if seal_header(without_seal(twin)[0], pair) == twin)
        blocks = f"0x{best.hash.hex()} and 0x{twin.hash.hex()}"
        details.append(f"0x{author.hex()} made {blocks} in slot {header_slot(best)}")
        await network.slots(20)
        assert len(bob.consensus._authors._first) < 8

    network = run_network(scenario)

    assert network.recorder.distinct("faults", "node", "kind", "detail") == [("bob", "Equivocation", details[0])]
