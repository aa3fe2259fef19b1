"""Rust's derived ordering of wire values, for BTreeMap and BTreeSet."""

from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from substrate.errors import EncodeError, HintError
from substrate.scale import hints
from substrate.scale import shapes as sh
from substrate.scale.types import naming

SortKey = Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


@cache
def sort_key(shape: sh.Shape) -> SortKey:
    """A function giving values of this shape their place.

    Raises:
        HintError: The shape is not ordered here.
    """
    match shape:
        case sh.IntShape() | sh.CompactShape() | sh.BoolShape() | sh.TextShape() | sh.BytesShape() | sh.FixedShape():
            return _same
        case sh.IntEnumShape():
            return int
        case sh.NamedShape(inner) | sh.DepthShape(inner):
            return sort_key(inner)
        case sh.LateShape():
            return sort_key(hints.late(shape))
        case sh.OptionShape(inner):
            key = sort_key(inner)
            return lambda value: () if value is None else (key(value),)
        case sh.SequenceShape(item) | sh.ArrayShape(item):
            key = sort_key(item)
            return lambda value: tuple(map(key, value))
        case sh.TupleShape(items):
            keys = tuple(map(sort_key, items))
            return lambda value: tuple(key(part) for key, part in zip(keys, value, strict=True))
        case sh.StructShape():
            return _struct_key(shape)
        case sh.EnumShape(variants):
            cases = {case.cls: (naming(case.cls).index, case) for case in variants}
            return lambda value: (cases[type(value)][0], _struct_key(cases[type(value)][1])(value))
        case _:
            raise HintError(f"{shape!r} cannot be a key")


@cache
def _struct_key(shape: sh.StructShape) -> SortKey:
    fields = tuple((field.name, sort_key(field.shape)) for field in hints.fields_of(shape))
    return lambda value: tuple(key(getattr(value, name)) for name, key in fields)


def sorted_items(values: Mapping[Any, Any], key: SortKey) -> list[tuple[Any, Any]]:
    """The entries of a map in wire order."""
    return sorted(values.items(), key=lambda entry: key(entry[0]))


def is_ascending(values: list[Any] | tuple[Any, ...], key: SortKey) -> bool:
    """Whether each value is greater than the one before."""
    places = [key(value) for value in values]
    return all(low < high for low, high in pairwise(places))


def check_ascending(values: tuple[Any, ...], key: SortKey) -> tuple[Any, ...]:
    """Pass on a sorted set.

    Raises:
        EncodeError: Not ascending.
    """
    if not is_ascending(values, key):
        raise EncodeError("items of a set must ascend without duplicates")
    return values
