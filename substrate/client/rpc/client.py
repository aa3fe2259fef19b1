"""A small JSON-RPC client: the same calls in process or over a WebSocket."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Protocol

import aiohttp
import msgspec

from substrate.client.rpc.dispatch import RpcDispatcher, Sink
from substrate.client.rpc.errors import RpcError
from substrate.errors import ChainError

MAX_MESSAGE_BYTES = 64 << 20


class Disconnected(ChainError):
    """The connection to the node is gone."""


class Notifications(Protocol):
    """What a subscription yields, until it is closed or its source ends."""

    def __aiter__(self) -> AsyncIterator[Any]: ...

    async def __anext__(self) -> Any: ...

    async def close(self) -> None:
        """Unsubscribe."""
        ...


class RpcClient(Protocol):
    """Calls and subscriptions of one node."""

    async def request(self, method: str, *params: object) -> Any:
        """Call a method. Raises RpcError, Disconnected."""
        ...

    async def subscribe(self, method: str, *params: object, unsubscribe: str) -> Notifications:
        """Subscribe. Raises as `request`."""
        ...


class _Stream:
    """Buffered results of one subscription."""

    def __init__(self) -> None:
        self._results: deque[Any] = deque()
        self._ready = asyncio.Event()
        self._error: ChainError | None = None
        self._is_closed = False

    def put(self, result: Any) -> None:
        self._results.append(result)
        self._ready.set()

    def end(self, error: ChainError | None = None) -> None:
        self._is_closed, self._error = True, error
        self._ready.set()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        while not self._results:
            if self._error is not None:
                raise self._error
            if self._is_closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._results.popleft()


class LocalNotifications(_Stream):
    """A subscription in the same process."""

    sink: Sink

    def deliver(self, sink: Sink, result: object) -> None:
        """Take a notification."""
        self.put(result)
        if sink.is_finished:
            self.end()

    async def close(self) -> None:
        """Unsubscribe."""
        self.sink.end()
        self.end()


class LocalClient:
    """A client in the node's process: no socket, no JSON text."""

    def __init__(self, dispatcher: RpcDispatcher) -> None:
        self._dispatcher = dispatcher

    async def request(self, method: str, *params: object) -> Any:
        """See RpcClient."""
        return self._dispatcher.call(method, list(params))

    async def subscribe(self, method: str, *params: object, unsubscribe: str) -> LocalNotifications:
        """See RpcClient."""
        assert self._dispatcher.is_unsubscribe(unsubscribe), f"{unsubscribe} unsubscribes nothing"
        stream = LocalNotifications()
        stream.sink = self._dispatcher.subscribe(method, list(params), stream.deliver)
        stream.sink.open()
        return stream


class RemoteNotifications(_Stream):
    """A subscription over a WebSocket."""

    def __init__(self, client: "WebSocketClient", identifier: str, unsubscribe: str) -> None:
        super().__init__()
        self.id = identifier
        self._client = client
        self._unsubscribe = unsubscribe

    async def close(self) -> None:
        """Unsubscribe."""
        self._client.forget(self.id)
        self.end()
        await self._client.request(self._unsubscribe, self.id)


class WebSocketClient:
    """A client over a WebSocket: `async with WebSocketClient(url) as client`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._count = 0
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._streams: dict[str, RemoteNotifications] = {}
        self._early: dict[str, list[Any]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "WebSocketClient":
        self._session = aiohttp.ClientSession()
        try:
            self._socket = await self._session.ws_connect(self.url, max_msg_size=MAX_MESSAGE_BYTES)
        except (aiohttp.ClientError, OSError) as error:
            await self._session.close()
            raise Disconnected(f"{self.url}: {error}") from error
        self._reader = asyncio.create_task(self._read(self._socket))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await self._reader
        if self._session is not None:
            await self._session.close()

    async def request(self, method: str, *params: object) -> Any:
        """See RpcClient."""
        if self._socket is None or self._socket.closed:
            raise Disconnected(f"{self.url}: not connected")
        self._count += 1
        identifier, call = self._count, asyncio.get_running_loop().create_future()
        self._calls[identifier] = call
        message = {"jsonrpc": "2.0", "id": identifier, "method": method, "params": list(params)}
        try:
            await self._socket.send_bytes(msgspec.json.encode(message))
            return await call
        finally:
            self._calls.pop(identifier, None)

    async def subscribe(self, method: str, *params: object, unsubscribe: str) -> RemoteNotifications:
        """See RpcClient."""
        identifier = str(await self.request(method, *params))
        stream = RemoteNotifications(self, identifier, unsubscribe)
        self._streams[identifier] = stream
        for result in self._early.pop(identifier, []):
            stream.put(result)
        return stream

    def forget(self, identifier: str) -> None:
        """Drop a subscription."""
        self._streams.pop(identifier, None)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                self._handle(msgspec.json.decode(message.data))
        gone = Disconnected(f"{self.url}: closed by the node")
        for call in self._calls.values():
            if not call.done():
                call.set_exception(gone)
        for stream in self._streams.values():
            stream.end(gone)

    def _handle(self, message: dict[str, Any]) -> None:
        if "id" not in message:
            identifier, result = message["params"]["subscription"], message["params"]["result"]
            stream = self._streams.get(identifier)
            if stream is None:
                self._early.setdefault(identifier, []).append(result)
            else:
                stream.put(result)
            return
        call = self._calls.get(message["id"])
        if call is None or call.done():
            return
        error = message.get("error")
        if error is None:
            call.set_result(message.get("result"))
        else:
            call.set_exception(RpcError(error["code"], error["message"], error.get("data")))
