"""An assembled runtime as metadata: pallets, signed extensions, extrinsic."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_type_hints

from substrate.crypto.multi import MultiAddress, MultiSignature
from substrate.runtime.metadata import (
    ApiDescription,
    ConstantDescription,
    ExtensionDescription,
    ExtrinsicDescription,
    MethodDescription,
    Modifier,
    PalletDescription,
    RuntimeDescription,
    StorageDescription,
    metadata_v14,
)
from substrate.runtime.metadata_v15 import metadata_v15
from substrate.runtime.metadata_v16 import metadata_v16
from substrate.runtime.outer_enums import OriginCaller, RuntimeCall, RuntimeEvent
from substrate.runtime.pallet import Setting
from substrate.runtime.storage import MISSING
from substrate.scale.registry import Registry
from substrate.scale.types import Compact, Fixed, Hint, Struct, make_enum, make_struct, u8, u32, variant
from substrate.types import Balance, Hash, Nonce

if TYPE_CHECKING:
    from substrate.runtime.assembly import Runtime
    from substrate.runtime.tables import Assembly, Mounted


@variant(0)
class Immortal(Struct):
    """The one variant of `Era` shown: clients special-case the type, and 256 variants would cost them 30 ms."""


def _extension(name: str, module: str, fields: tuple[Hint, ...] = ()) -> type[Struct]:
    named = [(f"_{place}", hint) for place, hint in enumerate(fields)]
    return make_struct(name, named, path=f"{module}::{name}", unnamed=True)


ERA = make_enum("sp_runtime::generic::era::Era", [Immortal])
Option32: TypeAlias = Annotated[bytes, Fixed(32)] | None
_SYSTEM = "frame_system::extensions"
_MODE = make_enum(
    "frame_metadata_hash_extension::Mode",
    [make_struct("Disabled", [], index=0), make_struct("Enabled", [], index=1)],
)
EXTENSIONS: tuple[tuple[type[Struct], Any], ...] = (
    (_extension("CheckNonZeroSender", f"{_SYSTEM}::check_non_zero_sender"), tuple[()]),
    (_extension("CheckSpecVersion", f"{_SYSTEM}::check_spec_version"), u32),
    (_extension("CheckTxVersion", f"{_SYSTEM}::check_tx_version"), u32),
    (_extension("CheckGenesis", f"{_SYSTEM}::check_genesis"), Hash),
    (_extension("CheckMortality", f"{_SYSTEM}::check_mortality", (ERA,)), Hash),
    (_extension("CheckNonce", f"{_SYSTEM}::check_nonce", (Compact[Nonce],)), tuple[()]),
    (_extension("CheckWeight", f"{_SYSTEM}::check_weight"), tuple[()]),
    (_extension("ChargeTransactionPayment", "pallet_transaction_payment", (Compact[Balance],)), tuple[()]),
    (
        make_struct("CheckMetadataHash", [("mode", _MODE)], path="frame_metadata_hash_extension::CheckMetadataHash"),
        Option32,
    ),
)
"""The signed extensions, each with what it adds to the signed payload."""


ENCODERS = {14: metadata_v14, 15: metadata_v15, 16: metadata_v16}
"""Metadata versions on offer."""


def encode_metadata(assembly: "Assembly", version: int) -> bytes:
    """The metadata of a runtime in one of the versions on offer."""
    return ENCODERS[version](Registry(assembly.codecs), _describe(assembly))


def _describe(assembly: "Assembly") -> RuntimeDescription:
    mounts, crate = assembly.mounts.values(), assembly.runtime.crate
    errors = {mounted.attribute: _error(mounted) for mounted in mounts if mounted.kind.errors}
    cases = [
        make_struct(each.name, [("value", errors[each.attribute])], index=each.index, unnamed=True)
        for each in mounts
        if each.attribute in errors
    ]
    return RuntimeDescription(
        pallets=tuple(_pallet(assembly, mounted, errors.get(mounted.attribute)) for mounted in mounts),
        extrinsic=ExtrinsicDescription(
            address=MultiAddress,
            call=RuntimeCall,
            signature=MultiSignature,
            extra=tuple[tuple(kind for kind, _ in EXTENSIONS)],  # pyright: ignore[reportInvalidTypeArguments]  # a hint made at run time
            extensions=tuple(ExtensionDescription(kind.__name__, kind, extra) for kind, extra in EXTENSIONS),
        ),
        runtime=make_struct("Runtime", [], path=f"{crate}::Runtime"),
        extra_types=(RuntimeEvent, OriginCaller, u8),
        apis=tuple(_apis(assembly)),
        event=RuntimeEvent,
        error=make_enum(f"{crate}::RuntimeError", cases),
    )


def _apis(assembly: "Assembly") -> Iterator[ApiDescription]:
    methods: dict[tuple[str, int], list[MethodDescription]] = {}
    for entry in assembly.apis():
        trait, _, name = entry.spec.name.partition("_")
        method = MethodDescription(name, entry.parameters, entry.output)
        methods.setdefault((trait, entry.spec.version), []).append(method)
    for (trait, version), described in sorted(methods.items(), key=lambda item: item[0]):
        yield ApiDescription(trait, version, tuple(described))


def _error(mounted: "Mounted") -> Hint:
    from substrate.runtime.tables import crate_of

    cases = {kind.index: make_struct(name, kind.fields, index=kind.index) for name, kind in mounted.kind.errors.items()}
    # substrate-interface finds an error by its place in the list, so the list has no gaps.
    for index in range(max(cases)):
        cases.setdefault(index, make_struct(f"Unused{index}", [], index=index))
    return make_enum(f"{crate_of(mounted)}::pallet::Error", [cases[index] for index in sorted(cases)])


def _pallet(assembly: "Assembly", mounted: "Mounted", error: Hint | None) -> PalletDescription:
    return PalletDescription(
        name=mounted.name,
        index=mounted.index,
        storage=tuple(_storage(assembly, mounted)),
        calls=assembly.call_hints.get(mounted.attribute),
        event=assembly.event_hints.get(mounted.attribute),
        error=error,
        constants=tuple(_constants(assembly, mounted)),
    )


def _storage(assembly: "Assembly", mounted: "Mounted") -> Iterator[StorageDescription]:
    for declaration, keys, value, optional in assembly.storage_of(mounted.attribute):
        codec = assembly.codecs.of(value)
        default = b"\0" if declaration.default is MISSING else codec.encode(declaration.default)
        key: Any = None
        if keys:
            key = keys[0] if len(keys) == 1 else tuple[keys]  # pyright: ignore[reportInvalidTypeArguments]  # a hint made at run time
        modifier = Modifier.OPTIONAL if optional else Modifier.DEFAULT
        yield StorageDescription(declaration.name or "", modifier, value, default, declaration.hashers, key)


def _constants(assembly: "Assembly", mounted: "Mounted") -> Iterator[ConstantDescription]:
    hints = get_type_hints(mounted.kind, include_extras=True)
    runtime: Runtime = assembly.detached()
    pallet = getattr(runtime, mounted.attribute)
    for name in dict.fromkeys(name for base in reversed(mounted.kind.__mro__) for name in vars(base)):
        setting = vars(mounted.kind).get(name) or getattr(mounted.kind, name, None)
        if isinstance(setting, Setting) and setting.in_metadata:
            value = assembly.codecs.of(hints[name]).encode(getattr(pallet, name))
            yield ConstantDescription(setting.name or "", hints[name], value)
