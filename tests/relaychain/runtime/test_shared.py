"""Shared: who validates, and on which relay parents."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaychain.primitives.types import CoreIndex, ParaId, ValidatorIndex
from relaychain.runtime.session_info import active_then_inactive
from relaychain.runtime.shared import AllowedRelayParents, RelayParentInfo, active_validator_indices, transposed
from relaychain.runtime.shuffle import ChaCha20Rng, sampled, shuffled
from substrate.types import BlockNumber, Hash

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "relay_approval.json").read_text())[
    "generate_samples"
]
SEED = bytes.fromhex(VECTORS["seed"][2:])


@pytest.mark.parametrize("case", VECTORS["cases"])
def test_random_samples_are_upstreams(case: dict[str, Any]) -> None:
    # Upstream takes at most 40 samples.
    assert sampled(SEED, range(case["max_cores"]), min(case["num_samples"], 40)) == case["expect"]


def test_the_stream_is_rfc_7539s() -> None:
    # Key of zeros, block 0 and 1.
    rng = ChaCha20Rng(bytes(32))
    words = [rng.next_u32() for _ in range(17)]

    assert words[0].to_bytes(4, "little").hex() == "76b8e0ad"
    assert words[16].to_bytes(4, "little").hex() == "9f07e7be"


@given(st.binary(min_size=32, max_size=32), st.integers(0, 40))
def test_a_shuffle_is_a_permutation(seed: bytes, count: int) -> None:
    assert sorted(shuffled(seed, range(count))) == list(range(count))


def test_the_maximum_cuts_the_shuffled_list() -> None:
    everyone = active_validator_indices(9, random_seed=SEED, max_validators=None)

    assert sorted(everyone) == list(range(9))
    assert active_validator_indices(9, random_seed=SEED, max_validators=4) == everyone[:4]
    assert active_then_inactive([ValidatorIndex(2), ValidatorIndex(0)], "abcd") == ("c", "a", "b", "d")


def info(number: int) -> RelayParentInfo:
    return RelayParentInfo(Hash(bytes([number] * 32)), Hash(bytes(32)), {})


def test_the_last_relay_parents_are_allowed_and_none_before_the_last_context() -> None:
    allowed = AllowedRelayParents()
    for number in range(1, 6):
        allowed = allowed.updated(info(number), number=BlockNumber(number), length=3)

    assert [allowed.acquire(info(number).relay_parent) for number in (2, 3, 5)] == [None, (info(3), 3), (info(5), 5)]
    assert allowed.acquire(info(4).relay_parent, BlockNumber(4)) == (info(4), 4)
    assert allowed.acquire(info(3).relay_parent, BlockNumber(4)) is None


def test_a_claim_queue_by_para_and_depth() -> None:
    a, b = ParaId(1), ParaId(2)
    queue = {CoreIndex(1): [a, b], CoreIndex(0): [a]}

    assert transposed(queue) == {a: {0: (0, 1)}, b: {1: (1,)}}
