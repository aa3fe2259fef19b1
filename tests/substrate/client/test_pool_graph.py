"""The pool's graph under arbitrary use: order and bookkeeping hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from substrate.client.pool_graph import Change, Pooled, PoolError, TransactionGraph
from substrate.types import Hash

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["insert", "insert", "insert", "prune", "remove"]),
        st.integers(0, 2),
        st.integers(0, 5),
        st.integers(0, 3),
    ),
    max_size=40,
)


def tag(account: int, nonce: int) -> bytes:
    return bytes([account, nonce])


def transaction(account: int, nonce: int, priority: int, order: int) -> Pooled:
    requires = (tag(account, nonce - 1),) if nonce else ()
    return Pooled(
        hash=Hash(bytes([account, nonce, priority])),
        raw=bytes([account]) * (nonce + 1),
        priority=priority,
        requires=requires,
        provides=(tag(account, nonce),),
        valid_till=1000,
        propagate=True,
        order=order,
        checked=0,
    )


def check(graph: TransactionGraph, included: set[bytes]) -> None:
    listed = list(graph.best_first())
    assert sorted(each.hash for each in listed) == sorted(graph.ready)
    seen: set[bytes] = set()
    for each in listed:
        provided = {tag for other in graph.ready.values() for tag in other.provides}
        assert all(tag in seen or tag not in provided for tag in each.requires)
        assert not seen & set(each.provides), "one provider for a tag"
        seen.update(each.provides)
    for each in graph.ready.values():
        assert all(tag in seen or tag in included for tag in each.requires)
    for each in graph.future.values():
        assert any(tag not in seen for tag in each.requires)
    assert graph.ready_bytes == sum(len(each.raw) for each in graph.ready.values())
    assert graph.future_bytes == sum(len(each.raw) for each in graph.future.values())
    if graph.ready:
        assert graph.worst() is min(graph.ready.values(), key=lambda each: (each.priority, each.order))


def several(provides: tuple[bytes, ...], priority: int, order: int) -> Pooled:
    base = transaction(0, 0, priority, order)
    return replace(base, hash=Hash(bytes([order])), requires=(), provides=provides)


@pytest.mark.parametrize("priority", [3, 6, 7])
def test_a_transaction_replaces_only_what_is_worth_less_in_sum(priority: int) -> None:
    graph = TransactionGraph()
    first, second = several((b"a",), 3, 1), several((b"b",), 3, 2)
    graph.insert(first)
    graph.insert(second)
    rival = several((b"a", b"b"), priority, 3)

    if priority > 6:
        assert graph.insert(rival) == Change(ready=[rival], usurped=[first, second])
        return
    with pytest.raises(PoolError) as refusal:
        graph.insert(rival)

    assert refusal.value.context == {"transaction": rival.hash.hex(), "old": 6, "new": priority}
    assert list(graph.ready.values()) == [first, second]


def test_a_transaction_of_no_priority_is_taken_where_it_replaces_nothing() -> None:
    graph = TransactionGraph()
    graph.insert(several((b"a",), 0, 1))

    with pytest.raises(PoolError, match="TooLowPriority"):
        graph.insert(several((b"a",), 0, 2))


@given(ACTIONS)
def test_order_links_and_sizes_hold_after_every_step(actions: list[tuple[str, int, int, int]]) -> None:
    graph, included = TransactionGraph(), set[bytes]()
    for order, (action, account, nonce, priority) in enumerate(actions):
        one = transaction(account, nonce, priority, order)
        if action == "prune":
            graph.prune(one.provides)
            included.update(one.provides)
        elif action == "remove":
            graph.remove(one.hash)
        elif graph.get(one.hash) is None:
            before = (dict(graph.ready), dict(graph.future))
            try:
                graph.insert(one)
            except PoolError:
                assert (graph.ready, graph.future) == before
        check(graph, included)
