"""The in-process network: deterministic links, deadlines, and bugs that are not swallowed."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from substrate.client.protocols import RequestFailed
from substrate.errors import ChainError
from testnet.clock import Deadlock, run_virtual
from testnet.faults import LinkSettings
from testnet.transports.memory import MemoryHub, MemoryNetwork, heal, partition

Log = list[tuple[int, bytes]]


def run_pair(
    body: Callable[[MemoryHub, MemoryNetwork, Log], Awaitable[None]],
    seed: int = 7,
    limit: int = 10_000,
    **settings: object,
) -> Log:
    """What bob hears, with microseconds, while `body` speaks as alice."""

    async def main() -> Log:
        log = Log()
        loop = asyncio.get_running_loop()
        async with MemoryHub(seed=seed, default=LinkSettings(**settings), queue_limit=limit) as hub:  # type: ignore[arg-type]
            alice, bob = hub.join("alice"), hub.join("bob")
            bob.on("note", lambda _, payload: log.append((round(loop.time() * 1e6), payload)))
            await body(hub, alice, log)
            await asyncio.sleep(60)
        return log

    return run_virtual(main())


async def hundred_notes(_: MemoryHub, alice: MemoryNetwork, __: Log) -> None:
    for number in range(100):
        alice.send("bob", "note", bytes([number]))


def test_a_packet_arrives_after_the_latency() -> None:
    async def body(_: MemoryHub, alice: MemoryNetwork, __: Log) -> None:
        alice.broadcast("note", b"x")

    assert run_pair(body, latency_us=2_500) == [(2_500, b"x")]


def test_luck_repeats_with_the_seed_and_differs_without() -> None:
    settings = {"latency_us": 1000, "jitter_us": 900, "loss": 0.3, "duplicate": 0.1, "reorder": True}

    first, second, other = (run_pair(hundred_notes, seed=seed, **settings) for seed in (1, 1, 2))

    assert first == second != other
    assert 50 < len(first) < 95


def test_jitter_keeps_the_order_unless_it_may_not() -> None:
    kept = run_pair(hundred_notes, jitter_us=500)
    mixed = run_pair(hundred_notes, jitter_us=500, reorder=True)

    assert [payload[0] for _, payload in kept] == list(range(100))
    assert sorted(mixed, key=lambda entry: entry[1]) != mixed
    assert len(mixed) == 100


def test_rate_queues_packets_behind_each_other() -> None:
    async def body(_: MemoryHub, alice: MemoryNetwork, __: Log) -> None:
        alice.send("bob", "note", bytes(1000))
        alice.send("bob", "note", bytes(500))

    log = run_pair(body, latency_us=10, rate_bytes_per_s=1_000_000)

    assert [at for at, _ in log] == [1010, 1510]


def test_a_full_queue_drops_and_counts() -> None:
    async def body(hub: MemoryHub, alice: MemoryNetwork, _: Log) -> None:
        await hundred_notes(hub, alice, _)
        assert hub.dropped == {("alice", "bob", "queue full"): 60}

    assert len(run_pair(body, limit=40)) == 40


def test_a_partition_cuts_both_ways_until_it_heals() -> None:
    async def body(hub: MemoryHub, alice: MemoryNetwork, _: Log) -> None:
        partition(hub, [["alice"], ["bob"]])
        alice.send("bob", "note", b"lost")
        heal(hub)
        alice.send("bob", "note", b"heard")

    assert run_pair(body) == [(1000, b"heard")]


def test_a_node_that_left_is_not_reached_and_may_return() -> None:
    async def body(hub: MemoryHub, alice: MemoryNetwork, log: Log) -> None:
        hub.leave("bob")
        assert alice.peers() == ()
        alice.send("bob", "note", b"lost")
        await asyncio.sleep(1)
        hub.join("bob").on("note", lambda _, payload: log.append((0, payload)))
        alice.send("bob", "note", b"heard")

    assert run_pair(body) == [(0, b"heard")]


def test_a_request_is_answered_refused_or_late() -> None:
    async def slow(sender: str, payload: bytes) -> bytes:
        await asyncio.sleep(payload[0])
        if payload[0] == 2:
            raise ChainError("not for you")
        return sender.encode() + payload

    async def ask(alice: MemoryNetwork, kind: str, payload: bytes, peer: str = "bob") -> str:
        try:
            return (await alice.request(peer, kind, payload, timeout_us=5_000_000)).hex()
        except RequestFailed as error:
            return str(error)

    async def main() -> list[str]:
        async with MemoryHub(seed=1) as hub:
            alice = hub.join("alice")
            hub.join("bob").serve("slow", slow)
            asked = [ask(alice, "slow", bytes([n])) for n in (1, 2, 9)]
            return await asyncio.gather(*asked, ask(alice, "other", b""), ask(alice, "slow", b"", "nobody"))

    assert run_virtual(main()) == [
        (b"alice\1").hex(),
        "bob refused slow: not for you",
        "bob did not answer slow within 5000 ms",
        "bob refused other: not served",
        "nobody did not answer slow within 5000 ms",
    ]


def test_a_peers_bad_bytes_are_dropped_and_our_bug_ends_the_run() -> None:
    def refuse(_: str, payload: bytes) -> None:
        raise ZeroDivisionError if payload else ChainError("bad bytes")

    async def main() -> None:
        async with MemoryHub(seed=1) as hub:
            alice = hub.join("alice")
            hub.join("bob").on("note", refuse)
            alice.send("bob", "note", b"")
            await asyncio.sleep(1)
            assert hub.dropped == {("alice", "bob", "ChainError"): 1}
            alice.send("bob", "note", b"x")
            await asyncio.sleep(1)
            raise AssertionError("the bug was swallowed")

    with pytest.RaisesGroup(ZeroDivisionError):
        run_virtual(main())


def test_a_servers_bug_ends_the_run() -> None:
    async def broken(_: str, __: bytes) -> bytes:
        raise ZeroDivisionError

    async def main() -> None:
        async with MemoryHub(seed=1) as hub:
            hub.join("bob").serve("x", broken)
            await hub.join("alice").request("bob", "x", b"", timeout_us=1_000_000)

    with pytest.RaisesGroup(ZeroDivisionError):
        run_virtual(main())


def test_after_closing_nothing_is_carried() -> None:
    async def body(hub: MemoryHub, alice: MemoryNetwork, _: Log) -> None:
        alice.send("bob", "note", b"in flight")
        hub.close()
        alice.send("bob", "note", b"late")

    assert run_pair(body) == []


def test_waiting_for_a_packet_that_nobody_sends_is_a_deadlock() -> None:
    async def main() -> None:
        async with MemoryHub(seed=1) as hub:
            hub.join("alice")
            await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        run_virtual(main())


def test_impossible_settings_are_refused() -> None:
    for settings in ({"loss": 1.5}, {"duplicate": -0.1}, {"latency_us": -1}, {"rate_bytes_per_s": 0}):
        with pytest.raises(ValueError, match=r"chances|negative"):
            LinkSettings(**settings)  # type: ignore[arg-type]
