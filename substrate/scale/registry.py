"""scale-info: portable type definitions for metadata, from the same hints as the codecs.

Source: paritytech/scale-info, `src/portable.rs`, `src/ty/`.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, TypeAlias, cast, get_args

from substrate.errors import HintError
from substrate.scale import hints
from substrate.scale import shapes as sh
from substrate.scale import types as t
from substrate.scale.codec import Codecs, codec_of

TypeId: TypeAlias = t.Compact[t.u32]


class Primitive(IntEnum):
    """Types without parts, numbered as upstream."""

    BOOL = 0
    CHAR = 1
    STR = 2
    U8 = 3
    U16 = 4
    U32 = 5
    U64 = 6
    U128 = 7
    U256 = 8
    I8 = 9
    I16 = 10
    I32 = 11
    I64 = 12
    I128 = 13
    I256 = 14


class FieldType(t.Struct):
    """A field; without a name in tuple-like types."""

    name: str | None
    type: TypeId
    type_name: str | None
    docs: tuple[str, ...]


class VariantType(t.Struct):
    """One case of an enum."""

    name: str
    fields: tuple[FieldType, ...]
    index: t.u8
    docs: tuple[str, ...]


@t.variant(0, unnamed=True)
class Composite(t.Struct):
    """A struct."""

    fields: tuple[FieldType, ...]


@t.variant(1, unnamed=True)
class Variants(t.Struct):
    """An enum."""

    variants: tuple[VariantType, ...]


@t.variant(2, unnamed=True)
class Sequence(t.Struct):
    """Vec."""

    item: TypeId


@t.variant(3, unnamed=True)
class Array(t.Struct):
    """`[item; count]`."""

    count: t.u32
    item: TypeId


@t.variant(4, unnamed=True)
class Tuple(t.Struct):
    """A tuple; empty for unit."""

    items: tuple[TypeId, ...]


@t.variant(5, unnamed=True)
class PrimitiveType(t.Struct):
    """A type without parts."""

    kind: Primitive


@t.variant(6, unnamed=True)
class CompactType(t.Struct):
    """Compact of an integer type."""

    inner: TypeId


@t.variant(7, unnamed=True)
class BitSequence(t.Struct):
    """BitVec."""

    store: TypeId
    order: TypeId


TypeDef: TypeAlias = Composite | Variants | Sequence | Array | Tuple | PrimitiveType | CompactType | BitSequence


class TypeParameter(t.Struct):
    """A type parameter; without a type when skipped."""

    name: str
    type: TypeId | None


class Type(t.Struct):
    """A type's name and structure."""

    path: tuple[str, ...]
    params: tuple[TypeParameter, ...]
    definition: TypeDef
    docs: tuple[str, ...]


class PortableType(t.Struct):
    """A type and its number in the registry."""

    id: TypeId
    type: Type


_U8 = sh.IntShape(8, signed=False)
_SPELLED = ("::pallet::Call", "::pallet::Event")
"""Enums whose fields name their types as source spells them: clients show those of calls and events."""
_BOUNDED = ("bounded_collections", "bounded_vec", "BoundedVec")


class Registry:
    """Numbers types on demand; placeholders show what `codecs` binds them to."""

    def __init__(self, codecs: Codecs) -> None:
        self.codecs = codecs
        self.types: list[Type | None] = []
        self._ids: dict[sh.Shape, int] = {}
        self._anonymous: dict[Type, int] = {}

    def type_id(self, hint: t.Hint) -> int:
        """The number of a hint's type; it and what it consists of are registered.

        Raises:
            HintError: The hint has no wire form, or names an unbound placeholder.
        """
        return self._id(hints.shape_of(hint))

    def encode(self) -> bytes:
        """SCALE of the PortableRegistry so far."""
        types = tuple(PortableType(index, kind) for index, kind in enumerate(self.types) if kind is not None)
        return codec_of(tuple[PortableType, ...]).encode(types)

    def _id(self, shape: sh.Shape) -> int:
        found = self._ids.get(shape)
        if found is None:
            found = self._add(shape)
            self._ids[shape] = found
        return found

    def _add(self, shape: sh.Shape) -> int:
        match shape:
            case sh.DepthShape(inner):
                return self._id(inner)
            case sh.LateShape():
                return self._id(hints.late(shape))
            case sh.PlaceholderShape():
                return self._id(self.codecs.bound(shape))
            case sh.CustomShape(custom):
                return self._id(hints.shape_of(custom.seen_as))
            case sh.NamedShape(inner, ""):
                return self._id(inner)
            case sh.NamedShape(inner, path, params):
                return self._named(shape, path, params, lambda: Composite((self._field(None, _unbounded(inner)),)))
            case sh.StructShape():
                return self._struct(shape)
            case sh.EnumShape(variants) if _is_result(variants):
                return self._result(variants)
            case sh.EnumShape(variants, path, params):
                variant = self._spelled if path.endswith(_SPELLED) else self._variant
                return self._named(shape, path, params, lambda: Variants(tuple(map(variant, variants))))
            case sh.IntEnumShape(cls):
                path = t.naming(cls).path
                return self._named(shape, path, (), lambda: _unit_variants(cls))
            case _:
                return self._intern(self._anonymous_type(shape))

    def _named(self, shape: sh.Shape, path: str, params: t.Params, define: Any) -> int:
        """Reserve the number first: the definition may refer to it."""
        number = self._ids[shape] = len(self.types)
        self.types.append(None)
        parameters = tuple(TypeParameter(name, None if hint is None else self.type_id(hint)) for name, hint in params)
        self.types[number] = Type(_segments(path), parameters, cast(TypeDef, define()), ())
        return number

    def _intern(self, kind: Type) -> int:
        number = self._anonymous.get(kind)
        if number is None:
            number = self._anonymous[kind] = len(self.types)
            self.types.append(kind)
        return number

    def _struct(self, shape: sh.StructShape) -> int:
        named = t.naming(shape.cls)
        names = (parameter.__name__ for parameter in getattr(shape.cls, "__parameters__", ()))
        params = named.params or tuple(zip(names, get_args(shape.hint), strict=False))
        return self._named(shape, named.path, params, lambda: Composite(self._fields(shape)))

    def _fields(self, shape: sh.StructShape) -> tuple[FieldType, ...]:
        unnamed = t.naming(shape.cls).unnamed
        return tuple(
            self._field(None if unnamed else field.name.rstrip("_"), field.shape) for field in hints.fields_of(shape)
        )

    def _field(self, name: str | None, shape: sh.Shape) -> FieldType:
        return FieldType(name, self._id(shape), None, ())

    def _variant(self, case: sh.StructShape) -> VariantType:
        named = t.naming(case.cls)
        return VariantType(named.name or case.cls.__name__.rstrip("_"), self._fields(case), named.index or 0, ())

    def _spelled(self, case: sh.StructShape) -> VariantType:
        plain = self._variant(case)
        shapes = (field.shape for field in hints.fields_of(case))
        fields = zip(plain.fields, shapes, strict=True)
        spelled = tuple(FieldType(field.name, field.type, spelling(shape), ()) for field, shape in fields)
        return VariantType(plain.name, spelled, plain.index, ())

    def _result(self, variants: Iterable[sh.StructShape]) -> int:
        ok, err = (hints.fields_of(case)[0].shape for case in variants)
        return self._generic("Result", (("T", ok), ("E", err)), lambda: Variants(tuple(map(self._variant, variants))))

    def _generic(self, path: str, params: Iterable[tuple[str, sh.Shape | None]], define: Any) -> int:
        parameters = tuple(TypeParameter(name, None if shape is None else self._id(shape)) for name, shape in params)
        return self._intern(Type(_segments(path), parameters, define(), ()))

    def _anonymous_type(self, shape: sh.Shape) -> Type:
        return self._wrapped(shape) or Type((), (), self._structure(shape), ())

    def _structure(self, shape: sh.Shape) -> TypeDef:
        match shape:
            case sh.IntShape(bits, signed):
                return PrimitiveType(Primitive[f"{'I' if signed else 'U'}{bits}"])
            case sh.BoolShape():
                return PrimitiveType(Primitive.BOOL)
            case sh.TextShape():
                return PrimitiveType(Primitive.STR)
            case sh.BytesShape():
                return Sequence(self._id(_U8))
            case sh.FixedShape(size):
                return Array(size, self._id(_U8))
            case sh.SequenceShape(item):
                return Sequence(self._id(item))
            case sh.ArrayShape(item, count):
                return Array(count, self._id(item))
            case sh.TupleShape(items):
                return Tuple(tuple(map(self._id, items)))
            case sh.CompactShape(inner):
                return CompactType(self._id(inner))
            case sh.BitsShape():
                lsb0 = Type(("bitvec", "order", "Lsb0"), (), Composite(()), ())
                return BitSequence(self._id(_U8), self._intern(lsb0))
            case _:
                raise HintError(f"{shape!r} has no place in metadata")

    def _wrapped(self, shape: sh.Shape) -> Type | None:
        """Generic types of the standard library."""
        match shape:
            case sh.OptionShape(inner):
                some = VariantType("Some", (self._field(None, inner),), 1, ())
                variants = Variants((VariantType("None", (), 0, ()), some))
                return Type(("Option",), self._params(T=inner), variants, ())
            case sh.OptionBoolShape():
                cases = enumerate(("None", "True", "False"))
                return Type(("OptionBool",), (), Variants(tuple(VariantType(n, (), i, ()) for i, n in cases)), ())
            case sh.MapShape(key, value):
                entries = sh.SequenceShape(sh.TupleShape((key, value)), None, ascending=False)
                return Type(("BTreeMap",), self._params(K=key, V=value), Composite((self._field(None, entries),)), ())
            case sh.SequenceShape(item, _, True):
                plain = sh.SequenceShape(item, None, ascending=False)
                return Type(("BTreeSet",), self._params(T=item), Composite((self._field(None, plain),)), ())
            case sh.SequenceShape(limit=int()) | sh.BytesShape(limit=int()):
                plain = _unbounded(shape)
                item = plain.item if isinstance(plain, sh.SequenceShape) else _U8
                params = (*self._params(T=item), TypeParameter("S", None))
                return Type(_BOUNDED, params, Composite((self._field(None, plain),)), ())
            case _:
                return None

    def _params(self, **shapes: sh.Shape) -> tuple[TypeParameter, ...]:
        return tuple(TypeParameter(name, self._id(shape)) for name, shape in shapes.items())


def spelling(shape: sh.Shape) -> str:  # noqa: C901 (a table)
    """How Rust source would spell a type."""
    match shape:
        case sh.NamedShape(_, path, _, name):
            return name or path.split("::")[-1]
        case sh.IntShape(bits, signed):
            return f"{'i' if signed else 'u'}{bits}"
        case sh.CompactShape(inner):
            return f"Compact<{spelling(inner)}>"
        case sh.BoolShape():
            return "bool"
        case sh.TextShape():
            return "String"
        case sh.BytesShape():
            return "Vec<u8>"
        case sh.FixedShape(size):
            return f"[u8; {size}]"
        case sh.SequenceShape(item):
            return f"Vec<{spelling(item)}>"
        case sh.ArrayShape(item, count):
            return f"[{spelling(item)}; {count}]"
        case sh.TupleShape(items):
            return f"({', '.join(map(spelling, items))})"
        case sh.OptionShape(inner):
            return f"Option<{spelling(inner)}>"
        case sh.MapShape(key, value):
            return f"BTreeMap<{spelling(key)}, {spelling(value)}>"
        case sh.DepthShape(inner):
            return spelling(inner)
        case sh.StructShape() | sh.IntEnumShape() | sh.PlaceholderShape():
            return shape.cls.__name__
        case sh.EnumShape(path=path) if path:
            return path.split("::")[-1]
        case sh.LateShape():
            return spelling(hints.late(shape))
        case sh.CustomShape(custom):
            return spelling(hints.shape_of(custom.seen_as))
        case _:
            return type(shape).__name__.removesuffix("Shape")


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.split("::")) if path else ()


def _unbounded(shape: sh.Shape) -> sh.Shape:
    match shape:
        case sh.SequenceShape(item, int(), False):
            return sh.SequenceShape(item, None, ascending=False)
        case sh.BytesShape():
            return sh.BytesShape(None)
        case sh.CustomShape(custom):
            return _unbounded(hints.shape_of(custom.seen_as))
        case _:
            return shape


def _is_result(variants: tuple[sh.StructShape, ...]) -> bool:
    return [case.cls for case in variants] == [t.Ok, t.Err]


def _unit_variants(cls: type[IntEnum]) -> Variants:
    return Variants(tuple(VariantType(_camel(member.name), (), int(member), ()) for member in cls))


def _camel(name: str) -> str:
    """Upstream's spelling of a Python constant's name."""
    return "".join(word.capitalize() for word in name.split("_")) if name.isupper() else name
