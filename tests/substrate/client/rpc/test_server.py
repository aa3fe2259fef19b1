"""The server over real sockets: WebSocket, POST, help, limits."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from substrate.client.rpc.client import Disconnected, WebSocketClient
from substrate.client.rpc.dispatch import Cancel, RpcDispatcher, RpcLimits, Sink, subscription
from substrate.client.rpc.errors import RpcError
from substrate.client.rpc.json_forms import opaque, to_hex
from substrate.client.rpc.server import PortInUse, RpcServer
from tests.substrate.client.mini_node import MiniNode
from tests.substrate.runtime.mini import ALICE, FERDIE, UNIT, transfer


@pytest.fixture
def node() -> MiniNode:
    made = MiniNode()
    made.grow()
    return made


@pytest_asyncio.fixture
async def server(node: MiniNode) -> AsyncIterator[RpcServer]:
    made = RpcServer(node.rpc)
    await made.start()
    yield made
    await made.stop()


async def post(server: RpcServer, body: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.post(f"http://127.0.0.1:{server.port}/", data=body) as reply:
        text = await reply.text()
        return reply.status, json.loads(text) if text else None


async def test_post_answers_calls_and_batches(server: RpcServer, node: MiniNode) -> None:
    call = '{"jsonrpc":"2.0","id":7,"method":"chain_getBlockHash","params":null}'
    answer = {"jsonrpc": "2.0", "id": 7, "result": to_hex(node.chain.best)}

    assert await post(server, call) == (200, answer)
    assert await post(server, f"[{call},{call}]") == (200, [answer, answer])
    assert await post(server, call.replace('"id":7,', "")) == (204, None)
    assert (await post(server, "{"))[1]["error"]["code"] == -32700


async def test_get_shows_help(server: RpcServer) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{server.port}/") as reply:
        assert reply.status == 200
        assert f"ws://127.0.0.1:{server.port}" in await reply.text()


async def test_a_transaction_is_followed_over_a_websocket(server: RpcServer, node: MiniNode) -> None:
    async with WebSocketClient(server.url) as client:
        raw = opaque(node.sign(ALICE, transfer(FERDIE, UNIT), 0))
        stream = await client.subscribe(
            "author_submitAndWatchExtrinsic", to_hex(raw), unsubscribe="author_unwatchExtrinsic"
        )
        assert await anext(stream) == "ready"
        block = node.author()
        node.chain.finalize(block)
        assert await anext(stream) == {"inBlock": to_hex(block)}
        assert await anext(stream) == {"finalized": to_hex(block)}
        await stream.close()
        with pytest.raises(RpcError, match="Transaction is outdated"):
            await client.request("author_submitExtrinsic", to_hex(raw))


async def test_a_disconnected_client_leaves_no_subscription(server: RpcServer, node: MiniNode) -> None:
    async with WebSocketClient(server.url) as client:
        stream = await client.subscribe("chain_subscribeNewHeads", unsubscribe="chain_unsubscribeNewHeads")
        assert (await anext(stream))["number"] == "0x1"
        before = len(node.chain._best_followers)  # pyright: ignore[reportPrivateUsage]
    for _ in range(100):
        await asyncio.sleep(0.01)
        if len(node.chain._best_followers) < before:  # pyright: ignore[reportPrivateUsage]
            return
    pytest.fail("the subscription is still there")


async def test_a_port_in_use_is_named(server: RpcServer, node: MiniNode) -> None:
    with pytest.raises(PortInUse, match=str(server.port)):
        await RpcServer(node.rpc, port=server.port).start()


async def test_a_stopped_server_ends_its_clients(node: MiniNode) -> None:
    server = RpcServer(node.rpc)
    await server.start()
    async with WebSocketClient(server.url) as client:
        stream = await client.subscribe("chain_subscribeNewHeads", unsubscribe="chain_unsubscribeNewHeads")
        await anext(stream)
        await server.stop()
        with pytest.raises(Disconnected):
            await anext(stream)
    with pytest.raises(Disconnected):
        async with WebSocketClient(server.url):
            pass


class Flood:
    """A source that a test turns on."""

    def __init__(self) -> None:
        self.sinks: list[Sink] = []
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()

    @subscription("flood", notify="drop", unsubscribe=("dam",))
    def flood(self, sink: Sink) -> Cancel:
        self.sinks.append(sink)
        self.begun.set()
        return self.ended.set


async def test_a_client_that_does_not_read_is_disconnected() -> None:
    dispatcher, flood = RpcDispatcher(RpcLimits(queue_count=50)), Flood()
    dispatcher.add(flood)
    server = RpcServer(dispatcher)
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    request = b'{"jsonrpc":"2.0","id":1,"method":"flood"}'
    writer.write(bytes([0x81, 0x80 | len(request), 0, 0, 0, 0]) + request)
    await writer.drain()
    await reader.readuntil(b"\r\n\r\n")
    await flood.begun.wait()
    for _ in range(2000):
        flood.sinks[0].send("x" * 100_000)
        await asyncio.sleep(0)
        if flood.ended.is_set():
            break

    await asyncio.wait_for(flood.ended.wait(), 5)
    writer.close()
    await server.stop()


async def test_an_oversized_post_is_refused() -> None:
    server = RpcServer(RpcDispatcher(RpcLimits(request_bytes=1000)))
    await server.start()
    assert (await post(server, " " * 2000))[1]["error"]["code"] == -32007
    await server.stop()
