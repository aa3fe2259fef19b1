"""Rows over MQTT, with a real broker on 127.0.0.1."""

import asyncio
from pathlib import Path

import pytest

from testnet.clock import run_virtual
from testnet.publish import Publisher, PublishError, embedded_broker, follow, free_port, topic
from testnet.record import Record


async def collect(url: str, ready: asyncio.Event, **wanted: str) -> list[dict[str, object]]:
    return [dict(row) async for row in follow(url, subscribed=ready, **wanted)]


async def test_rows_reach_who_follows_and_the_end_ends_it(tmp_path: Path) -> None:
    port = free_port()
    url = f"mqtt://127.0.0.1:{port}"
    async with embedded_broker(port), asyncio.TaskGroup() as group:
        readies = [asyncio.Event(), asyncio.Event()]
        everything = group.create_task(collect(url, readies[0], run="demo"))
        only_assets = group.create_task(collect(url, readies[1], table="blocks", chain="assets"))
        for ready in readies:
            await ready.wait()
        await asyncio.to_thread(publish_some, url, tmp_path)

    rows = everything.result()
    assert [(row["table"], row.get("block")) for row in rows] == [("blocks", n) for n in range(500)] + [("messages", 1)]
    assert rows[-1]["fee_delivery"] == str(2**70)
    assert len(only_assets.result()) == 250


def publish_some(url: str, tmp_path: Path) -> None:
    record = Record(tmp_path / "run.sqlite")
    with Publisher(url, run="demo") as publisher:
        record.listen(publisher.put)
        for number in range(500):
            record.row("blocks", chain=("relay", "assets")[number % 2], block=number, hash=f"0x{number}")
        record.row(
            "messages", message_id="0xm", origin="assets", dest="relay", block=1, block_hash="0x", fee_delivery=2**70
        )
    record.close()
    assert publisher.failure is None
    assert publisher.dropped_count == 0


async def test_without_a_host_a_broker_is_started_here() -> None:
    publisher = Publisher("mqtt://", run="r")
    await asyncio.to_thread(publisher.__enter__)
    ready = asyncio.Event()
    reading = asyncio.create_task(anext(follow(publisher.url, subscribed=ready)))
    await ready.wait()
    publisher.put("blocks", {"chain": "relay", "block": 1})

    assert (await reading)["block"] == 1
    await asyncio.to_thread(publisher.__exit__, None, None, None)
    assert not publisher._thread.is_alive()


def test_it_works_beside_the_virtual_clock(tmp_path: Path) -> None:
    async def main(publisher: Publisher) -> None:
        for number in range(10):
            publisher.put("blocks", {"chain": "relay", "block": number})
            await asyncio.sleep(6)

    with Publisher("mqtt://", run="r") as publisher:
        run_virtual(main(publisher))
    assert publisher.failure is None


def test_no_broker_is_named_with_the_cure() -> None:
    port = free_port()
    with pytest.raises(PublishError, match=rf"127\.0\.0\.1:{port} cannot be used: .*; start one there"):
        Publisher(f"mqtt://127.0.0.1:{port}", run="r").__enter__()


async def test_following_nobody_is_named() -> None:
    with pytest.raises(PublishError, match="is the run going on"):
        await anext(follow(f"mqtt://127.0.0.1:{free_port()}"))


@pytest.mark.parametrize("url", ["http://x", "127.0.0.1:1883", "mqtt://h:port", "mqtt://h/path"])
def test_what_is_no_broker(url: str) -> None:
    with pytest.raises(PublishError, match="is no broker; write mqtt://host:port"):
        Publisher(url, run="r")


def test_names_cannot_leave_their_level() -> None:
    assert topic("my run/#", "blocks", "a+b") == "relayloom/my_run__/blocks/a_b"
