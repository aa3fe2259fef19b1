"""Trie nodes in memory and on the wire.

A node is immutable once published, apart from caches. A slot (the root, or one of 16 children) holds a `Node`, a `Stub`
(known by hash, loaded from a source) or a `Shadow` (recorder.py). In state version 1, values longer than 32 bytes are
nodes of their own.

Source: polkadot-sdk, `substrate/primitives/trie/src/{node_header,node_codec}.rs`; polkadot-spec, sect-state-storage.
"""

from binascii import hexlify, unhexlify
from typing import Protocol, final

from substrate.crypto.hashing import blake2_256
from substrate.errors import Aborted
from substrate.scale.primitives import compact

NodeRef = bytes
"""How a parent names a child: compact length, then the child's hash, or its encoding when shorter than 32 bytes."""

HASHED = 33
"""Length of a `NodeRef` that holds a hash."""

VALUE_INLINE_MAX = 32
EMPTY_NODE = b"\x00"
EMPTY_ROOT = blake2_256(EMPTY_NODE)

_TO_NIBBLES = bytes(int(chr(c), 16) if chr(c) in "0123456789abcdef" else 0 for c in range(256))
_TO_HEX = bytes(b"0123456789abcdef"[c] if c < 16 else 0 for c in range(256))
_LEAF, _LEAF_HASHED, _BRANCH, _BRANCH_VALUE, _BRANCH_HASHED = 0, 1, 2, 3, 4
_PREFIXES = ((0b01 << 6, 6), (0b001 << 5, 5), (0b10 << 6, 6), (0b11 << 6, 6), (0b0001 << 4, 4))
"""Per kind: the leading bits, and how many bits of the first byte hold the nibble count."""

_BITS = tuple(1 << i for i in range(16))


class NodeSource(Protocol):
    """Where nodes are loaded from: a store, or the nodes of a proof. A `dict` is one."""

    def get(self, key: bytes, /) -> bytes | None:
        """The node or value whose blake2-256 is `key`."""
        ...


class MissingNode(Aborted):
    """A partial trie was asked for something that its nodes do not cover."""

    def __init__(self, hash_: bytes) -> None:
        super().__init__(f"trie node 0x{hash_.hex()} is missing")
        self.hash = hash_


def fetch(source: NodeSource, hash_: bytes) -> bytes:
    """A node's or value's bytes, or `MissingNode`."""
    data = source.get(hash_)
    if data is None:
        raise MissingNode(hash_)
    return data


def to_nibbles(key: bytes) -> bytes:
    """One byte per nibble, high nibble first."""
    return hexlify(key).translate(_TO_NIBBLES)


def from_nibbles(path: bytes) -> bytes:
    """The key of an even path."""
    return unhexlify(path.translate(_TO_HEX))


@final
class HashedValue:
    """A value stored under its own hash; `data` is None until loaded."""

    __slots__ = ("data", "hash")

    def __init__(self, hash_: bytes, data: bytes | None) -> None:
        self.hash = hash_
        self.data = data

    def load(self, source: NodeSource) -> bytes:
        """The value's bytes."""
        if self.data is None:
            self.data = fetch(source, self.hash)
        return self.data


class LazyValue(Protocol):
    """A value behind its hash."""

    hash: bytes

    def load(self, source: NodeSource) -> bytes: ...


class LazySlot(Protocol):
    """A child behind its hash."""

    ref: NodeRef

    def load(self, source: NodeSource) -> "Node": ...


Value = bytes | HashedValue | LazyValue


@final
class Node:
    """A leaf (`children` is None) or a branch. `ref` and `encoded` are caches."""

    __slots__ = ("children", "encoded", "partial", "ref", "value")

    def __init__(self, partial: bytes, value: Value | None, children: "list[Node | LazySlot | None] | None") -> None:
        self.partial = partial
        self.value = value
        self.children = children
        self.ref: NodeRef | None = None
        self.encoded: bytes | None = None

    def encode(self) -> bytes:
        """The node's wire form; a branch keeps it."""
        if self.encoded is not None:
            return self.encoded
        if self.children is None:
            return _encode_leaf(self)
        return _encode_branch(self, self.children)

    def resolve(self) -> NodeRef:
        """The node's reference, hashing what is not hashed yet below it."""
        if self.ref is None:
            self.ref = reference(self.encode())
        return self.ref


Slot = Node | LazySlot


def reference(encoded: bytes) -> NodeRef:
    """How a parent names the node with this encoding."""
    if len(encoded) < 32:
        return bytes((len(encoded) << 2,)) + encoded
    return b"\x80" + blake2_256(encoded)


def root_hash(node: Slot | None) -> bytes:
    """The hash of a trie whose root node this is; a root is hashed however short."""
    if node is None:
        return EMPTY_ROOT
    ref = node.resolve() if type(node) is Node else node.ref
    return ref[1:] if len(ref) == HASHED else blake2_256(ref[1:])


def make_value(data: bytes, version: int) -> Value:
    """A value as state version 0 or 1 stores it."""
    if version and len(data) > VALUE_INLINE_MAX:
        return HashedValue(blake2_256(data), data)
    return data


def _header(kind: int, partial: bytes) -> bytes:
    count = len(partial)
    prefix, bits = _PREFIXES[kind]
    most = (1 << bits) - 1
    digits = partial.translate(_TO_HEX)
    packed = unhexlify(b"0" + digits if count & 1 else digits)
    if count < most:
        return bytes((prefix | count,)) + packed
    rest = count - most
    return bytes((prefix | most,)) + b"\xff" * (rest // 255) + bytes((rest % 255,)) + packed


def _encode_leaf(node: Node) -> bytes:
    value = node.value
    if isinstance(value, bytes):
        return _header(_LEAF, node.partial) + compact(len(value)) + value
    assert value is not None, "a leaf has a value"
    return _header(_LEAF_HASHED, node.partial) + value.hash


def _encode_branch(top: Node, children: list[Slot | None]) -> bytes:
    """Encode a branch, and first whatever below it has no reference yet; no recursion, keys may nest deeply."""
    waiting = [(top, children)]
    for _, slots in waiting:  # grows while it is walked, children behind their parents
        for child in slots:
            if child is not None and child.ref is None:
                assert type(child) is Node, "only nodes are without a reference"
                if child.children is None:
                    child.ref = reference(_encode_leaf(child))
                else:
                    waiting.append((child, child.children))
    while True:
        node, slots = waiting.pop()
        encoded = node.encoded = _join_branch(node, slots)
        if not waiting:
            return encoded
        node.ref = reference(encoded)


def _join_branch(node: Node, children: list[Slot | None]) -> bytes:
    value = node.value
    if value is None:
        head, tail = _header(_BRANCH, node.partial), b""
    elif isinstance(value, bytes):
        head, tail = _header(_BRANCH_VALUE, node.partial), compact(len(value)) + value
    else:
        head, tail = _header(_BRANCH_HASHED, node.partial), value.hash
    bitmap = 0
    parts = [head, b"", tail]
    for bit, child in zip(_BITS, children, strict=True):
        if child is not None:
            bitmap |= bit
            ref = child.ref
            assert ref is not None, "children are encoded before their parent"
            parts.append(ref)
    parts[1] = bitmap.to_bytes(2, "little")
    return b"".join(parts)
