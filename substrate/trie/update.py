"""Applying a sorted batch of changes to a trie, sharing every subtree that they leave alone.

Source: the canonical form of polkadot-spec, sect-state-storage; the batch walk, which copies each node once, is ours.
"""

from typing import final

from substrate.trie.nodes import Node, NodeSource, Slot, Value

_NO_CHILDREN: tuple[Slot | None, ...] = (None,) * 16


@final
class _Place:
    """A subtree with changes `low` to `high` (not empty, alike in their first `depth` nibbles) to apply."""

    __slots__ = ("above", "children", "depth", "high", "low", "nibble", "node", "partial", "slot", "value")

    def __init__(self, above: "_Place | None", nibble: int, slot: Slot | None, low: int, high: int, depth: int) -> None:
        self.above = above
        self.nibble = nibble
        self.slot = slot
        self.low = low
        self.high = high
        self.depth = depth
        self.node: Node | None = None
        self.partial = b""
        self.value: Value | None = None
        self.children: list[Slot | None] | None = None


@final
class Update:
    """One batch: `paths` are sorted distinct nibble paths, `values` their new values (None removes).

    It walks down first and joins on the way back, without recursion: keys may prefix each other as often as they like.
    """

    __slots__ = ("_paths", "_source", "_values")

    def __init__(self, paths: list[bytes], values: list[Value | None], source: NodeSource) -> None:
        self._paths = paths
        self._values = values
        self._source = source

    def apply(self, root: Slot | None) -> Slot | None:
        """The trie at `root` with the changes, `root` itself if they change nothing."""
        places = [_Place(None, 0, root, 0, len(self._paths), 0)]
        for place in places:  # grows while it is walked, children behind their parents
            position = self._open(place) if place.slot is None else self._open_node(place, place.slot)
            if place.low < place.high:
                self._branch(place, position, places)
        for place in reversed(places):
            new, above = self._close(place), place.above
            if above is None:
                root = new
            elif new is not place.slot:
                kept = above.children
                if kept is None or (above.node is not None and kept is above.node.children):
                    above.children = kept = list(kept or _NO_CHILDREN)
                kept[place.nibble] = new
        return root

    def _open(self, place: _Place) -> int:
        """Begin a subtree where there was none; returns the length of the path at its top."""
        paths, values, low, high, depth = self._paths, self._values, place.low, place.high, place.depth
        while low < high and values[low] is None:
            low += 1
        while low < high and values[high - 1] is None:
            high -= 1
        place.low, place.high = low, high
        if low == high:
            return depth
        first = paths[low]
        position = len(first) if high - low == 1 else depth + _common(paths[high - 1][depth:], first, depth)
        place.partial = first[depth:position]
        if len(first) == position:
            place.value = values[low]
            place.low += 1
        return position

    def _open_node(self, place: _Place, slot: Slot) -> int:
        """Load the node that is there, cut where the changes part from it; returns the length of its path."""
        low, depth = place.low, place.depth
        node = slot if type(slot) is Node else slot.load(self._source)
        partial, first, last = node.partial, self._paths[low], self._paths[place.high - 1]
        if not (first.startswith(partial, depth) and last.startswith(partial, depth)):
            node = _split(node, min(_common(partial, first, depth), _common(partial, last, depth)))
        place.node, place.partial, place.value, place.children = node, node.partial, node.value, node.children
        position = depth + len(node.partial)
        if len(first) == position:
            place.value = self._values[low]
            place.low += 1
        return position

    def _branch(self, place: _Place, position: int, places: list[_Place]) -> None:
        """Hand the changes below a node to its children."""
        paths, low, high, children = self._paths, place.low, place.high, place.children
        while low < high:
            nibble, end = paths[low][position], low + 1
            while end < high and paths[end][position] == nibble:
                end += 1
            old = None if children is None else children[nibble]
            places.append(_Place(place, nibble, old, low, end, position + 1))
            low = end

    def _close(self, place: _Place) -> Slot | None:
        """The subtree with its changes; a branch that lost its reason to be becomes its child, a leaf or nothing."""
        node, value, children = place.node, place.value, place.children
        if node is not None and children is node.children and (value is node.value or _same(value, node.value)):
            return place.slot
        if children is None:
            return None if value is None else Node(place.partial, value, None)
        empty = children.count(None)
        if empty == 16:
            return None if value is None else Node(place.partial, value, None)
        if empty < 15 or value is not None:
            return Node(place.partial, value, children)
        nibble = next(index for index, child in enumerate(children) if child is not None)
        only = children[nibble]
        assert only is not None, "one child is left"
        child = only if type(only) is Node else only.load(self._source)
        return Node(place.partial + bytes((nibble,)) + child.partial, child.value, child.children)


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
