"""Scheduler: groups, rotation, claims and timeouts."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaychain.primitives.core_state import GroupRotationInfo
from relaychain.primitives.types import CoreIndex, GroupIndex, ParaId, ValidatorIndex
from relaychain.runtime.configuration import default_configuration, with_overrides
from relaychain.runtime.scheduler import (
    Assignment,
    BulkClaim,
    advanced,
    core_count,
    group_assigned_to_core,
    refilled,
    timeout_status,
    validator_groups,
)
from substrate.types import BlockNumber

ROTATION: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "relay_primitives.json").read_text())[
    "group_rotation"
]["next_rotation_at"]
A, B = BulkClaim(ParaId(1)), BulkClaim(ParaId(2))


def at(number: int, *, start: int = 10, frequency: int = 5) -> GroupRotationInfo:
    return GroupRotationInfo(BlockNumber(start), BlockNumber(frequency), BlockNumber(number))


def test_rotations_begin_where_upstreams_do() -> None:
    info = at(ROTATION["now"], start=ROTATION["session_start"], frequency=ROTATION["freq"])

    assert (info.last_rotation_at, info.next_rotation_at) == (ROTATION["last"], ROTATION["next"])


@given(cores=st.integers(1, 64), rotation=st.integers(0, 128), core=st.integers(0, 63))
def test_group_and_core_maps_are_inverse(cores: int, rotation: int, core: int) -> None:
    info = at(rotation, start=0, frequency=1)
    core = CoreIndex(core % cores)

    group = info.group_for_core(core, cores)

    assert info.core_for_group(group, cores) == core
    assert group == group_assigned_to_core(
        core, BlockNumber(rotation), session_start=BlockNumber(0), frequency=BlockNumber(1), n_groups=cores
    )


@given(validators=st.integers(1, 60), cores=st.integers(1, 20))
def test_each_validator_is_in_exactly_one_group(validators: int, cores: int) -> None:
    groups = validator_groups(validators, cores)

    assert len(groups) == cores
    assert [index for group in groups for index in group] == list(range(validators))
    assert max(map(len, groups)) - min(map(len, groups)) <= 1


def test_four_validators_on_three_cores() -> None:
    assert validator_groups(4, 3) == (
        (ValidatorIndex(0), ValidatorIndex(1)),
        (ValidatorIndex(2),),
        (ValidatorIndex(3),),
    )
    assert validator_groups(4, 0) == validator_groups(0, 3) == ()


def test_no_group_backs_before_the_session_or_off_the_cores() -> None:
    def group(core: int, block: int) -> GroupIndex | None:
        return group_assigned_to_core(
            CoreIndex(core),
            BlockNumber(block),
            session_start=BlockNumber(10),
            frequency=BlockNumber(5),
            n_groups=3,
        )

    assert [group(0, block) for block in (9, 10, 14, 15, 25)] == [None, 0, 0, 1, 0]
    assert group(3, 10) is None


def test_core_count_follows_groups_that_would_be_too_large() -> None:
    config = with_overrides(
        default_configuration(), {"scheduler_params": {"num_cores": 2, "max_validators_per_core": 3}}
    )

    assert [core_count(config, validators) for validators in (4, 8, 9)] == [2, 2, 3]


def test_an_empty_queue_gets_its_first_claim_twice() -> None:
    claims = iter([A, B, A])
    assert refilled((), lambda: next(claims), lookahead=3) == (A, A, B)
    assert refilled((), lambda: B, lookahead=1) == (B,)
    assert refilled((A,), lambda: None, lookahead=3) == (A,)


@given(
    queue=st.dictionaries(st.integers(0, 4), st.lists(st.sampled_from([A, B]), max_size=3)),
    blocked=st.sets(st.integers(0, 4)),
    lookahead=st.integers(1, 3),
)
def test_a_claim_queue_never_exceeds_the_lookahead_and_blocked_cores_keep_their_turn(
    queue: dict[int, list[Assignment]], blocked: set[int], lookahead: int
) -> None:
    before = {CoreIndex(core): tuple(claims[:lookahead]) for core, claims in queue.items()}
    cores = frozenset(map(CoreIndex, blocked))

    after = advanced(before, n_cores=5, lookahead=lookahead, blocked=cores, pop=lambda _core: A)

    assert all(len(claims) == lookahead for claims in after.values())
    for core, claims in before.items():
        left = claims if core in cores else claims[1:]
        assert after[core][: len(left)] == left


@pytest.mark.parametrize(
    ("now", "backed_in", "timed_out", "live_until"),
    [
        (15, 11, True, 15),  # head of the rotation at 15: 4 blocks are enough
        (15, 12, False, 16),
        (17, 13, True, 17),
        (18, 13, False, 24),  # past the head: safe until the next one
        (14, 10, True, 14),  # the check looks one block ahead
    ],
)
def test_timeouts(now: int, backed_in: int, timed_out: bool, live_until: int) -> None:
    status = timeout_status(at(now), backed_in=BlockNumber(backed_in), availability_period=BlockNumber(4))

    assert (status.timed_out, status.live_until) == (timed_out, live_until)
