"""Wire types with a rule beyond their shape: refused when decoding."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from substrate.errors import DecodeError, RuleError
from substrate.scale.codec import codec_of
from substrate.scale.types import Custom, Hint


@dataclass(frozen=True)
class Checked(Custom):
    """The wire form of `seen_as`, whose decoded values pass `check`."""

    check: Callable[[Any], None]


def must(hint: Hint, check: Callable[[Any], None]) -> Checked:
    """A mark: the wire form of `hint`, whose decoder also runs `check`, which raises a `RuleError`."""
    codec = cache(lambda: codec_of(hint))  # looked up once: hashing an annotation costs more than encoding a value

    def encode(value: Any) -> bytes:
        return codec().encode(value)

    def decode(data: bytes, offset: int) -> tuple[Any, int]:
        value, end = codec().decode_from(data, offset)
        try:
            check(value)
        except RuleError as cause:
            raise DecodeError(str(cause), offset) from cause
        return value, end

    return Checked(encode, decode, hint, check)
