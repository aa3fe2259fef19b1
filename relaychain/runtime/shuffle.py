"""Random choices as upstream's runtime and nodes make them: ChaCha20 words and rand 0.8's bounded draws.

Source: rust-random `rand_chacha` 0.3 (`ChaCha20Rng`), `rand` 0.8 (`UniformInt::sample_single`, `SliceRandom`).
"""

from collections.abc import Iterator, Sequence
from struct import unpack
from typing import TypeVar

T = TypeVar("T")

_CONSTANTS = unpack("<4I", b"expand 32-byte k")
_ROUNDS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip
"""Columns, then diagonals."""
_MASK = 0xFFFFFFFF


def _rotated(value: int, by: int) -> int:
    return (value << by | value >> 32 - by) & _MASK


def _block(key: tuple[int, ...], counter: int) -> list[int]:
    start = [*_CONSTANTS, *key, counter & _MASK, counter >> 32, 0, 0]
    words = list(start)
    for _ in range(10):
        for a, b, c, d in _ROUNDS:
            for left, right in ((16, 12), (8, 7)):
                words[a] = words[a] + words[b] & _MASK
                words[d] = _rotated(words[d] ^ words[a], left)
                words[c] = words[c] + words[d] & _MASK
                words[b] = _rotated(words[b] ^ words[c], right)
    return [word + first & _MASK for word, first in zip(words, start, strict=True)]


class ChaCha20Rng:
    """A stream of 32-bit words from a 32-byte seed."""

    def __init__(self, seed: bytes) -> None:
        self._words = self._stream(unpack("<8I", seed))

    @staticmethod
    def _stream(key: tuple[int, ...]) -> Iterator[int]:
        counter = 0
        while True:
            yield from _block(key, counter)
            counter += 1

    def next_u32(self) -> int:
        """The next word."""
        return next(self._words)

    def below(self, bound: int) -> int:
        """A number in 0..bound, without bias: rejection by the low half of a widening product."""
        zone = (bound << 32 - bound.bit_length()) - 1 & _MASK
        while True:
            product = self.next_u32() * bound
            if product & _MASK <= zone:
                return product >> 32


def shuffled(seed: bytes, items: Sequence[T]) -> list[T]:
    """All items in random order."""
    rng, order = ChaCha20Rng(seed), list(items)
    for place in range(len(order) - 1, 0, -1):
        other = rng.below(place + 1)
        order[place], order[other] = order[other], order[place]
    return order


def sampled(seed: bytes, items: Sequence[T], count: int) -> list[T]:
    """`count` items: the tail that a partial shuffle leaves."""
    rng, order = ChaCha20Rng(seed), list(items)
    first = max(len(order) - count, 0)
    for place in range(len(order) - 1, first - 1, -1):
        other = rng.below(place + 1)
        order[place], order[other] = order[other], order[place]
    return order[first:]
