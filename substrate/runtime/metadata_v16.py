"""Metadata V16: V15 with API versions, extensions by extrinsic version, and what is deprecated (nothing here).

Source: paritytech/frame-metadata, `frame-metadata/src/v16.rs`.
"""

from substrate.runtime.metadata import (
    EXTRINSIC_VERSION,
    Constant,
    Extension,
    Pallet14,
    PalletDescription,
    RuntimeDescription,
    StorageEntry,
    extensions_of,
    pallet_v14,
    prefixed,
)
from substrate.runtime.metadata_v15 import Method, OuterEnums, methods_of, outer_enums
from substrate.scale.codec import codec_of
from substrate.scale.registry import Registry, TypeId
from substrate.scale.types import Compact, Struct, u8, u32

NOT_DEPRECATED = 0
"""Says so of an item, and is the empty map of an enum's deprecated variants."""


class _StorageEntry(Struct):
    entry: StorageEntry
    deprecation: u8


class _Storage(Struct):
    prefix: str
    entries: tuple[_StorageEntry, ...]


class _Enum(Struct):
    type: TypeId
    deprecation: u8


class _Constant(Struct):
    constant: Constant
    deprecation: u8


class _Pallet(Struct):
    name: str
    storage: _Storage | None
    calls: _Enum | None
    event: _Enum | None
    constants: tuple[_Constant, ...]
    error: _Enum | None
    associated_types: tuple[str, ...]
    view_functions: tuple[str, ...]
    index: u8
    docs: tuple[str, ...]
    deprecation: u8


EXTENSION_VERSION = 0
"""The one set of extensions; extrinsics of version 4 carry it, and name no version of it."""


class _Extrinsic(Struct):
    versions: tuple[u8, ...]
    address: TypeId
    call: TypeId
    signature: TypeId
    by_version: tuple[tuple[u8, tuple[Compact[u32], ...]], ...]
    """Places of the extensions in each version of the set of extensions, which is no extrinsic version."""
    extensions: tuple[Extension, ...]


class _Method(Struct):
    method: Method
    deprecation: u8


class _Api(Struct):
    name: str
    methods: tuple[_Method, ...]
    docs: tuple[str, ...]
    version: Compact[u32]
    deprecation: u8


class _Tail(Struct):
    pallets: tuple[_Pallet, ...]
    extrinsic: _Extrinsic
    apis: tuple[_Api, ...]
    outer: OuterEnums
    custom: tuple[tuple[str, TypeId, bytes], ...]


def metadata_v16(registry: Registry, described: RuntimeDescription) -> bytes:
    """Metadata V16; the registry, fresh for each build, takes up every type that is named."""
    pallets = tuple(_pallet(registry, pallet) for pallet in described.pallets)
    apis = tuple(
        _Api(
            api.name,
            tuple(_Method(method, NOT_DEPRECATED) for method in methods_of(registry, api)),
            (),
            api.version,
            NOT_DEPRECATED,
        )
        for api in described.apis
    )
    tail = _Tail(pallets, _extrinsic(registry, described), apis, outer_enums(registry, described), ())
    for hint in (described.extrinsic.hint, described.runtime, *described.extra_types):
        registry.type_id(hint)
    return prefixed(16, registry, codec_of(_Tail).encode(tail))


def _extrinsic(registry: Registry, described: RuntimeDescription) -> _Extrinsic:
    parts = described.extrinsic
    address, call, signature = map(registry.type_id, (parts.address, parts.call, parts.signature))
    places = tuple(range(len(parts.extensions)))
    extensions = extensions_of(registry, parts)
    return _Extrinsic((EXTRINSIC_VERSION,), address, call, signature, ((EXTENSION_VERSION, places),), extensions)


def _pallet(registry: Registry, pallet: PalletDescription) -> _Pallet:
    old = pallet_v14(registry, pallet)
    return _Pallet(
        name=old.name,
        storage=_storage(old),
        calls=_enum(old.calls),
        event=_enum(old.event),
        constants=tuple(_Constant(constant, NOT_DEPRECATED) for constant in old.constants),
        error=_enum(old.error),
        associated_types=(),
        view_functions=(),
        index=old.index,
        docs=(),
        deprecation=NOT_DEPRECATED,
    )


def _storage(old: Pallet14) -> _Storage | None:
    if old.storage is None:
        return None
    return _Storage(old.storage.prefix, tuple(_StorageEntry(entry, NOT_DEPRECATED) for entry in old.storage.entries))


def _enum(kind: int | None) -> _Enum | None:
    return None if kind is None else _Enum(kind, NOT_DEPRECATED)
