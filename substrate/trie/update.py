"""Applying a sorted batch of changes to a trie, sharing every subtree that they leave alone.

Source: the canonical form of polkadot-spec, sect-state-storage; the batch walk, which copies each node once, is ours.
"""

from typing import final

from substrate.trie.nodes import Node, NodeSource, Slot, Value

_NO_CHILDREN: tuple[Slot | None, ...] = (None,) * 16


@final
class Update:
    """One batch: `paths` are sorted distinct nibble paths, `values` their new values (None removes)."""

    __slots__ = ("_paths", "_source", "_values")

    def __init__(self, paths: list[bytes], values: list[Value | None], source: NodeSource) -> None:
        self._paths = paths
        self._values = values
        self._source = source

    def apply(self, slot: Slot | None, low: int, high: int, depth: int) -> Slot | None:
        """Apply changes `low` to `high` (not empty, alike in their first `depth` nibbles) to the subtree at `slot`."""
        if slot is None:
            return self._build(low, high, depth)
        node = slot if type(slot) is Node else slot.load(self._source)
        partial, first, last = node.partial, self._paths[low], self._paths[high - 1]
        if not (first.startswith(partial, depth) and last.startswith(partial, depth)):
            node = _split(node, min(_common(partial, first, depth), _common(partial, last, depth)))
        position = depth + len(node.partial)
        value, children = node.value, node.children
        if len(first) == position:
            value = self._values[low]
            low += 1
        if low < high:
            children = self._apply_below(children, low, high, position)
        if children is node.children and (value is node.value or _same(value, node.value)):
            return slot
        return self._canonical(node.partial, value, children)

    def _apply_below(
        self, children: list[Slot | None] | None, low: int, high: int, position: int
    ) -> list[Slot | None] | None:
        paths = self._paths
        fresh: list[Slot | None] | None = None
        while low < high:
            nibble, end = paths[low][position], low + 1
            while end < high and paths[end][position] == nibble:
                end += 1
            old = None if children is None else children[nibble]
            new = self.apply(old, low, end, position + 1)
            if new is not old:
                if fresh is None:
                    fresh = list(_NO_CHILDREN if children is None else children)
                fresh[nibble] = new
            low = end
        return children if fresh is None else fresh

    def _build(self, low: int, high: int, depth: int) -> Node | None:
        """A subtree of the values among these changes."""
        paths, values = self._paths, self._values
        while low < high and values[low] is None:
            low += 1
        while low < high and values[high - 1] is None:
            high -= 1
        if low == high:
            return None
        first = paths[low]
        if high - low == 1:
            return Node(first[depth:], values[low], None)
        position = depth + _common(paths[high - 1][depth:], first, depth)
        partial = first[depth:position]
        value: Value | None = None
        if len(first) == position:
            value = values[low]
            low += 1
        return Node(partial, value, self._apply_below(None, low, high, position))

    def _canonical(self, partial: bytes, value: Value | None, children: list[Slot | None] | None) -> Node | None:
        """The node with these parts; a branch that lost its reason to be becomes its child, a leaf or nothing."""
        if children is None:
            return None if value is None else Node(partial, value, None)
        empty = children.count(None)
        if empty == 16:
            return None if value is None else Node(partial, value, None)
        if empty < 15 or value is not None:
            return Node(partial, value, children)
        nibble = next(index for index, child in enumerate(children) if child is not None)
        only = children[nibble]
        assert only is not None, "one child is left"
        child = only if type(only) is Node else only.load(self._source)
        return Node(partial + bytes((nibble,)) + child.partial, child.value, child.children)


def _split(node: Node, at: int) -> Node:
    """The same subtree with a branch at `at` nibbles of its partial key; canonical only after a change below it."""
    partial = node.partial
    children: list[Slot | None] = [None] * 16
    children[partial[at]] = Node(partial[at + 1 :], node.value, node.children)
    return Node(partial[:at], None, children)


def _common(partial: bytes, path: bytes, depth: int) -> int:
    """How many leading nibbles `partial` shares with `path[depth:]`."""
    most = min(len(partial), len(path) - depth)
    for index in range(most):
        if partial[index] != path[depth + index]:
            return index
    return most


def _same(new: Value | None, old: Value | None) -> bool:
    if new is None or old is None:
        return False
    if isinstance(new, bytes) or isinstance(old, bytes):
        return new == old
    return new.hash == old.hash
