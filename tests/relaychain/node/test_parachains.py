"""A para's candidates through a network of validators: collated, seconded, backed, included."""

from tests.relaychain.node.para_network import ParaNetwork, run_network


async def ten_slots(network: ParaNetwork) -> None:
    await network.slots(10)


def test_an_honest_para_has_a_candidate_backed_and_included_every_second_relay_block() -> None:
    network = run_network(ten_slots)

    print(network.best.number, network.recorder.rows.get("faults"), network.recorder.rows.get("refusals"))
    print(network.heights("seconded"), network.heights("backed"), network.heights("included"))
    assert network.heights("backed") == [2, 4, 6, 8]
    assert network.heights("included") == [3, 5, 7, 9]
