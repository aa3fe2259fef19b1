"""The tables of an assembled runtime: pallets, storage entries, calls, events, errors, origins and runtime APIs."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec

from substrate.crypto.hashing import blake2_64, twox_128
from substrate.errors import ChainError
from substrate.runtime.declared import (
    DeclarationError,
    check_default,
    check_fields,
    declared_calls,
    hints_of,
    storage_parts,
)
from substrate.runtime.describe import encode_metadata
from substrate.runtime.origin import Origin, RawNone, RawOrigin, RawRoot, RawSigned
from substrate.runtime.outer_enums import OriginCaller, RuntimeCall, RuntimeEvent
from substrate.runtime.pallet import ApiSpec, CallSpec, Error, Event, Pallet
from substrate.runtime.storage import Declaration, Entry, camel_case
from substrate.runtime.version import RuntimeVersion
from substrate.scale.codec import Codec, Codecs
from substrate.scale.types import Placeholder, Struct, make_enum, make_struct, u32
from substrate.state import Overlay
from substrate.trie.trie import Trie

if TYPE_CHECKING:
    from substrate.runtime.assembly import Runtime


W = TypeVar("W", bound=Placeholder)


class Mount:
    """A pallet's place in a runtime class; yields the instance on a runtime instance."""

    def __init__(self, index: int, name: str | None, settings: dict[str, Any]) -> None:
        self.index = index
        self.name = name
        self.settings = settings
        self.attribute = ""

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.attribute = attribute

    def __get__(self, instance: "Runtime | None", owner: type["Runtime"]) -> Any:
        if instance is None:
            return self
        mounted = owner.assembly().mounts[self.attribute]
        pallet = mounted.kind(instance, self.attribute, mounted.settings)
        instance.__dict__[self.attribute] = pallet
        return pallet


class ApiError(ChainError):
    """A runtime API that the runtime does not offer."""


class Mounted(msgspec.Struct, frozen=True):
    """A pallet's place in a runtime."""

    attribute: str
    name: str
    index: int
    kind: type[Pallet]
    settings: Mapping[str, Any]


class CallEntry(NamedTuple):
    """How a call value is dispatched."""

    attribute: str
    method: str
    fields: tuple[str, ...]
    check: Callable[[Origin], Any]
    spec: CallSpec

    def arguments(self, value: Struct) -> tuple[Any, ...]:
        """The call's arguments, in order."""
        return tuple(getattr(value, field) for field in self.fields)


class ApiEntry(NamedTuple):
    """How a runtime API is called; `attribute` is None for one on the runtime class."""

    attribute: str | None
    method: str
    arguments: tuple[Codec[Any], ...]
    result: Codec[Any]
    spec: ApiSpec
    parameters: tuple[tuple[str, Any], ...]
    """Names and hints."""
    output: Any
    """The hint of the result."""

    def decode_arguments(self, data: bytes) -> tuple[Any, ...]:
        """Read the concatenated arguments.

        Raises:
            DecodeError: Too few or too many bytes, or an argument does not decode.
        """
        values: list[Any] = []
        offset = 0
        for codec in self.arguments[:-1]:
            value, offset = codec.decode_from(data, offset)
            values.append(value)
        if self.arguments:
            values.append(self.arguments[-1].decode(data[offset:]))
        elif data:
            raise ApiError(f"{self.spec.name} takes no arguments, got {len(data)} bytes")
        return tuple(values)


def storage_prefix(pallet: str, item: str) -> bytes:
    """`twox128(pallet) ++ twox128(item)`."""
    return twox_128(pallet.encode()) + twox_128(item.encode())


class Assembly:
    """Everything that follows from a runtime class, computed once."""

    def __init__(self, runtime: type["Runtime"]) -> None:
        self.runtime = runtime
        self.mounts = {mounted.attribute: mounted for mounted in _mounts(runtime)}
        self._attributes: dict[type[Pallet], str | None] = {}
        self._calls: dict[type[Struct], CallEntry] = {}
        self._call_types: dict[str, tuple[type[RuntimeCall], type[Struct]]] = {}
        self._methods: dict[Callable[..., Any], list[str]] = {}
        self._events: dict[str, type[RuntimeEvent]] = {}
        self._errors: dict[type[Error], int] = {}
        self._origins: dict[type[Struct], type[OriginCaller]] = {}
        self.call_hints: dict[str, Any] = {}
        self.event_hints: dict[str, Any] = {}
        self.codecs = Codecs(self._bindings())
        self._entries = dict(self._storage())
        self._apis = {entry.spec.name: entry for entry in self._runtime_apis()}
        self.version = self._version()
        self.number_entry = Entry(storage_prefix("System", "Number"), (), self.codecs.of(u32), 0)
        self._metadata: dict[int, bytes] = {}

    # --- pallets and storage ---

    def attribute_of(self, kind: type[Pallet]) -> str | None:
        """Where a pallet of that class (exactly, or else a subclass) is mounted."""
        if kind not in self._attributes:
            exact = [m.attribute for m in self.mounts.values() if m.kind is kind]
            below = [m.attribute for m in self.mounts.values() if issubclass(m.kind, kind)]
            self._attributes[kind] = next(iter(exact + below), None)
        return self._attributes[kind]

    def entry(self, attribute: str, item: str) -> Entry:
        """Where a storage item lives."""
        return self._entries[attribute, item]

    def storage_of(self, attribute: str) -> Iterator[tuple[Declaration, tuple[Any, ...], Any, bool]]:
        """A pallet's storage items: declaration, key hints, value hint, whether it is optional."""
        kind = self.mounts[attribute].kind
        hints = hints_of(kind, kind.__name__)
        for item, declaration in kind.declarations.items():
            *keys, value = storage_parts(kind, declaration, hints.get(item))
            plain = [part for part in get_args(value) if part is not type(None)]
            optional = declaration.optional
            if optional and not keys and len(plain) < len(get_args(value)):
                value = plain[0] if len(plain) == 1 else _union(plain)
            yield declaration, tuple(keys), value, optional

    def _storage(self) -> Iterator[tuple[tuple[str, str], Entry]]:
        for attribute, mounted in self.mounts.items():
            for declaration, keys, value, _ in self.storage_of(attribute):
                codecs = tuple(
                    (hasher, self.codecs.of(hint)) for hasher, hint in zip(declaration.hashers, keys, strict=True)
                )
                prefix, codec = storage_prefix(mounted.name, declaration.name or ""), self.codecs.of(value)
                check_default(f"{mounted.kind.__name__}.{declaration.attribute}", declaration, codec)
                yield (attribute, declaration.attribute), Entry(prefix, codecs, codec, declaration.default)

    # --- calls, events, errors, origins ---

    def _bindings(self) -> dict[type[Placeholder], Any]:
        calls = [self._bind_calls(mounted) for mounted in self.mounts.values()]
        events = [self._bind_events(mounted) for mounted in self.mounts.values()]
        for mounted in self.mounts.values():
            self._errors.update(dict.fromkeys(mounted.kind.errors.values(), mounted.index))
        crate = self.runtime.crate
        return {
            RuntimeCall: make_enum(f"{crate}::RuntimeCall", [kind for kind in calls if kind is not None]),
            RuntimeEvent: make_enum(f"{crate}::RuntimeEvent", [kind for kind in events if kind is not None]),
            OriginCaller: make_enum(f"{crate}::OriginCaller", list(self._bind_origins())),
        }

    def _bind_calls(self, mounted: Mounted) -> type[RuntimeCall] | None:
        kinds: list[type[Struct]] = []
        for method, spec, check, fields in declared_calls(mounted.kind):
            name = spec.name or method
            kind = make_struct(name, fields, index=spec.index)
            names = tuple(field for field, _ in fields)
            self._calls[kind] = CallEntry(mounted.attribute, method, names, check, spec)
            self._methods.setdefault(getattr(mounted.kind, method), []).append(f"{mounted.name}.{name}")
            kinds.append(kind)
        if not kinds:
            return None
        self.call_hints[mounted.attribute] = make_enum(f"{crate_of(mounted)}::pallet::Call", kinds)
        wrapper = _wrapper(RuntimeCall, mounted.name, mounted.index, self.call_hints[mounted.attribute])
        for kind in kinds:
            self._call_types[f"{mounted.name}.{kind.__name__}"] = wrapper, kind
        return wrapper

    def _bind_events(self, mounted: Mounted) -> type[RuntimeEvent] | None:
        if not mounted.kind.events:
            return None
        for name, event in mounted.kind.events.items():
            check_fields(f"{mounted.kind.__name__}.{name}", event)
        hint = make_enum(f"{crate_of(mounted)}::pallet::Event", list(mounted.kind.events.values()))
        self.event_hints[mounted.attribute] = hint
        wrapper = _wrapper(RuntimeEvent, mounted.name, mounted.index, hint)
        self._events[mounted.attribute] = wrapper
        return wrapper

    def _bind_origins(self) -> Iterator[type[OriginCaller]]:
        for mounted in self.mounts.values():
            if mounted.attribute == "system":
                kinds: tuple[type[Struct], ...] = (RawRoot, RawSigned, RawNone)
                hint: Any = RawOrigin
            elif mounted.kind.origins:
                kinds = mounted.kind.origins
                hint = make_enum(f"{crate_of(mounted)}::pallet::Origin", list(kinds))
            else:
                continue
            name = mounted.attribute if mounted.attribute == "system" else mounted.name
            wrapper = _wrapper(OriginCaller, name, mounted.index, hint)
            for kind in kinds:
                self._origins[kind] = wrapper
            yield wrapper

    def make_call(self, method: Callable[..., Any], args: Mapping[str, Any]) -> RuntimeCall:
        """A call value of a pallet's method. Raises a ChainError where several pallets share the method."""
        name, *others = self._methods[method]
        if others:
            choices = " or ".join(f'call_named("{each}", ...)' for each in (name, *others))
            raise ChainError(f"{method.__qualname__} is a call of several pallets; write {choices}")
        return self.make_call_named(name, args)

    def make_call_named(self, name: str, args: Mapping[str, Any]) -> RuntimeCall:
        """A call value by `Pallet.call`."""
        if name not in self._call_types:
            raise ChainError(
                f"{self.runtime.__name__} has no call {name}; it has {', '.join(sorted(self._call_types))}"
            )
        wrapper, kind = self._call_types[name]
        return cast(Any, wrapper)(value=kind(**args))

    def resolve(self, call: RuntimeCall) -> tuple[CallEntry, Struct]:
        """How a call value is dispatched, and the pallet's call in it."""
        value = cast("Struct", cast(Any, call).value)
        return self._calls[type(value)], value

    def wrap_event(self, attribute: str, event: Event) -> RuntimeEvent:
        """A pallet's event as the runtime's."""
        return cast(Any, self._events[attribute])(value=event)

    def wrap_origin(self, origin: Origin) -> OriginCaller:
        """An origin as the runtime's `OriginCaller`."""
        return cast(Any, self._origins[type(origin)])(value=origin)

    def pallet_of_error(self, kind: type[Error]) -> int:
        """Index of the pallet that declares an error."""
        return self._errors[kind]

    # --- runtime APIs, version, metadata ---

    def api(self, name: str) -> ApiEntry:
        """The entry of a runtime API.

        Raises:
            ApiError: There is none of that name.
        """
        if name not in self._apis:
            raise ApiError(f"the runtime offers no API {name}")
        return self._apis[name]

    def apis(self) -> tuple[ApiEntry, ...]:
        """Every runtime API, those of the runtime class first, then by pallet."""
        return tuple(self._apis.values())

    def _runtime_apis(self) -> Iterator[ApiEntry]:
        owners: list[tuple[str | None, type]] = [(None, self.runtime)]
        owners += [(mounted.attribute, mounted.kind) for mounted in self.mounts.values()]
        for attribute, owner in owners:
            for name in dir(owner):
                spec = getattr(inspect.getattr_static(owner, name), "__api_spec__", None)
                if isinstance(spec, ApiSpec):
                    hints = get_type_hints(getattr(owner, name), include_extras=True)
                    output = hints.pop("return")
                    arguments = tuple(self.codecs.of(hint) for hint in hints.values())
                    result = self.codecs.of(output)
                    yield ApiEntry(attribute, name, arguments, result, spec, tuple(hints.items()), output)

    def _version(self) -> RuntimeVersion:
        traits = {entry.spec.name.partition("_")[0]: entry.spec.version for entry in self._apis.values()}
        apis = tuple((blake2_64(trait.encode()), version) for trait, version in sorted(traits.items()))
        version = self.runtime.version
        return RuntimeVersion(
            version.spec_name,
            version.impl_name,
            version.authoring_version,
            version.spec_version,
            version.impl_version,
            apis,
            version.transaction_version,
            version.system_version,
        )

    def detached(self) -> "Runtime":
        """An instance over an empty state: for reading constants."""
        return self.runtime(Overlay(Trie.empty()))

    def metadata(self, version: int) -> bytes:
        """Metadata (`meta`, version, ...) in a version on offer, encoded once."""
        if version not in self._metadata:
            self._metadata[version] = encode_metadata(self, version)
        return self._metadata[version]


def _wrapper(base: type[W], name: str, index: int, hint: Any) -> type[W]:
    return cast("type[W]", make_struct(name, [("value", hint)], bases=(base,), index=index, unnamed=True))


def crate_of(mounted: Mounted) -> str:
    """The Rust crate in a pallet's type paths."""
    return mounted.kind.crate or f"pallet_{mounted.attribute}"


def _union(parts: list[Any]) -> Any:
    joined = parts[0]
    for part in parts[1:]:
        joined = joined | part
    return joined


def _mounts(runtime: type["Runtime"]) -> list[Mounted]:
    hints = get_type_hints(runtime, include_extras=True)
    found: dict[str, Mount] = {}
    for base in reversed(runtime.__mro__):
        found.update({name: item for name, item in vars(base).items() if isinstance(item, Mount)})
    mounts = [
        Mounted(name, item.name or camel_case(name), item.index, get_origin(hints[name]) or hints[name], item.settings)
        for name, item in found.items()
    ]
    mounts.sort(key=lambda mounted: mounted.index)
    for one, other in pairwise(mounts):
        if one.index == other.index:
            raise DeclarationError(
                f"{runtime.__name__} mounts {one.name} and {other.name} at one index, {one.index}; "
                f"give one of them another, such as {mounts[-1].index + 1}"
            )
    return mounts
