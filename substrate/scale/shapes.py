"""What can stand on the wire."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, get_origin

from substrate.scale import types as t


@dataclass(frozen=True)
class IntShape:
    """A fixed-width integer."""

    bits: int
    signed: bool


@dataclass(frozen=True)
class CompactShape:
    """A compact integer of at most `bits` bits."""

    inner: "Shape"
    bits: int


@dataclass(frozen=True)
class BoolShape:
    """A bool."""


@dataclass(frozen=True)
class OptionBoolShape:
    """An optional bool in one byte."""


@dataclass(frozen=True)
class TextShape:
    """UTF-8; `limit` counts bytes."""

    limit: int | None


@dataclass(frozen=True)
class BytesShape:
    """Vec<u8>."""

    limit: int | None


@dataclass(frozen=True)
class FixedShape:
    """[u8; size]."""

    size: int


@dataclass(frozen=True)
class SequenceShape:
    """Vec, or BTreeSet when ascending."""

    item: "Shape"
    limit: int | None
    ascending: bool


@dataclass(frozen=True)
class ArrayShape:
    """[item; count]."""

    item: "Shape"
    count: int


@dataclass(frozen=True)
class TupleShape:
    """Also the unit types: `none` tells None from ()."""

    items: tuple["Shape", ...]
    none: bool = False


@dataclass(frozen=True)
class OptionShape:
    """Option."""

    inner: "Shape"


@dataclass(frozen=True)
class MapShape:
    """BTreeMap."""

    key: "Shape"
    value: "Shape"
    limit: int | None


@dataclass(frozen=True)
class BitsShape:
    """BitVec<u8, Lsb0>."""


@dataclass(frozen=True)
class NamedShape:
    """A NewType, or an alias with a path: on the wire its inner shape; without a path metadata shows that too."""

    inner: "Shape"
    path: str
    params: t.Params
    name: str = field(default="", compare=False)
    """Of the NewType; those with the same path are one type."""


@dataclass(frozen=True)
class StructShape:
    """A struct class, or a subscripted generic one."""

    hint: Any

    @property
    def cls(self) -> type[Any]:
        return get_origin(self.hint) or self.hint


@dataclass(frozen=True)
class EnumShape:
    """A union of variants, by index."""

    variants: tuple[StructShape, ...]
    path: str
    params: t.Params


@dataclass(frozen=True)
class IntEnumShape:
    """An enum whose variants are empty."""

    cls: type[IntEnum]


@dataclass(frozen=True)
class LateShape:
    """A hint not resolved yet."""

    late: t.Late


@dataclass(frozen=True)
class PlaceholderShape:
    """A type that a context binds."""

    cls: type[t.Placeholder]


@dataclass(frozen=True)
class DepthShape:
    """A bound on nesting below here."""

    inner: "Shape"
    limit: int


@dataclass(frozen=True)
class CustomShape:
    """A hand-written wire form."""

    custom: t.Custom


Shape = (
    IntShape
    | CompactShape
    | BoolShape
    | OptionBoolShape
    | TextShape
    | BytesShape
    | FixedShape
    | SequenceShape
    | ArrayShape
    | TupleShape
    | OptionShape
    | MapShape
    | BitsShape
    | NamedShape
    | StructShape
    | EnumShape
    | IntEnumShape
    | LateShape
    | PlaceholderShape
    | DepthShape
    | CustomShape
)
