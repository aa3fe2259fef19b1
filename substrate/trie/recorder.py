"""The witness recorder: it sits at node load, below every cache.

A recording trie is the same trie seen through `Shadow`s: the first load of a node notes its encoding and copies it with
shadows for children, so that lookups, iteration and updates are recorded alike, and nodes made by an update never are.
"""

from typing import final

from substrate.trie.nodes import HASHED, LazyValue, Node, NodeRef, NodeSource, Slot, Value


class Recorder:
    """Collects the encodings of every node and hashed value loaded through it."""

    def __init__(self) -> None:
        self._nodes: dict[bytes, bytes] = {}
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes of the proof so far, without lengths."""
        return self._size

    def proof(self) -> tuple[bytes, ...]:
        """Sorted encodings of what was loaded."""
        return tuple(sorted(self._nodes.values()))

    def note(self, hash_: bytes, encoded: bytes) -> None:
        """Add a node or a value, once."""
        if hash_ not in self._nodes:
            self._nodes[hash_] = encoded
            self._size += len(encoded)


@final
class Shadow:
    """A slot whose first load is recorded."""

    __slots__ = ("_node", "_recorder", "ref", "target")

    def __init__(self, ref: NodeRef, target: Slot, recorder: Recorder) -> None:
        self.ref: NodeRef = ref
        self.target = target
        self._recorder = recorder
        self._node: Node | None = None

    def load(self, source: NodeSource) -> Node:
        """A copy of the node that shadows its children and value."""
        if self._node is None:
            target = self.target
            base = target if type(target) is Node else target.load(source)
            self._recorder.note(self.ref[1:], base.encode())
            self._node = _shadow_of(base, self._recorder)
        return self._node


@final
class ShadowValue:
    """A hashed value whose first load is recorded."""

    __slots__ = ("_recorder", "hash", "target")

    def __init__(self, target: LazyValue, recorder: Recorder) -> None:
        self.hash: bytes = target.hash
        self.target = target
        self._recorder = recorder

    def load(self, source: NodeSource) -> bytes:
        """The value's bytes."""
        data = self.target.load(source)
        self._recorder.note(self.hash, data)
        return data


def without_shadows(root: Slot | None) -> Slot | None:
    """The subtree as it is without a recorder; copies only nodes made since recording began."""
    if type(root) is not Node:
        return _unshadowed(root, {})
    nodes = [root]
    for node in nodes:  # grows while it is walked, children behind their parents
        nodes.extend(child for child in node.children or () if type(child) is Node)
    plain: dict[int, Node] = {}
    for node in reversed(nodes):
        value, children = node.value, node.children
        if type(value) is ShadowValue:
            value = value.target
        if children is not None:
            bare = [_unshadowed(child, plain) for child in children]
            children = bare if any(a is not b for a, b in zip(bare, children, strict=True)) else children
        if value is node.value and children is node.children:
            continue
        copy = plain[id(node)] = Node(node.partial, value, children)
        copy.ref, copy.encoded = node.ref, node.encoded
    return _unshadowed(root, plain)


def _unshadowed(slot: Slot | None, plain: dict[int, Node]) -> Slot | None:
    """What stands for a slot once the nodes of `plain` (by identity) are replaced."""
    if type(slot) is Shadow:
        return slot.target
    return plain.get(id(slot), slot)


def _shadow_of(base: Node, recorder: Recorder) -> Node:
    value: Value | None = base.value
    if value is not None and not isinstance(value, bytes):
        value = ShadowValue(value, recorder)
    children = base.children
    if children is not None:
        children = [_shadow_slot(child, recorder) for child in children]
    copy = Node(base.partial, value, children)
    copy.ref, copy.encoded = base.ref, base.encoded
    return copy


def _shadow_slot(slot: Slot | None, recorder: Recorder) -> Slot | None:
    if slot is None:
        return None
    ref = slot.resolve() if type(slot) is Node else slot.ref
    return Shadow(ref, slot, recorder) if len(ref) == HASHED else slot  # a short node is part of its parent
