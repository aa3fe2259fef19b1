"""Codecs of typed values: one object per annotation, source generated on first use."""

import struct
from collections.abc import Mapping
from functools import partial
from typing import Any, Generic, TypeVar, cast, overload

from substrate.errors import ChainError, DecodeError, EncodeError, HintError
from substrate.scale import hints
from substrate.scale import shapes as sh
from substrate.scale.decoding import DecoderSource
from substrate.scale.encoding import EncoderSource
from substrate.scale.primitives import bad
from substrate.scale.source import Decode, Encode, Part
from substrate.scale.types import Hint, Placeholder, naming

T = TypeVar("T")
MAX_DEPTH = 64
"""How deep sequences and boxes may nest unless a hint says `Depth(n)`."""
_UNFIT = (OverflowError, AttributeError, TypeError, KeyError, ValueError, IndexError, struct.error)


class Writer(EncoderSource, DecoderSource):
    """Writes both halves of a unit."""


class Codec(Generic[T]):
    """Encodes and decodes one type; made by `codec_of` and `Codecs.of`."""

    __slots__ = ("_dec", "_enc", "codecs", "shape")

    def __init__(self, codecs: "Codecs", shape: sh.Shape) -> None:
        self.codecs = codecs
        self.shape = shape
        self._enc: Encode = self._first_encode
        self._dec: Decode = self._first_decode

    def _build(self) -> None:
        self._enc, self._dec = self.codecs.build(self.shape)

    def _first_encode(self, value: Any) -> bytes:
        self._build()
        return self._enc(value)

    def _first_decode(self, data: bytes, offset: int, depth: int) -> tuple[Any, int]:
        self._build()
        return self._dec(data, offset, depth)

    def encode(self, value: T) -> bytes:
        """The SCALE bytes of a value.

        Raises:
            EncodeError: The value does not fit its type.
        """
        try:
            return self._enc(value)
        except (EncodeError, *_UNFIT) as cause:
            raise EncodeError(f"{_blame(self.codecs, self.shape, value)}: {cause}") from cause

    def decode(self, data: bytes) -> T:
        """Read exactly one value.

        Raises:
            DecodeError: Anything but the encoding of one value.
        """
        if type(data) is not bytes:
            data = bytes(data)
        try:
            value, end = self._dec(data, 0, MAX_DEPTH)
        except (IndexError, struct.error):
            raise DecodeError("input ends early", len(data)) from None
        if end != len(data):
            short = end > len(data)
            raise DecodeError("input ends early" if short else "bytes left over", min(end, len(data)))
        return value

    def decode_from(self, data: bytes, offset: int) -> tuple[T, int]:
        """Read one value at an offset; gives it and where it ends.

        Raises:
            DecodeError: The bytes there are no such value.
        """
        if type(data) is not bytes:
            data = bytes(data)
        try:
            value, end = self._dec(data, offset, MAX_DEPTH)
        except (IndexError, struct.error):
            raise DecodeError("input ends early", len(data)) from None
        if end > len(data):
            raise DecodeError("input ends early", len(data))
        return value, end

    @property
    def fixed_size(self) -> int | None:
        """Bytes every value takes, or None when they differ."""
        return hints.fixed_size(self.shape)


class Codecs:
    """The codecs of one context: `bindings` say what each placeholder stands for."""

    def __init__(self, bindings: Mapping[type[Placeholder], Hint] | None = None) -> None:
        self.bindings = dict(bindings or {})
        self._codecs: dict[Hint, Codec[Any]] = {}
        self._tables: dict[sh.EnumShape, tuple[dict[type, Encode], list[Decode]]] = {}
        self._functions: dict[sh.StructShape, tuple[Encode, Decode]] = {}
        self._users: dict[sh.StructShape, list[tuple[dict[str, Any], str, int]]] = {}

    @overload
    def of(self, hint: type[T]) -> Codec[T]: ...
    @overload
    def of(self, hint: Hint) -> Codec[Any]: ...
    def of(self, hint: Hint) -> Codec[Any]:
        """The codec of a hint; its source is written on first use.

        Raises:
            HintError: The hint has no wire form.
        """
        found = self._codecs.get(hint)
        if found is None:
            found = self._codecs[hint] = Codec(self, hints.shape_of(hint))
        return found

    def bound(self, shape: sh.PlaceholderShape) -> sh.Shape:
        """What a placeholder stands for here.

        Raises:
            HintError: No binding.
        """
        if shape.cls not in self.bindings:
            raise HintError(f"{shape.cls.__name__} is a placeholder and bound to nothing here")
        return hints.shape_of(self.bindings[shape.cls])

    def build(self, shape: sh.Shape) -> tuple[Encode, Decode]:
        """Generate the functions of a shape."""
        if isinstance(shape, sh.StructShape):
            return self._built(shape)
        writer = Writer(self, shape)
        if isinstance(shape, sh.EnumShape):
            encoders, decoders = self.tables(shape)
            writer.line(f"v, p = {writer.name('decoders', decoders)}[d[p]](d, p + 1, k)")
            return writer.finish([Part(f"{writer.name('encoders', encoders)}[type(v)](v)")], "v")
        parts = writer.parts(shape, "v")
        return writer.finish(parts, writer.decoded(shape))

    def _build_struct(self, shape: sh.StructShape, owner: sh.Shape, prefix: bytes) -> tuple[Encode, Decode]:
        writer = Writer(self, owner)
        parts = [Part(repr(prefix))] if prefix else []
        for field in hints.fields_of(shape):
            parts += writer.parts(field.shape, f"v.{field.name}")
        return writer.finish(parts, writer.built(shape))

    def link(self, shape: sh.StructShape, space: dict[str, Any], name: str, which: int) -> None:
        """Put a struct's encoder (0) or decoder (1) under a name; it writes itself when first called."""
        pair = self._functions.get(shape)
        if pair is None:
            self._users.setdefault(shape, []).append((space, name, which))
            pair = partial(self._first_struct_encode, shape), partial(self._first_struct_decode, shape)
        space[name] = pair[which]

    def _built(self, shape: sh.StructShape) -> tuple[Encode, Decode]:
        if shape not in self._functions:
            pair = self._functions[shape] = self._build_struct(shape, shape, b"")
            for space, name, which in self._users.pop(shape, ()):
                space[name] = pair[which]
        return self._functions[shape]

    def _first_struct_encode(self, shape: sh.StructShape, value: Any) -> bytes:
        return self._built(shape)[0](value)

    def _first_struct_decode(self, shape: sh.StructShape, data: bytes, offset: int, depth: int) -> tuple[Any, int]:
        return self._built(shape)[1](data, offset, depth)

    def tables(self, shape: sh.EnumShape) -> tuple[dict[type, Encode], list[Decode]]:
        """The cases of an enum, by class and by index; each writes itself when first called."""
        found = self._tables.get(shape)
        if found is None:
            encoders: dict[type, Encode] = {}
            decoders: list[Decode] = [partial(_unknown_variant, shape.path)] * 256
            found = self._tables[shape] = encoders, decoders
            for case in shape.variants:
                encoders[case.cls] = partial(self._first_case_encode, shape, case)
                decoders[_index(case)] = partial(self._first_case_decode, shape, case)
        return found

    def _build_case(self, shape: sh.EnumShape, case: sh.StructShape) -> tuple[Encode, Decode]:
        index = _index(case)
        encoders, decoders = self._tables[shape]
        pair = self._build_struct(case, shape, bytes([index]))
        encoders[case.cls], decoders[index] = pair
        return pair

    def _first_case_encode(self, shape: sh.EnumShape, case: sh.StructShape, value: Any) -> bytes:
        return self._build_case(shape, case)[0](value)

    def _first_case_decode(
        self, shape: sh.EnumShape, case: sh.StructShape, data: bytes, offset: int, depth: int
    ) -> tuple[Any, int]:
        return self._build_case(shape, case)[1](data, offset, depth)


def _index(case: sh.StructShape) -> int:
    return cast(int, naming(case.cls).index)


def _unknown_variant(path: str, data: bytes, offset: int, depth: int) -> tuple[Any, int]:
    del depth
    bad(f"unknown variant {data[offset - 1]} of {path or 'an enum'}", offset - 1)


def _blame(codecs: Codecs, shape: sh.Shape, value: Any) -> str:
    """The place inside a value that does not encode."""
    for label, inner, part in _inside(codecs, shape, value):
        try:
            codecs.build(inner)[0](part)
        except (ChainError, *_UNFIT):
            return f"{label}{_blame(codecs, inner, part)}"
    return f" {value!r:.80}"


def _inside(codecs: Codecs, shape: sh.Shape, value: Any) -> list[tuple[str, sh.Shape, Any]]:
    match shape:
        case sh.NamedShape(inner) | sh.DepthShape(inner) | sh.OptionShape(inner):
            return [("", inner, value)] if value is not None else []
        case sh.LateShape():
            return [("", hints.late(shape), value)]
        case sh.PlaceholderShape():
            return [("", codecs.bound(shape), value)]
        case sh.EnumShape(variants):
            return [(case.cls.__name__, case, value) for case in variants if case.cls is type(value)]
        case sh.StructShape():
            fields = hints.fields_of(shape)
            return [(f".{f.name}", f.shape, getattr(value, f.name)) for f in fields if hasattr(value, f.name)]
        case sh.SequenceShape(item) | sh.ArrayShape(item) if isinstance(value, tuple):
            return [(f"[{index}]", item, part) for index, part in enumerate(cast(tuple[Any, ...], value))]
        case _:
            return []


DEFAULT = Codecs()
"""The context without bindings."""


@overload
def codec_of(hint: type[T]) -> Codec[T]: ...
@overload
def codec_of(hint: Hint) -> Codec[Any]: ...
def codec_of(hint: Hint) -> Codec[Any]:
    """The codec of a hint that needs no bindings."""
    return DEFAULT.of(hint)


def encode(hint: Hint, value: Any) -> bytes:
    """Encode a value as `hint`."""
    return DEFAULT.of(hint).encode(value)


@overload
def decode(hint: type[T], data: bytes) -> T: ...
@overload
def decode(hint: Hint, data: bytes) -> Any: ...
def decode(hint: Hint, data: bytes) -> Any:
    """Read exactly one value of `hint`."""
    return DEFAULT.of(hint).decode(data)
