"""Metadata V15: V14 with runtime APIs, the parts of an extrinsic, and the outer enums.

Source: paritytech/frame-metadata, `frame-metadata/src/v15.rs`.
"""

from substrate.runtime.metadata import (
    EXTRINSIC_VERSION,
    ApiDescription,
    Constant,
    Extension,
    PalletDescription,
    RuntimeDescription,
    Storage,
    extensions_of,
    pallet_v14,
    prefixed,
)
from substrate.scale.codec import codec_of
from substrate.scale.registry import Registry, TypeId
from substrate.scale.types import Struct, u8


class _Pallet(Struct):
    name: str
    storage: Storage | None
    calls: TypeId | None
    event: TypeId | None
    constants: tuple[Constant, ...]
    error: TypeId | None
    index: u8
    docs: tuple[str, ...]


class _Extrinsic(Struct):
    version: u8
    address: TypeId
    call: TypeId
    signature: TypeId
    extra: TypeId
    extensions: tuple[Extension, ...]


class Parameter(Struct):
    """A parameter of an API's method on the wire."""

    name: str
    type: TypeId


class Method(Struct):
    """A method of a runtime API on the wire."""

    name: str
    inputs: tuple[Parameter, ...]
    output: TypeId
    docs: tuple[str, ...]


class _Api(Struct):
    name: str
    methods: tuple[Method, ...]
    docs: tuple[str, ...]


class OuterEnums(Struct):
    """The types of the runtime's call, event and error enums."""

    call: TypeId
    event: TypeId
    error: TypeId


class _Tail(Struct):
    pallets: tuple[_Pallet, ...]
    extrinsic: _Extrinsic
    type: TypeId
    apis: tuple[_Api, ...]
    outer: OuterEnums
    custom: tuple[tuple[str, TypeId, bytes], ...]


def metadata_v15(registry: Registry, described: RuntimeDescription) -> bytes:
    """Metadata V15; the registry, fresh for each build, takes up every type that is named."""
    pallets = tuple(_pallet(registry, pallet) for pallet in described.pallets)
    parts = described.extrinsic
    address, call, signature, extra = map(registry.type_id, (parts.address, parts.call, parts.signature, parts.extra))
    extrinsic = _Extrinsic(EXTRINSIC_VERSION, address, call, signature, extra, extensions_of(registry, parts))
    runtime = registry.type_id(described.runtime)
    apis = tuple(_Api(api.name, methods_of(registry, api), ()) for api in described.apis)
    tail = _Tail(pallets, extrinsic, runtime, apis, outer_enums(registry, described), ())
    for hint in (parts.hint, *described.extra_types):  # polkadot-js looks for the extrinsic type itself
        registry.type_id(hint)
    return prefixed(15, registry, codec_of(_Tail).encode(tail))


def _pallet(registry: Registry, pallet: PalletDescription) -> _Pallet:
    old = pallet_v14(registry, pallet)
    return _Pallet(old.name, old.storage, old.calls, old.event, old.constants, old.error, old.index, ())


def methods_of(registry: Registry, api: ApiDescription) -> tuple[Method, ...]:
    """A runtime API's methods with their types taken up."""
    return tuple(
        Method(
            method.name,
            tuple(Parameter(name, registry.type_id(hint)) for name, hint in method.inputs),
            registry.type_id(method.output),
            (),
        )
        for method in api.methods
    )


def outer_enums(registry: Registry, described: RuntimeDescription) -> OuterEnums:
    """The outer enums with their types taken up."""
    hints = described.extrinsic.call, described.event, described.error
    return OuterEnums(*map(registry.type_id, hints))
