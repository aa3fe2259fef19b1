"""Active leaves: what is announced, and which relay parents are allowed."""

from relaychain.node.active_leaves import ActiveLeaves, Leaf, implicit_view
from tests.relaychain.node.para_network import ParaNetwork, run_network


def test_the_view_reaches_back_by_the_lookahead_but_not_into_another_session() -> None:
    async def scenario(network: ParaNetwork) -> None:
        await network.slots(12)

    network = run_network(scenario, epoch_slots=5)
    node = network.validators[0]
    chain, api = node.chain, node.parachains.api

    lengths: list[int] = []
    for number in range(chain.best_number + 1):
        block = chain.number_to_hash(number)
        assert block is not None
        view = implicit_view(api, chain, block)
        assert view[0] == block
        assert len({api.session_index_for_child(each) for each in view}) == 1
        lengths.append(len(view))
    assert max(lengths) == 3
    assert lengths.count(1) >= 3


def test_blocks_imported_in_one_go_activate_their_last_one() -> None:
    heard: list[Leaf] = []

    async def scenario(network: ParaNetwork) -> None:
        await network.slots(6)
        node = network.validators[0]
        leaves = ActiveLeaves(node.chain, node.parachains.api, node.parachains.reports)
        leaves.on_active(heard.append)
        leaves.update()
        leaves.update()

    network = run_network(scenario)

    assert [leaf.hash for leaf in heard] == [network.validators[0].chain.best]
    assert heard[0].number == network.best.number
