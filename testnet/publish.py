"""The record's rows as JSON over MQTT, while they come in: topic `relayloom/<run>/<table>/<chain>`.

The publisher lives in a thread with its own loop: it works beside the virtual clock and a slow broker holds up nothing.
"""

import asyncio
import logging
import re
import socket
import threading
from collections import deque
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self, cast
from urllib.parse import SplitResult, urlsplit

import aiomqtt
import msgspec

from testnet.errors import UsageError
from testnet.record import Value

ROOT = "relayloom"
END = "end"
"""The table name of the last message of a run."""


class PublishError(UsageError):
    """The broker cannot be used; the message says what to do."""


def topic(run: str, table: str, chain: str) -> str:
    """Where a row is published; names lose the characters that MQTT keeps for itself."""
    return "/".join((ROOT, *(re.sub(r"[/+#\0\s]", "_", part) or "_" for part in (run, table, chain))))


def row_chain(row: dict[str, Value]) -> str:
    """The chain that a row is about: its own, a message's origin, or the relay chain."""
    return str(row.get("chain") or row.get("origin") or "relay")


class Publisher:
    """Publishes what `put` is given: `with Publisher("mqtt://127.0.0.1:1883", run="demo") as publisher: ...`.

    Args:
        url: `mqtt://[user:password@]host[:port]`; without a host (`mqtt://`) a broker is started here, on a free port.
        run: Names the run in the topics.
        limit: Rows that may wait for the broker; more are dropped and counted.

    Raises:
        PublishError: On entering, if the broker is not reached.
    """

    def __init__(self, url: str, *, run: str, limit: int = 100_000) -> None:
        self.dropped_count = 0
        self.failure: str | None = None
        """Why publishing ended before the run did."""
        self._address = _address(url)
        self._embedded = not self._address.hostname
        self._run = run
        self._limit = limit
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._main, name="publisher", daemon=True)

    @property
    def url(self) -> str:
        """Where the rows are: the address given, or that of the broker started here."""
        return self._address.geturl()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send what is waiting, for a few seconds at most."""
        self.put(END, {"chain": "run"})
        self._stopping = True
        self._wake()
        self._thread.join(timeout=10)

    def put(self, table: str, row: dict[str, Value]) -> None:
        """Publish one row; a `Record` calls this for each of its own."""
        if self.failure is not None or len(self._waiting) >= self._limit:
            self.dropped_count += 1
            return
        payload = msgspec.json.encode({"run": self._run, "table": table, **row})
        self._waiting.append((topic(self._run, table, row_chain(row)), payload))
        if len(self._waiting) == 1:
            self._wake()

    def _wake(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._news.set)

    def _main(self) -> None:
        try:
            asyncio.run(self._publish())
        except (aiomqtt.MqttError, OSError) as error:
            self.failure = f"the MQTT broker at {self._address.netloc} cannot be used: {error}"
            if not self._ready.done():
                hint = "start one there, or use --publish mqtt:// for one of our own"
                self._ready.set_exception(PublishError(f"{self.failure}; {hint}"))

    async def _publish(self) -> None:
        self._loop, self._news, self._stopping = asyncio.get_running_loop(), asyncio.Event(), False
        if not self._embedded:
            await self._pump()
            return
        self._address = _address(f"mqtt://127.0.0.1:{free_port()}")
        async with embedded_broker(self._address.port or 0):
            await self._pump()

    async def _pump(self) -> None:
        async with connect(self._address) as client:
            self._ready.set_result(None)
            while self._waiting or not self._stopping:
                await self._news.wait()
                self._news.clear()
                while self._waiting:
                    await client.publish(*self._waiting[0])
                    self._waiting.popleft()


async def follow(
    url: str, *, run: str = "+", table: str = "+", chain: str = "+", subscribed: asyncio.Event | None = None
) -> AsyncGenerator[dict[str, Value]]:
    """Rows as they are published, until the run ends; `+` stands for any.

    Args:
        subscribed: Set once nothing that is published from now on is missed.

    Raises:
        PublishError: The broker is not reached, or goes away.
    """
    address = _address(url)
    try:
        async with connect(address) as client:
            await client.subscribe(f"{ROOT}/{run}/{table}/{chain}", qos=1)
            await client.subscribe(f"{ROOT}/{run}/{END}/+", qos=1)
            if subscribed is not None:
                subscribed.set()
            async for message in client.messages:
                row = cast("dict[str, Value]", msgspec.json.decode(message.payload))
                if row["table"] == END:
                    return
                yield row
    except (aiomqtt.MqttError, OSError) as error:
        raise PublishError(
            f"the MQTT broker at {address.netloc} cannot be used: {error}; is the run going on?"
        ) from error


def connect(address: SplitResult) -> aiomqtt.Client:
    """A client for the broker at `address`, to be entered."""
    return aiomqtt.Client(
        address.hostname or "127.0.0.1",
        address.port or 1883,
        username=address.username,
        password=address.password,
        max_queued_outgoing_messages=0,
    )


@asynccontextmanager
async def embedded_broker(port: int) -> AsyncGenerator[None]:
    """An amqtt broker on 127.0.0.1."""
    from amqtt.broker import Broker

    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    try:
        yield
    finally:
        await broker.shutdown()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _address(url: str) -> SplitResult:
    parts = urlsplit(url)
    try:
        valid = parts.scheme == "mqtt" and parts.path in ("", "/") and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid:
        raise PublishError(f"{url!r} is no broker; write mqtt://host:port, or mqtt:// for one of our own")
    return parts
