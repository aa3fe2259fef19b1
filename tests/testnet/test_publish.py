"""Rows over MQTT, with a real broker on 127.0.0.1."""

import asyncio
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import pytest

from testnet.clock import run_virtual
from testnet.publish import Follower, Publisher, PublishError, connect, embedded_broker, free_port, topic
from testnet.record import Record


async def collect(follower: Follower, ready: asyncio.Event) -> list[dict[str, object]]:
    return [dict(row) async for row in follower.rows(ready)]


async def send(url: str, *payloads: tuple[str, bytes]) -> None:
    """What any client may publish."""
    async with connect(urlsplit(url)) as client:
        for where, payload in payloads:
            await client.publish(where, payload, qos=1)


async def test_rows_reach_who_follows_and_the_end_ends_it(tmp_path: Path) -> None:
    port = free_port()
    url = f"mqtt://127.0.0.1:{port}"
    async with embedded_broker(port), asyncio.TaskGroup() as group:
        readies = [asyncio.Event(), asyncio.Event()]
        everything = group.create_task(collect(Follower(url, run="demo"), readies[0]))
        only_assets = group.create_task(collect(Follower(url, tables=("blocks",), chain="assets"), readies[1]))
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
    assert publisher.unpublished_count == 0


KILLED = """
import os, sys
from testnet.publish import Publisher

publisher = Publisher(sys.argv[1], run="killed").__enter__()
publisher.put("blocks", {"chain": "relay", "block": 1})
publisher.settle()
os._exit(9)
"""


async def test_a_run_that_is_killed_has_ended_too() -> None:
    port = free_port()
    url = f"mqtt://127.0.0.1:{port}"
    async with embedded_broker(port), asyncio.TaskGroup() as group:
        ready = asyncio.Event()
        rows = group.create_task(collect(Follower(url, run="killed"), ready))
        await ready.wait()
        run = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, url)
        assert await run.wait() == 9

    assert rows.result() == [{"run": "killed", "table": "blocks", "chain": "relay", "block": 1}]


async def test_without_a_host_a_broker_is_started_here() -> None:
    publisher = Publisher("mqtt://", run="r")
    await asyncio.to_thread(publisher.__enter__)
    ready = asyncio.Event()
    reading = asyncio.create_task(anext(Follower(publisher.url).rows(ready)))
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
        await anext(Follower(f"mqtt://127.0.0.1:{free_port()}").rows())


@pytest.mark.parametrize(
    "url",
    ["http://x", "127.0.0.1:1883", "mqtt://h:port", "mqtt://h:0", "mqtt://h/path", "mqtt://h?x", "mqtt://a..b:1883",
     "mqtt://[::1", "mqtt://:1883", "mqtt://@"],
)  # fmt: skip
def test_what_is_no_broker(url: str) -> None:
    with pytest.raises(PublishError) as refusal:
        Publisher(url, run="r")

    shown = url.replace("@", "")
    assert str(refusal.value) == f"{shown!r} is no broker; write mqtt://host:port, or mqtt:// for one of our own"


def test_a_password_is_told_to_nobody() -> None:
    address = f"127.0.0.1:{free_port()}"
    publisher = Publisher(f"mqtt://me:secret@{address}", run="r")

    with pytest.raises(PublishError) as unreached:
        publisher.__enter__()
    with pytest.raises(PublishError) as refusal:
        Publisher("mqtt://me:secret@h:port", run="r")

    assert publisher.url == f"mqtt://{address}"
    assert str(unreached.value).startswith(f"the MQTT broker at {address} cannot be used: ")
    assert "secret" not in str(unreached.value) + str(refusal.value)


async def test_a_run_is_followed_to_its_own_end() -> None:
    port = free_port()
    url = f"mqtt://127.0.0.1:{port}"
    row = b'{"run":"%b","table":"blocks","chain":"relay","block":%d}'
    end = b'{"run":"%b","table":"end","chain":"run"}'
    async with embedded_broker(port), asyncio.TaskGroup() as group:
        readies = [asyncio.Event(), asyncio.Event()]
        mine = group.create_task(collect(Follower(url, run="mine"), readies[0]))
        all_runs = group.create_task(collect(Follower(url), readies[1]))
        for ready in readies:
            await ready.wait()
        for run, block in (("mine", 1), ("other", 2), ("other", None), ("mine", 3), ("silent", None), ("mine", None)):
            table, name = ("end", "run") if block is None else ("blocks", "relay")
            payload = end % run.encode() if block is None else row % (run.encode(), block)
            await send(url, (topic(run, table, name), payload))

    assert [one["block"] for one in mine.result()] == [1, 3]
    assert [one["block"] for one in all_runs.result()] == [1, 2, 3]


async def test_who_follows_a_run_that_has_ended_is_told_so() -> None:
    port = free_port()
    url, told, rows = f"mqtt://127.0.0.1:{port}", list[str](), list[dict[str, object]]()
    async with embedded_broker(port):
        for run in ("a run", "other"):
            await asyncio.to_thread(publish_one, url, run)
        rows += await collect(Follower(url, run="a run", tell=told.append), asyncio.Event())

    assert rows == []
    assert told == ["the run a_run has ended, and a broker keeps no rows; `testnet log` reads its record"]


async def test_who_follows_no_run_waits_for_the_next_and_says_so() -> None:
    port, told, ended = free_port(), list[str](), [f"r{number}" for number in range(7)]
    url, waits = f"mqtt://127.0.0.1:{port}", asyncio.Event()

    def tell(line: str) -> None:
        told.append(line)
        waits.set()

    async with embedded_broker(port), asyncio.TaskGroup() as group:
        for run in ended:
            await asyncio.to_thread(publish_one, url, run)
        rows = group.create_task(collect(Follower(url, tables=("blocks",), tell=tell), asyncio.Event()))
        await waits.wait()
        await asyncio.to_thread(publish_one, url, "next")

    assert told == ["waiting for the next run; the last that ended: r2, r3, r4, r5, r6"]
    assert rows.result() == [{"run": "next", "table": "blocks", "chain": "relay", "block": 1}]


def publish_one(url: str, run: str) -> None:
    with Publisher(url, run=run) as publisher:
        publisher.put("blocks", {"chain": "relay", "block": 1})


@pytest.mark.parametrize(
    "payload",
    [b"hello", b"{}", b"[1]", b"\xff", b'{"run":"r","table":"\xff"}', b'{"run":"r","table":"colours"}',
     b'{"run":1,"table":"blocks"}', b'{"run":"r","table":"blocks","at":"noon"}',
     b'{"run":"r","table":"blocks","at":999999999999999999}', b'{"run":"r","table":"blocks","hash":[1]}'],
)  # fmt: skip
async def test_what_is_no_row_is_passed_over_and_counted(payload: bytes) -> None:
    port = free_port()
    follower, ready = Follower(url := f"mqtt://127.0.0.1:{port}", run="r"), asyncio.Event()
    async with embedded_broker(port), asyncio.TaskGroup() as group:
        rows = group.create_task(collect(follower, ready))
        await ready.wait()
        good, end = b'{"run":"r","table":"blocks"}', b'{"run":"r","table":"end"}'
        await send(
            url, *((topic("r", "blocks", "relay"), each) for each in (payload, good)), (topic("r", "end", "run"), end)
        )

    assert rows.result() == [{"run": "r", "table": "blocks"}]
    assert follower.foreign_count == 1


def test_rows_that_a_broker_did_not_take_are_counted() -> None:
    """Given a broker that dies. When rows still come. Then those that waited and those that came later are counted."""

    async def connect_and_die() -> None:
        async with embedded_broker(port):
            await asyncio.to_thread(publisher.__enter__)

    port = free_port()
    publisher = Publisher(f"mqtt://127.0.0.1:{port}", run="r")
    asyncio.run(connect_and_die())
    for number in range(1000):
        publisher.put("blocks", {"chain": "relay", "block": number})
        time.sleep(0.001)
    publisher.settle()

    assert publisher.failure is not None
    assert publisher.failure.startswith(f"the MQTT broker at 127.0.0.1:{port} cannot be used: ")
    assert 990 <= publisher.unpublished_count <= 1000


async def test_a_broker_that_trickles_does_not_hold_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a broker that takes a row every 50 ms. When a run ends before 200 rows. Then most of them are counted."""

    async def trickle(client: aiomqtt.Client, *message: Any, **options: Any) -> None:
        await asyncio.sleep(0.05)
        await publish(client, *message, **options)

    def end_of_a_run() -> int:
        with publisher:
            for number in range(200):
                publisher.put("blocks", {"chain": "relay", "block": number})
            publisher.settle()
            publisher.settle()
        return publisher.unpublished_count

    publish = aiomqtt.Client.publish
    monkeypatch.setattr(aiomqtt.Client, "publish", trickle)
    port = free_port()
    publisher = Publisher(f"mqtt://127.0.0.1:{port}", run="r")
    async with embedded_broker(port):
        unpublished_count = await asyncio.to_thread(end_of_a_run)

    assert 100 < unpublished_count <= 201
    assert publisher.failure is None


def test_rows_beyond_the_limit_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given room for 2 rows and a broker that takes none. When 5 come. Then the broker is given the first 2, later."""
    may_go, given = threading.Event(), list[str]()

    async def hold(client: aiomqtt.Client, where: str, payload: bytes, **options: Any) -> None:
        await asyncio.to_thread(may_go.wait)
        given.append(payload.decode())
        await publish(client, where, payload, **options)

    publish = aiomqtt.Client.publish
    monkeypatch.setattr(aiomqtt.Client, "publish", hold)
    with Publisher("mqtt://", run="r", limit=2) as publisher:
        for number in range(5):
            publisher.put("blocks", {"block": number})
        may_go.set()
        publisher.settle()

    assert publisher.unpublished_count == 3
    assert given == [
        '{"run":"r","table":"blocks","block":0}',
        '{"run":"r","table":"blocks","block":1}',
        '{"run":"r","table":"end","chain":"run"}',
    ]


def test_names_cannot_leave_their_level() -> None:
    assert topic("my run/#", "blocks", "a+b") == "relayloom/my_run__/blocks/a_b"
