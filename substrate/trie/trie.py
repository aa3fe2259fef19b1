"""The state trie: persistent, lazily loaded, lazily hashed.

One class serves a full trie in memory, a trie whose nodes sit in a store, and the partial trie of a witness: only
where unloaded nodes come from differs. Old versions stay valid; versions share what did not change.

Source: polkadot-spec, sect-state-storage; polkadot-sdk, `substrate/primitives/trie/src/lib.rs`.
"""

from collections.abc import Iterator, Mapping
from typing import Self, final

from substrate.trie.decoding import Stub
from substrate.trie.difference import new_nodes
from substrate.trie.nodes import (
    EMPTY_ROOT,
    Node,
    NodeSource,
    Slot,
    from_nibbles,
    make_value,
    root_hash,
    to_nibbles,
)
from substrate.trie.recorder import Recorder, Shadow, without_shadows
from substrate.trie.update import Update

_NOTHING: Mapping[bytes, bytes] = {}


@final
class Trie:
    """An immutable map from bytes to bytes with a root hash.

    `version` is the state version that new values are stored under: in 1, values longer than 32 bytes become nodes.
    """

    __slots__ = ("_hash", "_root", "_source", "version")

    def __init__(self, root: Slot | None, source: NodeSource, version: int) -> None:
        self._root = root
        self._source = source
        self._hash: bytes | None = None
        self.version = version

    @classmethod
    def empty(cls, version: int = 1) -> Self:
        """The trie without entries."""
        return cls(None, _NOTHING, version)

    @classmethod
    def load(cls, root: bytes, source: NodeSource, version: int = 1) -> Self:
        """The trie with this root hash; nodes come from `source` when first needed."""
        return cls(None if root == EMPTY_ROOT else Stub(b"\x80" + root), source, version)

    @property
    def root(self) -> bytes:
        """Root hash; computed once."""
        if self._hash is None:
            self._hash = root_hash(self._root)
        return self._hash

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`."""
        slot = self._root
        if slot is None:
            return None
        source, path, position = self._source, to_nibbles(key), 0
        while True:
            node = slot if type(slot) is Node else slot.load(source)
            partial = node.partial
            if partial:
                if not path.startswith(partial, position):
                    return None
                position += len(partial)
            if position == len(path):
                value = node.value
                return value if value is None or isinstance(value, bytes) else value.load(source)
            if node.children is None:
                return None
            slot = node.children[path[position]]
            if slot is None:
                return None
            position += 1

    def update(self, changes: Mapping[bytes, bytes | None]) -> "Trie":
        """The trie with `changes` applied (None removes); nothing is hashed but long values."""
        if not changes:
            return self
        version = self.version
        keys = sorted(changes)
        values = [None if (data := changes[key]) is None else make_value(data, version) for key in keys]
        update = Update([to_nibbles(key) for key in keys], values, self._source)
        root = update.apply(self._root)
        return self if root is self._root else Trie(root, self._source, version)

    def next_key(self, key: bytes) -> bytes | None:
        """The smallest key greater than `key`."""
        found = next(self._after(to_nibbles(key)), None)
        return None if found is None else from_nibbles(found[0])

    def keys(self, prefix: bytes = b"", after: bytes | None = None) -> Iterator[bytes]:
        """Keys under `prefix` in order, from the one following `after`."""
        return (from_nibbles(path) for path, _ in self._range(prefix, after))

    def items(self, prefix: bytes = b"", after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Keys under `prefix` with their values, in order."""
        for path, node in self._range(prefix, after):
            value = node.value
            assert value is not None, "iteration yields nodes with values"
            yield from_nibbles(path), value if isinstance(value, bytes) else value.load(self._source)

    def recording(self) -> tuple["Trie", Recorder]:
        """This trie, and what is loaded through it and through its updates from now on."""
        recorder = Recorder()
        root = None if self._root is None else Shadow(b"\x80" + self.root, self._root, recorder)
        return Trie(root, self._source, self.version), recorder

    def unrecorded(self) -> "Trie":
        """This trie without its recorder, for keeping."""
        plain = Trie(without_shadows(self._root), self._source, self.version)
        plain._hash = self._hash
        return plain

    def new_nodes(self, since: "Trie") -> Iterator[tuple[bytes, bytes]]:
        """(hash, bytes) of the nodes and hashed values that `since` lacks, as far as loaded.

        One pair per place in the trie, so `old.new_nodes(new)` yields what a reference count gives back.
        """
        return new_nodes(self._root, self.root, since._root, since.root)

    def with_source(self, source: NodeSource) -> "Trie":
        """The same trie, loading its missing nodes from `source`."""
        return Trie(self._root, source, self.version)

    def _range(self, prefix: bytes, after: bytes | None) -> Iterator[tuple[bytes, Node]]:
        start = to_nibbles(prefix)
        if after is None or after < prefix:
            yield from self._under(start)
            return
        for path, node in self._after(to_nibbles(after)):
            if not path.startswith(start):
                return
            yield path, node

    def _under(self, start: bytes) -> Iterator[tuple[bytes, Node]]:
        """Entries whose path starts with `start`."""
        slot, path = self._root, b""
        while slot is not None:
            if len(path) >= len(start):
                yield from self._drain([(slot, path)])
                return
            node = slot if type(slot) is Node else slot.load(self._source)
            full = path + node.partial
            if full.startswith(start):
                yield from self._drain([(node, path)])
                return
            if node.children is None or not start.startswith(full):
                return
            nibble = start[len(full)]
            slot, path = node.children[nibble], full + bytes((nibble,))

    def _after(self, path: bytes) -> Iterator[tuple[bytes, Node]]:
        """Entries whose path is greater than `path`."""
        waiting: list[tuple[Slot, bytes]] = []
        slot, at = self._root, b""
        while slot is not None:
            node = slot if type(slot) is Node else slot.load(self._source)
            full = at + node.partial
            if not path.startswith(full):
                if full > path:
                    waiting.append((node, at))
                break
            if node.children is None:
                break
            end = len(path) == len(full)
            nibble = -1 if end else path[len(full)]
            _push(waiting, node.children, full, nibble + 1)
            slot, at = (None, full) if end else (node.children[nibble], path[: len(full) + 1])
        return self._drain(waiting)

    def _drain(self, waiting: list[tuple[Slot, bytes]]) -> Iterator[tuple[bytes, Node]]:
        """Entries of a stack of subtrees, each with the path above it."""
        while waiting:
            slot, at = waiting.pop()
            node = slot if type(slot) is Node else slot.load(self._source)
            full = at + node.partial
            if node.children is not None:
                _push(waiting, node.children, full, 0)
            if node.value is not None:
                yield full, node


def _push(waiting: list[tuple[Slot, bytes]], children: list[Slot | None], path: bytes, first: int) -> None:
    for nibble in range(15, first - 1, -1):
        child = children[nibble]
        if child is not None:
            waiting.append((child, path + bytes((nibble,))))
