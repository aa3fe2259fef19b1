"""Early messages: one peer's junk never costs the messages of another."""

import pytest

from substrate.consensus.grandpa.actions import Finalize, Missing
from substrate.consensus.grandpa.inbox import HELD_BYTES_PER_SENDER, HELD_PER_SENDER, MISSING_PER_VOTER, Inbox
from substrate.consensus.grandpa.signing import sign_vote
from substrate.consensus.grandpa.testing import BlockTree
from substrate.consensus.grandpa.types import (
    AuthorityId,
    CommitMessage,
    CompactCommit,
    GossipMessage,
    Message,
    Precommit,
    Prevote,
    Signature,
    VoteMessage,
)
from substrate.consensus.grandpa.voter import REPEAT_AFTER, Voter
from substrate.types import BlockNumber, Hash
from tests.substrate.consensus.grandpa.test_voter import GENESIS, GOSSIP, PAIRS, authorities


def junk(mark: int, set_id: int) -> CommitMessage:
    """A commit of set `set_id` with one vote for a block that does not exist."""
    block, number = Hash(mark.to_bytes(32, "big")), BlockNumber(1)
    auth = (Signature(bytes(64)), AuthorityId(bytes(32)))
    return CommitMessage(1, set_id, CompactCommit(block, number, (Precommit(block, number),), (auth,)))


def vote(index: int, message: Message, set_id: int, round_number: int = 1) -> VoteMessage:
    signed = sign_vote(PAIRS[index], message, round_number=round_number, set_id=set_id)
    return VoteMessage(round_number, set_id, signed)


@pytest.mark.parametrize("set_id", [0, 1], ids=["for a block to come", "for the next set"])
def test_votes_that_came_early_count_whatever_a_peer_sends_meanwhile(set_id: int) -> None:
    tree = BlockTree(GENESIS)
    voter = Voter(tree, signer=None, gossip_us=GOSSIP)
    voter.start_set(0, 0, authorities(4))
    later = BlockTree(GENESIS)
    block = later.extend(GENESIS)

    for mark in range(2000):
        voter.on_message(1, "mallory", junk(mark, set_id))
    for index in range(3):
        for message in (Prevote(*block), Precommit(*block)):
            voter.on_message(2, str(index), vote(index, message, set_id))
    for mark in range(2000, 4000):
        voter.on_message(3, "mallory", junk(mark, set_id))
    tree.add(later.headers[block.hash])
    actions = voter.on_imported(4, block)
    if set_id:
        actions = voter.start_set(5, set_id, authorities(4))

    assert [action.block for action in actions if isinstance(action, Finalize)] == [block]


def test_a_block_that_holds_up_a_round_is_wanted_once_the_round_takes_long() -> None:
    voter = Voter(BlockTree(GENESIS), signer=None, gossip_us=GOSSIP)
    voter.start_set(0, 0, authorities(4))
    block = BlockTree(GENESIS).extend(GENESIS)
    late = REPEAT_AFTER * GOSSIP

    voter.on_message(1, "1", vote(1, Prevote(*block), 0))
    early = voter.on_timer(late - 1)

    assert [action for action in early if isinstance(action, Missing)] == []
    assert [action for action in voter.on_timer(late) if isinstance(action, Missing)] == [Missing(block.hash)]


def test_a_voter_names_few_blocks_at_a_time_and_crowds_out_only_itself() -> None:
    inbox = Inbox()
    named = [Hash(mark.to_bytes(32, "big")) for mark in range(20)]
    inbox.wait_for_block(named[0], "peer", vote(1, Prevote(named[0], BlockNumber(5)), 0))
    for block in named[1:]:
        inbox.wait_for_block(block, "peer", vote(2, Prevote(block, BlockNumber(5)), 0))

    assert inbox.missing(round_number=1, finalized_number=4) == [named[0], *named[-MISSING_PER_VOTER:]]


@pytest.mark.parametrize(
    ("message", "is_wanted"),
    [
        (vote(1, Prevote(GENESIS, BlockNumber(5)), 0), True),
        (vote(1, Precommit(GENESIS, BlockNumber(5)), 0), True),
        (vote(1, Prevote(GENESIS, BlockNumber(4)), 0), False),
        (vote(1, Prevote(GENESIS, BlockNumber(5)), 0, round_number=2), False),
        (junk(0, 0), False),
    ],
    ids=["prevote", "precommit", "of a final height", "of an old round", "not signed by a voter"],
)
def test_only_blocks_of_votes_that_still_count_are_wanted(message: GossipMessage, is_wanted: bool) -> None:
    inbox = Inbox()
    inbox.wait_for_block(GENESIS, "peer", message)
    since = 4 if isinstance(message, VoteMessage) and message.round == 2 else 2

    assert inbox.missing(round_number=since, finalized_number=4) == [GENESIS] * is_wanted


def test_a_peer_has_room_for_a_number_of_messages() -> None:
    inbox = Inbox()
    for mark in range(2 * HELD_PER_SENDER):
        inbox.wait_for_set(1, "mallory", junk(mark, 1))

    assert inbox.take_set(1) == [("mallory", junk(mark, 1)) for mark in range(HELD_PER_SENDER, 2 * HELD_PER_SENDER)]


def test_large_messages_fill_a_peers_room_sooner() -> None:
    inbox = Inbox()
    large = CompactCommit(GENESIS, BlockNumber(0), (), ((Signature(bytes(64)), AuthorityId(bytes(32))),) * 3000)
    for mark in range(4):
        inbox.wait_for_block(GENESIS, "mallory", CommitMessage(mark, 1, large))

    kept = HELD_BYTES_PER_SENDER // (96 * 3000)
    assert [message.round for _, message in inbox.take_block(GENESIS) if isinstance(message, CommitMessage)] == list(
        range(4 - kept, 4)
    )
