"""Hash functions against polkadot-js and upstream storage keys."""

import json
from pathlib import Path
from typing import Any

import pytest

from substrate.crypto import hashing

VECTORS = Path(__file__).parents[2] / "vectors"
HASHES = json.loads((VECTORS / "relay_hashing.json").read_text())
KEYS = json.loads((VECTORS / "relay_storage_keys.json").read_text())


def data_of(case: dict[str, Any]) -> bytes:
    return bytes.fromhex(case["in"][2:]) if "in" in case else case["in_utf8"].encode()


@pytest.mark.parametrize("case", [case for case in HASHES["blake2b"] if "key" not in case], ids=str)
def test_blake2_matches_upstream(case: dict[str, Any]) -> None:
    digest = getattr(hashing, f"blake2_{case['bits']}")(data_of(case))
    assert "0x" + digest.hex() == case["out"]


@pytest.mark.parametrize("case", HASHES["twox"], ids=str)
def test_twox_matches_upstream(case: dict[str, Any]) -> None:
    digest = getattr(hashing, f"twox_{case['bits']}")(data_of(case))
    assert "0x" + digest.hex() == case["out"]


@pytest.mark.parametrize("case", [*KEYS["values"].values(), *KEYS["maps"].values()], ids=lambda case: case["item"])
def test_storage_prefixes_are_two_twox_128(case: dict[str, Any]) -> None:
    prefix = hashing.twox_128(case["pallet"].encode()) + hashing.twox_128(case["item"].encode())
    assert "0x" + prefix.hex() == case.get("key", case.get("prefix"))


def test_a_map_key_is_prefix_hash_and_key() -> None:
    prefix = bytes.fromhex(KEYS["maps"]["para_head"]["prefix"][2:])
    para = (2000).to_bytes(4, "little")
    assert "0x" + (prefix + hashing.twox_64(para) + para).hex() == KEYS["examples"][0]["key"]
