"""The house itself: packets in memory, rows of the record, rows published."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import Figure
from packets import talk

from testnet.clock import run_virtual
from testnet.publish import Publisher
from testnet.record import Record

PUBLISHED_WITHIN_S = 60


def write_events(record: Record, count: int) -> None:
    for number in range(count):
        record.row(
            "events", chain="relay", block=number, block_hash=number.to_bytes(32), event=0, phase="finalization",
            pallet="Balances", name="Transfer", data={"from": "alice", "amount": 10**12}, at=number,
        )  # fmt: skip
    record.flush()


def publish(record: Record, publisher: Publisher, count: int) -> None:
    write_events(record, count)
    until = time.monotonic() + PUBLISHED_WITHIN_S
    while publisher.unpublished_count:
        assert time.monotonic() < until, publisher.failure or f"{publisher.unpublished_count} rows wait"
        time.sleep(0.01)


def rate(what: str, bar: int, count: int, work: Callable[[], object]) -> Figure:
    started = time.perf_counter()
    work()
    return Figure(what, "/s", bar, bar * 2, count / (time.perf_counter() - started), more_is_better=True)


def measure() -> Iterator[Figure]:
    yield rate("packets over a link in memory, virtual clock", 50_000, 100_000, lambda: run_virtual(talk(100_000)))
    with TemporaryDirectory() as directory:
        record = Record(Path(directory) / "run.sqlite")
        yield rate("rows into the record", 30_000, 50_000, lambda: write_events(record, 50_000))
        yield rate("rows into the digest", 100_000, 50_000, record.digest)
        record.close()
    with TemporaryDirectory() as directory:
        record = Record(Path(directory) / "run.sqlite")
        with Publisher("mqtt://", run="bench") as publisher:
            record.listen(publisher.put)
            yield rate("rows published through our own broker", 1_000, 5_000, lambda: publish(record, publisher, 5_000))
            record.close()
