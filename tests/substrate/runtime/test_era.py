"""Eras: upstream's unit tests, and every encoding there is."""

import pytest

from substrate.errors import DecodeError
from substrate.runtime.era import IMMORTAL, Era, mortal, read_era


@pytest.mark.parametrize("current", [0, 1, 2**64 - 1])
def test_an_immortal_era_has_no_end(current: int) -> None:
    assert (IMMORTAL.birth(current), IMMORTAL.death(current), IMMORTAL.to_bytes()) == (0, None, b"\0")


@pytest.mark.parametrize(
    ("period", "current", "era"),
    [
        (64, 42, Era(64, 42)),
        (32768, 20000, Era(32768, 20000)),
        (200, 513, Era(256, 1)),
        (2, 1, Era(4, 1)),
        (0, 1, Era(4, 1)),
        (4, 5, Era(4, 1)),
        (1_000_000, 1_000_001, Era(65536, 1_000_001 % 65536 // 4 * 4)),
    ],
)
def test_periods_are_rounded_up_and_phases_quantised(period: int, current: int, era: Era) -> None:
    assert mortal(period, current) == era


@pytest.mark.parametrize(
    ("era", "encoded"),
    [
        (mortal(64, 42), bytes([5 + 42 % 16 * 16, 42 // 16])),
        (mortal(32768, 20000), bytes([14 + 2500 % 16 * 16, 2500 // 16])),
    ],
)
def test_encodings_are_upstreams(era: Era, encoded: bytes) -> None:
    assert era.to_bytes() == encoded
    assert read_era(b"?" + encoded, 1) == (era, 3)


def test_an_era_lives_from_its_birth_to_the_block_before_its_death() -> None:
    era = mortal(4, 6)

    assert [(era.birth(block), era.death(block)) for block in range(5, 11)] == [(2, 6), *[(6, 10)] * 4, (10, 14)]


def test_before_the_first_phase_an_era_begins_at_its_phase() -> None:
    assert mortal(4, 3).birth(1) == 3


def test_every_pair_of_bytes_is_refused_or_an_era_with_that_encoding() -> None:
    refused = 0
    for value in range(1 << 16):
        encoded = value.to_bytes(2, "little")
        if not encoded[0]:
            continue
        try:
            era, end = read_era(encoded, 0)
        except DecodeError:
            refused += 1
            continue
        assert (era.to_bytes(), end) == (encoded, 2)
        assert era.phase < era.period
    # Period 2 (first nibble 0), and phases outside the periods of 4 to 2,048 blocks.
    assert refused == 15 * 256 + sum(4096 - (2 << exponent) for exponent in range(1, 11))


@pytest.mark.parametrize("data", [b"", b"\5"])
def test_short_input_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError, match="at offset 0"):
        read_era(data, 0)
