"""The block tree: fork choice, reorganisation, finality, states."""

import pytest

from substrate.block import Justification
from substrate.client.chain import BlockchainError, Chain
from substrate.client.execution import executor
from substrate.client.importing import BlockImport, BlockImportError, ExecutionCache
from substrate.types import Hash
from tests.substrate.client.mini_node import MiniNode, SealConsensus, load_mini, weight_of
from tests.substrate.runtime.mini import ALICE, FERDIE, UNIT, account, genesis_state, transfer


def test_a_new_chain_is_its_genesis() -> None:
    chain = MiniNode().chain

    assert chain.best == chain.finalized == chain.genesis == chain.number_to_hash(0)
    assert chain.leaves() == (chain.genesis,)
    assert chain.state(chain.genesis).root == genesis_state().root


def test_the_longer_fork_wins_at_equal_weight() -> None:
    node = MiniNode()
    a1 = node.grow(salt=1)
    b1 = node.grow(parent=node.chain.genesis, salt=2)
    b2 = node.grow(parent=b1)

    assert node.chain.best == b2
    assert set(node.chain.leaves()) == {a1, b2}
    assert node.chain.leaves()[0] == b2


def test_weight_beats_length() -> None:
    node = MiniNode()
    a1 = node.grow(salt=1)
    node.grow(parent=a1)
    b1 = node.grow(parent=node.chain.genesis, weight=1)

    assert node.chain.best == b1
    assert node.chain.weight(b1) == 1


def test_ties_go_to_the_lower_hash_whatever_came_first() -> None:
    node, other = MiniNode(), MiniNode()
    blocks = [node.make(salt=salt) for salt in range(4)]
    for block in blocks:
        node.importer.import_block(block)
    for block in reversed(blocks):
        other.importer.import_block(block)

    assert node.chain.best == other.chain.best == min(block.hash for block in blocks)


def test_relations_between_forks() -> None:
    node = MiniNode()
    chain, a1 = node.chain, node.grow()
    a2, b2 = node.grow(parent=a1, salt=1), node.grow(parent=a1, salt=2)
    b3 = node.grow(parent=b2)

    assert chain.common_ancestor(a2, b3) == a1
    assert chain.route(a2, b3) == ((a2,), (b2, b3))
    assert chain.is_ancestor(a1, b3)
    assert chain.is_ancestor(b3, b3)
    assert not chain.is_ancestor(a2, b3)
    assert not chain.is_ancestor(b3, a1)
    assert chain.children(a1) == (a2, b2)
    assert list(chain.ancestry(b3)) == [b2, a1, chain.genesis]
    assert [chain.number_to_hash(n, b3) for n in range(5)] == [chain.genesis, a1, b2, b3, None]
    assert chain.number_to_hash(2, a2) == a2


def test_finalising_drops_the_other_forks_and_moves_the_best_block_first() -> None:
    node = MiniNode()
    chain, a1 = node.chain, node.grow()
    heard: list[tuple[str, Hash]] = []
    a2, b2 = node.grow(parent=a1, salt=1, weight=2), node.grow(parent=a1, salt=2)
    assert chain.best == a2
    chain.on_best(lambda block: heard.append(("best", block)))
    chain.on_finalized(lambda block: heard.append(("final", block)))

    chain.finalize(b2)

    assert heard == [("best", b2), ("final", b2)]
    assert chain.finalized == chain.best == b2
    assert a2 not in chain
    assert [chain.number_to_hash(n) for n in range(3)] == [chain.genesis, a1, b2]
    assert chain.is_ancestor(a1, b2)
    assert chain.common_ancestor(a1, b2) == a1
    assert chain.children(a1) == (b2,)


def test_only_descendants_of_the_final_block_are_finalised_or_built_on() -> None:
    node = MiniNode()
    a1 = node.grow(salt=1)
    late = node.make(parent=node.chain.genesis, salt=2)
    node.grow(parent=a1)
    node.chain.finalize(a1)

    with pytest.raises(BlockImportError, match="NotInFinalizedChain"):
        node.importer.import_block(late)
    with pytest.raises(BlockchainError, match="NotInFinalizedChain"):
        node.chain.finalize(node.chain.genesis)
    with pytest.raises(BlockchainError, match="UnknownBlock"):
        node.chain.finalize(Hash(bytes(32)))


def test_states_are_kept_for_a_window_of_final_blocks_and_for_all_others() -> None:
    chain = Chain(genesis_state(), load_mini, weight=weight_of, kept_states=2)
    node = MiniNode()
    importer = BlockImport(chain, SealConsensus(), executor(load_mini), ExecutionCache())
    blocks = [node.grow(node.sign(ALICE, transfer(FERDIE, UNIT), n)) for n in range(5)]
    for block in blocks:
        importer.import_block(node.chain.block(block))

    chain.finalize(blocks[3])

    kept = [chain.runtime(block).balances.free_balance(account(FERDIE)) // UNIT for block in blocks[2:]]
    assert kept == [3, 4, 5]
    with pytest.raises(BlockchainError, match="StateDiscarded"):
        chain.state(blocks[1])
    assert chain.block(blocks[1]).header.number == 2


def test_a_block_that_is_not_viable_and_its_descendants_are_never_best() -> None:
    node = MiniNode()
    chain, a1 = node.chain, node.grow()
    a2 = node.grow(parent=a1, salt=1)
    a3, b2 = node.grow(parent=a2), node.grow(parent=a1, salt=2)
    reverted: set[Hash] = {a2}
    heard: list[Hash] = []
    chain.on_best(heard.append)
    chain.is_viable = lambda block: block not in reverted

    chain.reconsider()
    assert chain.best == b2
    node.grow(parent=a3)
    assert chain.best == b2
    reverted.clear()
    chain.reconsider()

    assert chain.number(chain.best) == 4
    assert heard == [b2, chain.best]


def test_the_best_block_is_never_below_the_final_one() -> None:
    node = MiniNode()
    chain, a1 = node.chain, node.grow()
    a2 = node.grow(parent=a1)
    chain.is_viable = lambda block: block != a2
    chain.reconsider()
    assert chain.best == a1

    chain.finalize(a2)

    assert chain.best == a2


def test_the_best_head_above_a_block_is_what_fork_choice_prefers_there() -> None:
    node = MiniNode()
    chain, a1 = node.chain, node.grow()
    one, two, three = (node.grow(parent=a1, salt=salt) for salt in (1, 2, 3))
    heavy = node.grow(parent=chain.genesis, salt=4, weight=1)
    assert chain.best == heavy

    assert chain.best_containing(chain.genesis) == heavy
    assert chain.best_containing(a1) == min(one, two, three)
    assert chain.best_containing(one) == one
    chain.is_viable = lambda block: block not in (min(one, two, three), heavy)
    assert chain.best_containing(a1) == sorted((one, two, three))[1]
    chain.finalize(a1)
    assert chain.best_containing(chain.genesis) == chain.best


def test_a_cancelled_subscription_is_silent() -> None:
    node = MiniNode()
    heard: list[Hash] = []
    cancel = node.chain.on_imported(heard.append)
    first = node.grow()
    cancel()
    node.grow()

    assert heard == [first]


def test_finality_reached_while_a_block_is_announced_leaves_no_trace_of_the_other_fork() -> None:
    """As when a partition heals: the commit for `a1` was here before `a1`."""
    node = MiniNode()
    chain = node.chain
    b2 = node.grow(parent=node.grow(salt=9))
    a1 = node.make(parent=chain.genesis, salt=1)
    heard: list[tuple[str, Hash]] = []
    chain.on_imported(lambda block: chain.finalize(a1.hash) if block == a1.hash else None)
    chain.on_best(lambda block: heard.append(("best", block)))

    node.importer.import_block(a1)

    assert chain.best == chain.finalized == a1.hash
    assert b2 not in chain
    assert heard == [("best", a1.hash)]


def test_the_best_block_that_a_follower_was_told_of_last_is_there_until_it_hears_of_the_next() -> None:
    """As where the vote that makes the new fork final was here before it."""
    node = MiniNode()
    chain, a1 = node.chain, node.grow(salt=1)
    b1 = node.make(parent=chain.genesis, salt=2, weight=2)
    routes: list[tuple[tuple[Hash, ...], tuple[Hash, ...]]] = []
    chain.on_imported(chain.finalize)
    chain.on_best(lambda best: routes.append(chain.route(a1, best)))

    node.importer.import_block(b1)

    assert routes == [((a1,), (b1.hash,))]
    assert a1 not in chain


def test_a_follower_of_the_best_block_may_finalise_on_its_own() -> None:
    node = MiniNode()
    chain, a1 = node.chain, node.grow(salt=1)
    a2, b1 = node.grow(parent=a1, salt=1), node.grow(parent=chain.genesis, salt=2)
    b2 = node.grow(parent=b1, salt=2)
    assert chain.best == min(a2, b2)
    heard: list[Hash] = []
    one, two = (a1, a2) if chain.best == b2 else (b1, b2)
    chain.on_best(lambda _: chain.finalize(one))
    chain.on_finalized(heard.append)

    chain.finalize(two)

    assert heard == [one, two]
    assert [chain.number_to_hash(number) for number in (1, 2)] == [one, two]
    assert list(chain.leaves()) == [chain.best] == [two]


def test_what_a_follower_of_the_best_block_imports_on_a_dying_fork_goes_with_it() -> None:
    node = MiniNode()
    chain, a1 = node.chain, node.grow(salt=1, weight=1)
    b1 = node.grow(parent=chain.genesis, salt=2)
    late = node.make(parent=a1, salt=3, weight=1)
    heard: list[Hash] = []
    chain.on_best(heard.append)
    chain.on_best(lambda _: None if late.hash in chain else node.importer.import_block(late))

    chain.finalize(b1)

    assert late.hash not in chain
    assert chain.best == chain.finalized == b1
    assert heard == [b1, late.hash, b1]


def test_a_block_that_is_gone_when_its_turn_comes_is_not_announced() -> None:
    node = MiniNode()
    chain, a1 = node.chain, node.grow(salt=1)
    b1 = node.make(parent=chain.genesis, salt=2, weight=1)
    heard: list[Hash] = []
    chain.on_imported(lambda _: chain.finalize(a1))
    chain.on_imported(heard.append)

    node.importer.import_block(b1)

    assert heard == []
    assert chain.best == a1


def test_the_best_block_is_chosen_before_anybody_hears_of_the_new_one() -> None:
    node = MiniNode()
    best_seen: list[Hash] = []
    node.chain.on_imported(lambda _: best_seen.append(node.chain.best))

    assert best_seen == [node.grow()]


def test_finality_reached_while_finality_is_announced_is_heard_in_order() -> None:
    node = MiniNode()
    chain, blocks, heard = node.chain, [node.grow() for _ in range(3)], list[Hash]()
    chain.on_finalized(lambda block: chain.finalize(blocks[1]) if block == blocks[0] else None)
    chain.on_finalized(heard.append)

    chain.finalize(blocks[0])
    chain.finalize(blocks[2])

    assert heard == [blocks[1], blocks[2]]


def test_finalising_the_final_block_again_only_adds_the_proof() -> None:
    node = MiniNode()
    a1 = node.grow()
    a2 = node.grow()
    node.chain.finalize(a1)
    proof = Justification(b"TEST", a1)

    node.chain.finalize(a1, proof)

    assert node.chain.justifications(a1) == (proof,)
    assert node.chain.block(a2).hash == node.chain.best == a2
