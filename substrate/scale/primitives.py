"""The pieces that generated codecs call: compact integers, text, failures.

Source: parity-scale-codec, `src/compact.rs`, `src/codec.rs`.
"""

from typing import NoReturn

from substrate.errors import DecodeError, EncodeError

SMALL = tuple(bytes([value << 2]) for value in range(64))
"""Compact encodings of one byte."""
_BIG = tuple(bytes([(max(size, 4) - 4) << 2 | 3]) for size in range(68))
_FLOORS = (30, *(8 * (size - 1) for size in range(5, 68)))
"""Bits that a value of the big form must exceed, by the count in its first byte."""
MAX_EMPTY_ITEMS = 1 << 16
"""Most items of a sequence whose items take no bytes."""


def compact(value: int, bits: int = 536) -> bytes:
    """Encode a compact integer.

    Raises:
        EncodeError: Negative, or wider than `bits`.
    """
    if value < 0 or value >> bits:
        raise EncodeError(f"{value} is outside Compact<u{bits}>")
    if value < 1 << 14:
        return SMALL[value] if value < 1 << 6 else (value << 2 | 1).to_bytes(2, "little")
    if value < 1 << 30:
        return (value << 2 | 2).to_bytes(4, "little")
    size = (value.bit_length() + 7) >> 3
    return _BIG[size] + value.to_bytes(size, "little")


def read_compact(data: bytes, offset: int, bits: int = 536) -> tuple[int, int]:
    """Read a compact integer in its only, shortest form.

    Raises:
        DecodeError: Short input, not the shortest form, or wider than `bits`.
    """
    try:
        first = data[offset]
    except IndexError:
        raise DecodeError("input ends early", len(data)) from None
    mode = first & 3
    if mode == 3:
        end = offset + 5 + (first >> 2)
        value = int.from_bytes(data[offset + 1 : end], "little")
        fits = value >> _FLOORS[first >> 2]
    elif mode:
        end = offset + 2 * mode
        value = int.from_bytes(data[offset:end], "little") >> 2
        fits = value >> 6 if mode == 1 else value >> 14 and end <= len(data)
    else:
        return first >> 2, offset + 1
    # Cut input lacks its highest byte, so it shows as a value too small for its form.
    if not fits:
        if end > len(data):
            raise DecodeError("input ends early", len(data))
        raise DecodeError("compact integer is not in its shortest form", offset)
    if value >> bits:
        raise DecodeError(f"compact integer exceeds u{bits}", offset)
    return value, end


def text(data: bytes, start: int, end: int) -> str:
    """Read UTF-8.

    Raises:
        DecodeError: Invalid UTF-8.
    """
    try:
        return data[start:end].decode()
    except UnicodeDecodeError as cause:
        raise DecodeError("invalid UTF-8", start + cause.start) from cause


def bad(message: str, offset: int) -> NoReturn:
    """Refuse input."""
    raise DecodeError(message, offset)


def unfit(message: str) -> NoReturn:
    """Refuse a value."""
    raise EncodeError(message)


def too_long(count: int, limit: int) -> NoReturn:
    """Refuse a sequence longer than its bound."""
    raise EncodeError(f"{count} items exceed the bound {limit}")


def wrong_size(count: int, size: int) -> NoReturn:
    """Refuse a value whose length is not the fixed one."""
    raise EncodeError(f"length is {count}, must be {size}")
