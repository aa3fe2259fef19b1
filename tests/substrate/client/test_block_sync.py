"""Blocks and transactions between nodes: what is asked for, what is refused, and what is passed on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from substrate.block import Block, Digest, Header
from substrate.client.block_sync import (
    BLOCK,
    BLOCKS,
    TRANSACTION,
    WAITING_PER_PEER,
    BlocksRequest,
    BlockSync,
)
from substrate.client.protocols import RequestFailed
from substrate.scale.codec import encode
from substrate.types import BlockNumber, Hash
from tests.substrate.client.mini_node import MiniNode, seal
from tests.substrate.runtime.mini import ALICE, FERDIE, UNIT, transfer

Answer = Callable[[BlocksRequest], tuple[Block, ...]]
NOWHERE = Hash(b"\xee" * 32)


class Peer:
    """The network, clock and recorder of one node, whose peers are functions that answer requests for blocks."""

    name = "here"

    def __init__(self, node: MiniNode, peers: dict[str, Answer]) -> None:
        self.handlers: dict[str, Callable[[str, bytes], None]] = {}
        self.served: dict[str, Callable[[str, bytes], Awaitable[bytes]]] = {}
        self.answers = peers
        self.asked: list[tuple[str, Hash]] = []
        self.sent: list[tuple[str, bytes]] = []
        self.faults: list[str] = []
        self.sync = BlockSync(node.importer, node.pool, self, self, self)

    def on(self, kind: str, handler: Callable[[str, bytes], None]) -> None:
        self.handlers[kind] = handler

    def serve(self, kind: str, handler: Callable[[str, bytes], Awaitable[bytes]]) -> None:
        self.served[kind] = handler

    def peers(self) -> tuple[str, ...]:
        return tuple(sorted(self.answers))

    def send(self, peer: str, kind: str, payload: bytes) -> None:
        raise NotImplementedError

    def broadcast(self, kind: str, payload: bytes) -> None:
        self.sent.append((kind, payload))

    async def request(self, peer: str, kind: str, payload: bytes, *, timeout_us: int) -> bytes:
        assert kind == BLOCKS
        await asyncio.sleep(0)
        request = BlocksRequest.decode(payload)
        self.asked.append((peer, request.head))
        assert len(self.asked) < 50, "a download must end"
        return encode(tuple[Block, ...], self.answers[peer](request))

    def now_us(self) -> int:
        return 0

    async def sleep_until_us(self, at: int) -> None:
        raise NotImplementedError

    def row(self, table: str, /, **columns: object) -> None:
        assert table == "faults"
        self.faults.append(str(columns["detail"]))

    def announce(self, sender: str, *blocks: Block) -> None:
        for block in blocks:
            self.handlers[BLOCK](sender, block.encode())


@asynccontextmanager
async def syncing(node: MiniNode, **peers: Answer) -> AsyncIterator[Peer]:
    """A node that listens; what it began to ask for is over at the end."""
    async with asyncio.TaskGroup() as tasks:
        peer = Peer(node, peers)
        peer.sync.start(tasks)
        yield peer


def silent(_: BlocksRequest) -> tuple[Block, ...]:
    raise RequestFailed("no answer")


def blocks_of(node: MiniNode, *hashes: Hash) -> tuple[Block, ...]:
    return tuple(node.chain.block(each) for each in hashes)


def fake(number: int, parent: Hash = NOWHERE, mark: int = 0) -> Block:
    root = Hash(mark.to_bytes(32, "big"))
    return Block(Header(parent, BlockNumber(number), root, root, Digest()), ())


def fake_chain(lowest: int, count: int) -> list[Block]:
    """Linked blocks on an unknown parent, newest first."""
    chain = [fake(lowest)]
    for number in range(lowest + 1, lowest + count):
        chain.insert(0, fake(number, chain[0].hash))
    return chain


def served_from(chain: list[Block], *, at_most: int = 64) -> Answer:
    def answer(request: BlocksRequest) -> tuple[Block, ...]:
        start = next(index for index, block in enumerate(chain) if block.hash == request.head)
        return tuple(chain[start : start + at_most])

    return answer


def serving(node: MiniNode) -> Answer:
    return served_from([node.chain.block(each) for each in (node.chain.best, *node.chain.ancestry(node.chain.best))])


async def test_ancestors_beyond_one_answer_are_asked_for_until_a_known_block() -> None:
    node, other = MiniNode(), MiniNode()
    hashes = [other.grow() for _ in range(130)]

    async with syncing(node, bob=serving(other)) as peer:
        peer.announce("bob", other.chain.block(hashes[-1]))

    assert node.chain.best == hashes[-1]
    assert peer.asked == [("bob", hashes[128]), ("bob", hashes[64]), ("bob", hashes[0])]
    assert peer.faults == []


@pytest.mark.parametrize(("bound", "value"), [("KEPT_OF_DOWNLOAD", 3), ("WAITING_BYTES_PER_PEER", 400)])
async def test_of_a_long_gap_the_oldest_blocks_are_imported_and_the_rest_at_the_next_announcement(
    monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    monkeypatch.setattr(f"substrate.client.block_sync.{bound}", value)
    node, other = MiniNode(), MiniNode()
    hashes = [other.grow() for _ in range(6)]
    assert 400 // len(other.chain.block(hashes[0]).encode()) == 3

    async with syncing(node, bob=serving(other)) as peer:
        peer.announce("bob", other.chain.block(hashes[-1]))
    assert node.chain.best == hashes[2]
    async with syncing(node, bob=serving(other)) as peer:
        peer.announce("bob", other.chain.block(hashes[-1]))

    assert node.chain.best == hashes[-1]


async def test_a_peers_head_is_the_block_it_announced_last_if_that_was_good() -> None:
    node, other = MiniNode(), MiniNode()
    first, second = other.grow(), other.grow()
    bad = other.chain.block(other.grow())

    async with syncing(node) as peer:
        peer.announce("bob", *blocks_of(other, first, second), Block(bad.header, (b"other",)))
        peer.announce("carol", *blocks_of(other, first))

    assert peer.sync.heads == {"bob": second, "carol": first}


async def test_two_orphans_of_one_parent_are_both_imported_when_it_comes() -> None:
    node, other = MiniNode(), MiniNode()
    parent = other.grow()
    one, two = other.grow(parent=parent, salt=1), other.grow(parent=parent, salt=2)

    async with syncing(node, bob=silent) as peer:
        peer.announce("bob", *blocks_of(other, one, two))
        peer.announce("carol", *blocks_of(other, parent))

    assert set(node.chain.leaves()) == {one, two}


async def test_orphans_of_one_peer_do_not_displace_those_of_another() -> None:
    node, other = MiniNode(), MiniNode()
    parent = other.grow()
    child = other.grow()

    async with syncing(node, bob=silent, mallory=silent) as peer:
        peer.announce("bob", *blocks_of(other, child))
        peer.announce("mallory", *(fake(9, mark=mark) for mark in range(WAITING_PER_PEER + 1)))
        peer.announce("carol", *blocks_of(other, parent))

    assert node.chain.best == child


async def test_a_peer_has_room_for_so_many_orphans_of_its_own() -> None:
    node, other = MiniNode(), MiniNode()
    parent = other.grow()
    child = other.grow()

    async with syncing(node, mallory=silent) as peer:
        peer.announce("mallory", *blocks_of(other, child))
        peer.announce("mallory", *(fake(9, mark=mark) for mark in range(WAITING_PER_PEER)))
        peer.announce("carol", *blocks_of(other, parent))

    assert node.chain.best == parent


async def test_only_the_first_missing_ancestor_is_asked_for_and_from_each_who_announced() -> None:
    node, other = MiniNode(), MiniNode()
    first, second, third, fourth = [other.grow() for _ in range(4)]

    async with syncing(node, bob=silent, carol=silent) as peer:
        peer.announce("bob", *blocks_of(other, second, third))
        peer.announce("carol", *blocks_of(other, fourth))

    assert peer.asked == [("bob", first), ("carol", first)]


async def test_a_peer_cannot_start_more_than_a_few_downloads_at_once() -> None:
    async with syncing(MiniNode(), mallory=silent) as peer:
        peer.announce("mallory", *(fake(9, parent=Hash(bytes([mark]) * 32)) for mark in range(1, 20)))

    assert len(peer.asked) == 4


async def test_an_answer_with_other_blocks_than_asked_for_ends_the_download() -> None:
    node = MiniNode()
    wrong = fake(5, mark=1)

    async with syncing(node, mallory=lambda _: (wrong,)) as peer:
        peer.announce("mallory", fake(6))

    reason = f"NotTheAskedChain (asked={NOWHERE.hex()}, block={wrong.hash.hex()})"
    assert peer.asked == [("mallory", NOWHERE)]
    assert peer.faults == [f"mallory: {reason}"]


async def test_an_answer_whose_heights_do_not_fall_ends_the_download() -> None:
    older = fake(9)
    newer = fake(9, older.hash)

    async with syncing(MiniNode(), mallory=served_from([newer, older], at_most=1)) as peer:
        peer.announce("mallory", fake(10, newer.hash))

    assert peer.asked == [("mallory", newer.hash), ("mallory", older.hash)]
    assert peer.faults == [f"mallory: NotTheAskedChain (asked={older.hash.hex()}, block={older.hash.hex()})"]


async def test_what_stands_on_a_bad_block_is_neither_kept_nor_asked_for_again() -> None:
    node, other = MiniNode(), MiniNode()
    bad = seal(other.make(), b"bad")
    chain = [bad]
    for number in range(2, 5):
        chain.insert(0, fake(number, chain[0].hash))

    async with syncing(node, mallory=served_from(chain[1:])) as peer:
        peer.announce("mallory", chain[0])

    assert peer.asked == [("mallory", chain[1].hash)]
    assert len(peer.faults) == 1


async def test_a_download_ends_at_the_height_of_the_final_block() -> None:
    node = MiniNode()
    for _ in range(3):
        node.grow()
    node.chain.finalize(node.chain.best)
    chain = fake_chain(lowest=2, count=6)

    async with syncing(node, mallory=served_from(chain, at_most=2)) as peer:
        peer.announce("mallory", fake(8, chain[0].hash))

    assert peer.asked == [("mallory", chain[index].hash) for index in (0, 2, 4)]
    assert peer.faults == [f"mallory: NotInFinalizedChain (block={chain[4].hash.hex()}, number=3)"]


async def test_a_missing_block_is_asked_of_one_peer_after_the_other() -> None:
    node, other = MiniNode(), MiniNode()
    other.grow()
    best = other.grow()

    async with syncing(node, alice=silent, bob=lambda _: (), carol=serving(other), dave=serving(other)) as peer:
        peer.sync.fetch(best)
        peer.sync.fetch(best)

    assert node.chain.best == best
    assert peer.asked == [("alice", best), ("bob", best), ("carol", best)]


async def test_a_nodes_answer_is_a_block_and_its_ancestors_without_genesis() -> None:
    node = MiniNode()
    hashes = [node.grow() for _ in range(3)]

    async with syncing(node) as peer:
        whole = await peer.served[BLOCKS]("bob", BlocksRequest(hashes[2], 9).encode())
        part = await peer.served[BLOCKS]("bob", BlocksRequest(hashes[2], 1).encode())
        nothing = await peer.served[BLOCKS]("bob", BlocksRequest(NOWHERE, 9).encode())

    assert whole == encode(tuple[Block, ...], blocks_of(node, *reversed(hashes)))
    assert part == encode(tuple[Block, ...], blocks_of(node, hashes[2]))
    assert nothing == encode(tuple[Block, ...], ())


async def test_a_transaction_that_came_by_gossip_is_not_passed_on_but_what_it_makes_ready_is() -> None:
    node = MiniNode()
    first, second = (node.sign(ALICE, transfer(FERDIE, UNIT), nonce) for nonce in range(2))

    async with syncing(node) as peer:
        node.pool.submit(second)
        peer.handlers[TRANSACTION]("bob", first)

    assert [pooled.raw for pooled in node.pool.ready()] == [first, second]
    assert peer.sent == [(TRANSACTION, second)]
