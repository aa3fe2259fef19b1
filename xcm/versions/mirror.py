"""An older version of the format, declared by what differs from version 5.

Every type that contains a difference is declared anew from its version 5 annotations; the rest is shared. Conversion
follows the same walk, so that a type and its conversion cannot disagree.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, NewType, Union, cast, get_args, get_origin, get_type_hints

from substrate.errors import RuleError
from substrate.scale.types import (
    EnumOf,
    Late,
    Path,
    Struct,
    enum_name,
    make_enum,
    make_struct,
    members_of,
    naming,
    wire_of,
)
from xcm.checked import Checked, must

Hint = Any
Convert = Callable[[Any], Any]


class VersionReason(StrEnum):
    """Why a value cannot be expressed in another version."""

    NOT_IN_VERSION = "NotInVersion"
    UNKNOWN_VERSION = "UnknownVersion"


class VersionError(RuleError):
    """A value that the other version has no form for."""


@dataclass(frozen=True)
class Override:
    """A type that differs: its older form, and the way to and from version 5."""

    hint: Hint
    up: Convert
    down: Convert


@dataclass
class Mirror:
    """One older version.

    Attributes:
        rename: Metadata path of a type in this version, from its version 5 path.
        overrides: What differs, by struct class, NewType or the members of a union.
        dropped: Variants that this version does not have.
        indices: Variants that have another index in this version.
    """

    rename: Callable[[str], str]
    overrides: Mapping[Hint, Override]
    dropped: frozenset[type[Struct]]
    indices: Mapping[type[Struct], int]
    _hints: dict[Hint, Hint] = field(default_factory=dict)
    _converters: dict[tuple[Hint, bool], Convert | None] = field(default_factory=dict)
    _touched: dict[Hint, bool] = field(default_factory=dict)

    def of(self, hint: Hint) -> Hint:
        """The older form of a version 5 annotation."""
        if hint not in self._hints:
            self._hints[hint] = self._declare(hint) if self.touches(hint) else hint
        return self._hints[hint]

    def up(self, hint: Hint, value: Any) -> Any:
        """An older value as version 5, `hint` being its version 5 annotation.

        Raises:
            VersionError: Version 5 cannot express it.
        """
        convert = self._converter(hint, up=True)
        return convert(value) if convert else value

    def down(self, hint: Hint, value: Any) -> Any:
        """A version 5 value as this version.

        Raises:
            VersionError: This version cannot express it.
        """
        convert = self._converter(hint, up=False)
        return convert(value) if convert else value

    def touches(self, hint: Hint) -> bool:
        """Whether a type contains anything that differs."""
        if hint not in self._touched:
            self._touched[hint] = self._search(hint, set())
        return self._touched[hint]

    def _search(self, hint: Hint, seen: set[Hint]) -> bool:
        if hint in self.dropped or hint in self.indices or self._override(hint):
            return True
        if hint in seen:
            return False
        seen.add(hint)
        return any(self._search(part, seen) for part in _parts(hint))

    def _override(self, hint: Hint) -> Override | None:
        return self.overrides.get(members_of(hint) if _is_union(hint) else hint)

    def _declare(self, hint: Hint) -> Hint:
        override = self._override(hint)
        if override:
            return override.hint | None if _is_optional(hint) else override.hint
        if isinstance(hint, NewType):
            wire = wire_of(hint)
            inner = self.of(wire.hint)
            return Annotated[inner, Path(self.rename(wire.path))] if wire.path else inner
        if get_origin(hint) is Annotated:
            return self._declare_annotated(hint)
        if get_origin(hint) is tuple:
            return tuple[tuple(arg if arg is Ellipsis else self._field(arg) for arg in get_args(hint))]  # pyright: ignore[reportInvalidTypeArguments]  # made at run time
        if _is_union(hint):
            return self._declare_union(hint)
        return self._declare_struct(hint)

    def _declare_annotated(self, hint: Hint) -> Hint:
        base, *marks = get_args(hint)
        for mark in marks:
            if isinstance(mark, Checked):
                return Annotated[Any, must(self.of(mark.seen_as), mark.check)]
        return Annotated[(self.of(base), *marks)]  # pyright: ignore[reportInvalidTypeForm]  # made at run time

    def _declare_union(self, hint: Hint) -> Hint:
        members = [member for member in _members(hint) if member not in self.dropped]
        if len(members) == 1:
            return self._field(members[0]) | None
        named = enum_name(members_of(hint)) or EnumOf("")
        made = make_enum(self.rename(named.name), [self.of(member) for member in members])
        return made | None if _is_optional(hint) else made

    def _declare_struct(self, cls: type[Struct]) -> type[Struct]:
        old = naming(cls)
        return make_struct(
            cls.__name__,
            [(name, self._field(hint)) for name, hint in _fields(cls).items()],
            index=self.indices.get(cls, cast(int, old.index)),
            unnamed=old.unnamed,
            path=self.rename(old.path),
            variant_name=old.name,
            namespace={"__doc__": cls.__doc__},
        )

    def _field(self, hint: Hint) -> Hint:
        """A NewType may be the one being declared, so it is looked up on first use."""
        if isinstance(hint, NewType) and self.touches(hint):
            return Annotated[Any, Late(lambda: self.of(hint))]
        return self.of(hint)

    def _converter(self, hint: Hint, *, up: bool) -> Convert | None:
        key = (hint, up)
        if key not in self._converters:
            self._converters[key] = self._make_converter(hint, up=up) if self.touches(hint) else None
        return self._converters[key]

    def _make_converter(self, hint: Hint, *, up: bool) -> Convert | None:
        override = self._override(hint)
        if override:
            return _unless_none(override.up if up else override.down)
        if isinstance(hint, NewType):
            inner = wire_of(hint).hint
            return lambda value: self.up(inner, value) if up else self.down(inner, value)
        if get_origin(hint) is Annotated:
            mark = next((mark for mark in get_args(hint) if isinstance(mark, Checked)), None)
            return self._converter(mark.seen_as if mark else get_args(hint)[0], up=up)
        if get_origin(hint) is tuple:
            return self._tuple_converter(get_args(hint), up=up)
        if _is_union(hint):
            return self._union_converter(hint, up=up)
        return self._struct_converter(hint, up=up)

    def _tuple_converter(self, args: tuple[Hint, ...], *, up: bool) -> Convert:
        if args[-1] is Ellipsis:
            one = self._converter(args[0], up=up)
            return lambda value: tuple(one(item) if one else item for item in value)
        each = [self._converter(arg, up=up) for arg in args]
        return lambda value: tuple(
            convert(item) if convert else item for convert, item in zip(each, value, strict=True)
        )

    def _union_converter(self, hint: Hint, *, up: bool) -> Convert:
        table: dict[Hint, Convert | None] = {NoneType: None}
        for member in _members(hint):
            if member not in self.dropped:
                table[self.of(member) if up else member] = self._converter(member, up=up)

        def convert(value: Any) -> Any:
            kind = cast(type[Any], type(value))
            if kind not in table:
                raise VersionError(VersionReason.NOT_IN_VERSION, type=kind.__name__)
            one = table[kind]
            return one(value) if one else value

        return convert

    def _struct_converter(self, cls: type[Struct], *, up: bool) -> Convert:
        made: type[Struct] = cls if up else self.of(cls)
        each = [(name, self._converter(hint, up=up)) for name, hint in _fields(cls).items()]

        def convert(value: Struct) -> Struct:
            values = [one(getattr(value, name)) if one else getattr(value, name) for name, one in each]
            return made(*values)

        return convert


def _unless_none(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)


def _is_union(hint: Hint) -> bool:
    return get_origin(hint) in (Union, UnionType)


def _is_optional(hint: Hint) -> bool:
    return _is_union(hint) and NoneType in get_args(hint)


def _members(hint: Hint) -> list[Hint]:
    return [arg for arg in get_args(hint) if arg is not NoneType]


def _fields(cls: type[Struct]) -> dict[str, Hint]:
    hints = get_type_hints(cls, include_extras=True)
    return {name: hints[name] for name in cls.__struct_fields__}


def _parts(hint: Hint) -> list[Hint]:
    """The annotations directly inside one."""
    if isinstance(hint, NewType):
        return [wire_of(hint).hint]
    if get_origin(hint) is Annotated:
        base, *marks = get_args(hint)
        return [mark.seen_as for mark in marks if isinstance(mark, Checked)] or [base]
    if get_origin(hint) is tuple or _is_union(hint):
        return [arg for arg in get_args(hint) if arg is not Ellipsis]
    if isinstance(hint, type) and issubclass(hint, Struct):
        return list(_fields(hint).values())
    return []
