"""How long transactions are taken."""

import pytest

from substrate.client.time_limit import TimeLimit


class Ticking:
    """A clock that goes on by 10 us whenever it is read."""

    def __init__(self) -> None:
        self._now = 1_000

    def now_us(self) -> int:
        self._now += 10
        return self._now

    async def sleep_until_us(self, at: int) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(("us", "yes"), [(0, 1), (5, 1), (30, 3), (31, 4)])
def test_a_limit_counts_from_the_first_question_which_is_granted(us: int, yes: int) -> None:
    limit = TimeLimit(Ticking(), us)

    assert [limit() for _ in range(8)] == [True] * yes + [False] * (8 - yes)
    assert limit.granted == yes
