"""Storage of one block under execution: changes over a trie, with nested transactions.

Source: polkadot-sdk, `substrate/primitives/state-machine/src/overlayed_changes/`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from enum import Enum, auto
from types import TracebackType
from typing import final

from substrate.trie.trie import Trie


class _Mark(Enum):
    ABSENT = auto()


_ABSENT = _Mark.ABSENT


@final
class Transaction:
    """`with overlay.transaction():` commits, or rolls back when an exception leaves the block."""

    __slots__ = ("_overlay",)

    def __init__(self, overlay: "Overlay") -> None:
        self._overlay = overlay

    def __enter__(self) -> None:
        self._overlay.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._overlay.commit()
        else:
            self._overlay.rollback()


@final
class Overlay:
    """Reads through to `base`, which never changes; writes stay here until `finish`."""

    __slots__ = ("_changes", "_finished", "_journals", "_order", "_reads", "base")

    def __init__(self, base: Trie) -> None:
        self.base = base
        self._changes: dict[bytes, bytes | None] = {}
        self._reads: dict[bytes, bytes | None] = {}
        self._journals: list[dict[bytes, bytes | _Mark | None]] = []
        self._order: list[bytes] | None = None
        self._finished: Trie | None = None

    def get(self, key: bytes) -> bytes | None:
        """The current value under `key`."""
        changes = self._changes
        if key in changes:
            return changes[key]
        reads = self._reads
        if key in reads:
            return reads[key]
        reads[key] = value = self.base.get(key)
        return value

    def put(self, key: bytes, value: bytes) -> None:
        """Set a value."""
        self._write(key, value)

    def delete(self, key: bytes) -> None:
        """Remove a value, if there is one."""
        self._write(key, None)

    def clear_prefix(self, prefix: bytes, limit: int | None = None) -> int:
        """Remove the first `limit` values under `prefix` (all by default), and say how many went."""
        count = 0
        for key in self.keys(prefix):
            if count == limit:
                break
            self._write(key, None)
            count += 1
        return count

    def next_key(self, key: bytes) -> bytes | None:
        """The smallest key greater than `key`."""
        changes, order = self._changes, self._ordered()
        base = next((below for below in self.base.keys(after=key) if changes.get(below, _ABSENT) is not None), None)
        for place in range(bisect_right(order, key), len(order)):
            own = order[place]
            if base is not None and own >= base:
                break
            if changes.get(own) is not None:
                return own
        return base

    def keys(self, prefix: bytes = b"") -> Iterator[bytes]:
        """Keys under `prefix` in order; keys may be written or removed meanwhile, new ones are not visited."""
        changes, own = self._changes, self._own_keys(prefix)
        mine = set(own)
        at = 0
        for key in self.base.keys(prefix):
            while at < len(own) and own[at] <= key:
                if self.get(own[at]) is not None:
                    yield own[at]
                at += 1
            if key not in mine and changes.get(key, _ABSENT) is not None:
                yield key
        for key in own[at:]:
            if self.get(key) is not None:
                yield key

    def items(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Keys under `prefix` with their values, in order."""
        for key in self.keys(prefix):
            value = self.get(key)
            assert value is not None, "iterated keys have values"
            yield key, value

    def transaction(self) -> Transaction:
        """A scope whose writes are undone when an exception leaves it."""
        return Transaction(self)

    def begin(self) -> None:
        """Open a transaction inside the current one."""
        self._journals.append({})

    def commit(self) -> None:
        """Keep the innermost transaction's writes."""
        done = self._journals.pop()
        if self._journals:
            outer = self._journals[-1]
            for key, before in done.items():
                outer.setdefault(key, before)

    def rollback(self) -> None:
        """Undo the innermost transaction's writes."""
        changes = self._changes
        for key, before in self._journals.pop().items():
            if before is _ABSENT:
                del changes[key]
            else:
                changes[key] = before
        self._finished = None

    @property
    def depth(self) -> int:
        """How many transactions are open."""
        return len(self._journals)

    def changes(self) -> dict[bytes, bytes | None]:
        """Every key written, with its value or None."""
        return dict(self._changes)

    def finish(self) -> Trie:
        """The trie with the changes so far; no transaction may be open."""
        assert not self._journals, "a transaction is open"
        if self._finished is None:
            self._finished = self.base.update(self._changes)
        return self._finished

    def root(self) -> bytes:
        """Root hash with the changes so far, open transactions included."""
        return self.base.update(self._changes).root if self._journals else self.finish().root

    def _write(self, key: bytes, value: bytes | None) -> None:
        changes = self._changes
        before = changes.get(key, _ABSENT)
        if self._journals:
            self._journals[-1].setdefault(key, before)
        if before is _ABSENT and self._order is not None:
            _insert(self._order, key)
        changes[key] = value
        self._finished = None

    def _ordered(self) -> list[bytes]:
        """Written keys in order; may hold keys whose writes were rolled back."""
        if self._order is None:
            self._order = sorted(self._changes)
        return self._order

    def _own_keys(self, prefix: bytes) -> list[bytes]:
        changes, order = self._changes, self._ordered()
        found: list[bytes] = []
        for place in range(bisect_left(order, prefix), len(order)):
            key = order[place]
            if not key.startswith(prefix):
                break
            if key in changes:
                found.append(key)
        return found


def _insert(order: list[bytes], key: bytes) -> None:
    at = bisect_left(order, key)
    if at == len(order) or order[at] != key:
        order.insert(at, key)
