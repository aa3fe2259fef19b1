"""The order of a pool: transactions that are ready, and those waiting for a tag that none provides yet.

Source: polkadot-sdk, `substrate/client/transaction-pool/src/graph/{base_pool,ready,future}.rs`.
"""

from collections.abc import Iterator
from enum import StrEnum
from heapq import heapify, heappop, heappush

import msgspec

from substrate.errors import RuleError
from substrate.types import Hash


class PoolReason(StrEnum):
    """Why the pool refuses a transaction that may well be valid."""

    ALREADY_IMPORTED = "AlreadyImported"
    TEMPORARILY_BANNED = "TemporarilyBanned"
    TOO_LOW_PRIORITY = "TooLowPriority"
    CYCLE_DETECTED = "CycleDetected"
    IMMEDIATELY_DROPPED = "ImmediatelyDropped"


class PoolError(RuleError):
    """The pool refused a transaction."""


class Pooled(msgspec.Struct, frozen=True, eq=False):
    """A validated transaction."""

    hash: Hash
    raw: bytes
    """Opaque extrinsic without length prefix."""
    priority: int
    requires: tuple[bytes, ...]
    provides: tuple[bytes, ...]
    valid_till: int
    """Last block number for which the validation holds."""
    propagate: bool
    order: int
    """Arrival."""
    checked: int
    """Block number of the last validation."""

    @property
    def rank(self) -> tuple[int, int, int]:
        """Sorts the best first: priority, then what expires soon, then what came first."""
        return -self.priority, self.valid_till, self.order


class Change(msgspec.Struct):
    """What importing did to the graph, in order."""

    ready: list[Pooled] = msgspec.field(default_factory=list[Pooled])
    usurped: list[Pooled] = msgspec.field(default_factory=list[Pooled])
    """Replaced by the imported transaction."""
    dropped: list[Pooled] = msgspec.field(default_factory=list[Pooled])
    """Lost their provider, or lost against a better one when they became ready."""


class TransactionGraph:
    """Ready and future transactions, linked by the tags they provide and require."""

    def __init__(self) -> None:
        self.ready: dict[Hash, Pooled] = {}
        self.future: dict[Hash, Pooled] = {}
        self.ready_bytes = 0
        self.future_bytes = 0
        self._providers: dict[bytes, Hash] = {}
        self._requirers: dict[bytes, dict[Hash, None]] = {}
        self._waiting: dict[bytes, dict[Hash, None]] = {}
        self._missing: dict[Hash, set[bytes]] = {}
        self._worst: list[tuple[int, int, Hash]] = []
        """Heap of drop order; entries of transactions that left are skipped."""

    def __len__(self) -> int:
        return len(self.ready) + len(self.future)

    def get(self, transaction: Hash) -> Pooled | None:
        """A transaction of either queue."""
        return self.ready.get(transaction) or self.future.get(transaction)

    def insert(self, transaction: Pooled) -> Change:
        """Add a transaction, and make ready those that waited for it.

        Raises:
            PoolError: TOO_LOW_PRIORITY, CYCLE_DETECTED; the graph is unchanged.
        """
        if any(tag in transaction.provides for tag in transaction.requires):
            raise PoolError(PoolReason.CYCLE_DETECTED, transaction=transaction.hash.hex())
        missing = {tag for tag in transaction.requires if tag not in self._providers}
        if missing:
            self._add_future(transaction, missing)
            return Change()
        change = Change()
        self._make_ready(transaction, change)
        self._promote(transaction.provides, change)
        return change

    def prune(self, tags: tuple[bytes, ...]) -> tuple[list[Pooled], Change]:
        """A block provided tags: remove and return their providers, make ready who waited."""
        pruned = [self.ready[provider] for provider in self._providers_of(tags)]
        for transaction in pruned:
            self._drop_ready(transaction)
        change = Change()
        self._promote(tags, change)
        return pruned, change

    def remove(self, transaction: Hash) -> list[Pooled]:
        """Remove a transaction; returns it and the ready ones that depended on it, which are removed too."""
        waiting = self.future.get(transaction)
        if waiting is not None:
            self._drop_future(waiting)
            return [waiting]
        known = self.ready.get(transaction)
        return [] if known is None else self._remove_tree(known, ())

    def best_first(self) -> Iterator[Pooled]:
        """Ready transactions in block order: each after those it depends on, otherwise by rank."""
        unmet: dict[Hash, int] = {}
        heap: list[tuple[tuple[int, int, int], Hash]] = []
        for transaction in self.ready.values():
            open_ = sum(1 for tag in transaction.requires if tag in self._providers)
            if open_:
                unmet[transaction.hash] = open_
            else:
                heap.append((transaction.rank, transaction.hash))
        heapify(heap)
        while heap:
            transaction = self.ready.get(heappop(heap)[1])
            if transaction is None:
                continue
            provides = transaction.provides
            followers = [each for tag in provides for each in self._requirers.get(tag, ())]
            yield transaction
            for follower in followers:
                unmet[follower] = unmet.get(follower, 0) - 1
                if unmet[follower] == 0 and follower in self.ready:
                    heappush(heap, (self.ready[follower].rank, follower))

    def worst(self) -> Pooled:
        """The ready transaction to drop first: lowest priority, oldest."""
        while True:
            priority, order, hash_ = self._worst[0]
            transaction = self.ready.get(hash_)
            if transaction is not None and (transaction.priority, transaction.order) == (priority, order):
                return transaction
            heappop(self._worst)

    def replace(self, transaction: Pooled) -> bool:
        """Renew the validation of a ready transaction; False if its links changed so that it must be inserted anew."""
        old = self.ready.get(transaction.hash)
        if old is None or old.provides != transaction.provides:
            return False
        if any(tag not in self._providers for tag in transaction.requires):
            return False
        for tag in old.requires:
            _discard(self._requirers, tag, old.hash)
        self._list_ready(transaction)
        return True

    # -- details ---------------------------------------------------------------------------------------------------

    def _providers_of(self, tags: tuple[bytes, ...]) -> list[Hash]:
        return list(dict.fromkeys(self._providers[tag] for tag in tags if tag in self._providers))

    def _make_ready(self, transaction: Pooled, change: Change) -> None:
        rivals = [self.ready[rival] for rival in self._providers_of(transaction.provides)]
        old = sum(rival.priority for rival in rivals)
        if rivals and old >= transaction.priority:
            raise PoolError(
                PoolReason.TOO_LOW_PRIORITY, transaction=transaction.hash.hex(), old=old, new=transaction.priority
            )
        for rival in rivals:
            if rival.hash in self.ready:
                removed = self._remove_tree(rival, transaction.provides)
                change.usurped.append(removed[0])
                change.dropped.extend(removed[1:])
        self.ready_bytes += len(transaction.raw)
        for tag in transaction.provides:
            self._providers[tag] = transaction.hash
        self._list_ready(transaction)
        change.ready.append(transaction)

    def _list_ready(self, transaction: Pooled) -> None:
        self.ready[transaction.hash] = transaction
        for tag in transaction.requires:
            self._requirers.setdefault(tag, {})[transaction.hash] = None
        heappush(self._worst, (transaction.priority, transaction.order, transaction.hash))
        if len(self._worst) > 2 * len(self.ready) + 1024:
            self._worst = [(each.priority, each.order, each.hash) for each in self.ready.values()]
            heapify(self._worst)

    def _promote(self, tags: tuple[bytes, ...], change: Change) -> None:
        queue = list(tags)
        for tag in queue:
            for waiter in self._waiting.pop(tag, {}):
                missing = self._missing[waiter]
                missing.discard(tag)
                if missing:
                    continue
                transaction = self.future[waiter]
                self._drop_future(transaction)
                try:
                    self._make_ready(transaction, change)
                except PoolError:
                    change.dropped.append(transaction)
                else:
                    queue.extend(transaction.provides)

    def _remove_tree(self, root: Pooled, still_provided: tuple[bytes, ...]) -> list[Pooled]:
        removed, queue = [root], [root]
        self._drop_ready(root)
        for transaction in queue:
            tags = [tag for tag in transaction.provides if tag not in still_provided]
            for each in [each for tag in tags for each in self._requirers.get(tag, ())]:
                if each in self.ready:
                    dependant = self.ready[each]
                    self._drop_ready(dependant)
                    removed.append(dependant)
                    queue.append(dependant)
        return removed

    def _drop_ready(self, transaction: Pooled) -> None:
        del self.ready[transaction.hash]
        self.ready_bytes -= len(transaction.raw)
        for tag in transaction.provides:
            if self._providers.get(tag) == transaction.hash:
                del self._providers[tag]
        for tag in transaction.requires:
            _discard(self._requirers, tag, transaction.hash)

    def _add_future(self, transaction: Pooled, missing: set[bytes]) -> None:
        self.future[transaction.hash] = transaction
        self.future_bytes += len(transaction.raw)
        self._missing[transaction.hash] = missing
        for tag in transaction.requires:
            if tag in missing:
                self._waiting.setdefault(tag, {})[transaction.hash] = None

    def _drop_future(self, transaction: Pooled) -> None:
        del self.future[transaction.hash]
        del self._missing[transaction.hash]
        self.future_bytes -= len(transaction.raw)
        for tag in transaction.requires:
            _discard(self._waiting, tag, transaction.hash)


def _discard(index: dict[bytes, dict[Hash, None]], tag: bytes, transaction: Hash) -> None:
    users = index.get(tag)
    if users is not None:
        users.pop(transaction, None)
        if not users:
            del index[tag]
