"""The VRF against RFC 9381."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from substrate.crypto.keys import Ed25519Pair, dev_pair
from substrate.crypto.vrf import Vrf, prove, verify

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "vrf_rfc9381.json").read_text())["vectors"]
ALICE = Ed25519Pair.from_uri("//Alice")
TORSION = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
"""A point of order 8."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["alpha"])
def test_outputs_and_proofs_match_the_rfc(case: dict[str, str]) -> None:
    fields = {name: bytes.fromhex(text) for name, text in case.items()}
    pair = Ed25519Pair.from_seed(fields["sk"])
    gamma, proof = prove(pair, fields["alpha"])
    assert pair.public == fields["pk"]
    assert gamma + proof[:16] + proof[32:] == fields["pi"]
    assert verify(pair.public, fields["alpha"], gamma, proof) == fields["beta"]


@given(st.binary(max_size=64), st.integers(0, 95), st.integers(1, 255))
def test_any_changed_byte_breaks_the_proof(alpha: bytes, at: int, mask: int) -> None:
    gamma, proof = prove(ALICE, alpha)
    assert verify(ALICE.public, alpha, gamma, proof) is not None
    changed = bytearray(gamma + proof)
    changed[at] ^= mask
    assert verify(ALICE.public, alpha, bytes(changed[:32]), bytes(changed[32:])) is None


def test_a_proof_binds_key_and_input() -> None:
    gamma, proof = prove(ALICE, b"alpha")
    assert verify(ALICE.public, b"beta", gamma, proof) is None
    assert verify(dev_pair("Bob", "ed25519").public, b"alpha", gamma, proof) is None


@pytest.mark.parametrize("point", [bytes(32), b"\x01" + bytes(31), TORSION, b"\xff" * 32])
def test_points_outside_the_group_are_refused(point: bytes) -> None:
    gamma, proof = prove(ALICE, b"")
    assert verify(ALICE.public, b"", point, proof) is None
    assert verify(point, b"", gamma, proof) is None


def test_a_response_above_the_order_is_refused() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    gamma, proof = prove(ALICE, b"")
    response = int.from_bytes(proof[32:], "little") + order
    assert verify(ALICE.public, b"", gamma, proof[:32] + response.to_bytes(32, "little")) is None


def test_zero_challenge_and_response_are_refused() -> None:
    gamma, _ = prove(ALICE, b"")
    assert verify(ALICE.public, b"", gamma, bytes(64)) is None


def test_the_module_is_a_vrf() -> None:
    from substrate.crypto import vrf

    seam: Vrf = vrf
    assert seam.prove(ALICE, b"") == prove(ALICE, b"")
