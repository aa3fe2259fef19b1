"""Extrinsics: round trips and strict decoding. How substrate-interface signs is in `client/rpc`."""

from typing import Any

import pytest
from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from substrate.client.rpc.json_forms import opaque
from substrate.crypto import ss58
from substrate.crypto.hashing import blake2_256
from substrate.crypto.multi import Ed25519Signature, Id, Sr25519Signature, verify_multi
from substrate.errors import DecodeError
from substrate.runtime.checks import check_signature
from substrate.runtime.era import IMMORTAL, Era, mortal
from substrate.runtime.extrinsic import (
    Extra,
    Extrinsic,
    SignedPart,
    Signing,
    decode_extrinsic,
    encode_bare,
    encoded_length,
    sign_extrinsic,
    signed_payload,
)
from substrate.runtime.validity import BadSigner, TransactionInvalid
from substrate.state import Overlay
from substrate.types import AccountId, Balance, Hash, Nonce
from tests.substrate.runtime.mini import ALICE, BOB, MiniChain, MiniRuntime, account, transfer

SIGNING = Signing(3, 2, Hash(b"g" * 32), Hash(b"b" * 32))
CALL = MiniRuntime.encode_call(transfer(BOB, 5))


def remark(size: int) -> bytes:
    return MiniRuntime.encode_call(MiniRuntime.call_named("System.remark", remark=bytes(size)))


def test_a_bare_extrinsic_is_read_back() -> None:
    assert decode_extrinsic(MiniRuntime, encode_bare(CALL)) == Extrinsic(None, transfer(BOB, 5), CALL)


@pytest.mark.parametrize("era", [IMMORTAL, mortal(64, 42), mortal(65536, 70000)])
@pytest.mark.parametrize(("nonce", "tip"), [(0, 0), (63, 64), (2**32 - 1, 2**128 - 1)])
def test_a_signed_extrinsic_is_read_back(era: Era, nonce: int, tip: int) -> None:
    raw = sign_extrinsic(CALL, BOB, nonce=nonce, signing=SIGNING, tip=tip, era=era)

    extra = Extra(era, Nonce(nonce), Balance(tip))
    signature = Ed25519Signature(BOB.sign(signed_payload(CALL, extra, SIGNING)))
    part = SignedPart(Id(account(BOB)), signature, extra)
    assert decode_extrinsic(MiniRuntime, raw) == Extrinsic(part, transfer(BOB, 5), CALL)
    assert raw == b"\x84\0" + account(BOB) + b"\0" + signature.signature + extra.to_bytes() + CALL


def test_an_sr25519_signature_says_so() -> None:
    part = decode_extrinsic(MiniRuntime, sign_extrinsic(CALL, ALICE, nonce=0, signing=SIGNING)).signed

    assert part is not None
    assert type(part.signature) is Sr25519Signature


@pytest.mark.parametrize(("call", "is_hashed"), [(remark(175), False), (remark(176), True)])
def test_a_payload_over_256_bytes_is_signed_by_its_hash(call: bytes, is_hashed: bool) -> None:
    extra = Extra(IMMORTAL, Nonce(0), Balance(0))
    plain = call + b"\0\0\0\0" + b"\3\0\0\0\2\0\0\0" + b"g" * 32 + b"b" * 32 + b"\0"

    assert len(plain) == (257 if is_hashed else 256)
    assert signed_payload(call, extra, SIGNING) == (blake2_256(plain) if is_hashed else plain)


def test_the_zero_account_cannot_sign_though_a_signature_without_a_key_verifies_for_it() -> None:
    """Thirty-two zero bytes are a point of small order, for which anybody can make a signature over anything."""
    chain = MiniChain()
    forged = Ed25519Signature(b"\1" + bytes(63))
    part = SignedPart(Id(AccountId(bytes(32))), forged, Extra(IMMORTAL, Nonce(0), Balance(0)))
    assert verify_multi(forged, b"anything", AccountId(bytes(32)))

    with pytest.raises(TransactionInvalid) as refusal:
        check_signature(MiniRuntime(Overlay(chain.state)), Extrinsic(part, transfer(BOB, 5), CALL))

    assert refusal.value.variant == BadSigner()


def test_every_cut_is_refused() -> None:
    for raw in (encode_bare(CALL), sign_extrinsic(CALL, BOB, nonce=1, signing=SIGNING)):
        for size in range(len(raw)):
            with pytest.raises(DecodeError):
                decode_extrinsic(MiniRuntime, raw[:size])
        with pytest.raises(DecodeError, match=f"bytes left over at offset {len(raw)}"):
            decode_extrinsic(MiniRuntime, raw + b"\0")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "an extrinsic has at least a version byte at offset 0"),
        (b"\x45" + CALL, r"extrinsic version 0x45 is neither signed V4 \(0x84\) nor bare V4 \(0x04\) at offset 0"),
        (b"\x84" + bytes(1 + 32 + 1 + 64) + b"\0\0\0\2" + CALL, "metadata mode 2 is neither .* at offset 102"),
        (b"\x84" + bytes(1 + 32 + 1 + 64) + b"\x41\0\0\0\0" + CALL, "period 4 cannot have phase 4 at offset 99"),
        (b"\x04\xff", "unknown variant 255 .* at offset 1"),
        (b"\x84" + bytes(1 + 32 + 1 + 64) + b"\0\0\0\0" + b"\xff", "unknown variant 255 .* at offset 103"),
    ],
)
def test_malformed_bytes_are_refused_with_their_place(raw: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        decode_extrinsic(MiniRuntime, raw)


@pytest.mark.parametrize(("size", "length"), [(0, 1), (63, 64), (64, 66), (16384, 16388)])
def test_the_length_prefix_is_paid_for(size: int, length: int) -> None:
    assert encoded_length(bytes(size)) == length


def test_metadata_hashes_are_not_checked_so_mode_1_is_refused() -> None:
    chain = MiniChain()
    signed = decode_extrinsic(MiniRuntime, chain.sign(BOB, transfer(ALICE, 1), 0)).signed
    assert signed is not None
    extra = Extra(IMMORTAL, Nonce(0), Balance(0), 1)
    extrinsic = Extrinsic(SignedPart(signed.address, signed.signature, extra), transfer(ALICE, 1), CALL)

    with pytest.raises(TransactionInvalid, match="CannotLookup: CheckMetadataHash is disabled here"):
        check_signature(MiniRuntime(Overlay(chain.state)), extrinsic)


@pytest.mark.parametrize(("era", "seen"), [(IMMORTAL, "00"), (mortal(64, 70), (64, 6))])
def test_scalecodec_reads_what_was_signed(era: Era, seen: object) -> None:
    config = RuntimeConfigurationObject(ss58_format=42)
    for preset in ("core", "legacy"):
        config.update_type_registry(load_type_registry_preset(preset))
    metadata = config.create_scale_object("MetadataVersioned", ScaleBytes(MiniRuntime.metadata()))
    metadata.decode()
    config.add_portable_registry(metadata)
    raw = sign_extrinsic(CALL, BOB, nonce=5, signing=SIGNING, tip=9, era=era)

    shown: Any = config.create_scale_object("Extrinsic", ScaleBytes(opaque(raw)), metadata=metadata).decode()

    bob = ss58.encode(BOB.public, 42)
    assert (shown["address"], shown["signature"]) == (bob, {"Ed25519": f"0x{raw[35:99].hex()}"})
    assert (shown["era"], shown["nonce"], shown["tip"], shown["mode"]) == (seen, 5, 9, {"mode": "Disabled"})
    call = shown["call"]
    arguments = {each["name"]: each["value"] for each in call["call_args"]}
    assert (call["call_module"], call["call_function"]) == ("Balances", "transfer_keep_alive")
    assert arguments == {"dest": bob, "value": 5}
