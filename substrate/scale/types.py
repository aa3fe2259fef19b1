"""Wire types written as ordinary annotations.

`u32`, `Compact[Balance]`, `Annotated[bytes, Fixed(32)]`, `tuple[T, ...]`, `T | None`, unions of `@variant` structs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Generic,
    NewType,
    Self,
    TypeAlias,
    TypeVar,
    cast,
    dataclass_transform,
)

import msgspec

T = TypeVar("T")
E = TypeVar("E")
S = TypeVar("S")

Hint: TypeAlias = Any
"""A type annotation used as a value."""
Params: TypeAlias = tuple[tuple[str, Hint], ...]
"""Type parameters for metadata: (name, hint); a hint of None stands for a skipped parameter."""


@dataclass(frozen=True)
class Width:
    """Fixed-width little-endian integer."""

    bits: int
    signed: bool = False


@dataclass(frozen=True)
class CompactMark:
    """Compact integer as wide as the annotated type."""


@dataclass(frozen=True)
class Fixed:
    """`[u8; size]` on bytes."""

    size: int


@dataclass(frozen=True)
class Exactly:
    """`[T; count]` on a tuple."""

    count: int


@dataclass(frozen=True)
class MaxLen:
    """Upper bound on a sequence, bytes, text or map: checked when encoding and decoding."""

    count: int


@dataclass(frozen=True)
class Ascending:
    """BTreeSet: a tuple without duplicates in the order of its items."""


@dataclass(frozen=True)
class OneByteOption:
    """`OptionBool`: 0 none, 1 true, 2 false."""


@dataclass(frozen=True)
class Depth:
    """How deep sequences and boxes may nest below here when decoding."""

    limit: int


@dataclass(frozen=True)
class Late:
    """A hint resolved on first use: lets aliases refer to themselves."""

    resolve: Callable[[], Hint]


@dataclass(frozen=True)
class Path:
    """Name in metadata for an alias, shown as a struct of one unnamed field."""

    name: str
    params: Params = ()


@dataclass(frozen=True)
class EnumOf:
    """Name in metadata for a union; `variants` replaces the annotated union (none or one variant)."""

    name: str
    params: Params = ()
    variants: tuple[Hint, ...] | None = None


@dataclass(frozen=True)
class Custom:
    """Hand-written wire form; metadata shows `seen_as`."""

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes, int], tuple[Any, int]]
    seen_as: Hint


u8: TypeAlias = Annotated[int, Width(8)]
u16: TypeAlias = Annotated[int, Width(16)]
u32: TypeAlias = Annotated[int, Width(32)]
u64: TypeAlias = Annotated[int, Width(64)]
u128: TypeAlias = Annotated[int, Width(128)]
u256: TypeAlias = Annotated[int, Width(256)]
i8: TypeAlias = Annotated[int, Width(8, signed=True)]
i16: TypeAlias = Annotated[int, Width(16, signed=True)]
i32: TypeAlias = Annotated[int, Width(32, signed=True)]
i64: TypeAlias = Annotated[int, Width(64, signed=True)]
i128: TypeAlias = Annotated[int, Width(128, signed=True)]
OptionBool: TypeAlias = Annotated[bool | None, OneByteOption()]
Compact: TypeAlias = Annotated[T, CompactMark()]
unit: TypeAlias = tuple[()]


@dataclass(frozen=True)
class Naming:
    """What a decorator declared about a struct."""

    index: int | None = None
    name: str | None = None
    unnamed: bool = False
    path: str = ""
    params: Params = ()


if TYPE_CHECKING:

    @dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
    class _StructMeta(msgspec.StructMeta):
        """Tells type checkers that subclasses inherit `frozen`."""

else:
    _StructMeta = type(msgspec.Struct)


class Struct(msgspec.Struct, frozen=True, gc=False, metaclass=_StructMeta):
    """An immutable wire value; fields are in SCALE order and passed by position or name."""

    __naming__: ClassVar[Naming] = Naming()
    __codec__: ClassVar[Any] = None

    def encode(self) -> bytes:
        """SCALE of the fields (a variant's index is not part of it)."""
        return cast(bytes, _own_codec(type(self)).encode(self))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read exactly this value.

        Raises:
            DecodeError: `data` is not its encoding.
        """
        return cast(Self, _own_codec(cls).decode(data))


class Placeholder(Struct):
    """Base of types that a runtime binds to their meaning, such as RuntimeCall."""


def _own_codec(cls: type[Struct]) -> Any:
    found = cls.__dict__.get("__codec__")
    if found is None:
        from substrate.scale.codec import codec_of

        found = codec_of(cls)
        cls.__codec__ = found
    return found


def naming(cls: type[Any]) -> Naming:
    """What was declared on exactly this class."""
    return cast(Naming, cls.__dict__.get("__naming__") or Naming())


def _declare(cls: type[S], **changes: Any) -> type[S]:
    old = naming(cls)
    facts = {name: getattr(old, name) for name in Naming.__dataclass_fields__}
    setattr(cls, "__naming__", Naming(**(facts | changes)))  # noqa: B010 (not every S has the attribute)
    return cls


def variant(index: int, name: str | None = None, *, unnamed: bool = False) -> Callable[[type[S]], type[S]]:
    """Make a struct one case of an enum.

    Args:
        index: The byte that names it on the wire.
        name: Name in metadata, default the class name.
        unnamed: Metadata shows fields without names.
    """
    return lambda cls: _declare(cls, index=index, name=name, unnamed=unnamed)


def path(name: str, *, params: Params = (), unnamed: bool = False) -> Callable[[type[S]], type[S]]:
    """Give a struct or IntEnum its name in metadata."""
    return lambda cls: _declare(cls, path=name, params=params, unnamed=unnamed)


def type_path(cls: type[Any], name: str) -> None:
    """Give an IntEnum or struct its name in metadata."""
    _declare(cls, path=name)


_enum_names: dict[frozenset[Hint], EnumOf] = {}


def members_of(union: Hint) -> frozenset[Hint]:
    """The cases of a union, as its identity."""
    return frozenset(arg for arg in getattr(union, "__args__", (union,)) if arg is not type(None))


def enum_path(union: Hint, name: str, *, params: Params = ()) -> None:
    """Give a union its name in metadata."""
    _enum_names[members_of(union)] = EnumOf(name, params)


def enum_name(members: frozenset[Hint]) -> EnumOf | None:
    """What `enum_path` declared."""
    return _enum_names.get(members)


@dataclass(frozen=True)
class Wire:
    """Wire form of a NewType."""

    hint: Hint
    path: str = ""
    params: Params = ()


_wires: dict[Any, Wire] = {}


def wire(new_type: Any, hint: Hint, *, path: str = "", params: Params = ()) -> None:
    """Declare the wire form of a NewType; with a path, metadata shows it as a struct of its own."""
    _wires[new_type] = Wire(hint, path, params)


def wire_of(new_type: NewType) -> Wire:
    """Wire form of a NewType; without a declaration that of its supertype."""
    return _wires.get(new_type) or Wire(new_type.__supertype__)


@variant(0, unnamed=True)
class Ok(Struct, Generic[T]):
    """Success."""

    value: T


@variant(1, unnamed=True)
class Err(Struct, Generic[E]):
    """Failure."""

    error: E


Result: TypeAlias = Ok[T] | Err[E]


def make_struct(
    name: str,
    fields: Sequence[tuple[str, Hint]],
    *,
    bases: tuple[type[Struct], ...] = (Struct,),
    index: int | None = None,
    unnamed: bool = False,
    path: str = "",
    params: Params = (),
    variant_name: str | None = None,
    namespace: Mapping[str, Any] | None = None,
    module: str | None = None,
) -> type[Struct]:
    """Make a struct class at run time; the rest means what it does in `@variant` and `@path`.

    Args:
        name: Class name.
        fields: Name and hint of each.
        bases: For instance a placeholder whose case it is.
        index: Makes it a variant.
        unnamed: Metadata shows fields without names.
        path: Name in metadata.
        params: Type parameters in metadata.
        variant_name: Name in metadata, default the class name.
        namespace: Further class attributes, such as methods and `__doc__`.
        module: Where string hints are looked up.
    """
    made = msgspec.defstruct(
        name,
        list(fields),
        bases=cast(Any, bases),
        namespace=dict(namespace or {}),
        module=module,
        frozen=True,
        gc=False,
    )
    return _declare(cast(type[Struct], made), index=index, name=variant_name, unnamed=unnamed, path=path, params=params)


def make_enum(name: str, variants: Sequence[type[Any]], *, params: Params = ()) -> Hint:
    """The hint of an enum made at run time from variant structs; any count, also none or one.

    Args:
        name: Path in metadata.
        variants: Structs with an index.
        params: Type parameters in metadata.
    """
    return Annotated[Any, EnumOf(name, params, tuple(variants))]
