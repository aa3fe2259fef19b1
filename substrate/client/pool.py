"""The transaction pool: what waits to be put into a block, and who watches it.

Source: polkadot-sdk, `substrate/client/transaction-pool/src/{graph/pool,graph/validated_pool,graph/listener}.rs`.
Bans count blocks instead of minutes, so that a run repeats; a transaction refused on submission is banned only for a
bad signature, since anything else may heal.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from heapq import nsmallest
from itertools import count
from typing import Any, Protocol

import msgspec

from substrate.block import extrinsic_hash
from substrate.client.chain import Chain
from substrate.client.pool_graph import Change, Pooled, PoolError, PoolReason, TransactionGraph
from substrate.errors import ChainError
from substrate.runtime.validity import BadProof, TransactionInvalid, TransactionSource, ValidTransaction
from substrate.types import Hash

WATCHED_BLOCKS = 512
"""Blocks with watched transactions that may wait for finality."""


class PoolLimits(msgspec.Struct, frozen=True):
    """Bounds of a pool; upstream's defaults."""

    ready_count: int = 8192
    ready_bytes: int = 20 << 20
    future_count: int = 819
    future_bytes: int = 2 << 20
    ban_blocks: int = 64
    revalidated_per_block: int = 32
    revalidated_on_reorg: int = 1024


class StatusKind(StrEnum):
    """What happened to a watched transaction."""

    FUTURE = "future"
    READY = "ready"
    BROADCAST = "broadcast"
    IN_BLOCK = "inBlock"
    RETRACTED = "retracted"
    FINALITY_TIMEOUT = "finalityTimeout"
    FINALIZED = "finalized"
    USURPED = "usurped"
    DROPPED = "dropped"
    INVALID = "invalid"


_LAST = (
    StatusKind.FINALITY_TIMEOUT,
    StatusKind.FINALIZED,
    StatusKind.USURPED,
    StatusKind.DROPPED,
    StatusKind.INVALID,
)


class Status(msgspec.Struct, frozen=True):
    """One step in the life of a watched transaction."""

    kind: StatusKind
    hash: Hash | None = None
    """The block, or the usurping transaction."""
    peers: tuple[str, ...] = ()

    @property
    def is_last(self) -> bool:
        """Whether no status follows."""
        return self.kind in _LAST


Sink = Callable[[Status], None]


class Validate(Protocol):
    """The runtime's verdict on a transaction in the state after a block; raises TransactionInvalid or DecodeError."""

    def __call__(self, block: Hash, source: TransactionSource, raw: bytes, /) -> ValidTransaction: ...


class TransactionPool:
    """Transactions by the tags they provide and require, kept in step with a chain's best block."""

    def __init__(self, chain: Chain[Any], validate: Validate, limits: PoolLimits | None = None) -> None:
        self.limits = limits or PoolLimits()
        self._chain = chain
        self._validate = validate
        self._graph = TransactionGraph()
        self._best = chain.best
        self._arrivals = count()
        self._banned: dict[Hash, int] = {}
        self._watchers: dict[Hash, list[Sink]] = {}
        self._watched_blocks: dict[Hash, list[Hash]] = {}
        self._ready_callbacks: list[Callable[[Pooled], None]] = []
        chain.on_best(self._on_best)
        chain.on_finalized(self._on_finalized)

    # -- use -----------------------------------------------------------------------------------------------------

    def submit(
        self, raw: bytes, source: TransactionSource = TransactionSource.External, sink: Sink | None = None
    ) -> Hash:
        """Validate a transaction at the best block and keep it; `sink` then hears of its life.

        Args:
            raw: Opaque extrinsic without length prefix.
            source: Where it came from.
            sink: Called with each status, first one included, until a last one.

        Raises:
            TransactionInvalid: The runtime refuses it.
            PoolError: ALREADY_IMPORTED, TEMPORARILY_BANNED, TOO_LOW_PRIORITY, CYCLE_DETECTED, IMMEDIATELY_DROPPED.
            DecodeError: It is not an extrinsic.
        """
        hash_ = extrinsic_hash(raw)
        if self._graph.get(hash_) is not None:
            raise PoolError(PoolReason.ALREADY_IMPORTED, transaction=hash_.hex())
        if self._banned.get(hash_, -1) >= self._chain.best_number:
            raise PoolError(PoolReason.TEMPORARILY_BANNED, transaction=hash_.hex())
        try:
            transaction = self._checked(hash_, raw, source, next(self._arrivals))
        except TransactionInvalid as error:
            if isinstance(error.variant, BadProof):
                self._ban(hash_)
            raise
        change = self._graph.insert(transaction)
        overflow = self._overflow()
        kept = self._graph.get(hash_) is not None
        if sink is not None and kept:
            self._watchers[hash_] = [sink]
        if hash_ in self._graph.future:
            self._tell(hash_, Status(StatusKind.FUTURE))
        self._apply(change, hash_)
        self._tell_dropped(overflow)
        if not kept:
            raise PoolError(PoolReason.IMMEDIATELY_DROPPED, transaction=hash_.hex())
        return hash_

    def unwatch(self, transaction: Hash, sink: Sink) -> None:
        """Stop calling a sink."""
        sinks = self._watchers.get(transaction, [])
        if sink in sinks:
            sinks.remove(sink)

    def ready(self) -> Iterator[Pooled]:
        """Ready transactions, best first, dependencies before dependants.

        What leaves the pool meanwhile is passed over, with all that depends on it; what joins it is not offered.
        """
        return self._graph.best_first()

    def future(self) -> tuple[Pooled, ...]:
        """Transactions that wait for others, in order of arrival."""
        return tuple(self._graph.future.values())

    def get(self, transaction: Hash) -> Pooled | None:
        """A transaction of the pool."""
        return self._graph.get(transaction)

    def __len__(self) -> int:
        return len(self._graph)

    def remove_invalid(self, *transactions: Hash) -> None:
        """A block author found transactions invalid: ban them, look again at those that depended on them."""
        for transaction in transactions:
            removed = self._graph.remove(transaction)
            for pooled in removed[:1]:
                self._ban(pooled.hash)
                self._tell(pooled.hash, Status(StatusKind.INVALID))
            self._reinsert(removed[1:], announced=True)

    def broadcasted(self, transaction: Hash, peers: tuple[str, ...]) -> None:
        """Tell watchers that a transaction was sent to peers."""
        self._tell(transaction, Status(StatusKind.BROADCAST, peers=peers))

    def on_ready(self, callback: Callable[[Pooled], None]) -> None:
        """Call back for each transaction that becomes ready: gossip it if it says `propagate`."""
        self._ready_callbacks.append(callback)

    # -- following the chain -------------------------------------------------------------------------------------

    def _on_best(self, best: Hash) -> None:
        retracted, enacted = self._chain.route(self._best, best)
        self._best = best
        for block in retracted:
            for transaction in self._watched_blocks.pop(block, []):
                self._tell(transaction, Status(StatusKind.RETRACTED, block))
        for block in enacted:
            self._prune(block)
        number = self._chain.best_number
        self._banned = {each: until for each, until in self._banned.items() if until >= number}
        if retracted:
            self._resubmit(retracted, enacted)
        limit = self.limits.revalidated_on_reorg if retracted else self.limits.revalidated_per_block
        self._revalidate(number, limit)
        self._tell_dropped(self._overflow())

    def _prune(self, block: Hash) -> None:
        """Take out what a block includes, and what it makes impossible."""
        body = self._chain.block(block)
        parent = body.header.parent_hash
        watched: list[Hash] = []
        for raw in body.extrinsics:
            hash_ = extrinsic_hash(raw)
            known = self._graph.get(hash_)
            if hash_ in self._watchers:
                watched.append(hash_)
            if known is not None and hash_ in self._graph.future:
                self._graph.remove(hash_)
            pruned, change = self._graph.prune(known.provides if known else self._tags(parent, raw))
            self._apply(change, hash_)
            for rival in pruned:
                if rival.hash != hash_:
                    self._tell(rival.hash, Status(StatusKind.USURPED, hash_))
        if watched:
            self._watched_blocks[block] = watched
        for transaction in watched:
            self._tell(transaction, Status(StatusKind.IN_BLOCK, block))
        while len(self._watched_blocks) > WATCHED_BLOCKS:
            oldest = next(iter(self._watched_blocks))
            for transaction in self._watched_blocks.pop(oldest):
                self._tell(transaction, Status(StatusKind.FINALITY_TIMEOUT, oldest))

    def _tags(self, parent: Hash, raw: bytes) -> tuple[bytes, ...]:
        """What a transaction from elsewhere provided; nothing for inherents."""
        if not self._graph:
            return ()
        try:
            return self._validate(parent, TransactionSource.InBlock, raw).provides
        except ChainError:  # an inherent, or the parent's state is gone: revalidation will find what became stale
            return ()

    def _resubmit(self, retracted: tuple[Hash, ...], enacted: tuple[Hash, ...]) -> None:
        included = {extrinsic_hash(raw) for block in enacted for raw in self._chain.block(block).extrinsics}
        for block in reversed(retracted):
            for raw in self._chain.block(block).extrinsics:
                hash_ = extrinsic_hash(raw)
                if hash_ in included or self._graph.get(hash_) is not None:
                    continue
                self._try_insert(hash_, raw, next(self._arrivals), announced=False)

    def _revalidate(self, number: int, limit: int) -> None:
        """Validate again what was validated longest ago, and what expired."""
        everything = (*self._graph.ready.values(), *self._graph.future.values())
        oldest = nsmallest(limit, everything, key=lambda each: (each.checked, each.order))
        expired = [each for each in everything if each.valid_till < number]
        for pooled in {each.hash: each for each in (*oldest, *expired) if each.checked < number}.values():
            if pooled.hash in self._graph.future:
                self._reinsert(self._graph.remove(pooled.hash), announced=False)
            elif self._graph.get(pooled.hash) is pooled:
                self._renew(pooled)

    def _renew(self, pooled: Pooled) -> None:
        """Validate a ready transaction in place; dependants are looked at only when it does not stay as it is."""
        try:
            renewed = self._checked(pooled.hash, pooled.raw, TransactionSource.External, pooled.order)
        except ChainError:
            renewed = None
        if renewed is None or not self._graph.replace(renewed):
            self._reinsert(self._graph.remove(pooled.hash), announced=True)

    def _reinsert(self, transactions: list[Pooled], *, announced: bool) -> None:
        for pooled in transactions:
            self._try_insert(pooled.hash, pooled.raw, pooled.order, announced=announced)

    def _try_insert(self, hash_: Hash, raw: bytes, order: int, *, announced: bool) -> None:
        try:
            change = self._graph.insert(self._checked(hash_, raw, TransactionSource.External, order))
        except PoolError:
            self._tell(hash_, Status(StatusKind.DROPPED))
        except ChainError:
            self._ban(hash_)
            self._tell(hash_, Status(StatusKind.INVALID))
        else:
            self._apply(change, hash_, announced=announced)

    def _on_finalized(self, _: Hash) -> None:
        number = self._chain.finalized_number
        for block in list(self._watched_blocks):
            if block not in self._chain:
                del self._watched_blocks[block]
            elif self._chain.number(block) <= number:
                for transaction in self._watched_blocks.pop(block):
                    self._tell(transaction, Status(StatusKind.FINALIZED, block))

    # -- details -------------------------------------------------------------------------------------------------

    def _checked(self, hash_: Hash, raw: bytes, source: TransactionSource, order: int) -> Pooled:
        valid = self._validate(self._chain.best, source, raw)
        number = self._chain.best_number
        return Pooled(
            hash=hash_,
            raw=raw,
            priority=int(valid.priority),
            requires=valid.requires,
            provides=valid.provides,
            valid_till=number + int(valid.longevity),
            propagate=valid.propagate,
            order=order,
            checked=number,
        )

    def _overflow(self) -> list[Pooled]:
        """Drop what is beyond the limits: of ready ones those of lowest priority, of equal ones the oldest."""
        graph, limits, removed = self._graph, self.limits, list[Pooled]()
        while len(graph.ready) > limits.ready_count or graph.ready_bytes > limits.ready_bytes:
            removed.extend(graph.remove(graph.worst().hash))
        while len(graph.future) > limits.future_count or graph.future_bytes > limits.future_bytes:
            removed.extend(graph.remove(next(iter(graph.future))))
        return removed

    def _ban(self, transaction: Hash) -> None:
        self._banned[transaction] = self._chain.best_number + self.limits.ban_blocks

    def _apply(self, change: Change, cause: Hash, *, announced: bool = False) -> None:
        for pooled in change.usurped:
            self._tell(pooled.hash, Status(StatusKind.USURPED, cause))
        self._tell_dropped(change.dropped)
        for pooled in change.ready:
            if pooled.hash not in self._graph.ready or (announced and pooled.hash == cause):
                continue
            self._tell(pooled.hash, Status(StatusKind.READY))
            for callback in self._ready_callbacks:
                callback(pooled)

    def _tell_dropped(self, removed: list[Pooled]) -> None:
        for pooled in removed:
            self._tell(pooled.hash, Status(StatusKind.DROPPED))

    def _tell(self, transaction: Hash, status: Status) -> None:
        sinks = self._watchers.get(transaction)
        if sinks is None:
            return
        if status.is_last:
            del self._watchers[transaction]
        for sink in tuple(sinks):
            sink(status)
