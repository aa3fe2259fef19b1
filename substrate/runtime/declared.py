"""Reading what a pallet class declares. Where a declaration does not stand, the error names it and what would."""

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_origin, get_type_hints

from substrate.errors import ChainError, EncodeError, HintError
from substrate.runtime.origin import EnsureOrigin, Origin
from substrate.scale.codec import Codec
from substrate.scale.hints import shape_of, spoken
from substrate.scale.types import Struct

if TYPE_CHECKING:
    from substrate.runtime.pallet import CallSpec, Pallet
    from substrate.runtime.storage import Declaration

WIRE_FORMS = "u8 to u128, Balance, bool, bytes, str, T | None, tuple[T, ...], Mapping[K, V] or a Struct"


class DeclarationError(ChainError):
    """A declaration that does not stand."""


class CallDeclaration(NamedTuple):
    """A call as its method declares it."""

    method: str
    spec: "CallSpec"
    check: Callable[[Origin], Any]
    fields: tuple[tuple[str, Any], ...]
    """Names and hints of the arguments."""


def check_wire(place: str, hint: Any) -> None:
    """Refuse an annotation that no client could write.

    Raises:
        DeclarationError: It has no wire form.
    """
    try:
        shape_of(hint)
    except HintError as failure:
        raise DeclarationError(f"{place}: {failure}; take {WIRE_FORMS}") from failure


def hints_of(kind: Any, place: str) -> dict[str, Any]:
    """The annotations of a class or method.

    Raises:
        DeclarationError: One names what is not there.
    """
    try:
        return get_type_hints(kind, include_extras=True)
    except NameError as failure:
        raise DeclarationError(f"{place}: {failure}; import it, or define it in the module") from failure


def declared_calls(kind: "type[Pallet]") -> Iterator[CallDeclaration]:
    """The pallet's calls in declaration order, numbered.

    Raises:
        DeclarationError: One lacks its origin, or an argument its wire type.
    """
    names = [
        name for base in reversed(kind.__mro__) for name, item in vars(base).items() if hasattr(item, "__call_spec__")
    ]
    for place, name in enumerate(dict.fromkeys(names)):
        # A subclass that overrides a call need not repeat `@call`.
        specs = (getattr(vars(base).get(name), "__call_spec__", None) for base in kind.__mro__)
        spec: CallSpec = next(spec for spec in specs if spec is not None)
        yield _declared(kind, name, spec.numbered(place))


def _declared(kind: "type[Pallet]", name: str, spec: "CallSpec") -> CallDeclaration:
    place, method = f"{kind.__name__}.{name}", getattr(kind, name)
    parameters = list(inspect.signature(method).parameters.values())[1:]
    if not parameters:
        raise DeclarationError(f"{place}: it takes no origin; write `def {name}(self, origin: Signed)`")
    hints = {**hints_of(method, place), **kind.hints}
    origin, *arguments = parameters
    for argument in arguments:
        where = f"{place}({argument.name})"
        if argument.kind is not argument.POSITIONAL_OR_KEYWORD:
            raise DeclarationError(f"{where}: a call takes one by one what it takes; for several write tuple[T, ...]")
        if argument.name not in hints:
            raise DeclarationError(f"{where}: it has no type; write `{argument.name}: u32`, or take {WIRE_FORMS}")
        check_wire(where, hints[argument.name])
    check = _origin_check(f"{place}({origin.name})", hints.get(origin.name))
    return CallDeclaration(name, spec, check, tuple((each.name, hints[each.name]) for each in arguments))


def _origin_check(place: str, hint: Any) -> Callable[[Origin], Any]:
    """The check that a call's first parameter asks for."""
    for marker in get_args(hint)[1:]:
        if isinstance(marker, EnsureOrigin):
            return marker.check
    instead = "" if hint is None else f", not {spoken(hint)}"
    raise DeclarationError(
        f"{place}: a call's first parameter is its origin; annotate it Signed, Root, NoneOrigin or AnyOrigin{instead}"
    )


def storage_parts(kind: "type[Pallet]", declaration: "Declaration", hint: Any) -> tuple[Any, ...]:
    """The types in a storage item's annotation, keys first.

    Raises:
        DeclarationError: They are not what the item is made of, or have no wire form.
    """
    place, parts = f"{kind.__name__}.{declaration.attribute}", get_args(hint)
    if get_origin(hint) is not declaration.accessor or len(parts) != len(declaration.hashers) + 1:
        raise DeclarationError(f"{place}: annotate it {storage_form(declaration.accessor)}")
    for part in parts:
        check_wire(place, part)
    return parts


def storage_form(accessor: type) -> str:
    """How to annotate an item with that accessor."""
    parts = {"StorageValue": "T", "StorageMap": "K, V", "StorageDoubleMap": "K1, K2, V"}[accessor.__name__]
    return f"{accessor.__name__}[{parts}]"


def check_default(place: str, declaration: "Declaration", codec: Codec[Any]) -> None:
    """Refuse a default that its type cannot hold.

    Raises:
        DeclarationError: It cannot.
    """
    if declaration.optional:
        return
    try:
        codec.encode(declaration.default)
    except (ArithmeticError, AttributeError, EncodeError, LookupError, TypeError, ValueError) as failure:
        raise DeclarationError(f"{place}: its default {declaration.default!r} is not of its type") from failure


def check_fields(place: str, kind: type[Struct]) -> None:
    """Refuse a struct with a field that has no wire form.

    Raises:
        DeclarationError: The first one.
    """
    for name, hint in hints_of(kind, place).items():
        if name in kind.__struct_fields__:
            check_wire(f"{place}({name})", hint)
