"""One voter's conduct in a round: when it votes, and when the next round may start."""

import pytest

from substrate.consensus.grandpa.blocks import BlockRef
from substrate.consensus.grandpa.round import Round, RoundState
from substrate.consensus.grandpa.rules import find_hinted, unrestricted
from substrate.consensus.grandpa.testing import BlockTree
from substrate.consensus.grandpa.types import AuthorityId, Precommit, Prevote, Signature
from substrate.consensus.grandpa.voter_set import VoterSet
from substrate.consensus.grandpa.voting_round import PREVOTE_DELAY, VotingRound
from substrate.types import Hash

GOSSIP = 1_000
UNSIGNED = Signature(b"")
VOTERS = VoterSet((AuthorityId(bytes([index])), 1) for index in range(4))
TREE = BlockTree(Hash(b"genesis"), 1)
TREE.push("genesis", "A", "B", "C", "D")
TREE.push("A", "b")
GENESIS = TREE.ref(Hash(b"genesis"))


def ref(name: str) -> BlockRef:
    return TREE.ref(Hash(name.encode()))


def round_of(target: str, voters: int) -> VotingRound:
    """The first voter's round after some others voted for a block twice."""
    votes = Round(2, VOTERS, GENESIS)
    for voter in VOTERS.ids[1 : voters + 1]:
        votes.import_prevote(Prevote(*ref(target)), voter, UNSIGNED, TREE)
        votes.import_precommit(Precommit(*ref(target)), voter, UNSIGNED, TREE)
    return VotingRound(votes, voter=VOTERS.ids[0], started_us=0, gossip_us=GOSSIP)


def state(estimate: str, *, final: str | None = None) -> RoundState:
    return RoundState(ref(estimate), None if final is None else ref(final), ref(estimate), completable=True)


def test_a_voter_waits_with_its_prevote_unless_the_round_can_do_without() -> None:
    last = state("genesis", final="genesis")
    slow, done = round_of("A", 2), round_of("A", 3)
    prevote_at = PREVOTE_DELAY * GOSSIP

    assert slow.next_vote(prevote_at - 1, last, TREE, unrestricted) is None
    assert slow.next_vote(prevote_at, last, TREE, unrestricted) == Prevote(*ref("D"))
    assert done.next_vote(1, last, TREE, unrestricted) == Prevote(*ref("D"))
    assert done.next_vote(1, last, TREE, unrestricted) == Precommit(*ref("A"))


@pytest.mark.parametrize(
    ("last", "complete"),
    [
        (state("A"), True),
        (state("B"), False),
        (state("B", final="A"), False),
        (state("B", final="B"), True),
    ],
)
def test_the_next_round_starts_once_what_the_last_might_finalise_is_final(last: RoundState, complete: bool) -> None:
    current = round_of("A", 3)
    assert not current.is_complete(state("A")), "our votes are not cast"
    for message in (Prevote(*ref("A")), Precommit(*ref("A"))):
        assert current.next_vote(1, state("genesis", final="genesis"), TREE, unrestricted) is not None, message

    assert current.is_complete(last) is complete


@pytest.mark.parametrize(
    ("hint", "found"),
    [(None, "A"), ("genesis", "A"), ("A", "A"), ("B", "B"), ("C", "C"), ("D", "A"), ("b", "A")],
)
def test_the_primarys_hint_counts_between_the_last_estimate_and_the_last_ghost(hint: str | None, found: str) -> None:
    hinted = None if hint is None else ref(hint)

    assert find_hinted(TREE, estimate=ref("A"), ghost=ref("C"), hint=hinted) == ref(found)
