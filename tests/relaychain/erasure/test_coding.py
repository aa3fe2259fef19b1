"""Erasure coding: chunks for all, data from any f+1."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relaychain.erasure.coding import (
    ErasureError,
    ErasureReason,
    chunk_index,
    obtain_chunks,
    reconstruct,
    recovery_threshold,
    systematic_recovery_threshold,
)
from relaychain.erasure.proofs import MAX_NODE_BYTES, MAX_PROOF_NODES, branches, check_chunk

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "relay_erasure.json").read_text())
CASES: list[dict[str, Any]] = VECTORS["cases"]
DATA = bytes(range(1, 201))


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"n{case['n_validators']}-{case['shard_len']}")
def test_chunks_and_root_are_polkadots(case: Mapping[str, Any]) -> None:
    n, payload = case["n_validators"], unhex(case["payload"])

    chunks = obtain_chunks(n, payload)

    assert [chunk.hex() for chunk in chunks] == [unhex(chunk).hex() for chunk in case["chunks"]]
    assert recovery_threshold(n) == case["recovery_threshold"]
    assert systematic_recovery_threshold(n) == case["k_systematic"]
    assert branches(chunks)[0] == unhex(case["erasure_root_v0"])


@pytest.mark.parametrize("case", VECTORS["reference_c"], ids=lambda case: f"k{case['k']}")
def test_codewords_are_the_reference_ones(case: Mapping[str, Any]) -> None:
    data = b"".join(symbol.to_bytes(2, "big") for symbol in case["data"])

    chunks = obtain_chunks(case["n"], data)

    assert [int.from_bytes(chunk, "big") for chunk in chunks] == case["codeword"]


def swapped(symbols: bytes) -> bytes:
    """Little-endian symbols as big-endian ones, and back."""
    return b"".join(symbols[at : at + 2][::-1] for at in range(0, len(symbols), 2))


@pytest.mark.parametrize("case", VECTORS["jam_tiny_little_endian"]["cases"], ids=lambda case: case["file"])
def test_the_code_is_jams_in_another_layout(case: Mapping[str, Any]) -> None:
    shards = [unhex(shard) for shard in case["shards"]]
    rows = [swapped(shard) for shard in shards[:2]]
    columns = b"".join(row[at : at + 2] for at in range(0, len(rows[0]), 2) for row in rows)

    chunks = obtain_chunks(len(shards), columns)

    assert b"".join(shards[:2]).startswith(unhex(case["data"]))
    assert [swapped(chunk) for chunk in chunks] == shards


@pytest.mark.parametrize("example", VECTORS["chunk_index_examples"], ids=lambda example: f"core{example['core']}")
def test_chunk_map_is_rfc_47(example: Mapping[str, Any]) -> None:
    n, core = example["n"], example["core"]

    assert [chunk_index(n, validator, core, is_mapped=True) for validator in range(n)] == example["map"]
    assert [chunk_index(n, validator, core, is_mapped=False) for validator in range(n)] == list(range(n))


@given(n=st.integers(2, 40), core=st.integers(0, 100))
def test_chunk_map_is_a_permutation(n: int, core: int) -> None:
    assert sorted(chunk_index(n, validator, core, is_mapped=True) for validator in range(n)) == list(range(n))


@settings(max_examples=60)
@given(n=st.integers(2, 31), data=st.binary(min_size=1, max_size=200), choice=st.randoms(use_true_random=False))
def test_any_f_plus_1_chunks_give_the_data_back(n: int, data: bytes, choice: Any) -> None:
    chunks = obtain_chunks(n, data)
    kept = choice.sample(range(n), recovery_threshold(n))

    recovered = reconstruct(n, {index: chunks[index] for index in kept})

    assert recovered[: len(data)] == data
    assert not any(recovered[len(data) :])


@settings(max_examples=30)
@given(n=st.integers(2, 12), index=st.integers(0, 11), flip=st.integers(0, 7))
def test_a_chunk_is_proven_and_a_flipped_bit_is_caught(n: int, index: int, flip: int) -> None:
    index %= n
    chunks = obtain_chunks(n, DATA)
    root, proofs = branches(chunks)
    check_chunk(root, index, chunks[index], proofs[index])

    corrupt = bytes([chunks[index][0] ^ 1 << flip]) + chunks[index][1:]
    with pytest.raises(ErasureError) as rejection:
        check_chunk(root, index, corrupt, proofs[index])
    assert rejection.value.reason is ErasureReason.INVALID_BRANCH_PROOF


def test_a_proof_without_its_nodes_proves_nothing() -> None:
    root, _ = branches(obtain_chunks(4, DATA))
    with pytest.raises(ErasureError):
        check_chunk(root, 0, obtain_chunks(4, DATA)[0], ())


@pytest.mark.parametrize(
    ("node_bytes", "node_count", "is_accepted"),
    [
        (MAX_NODE_BYTES, MAX_PROOF_NODES, True),
        (MAX_NODE_BYTES + 1, MAX_PROOF_NODES, False),
        (1, MAX_PROOF_NODES + 1, False),
    ],
)
def test_a_proof_over_its_bounds_is_not_read(node_bytes: int, node_count: int, is_accepted: bool) -> None:
    chunks = obtain_chunks(4, DATA)
    root, proofs = branches(chunks)
    padding = tuple(bytes([1]) * node_bytes for _ in range(node_count - len(proofs[0])))
    proof = (*proofs[0], *padding)

    if is_accepted:
        check_chunk(root, 0, chunks[0], proof)
        return
    with pytest.raises(ErasureError) as rejection:
        check_chunk(root, 0, chunks[0], proof)
    assert rejection.value.reason is ErasureReason.INVALID_BRANCH_PROOF


def rejected(n: int, chunks: Mapping[int, bytes]) -> ErasureReason:
    with pytest.raises(ErasureError) as rejection:
        reconstruct(n, chunks)
    assert isinstance(rejection.value.reason, ErasureReason)
    return rejection.value.reason


def test_each_broken_input_has_its_reason() -> None:
    assert rejected(1, {}) is ErasureReason.NOT_ENOUGH_VALIDATORS
    assert rejected(65537, {}) is ErasureReason.TOO_MANY_VALIDATORS
    assert rejected(4, {0: b"ab"}) is ErasureReason.NOT_ENOUGH_CHUNKS
    assert rejected(4, {0: b"ab", 4: b"ab"}) is ErasureReason.CHUNK_INDEX_OUT_OF_BOUNDS
    assert rejected(4, {0: b"ab", 1: b"abcd"}) is ErasureReason.NON_UNIFORM_CHUNKS
    assert rejected(4, {0: b"abc", 1: b"abc"}) is ErasureReason.UNEVEN_LENGTH
    assert rejected(4, {0: b"", 1: b""}) is ErasureReason.BAD_PAYLOAD
    with pytest.raises(ErasureError):
        obtain_chunks(4, b"")
