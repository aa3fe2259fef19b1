"""SS58 addresses."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from substrate.crypto.ss58 import Ss58Error, Ss58Reason, decode, encode, parse

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "relay_crypto.json").read_text())["ss58"]
ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["address"])
def test_addresses_match_polkadot_js(case: dict[str, Any]) -> None:
    account = bytes.fromhex(case["public_key"][2:])
    assert encode(account, case["ss58_format"]) == case["address"]
    assert parse(case["address"]) == (account, case["ss58_format"])


@given(st.binary(min_size=32, max_size=32), st.integers(0, (1 << 14) - 1))
def test_encoding_round_trips(account: bytes, prefix: int) -> None:
    assert parse(encode(account, prefix)) == (account, prefix)
    assert decode(encode(account, prefix), prefix) == account


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ALICE[:-1] + "Z", Ss58Reason.INVALID_CHECKSUM),
        (ALICE[:-1], Ss58Reason.BAD_LENGTH),
        ("", Ss58Reason.BAD_LENGTH),
        ("5" * 1000, Ss58Reason.BAD_LENGTH),
        ("0" + ALICE[1:], Ss58Reason.BAD_BASE58),
    ],
)
def test_malformed_addresses_are_refused(text: str, reason: Ss58Reason) -> None:
    with pytest.raises(Ss58Error) as refusal:
        decode(text)
    assert refusal.value.reason == reason


def test_another_chain_s_address_is_refused() -> None:
    with pytest.raises(Ss58Error, match=r"FormatNotAllowed \(wanted=0, found=42\)"):
        decode(ALICE, 0)


@pytest.mark.parametrize(("size", "prefix"), [(31, 42), (34, 42), (32, 1 << 14), (32, -1)])
def test_what_has_no_address_is_refused(size: int, prefix: int) -> None:
    with pytest.raises(Ss58Error):
        encode(bytes(size), prefix)


def test_an_ecdsa_key_is_no_account() -> None:
    with pytest.raises(Ss58Error, match=r"BadLength \(length=33\)"):
        decode(encode(bytes(33)))
