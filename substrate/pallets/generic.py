"""Pallets with a type parameter, such as an asset id; a subclass fills it in.

    AssetId = parameter("AssetId")

    class Assets(GenericPallet): ...                                  # storage, events and calls name AssetId
    class ForeignAssets(Assets, parameters={"AssetId": Location}): ...

Upstream's counterpart is a pallet's `Config` with its associated types.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from inspect import get_annotations
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from substrate.runtime.pallet import Event, Pallet
from substrate.runtime.storage import Declaration
from substrate.scale.types import make_struct


@dataclass(frozen=True)
class Parameter:
    """Marks an annotation as a type parameter."""

    name: str


class GenericPallet(Pallet):
    """A pallet whose annotations may hold `Annotated[Any, Parameter(name)]`."""

    def __init_subclass__(cls, *, parameters: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        if parameters:
            _fill_storage(cls, parameters)
            _fill_events(cls, parameters)
            cls.hints = {**cls.hints, **_filled_arguments(cls, parameters)}
        super().__init_subclass__(**kwargs)
        # An error may share its name with an event; in Python it then ends in an underscore.
        cls.errors = {name.rstrip("_"): kind for name, kind in cls.errors.items()}


def fill(hint: Any, parameters: Mapping[str, Any]) -> Any:
    """An annotation with its parameters replaced."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        base, *marks = args
        for mark in marks:
            if isinstance(mark, Parameter):
                return parameters.get(mark.name, hint)
        return cast(Any, Annotated)[(fill(base, parameters), *marks)]
    if origin is None or not args:
        return hint
    filled = tuple(fill(arg, parameters) for arg in args)
    if filled == args:
        return hint
    if origin in (Union, UnionType):
        return reduce(_either, filled)
    return origin[filled]


def _either(left: Any, right: Any) -> Any:
    return left | right


def _fill_storage(cls: type[Pallet], parameters: Mapping[str, Any]) -> None:
    own = dict(get_annotations(cls))
    for base in cls.__mro__[1:]:
        annotations = get_annotations(base)
        for name, item in vars(base).items():
            if isinstance(item, Declaration) and name not in own:
                own[name] = fill(annotations[name], parameters)
                setattr(cls, name, item)
    cls.__annotations__ = own


def _fill_events(cls: type[Pallet], parameters: Mapping[str, Any]) -> None:
    for base in cls.__mro__[1:]:
        for name, event in list(vars(base).items()):
            if not (isinstance(event, type) and issubclass(event, Event)) or name in vars(cls):
                continue
            hints = get_type_hints(event, include_extras=True)
            fields = [(field, fill(hints[field], parameters)) for field in event.__struct_fields__]
            body = {"__doc__": event.__doc__}
            setattr(cls, name, make_struct(name, fields, bases=(Event,), namespace=body, module=cls.__module__))


def _filled_arguments(cls: type[Pallet], parameters: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in cls.__mro__:
        for method in vars(base).values():
            if not hasattr(method, "__call_spec__"):
                continue
            for name, hint in get_type_hints(method, include_extras=True).items():
                filled = fill(hint, parameters)
                if filled is not hint and filled != hint:
                    found[name] = filled
    return found
