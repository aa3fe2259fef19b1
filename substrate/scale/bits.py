"""BitVec<u8, Lsb0>: bits packed lowest first.

Source: parity-scale-codec, `src/bit_vec.rs`.
"""

from collections.abc import Iterable, Iterator

from substrate.errors import DecodeError
from substrate.scale.primitives import compact, read_compact

MAX_BITS = (1 << 28) - 1
"""Upstream's `MAX_SEQUENCE_BITS`, on 32-bit targets as in Wasm."""


class BitVec:
    """An immutable row of bits; built from bools."""

    __slots__ = ("_length", "_value")
    _length: int
    _value: int

    def __init__(self, bits: Iterable[bool] = ()) -> None:
        value = length = 0
        for length, bit in enumerate(bits, 1):
            if bit:
                value |= 1 << (length - 1)
        self._value = value
        self._length = length

    @classmethod
    def zeros(cls, length: int) -> "BitVec":
        """All bits clear."""
        return cls._of(0, length)

    @classmethod
    def ones(cls, length: int) -> "BitVec":
        """All bits set."""
        return cls._of((1 << length) - 1, length)

    @classmethod
    def _of(cls, value: int, length: int) -> "BitVec":
        made = cls.__new__(cls)
        made._value = value
        made._length = length
        return made

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> bool:
        if not 0 <= index < self._length:
            raise IndexError(index)
        return bool(self._value >> index & 1)

    def __iter__(self) -> Iterator[bool]:
        value = self._value
        for index in range(self._length):
            yield bool(value >> index & 1)

    def with_bit(self, index: int, value: bool = True) -> "BitVec":
        """A copy with one bit changed.

        Raises:
            IndexError: `index` is outside.
        """
        if not 0 <= index < self._length:
            raise IndexError(index)
        mask = 1 << index
        return self._of(self._value | mask if value else self._value & ~mask, self._length)

    def count_ones(self) -> int:
        """How many bits are set."""
        return self._value.bit_count()

    def indices(self) -> tuple[int, ...]:
        """Where bits are set, ascending."""
        return tuple(index for index, bit in enumerate(self) if bit)

    def __or__(self, other: "BitVec") -> "BitVec":
        return self._of(self._value | other._value, max(self._length, other._length))

    def __and__(self, other: "BitVec") -> "BitVec":
        return self._of(self._value & other._value, max(self._length, other._length))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BitVec) and (self._length, self._value) == (other._length, other._value)

    def __hash__(self) -> int:
        return hash((self._length, self._value))

    def __repr__(self) -> str:
        return f"BitVec({''.join('1' if bit else '0' for bit in self)!r})"

    def to_bytes(self) -> bytes:
        """The packed bits, without the length."""
        return self._value.to_bytes((self._length + 7) // 8, "little")

    @classmethod
    def from_bytes(cls, packed: bytes, length: int) -> "BitVec":
        """Read `length` packed bits; bits above are dropped."""
        return cls._of(int.from_bytes(packed, "little") & ((1 << length) - 1), length)


def encode_bits(bits: BitVec) -> bytes:
    """SCALE of a bit vector: compact bit count, packed bits."""
    return compact(len(bits)) + bits.to_bytes()


def read_bits(data: bytes, offset: int) -> tuple[BitVec, int]:
    """Read a bit vector; unused bits of the last byte must be clear.

    Raises:
        DecodeError: Short input, too many bits, or set padding.
    """
    length, start = read_compact(data, offset, 32)
    end = start + (length + 7) // 8
    if length > MAX_BITS or end > len(data):
        raise DecodeError(f"{length} bits do not fit the input", offset)
    value = int.from_bytes(data[start:end], "little")
    if value >> length:
        raise DecodeError("bits set above the length of a bit vector", end - 1)
    return BitVec.from_bytes(data[start:end], length), end
