"""The hash functions of storage keys, tries and blocks.

Source: polkadot-sdk, `substrate/primitives/crypto/hashing/src/lib.rs`.
"""

from hashlib import blake2b

from xxhash import xxh64_digest

_COPY_256 = blake2b(digest_size=32).copy  # copying a fresh state is faster than making one
_COPY_128 = blake2b(digest_size=16).copy


def blake2_256(data: bytes) -> bytes:
    """BLAKE2b with 32 bytes out: blocks, tries, extrinsics, code."""
    state = _COPY_256()
    state.update(data)
    return state.digest()


def blake2_128(data: bytes) -> bytes:
    """BLAKE2b with 16 bytes out."""
    state = _COPY_128()
    state.update(data)
    return state.digest()


def blake2_64(data: bytes) -> bytes:
    """BLAKE2b with 8 bytes out."""
    return blake2b(data, digest_size=8).digest()


def blake2_512(data: bytes) -> bytes:
    """BLAKE2b with 64 bytes out."""
    return blake2b(data).digest()


def twox_64(data: bytes) -> bytes:
    """XXH64 with seed 0, little-endian. Not collision resistant: trusted keys only."""
    return xxh64_digest(data, 0)[::-1]


def twox_128(data: bytes) -> bytes:
    """XXH64 with seeds 0 and 1: pallet and storage item names."""
    return xxh64_digest(data, 0)[::-1] + xxh64_digest(data, 1)[::-1]


def twox_256(data: bytes) -> bytes:
    """XXH64 with seeds 0 to 3."""
    return b"".join(xxh64_digest(data, seed)[::-1] for seed in range(4))
