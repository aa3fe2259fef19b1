"""Metadata V14, V15 and V16 of one runtime, read by scalecodec with the layouts of polkadot-js.

Source of the layouts: @polkadot/types 16.5.6, `interfaces/metadata/{v15,v16}`.
"""

from typing import Any

import pytest
from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from substrate.errors import DecodeError
from substrate.scale.codec import decode
from substrate.state import Overlay
from tests.substrate.runtime.mini import MiniRuntime, genesis_state

ID = "SiLookupTypeId"
ITEM = ["deprecation", "u8"]


def struct(*fields: list[str]) -> dict[str, Any]:
    return {"type": "struct", "type_mapping": fields}


def enum_at_id() -> dict[str, Any]:
    return struct(["ty", ID], ["deprecation", "Vec<u8>"])


LAYOUTS: dict[str, Any] = {
    "StorageEntry16": struct(
        ["name", "Text"],
        ["modifier", "StorageEntryModifierV13"],
        ["type", "StorageEntryTypeV14"],
        ["default", "Bytes"],
        ["docs", "Vec<Text>"],
        ITEM,
    ),
    "Storage16": struct(["prefix", "Text"], ["entries", "Vec<StorageEntry16>"]),
    "Constant16": struct(["name", "Text"], ["ty", ID], ["value", "Bytes"], ["docs", "Vec<Text>"], ITEM),
    "Enum16": enum_at_id(),
    "Constant15": struct(["name", "Text"], ["ty", ID], ["value", "Bytes"], ["docs", "Vec<Text>"]),
    "StorageEntry15": struct(
        ["name", "Text"],
        ["modifier", "StorageEntryModifierV13"],
        ["type", "StorageEntryTypeV14"],
        ["default", "Bytes"],
        ["docs", "Vec<Text>"],
    ),
    "Storage15": struct(["prefix", "Text"], ["entries", "Vec<StorageEntry15>"]),
    "Pallet15": struct(
        ["name", "Text"],
        ["storage", "Option<Storage15>"],
        ["calls", f"Option<{ID}>"],
        ["event", f"Option<{ID}>"],
        ["constants", "Vec<Constant15>"],
        ["error", f"Option<{ID}>"],
        ["index", "u8"],
        ["docs", "Vec<Text>"],
    ),
    "Pallet16": struct(
        ["name", "Text"],
        ["storage", "Option<Storage16>"],
        ["calls", "Option<Enum16>"],
        ["event", "Option<Enum16>"],
        ["constants", "Vec<Constant16>"],
        ["error", "Option<Enum16>"],
        ["associated_types", "Vec<Null>"],
        ["view_functions", "Vec<Null>"],
        ["index", "u8"],
        ["docs", "Vec<Text>"],
        ITEM,
    ),
    "Extrinsic15": struct(
        ["version", "u8"],
        ["address", ID],
        ["call", ID],
        ["signature", ID],
        ["extra", ID],
        ["extensions", "Vec<SignedExtensionMetadataV14>"],
    ),
    "Extrinsic16": struct(
        ["versions", "Vec<u8>"],
        ["address", ID],
        ["call", ID],
        ["signature", ID],
        ["by_version", "Vec<(u8, Vec<Compact<u32>>)>"],
        ["extensions", "Vec<SignedExtensionMetadataV14>"],
    ),
    "Parameter15": struct(["name", "Text"], ["ty", ID]),
    "Method15": struct(["name", "Text"], ["inputs", "Vec<Parameter15>"], ["output", ID], ["docs", "Vec<Text>"]),
    "Method16": struct(["name", "Text"], ["inputs", "Vec<Parameter15>"], ["output", ID], ["docs", "Vec<Text>"], ITEM),
    "Api15": struct(["name", "Text"], ["methods", "Vec<Method15>"], ["docs", "Vec<Text>"]),
    "Api16": struct(
        ["name", "Text"], ["methods", "Vec<Method16>"], ["docs", "Vec<Text>"], ["version", "Compact<u32>"], ITEM
    ),
    "Outer15": struct(["call", ID], ["event", ID], ["error", ID]),
    "Metadata15": struct(
        ["types", "PortableRegistry"],
        ["pallets", "Vec<Pallet15>"],
        ["extrinsic", "Extrinsic15"],
        ["ty", ID],
        ["apis", "Vec<Api15>"],
        ["outer", "Outer15"],
        ["custom", "Vec<Null>"],
    ),
    "Metadata16": struct(
        ["types", "PortableRegistry"],
        ["pallets", "Vec<Pallet16>"],
        ["extrinsic", "Extrinsic16"],
        ["apis", "Vec<Api16>"],
        ["outer", "Outer15"],
        ["custom", "Vec<Null>"],
    ),
}


def read(version: int) -> dict[str, Any]:
    judge = RuntimeConfigurationObject()
    judge.update_type_registry(load_type_registry_preset("core"))
    judge.update_type_registry({"types": LAYOUTS})
    raw = MiniRuntime.metadata(version)
    assert raw[:5] == b"meta" + bytes([version])
    data = ScaleBytes(raw[5:])
    shown = judge.create_scale_object("MetadataV14" if version == 14 else f"Metadata{version}", data).decode()
    assert data.get_remaining_length() == 0
    return shown


def paths(shown: dict[str, Any]) -> dict[int, str]:
    return {each["id"]: "::".join(each["type"]["path"]) for each in shown["types"]["types"]}


def stored(pallet: dict[str, Any]) -> list[dict[str, Any]]:
    return pallet["storage"]["entries"] if pallet["storage"] else []


def outline(shown: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Pallets with everything spelled by type path instead of number."""
    path = paths(shown)

    def spelled(part: Any) -> str | None:
        return None if part is None else path[part["ty"] if isinstance(part, dict) else part]

    return [
        (
            pallet["name"],
            pallet["index"],
            [
                (each["name"], each["modifier"], each["default"])
                for each in (pallet["storage"] or {"entries": ()})["entries"]
            ],
            *(spelled(pallet[part]) for part in ("calls", "event", "error")),
            [(each["name"], each["value"]) for each in pallet["constants"]],
        )
        for pallet in shown["pallets"]
    ]


@pytest.mark.parametrize("version", [15, 16])
def test_pallets_are_those_of_v14(version: int) -> None:
    assert outline(read(version)) == outline(read(14))


@pytest.mark.parametrize("version", [15, 16])
def test_outer_enums_and_extrinsic_parts_are_named_by_type(version: int) -> None:
    shown = read(version)
    path, parts = paths(shown), shown["extrinsic"]

    assert {name: path[number] for name, number in shown["outer"].items()} == {
        "call": "mini_runtime::RuntimeCall",
        "event": "mini_runtime::RuntimeEvent",
        "error": "mini_runtime::RuntimeError",
    }
    assert [path[parts[name]] for name in ("address", "call", "signature")] == [
        "sp_runtime::multiaddress::MultiAddress",
        "mini_runtime::RuntimeCall",
        "sp_runtime::MultiSignature",
    ]
    assert [each["identifier"] for each in parts["extensions"]] == [
        each["identifier"] for each in read(14)["extrinsic"]["signed_extensions"]
    ]
    assert (parts["version"] if version == 15 else parts["versions"]) == (
        4 if version == 15 else "\x04"
    )  # scalecodec shows bytes as text


def test_v16_numbers_the_set_of_extensions_0() -> None:
    """PAPI asks for version 0 by name, whatever the version of the extrinsic."""
    assert read(16)["extrinsic"]["by_version"] == [(0, list(range(9)))]


@pytest.mark.parametrize("version", [15, 16])
def test_every_runtime_api_is_described(version: int) -> None:
    shown = read(version)
    path = paths(shown)
    methods = {
        f"{api['name']}_{method['name']}": (
            [parameter["name"] for parameter in method["inputs"]],
            path[method["output"]],
        )
        for api in shown["apis"]
        for method in api["methods"]
    }

    assert sorted(methods) == sorted(entry.spec.name for entry in MiniRuntime.assembly().apis())
    assert methods["Core_version"] == ([], "sp_version::RuntimeVersion")
    assert methods["TransactionPaymentApi_query_info"] == (
        ["uxt", "length"],
        "pallet_transaction_payment::types::RuntimeDispatchInfo",
    )
    if version == 16:
        versions = {api["name"]: api["version"] for api in shown["apis"]}
        assert versions == {
            "AccountNonceApi": 1,
            "Core": 5,
            "Metadata": 2,
            "TaggedTransactionQueue": 3,
            "TransactionPaymentApi": 4,
            "TransactionPaymentCallApi": 3,
        }


def test_the_runtime_offers_each_version_and_no_other() -> None:
    runtime = MiniRuntime(Overlay(genesis_state()))

    assert decode(bytes, runtime.api("Metadata_metadata", b"")) == MiniRuntime.metadata(14)
    assert runtime.api("Metadata_metadata_versions", b"") == b"\x0c" + b"".join(
        version.to_bytes(4, "little") for version in (14, 15, 16)
    )
    for version in (13, 14, 15, 16, 17):
        given = decode(bytes | None, runtime.api("Metadata_metadata_at_version", version.to_bytes(4, "little")))
        assert given == (MiniRuntime.metadata(version) if 14 <= version <= 16 else None)
    with pytest.raises(DecodeError):
        runtime.api("Metadata_metadata_at_version", b"\x0e")


def test_polkadot_js_finds_the_event_type_by_the_first_parameter_of_event_record() -> None:
    shown = read(14)
    (record,) = (each["type"] for each in shown["types"]["types"] if each["type"]["path"][-1:] == ["EventRecord"])

    assert [paths(shown)[each["type"]] for each in record["params"]] == [
        "mini_runtime::RuntimeEvent",
        "primitive_types::H256",
    ]
