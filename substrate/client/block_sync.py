"""Blocks and transactions between the nodes of a chain: announcements carry the block, missing ancestors are asked for.

Upstream announces headers and downloads bodies; with a handful of nodes one message less is simpler. What is lost: the
saving when a peer already has the block.
"""

import asyncio
from collections import OrderedDict

from substrate.block import Block
from substrate.client.importing import BlockImport, BlockImportError, ImportReason
from substrate.client.pool import TransactionPool
from substrate.client.pool_graph import Pooled, PoolError
from substrate.client.protocols import Clock, Network, Recorder, RequestFailed
from substrate.errors import ChainError, DecodeError
from substrate.runtime.validity import TransactionInvalid
from substrate.scale.codec import codec_of
from substrate.scale.types import Struct, u32
from substrate.types import Hash

BLOCK = "block"
BLOCKS = "blocks"
TRANSACTION = "transaction"
MAX_BLOCKS = 64
REQUEST_TIMEOUT_US = 2_000_000
_WAITING = 256
_BLOCK = codec_of(Block)
_BLOCKS = codec_of(tuple[Block, ...])


class BlocksRequest(Struct):
    """Asks for a block and its ancestors."""

    head: Hash
    count: u32


class BlockSync:
    """Announces, receives and fetches blocks; gossips transactions."""

    def __init__(
        self, importer: BlockImport, pool: TransactionPool, network: Network, clock: Clock, recorder: Recorder
    ) -> None:
        self._importer = importer
        self._chain = importer.chain
        self._pool = pool
        self._network = network
        self._clock = clock
        self._recorder = recorder
        self._tasks: asyncio.TaskGroup | None = None
        self._waiting: OrderedDict[Hash, Block] = OrderedDict()
        self._asking: set[Hash] = set()
        self._receiving = False

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to listen."""
        self._tasks = tasks
        self._network.on(BLOCK, self._on_block)
        self._network.on(TRANSACTION, self._on_transaction)
        self._network.serve(BLOCKS, self._serve_blocks)
        self._pool.on_ready(self._on_ready)

    def announce(self, block: Block) -> None:
        """Send an own block to every peer."""
        self._network.broadcast(BLOCK, _BLOCK.encode(block))

    def fetch(self, block: Hash) -> None:
        """Ask the peers, one after the other, for a block that is missing, and for its unknown ancestors."""
        if block in self._asking or block in self._chain:
            return
        self._asking.add(block)
        assert self._tasks is not None, "blocks are asked for only after start"
        self._tasks.create_task(self._ask_around(block))

    async def _ask_around(self, block: Hash) -> None:
        try:
            for peer in self._network.peers():
                await self._ask(peer, block)
                if block in self._chain:
                    return
        finally:
            self._asking.discard(block)

    def _on_block(self, sender: str, payload: bytes) -> None:
        try:
            self._take(sender, _BLOCK.decode(payload))
        except DecodeError as failure:
            self._note(sender, failure)

    def _take(self, sender: str, block: Block) -> None:
        """Import a block and those that waited for it; one without its parent waits, and the parent is asked for."""
        following: Block | None = block
        while following is not None:
            try:
                self._importer.import_block(following)
            except BlockImportError as failure:
                if str(failure.reason) != ImportReason.UNKNOWN_PARENT:
                    self._note(sender, failure)
                    return
                self._wait(following)
                self._fetch(sender, following.header.parent_hash)
                return
            following = self._waiting.pop(following.hash, None)

    def _wait(self, block: Block) -> None:
        self._waiting[block.header.parent_hash] = block
        if len(self._waiting) > _WAITING:
            self._waiting.popitem(last=False)

    def _fetch(self, sender: str, head: Hash) -> None:
        if head in self._asking:
            return
        self._asking.add(head)
        assert self._tasks is not None, "blocks are taken only after start"
        self._tasks.create_task(self._download(sender, head))

    async def _download(self, sender: str, head: Hash) -> None:
        try:
            await self._ask(sender, head)
        finally:
            self._asking.discard(head)

    async def _ask(self, peer: str, head: Hash) -> None:
        try:
            request = BlocksRequest(head, MAX_BLOCKS).encode()
            answer = await self._network.request(peer, BLOCKS, request, timeout_us=REQUEST_TIMEOUT_US)
            blocks = _BLOCKS.decode(answer)
        except (RequestFailed, DecodeError) as failure:
            self._note(peer, failure)
            return
        if blocks and blocks[-1].header.parent_hash not in self._chain:  # the oldest one asks for what is before it
            for block in blocks[:-1]:
                self._wait(block)
            blocks = blocks[-1:]
        for block in reversed(blocks):
            self._take(peer, block)

    async def _serve_blocks(self, sender: str, payload: bytes) -> bytes:
        request = BlocksRequest.decode(payload)
        found: list[Block] = []
        at = request.head
        while at in self._chain and at != self._chain.genesis and len(found) < min(request.count, MAX_BLOCKS):
            found.append(self._chain.block(at))
            at = found[-1].header.parent_hash
        return _BLOCKS.encode(tuple(found))

    def _on_ready(self, transaction: Pooled) -> None:
        if transaction.propagate and not self._receiving:
            self._network.broadcast(TRANSACTION, transaction.raw)

    def _on_transaction(self, sender: str, payload: bytes) -> None:
        self._receiving = True  # what came by gossip is not sent on: every peer has it from its source
        try:
            self._pool.submit(payload)
        except (TransactionInvalid, PoolError, DecodeError):
            # Gossip repeats itself and crosses blocks: a transaction that is not wanted here is no fault of the sender.
            return
        finally:
            self._receiving = False

    def _note(self, sender: str, failure: ChainError) -> None:
        now = self._clock.now_us()
        self._recorder.row("faults", node=self._network.name, kind="BadBlock", detail=f"{sender}: {failure}", at=now)
