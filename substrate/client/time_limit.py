"""How long an author goes on taking transactions.

Source: polkadot-sdk, `substrate/client/basic-authorship/src/basic_authorship.rs`, its deadline.
"""

from substrate.client.protocols import Clock


class TimeLimit:
    """Says yes for so long, from the first time that it is asked: however slow the machine, one transaction is tried.

    Args:
        clock: Chain time: on a virtual clock, which stands still meanwhile, there is no limit.
        us: Microseconds.
    """

    def __init__(self, clock: Clock, us: int) -> None:
        self._clock = clock
        self._us = us
        self._began: int | None = None
        self.granted = 0
        """How often it said yes."""

    def __call__(self) -> bool:
        now = self._clock.now_us()
        if self._began is None:
            self._began = now
        has_time = self.granted == 0 or now - self._began < self._us
        self.granted += has_time
        return has_time
