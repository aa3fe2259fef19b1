"""The record's rows as JSON over MQTT, while they come in: topic `relayloom/<run>/<table>/<chain>`.

The publisher lives in a thread with its own loop: it works beside the virtual clock and a slow broker holds up nothing.
"""

import asyncio
import logging
import re
import socket
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Annotated, Self
from urllib.parse import SplitResult, urlsplit

import aiomqtt
import msgspec

from testnet.errors import UsageError
from testnet.record import Value
from testnet.tables import TABLES

ROOT = "relayloom"
END = "end"
"""The table name of the last message of a run; a broker keeps it, for who comes later."""
_OVER: dict[str, Value] = {"chain": "run"}
"""Its row."""

_PATIENCE_SECONDS = 0.5
"""How long the end of a run waits for a broker, all its waits together."""
_CLOSING_SECONDS = 1
"""How long it waits for the thread that has nothing left to send."""

_SHOWN_RUNS = 5


class PublishError(UsageError):
    """The broker cannot be used; the message says what to do."""


def topic(run: str, table: str, chain: str) -> str:
    """Where a row is published; names lose the characters that MQTT keeps for itself."""
    return "/".join((ROOT, *map(_level, (run, table, chain))))


def _level(name: str | None) -> str:
    """A name in a topic; any name, where none is given."""
    return "+" if name is None else re.sub(r"[/+#\0\s]", "_", name) or "_"


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
        self.failure: str | None = None
        """Why publishing ended before the run did."""
        self._address = _address(url)
        self._embedded = not self._address.hostname
        self._run = run
        self._limit = limit
        self._waiting: deque[tuple[str, str, bytes]] = deque()
        """Table, topic and payload."""
        self._dropped_count = 0
        self._patience_seconds = _PATIENCE_SECONDS
        self._stopping = False
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._main, name="publisher", daemon=True)

    @property
    def url(self) -> str:
        """Where the rows are, without name and password: the address given, or that of the broker started here."""
        return f"mqtt://{_host_and_port(self._address)}"

    @property
    def unpublished_count(self) -> int:
        """Rows that the broker was never given: those that wait for it, too."""
        return self._dropped_count + len(self._waiting)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send what is waiting, and that this was all."""
        self.put(END, _OVER)
        self.settle()
        self._stopping = True
        self._wake()
        if not self._waiting:
            self._thread.join(timeout=_CLOSING_SECONDS)

    def put(self, table: str, row: dict[str, Value]) -> None:
        """Publish one row; a `Record` calls this for each of its own."""
        if self.failure is not None or len(self._waiting) >= self._limit:
            self._dropped_count += 1
            return
        self._waiting.append((table, *_message(self._run, table, row)))
        if len(self._waiting) == 1:
            self._wake()

    def settle(self) -> None:
        """Wait until nothing waits, or patience is at an end: what one call spends is not there for the next."""
        while self._waiting and self._thread.is_alive() and self._patience_seconds > 0:
            since = time.monotonic()
            time.sleep(0.01)
            self._patience_seconds -= time.monotonic() - since

    def _wake(self) -> None:
        if self._thread.is_alive():
            with suppress(RuntimeError):  # the loop has just closed: publishing failed
                self._loop.call_soon_threadsafe(self._news.set)

    def _main(self) -> None:
        try:
            asyncio.run(self._publish())
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            self.failure = f"the MQTT broker at {_host_and_port(self._address)} cannot be used: {error}"
            if not self._ready.done():
                hint = "start one there, or use --publish mqtt:// for one of our own"
                self._ready.set_exception(PublishError(f"{self.failure}; {hint}"))

    async def _publish(self) -> None:
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        if not self._embedded:
            await self._pump()
            return
        self._address = _address(f"mqtt://127.0.0.1:{free_port()}")
        async with embedded_broker(self._address.port or 0):
            await self._pump()

    async def _pump(self) -> None:
        where, payload = _message(self._run, END, _OVER)
        will = aiomqtt.Will(where, payload, qos=1, retain=True)  # of a run that is killed, or whose rows cannot wait
        async with connect(self._address, will) as client:
            self._ready.set_result(None)
            while not self._stopping:
                await self._news.wait()
                self._news.clear()
                while self._waiting and not self._stopping:
                    table, where, payload = self._waiting[0]
                    await client.publish(where, payload, qos=int(table == END), retain=table == END)
                    self._waiting.popleft()


class Follower:
    """Reads what runs publish.

    Args:
        url: The broker, as for `Publisher`.
        run: The run that is wanted; without one it is all that are heard.
        tables: Those that are wanted; none means all.
        chain: The one that is wanted.
        tell: Takes a line about runs that had ended before, whose rows do not come.

    Raises:
        PublishError: The address is none.
    """

    def __init__(
        self,
        url: str,
        *,
        run: str | None = None,
        tables: tuple[str, ...] = (),
        chain: str | None = None,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.foreign_count = 0
        """Messages that were no rows, and were passed over."""
        self._address = _address(url)
        self._run = None if run is None else _level(run)
        self._tell = tell
        self._ends = f"{ROOT}/{_level(run)}/{END}/+"
        self._rows = [(f"{ROOT}/{_level(run)}/{table}/{_level(chain)}", 1) for table in tables or TABLES]

    async def rows(self, subscribed: asyncio.Event | None = None) -> AsyncGenerator[dict[str, Value]]:
        """Rows as they are published, until the run has ended; without a run, until all that were heard have.

        A run that had ended before has no rows; without a run, the next one is waited for.

        Args:
            subscribed: Set once nothing that is published from now on is missed.

        Raises:
            PublishError: The broker is not reached, or goes away.
        """
        try:
            async with connect(self._address) as client:
                await client.subscribe(self._ends, qos=1)  # first: what the broker kept comes before the second answer
                await client.subscribe(self._rows)
                if subscribed is not None:
                    subscribed.set()
                async for row in self._until_the_end(client):
                    yield row
        except (aiomqtt.MqttError, OSError) as error:
            raise PublishError(
                f"the MQTT broker at {_host_and_port(self._address)} cannot be used: {error}; is the run going on?"
            ) from error

    async def _until_the_end(self, client: aiomqtt.Client) -> AsyncGenerator[dict[str, Value]]:
        heard, over, told_count = set[str](), set[str](), 0
        async for message in client.messages:
            run, row = message.topic.value.split("/")[1], _row(message.payload)
            if row is None:
                self.foreign_count += 1
            elif row["table"] != END:
                heard.add(run)
                yield row
            elif message.retain:
                over.add(run)
            elif self._run is not None or heard == {run}:
                return
            else:
                heard.discard(run)
            if self._run in over:
                self._tell(f"the run {self._run} has ended, and a broker keeps no rows; `testnet log` reads its record")
                return
            if len(over) > told_count and not len(client.messages):  # all that the broker kept have come
                told_count = len(over)
                self._tell(f"waiting for the next run; the last that ended: {', '.join(sorted(over)[-_SHOWN_RUNS:])}")


class _Row(msgspec.Struct):
    """What every row has, and its time, which is before the year 10000."""

    run: str
    table: str
    at: Annotated[int, msgspec.Meta(ge=0, lt=253_402_300_800_000_000)] | None = None


def _row(payload: object) -> dict[str, Value] | None:
    """A payload as a row; None where it is not one of ours."""
    if not isinstance(payload, bytes):
        return None
    try:
        head = msgspec.json.decode(payload, type=_Row)
        row = msgspec.json.decode(payload, type=dict[str, Value])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return row if head.table == END or head.table in TABLES else None


def _message(run: str, table: str, row: dict[str, Value]) -> tuple[str, bytes]:
    """Topic and payload of a row."""
    return topic(run, table, row_chain(row)), msgspec.json.encode({"run": run, "table": table, **row})


def connect(address: SplitResult, will: aiomqtt.Will | None = None) -> aiomqtt.Client:
    """A client for the broker at `address`, to be entered; if it is lost, the broker publishes its will."""
    return aiomqtt.Client(
        address.hostname or "127.0.0.1",
        address.port or 1883,
        username=address.username,
        password=address.password,
        will=will,
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


def _host_and_port(address: SplitResult) -> str:
    """An address without name and password, as people and records may see it."""
    return address.netloc.rpartition("@")[2]


def _address(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")  # what cannot be a name is refused here, not by a lookup later
        is_place = bool(host) and parts.port != 0 if parts.netloc else True
        if parts.scheme == "mqtt" and is_place and parts.path in ("", "/") and not parts.query and not parts.fragment:
            return parts
    except ValueError:
        pass
    shown = re.sub("//.*@", "//", url)
    raise PublishError(f"{shown!r} is no broker; write mqtt://host:port, or mqtt:// for one of our own")
