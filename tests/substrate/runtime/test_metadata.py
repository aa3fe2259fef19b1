"""Metadata V14, judged by scalecodec."""

from typing import Annotated, Any, TypeAlias

from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from substrate.runtime.metadata import (
    ConstantDescription,
    ExtensionDescription,
    ExtrinsicDescription,
    Hasher,
    Modifier,
    PalletDescription,
    RuntimeDescription,
    StorageDescription,
    metadata_v14,
)
from substrate.scale.bits import BitVec
from substrate.scale.codec import Codecs
from substrate.scale.registry import Registry
from substrate.scale.types import (
    Compact,
    Custom,
    EnumOf,
    Fixed,
    MaxLen,
    Ok,
    Placeholder,
    Result,
    Struct,
    make_enum,
    make_struct,
    u8,
    u32,
    unit,
    variant,
)
from substrate.types import AccountId, Balance, Hash, Nonce, Weight


class RuntimeCall(Placeholder): ...


@variant(0, unnamed=True)
class Id(Struct):
    account: AccountId


@variant(1, unnamed=True)
class Index(Struct):
    index: Compact[unit]


@variant(0, unnamed=True)
class Ed25519(Struct):
    signature: Annotated[bytes, Fixed(64)]


@variant(1, unnamed=True)
class Sr25519(Struct):
    signature: Annotated[bytes, Fixed(64)]


@variant(0)
class Immortal(Struct): ...


MultiAddress: TypeAlias = Annotated[
    Id | Index,
    EnumOf("sp_runtime::multiaddress::MultiAddress", (("AccountId", AccountId), ("AccountIndex", unit))),
]
MultiSignature: TypeAlias = Annotated[Ed25519 | Sr25519, EnumOf("sp_runtime::MultiSignature")]
EraSeen = make_enum("sp_runtime::generic::era::Era", [Immortal])
Era: TypeAlias = Annotated[
    int, Custom(lambda era: bytes([era]), lambda data, offset: (data[offset], offset + 1), EraSeen)
]


class AccountInfo(Struct):
    nonce: Nonce
    from_: AccountId | None
    free: Compact[Balance]
    name: Annotated[bytes, MaxLen(8)]
    bits: BitVec
    outcome: Result[u8, str]


Transfer = make_struct("transfer", [("dest", MultiAddress), ("value", Compact[Balance])], index=3)
Batch = make_struct("batch", [("calls", tuple[RuntimeCall, ...])], index=4)
BalancesCall = make_enum("pallet_balances::pallet::Call", [Transfer, Batch])
Balances = make_struct("Balances", [("call", BalancesCall)], index=5, unnamed=True, bases=(RuntimeCall,))
Sent = make_struct("Sent", [("who", AccountId), ("weight", Weight)], index=0)
BalancesEvent = make_enum("pallet_balances::pallet::Event", [Sent])
BalancesError = make_enum("pallet_balances::pallet::Error", [make_struct("TooLow", [], index=1)])
RuntimeCallHint = make_enum("toy_runtime::RuntimeCall", [Balances])
Runtime = make_struct("Runtime", [], path="toy_runtime::Runtime")


def toy_metadata() -> tuple[Codecs, bytes]:
    codecs = Codecs({RuntimeCall: RuntimeCallHint})
    info = AccountInfo(Nonce(0), None, Balance(0), b"", BitVec(), Ok(1))
    storage = (
        StorageDescription("Total", Modifier.DEFAULT, Balance, bytes(16)),
        StorageDescription(
            "Account", Modifier.DEFAULT, AccountInfo, info.encode(), (Hasher.BLAKE2_128_CONCAT,), AccountId
        ),
        StorageDescription(
            "Pair",
            Modifier.OPTIONAL,
            Hash,
            b"\0",
            (Hasher.TWOX_64_CONCAT, Hasher.IDENTITY),
            tuple[u32, AccountId],
        ),
    )
    pallet = PalletDescription(
        "Balances",
        5,
        storage,
        BalancesCall,
        BalancesEvent,
        BalancesError,
        (ConstantDescription("ExistentialDeposit", Balance, (7).to_bytes(16, "little")),),
    )
    extensions = (
        ExtensionDescription("CheckMortality", Era, Hash),
        ExtensionDescription("CheckNonce", Compact[Nonce], unit),
    )
    extrinsic = ExtrinsicDescription(MultiAddress, RuntimeCall, MultiSignature, unit, extensions)
    return codecs, metadata_v14(Registry(codecs), RuntimeDescription((pallet,), extrinsic, Runtime))


def judged() -> tuple[RuntimeConfigurationObject, Any, Codecs]:
    codecs, raw = toy_metadata()
    judge = RuntimeConfigurationObject()
    judge.update_type_registry(load_type_registry_preset("core"))
    metadata = judge.create_scale_object("MetadataVersioned", ScaleBytes(raw))
    metadata.decode()
    judge.add_portable_registry(metadata)
    return judge, metadata, codecs


def pallet_of(metadata: Any) -> Any:
    return metadata.pallets[0]


def items_of(metadata: Any) -> dict[str, Any]:
    """Storage items by name; scalecodec adds a version item of its own."""
    items = {item.value["name"]: item for item in metadata.pallets[0].storage}
    return {name: item for name, item in items.items() if not name.startswith(":")}


def test_pallets_are_read_by_scalecodec() -> None:
    _, metadata, _ = judged()
    pallet = pallet_of(metadata)

    assert pallet.value["name"] == "Balances"
    assert pallet.value["index"] == 5
    assert list(items_of(metadata)) == ["Total", "Account", "Pair"]
    assert items_of(metadata)["Pair"].get_param_hashers() == ["Twox64Concat", "Identity"]
    assert [call.name for call in pallet.calls] == ["transfer", "batch"]
    assert [event.name for event in pallet.events] == ["Sent"]
    assert [(error.name, error.value["index"]) for error in pallet.errors] == [("TooLow", 1)]
    assert bytes(pallet.constants[0].constant_value) == (7).to_bytes(16, "little")


def test_values_are_read_by_scalecodec() -> None:
    judge, metadata, codecs = judged()
    value = AccountInfo(Nonce(3), AccountId(bytes(range(32))), Balance(10**15), b"bob", BitVec([True, False]), Ok(1))
    type_name = items_of(metadata)["Account"].get_value_type_string()

    read = judge.create_scale_object(type_name, ScaleBytes(codecs.of(AccountInfo).encode(value)), metadata=metadata)

    assert read.decode()["nonce"] == 3
    assert read.value["from"] == "0x" + bytes(range(32)).hex()
    assert read.value["free"] == 10**15
    assert read.value["name"] == "bob"
    assert read.value["outcome"] == {"Ok": 1}


def test_a_call_composed_by_scalecodec_has_our_bytes() -> None:
    judge, metadata, codecs = judged()
    call = judge.create_scale_object("Call", metadata=metadata)
    account = bytes(range(32))
    inner = {"call_module": "Balances", "call_function": "transfer"}
    inner |= {"call_args": {"dest": "0x" + account.hex(), "value": 1000}}

    theirs = call.encode({"call_module": "Balances", "call_function": "batch", "call_args": {"calls": [inner]}})

    ours = Balances(Batch((Balances(Transfer(Id(AccountId(account)), 1000)),)))
    assert codecs.of(RuntimeCall).encode(ours) == bytes(theirs.data)
    assert codecs.of(RuntimeCall).decode(bytes(theirs.data)) == ours


def test_an_extrinsic_is_found_by_its_type_parameters() -> None:
    judge, metadata, codecs = judged()
    call = codecs.of(RuntimeCall).encode(Balances(Transfer(Id(AccountId(bytes(32))), 5)))
    body = b"\x04" + call
    extrinsic = judge.create_scale_object("Extrinsic", ScaleBytes(bytes([len(body) << 2]) + body), metadata=metadata)

    assert extrinsic.decode()["call"]["call_function"] == "transfer"
    assert list(metadata.get_signed_extensions()) == ["CheckMortality", "CheckNonce"]


def test_a_type_is_registered_once() -> None:
    registry = Registry(Codecs())

    first = registry.type_id(tuple[u8, ...])

    assert registry.type_id(bytes) == first
    assert registry.type_id(bytes | None) != first
    assert registry.type_id(bytes | None) == registry.type_id(tuple[u8, ...] | None)
