"""A voter's conduct in one round: when to propose, prevote, precommit, commit and move on.

Source: finality-grandpa, `src/voter/voting_round.rs`.
"""

from enum import IntEnum

from substrate.consensus.grandpa.blocks import BlockRef, ChainView
from substrate.consensus.grandpa.round import Round, RoundState
from substrate.consensus.grandpa.rules import VotingRule, find_hinted, prevote_target
from substrate.consensus.grandpa.types import (
    AuthorityId,
    Message,
    Precommit,
    Prevote,
    PrimaryPropose,
    SignedMessage,
)

PREVOTE_DELAY = 2
PRECOMMIT_DELAY = 4
"""In units of the gossip duration, from the start of the round."""


class Step(IntEnum):
    """How far the voter got in the round."""

    START = 0
    PREVOTED = 1
    PRECOMMITTED = 2


class VotingRound:
    """One round as one voter lives it. `voter` is None for those who only watch."""

    def __init__(self, votes: Round, *, voter: AuthorityId | None, started_us: int, gossip_us: int) -> None:
        self.votes = votes
        self.voter = voter if voter is not None and voter in votes.voters else None
        self.step = Step.START
        self.hint: BlockRef | None = None
        self.own: list[SignedMessage] = []
        self.prevote_at = started_us + PREVOTE_DELAY * gossip_us
        self.precommit_at = started_us + PRECOMMIT_DELAY * gossip_us
        self.proposed = False
        self.committed: BlockRef | None = None
        """Highest target of a commit seen or sent for this round."""
        self.commit_at: int | None = None
        self.proven: BlockRef | None = None
        """Highest block this round's votes have proven final."""

    @property
    def number(self) -> int:
        """The round's number."""
        return self.votes.number

    @property
    def state(self) -> RoundState:
        """What the votes say."""
        return self.votes.state

    def recall(self, own: SignedMessage) -> None:
        """Take note of a vote of ours that is already out."""
        if own in self.own:
            return
        self.own.append(own)
        match own.message:
            case Prevote():
                self.step = max(self.step, Step.PREVOTED)
            case Precommit():
                self.step = Step.PRECOMMITTED
            case PrimaryPropose():
                self.proposed = True

    def deadlines(self) -> tuple[int, ...]:
        """Times at which this round wants to be looked at again."""
        commit = () if self.commit_at is None else (self.commit_at,)
        match self.step:
            case Step.START:
                return (self.prevote_at, self.precommit_at, *commit)
            case Step.PREVOTED:
                return (self.precommit_at, *commit)
            case Step.PRECOMMITTED:
                return commit

    def next_vote(self, now_us: int, last: RoundState, chain: ChainView, rule: VotingRule) -> Message | None:
        """The next vote to cast now, advancing the step; call until None. Those who watch advance without a vote."""
        if (proposal := self._proposal(last)) is not None:
            return proposal
        if self.step is Step.START and (now_us >= self.prevote_at or self.votes.completable):
            self.step = Step.PREVOTED
            target = self._prevote(last, chain, rule)
            if target is not None:
                return Prevote(target.hash, target.number)
        if self.step is Step.PREVOTED and self._may_precommit(now_us, last, chain):
            self.step = Step.PRECOMMITTED
            ghost = self.votes.prevote_ghost
            if self.voter is not None and ghost is not None:
                return Precommit(ghost.hash, ghost.number)
        return None

    def _proposal(self, last: RoundState) -> PrimaryPropose | None:
        if self.proposed or self.step is not Step.START or self.voter is None:
            return None
        self.proposed = True
        estimate, final = last.estimate, last.finalized
        if self.voter != self.votes.voters.primary(self.number) or estimate is None:
            return None
        if final is not None and estimate.number <= final.number:
            return None
        return PrimaryPropose(estimate.hash, estimate.number)

    def _prevote(self, last: RoundState, chain: ChainView, rule: VotingRule) -> BlockRef | None:
        if self.voter is None or last.estimate is None or last.prevote_ghost is None:
            return None
        containing = find_hinted(chain, estimate=last.estimate, ghost=last.prevote_ghost, hint=self.hint)
        target = prevote_target(chain, containing, rule)
        if target is None or not chain.is_equal_or_descendant(self.votes.base.hash, target.hash):
            self.voter = None  # the block vanished: without a prevote there must be no precommit
            return None
        return target

    def _may_precommit(self, now_us: int, last: RoundState, chain: ChainView) -> bool:
        ghost, estimate = self.votes.prevote_ghost, last.estimate
        if ghost is None or estimate is None or not chain.is_equal_or_descendant(estimate.hash, ghost.hash):
            return False
        return now_us >= self.precommit_at or self.votes.completable

    def is_complete(self, last: RoundState) -> bool:
        """Whether the next round may start.

        It may once our votes are cast, the round is completable, and what the last one might have finalised is final.
        """
        if self.step is not Step.PRECOMMITTED or not self.votes.completable:
            return False
        estimate, final = last.estimate, (last.finalized, self.votes.finalized)
        if estimate is None:
            return False
        return any(block is not None and block.number >= estimate.number for block in final)
