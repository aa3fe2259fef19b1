"""Messages that came too early: for a later round, a later set, or a block not imported yet. All bounded."""

from typing import Any

from substrate.consensus.grandpa.types import AuthorityId, GossipMessage, VoteMessage
from substrate.scale.codec import codec_of
from substrate.types import Hash
from substrate.waiting import WaitingRoom

HELD_PER_SENDER = 128
"""An honest peer has a few votes and commits out for blocks that we lack, or for the next set."""
HELD_BYTES_PER_SENDER = 512 << 10
MAX_ROUNDS_AHEAD = 8
MISSING_PER_VOTER = 2
"""Blocks asked for at a time: a voter may name ones that are nowhere."""
VOTES_PER_VOTER = 6
"""Two of each kind: more prove nothing."""
_MESSAGE = codec_of(GossipMessage)


class Inbox:
    """What to look at again later, with its sender."""

    def __init__(self) -> None:
        self._by_block: WaitingRoom[Hash, GossipMessage] = _room()
        self._by_round: dict[int, dict[VoteMessage, str]] = {}
        self._by_set: WaitingRoom[int, GossipMessage] = _room()

    def wait_for_block(self, block: Hash, sender: str, message: GossipMessage) -> None:
        """Hold until `block` is imported."""
        self._by_block.put(block, sender, message, size_bytes=len(_MESSAGE.encode(message)))

    def wait_for_set(self, set_id: int, sender: str, message: GossipMessage) -> None:
        """Hold until a set starts."""
        self._by_set.put(set_id, sender, message, size_bytes=len(_MESSAGE.encode(message)))

    def wait_for_round(self, sender: str, message: VoteMessage) -> None:
        """Hold a checked vote until its round starts."""
        votes = self._by_round.setdefault(message.round, {})
        if sum(vote.message.id == message.message.id for vote in votes) < VOTES_PER_VOTER:
            votes.setdefault(message, sender)

    def missing(self, round_number: int, finalized_number: int) -> list[Hash]:
        """Blocks that hold up a round: votes since the round before wait for them. A few of each voter."""
        wanted: dict[AuthorityId, dict[Hash, None]] = {}
        for block, message in self._by_block.pairs():
            if not isinstance(message, VoteMessage) or message.round < round_number - 1:
                continue
            if message.message.message.target_number > finalized_number:
                wanted.setdefault(message.message.id, {})[block] = None
        return list(dict.fromkeys(block for blocks in wanted.values() for block in list(blocks)[-MISSING_PER_VOTER:]))

    def take_block(self, block: Hash) -> list[tuple[str, GossipMessage]]:
        """What waited for a block."""
        return self._by_block.take(block)

    def take_round(self, number: int) -> list[tuple[str, VoteMessage]]:
        """What waited for a round; earlier rounds are dropped."""
        for old in [held for held in self._by_round if held < number]:
            del self._by_round[old]
        return [(sender, message) for message, sender in self._by_round.pop(number, {}).items()]

    def take_set(self, set_id: int) -> list[tuple[str, GossipMessage]]:
        """What waited for a set; everything of earlier sets is dropped."""
        self._by_round.clear()
        self._by_block = _room()
        for old in [held for held in self._by_set if held < set_id]:
            self._by_set.take(old)
        return self._by_set.take(set_id)


def _room() -> WaitingRoom[Any, GossipMessage]:
    return WaitingRoom(count=HELD_PER_SENDER, size_bytes=HELD_BYTES_PER_SENDER)
