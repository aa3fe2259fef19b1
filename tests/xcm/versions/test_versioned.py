"""Wire forms of versions 3, 4 and 5 against bytes made by other encoders."""

import json
from enum import IntEnum
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from substrate.crypto.hashing import blake2_256
from substrate.errors import ChainError, DecodeError
from substrate.scale.codec import decode, encode
from substrate.scale.types import Struct, naming
from xcm.asset import AssetId, assets, fungible
from xcm.error import Error
from xcm.instruction import ClearOrigin, DoubleEncoded, OriginKind, PayFees, SetAppendix, Transact, Xcm
from xcm.junction import Parachain
from xcm.location import PARENT, interior
from xcm.message import topic_of, xcm
from xcm.outcome import Outcome
from xcm.response import Version
from xcm.versions import versioned as v
from xcm.versions.mirror import VersionError
from xcm.versions.v4 import V4

VECTORS = Path(__file__).parents[2] / "vectors"
HINTS: dict[str, Any] = {
    "xcm::VersionedXcm": v.VersionedXcm,
    "xcm::VersionedLocation": v.VersionedLocation,
    "xcm::VersionedAssets": v.VersionedAssets,
    "xcm::VersionedAsset": v.VersionedAsset,
    "xcm::VersionedAssetId": v.VersionedAssetId,
    "xcm::VersionedResponse": v.VersionedResponse,
    "xcm::v5::traits::Error": Error,
    "xcm::v3::traits::Error": V4.of(Error),
    "xcm::v5::traits::Outcome": Outcome,
}


def load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text())


def neutral(value: Any) -> Any:
    """A value as the vectors write it: no newtypes, bytes as hex, variants by name."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, IntEnum):
        return value.name
    if isinstance(value, tuple):
        return [neutral(item) for item in value]
    if not isinstance(value, Struct):
        return value
    facts = naming(type(value))
    fields = {name: neutral(getattr(value, name)) for name in value.__struct_fields__}
    payload: Any = fields
    if facts.unnamed:
        payload = next(iter(fields.values())) if len(fields) == 1 else list(fields.values())
    if facts.index is None:
        return payload
    name = facts.name or type(value).__name__
    return {name: payload} if fields else name


ENCODED = [vector for vector in load("xcm_encode.json")["vectors"] if vector["type"] in HINTS]


@pytest.mark.parametrize("vector", ENCODED, ids=lambda vector: vector["name"])
def test_encode_decode_versioned_values(vector: Any) -> None:
    data = bytes.fromhex(vector["hex"][2:])
    value = decode(HINTS[vector["type"]], data)
    assert neutral(value) == vector["value"]
    assert encode(HINTS[vector["type"]], value) == data


@pytest.mark.parametrize("vector", load("xcm_negative.json")["reject"], ids=lambda vector: vector["name"])
def test_a_malformed_message_is_refused(vector: Any) -> None:
    with pytest.raises(DecodeError):
        v.decode_message(bytes.fromhex(vector["hex"][2:]))


@pytest.mark.parametrize("vector", load("xcm_negative.json")["accept_boundary"], ids=lambda vector: vector["name"])
def test_a_message_at_the_limit_is_accepted(vector: Any) -> None:
    data = bytes.fromhex(vector["hex"][2:])
    assert v.encode_message(v.decode_message(data)) == data


def test_validate_xcm_nesting_works() -> None:
    hundred = Xcm((ClearOrigin(),) * 99 + (SetAppendix(xcm()),))
    assert v.latest_xcm(v.decode_message(v.encode_message(v.versioned_xcm(hundred)))) == hundred
    nested = Xcm((ClearOrigin(),) * 99 + (SetAppendix(xcm(ClearOrigin())),))
    with pytest.raises(DecodeError, match="MaxInstructionsExceeded"):
        v.decode_message(v.encode_message(v.versioned_xcm(nested)))


def test_maybe_double_encoded_versioned_xcm_works() -> None:
    assert [v.encode_message(v.versioned_xcm(xcm(), version)).hex() for version in (3, 4, 5)] == [
        "0300",
        "0400",
        "0500",
    ]


REAL = [message for item in load("xcm_real_onchain.json")["items"] for message in item["messages"]]


@pytest.mark.parametrize("message", [m for m in REAL if m["version"] != "V2"], ids=lambda m: m["blake2_256"][:10])
def test_a_real_message_survives_decoding(message: Any) -> None:
    data = bytes.fromhex(message["hex"][2:])
    value = v.decode_message(data)
    assert neutral(value) == message["value"]
    assert v.encode_message(value) == data
    assert neutral(topic_of(v.latest_xcm(value))) == message["topic"]


def test_a_message_converts_to_the_latest_version_and_back() -> None:
    for message in REAL:
        if message["version"] in ("V3", "V4"):
            old = v.decode_message(bytes.fromhex(message["hex"][2:]))
            assert v.versioned_xcm(v.latest_xcm(old), v.version_of(old)) == old


@pytest.mark.parametrize("item", load("xcm_message_hash_id.json")["items"], ids=lambda item: item["message_id"][:10])
def test_hash_and_id_of_a_message(item: Any) -> None:
    data = bytes.fromhex(item["message"][2:])
    assert "0x" + blake2_256(data).hex() == item["message_hash_blake2_256"]
    try:
        message = v.decode_message(data)
    except DecodeError:
        assert data[0] == 2  # version 2 is refused
        return
    assert v.message_hash(message) == blake2_256(data)
    identity = topic_of(v.latest_xcm(message)) or v.message_hash(message)
    assert "0x" + identity.hex() == item["message_id"]


def test_what_version_4_lacks_does_not_convert() -> None:
    with pytest.raises(VersionError, match="PayFees"):
        v.versioned_xcm(xcm(SetAppendix(xcm(PayFees(fungible(PARENT, 1))))), 4)
    with pytest.raises(VersionError, match="UnknownVersion"):
        v.versioned_xcm(xcm(), 2)


def test_transact_without_a_fallback_weight_may_weigh_anything_in_version_4() -> None:
    message = xcm(Transact(OriginKind.Native, None, DoubleEncoded(b"\x00")))
    old = v.versioned_xcm(message, 4)
    assert v.version_of(old) == 4
    assert neutral(old)["V4"][0]["Transact"]["require_weight_at_most"] == {
        "ref_time": 2**64 - 1,
        "proof_size": 2**64 - 1,
    }


def test_every_kind_has_a_form_in_every_version() -> None:
    forms = [
        (v.versioned_location, v.latest_location, PARENT),
        (v.versioned_interior, v.latest_interior, interior(Parachain(1))),
        (v.versioned_assets, v.latest_assets, assets(fungible(PARENT, 1))),
        (v.versioned_asset, v.latest_asset, fungible(PARENT, 1)),
        (v.versioned_asset_id, v.latest_asset_id, AssetId(PARENT)),
        (v.versioned_response, v.latest_response, Version(5)),
    ]
    for wrap, latest, value in cast(list[tuple[Any, Any, Any]], forms):
        for version in (3, 4, 5):
            wrapped = wrap(value, version)
            assert (v.version_of(wrapped), latest(wrapped)) == (version, value)
            assert type(wrapped).__name__.endswith(f"V{version}")


def test_an_unknown_version_is_a_chain_error() -> None:
    with pytest.raises(ChainError):
        v.versioned_location(PARENT, 6)


@given(vector=st.sampled_from(ENCODED), cut=st.integers(0, 200), junk=st.binary(max_size=6))
def test_no_bytes_end_in_anything_but_a_message_or_a_decode_error(vector: Any, cut: int, junk: bytes) -> None:
    data = bytes.fromhex(vector["hex"][2:])
    data = data[:cut] + junk + data[cut + len(junk) :]
    try:
        message = v.decode_message(data)
    except DecodeError:
        return
    assert v.encode_message(message) == data
