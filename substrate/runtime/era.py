"""Mortality: how long a transaction stays valid.

Source: polkadot-sdk, `substrate/primitives/runtime/src/generic/era.rs`.
"""

from substrate.errors import DecodeError
from substrate.scale.types import Struct


class Era(Struct):
    """A transaction's life; `period` 0 is immortal.

    Attributes:
        period: Blocks it lives, a power of two from 4 to 65,536.
        phase: Place in the period at which it is born.
    """

    period: int = 0
    phase: int = 0

    def birth(self, current: int) -> int:
        """Number of the block in which the era that holds `current` began."""
        if not self.period:
            return 0
        return (max(current, self.phase) - self.phase) // self.period * self.period + self.phase

    def death(self, current: int) -> int | None:
        """First block in which it is no longer valid; None for never."""
        return self.birth(current) + self.period if self.period else None

    def to_bytes(self) -> bytes:
        """One byte if immortal, else two."""
        if not self.period:
            return b"\x00"
        quantize = max(self.period >> 12, 1)
        trailing = (self.period & -self.period).bit_length() - 1
        return (min(max(trailing - 1, 1), 15) | (self.phase // quantize) << 4).to_bytes(2, "little")


IMMORTAL = Era()


def mortal(period: int, current: int) -> Era:
    """The era of about `period` blocks (rounded up to a power of two) that holds block `current`."""
    period = min(max(1 << (period - 1).bit_length(), 4), 1 << 16)
    quantize = max(period >> 12, 1)
    return Era(period, current % period // quantize * quantize)


def read_era(data: bytes, offset: int) -> tuple[Era, int]:
    """An era and the offset behind it.

    Raises:
        DecodeError: Short input, or a phase outside the period.
    """
    if offset >= len(data):
        raise DecodeError("an era takes at least one byte", offset)
    if data[offset] == 0:
        return IMMORTAL, offset + 1
    if offset + 2 > len(data):
        raise DecodeError("a mortal era takes two bytes", offset)
    encoded = int.from_bytes(data[offset : offset + 2], "little")
    period = 2 << (encoded % 16)
    phase = (encoded >> 4) * max(period >> 12, 1)
    if period < 4 or phase >= period:
        raise DecodeError(f"an era of period {period} cannot have phase {phase}", offset)
    return Era(period, phase), offset + 2
