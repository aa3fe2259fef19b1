"""Messages about relay parents that this node has not imported yet: kept for a moment, oldest dropped first.

A peer has only so much room, so that one who talks of blocks that never come does not crowd out the others.
"""

from collections import deque
from collections.abc import Collection
from typing import NamedTuple

from substrate.types import Hash

HELD_MESSAGES = 512
HELD_PER_PEER = 64


class Held(NamedTuple):
    """A message that came early."""

    relay_parent: Hash
    sender: str
    payload: bytes


class HeldMessages:
    """Early messages, in order of arrival."""

    def __init__(self, limit: int = HELD_MESSAGES, per_peer: int = HELD_PER_PEER) -> None:
        self._waiting: deque[Held] = deque(maxlen=limit)
        self._per_peer = per_peer

    def hold(self, relay_parent: Hash, sender: str, payload: bytes) -> None:
        """Keep a message."""
        of_peer = [held for held in self._waiting if held.sender == sender]
        if len(of_peer) >= self._per_peer:
            self._waiting.remove(of_peer[0])
        self._waiting.append(Held(relay_parent, sender, payload))

    def release(self, relay_parents: Collection[Hash]) -> list[Held]:
        """The messages about these relay parents, no longer kept."""
        released = [held for held in self._waiting if held.relay_parent in relay_parents]
        if released:
            kept = [held for held in self._waiting if held.relay_parent not in relay_parents]
            self._waiting = deque(kept, self._waiting.maxlen)
        return released
