"""Blocks and transactions between the nodes of a chain: announcements carry the block, missing ancestors are asked for.

Upstream announces headers and downloads bodies; with a handful of nodes one message less is simpler. What is lost: the
saving when a peer already has the block.
"""

import asyncio
from enum import StrEnum

from substrate.block import Block
from substrate.client.importing import BlockImport, BlockImportError, ImportReason
from substrate.client.pool import TransactionPool
from substrate.client.pool_graph import Pooled, PoolError
from substrate.client.protocols import Clock, Network, Recorder, RequestFailed
from substrate.errors import ChainError, DecodeError, RuleError
from substrate.runtime.validity import TransactionInvalid
from substrate.scale.codec import codec_of
from substrate.scale.types import Struct, u32
from substrate.types import Hash
from substrate.waiting import WaitingRoom

BLOCK = "block"
BLOCKS = "blocks"
TRANSACTION = "transaction"
MAX_BLOCKS = 64
REQUEST_TIMEOUT_US = 2_000_000
MAX_DOWNLOADS = 4
"""At a time from one peer."""
MAX_FETCHES = 16
"""At a time, of blocks that were asked for by hash."""
WAITING_PER_PEER = 64
WAITING_BYTES_PER_PEER = 32 << 20
KEPT_OF_DOWNLOAD = 256
"""Blocks kept of a longer download, the oldest: the next announcement asks for the rest."""
_BLOCK = codec_of(Block)
_BLOCKS = codec_of(tuple[Block, ...])


class SyncReason(StrEnum):
    """Why an answer is refused."""

    NOT_THE_ASKED_CHAIN = "NotTheAskedChain"
    NOT_IN_FINALIZED_CHAIN = "NotInFinalizedChain"


class SyncError(RuleError):
    """A peer answered with other blocks than it was asked for."""


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
        self._waiting: WaitingRoom[Hash, Block] = WaitingRoom(count=WAITING_PER_PEER, size_bytes=WAITING_BYTES_PER_PEER)
        """Blocks by the parent that they lack."""
        self.heads: dict[str, Hash] = {}
        """The block that each peer announced last and that was good."""
        self._fetching: set[Hash] = set()
        self._downloading: set[tuple[str, Hash]] = set()
        self._received: bytes | None = None

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
        """Ask the peers, one after the other, for a block that is missing, and for its unknown ancestors.

        It is not asked for where so many are already: who needs it says so again.
        """
        if block in self._fetching or block in self._chain or len(self._fetching) >= MAX_FETCHES:
            return
        self._fetching.add(block)
        assert self._tasks is not None, "blocks are asked for only after start"
        self._tasks.create_task(self._ask_around(block))

    async def _ask_around(self, block: Hash) -> None:
        try:
            for peer in self._network.peers():
                await self._walk_back(peer, block)
                if block in self._chain:
                    return
        finally:
            self._fetching.discard(block)

    def _on_block(self, sender: str, payload: bytes) -> None:
        try:
            block = _BLOCK.decode(payload)
        except DecodeError as failure:
            self._note(sender, failure)
            return
        self._take(sender, block)
        if block.hash in self._chain:
            self.heads[sender] = block.hash

    def _take(self, sender: str, block: Block) -> None:
        """Import a block and those that waited for it; one without its parent waits, and its chain is asked for."""
        following = [(sender, block)]
        for source, each in following:
            try:
                self._importer.import_block(each)
            except BlockImportError as failure:
                if str(failure.reason) == ImportReason.UNKNOWN_PARENT:
                    self._wait(source, each)
                else:
                    self._note(source, failure)
                continue
            following.extend(self._waiting.take(each.hash))

    def _wait(self, sender: str, block: Block) -> None:
        size_bytes = len(_BLOCK.encode(block))
        self._waiting.put(block.header.parent_hash, sender, block, size_bytes=size_bytes)
        missing = (sender, self._first_missing(block))
        if missing in self._downloading or sum(peer == sender for peer, _ in self._downloading) >= MAX_DOWNLOADS:
            return
        self._downloading.add(missing)
        assert self._tasks is not None, "blocks are taken only after start"
        self._tasks.create_task(self._download(*missing))

    def _first_missing(self, block: Block) -> Hash:
        """The closest ancestor of a block that does not wait itself."""
        waiting = {each.hash: each for each in self._waiting.items()}
        missing = block.header.parent_hash
        while missing in waiting:
            missing = waiting[missing].header.parent_hash
        return missing

    async def _download(self, peer: str, head: Hash) -> None:
        try:
            await self._walk_back(peer, head)
        finally:
            self._downloading.discard((peer, head))

    async def _walk_back(self, peer: str, head: Hash) -> None:
        """Ask a peer for a block and its ancestors down to one that is known, then import them."""
        found: WaitingRoom[Hash, Block] = WaitingRoom(count=KEPT_OF_DOWNLOAD, size_bytes=WAITING_BYTES_PER_PEER)
        child: Block | None = None
        while head not in self._chain:
            blocks = await self._ask(peer, head, child)
            if not blocks:
                return
            for block in blocks:
                found.put(block.hash, peer, block, size_bytes=len(_BLOCK.encode(block)))
            child, head = blocks[-1], blocks[-1].header.parent_hash
        for block in reversed(found.items()):
            self._take(peer, block)
            if block.hash not in self._chain:  # nothing can stand on it
                return

    async def _ask(self, peer: str, head: Hash, child: Block | None) -> list[Block]:
        """A block and unknown ancestors, newest first; nothing if the peer has them not, or answers with others."""
        try:
            request = BlocksRequest(head, MAX_BLOCKS).encode()
            answer = await self._network.request(peer, BLOCKS, request, timeout_us=REQUEST_TIMEOUT_US)
            return self._checked(_BLOCKS.decode(answer), head, child)
        except (RequestFailed, DecodeError, SyncError) as failure:
            self._note(peer, failure)
            return []

    def _checked(self, blocks: tuple[Block, ...], head: Hash, child: Block | None) -> list[Block]:
        """The unknown blocks of an answer. Their heights fall, so a walk ends at the finalised block at the latest."""
        unknown: list[Block] = []
        for block in blocks:
            number = int(block.header.number)
            if block.hash != head or (child is not None and number + 1 != child.header.number):
                raise SyncError(SyncReason.NOT_THE_ASKED_CHAIN, asked=head.hex(), block=block.hash.hex())
            if number <= self._chain.finalized_number:
                raise SyncError(SyncReason.NOT_IN_FINALIZED_CHAIN, block=block.hash.hex(), number=number)
            unknown.append(block)
            child, head = block, block.header.parent_hash
            if head in self._chain:
                break
        return unknown

    async def _serve_blocks(self, sender: str, payload: bytes) -> bytes:
        request = BlocksRequest.decode(payload)
        found: list[Block] = []
        at = request.head
        while at in self._chain and at != self._chain.genesis and len(found) < min(request.count, MAX_BLOCKS):
            found.append(self._chain.block(at))
            at = found[-1].header.parent_hash
        return _BLOCKS.encode(tuple(found))

    def _on_ready(self, transaction: Pooled) -> None:
        if transaction.propagate and transaction.raw != self._received:
            self._network.broadcast(TRANSACTION, transaction.raw)

    def _on_transaction(self, sender: str, payload: bytes) -> None:
        self._received = payload  # not sent on: every peer has it from its source
        try:
            self._pool.submit(payload)
        except (TransactionInvalid, PoolError, DecodeError):
            # Gossip repeats itself and crosses blocks: a transaction that is not wanted here is no fault of the sender.
            return
        finally:
            self._received = None

    def _note(self, sender: str, failure: ChainError) -> None:
        now = self._clock.now_us()
        self._recorder.row("faults", node=self._network.name, kind="BadBlock", detail=f"{sender}: {failure}", at=now)
