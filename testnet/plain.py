"""Wire values as what JSON can hold: for the record, the log and people."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, cast

from substrate.scale.bits import BitVec
from substrate.scale.types import Struct, naming


def plain(value: Any) -> Any:
    """Bytes become "0x...", structs dicts; a case of an enum becomes `{"Case": fields}`, a bare one its name."""
    match value:
        case None | bool() | int() | str() if not isinstance(value, Enum):
            return value
        case Enum():
            return value.name
        case bytes():
            return "0x" + value.hex()
        case Struct():
            return _struct(value)
        case BitVec():
            return "".join("1" if bit else "0" for bit in value)
        case Mapping():
            return [[plain(key), plain(item)] for key, item in cast("Mapping[Any, Any]", value).items()]
        case tuple() | list():
            return [plain(item) for item in cast("tuple[Any, ...]", value)]
        case _:
            raise TypeError(f"{type(value).__name__} is not a wire value")


def fields_of(value: Struct) -> dict[str, Any]:
    """A struct's fields as plain values, under their wire names."""
    return {name.rstrip("_"): plain(getattr(value, name)) for name in value.__struct_fields__}


def _struct(value: Struct) -> Any:
    named = naming(type(value))
    fields = value.__struct_fields__
    if named.index is None:
        return fields_of(value)
    case = named.name or type(value).__name__
    if not fields:
        return case
    if named.unnamed:
        items = [plain(getattr(value, name)) for name in fields]
        return {case: items[0] if len(items) == 1 else items}
    return {case: fields_of(value)}
