"""The pool: order, limits, following the chain, and what watchers hear."""

import pytest

from substrate.block import extrinsic_hash
from substrate.client.pool import PoolLimits, Status, StatusKind
from substrate.client.pool_graph import PoolError, PoolReason
from substrate.runtime.era import mortal
from substrate.runtime.validity import BadProof, Stale, TransactionInvalid
from tests.substrate.client.mini_node import MiniNode
from tests.substrate.runtime.mini import ALICE, BOB, FERDIE, UNIT, transfer


class Watcher(list[str]):
    """Collects the kinds of statuses."""

    def __call__(self, status: Status) -> None:
        self.append(status.kind.value)


def pay(node: MiniNode, nonce: int, tip: int = 0) -> bytes:
    return node.sign(ALICE, transfer(FERDIE, UNIT), nonce, tip)


def refusal(node: MiniNode, raw: bytes) -> PoolReason:
    with pytest.raises(PoolError) as error:
        node.pool.submit(raw)
    reason = error.value.reason
    assert isinstance(reason, PoolReason)
    return reason


def test_a_valid_transaction_is_ready_included_and_final() -> None:
    node, heard = MiniNode(), Watcher()
    statuses: list[Status] = []

    node.pool.submit(pay(node, 0), sink=lambda status: (heard(status), statuses.append(status))[0])
    block = node.author()
    node.chain.finalize(block)

    assert heard == ["ready", "inBlock", "finalized"]
    assert statuses[1:] == [Status(StatusKind.IN_BLOCK, block), Status(StatusKind.FINALIZED, block)]
    assert len(node.pool) == 0


def test_a_gap_in_nonces_waits_in_the_future_queue() -> None:
    node, second = MiniNode(), Watcher()

    node.pool.submit(pay(node, 2), sink=second)
    node.pool.submit(pay(node, 1))
    assert [len(list(node.pool.ready())), len(node.pool.future())] == [0, 2]
    node.pool.submit(pay(node, 0))

    assert [pooled.raw for pooled in node.pool.ready()] == ready_in_order(node)
    assert second == ["future", "ready"]


def ready_in_order(node: MiniNode) -> list[bytes]:
    by_tag = {pooled.provides: pooled.raw for pooled in node.pool.ready()}
    return [by_tag[tags] for tags in sorted(by_tag, key=lambda tags: tags[0][-4:])]


def test_a_future_transaction_becomes_ready_when_a_block_provides_its_tag() -> None:
    node, other = MiniNode(), MiniNode()
    first, heard = pay(node, 0), Watcher()
    node.pool.submit(pay(node, 1), sink=heard)

    node.importer.import_block(other.make(first))

    assert heard == ["future", "ready"]


def test_higher_tips_come_first_but_never_before_their_dependencies() -> None:
    node = MiniNode()
    cheap, rich = pay(node, 0), pay(node, 1, tip=UNIT // 10)
    bob = node.sign(BOB, transfer(FERDIE, UNIT), 0, tip=UNIT // 100)
    for raw in (cheap, rich, bob):
        node.pool.submit(raw)

    assert [pooled.raw for pooled in node.pool.ready()] == [bob, cheap, rich]


def test_equals_come_in_order_of_arrival() -> None:
    node = MiniNode()
    alice, bob = pay(node, 0), node.sign(BOB, transfer(FERDIE, UNIT), 0)
    node.pool.submit(bob)
    node.pool.submit(alice)

    assert sorted(p.order for p in node.pool.ready()) == [p.order for p in node.pool.ready()]


def test_a_better_transaction_with_the_same_nonce_usurps() -> None:
    node, old, follower = MiniNode(), Watcher(), Watcher()
    node.pool.submit(pay(node, 0), sink=old)
    node.pool.submit(pay(node, 1), sink=follower)

    winner = node.pool.submit(pay(node, 0, tip=UNIT // 10))

    assert old == ["ready", "usurped"]
    assert follower == ["ready"]
    assert next(node.pool.ready()).hash == winner
    assert refusal(node, pay(node, 0, tip=1)) is PoolReason.TOO_LOW_PRIORITY


def test_the_same_transaction_is_refused_while_it_is_known() -> None:
    node = MiniNode()
    raw = pay(node, 0)
    node.pool.submit(raw)

    assert refusal(node, raw) is PoolReason.ALREADY_IMPORTED


def test_invalid_transactions_are_refused_and_bad_signatures_banned() -> None:
    node = MiniNode()
    node.grow(pay(node, 0))
    forged = pay(node, 1)[:-1] + b"\x77"

    with pytest.raises(TransactionInvalid) as stale:
        node.pool.submit(pay(node, 0))
    with pytest.raises(TransactionInvalid) as bad:
        node.pool.submit(forged)

    assert isinstance(stale.value.variant, Stale)
    assert isinstance(bad.value.variant, BadProof)
    assert refusal(node, forged) is PoolReason.TEMPORARILY_BANNED


def test_a_ban_ends_after_its_blocks() -> None:
    node = MiniNode(limits=PoolLimits(ban_blocks=1))
    raw = pay(node, 0)
    node.pool.submit(raw)
    node.pool.remove_invalid(extrinsic_hash(raw))
    assert refusal(node, raw) is PoolReason.TEMPORARILY_BANNED

    node.grow()
    assert refusal(node, raw) is PoolReason.TEMPORARILY_BANNED
    node.grow()

    node.pool.submit(raw)


def test_a_full_pool_drops_the_worst() -> None:
    node, worst = MiniNode(limits=PoolLimits(ready_count=1)), Watcher()
    node.pool.submit(pay(node, 0), sink=worst)

    rich = node.pool.submit(node.sign(BOB, transfer(FERDIE, UNIT), 0, tip=UNIT))

    assert worst == ["ready", "dropped"]
    assert [pooled.hash for pooled in node.pool.ready()] == [rich]
    assert refusal(node, pay(node, 0, tip=1)) is PoolReason.IMMEDIATELY_DROPPED


def test_a_full_pool_drops_the_oldest_of_equals() -> None:
    node, oldest = MiniNode(limits=PoolLimits(ready_count=1)), Watcher()
    node.pool.submit(pay(node, 0), sink=oldest)

    newer = node.pool.submit(node.sign(BOB, transfer(FERDIE, UNIT), 0))

    assert oldest == ["ready", "dropped"]
    assert [pooled.hash for pooled in node.pool.ready()] == [newer]


def test_a_full_future_queue_drops_the_oldest() -> None:
    node, oldest = MiniNode(limits=PoolLimits(future_count=1)), Watcher()
    node.pool.submit(pay(node, 3), sink=oldest)

    newer = node.pool.submit(pay(node, 4))

    assert oldest == ["future", "dropped"]
    assert [pooled.hash for pooled in node.pool.future()] == [newer]


def test_bytes_are_limited_too() -> None:
    node = MiniNode(limits=PoolLimits(ready_bytes=200))
    first = node.pool.submit(pay(node, 0, tip=UNIT))

    assert refusal(node, node.sign(BOB, transfer(FERDIE, UNIT), 0)) is PoolReason.IMMEDIATELY_DROPPED
    assert [pooled.hash for pooled in node.pool.ready()] == [first]


def test_a_reorganisation_retracts_and_resubmits() -> None:
    node, heard = MiniNode(), Watcher()
    node.pool.submit(pay(node, 0), sink=heard)
    node.pool.submit(pay(node, 1))
    a1 = node.author()
    node.grow(parent=node.chain.genesis, weight=1)
    assert heard == ["ready", "inBlock", "retracted", "ready"]
    assert len(list(node.pool.ready())) == 2

    final = node.author()
    node.chain.finalize(final)

    assert heard[4:] == ["inBlock", "finalized"]
    assert a1 not in node.chain


def test_a_transaction_in_both_forks_moves_with_the_best_block() -> None:
    node, heard = MiniNode(), Watcher()
    raw = pay(node, 0)
    node.pool.submit(raw, sink=heard)
    node.author()

    node.grow(raw, parent=node.chain.genesis, weight=1)

    assert heard == ["ready", "inBlock", "retracted", "inBlock"]
    assert len(node.pool) == 0


def test_finality_of_another_fork_retracts_first() -> None:
    node, heard = MiniNode(), Watcher()
    raw = pay(node, 0)
    node.pool.submit(raw, sink=heard)
    node.grow(raw, weight=2)
    other = node.grow(parent=node.chain.genesis)

    node.chain.finalize(other)

    assert heard == ["ready", "inBlock", "retracted", "ready"]
    node.chain.finalize(node.author())
    assert heard[4:] == ["inBlock", "finalized"]


def test_a_mortal_transaction_that_expires_ends_its_watch() -> None:
    node, heard = MiniNode(), Watcher()
    node.pool.submit(node.sign(ALICE, transfer(FERDIE, UNIT), 0, era=mortal(4, 0)), sink=heard)

    for _ in range(5):
        node.grow()

    assert heard == ["ready", "invalid"]


def test_what_expires_is_looked_at_however_many_wait_for_longer() -> None:
    node, heard = MiniNode(limits=PoolLimits(revalidated_per_block=0)), Watcher()
    node.pool.submit(node.sign(ALICE, transfer(FERDIE, UNIT), 0, era=mortal(4, 0)), sink=heard)

    for _ in range(5):
        node.grow()

    assert heard == ["ready", "invalid"]


def test_what_a_block_makes_stale_leaves_and_its_followers_stay() -> None:
    node, stale, follower = MiniNode(), Watcher(), Watcher()
    node.pool.submit(pay(node, 0), sink=stale)
    node.pool.submit(pay(node, 1), sink=follower)

    node.grow(pay(node, 0, tip=5))

    assert stale == ["ready", "usurped"]
    assert follower == ["ready"]
    assert len(list(node.pool.ready())) == 1


def test_followers_of_what_an_author_found_invalid_wait_again() -> None:
    node, first, second = MiniNode(), Watcher(), Watcher()
    hash_ = node.pool.submit(pay(node, 0), sink=first)
    node.pool.submit(pay(node, 1), sink=second)

    node.pool.remove_invalid(hash_)

    assert first == ["ready", "invalid"]
    assert [len(list(node.pool.ready())), len(node.pool.future())] == [0, 1]
    node.pool.submit(pay(node, 0, tip=1))
    assert second == ["ready", "ready"]


def test_what_leaves_the_pool_is_not_offered_to_who_is_looking_through_it() -> None:
    node = MiniNode()
    bad, follower = pay(node, 0, tip=UNIT), pay(node, 1, tip=UNIT)
    other, late = (node.sign(BOB, transfer(FERDIE, UNIT), nonce) for nonce in range(2))
    for raw in (bad, follower, other):
        node.pool.submit(raw)
    offered: list[bytes] = []

    for pooled in node.pool.ready():
        offered.append(pooled.raw)
        if pooled.raw == bad:
            node.pool.remove_invalid(pooled.hash)
            node.pool.submit(late)

    assert offered == [bad, other]
    assert {pooled.raw for pooled in node.pool.ready()} == {other, late}


def test_ready_transactions_are_announced_once() -> None:
    node = MiniNode()
    announced: list[bytes] = []
    node.pool.on_ready(lambda pooled: announced.append(pooled.raw))
    raw, later = pay(node, 0), pay(node, 1)
    node.pool.submit(later)
    node.pool.submit(raw)
    for _ in range(3):
        node.grow()

    assert announced == [raw, later]


def test_broadcasts_and_unwatching() -> None:
    node, heard, quiet = MiniNode(), Watcher(), Watcher()
    first = node.pool.submit(pay(node, 0), sink=heard)
    second = node.pool.submit(pay(node, 1), sink=quiet)
    node.pool.broadcasted(first, ("bob",))
    node.pool.unwatch(second, quiet)
    node.author()

    assert heard == ["ready", "broadcast", "inBlock"]
    assert quiet == ["ready"]
