"""GRANDPA at a node: which set it votes in."""

import msgspec

from relaychain.node.engine import RelayConsensus
from tests.relaychain.node.para_network import ParaNetwork, run_network


def next_set(consensus: RelayConsensus) -> None:
    """A change of the set comes into force with the next final block."""
    consensus.voters = msgspec.structs.replace(consensus.voters, set_id=consensus.voters.set_id + 1)


def test_voting_starts_afresh_when_a_new_set_comes_into_force() -> None:
    async def scenario(network: ParaNetwork) -> None:
        await network.slots(4)
        for node in network.validators:
            next_set(node.consensus)
        await network.slots(8)

    network = run_network(scenario)

    finality = network.recorder.distinct("finality", "set_id", "block")
    assert [set_id for set_id, _ in finality] == sorted(set_id for set_id, _ in finality)
    in_next_set = [block for set_id, block in finality if set_id == 1]
    assert len(in_next_set) >= 5
    rounds = [(row["set_id"], row["round"]) for row in network.recorder.rows["finality"]]
    assert (1, 1) in rounds
