"""What clients must know of a runtime, as plain descriptions, and metadata V14 of it.

Source: paritytech/frame-metadata, `frame-metadata/src/v14.rs`.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from substrate.runtime.hashers import Hasher
from substrate.scale.codec import codec_of
from substrate.scale.registry import Registry, TypeId
from substrate.scale.types import Hint, Struct, make_struct, u8, variant

MAGIC = b"meta"
EXTRINSIC_VERSION = 4


class Modifier(IntEnum):
    """What reading an absent key gives."""

    OPTIONAL = 0
    DEFAULT = 1


@dataclass(frozen=True)
class StorageDescription:
    """A storage item; a map when it has hashers, whose `key` is then a tuple hint for several of them."""

    name: str
    modifier: Modifier
    value: Hint
    default: bytes
    hashers: tuple[Hasher, ...] = ()
    key: Hint = None


@dataclass(frozen=True)
class ConstantDescription:
    """A constant and its encoded value."""

    name: str
    hint: Hint
    value: bytes


@dataclass(frozen=True)
class PalletDescription:
    """A mounted pallet; `calls`, `event` and `error` are hints of its enums."""

    name: str
    index: int
    storage: tuple[StorageDescription, ...] = ()
    calls: Hint | None = None
    event: Hint | None = None
    error: Hint | None = None
    constants: tuple[ConstantDescription, ...] = ()
    prefix: str = ""
    """Storage prefix, default the name."""


@dataclass(frozen=True)
class ExtensionDescription:
    """A signed extension: what it adds to the extrinsic, and to the signed payload alone."""

    identifier: str
    hint: Hint
    additional: Hint


@dataclass(frozen=True)
class ExtrinsicDescription:
    """What a signed extrinsic is made of; the extensions in wire order."""

    address: Hint
    call: Hint
    signature: Hint
    extra: Hint
    extensions: tuple[ExtensionDescription, ...] = ()

    @property
    def hint(self) -> Hint:
        """The opaque extrinsic type by whose parameters V14 clients find address, call and signature."""
        parts = {"Address": self.address, "Call": self.call, "Signature": self.signature, "Extra": self.extra}
        return make_struct(
            "UncheckedExtrinsic",
            [("data", bytes)],
            unnamed=True,
            path="sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic",
            params=tuple(parts.items()),
        )


@dataclass(frozen=True)
class MethodDescription:
    """A method of a runtime API."""

    name: str
    inputs: tuple[tuple[str, Hint], ...]
    output: Hint


@dataclass(frozen=True)
class ApiDescription:
    """A runtime API trait."""

    name: str
    version: int
    methods: tuple[MethodDescription, ...]


@dataclass(frozen=True)
class RuntimeDescription:
    """A whole runtime."""

    pallets: tuple[PalletDescription, ...]
    """In the order to list them."""
    extrinsic: ExtrinsicDescription
    runtime: Hint
    """The runtime's own type."""
    extra_types: tuple[Hint, ...] = ()
    """Further types that clients ask for."""
    apis: tuple[ApiDescription, ...] = ()
    event: Hint = ()
    """The outer event enum."""
    error: Hint = ()
    """The outer error enum."""


@variant(0, unnamed=True)
class _Plain(Struct):
    value: TypeId


@variant(1)
class _Map(Struct):
    hashers: tuple[Hasher, ...]
    key: TypeId
    value: TypeId


_StorageType: TypeAlias = _Plain | _Map


class StorageEntry(Struct):
    """A storage item on the wire."""

    name: str
    modifier: Modifier
    type: _StorageType
    default: bytes
    docs: tuple[str, ...]


class Storage(Struct):
    """A pallet's storage on the wire."""

    prefix: str
    entries: tuple[StorageEntry, ...]


class Constant(Struct):
    """A constant on the wire."""

    name: str
    type: TypeId
    value: bytes
    docs: tuple[str, ...]


class Pallet14(Struct):
    """A pallet on the wire."""

    name: str
    storage: Storage | None
    calls: TypeId | None
    event: TypeId | None
    constants: tuple[Constant, ...]
    error: TypeId | None
    index: u8


class Extension(Struct):
    """A signed extension on the wire."""

    identifier: str
    type: TypeId
    additional: TypeId


class _Extrinsic(Struct):
    type: TypeId
    version: u8
    extensions: tuple[Extension, ...]


class _Tail(Struct):
    pallets: tuple[Pallet14, ...]
    extrinsic: _Extrinsic
    type: TypeId


def metadata_v14(registry: Registry, described: RuntimeDescription) -> bytes:
    """Metadata V14; the registry, fresh for each build, takes up every type that is named."""
    pallets = tuple(pallet_v14(registry, pallet) for pallet in described.pallets)
    extensions = extensions_of(registry, described.extrinsic)
    extrinsic = _Extrinsic(registry.type_id(described.extrinsic.hint), EXTRINSIC_VERSION, extensions)
    tail = _Tail(pallets, extrinsic, registry.type_id(described.runtime))
    for hint in described.extra_types:
        registry.type_id(hint)
    return prefixed(14, registry, codec_of(_Tail).encode(tail))


def prefixed(version: int, registry: Registry, tail: bytes) -> bytes:
    """Magic, version and types before the rest."""
    return MAGIC + bytes([version]) + registry.encode() + tail


def pallet_v14(registry: Registry, pallet: PalletDescription) -> Pallet14:
    """A pallet with its types taken up."""

    def known(hint: Hint | None) -> int | None:
        return None if hint is None else registry.type_id(hint)

    entries = tuple(_entry(registry, item) for item in pallet.storage)
    constants = tuple(Constant(c.name, registry.type_id(c.hint), c.value, ()) for c in pallet.constants)
    return Pallet14(
        name=pallet.name,
        storage=Storage(pallet.prefix or pallet.name, entries) if entries else None,
        calls=known(pallet.calls),
        event=known(pallet.event),
        constants=constants,
        error=known(pallet.error),
        index=pallet.index,
    )


def _entry(registry: Registry, item: StorageDescription) -> StorageEntry:
    value = registry.type_id(item.value)
    kind = _Map(item.hashers, registry.type_id(item.key), value) if item.hashers else _Plain(value)
    return StorageEntry(item.name, item.modifier, kind, item.default, ())


def extensions_of(registry: Registry, extrinsic: ExtrinsicDescription) -> tuple[Extension, ...]:
    """The signed extensions with their types taken up."""
    return tuple(
        Extension(each.identifier, registry.type_id(each.hint), registry.type_id(each.additional))
        for each in extrinsic.extensions
    )
