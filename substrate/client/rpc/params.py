"""Parameters of RPC methods: JSON in, typed values out, by the annotations of the method."""

import inspect
import re
from binascii import unhexlify
from collections.abc import Callable, Mapping, Sequence
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from substrate.client.rpc.errors import invalid_params
from substrate.types import Hash

HASH_LENGTH = 32
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,64}|0|[1-9][0-9]{0,9}")
Convert = Callable[[object], Any]


class BadValue(ValueError):
    """A JSON value that is not of the wanted kind."""


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of a method."""

    name: str
    convert: Convert
    default: Any
    is_required: bool


def hex_bytes(value: object) -> bytes:
    """Bytes from hex with or without `0x`."""
    if not isinstance(value, str):
        raise BadValue("expected a hex string")
    try:
        return unhexlify(value.removeprefix("0x"))  # unlike bytes.fromhex it skips no blanks
    except ValueError as error:
        raise BadValue(f"{value[:80]!r} is not hex") from error


def block_hash(value: object) -> Hash:
    """A 32-byte hash from hex."""
    data = hex_bytes(value)
    if len(data) != HASH_LENGTH:
        raise BadValue(f"a hash has {HASH_LENGTH} bytes, this one {len(data)}")
    return Hash(data)


def block_number(value: object) -> int:
    """A block number as an integer, a decimal or a hex quantity."""
    number = int(value, 0) if isinstance(value, str) and _NUMBER.fullmatch(value) else value
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 32:
        raise BadValue(f"{str(value)[:80]!r} is not a block number")
    return number


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 64:
        raise BadValue("expected an unsigned integer")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadValue("expected a string")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadValue("expected true or false")
    return value


def _anything(value: object) -> object:
    return value


def _list_of(item: Convert) -> Convert:
    def convert(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise BadValue("expected a list")
        return tuple(item(each) for each in cast(list[object], value))

    return convert


_CONVERTERS: dict[Any, Convert] = {bytes: hex_bytes, Hash: block_hash, int: _integer, str: _text, bool: _flag}


def _converter(hint: Any) -> Convert:
    if hint is object:
        return _anything
    if hint in _CONVERTERS:
        return _CONVERTERS[hint]
    if get_origin(hint) in (Union, UnionType):
        (inner,) = (each for each in get_args(hint) if each is not type(None))
        return _converter(inner)
    assert get_origin(hint) is tuple, f"no JSON form for {hint}"
    return _list_of(_converter(get_args(hint)[0]))


def parameters_of(method: Callable[..., object], skip: int) -> tuple[Parameter, ...]:
    """The parameters of a bound method, without the first `skip`."""
    hints = get_type_hints(method)
    found: list[Parameter] = []
    for name, parameter in list(inspect.signature(method).parameters.items())[skip:]:
        is_required = parameter.default is inspect.Parameter.empty
        default = None if is_required else parameter.default
        found.append(Parameter(name, _converter(hints[name]), default, is_required))
    return tuple(found)


def bind(parameters: Sequence[Parameter], given: object) -> list[Any]:
    """Convert the `params` of a request: absent, null, a list or an object. Null means the default.

    Raises:
        RpcError: -32602 with the name of the parameter.
    """
    if given is None:
        values: list[object] = []
    elif isinstance(given, list):
        values = cast(list[object], given)
    elif isinstance(given, Mapping):
        named = cast(Mapping[str, object], given)
        values = [named.get(each.name, named.get(_camel(each.name))) for each in parameters]
    else:
        raise invalid_params("params must be a list or an object")
    if any(value is not None for value in values[len(parameters) :]):
        raise invalid_params(f"expected at most {len(parameters)} parameters, got {len(values)}")
    values = [*values[: len(parameters)], *[None] * (len(parameters) - len(values))]
    return [_bind_one(parameter, value) for parameter, value in zip(parameters, values, strict=True)]


def _bind_one(parameter: Parameter, value: object) -> Any:
    if value is None:
        if parameter.is_required:
            raise invalid_params(f"missing parameter `{parameter.name}`")
        return parameter.default
    try:
        return parameter.convert(value)
    except BadValue as error:
        raise invalid_params(f"`{parameter.name}`: {error}") from error


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
