"""A network inside one process: every node on one loop, every link with its own latency, rate and seeded luck.

The sender of a packet is vouched for, so nothing is signed. With the virtual clock the order of deliveries is a pure
function of the seed and of what was sent.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import blake2b
from types import TracebackType
from typing import Any, NamedTuple, Self

from substrate.client.protocols import RequestFailed
from substrate.errors import ChainError
from testnet.faults import LinkSettings

Handler = Callable[[str, bytes], None]
Server = Callable[[str, bytes], Awaitable[bytes]]


class _Mode(Enum):
    SEND = auto()
    ASK = auto()
    ANSWER = auto()
    REFUSE = auto()


class _Packet(NamedTuple):
    sender: str
    receiver: str
    mode: _Mode
    kind: str
    payload: bytes
    number: int = 0
    """Of the request that is asked or answered."""


@dataclass(slots=True)
class _Link:
    """One direction between two nodes."""

    settings: LinkSettings
    luck: random.Random
    free_at_us: int = 0
    last_arrival_us: int = 0
    in_flight: int = 0

    def arrivals(self, now_us: int, size: int) -> tuple[int, ...]:
        """When a packet sent now arrives: never, once or twice. Draws the same luck whatever the settings are."""
        settings = self.settings
        lost, doubled, jitter = self.luck.random(), self.luck.random(), self.luck.random()
        if lost < settings.loss:
            return ()
        departure = max(now_us, self.free_at_us)
        if settings.rate_bytes_per_s is not None:
            departure += size * 1_000_000 // settings.rate_bytes_per_s
            self.free_at_us = departure
        arrival = departure + settings.latency_us + int(jitter * (settings.jitter_us + 1))
        if not settings.reorder:
            arrival = max(arrival, self.last_arrival_us)
        self.last_arrival_us = arrival
        return (arrival, arrival) if doubled < settings.duplicate else (arrival,)


class MemoryNetwork:
    """One node's end of a `MemoryHub`; satisfies the `Network` protocol."""

    def __init__(self, name: str, hub: "MemoryHub") -> None:
        self.name = name
        self.handlers: dict[str, list[Handler]] = {}
        self.servers: dict[str, Server] = {}
        self.waiting: dict[int, asyncio.Future[bytes]] = {}
        self.serving = 0
        self._hub = hub
        self._numbers = 0

    def peers(self) -> tuple[str, ...]:
        return tuple(name for name in self._hub.names() if name != self.name)

    def send(self, peer: str, kind: str, payload: bytes) -> None:
        self._hub.carry(_Packet(self.name, peer, _Mode.SEND, kind, payload))

    def broadcast(self, kind: str, payload: bytes) -> None:
        for peer in self.peers():
            self.send(peer, kind, payload)

    async def request(self, peer: str, kind: str, payload: bytes, *, timeout_us: int) -> bytes:
        loop = asyncio.get_running_loop()
        self._numbers += 1
        number, answer = self._numbers, loop.create_future()
        failure = RequestFailed(f"{peer} did not answer {kind} within {timeout_us / 1000:g} ms")
        deadline = loop.call_later(timeout_us / 1_000_000, _fail, answer, failure)
        self.waiting[number] = answer
        try:
            self._hub.carry(_Packet(self.name, peer, _Mode.ASK, kind, payload, number))
            return await answer
        finally:
            deadline.cancel()
            del self.waiting[number]

    def on(self, kind: str, handler: Handler) -> None:
        self.handlers.setdefault(kind, []).append(handler)

    def serve(self, kind: str, handler: Server) -> None:
        assert kind not in self.servers, f"{self.name} serves {kind} twice"
        self.servers[kind] = handler


def _fail(future: asyncio.Future[bytes], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


class MemoryHub:
    """All nodes and links of one network: `async with MemoryHub(seed=7) as hub:`. A handler's bug fails the body.

    Args:
        seed: Decides the luck of every link, each for itself.
        default: Settings of links that nothing else was said about.
        queue_limit: Packets in flight on one direction of a link; more are dropped.
        serve_limit: Requests that one node answers at a time; more are refused.
    """

    def __init__(
        self, *, seed: int, default: LinkSettings | None = None, queue_limit: int = 10_000, serve_limit: int = 1_000
    ) -> None:
        self.dropped: Counter[tuple[str, str, str]] = Counter()
        """Packets that no handler saw, by (sender, receiver, reason)."""
        self._seed = seed
        self._default = default or LinkSettings()
        self._queue_limit = queue_limit
        self._serve_limit = serve_limit
        self._nodes: dict[str, MemoryNetwork] = {}
        self._names: tuple[str, ...] = ()
        self._links: dict[tuple[str, str], _Link] = {}
        self._settings: dict[tuple[str, str], LinkSettings] = {}
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._group = asyncio.TaskGroup()
        self._open = False

    async def __aenter__(self) -> Self:
        """Bind the hub to the running loop."""
        self._loop = asyncio.get_running_loop()
        self._failure: asyncio.Future[None] = self._loop.create_future()
        await self._group.__aenter__()
        self._open = True
        self._spawn(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop carrying and answering."""
        self.close()
        for task in list(self._tasks):
            task.cancel()
        await self._group.__aexit__(kind, error, trace)

    def close(self) -> None:
        """From now on nothing is carried: what is cancelled afterwards can no longer speak."""
        self._open = False

    def join(self, name: str) -> MemoryNetwork:
        """A new node, connected to all others."""
        assert name not in self._nodes, f"two nodes are called {name}"
        self._nodes[name] = MemoryNetwork(name, self)
        self._names = tuple(sorted(self._nodes))
        return self._nodes[name]

    def leave(self, name: str) -> None:
        """The node is gone: packets to it are dropped and it may join again."""
        del self._nodes[name]
        self._names = tuple(sorted(self._nodes))

    def names(self) -> tuple[str, ...]:
        """Nodes that have joined, sorted."""
        return self._names

    def set_link(self, sender: str, receiver: str, settings: LinkSettings | None) -> None:
        """Change one direction of a link; None gives it back the default."""
        if settings is None:
            self._settings.pop((sender, receiver), None)
        else:
            self._settings[sender, receiver] = settings
        if (link := self._links.get((sender, receiver))) is not None:
            link.settings = settings or self._default

    def settings(self, sender: str, receiver: str) -> LinkSettings:
        """What holds now for one direction of a link."""
        return self._settings.get((sender, receiver), self._default)

    def carry(self, packet: _Packet) -> None:
        """Put a packet on its link."""
        if not self._open:
            return
        link = self._link(packet.sender, packet.receiver)
        if self._nodes.get(packet.sender) is None:
            self._drop(packet, "sender gone")
        elif link.settings.cut:
            self._drop(packet, "cut")
        elif link.in_flight >= self._queue_limit:
            self._drop(packet, "queue full")
        else:
            self._schedule(packet, link)

    def _schedule(self, packet: _Packet, link: _Link) -> None:
        arrivals = link.arrivals(round(self._loop.time() * 1_000_000), len(packet.payload))
        if not arrivals:
            self._drop(packet, "lost")
        for at_us in arrivals:
            link.in_flight += 1
            self._loop.call_at(at_us / 1_000_000, self._deliver, packet, link)

    def _link(self, sender: str, receiver: str) -> _Link:
        link = self._links.get((sender, receiver))
        if link is None:
            digest = blake2b(f"{self._seed}/{sender}->{receiver}".encode(), digest_size=8).digest()
            link = _Link(self.settings(sender, receiver), random.Random(int.from_bytes(digest)))
            self._links[sender, receiver] = link
        return link

    def _deliver(self, packet: _Packet, link: _Link) -> None:
        link.in_flight -= 1
        node = self._nodes.get(packet.receiver)
        if not self._open:
            return
        if node is None:
            self._drop(packet, "receiver gone")
        elif packet.mode is _Mode.SEND:
            self._hand_over(node, packet)
        elif packet.mode is _Mode.ASK:
            self._ask(node, packet)
        elif (answer := node.waiting.get(packet.number)) is None or answer.done():
            self._drop(packet, "late answer")
        elif packet.mode is _Mode.ANSWER:
            answer.set_result(packet.payload)
        else:
            answer.set_exception(RequestFailed(f"{packet.sender} refused {packet.kind}: {packet.payload.decode()}"))

    def _hand_over(self, node: MemoryNetwork, packet: _Packet) -> None:
        handlers = node.handlers.get(packet.kind, ())
        if not handlers:
            self._drop(packet, "no handler")
        for handler in handlers:
            try:
                handler(packet.sender, packet.payload)
            except ChainError as error:
                self._drop(packet, type(error).__name__)
            except Exception as error:  # noqa: BLE001 - a bug of ours: it ends the run, in `_watch`
                if not self._failure.done():
                    self._failure.set_exception(error)

    def _ask(self, node: MemoryNetwork, packet: _Packet) -> None:
        server = node.servers.get(packet.kind)
        if server is None:
            self._answer(packet, _Mode.REFUSE, b"not served")
        elif node.serving >= self._serve_limit:
            self._answer(packet, _Mode.REFUSE, b"busy")
        else:
            node.serving += 1
            self._spawn(self._serve(node, server, packet))

    async def _serve(self, node: MemoryNetwork, server: Server, packet: _Packet) -> None:
        try:
            payload = await server(packet.sender, packet.payload)
        except ChainError as error:
            self._answer(packet, _Mode.REFUSE, str(error).encode())
        else:
            self._answer(packet, _Mode.ANSWER, payload)
        finally:
            node.serving -= 1

    def _answer(self, asked: _Packet, mode: _Mode, payload: bytes) -> None:
        self.carry(_Packet(asked.receiver, asked.sender, mode, asked.kind, payload, asked.number))

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(coroutine)
        self._tasks[task] = None
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]

    async def _watch(self) -> None:
        await self._failure

    def _drop(self, packet: _Packet, reason: str) -> None:
        self.dropped[packet.sender, packet.receiver, reason] += 1


def partition(hub: MemoryHub, groups: Iterable[Iterable[str]]) -> None:
    """Cut every link between nodes of different groups, both ways; nodes in no group stay connected to all."""
    listed = [tuple(group) for group in groups]
    for group in listed:
        for other in listed:
            if other is not group:
                for sender in group:
                    for receiver in other:
                        hub.set_link(sender, receiver, LinkSettings(cut=True))


def heal(hub: MemoryHub) -> None:
    """Give every link its default settings back."""
    for sender in hub.names():
        for receiver in hub.names():
            hub.set_link(sender, receiver, None)
