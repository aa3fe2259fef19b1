"""Figures of the house itself: the virtual clock, the network in memory, the record, and publishing."""

import asyncio
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from testnet.clock import run_virtual
from testnet.faults import LinkSettings
from testnet.publish import Publisher
from testnet.record import Record
from testnet.transports.memory import MemoryHub


def rate(what: str, bar: int, count: int, work: Callable[[], object]) -> None:
    """Do `work` and hold `count` per second of it against the bar."""
    started = time.perf_counter()
    work()
    reached = round(count / (time.perf_counter() - started))
    print(f"\n{what:<50} {reached:>9,} /s   bar {bar:>9,} /s")
    assert reached >= bar


async def talk(packets: int) -> int:
    """Two nodes on a jittery link, until `packets` have arrived."""
    heard = 0

    def hear(_: str, __: bytes) -> None:
        nonlocal heard
        heard += 1

    async with MemoryHub(seed=1, default=LinkSettings(jitter_us=500), queue_limit=2_000) as hub:
        alice = hub.join("alice")
        hub.join("bob").on("x", hear)
        for _ in range(packets // 1_000):
            for _ in range(1_000):
                alice.send("bob", "x", b"payload")
            await asyncio.sleep(0.01)
    return heard


@pytest.mark.bench
def test_packets_in_memory() -> None:
    rate("packets over a link in memory, virtual clock", 50_000, 100_000, lambda: run_virtual(talk(100_000)))


def write_events(record: Record, count: int) -> None:
    for number in range(count):
        record.row(
            "events", chain="relay", block=number, block_hash=number.to_bytes(32), event=0, phase="finalization",
            pallet="Balances", name="Transfer", data={"from": "alice", "amount": 10**12}, at=number,
        )  # fmt: skip
    record.flush()


@pytest.mark.bench
def test_rows_of_the_record(tmp_path: Path) -> None:
    record = Record(tmp_path / "run.sqlite")
    rate("rows into the record", 30_000, 50_000, lambda: write_events(record, 50_000))
    rate("rows into the digest", 100_000, 50_000, record.digest)
    record.close()


@pytest.mark.bench
def test_rows_published(tmp_path: Path) -> None:
    def publish() -> None:
        record = Record(tmp_path / "run.sqlite")
        with Publisher("mqtt://", run="bench") as publisher:
            record.listen(publisher.put)
            write_events(record, 5_000)
        record.close()
        assert publisher.dropped_count == 0

    rate("rows published through our own broker", 1_000, 5_000, publish)


@pytest.mark.soak
def test_a_million_packets_leave_nothing_behind() -> None:
    assert run_virtual(talk(10_000)) == 10_000
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    assert run_virtual(talk(1_000_000)) == 1_000_000
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 1_000_000, f"{grown} bytes were left"
