"""Metering: caps inside of limits."""

import pytest

from relaychain.pvf.meter import Meter
from substrate.runtime.steps import StepLimit


def taken(meter: Meter, count: int) -> None:
    for _ in range(count):
        meter.step()


def test_what_is_taken_under_a_cap_is_taken_from_what_is_left() -> None:
    meter = Meter()
    meter.left = 10

    with meter.capped(5):
        taken(meter, 5)

    assert meter.left == 5


def test_a_cap_that_is_reached_leaves_the_steps_around_it() -> None:
    meter = Meter()
    meter.left = 10

    with pytest.raises(StepLimit), meter.capped(5):
        taken(meter, 6)

    assert (meter.left, meter.is_exceeded) == (4, False)


def test_a_cap_allows_no_more_than_is_left() -> None:
    meter = Meter()
    meter.left = 3

    with pytest.raises(StepLimit), meter.capped(5):
        taken(meter, 4)

    assert meter.is_exceeded


def test_code_that_swallows_the_limit_meets_it_where_its_cap_ends() -> None:
    meter = Meter()
    meter.left = 10

    with pytest.raises(StepLimit), meter.capped(2):
        with pytest.raises(StepLimit):
            taken(meter, 3)

    assert meter.left == 7
