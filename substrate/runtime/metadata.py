"""Metadata V14: what clients must know of a runtime, built from plain descriptions.

Source: paritytech/frame-metadata, `frame-metadata/src/v14.rs`.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

from substrate.runtime.hashers import Hasher
from substrate.scale.codec import codec_of
from substrate.scale.registry import Registry, TypeId
from substrate.scale.types import Hint, Struct, make_struct, u8, variant

MAGIC = b"meta"
VERSION = 14
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
    """The extrinsic type and its signed extensions in wire order."""

    hint: Hint
    extensions: tuple[ExtensionDescription, ...] = field(default=())


def unchecked_extrinsic(*, address: Hint, call: Hint, signature: Hint, extra: Hint) -> Hint:
    """The opaque extrinsic type by whose parameters clients find address, call and signature."""
    return make_struct(
        "UncheckedExtrinsic",
        [("data", bytes)],
        unnamed=True,
        path="sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic",
        params=(("Address", address), ("Call", call), ("Signature", signature), ("Extra", extra)),
    )


@variant(0, unnamed=True)
class _Plain(Struct):
    value: TypeId


@variant(1)
class _Map(Struct):
    hashers: tuple[Hasher, ...]
    key: TypeId
    value: TypeId


_StorageType: TypeAlias = _Plain | _Map


class _StorageEntry(Struct):
    name: str
    modifier: Modifier
    type: _StorageType
    default: bytes
    docs: tuple[str, ...]


class _Storage(Struct):
    prefix: str
    entries: tuple[_StorageEntry, ...]


class _Constant(Struct):
    name: str
    type: TypeId
    value: bytes
    docs: tuple[str, ...]


class _Pallet(Struct):
    name: str
    storage: _Storage | None
    calls: TypeId | None
    event: TypeId | None
    constants: tuple[_Constant, ...]
    error: TypeId | None
    index: u8


class _Extension(Struct):
    identifier: str
    type: TypeId
    additional: TypeId


class _Extrinsic(Struct):
    type: TypeId
    version: u8
    extensions: tuple[_Extension, ...]


class _Tail(Struct):
    """What follows the types."""

    pallets: tuple[_Pallet, ...]
    extrinsic: _Extrinsic
    type: TypeId


def metadata_v14(
    registry: Registry,
    pallets: tuple[PalletDescription, ...],
    extrinsic: ExtrinsicDescription,
    runtime: Hint,
    extra_types: tuple[Hint, ...] = (),
) -> bytes:
    """Build metadata: magic, version, types, pallets, extrinsic.

    Args:
        registry: Takes up every type that is named; fresh for each build.
        pallets: In the order to list them.
        extrinsic: See `unchecked_extrinsic`.
        runtime: Hint of the runtime's own type.
        extra_types: Further hints to register, such as types of runtime APIs.
    """
    tail = _Tail(
        tuple(_pallet(registry, pallet) for pallet in pallets),
        _extrinsic(registry, extrinsic),
        registry.type_id(runtime),
    )
    for hint in extra_types:
        registry.type_id(hint)
    return MAGIC + bytes([VERSION]) + registry.encode() + codec_of(_Tail).encode(tail)


def _pallet(registry: Registry, pallet: PalletDescription) -> _Pallet:
    def known(hint: Hint | None) -> int | None:
        return None if hint is None else registry.type_id(hint)

    entries = tuple(_entry(registry, item) for item in pallet.storage)
    constants = tuple(_Constant(c.name, registry.type_id(c.hint), c.value, ()) for c in pallet.constants)
    return _Pallet(
        name=pallet.name,
        storage=_Storage(pallet.prefix or pallet.name, entries) if entries else None,
        calls=known(pallet.calls),
        event=known(pallet.event),
        constants=constants,
        error=known(pallet.error),
        index=pallet.index,
    )


def _entry(registry: Registry, item: StorageDescription) -> _StorageEntry:
    value = registry.type_id(item.value)
    kind = _Map(item.hashers, registry.type_id(item.key), value) if item.hashers else _Plain(value)
    return _StorageEntry(item.name, item.modifier, kind, item.default, ())


def _extrinsic(registry: Registry, extrinsic: ExtrinsicDescription) -> _Extrinsic:
    extensions = tuple(
        _Extension(e.identifier, registry.type_id(e.hint), registry.type_id(e.additional)) for e in extrinsic.extensions
    )
    return _Extrinsic(registry.type_id(extrinsic.hint), EXTRINSIC_VERSION, extensions)
