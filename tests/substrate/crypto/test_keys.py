"""Key pairs, derivation and signature checks against upstream."""

import json
from pathlib import Path
from typing import Any

import pytest

from substrate.crypto import ss58
from substrate.crypto.keys import (
    DEV_PHRASE,
    DEV_SEED,
    Ed25519Pair,
    KeyUriError,
    Sr25519Pair,
    dev_pair,
    verify_ed25519,
    verify_sr25519,
)

CRYPTO = json.loads((Path(__file__).parents[2] / "vectors" / "relay_crypto.json").read_text())


def unhex(text: str) -> bytes:
    return bytes.fromhex(text[2:])


@pytest.mark.parametrize(("name", "keys"), CRYPTO["dev_accounts"].items(), ids=lambda part: str(part)[:7])
def test_dev_accounts_match_upstream(name: str, keys: dict[str, str]) -> None:
    edwards, schnorrkel = dev_pair(name, "ed25519"), dev_pair(name, "sr25519")
    assert isinstance(edwards, Ed25519Pair)
    assert (edwards.seed, edwards.public) == (unhex(keys["ed25519_seed"]), unhex(keys["ed25519"]))
    assert schnorrkel.public == unhex(keys["sr25519"])
    assert ss58.encode(schnorrkel.public) == keys["sr25519_ss58_42"]


def test_alice_of_ed25519_is_polkadot_js_s() -> None:
    assert ss58.encode(dev_pair("Alice", "ed25519").public) == "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu"


@pytest.mark.parametrize(("path", "public"), CRYPTO["sr25519"]["derive_dev_phrase"])
def test_sr25519_paths_match_upstream(path: str, public: str) -> None:
    assert Sr25519Pair.from_uri(path).public == unhex(public)
    assert Sr25519Pair.from_uri(DEV_PHRASE + path).public == unhex(public)
    assert Sr25519Pair.from_uri("0x" + DEV_SEED.hex() + path).public == unhex(public)


@pytest.mark.parametrize("case", CRYPTO["sr25519"]["mnemonic_to_secret"], ids=lambda case: case["mnemonic"][:20])
def test_phrases_match_upstream(case: dict[str, Any]) -> None:
    pair = Ed25519Pair.from_uri(case["mnemonic"] + "///Substrate")
    assert pair.seed == unhex(case["seed64"])[:32]


def test_seeds_match_upstream() -> None:
    edwards, schnorrkel = CRYPTO["ed25519"], CRYPTO["sr25519"]
    pair = Ed25519Pair.from_seed(edwards["seed_utf8"].encode())
    assert pair.public == unhex(edwards["public"])
    assert pair.sign(edwards["message_utf8"].encode()) == unhex(edwards["signature"])
    assert Sr25519Pair.from_seed(schnorrkel["seed_utf8"].encode()).public == unhex(schnorrkel["public"])


def test_a_signature_of_polkadot_js_verifies() -> None:
    case = CRYPTO["sr25519"]["verify_sample"]
    message, public = case["message_utf8"].encode(), unhex(CRYPTO["sr25519"]["public"])
    assert verify_sr25519(unhex(case["signature"]), message, public)


@pytest.mark.parametrize("scheme", ["sr25519", "ed25519"])
def test_signatures_bind_message_and_key(scheme: Any) -> None:
    verify = verify_sr25519 if scheme == "sr25519" else verify_ed25519
    alice, bob = dev_pair("Alice", scheme), dev_pair("Bob", scheme)
    signature = alice.sign(b"message")
    assert verify(signature, b"message", alice.public)
    assert not verify(signature, b"massage", alice.public)
    assert not verify(signature, b"message", bob.public)


@pytest.mark.parametrize("verify", [verify_ed25519, verify_sr25519])
@pytest.mark.parametrize("signature", [b"", bytes(64), b"\xff" * 64, bytes(65)])
@pytest.mark.parametrize("public", [b"", b"\xff" * 32, dev_pair("Alice", "sr25519").public])
def test_malformed_signatures_are_just_invalid(verify: Any, signature: bytes, public: bytes) -> None:
    assert verify(signature, b"message", public) is False


@pytest.mark.parametrize("uri", ["not a phrase", "//Alice/soft", "//", "0x12//Alice"])
def test_bad_uris_are_refused(uri: str) -> None:
    with pytest.raises(KeyUriError):
        Ed25519Pair.from_uri(uri)


def test_stash_accounts_derive_twice() -> None:
    stash = Sr25519Pair.from_uri("//Alice//stash")
    assert ss58.encode(stash.public) == "5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY"
