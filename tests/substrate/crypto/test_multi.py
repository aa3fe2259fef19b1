"""MultiSignature and MultiAddress."""

import pytest
from eth_keys.datatypes import PrivateKey

from substrate.crypto.hashing import blake2_256
from substrate.crypto.keys import dev_pair
from substrate.crypto.multi import (
    Address20,
    Address32,
    EcdsaSignature,
    Ed25519Signature,
    Id,
    Index,
    MultiAddress,
    MultiSignature,
    Raw,
    Sr25519Signature,
    verify_multi,
)
from substrate.scale.codec import codec_of
from substrate.types import AccountId

MESSAGE = b"message"
KEY = PrivateKey(bytes(31) + b"\x07")
ECDSA_ACCOUNT = AccountId(blake2_256(KEY.public_key.to_compressed_bytes()))


def ecdsa_signature() -> EcdsaSignature:
    return EcdsaSignature(KEY.sign_msg_hash(blake2_256(MESSAGE)).to_bytes())


def test_each_scheme_verifies_under_its_own_tag_only() -> None:
    edwards, schnorrkel = dev_pair("Alice", "ed25519"), dev_pair("Alice", "sr25519")
    signed = edwards.sign(MESSAGE), schnorrkel.sign(MESSAGE)
    accounts = AccountId(edwards.public), AccountId(schnorrkel.public)
    assert verify_multi(Ed25519Signature(signed[0]), MESSAGE, accounts[0])
    assert verify_multi(Sr25519Signature(signed[1]), MESSAGE, accounts[1])
    assert not verify_multi(Sr25519Signature(signed[0]), MESSAGE, accounts[0])
    assert not verify_multi(Ed25519Signature(signed[1]), MESSAGE, accounts[1])


def test_ecdsa_recovers_the_account() -> None:
    assert verify_multi(ecdsa_signature(), MESSAGE, ECDSA_ACCOUNT)
    assert not verify_multi(ecdsa_signature(), b"other", ECDSA_ACCOUNT)


@pytest.mark.parametrize("data", [bytes(65), b"\xff" * 65, bytes(64) + b"\x05"])
def test_malformed_ecdsa_is_just_invalid(data: bytes) -> None:
    assert not verify_multi(EcdsaSignature(data), MESSAGE, ECDSA_ACCOUNT)


def test_signature_tags_are_upstream_s() -> None:
    codec = codec_of(MultiSignature)
    cases = Ed25519Signature(bytes(64)), Sr25519Signature(bytes(64)), EcdsaSignature(bytes(65))
    assert [codec.encode(case)[0] for case in cases] == [0, 1, 2]
    assert [codec.decode(codec.encode(case)) for case in cases] == list(cases)


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        (Id(AccountId(b"\x01" * 32)), "00" + "01" * 32),
        (Index(), "01"),
        (Raw(b"ab"), "02086162"),
        (Address32(b"\x02" * 32), "03" + "02" * 32),
        (Address20(b"\x03" * 20), "04" + "03" * 20),
    ],
)
def test_addresses_encode_as_upstream(address: MultiAddress, wire: str) -> None:
    codec = codec_of(MultiAddress)
    assert codec.encode(address).hex() == wire
    assert codec.decode(bytes.fromhex(wire)) == address
