"""JSON-RPC on one port: WebSocket and POST at `/`, a short help text for GET."""

import asyncio
import errno

from aiohttp import WSCloseCode, WSMsgType, web

from substrate.client.rpc.dispatch import RpcDispatcher, RpcLimits, Session
from substrate.errors import ChainError

HELP = """This is a node's JSON-RPC endpoint: WebSocket and POST, both here.

  ws://{host}        subscriptions and calls (substrate-interface, polkadot.js, PAPI)
  http://{host}      calls: curl -H 'Content-Type: application/json' \\
                       -d '{{"jsonrpc":"2.0","id":1,"method":"rpc_methods","params":[]}}' http://{host}
"""


class PortInUse(ChainError):
    """The RPC port belongs to another process."""


class RpcServer:
    """A thin shell over a dispatcher. Other routes (metrics, web page) may be added to `app` before `start`."""

    def __init__(self, dispatcher: RpcDispatcher, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.dispatcher = dispatcher
        self.host = host
        self.port = port
        """The port in use once started, if 0 was asked for."""
        self.app = web.Application(client_max_size=dispatcher.limits.request_bytes)
        self.app.router.add_route("GET", "/", self._get)
        self.app.router.add_route("POST", "/", self._post)
        self._runner: web.AppRunner | None = None
        self._sockets: list[web.WebSocketResponse] = []

    @property
    def url(self) -> str:
        """WebSocket address."""
        return f"ws://{self.host}:{self.port}"

    async def start(self) -> None:
        """Listen. Raises PortInUse."""
        runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, self.host, self.port)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortInUse(f"port {self.port} on {self.host} is in use by another process") from error
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Say goodbye to every client and stop listening."""
        for socket in tuple(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"node stops")
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _get(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=self.dispatcher.limits.request_bytes)
        if not socket.can_prepare(request).ok:
            return web.Response(text=HELP.format(host=request.host))
        await socket.prepare(request)
        self._sockets.append(socket)
        try:
            await _Client(self.dispatcher, socket).serve()
        finally:
            self._sockets.remove(socket)
        return socket

    async def _post(self, request: web.Request) -> web.StreamResponse:
        try:
            data = await request.read()
        except web.HTTPRequestEntityTooLarge:
            data = bytes(self.dispatcher.limits.request_bytes + 1)  # let the session word the refusal
        answer = Session(self.dispatcher).answer(data)
        if answer is None:
            return web.Response(status=204)
        return web.Response(body=answer, content_type="application/json")


class _Client:
    """One WebSocket: requests are answered in order; a client that does not read is disconnected."""

    def __init__(self, dispatcher: RpcDispatcher, socket: web.WebSocketResponse) -> None:
        self._limits: RpcLimits = dispatcher.limits
        self._socket = socket
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._queued_bytes = 0
        self._is_slow = asyncio.Event()
        self._session = Session(dispatcher, self._enqueue)

    async def serve(self) -> None:
        """Talk until either side closes."""
        tasks = [asyncio.create_task(step()) for step in (self._read, self._write, self._watch)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._session.close()
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for result in ended:
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError | ConnectionError):
                raise result

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                self._session.receive(message.data)

    async def _write(self) -> None:
        while True:
            data = await self._queue.get()
            await self._socket.send_frame(data, WSMsgType.TEXT)
            self._queued_bytes -= len(data)

    async def _watch(self) -> None:
        await self._is_slow.wait()
        await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"slow consumer", drain=False)

    def _enqueue(self, data: bytes) -> None:
        self._queue.put_nowait(data)
        self._queued_bytes += len(data)
        if self._queue.qsize() > self._limits.queue_count or self._queued_bytes > self._limits.queue_bytes:
            self._is_slow.set()
