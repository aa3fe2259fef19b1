"""Storage proofs, and the roots of lists.

Source: polkadot-sdk, `substrate/primitives/trie/src/{storage_proof,lib}.rs`.
"""

from collections.abc import Iterable, Sequence

from substrate.crypto.hashing import blake2_256
from substrate.scale.primitives import compact
from substrate.trie.trie import Trie


def read_proof(trie: Trie, keys: Iterable[bytes]) -> tuple[bytes, ...]:
    """Sorted encodings of the nodes that show what is, or is not, under `keys`."""
    recorded, recorder = trie.recording()
    for key in keys:
        recorded.get(key)
    return recorder.proof()


def trie_from_proof(root: bytes, nodes: Iterable[bytes], version: int = 1) -> Trie:
    """The partial trie of a proof; a read outside it raises `MissingNode`."""
    return Trie.load(root, {blake2_256(node): node for node in nodes}, version)


def ordered_root(values: Sequence[bytes], version: int = 0) -> bytes:
    """Root of the trie from each value's compact index to the value: extrinsics and erasure roots use version 0."""
    return Trie.empty(version).update({compact(index): value for index, value in enumerate(values)}).root
