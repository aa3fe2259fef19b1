"""Sanitising: which core a candidate takes, and which candidates fit."""

from typing import Any

import msgspec
import pytest

from relaychain.primitives.candidate import BackedCandidate, CommittedCandidateReceipt, backed_candidate
from relaychain.primitives.types import CoreIndex, ParaId
from relaychain.runtime.sanitize import core_of, fitting, with_cores
from substrate.scale.bits import BitVec
from tests.relaychain.node.backing_parts import candidate

PARA = ParaId(1000)


def v2(core: int, height: int = 1) -> BackedCandidate:
    return backed_candidate(candidate(height, core=core), (), BitVec(), CoreIndex(core))


def v1(voted_core: int) -> BackedCandidate:
    """A candidate whose backers say the core; its own descriptor has a collator's signature there."""
    later = candidate()
    earlier = msgspec.structs.replace(later.descriptor, reserved2=bytes([1] * 64))
    return backed_candidate(CommittedCandidateReceipt(earlier, later.commitments), (), BitVec(), CoreIndex(voted_core))


def test_a_chain_ends_before_the_candidate_whose_core_is_not_free() -> None:
    free = {PARA: (CoreIndex(0), CoreIndex(1))}

    assert with_cores({PARA: [v2(2)]}, free) == {}
    assert with_cores({PARA: [v2(1), v2(1, height=2), v2(0)]}, free) == {PARA: [(v2(1), 1)]}
    assert with_cores({PARA: [v2(1), v2(0)]}, free) == {PARA: [(v2(1), 1), (v2(0), 0)]}


@pytest.mark.parametrize(
    ("voted_core", "scheduled", "core"), [(2, (1, 2), 2), (0, (1, 2), None), (0, (1,), 1), (1, (1,), 1), (1, (), None)]
)
def test_a_v1_candidate_takes_the_core_that_its_votes_name_or_the_only_one(
    voted_core: int, scheduled: tuple[int, ...], core: int | None
) -> None:
    assert core_of(v1(voted_core), map(CoreIndex, scheduled)) == core


def test_what_fits_leaves_none_behind_a_gap_of_its_para(make_relay: Any) -> None:
    relay = make_relay([2000, 2001])
    first, second = (relay.backed(relay.candidate(2000, head)) for head in (b"1", b"2" * 100))
    other = relay.backed(relay.candidate(2001, b"o", core=1))
    size = len(first.encode())

    assert fitting([first, second, first, other], 2 * size) == (first, other)
    assert fitting([first, other], 2 * size - 1) == (first,)
    assert fitting([], -1) == ()
