"""Timestamp: once per block, never too early."""

from typing import Any

import pytest

from substrate.pallets.timestamp import INHERENT_ID, Timestamp, TimestampError, check_next
from substrate.runtime.dispatch import BadOrigin, DispatchFailure, Other
from substrate.runtime.origin import RawNone, RawSigned
from substrate.types import Moment


def clock(now: int) -> dict[bytes, bytes]:
    return {INHERENT_ID: now.to_bytes(8, "little")}


def test_the_inherent_sets_the_time_once(world: Any) -> None:
    timestamp = world.runtime.timestamp
    assert timestamp.inherent_required()
    inherent = timestamp.inherent(clock(50_000))
    world.runtime.dispatch(inherent, RawNone())

    assert timestamp.now.get() == 50_000
    assert not timestamp.inherent_required()
    with pytest.raises(DispatchFailure) as refusal:
        world.runtime.dispatch(inherent, RawNone())
    assert refusal.value.error == Other()
    assert "UpdatedTwice" in str(refusal.value.__cause__)
    timestamp.on_finalize(1)
    assert timestamp.inherent_required()


def test_an_author_with_a_slow_clock_takes_the_earliest_time(world: Any) -> None:
    timestamp = world.runtime.timestamp
    timestamp.now.put(Moment(10_000))

    assert timestamp.inherent(clock(10_001)).value.now == 13_000
    assert timestamp.inherent(clock(20_000)).value.now == 20_000
    assert timestamp.inherent({}) is None


def test_the_minimum_period_is_kept_to_the_millisecond() -> None:
    check_next(10, 13, minimum_period=3)
    check_next(0, 1, minimum_period=3)
    with pytest.raises(TimestampError, match="TooEarly"):
        check_next(10, 12, minimum_period=3)


def test_nobody_may_sign_it(world: Any) -> None:
    with pytest.raises(DispatchFailure) as refusal:
        world.runtime.dispatch(world.runtime.call(Timestamp.set, now=Moment(1)), RawSigned(bytes(32)))
    assert refusal.value.error == BadOrigin()
