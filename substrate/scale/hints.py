"""What an annotation means on the wire: hints become shapes, once."""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Annotated, Any, NewType, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from substrate.errors import HintError
from substrate.scale import shapes as sh
from substrate.scale import types as t
from substrate.scale.bits import BitVec

_PLAIN: dict[Any, sh.Shape] = {
    bool: sh.BoolShape(),
    str: sh.TextShape(None),
    bytes: sh.BytesShape(None),
    BitVec: sh.BitsShape(),
    None: sh.TupleShape((), none=True),
    type(None): sh.TupleShape((), none=True),
}


@cache
def shape_of(hint: t.Hint) -> sh.Shape:
    """Read a hint.

    Raises:
        HintError: It has no wire form.
    """
    plain = _PLAIN.get(hint)
    if plain is not None:
        return plain
    origin = get_origin(hint)
    if origin is Annotated:
        return _annotated(hint)
    if origin is Union or origin is types.UnionType:
        return _union(hint)
    if origin is tuple:
        return _tuple(get_args(hint))
    if origin is Mapping:
        key, value = get_args(hint)
        return sh.MapShape(shape_of(key), shape_of(value), None)
    if isinstance(hint, NewType):
        wire = t.wire_of(hint)
        return sh.NamedShape(shape_of(wire.hint), wire.path, wire.params, hint.__name__)
    return _class(hint, origin)


def _class(hint: t.Hint, origin: Any) -> sh.Shape:
    cls: Any = origin or hint
    if isinstance(cls, type):
        if issubclass(cls, IntEnum):
            return sh.IntEnumShape(cls)
        # The class itself waits to be bound; the structs below it are its cases.
        if issubclass(cls, t.Placeholder) and t.Placeholder in cls.__bases__:
            return sh.PlaceholderShape(cls)
        if issubclass(cls, t.Struct):
            return sh.StructShape(hint)
    raise HintError(f"{spoken(hint)} has no wire form")


def spoken(hint: t.Hint) -> str:
    """An annotation as people write it."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        width = next((mark for mark in args if isinstance(mark, t.Width)), None)
        return spoken(args[0]) if width is None else f"{'i' if width.signed else 'u'}{width.bits}"
    if origin is Union or origin is types.UnionType:
        return " | ".join(map(spoken, args))
    if hint is Ellipsis:
        return "..."
    name = str(getattr(origin or hint, "__qualname__", hint))
    return f"{name}[{', '.join(map(spoken, args))}]" if args else name


def _tuple(args: tuple[Any, ...]) -> sh.Shape:
    if len(args) == 2 and args[1] is Ellipsis:
        return sh.SequenceShape(shape_of(args[0]), None, ascending=False)
    return sh.TupleShape(tuple(shape_of(arg) for arg in args))


def _union(hint: t.Hint) -> sh.Shape:
    args = get_args(hint)
    members = tuple(arg for arg in args if arg is not type(None))
    declared = t.enum_name(frozenset(members))
    if len(members) == 1 and declared is None:
        inner = shape_of(members[0])
    else:
        inner = _enum(members, declared or t.EnumOf(""))
    return sh.OptionShape(inner) if len(members) < len(args) else inner


def _enum(members: tuple[Any, ...], name: t.EnumOf) -> sh.EnumShape:
    cases: dict[int, sh.StructShape] = {}
    for member in members:
        case = sh.StructShape(member)
        index = t.naming(case.cls).index
        if index is None:
            raise HintError(f"{spoken(member)} in {name.name or 'a union'} is no @variant")
        if not 0 <= index <= 255:
            raise HintError(f"{member!r}: variant index {index} does not fit a byte")
        if cases.setdefault(index, case) is not case:
            raise HintError(f"{member!r} and {cases[index].hint!r} share variant index {index}")
    return sh.EnumShape(tuple(cases[index] for index in sorted(cases)), name.name, name.params)


def _annotated(hint: t.Hint) -> sh.Shape:
    base, *marks = get_args(hint)
    for mark in marks:
        if isinstance(mark, t.Custom):
            named = next((mark for mark in marks if isinstance(mark, t.Path)), None)
            return _marked(sh.CustomShape(mark), named, hint) if named else sh.CustomShape(mark)
    head = next((mark for mark in marks if isinstance(mark, t.Width | t.Fixed | t.Late | t.EnumOf)), None)
    match head:
        case t.Width(bits, signed):
            shape: sh.Shape = sh.IntShape(bits, signed)
        case t.Fixed(size):
            shape = sh.FixedShape(size)
        case t.Late():
            shape = sh.LateShape(head)
        case t.EnumOf():
            shape = _enum(_members(base) if head.variants is None else head.variants, head)
        case _:
            shape = shape_of(base)
    for mark in marks:
        if mark is not head:
            shape = _marked(shape, mark, hint)
    return shape


def _members(base: t.Hint) -> tuple[Any, ...]:
    is_union = get_origin(base) in (Union, types.UnionType)
    return get_args(base) if is_union else (base,)


def _marked(shape: sh.Shape, mark: object, hint: t.Hint) -> sh.Shape:
    match mark, shape:
        case t.CompactMark(), _:
            return sh.CompactShape(shape, _compact_bits(shape, hint))
        case t.MaxLen(count), sh.SequenceShape(item, _, ascending):
            return sh.SequenceShape(item, count, ascending)
        case t.MaxLen(count), sh.BytesShape():
            return sh.BytesShape(count)
        case t.MaxLen(count), sh.TextShape():
            return sh.TextShape(count)
        case t.MaxLen(count), sh.MapShape(key, value, _):
            return sh.MapShape(key, value, count)
        case t.MaxLen(), sh.NamedShape(inner, path, params, name):
            return sh.NamedShape(_marked(inner, mark, hint), path, params, name)
        case t.Ascending(), sh.SequenceShape(item, limit, _):
            return sh.SequenceShape(item, limit, ascending=True)
        case t.Exactly(count), sh.SequenceShape(item, _, _):
            return sh.ArrayShape(item, count)
        case t.OneByteOption(), _:
            return sh.OptionBoolShape()
        case t.Depth(limit), _:
            return sh.DepthShape(shape, limit)
        case t.Path(name, params), _:
            return sh.NamedShape(shape, name, params)
        case _:
            raise HintError(f"{mark!r} does not apply to {hint!r}")


def _compact_bits(shape: sh.Shape, hint: t.Hint) -> int:
    match shape:
        case sh.IntShape(bits, False):
            return bits
        case sh.NamedShape(inner):
            return _compact_bits(inner, hint)
        case sh.TupleShape(()):
            return 0
        case _:
            raise HintError(f"{hint!r}: only unsigned integers are compact")


@dataclass(frozen=True)
class Field:
    """One field of a struct."""

    name: str
    shape: sh.Shape


@cache
def fields_of(struct: sh.StructShape) -> tuple[Field, ...]:
    """The fields of a struct in wire order, type arguments filled in."""
    cls = struct.cls
    try:
        hints = get_type_hints(cls, include_extras=True)
    except NameError as cause:
        raise HintError(f"{cls.__qualname__}: {cause}") from cause
    filled = dict(zip(getattr(cls, "__parameters__", ()), get_args(struct.hint), strict=False))
    names = cast(tuple[str, ...], cls.__struct_fields__)
    try:
        return tuple(Field(name, shape_of(_fill(hints[name], filled))) for name in names)
    except HintError as cause:
        raise HintError(f"{cls.__qualname__}: {cause}") from cause


def _fill(hint: t.Hint, filled: dict[Any, Any]) -> t.Hint:
    if isinstance(hint, TypeVar):
        return filled.get(hint, hint)
    open_parameters = getattr(hint, "__parameters__", ())
    if not filled or not open_parameters or isinstance(hint, type):
        return hint
    return hint[tuple(filled[parameter] for parameter in open_parameters)]


@cache
def late(shape: sh.LateShape) -> sh.Shape:
    """Resolve a late hint."""
    return shape_of(shape.late.resolve())


def children(shape: sh.Shape) -> tuple[sh.Shape, ...]:
    """Shapes that lie directly inside, not through a sequence or placeholder."""
    match shape:
        case sh.NamedShape(inner) | sh.OptionShape(inner) | sh.DepthShape(inner):
            return (inner,)
        case sh.TupleShape(items):
            return items
        case sh.ArrayShape(item):
            return (item,)
        case sh.LateShape():
            return (late(shape),)
        case sh.StructShape():
            return tuple(field.shape for field in fields_of(shape))
        case sh.EnumShape(variants):
            return variants
        case _:
            return ()


@cache
def direct_closure(shape: sh.Shape) -> frozenset[sh.Shape]:
    """All shapes inside that a decoder reaches without passing a counted sequence or placeholder."""
    seen: set[sh.Shape] = set()
    waiting = [shape]
    while waiting:
        for child in children(waiting.pop()):
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return frozenset(seen)


def min_size(shape: sh.Shape) -> int:
    """Fewest bytes a value takes, or a lower bound of it."""
    match shape:
        case sh.IntShape(bits):
            return bits // 8
        case sh.FixedShape(size):
            return size
        case sh.TupleShape() | sh.NamedShape() | sh.StructShape() | sh.DepthShape() | sh.LateShape():
            return sum(min_size(child) for child in children(shape))
        case sh.ArrayShape(item, count):
            return count * min_size(item)
        case sh.CompactShape(_, bits):
            return min(bits, 1)
        case sh.CustomShape() | sh.PlaceholderShape():
            return 1
        case _:
            return 1


def fixed_size(shape: sh.Shape) -> int | None:
    """Bytes every value takes, or None when they differ."""
    match shape:
        case sh.IntShape() | sh.FixedShape():
            return min_size(shape)
        case sh.BoolShape() | sh.OptionBoolShape() | sh.IntEnumShape():
            return 1
        case sh.TupleShape() | sh.NamedShape() | sh.StructShape() | sh.DepthShape() | sh.LateShape():
            sizes = [fixed_size(child) for child in children(shape)]
            return None if None in sizes else sum(size for size in sizes if size is not None)
        case sh.ArrayShape(item, count):
            size = fixed_size(item)
            return None if size is None else size * count
        case _:
            return None
