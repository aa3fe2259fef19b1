"""Headers, digests and blocks on the wire."""

import pytest

from substrate.block import (
    Block,
    Consensus,
    Digest,
    Header,
    Other,
    PreRuntime,
    RuntimeEnvironmentUpdated,
    Seal,
    consensus_logs,
    extrinsics_root,
    genesis_header,
    pre_runtime,
    without_seal,
)
from substrate.crypto.hashing import blake2_256
from substrate.errors import DecodeError
from substrate.trie.nodes import EMPTY_ROOT
from substrate.types import BlockNumber, Hash

LOGS = (
    PreRuntime(b"BABE", b"\x01\x02"),
    Consensus(b"FRNK", b"\x03"),
    Other(b"x"),
    RuntimeEnvironmentUpdated(),
    Seal(b"BABE", b"\x04" * 64),
)
HEADER = Header(Hash(b"\x11" * 32), BlockNumber(42), Hash(b"\x22" * 32), Hash(b"\x33" * 32), Digest(LOGS))


def test_a_header_is_encoded_as_upstream_does() -> None:
    logs = b"\x14\x06BABE\x08\x01\x02\x04FRNK\x04\x03\x00\x04x\x08\x05BABE\x01\x01" + b"\x04" * 64
    expected = b"\x11" * 32 + b"\xa8" + b"\x22" * 32 + b"\x33" * 32 + logs

    assert HEADER.encode() == expected
    assert Header.decode(expected) == HEADER
    assert HEADER.hash == blake2_256(expected)


def test_a_block_prefixes_each_extrinsic_with_its_length() -> None:
    block = Block(HEADER, (b"\x04\x01", b""))

    assert block.encode() == HEADER.encode() + b"\x08\x08\x04\x01\x00"
    assert Block.decode(block.encode()) == block


def test_trailing_bytes_are_refused() -> None:
    with pytest.raises(DecodeError):
        Header.decode(HEADER.encode() + b"\0")


def test_an_unknown_digest_item_is_refused() -> None:
    with pytest.raises(DecodeError):
        Header.decode(b"\0" * 97 + b"\x04\x07")


def test_the_root_of_an_empty_body_is_the_empty_trie() -> None:
    assert extrinsics_root(()) == EMPTY_ROOT
    assert genesis_header(Hash(b"\1" * 32)).extrinsics_root == EMPTY_ROOT


def test_the_seal_is_split_off_and_only_at_the_end() -> None:
    unsealed, seal = without_seal(HEADER)

    assert seal == LOGS[-1]
    assert unsealed.digest.logs == LOGS[:-1]
    assert without_seal(unsealed) == (unsealed, None)


def test_digests_are_found_by_engine() -> None:
    assert pre_runtime(HEADER, b"BABE") == b"\x01\x02"
    assert pre_runtime(HEADER, b"aura") is None
    assert consensus_logs(HEADER, b"FRNK") == (b"\x03",)
