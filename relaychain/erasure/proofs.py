"""Erasure root and chunk proofs: a trie over the chunk hashes.

Source: polkadot-sdk, `polkadot/erasure-coding/src/lib.rs` (`branches`, `branch_hash`).
"""

from collections.abc import Sequence

from relaychain.erasure.coding import ErasureError, ErasureReason
from substrate.crypto.hashing import blake2_256
from substrate.errors import ChainError
from substrate.trie.proofs import read_proof, trie_from_proof
from substrate.trie.trie import Trie
from substrate.types import Hash

MAX_PROOF_NODES = 8
MAX_NODE_BYTES = 612
"""A full branch: 16 children of 33 bytes and its own key, bitmap and value."""

Proof = tuple[bytes, ...]


def _key(index: int) -> bytes:
    return index.to_bytes(4, "little")


def branches(chunks: Sequence[bytes]) -> tuple[Hash, list[Proof]]:
    """Erasure root of the chunks, and the proof of each."""
    trie = Trie.empty(version=0).update({_key(index): blake2_256(chunk) for index, chunk in enumerate(chunks)})
    return Hash(trie.root), [read_proof(trie, [_key(index)]) for index in range(len(chunks))]


def check_chunk(root: Hash, index: int, chunk: bytes, proof: Proof) -> None:
    """Check that `chunk` is number `index` under `root`.

    Raises:
        ErasureError: `INVALID_BRANCH_PROOF`.
    """
    oversized = len(proof) > MAX_PROOF_NODES or any(len(node) > MAX_NODE_BYTES for node in proof)
    if oversized or _proven_hash(root, index, proof) != blake2_256(chunk):
        raise ErasureError(ErasureReason.INVALID_BRANCH_PROOF, index=index)


def _proven_hash(root: Hash, index: int, proof: Proof) -> bytes | None:
    try:
        return trie_from_proof(root, proof).get(_key(index))
    except ChainError:  # a missing or malformed node proves nothing
        return None
