"""GRANDPA at a node: which set it votes in, and how it comes by the blocks of votes."""

import msgspec

from relaychain.node.engine import RelayConsensus
from substrate.consensus.grandpa.actions import Missing
from tests.relaychain.node.para_network import SLOT_US, ParaNetwork, run_network


def next_set(consensus: RelayConsensus) -> None:
    """A change of the set comes into force with the next final block."""
    consensus.voters = msgspec.structs.replace(consensus.voters, set_id=consensus.voters.set_id + 1)


def test_a_block_that_votes_wait_for_is_fetched() -> None:
    """Given a validator that was apart. When its voter wants the best block of the others. Then it gets it at once."""
    found: list[bool] = []

    async def scenario(network: ParaNetwork) -> None:
        alice, bob = network.validators[:2]
        network.cut_off("alice")
        await network.slots(4)
        await network.clock.sleep_until_us(network.clock.now_us() + SLOT_US // 2)  # nobody announces a block now
        wanted = bob.chain.best
        found.append(wanted in alice.chain)
        network.join_up()
        alice.finality._do([Missing(wanted)])
        await network.clock.sleep_until_us(network.clock.now_us() + SLOT_US // 10)
        found.append(wanted in alice.chain)

    run_network(scenario, paras=())

    assert found == [False, True]


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
