"""Messages that came too early: for a later round, a later set, or a block not imported yet. All bounded."""

from substrate.consensus.grandpa.types import GossipMessage, VoteMessage
from substrate.types import Hash

MAX_HELD = 1024
MAX_ROUNDS_AHEAD = 8
VOTES_PER_VOTER = 6
"""Two of each kind: more prove nothing."""


class Inbox:
    """What to look at again later, with its sender."""

    def __init__(self) -> None:
        self._by_block: dict[Hash, list[tuple[str, GossipMessage]]] = {}
        self._by_round: dict[int, dict[VoteMessage, str]] = {}
        self._by_set: dict[int, list[tuple[str, GossipMessage]]] = {}
        self._held = 0

    def wait_for_block(self, block: Hash, sender: str, message: GossipMessage) -> None:
        """Hold until `block` is imported."""
        if self._held >= MAX_HELD and self._by_block:
            self.take_block(next(iter(self._by_block)))  # the oldest gives way
        if self._held < MAX_HELD:
            self._held += 1
            self._by_block.setdefault(block, []).append((sender, message))

    def wait_for_set(self, set_id: int, sender: str, message: GossipMessage) -> None:
        """Hold until a set starts."""
        if self._held < MAX_HELD:
            self._held += 1
            self._by_set.setdefault(set_id, []).append((sender, message))

    def wait_for_round(self, sender: str, message: VoteMessage) -> None:
        """Hold a checked vote until its round starts."""
        votes = self._by_round.setdefault(message.round, {})
        if sum(vote.message.id == message.message.id for vote in votes) < VOTES_PER_VOTER:
            votes.setdefault(message, sender)

    def take_block(self, block: Hash) -> list[tuple[str, GossipMessage]]:
        """What waited for a block."""
        found = self._by_block.pop(block, [])
        self._held -= len(found)
        return found

    def take_round(self, number: int) -> list[tuple[str, VoteMessage]]:
        """What waited for a round; earlier rounds are dropped."""
        for old in [held for held in self._by_round if held < number]:
            del self._by_round[old]
        return [(sender, message) for message, sender in self._by_round.pop(number, {}).items()]

    def take_set(self, set_id: int) -> list[tuple[str, GossipMessage]]:
        """What waited for a set; everything of earlier sets is dropped."""
        self._by_round.clear()
        self._by_block.clear()
        for old in [held for held in self._by_set if held < set_id]:
            del self._by_set[old]
        found = self._by_set.pop(set_id, [])
        self._held = sum(len(held) for held in self._by_set.values())
        return found
