"""Messages about relay parents that this node has not imported yet: kept for a moment, oldest dropped first.

A peer has only so much room, so that one who talks of blocks that never come does not crowd out the others.
"""

from collections.abc import Collection
from typing import NamedTuple

from substrate.errors import ChainError
from substrate.types import BlockNumber, Hash

MAX_NOTIFICATION_SIZE = 100 * 1024
"""Bytes of a message between nodes; upstream's constant of that name."""
MAX_STATEMENT_SIZE = 8 << 20
"""Bytes of a message with a statement: unlike upstream's it has the commitments, with code (3 MiB) and messages."""
HELD_MESSAGES = 512
HELD_PER_PEER = 64
HELD_BYTES = 8 * MAX_STATEMENT_SIZE
HELD_BYTES_PER_PEER = MAX_STATEMENT_SIZE
HELD_BLOCKS = 8
"""How many blocks the chain may grow before a message is given up."""


class OversizedMessage(ChainError):
    """A message that is too long to be looked at."""


def check_size(payload: bytes, limit: int = MAX_NOTIFICATION_SIZE) -> None:
    """Check the length of a message before it is decoded.

    Raises:
        OversizedMessage: It is longer than `limit`.
    """
    if len(payload) > limit:
        raise OversizedMessage(f"a message of {len(payload)} bytes, at most {limit} are read")


class Held(NamedTuple):
    """A message that came early."""

    relay_parent: Hash
    sender: str
    payload: bytes
    since: BlockNumber
    """Height of the latest leaf when it came."""


class HeldMessages:
    """Early messages, in order of arrival; bounded by number, bytes and age, in all and by peer."""

    def __init__(self, limit: int = HELD_MESSAGES, per_peer: int = HELD_PER_PEER) -> None:
        self._waiting: list[Held] = []
        self._limit = limit
        self._per_peer = per_peer
        self._height = BlockNumber(0)

    def hold(self, relay_parent: Hash, sender: str, payload: bytes) -> None:
        """Keep a message."""
        self._waiting.append(Held(relay_parent, sender, payload, self._height))
        of_peer = [held for held in self._waiting if held.sender == sender]
        self._drop(_surplus(of_peer, self._per_peer, HELD_BYTES_PER_PEER))
        self._drop(_surplus(self._waiting, self._limit, HELD_BYTES))

    def release(self, relay_parents: Collection[Hash], height: BlockNumber) -> list[Held]:
        """The messages about these relay parents of a leaf at `height`, no longer kept; drops those too old."""
        self._height = max(self._height, height)
        released = [held for held in self._waiting if held.relay_parent in relay_parents]
        self._drop(released)
        self._drop([held for held in self._waiting if self._height - held.since > HELD_BLOCKS])
        return released

    def _drop(self, dropped: Collection[Held]) -> None:
        if dropped:
            gone = {id(held) for held in dropped}
            self._waiting = [held for held in self._waiting if id(held) not in gone]


def _surplus(waiting: list[Held], limit: int, limit_bytes: int) -> list[Held]:
    """The oldest messages, as many as are over a limit."""
    size, count = sum(len(held.payload) for held in waiting), len(waiting)
    surplus: list[Held] = []
    for held in waiting:
        if count <= limit and size <= limit_bytes:
            break
        surplus.append(held)
        count, size = count - 1, size - len(held.payload)
    return surplus
