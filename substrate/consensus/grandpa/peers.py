"""Where the peers stand, and whom to ask for a completed round."""

from typing import NamedTuple

ASK_AT_ONCE = 2
"""Rounds behind a peer at which a voter asks without waiting for its timer."""


class Standing(NamedTuple):
    """A peer's authority set and round, as far as it is known."""

    set_id: int
    round: int


class Peers:
    """Standings by peer; requests are spaced by `spacing_us`."""

    def __init__(self, spacing_us: int) -> None:
        self._standings: dict[str, Standing] = {}
        self._spacing_us = spacing_us
        self._next_request_at = 0

    def note(self, peer: str, standing: Standing) -> None:
        """A peer was seen in a round."""
        if standing > self._standings.get(peer, (-1, -1)):
            self._standings[peer] = standing

    def to_ask(self, own: Standing, *, behind_by: int, now_us: int) -> tuple[str, int] | None:
        """A peer at least `behind_by` rounds ahead in our set and the round to ask it for, None if it is too soon.

        Several such peers take turns, so that one that never answers holds nobody up.
        """
        ahead = [
            (peer, standing.round - 1)
            for peer, standing in self._standings.items()
            if standing.set_id == own.set_id and standing.round >= own.round + behind_by
        ]
        if not ahead or now_us < self._next_request_at:
            return None
        self._next_request_at = now_us + self._spacing_us
        return ahead[now_us // self._spacing_us % len(ahead)]
