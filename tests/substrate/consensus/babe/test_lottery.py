"""Whose slot it is: vectors, and claims that verify."""

import json
from pathlib import Path
from typing import Any

import pytest

from substrate.consensus.babe.lottery import next_randomness, primary_threshold, secondary_author
from substrate.consensus.babe.types import PreDigest, Primary, SecondaryPlain, VrfSignature
from substrate.crypto.hashing import blake2_256
from substrate.crypto.vrf import VrfOutput, VrfProof
from substrate.scale.codec import decode, encode
from substrate.types import Slot

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[3] / "vectors/relay_babe.json").read_text())
WESTEND: dict[str, Any] = VECTORS["westend_genesis_epoch"]


def hexed(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@pytest.mark.parametrize("case", VECTORS["threshold"])
def test_the_threshold_is_upstreams(case: dict[str, Any]) -> None:
    found = primary_threshold(tuple(case["c"]), case["weights"], case["authority_index"])

    assert found == (int(case["threshold"]) if "threshold" in case else int(case["threshold_hex"], 16))


def test_the_secondary_author_is_upstreams() -> None:
    case = VECTORS["secondary_slot_author"]["case"]
    randomness = hexed(case["randomness"])
    assert secondary_author(Slot(case["slot"]), authority_count=case["n"], randomness=randomness) == case["index"]
    assert secondary_author(Slot(1), authority_count=0, randomness=randomness) is None


def test_the_secondary_authors_of_real_blocks() -> None:
    count, randomness = len(WESTEND["authorities"]), hexed(WESTEND["randomness"])
    for block in WESTEND["secondary_plain_predigests"]:
        index = secondary_author(Slot(block["slot"]), authority_count=count, randomness=randomness)
        assert index == block["authority_index"]


def test_pre_digests_have_upstreams_bytes() -> None:
    block = WESTEND["primary_predigests"][0]
    output, proof = hexed(block["vrf_pre_output"]), hexed(block["vrf_proof"])
    place = block["authority_index"].to_bytes(4, "little") + block["slot"].to_bytes(8, "little")

    signature = VrfSignature(VrfOutput(output), VrfProof(proof))
    primary = Primary(block["authority_index"], Slot(block["slot"]), signature)
    assert decode(PreDigest, b"\1" + place + output + proof) == primary
    plain = SecondaryPlain(block["authority_index"], Slot(block["slot"]))
    assert encode(PreDigest, plain) == b"\2" + place


def test_randomness_accumulates_over_the_outputs_in_order() -> None:
    expected = blake2_256(b"\1" * 32 + (7).to_bytes(8, "little") + b"\2" * 32 + b"\3" * 32)
    assert next_randomness(b"\1" * 32, 7, [b"\2" * 32, b"\3" * 32]) == expected
