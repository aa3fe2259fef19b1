"""The Python source of one type's codec: names, temporaries, compiling.

A unit is one struct, variant or root hint. `enc(v)` gives bytes; `dec(d, p, k)` reads at `p`, at most `k` levels deep,
and gives (value, end). Short input shows as IndexError, struct.error or an end behind the data: `Codec` turns all three
into DecodeError.
"""

import struct
from collections.abc import Callable
from functools import cache
from types import CodeType, MappingProxyType
from typing import Any, NamedTuple, Protocol

from substrate.scale import bits, hints, order, primitives
from substrate.scale import shapes as sh

Encode = Callable[[Any], bytes]
Decode = Callable[[bytes, int, int], tuple[Any, int]]

CODES = {(8, False): "B", (16, False): "H", (32, False): "I", (64, False): "Q"} | {
    (8, True): "b",
    (16, True): "h",
    (32, True): "i",
    (64, True): "q",
}
_BASE: dict[str, Any] = {
    "SMALL": primitives.SMALL,
    "BOOL": {False: b"\0", True: b"\1"},
    "OPTION_BOOL": {None: b"\0", True: b"\1", False: b"\2"},
    "OPTION_BOOLS": (None, True, False),
    "FROM": int.from_bytes,
    "JOIN": b"".join,
    "PACK": struct.pack,
    "UNPACK": struct.unpack_from,
    "PROXY": MappingProxyType,
    "compact": primitives.compact,
    "read_compact": primitives.read_compact,
    "text": primitives.text,
    "bad": primitives.bad,
    "unfit": primitives.unfit,
    "too_long": primitives.too_long,
    "wrong_size": primitives.wrong_size,
    "encode_bits": bits.encode_bits,
    "read_bits": bits.read_bits,
    "sorted_items": order.sorted_items,
    "is_ascending": order.is_ascending,
    "check_ascending": order.check_ascending,
}
_INLINE_FIELDS = 8
_INLINE_DEPTH = 3
UNROLLED = 8
"""Longest array written item by item."""


class Linker(Protocol):
    """Where generated code finds the codecs of other types."""

    def tables(self, shape: sh.EnumShape) -> tuple[dict[type, Encode], list[Decode]]:
        """Encoders by class and decoders by first byte."""
        ...

    def link(self, shape: sh.StructShape, space: dict[str, Any], name: str, which: int) -> None:
        """Put the encoder (0) or decoder (1) of a struct that is not written inline under a name."""
        ...

    def bound(self, shape: sh.PlaceholderShape) -> sh.Shape:
        """What a placeholder stands for."""
        ...


class Part(NamedTuple):
    """A piece of an encoding: an expression of bytes, or with a `code` a number for struct.pack."""

    text: str
    code: str = ""


@cache
def _compiled(source: str) -> CodeType:
    return compile(source, "<scale>", "exec")


class Source:
    """The text of one unit so far and the globals it needs."""

    def __init__(self, linker: Linker, owner: sh.Shape) -> None:
        self.linker = linker
        self.owner = owner
        self.space = dict(_BASE)
        self.lines: list[str] = []
        self.indent = "    "
        self.counter = 0
        self.names: dict[tuple[str, int], str] = {}
        self.links: dict[tuple[str, sh.StructShape], str] = {}
        self.inlining: list[sh.StructShape] = []
        self.depth = "k"
        self.boxed = False

    def name(self, stem: str, value: Any) -> str:
        """A global of the generated code."""
        key = (stem, id(value))
        if key not in self.names:
            self.names[key] = f"{stem}{len(self.names)}"
            self.space[self.names[key]] = value
        return self.names[key]

    def linked(self, shape: sh.StructShape, which: int) -> str:
        """The global that holds another struct's function."""
        key = (("encode", "decode")[which], shape)
        if key not in self.links:
            self.links[key] = f"{key[0]}_{len(self.links)}"
            self.linker.link(shape, self.space, self.links[key], which)
        return self.links[key]

    def temp(self) -> str:
        self.counter += 1
        return f"t{self.counter}"

    def line(self, text: str) -> None:
        self.lines.append(self.indent + text)

    def finish(self, parts: list[Part], value: str) -> tuple[Encode, Decode]:
        """Compile what was written."""
        body = "\n".join(self.lines)
        source = f"def enc(v):\n    return {self.joined(parts)}\n\ndef dec(d, p, k):\n{body}\n    return {value}, p\n"
        exec(_compiled(source), self.space)
        return self.space["enc"], self.space["dec"]

    def joined(self, parts: list[Part]) -> str:
        """One bytes expression; neighbouring numbers are packed together."""
        pieces: list[str] = []
        run: list[Part] = []
        for part in [*parts, Part("")]:
            if part.code:
                run.append(part)
                continue
            if run:
                pieces.append(self._packed(run))
                run = []
            if part.text:
                pieces.append(part.text)
        if len(pieces) > 3:
            return f"JOIN(({', '.join(pieces)}))"
        return " + ".join(pieces) or "b''"

    def _packed(self, run: list[Part]) -> str:
        if len(run) == 1:
            code = run[0].code
            signed = ", signed=True" if code.islower() else ""
            return f"{run[0].text}.to_bytes({struct.calcsize('<' + code)}, 'little'{signed})"
        layout = "<" + "".join(part.code for part in run)
        name = f"pack_{layout[1:]}"
        self.space[name] = struct.Struct(layout).pack
        return f"{name}({', '.join(part.text for part in run)})"

    def once(self, value: str) -> tuple[str, str]:
        """Spellings for the first and later evaluations of an expression."""
        if value.isidentifier():
            return value, value
        temp = self.temp()
        return f"({temp} := {value})", temp

    def fits_inline(self, shape: sh.StructShape) -> bool:
        return (
            len(self.inlining) < _INLINE_DEPTH
            and shape != self.owner
            and shape not in self.inlining
            and len(hints.fields_of(shape)) <= _INLINE_FIELDS
            and self.owner not in hints.direct_closure(shape)
        )


def number_code(shape: sh.Shape) -> str:
    """The struct code of a machine integer."""
    while isinstance(shape, sh.NamedShape):
        shape = shape.inner
    return CODES.get((shape.bits, shape.signed), "") if isinstance(shape, sh.IntShape) else ""
