"""What one trie has and another lacks: the rows that a store must add."""

from collections.abc import Iterator

from substrate.trie.decoding import Stub
from substrate.trie.nodes import HASHED, HashedValue, Node, Slot, Value
from substrate.trie.recorder import Shadow

Cursor = tuple[Node, int]
"""A place in the older trie: a node and how many nibbles of its partial key are behind."""


def new_nodes(
    root: Slot | None, root_hash: bytes, since: Slot | None, since_hash: bytes
) -> Iterator[tuple[bytes, bytes]]:
    """(hash, bytes) of loaded nodes and values of the first trie that the second has not in the same place."""
    node, old = _loaded(root), _loaded(since)
    if node is None or root_hash == since_hash:
        return
    if len(node.resolve()) < HASHED:
        yield root_hash, node.encode()
    yield from _walk([(node, None if old is None else (old, 0))])


def _walk(waiting: list[tuple[Node, Cursor | None]]) -> Iterator[tuple[bytes, bytes]]:
    while waiting:
        node, cursor = waiting.pop()
        ref = node.resolve()
        if cursor is not None and cursor[1] == 0 and cursor[0].resolve() == ref:
            continue
        if len(ref) == HASHED:
            yield ref[1:], node.encode()
        below = _advance(cursor, node.partial)
        value = node.value
        if type(value) is HashedValue and value.data is not None and not _holds(below, value):
            yield value.hash, value.data
        old = below[0].children if below is not None and below[1] == len(below[0].partial) else None
        for nibble, slot in enumerate(node.children or ()):
            if slot is None or (old is not None and old[nibble] is slot):
                continue
            child = _loaded(slot)
            if child is not None:
                waiting.append((child, _advance(below, bytes((nibble,)))))


def _loaded(slot: Slot | None) -> Node | None:
    """The node in a slot, unless it was never loaded and so is in the store already."""
    while type(slot) is Shadow:
        slot = slot.target
    return slot.node if type(slot) is Stub else slot if type(slot) is Node else None


def _advance(cursor: Cursor | None, path: bytes) -> Cursor | None:
    """Follow `path` from a place in the older trie."""
    while cursor is not None and path:
        node, behind = cursor
        ahead = node.partial[behind:]
        if len(path) <= len(ahead):
            return (node, behind + len(path)) if ahead.startswith(path) else None
        if not path.startswith(ahead) or node.children is None:
            return None
        child = _loaded(node.children[path[len(ahead)]])
        cursor, path = None if child is None else (child, 0), path[len(ahead) + 1 :]
    return cursor


def _holds(cursor: Cursor | None, value: HashedValue) -> bool:
    """Whether the older trie has this value here."""
    if cursor is None or cursor[1] < len(cursor[0].partial):
        return False
    old: Value | None = cursor[0].value
    return old is not None and not isinstance(old, bytes) and old.hash == value.hash
