"""Storage hashers, with upstream's metadata indices.

Source: polkadot-sdk, `substrate/frame/support/src/hash.rs`.
"""

from collections.abc import Callable
from enum import IntEnum

from substrate.crypto.hashing import blake2_128, blake2_256, twox_64, twox_128, twox_256


class Hasher(IntEnum):
    """How a map turns an encoded key into a part of the storage key."""

    BLAKE2_128 = 0
    BLAKE2_256 = 1
    BLAKE2_128_CONCAT = 2
    TWOX_128 = 3
    TWOX_256 = 4
    TWOX_64_CONCAT = 5
    IDENTITY = 6

    def hash(self, encoded: bytes) -> bytes:
        """Hash an encoded key; the reversible hashers append it."""
        return self.function(encoded)

    @property
    def function(self) -> Callable[[bytes], bytes]:
        """What `hash` calls."""
        return _FUNCTIONS[self]

    @property
    def prefix_length(self) -> int | None:
        """Bytes before the key itself, or None where the key cannot be read back."""
        return {Hasher.BLAKE2_128_CONCAT: 16, Hasher.TWOX_64_CONCAT: 8, Hasher.IDENTITY: 0}.get(self)


def _blake2_128_concat(encoded: bytes) -> bytes:
    return blake2_128(encoded) + encoded


def _twox_64_concat(encoded: bytes) -> bytes:
    return twox_64(encoded) + encoded


_FUNCTIONS: tuple[Callable[[bytes], bytes], ...] = (
    blake2_128,
    blake2_256,
    _blake2_128_concat,
    twox_128,
    twox_256,
    _twox_64_concat,
    bytes,
)
"""By metadata index."""

Blake2_128 = Hasher.BLAKE2_128
Blake2_256 = Hasher.BLAKE2_256
Blake2_128Concat = Hasher.BLAKE2_128_CONCAT
Twox128 = Hasher.TWOX_128
Twox64Concat = Hasher.TWOX_64_CONCAT
Identity = Hasher.IDENTITY
