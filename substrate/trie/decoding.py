"""Decoding trie nodes, strictly, and loading them by hash.

Source: polkadot-sdk, `substrate/primitives/trie/src/node_codec.rs`.
"""

from typing import final

from substrate.errors import DecodeError
from substrate.scale.primitives import read_compact
from substrate.trie.nodes import (
    HASHED,
    HashedValue,
    Node,
    NodeRef,
    NodeSource,
    Slot,
    Value,
    fetch,
    reference,
    to_nibbles,
)


@final
class Stub:
    """A node known by its hash; loaded once."""

    __slots__ = ("node", "ref")

    def __init__(self, ref: NodeRef) -> None:
        self.ref: NodeRef = ref
        self.node: Node | None = None

    def load(self, source: NodeSource) -> Node:
        """The node itself."""
        node = self.node
        if node is None:
            raw = fetch(source, self.ref[1:])
            self.node = node = decode_node(raw)
            node.ref = reference(raw)
        return node


def decode_node(raw: bytes) -> Node:
    """Decode one non-empty node; children and hashed values stay unloaded.

    Raises:
        DecodeError: the bytes are not exactly one node in canonical form.
    """
    if not raw:
        raise DecodeError("empty trie node", 0)
    first = raw[0]
    if first >= 0b01 << 6:
        bits, is_branch, is_hashed = 6, first >= 0b10 << 6, False
        has_value = first >> 6 != 0b10
    elif first >= 0b0001 << 4:
        is_branch = first < 0b001 << 5
        bits, is_hashed, has_value = (4 if is_branch else 5), True, True
    else:
        raise DecodeError("not a trie node", 0)
    partial, at = _partial(raw, bits)
    bitmap = 0
    if is_branch:
        bitmap, at = int.from_bytes(_take(raw, at, 2), "little"), at + 2
        if not bitmap:
            raise DecodeError("a branch without children", at)
    value: Value | None = None
    if is_hashed:
        value, at = HashedValue(_take(raw, at, 32), None), at + 32
    elif has_value:
        size, at = read_compact(raw, at, 32)
        value, at = _take(raw, at, size), at + size
    children, at = _children(raw, at, bitmap) if is_branch else (None, at)
    if at != len(raw):
        raise DecodeError("bytes after a trie node", at)
    node = Node(partial, value, children)
    if is_branch:
        node.encoded = raw
    return node


def _take(raw: bytes, at: int, size: int) -> bytes:
    part = raw[at : at + size]
    if len(part) != size:
        raise DecodeError("trie node too short", len(raw))
    return part


def _partial(raw: bytes, bits: int) -> tuple[bytes, int]:
    most = (1 << bits) - 1
    count, at = raw[0] & most, 1
    if count == most:
        while True:
            more = _take(raw, at, 1)[0]
            count, at = count + more, at + 1
            if more != 255:
                break
    size = (count + 1) // 2
    nibbles = to_nibbles(_take(raw, at, size))
    if count & 1:
        if nibbles[0]:
            raise DecodeError("padding nibble is not zero", at)
        nibbles = nibbles[1:]
    return nibbles, at + size


def _children(raw: bytes, at: int, bitmap: int) -> tuple[list[Slot | None], int]:
    children: list[Slot | None] = [None] * 16
    for nibble in range(16):
        if not bitmap >> nibble & 1:
            continue
        size = _take(raw, at, 1)[0]
        if size == 0x80:
            children[nibble] = Stub(_take(raw, at, HASHED))
            at += HASHED
            continue
        if size & 3 or size > 0x80:
            raise DecodeError("bad child reference", at)
        ref = _take(raw, at, 1 + (size >> 2))
        child = decode_node(ref[1:])
        child.ref = ref
        children[nibble] = child
        at += len(ref)
    return children, at
