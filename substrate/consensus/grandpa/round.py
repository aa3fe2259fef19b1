"""One round: import votes, follow the prevote ghost, the estimate and what is final.

Source: finality-grandpa, `src/round.rs`.
"""

from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

from substrate.consensus.grandpa.blocks import Ancestry, BlockRef, GrandpaError, GrandpaReason
from substrate.consensus.grandpa.types import (
    AuthorityId,
    Precommit,
    PrecommitEquivocation,
    Prevote,
    PrevoteEquivocation,
    Signature,
    SignedPrecommit,
    SignedPrevote,
)
from substrate.consensus.grandpa.vote_graph import Condition, VoteGraph
from substrate.consensus.grandpa.voter_set import PRECOMMIT, PREVOTE, VoterSet

V = TypeVar("V", Prevote, Precommit)


class RoundState(NamedTuple):
    """What a round says at one moment."""

    prevote_ghost: BlockRef | None
    finalized: BlockRef | None
    estimate: BlockRef | None
    """Highest block that this round might still finalise, or has."""
    completable: bool

    @classmethod
    def genesis(cls, base: BlockRef) -> "RoundState":
        """The state before the first round of a set: the base is final."""
        return cls(base, base, base, True)


class Cast(Generic[V]):
    """The first votes of each voter in one phase: one, or two distinct ones of an equivocator."""

    def __init__(self) -> None:
        self.by_voter: dict[AuthorityId, tuple[tuple[V, Signature], ...]] = {}
        self.weight = 0

    def add(self, voter: AuthorityId, vote: V, signature: Signature, weight: int) -> int:
        """Keep a vote: 1 for a first vote, 2 for one that proves an equivocation, 0 for a duplicate or a third."""
        seen = self.by_voter.get(voter, ())
        if not seen:
            self.weight += weight
        elif len(seen) == 2 or seen[0][0] == vote:
            return 0
        self.by_voter[voter] = (*seen, (vote, signature))
        return len(seen) + 1

    def __iter__(self) -> Iterator[tuple[AuthorityId, V, Signature]]:
        for voter, votes in self.by_voter.items():
            for vote, signature in votes:
                yield voter, vote, signature


class Round:
    """Votes of one round over the descendants of `base`."""

    def __init__(self, number: int, voters: VoterSet, base: BlockRef) -> None:
        self.number = number
        self.voters = voters
        self.base = base
        self.graph = VoteGraph(base)
        self.prevotes: Cast[Prevote] = Cast()
        self.precommits: Cast[Precommit] = Cast()
        self.prevote_ghost: BlockRef | None = None
        self.finalized: BlockRef | None = None
        self.estimate: BlockRef | None = None
        self.completable = False
        self._equivocators = 0
        self._precommit_ghost: BlockRef | None = None

    @property
    def state(self) -> RoundState:
        """The round at this moment."""
        return RoundState(self.prevote_ghost, self.finalized, self.estimate, self.completable)

    def import_prevote(
        self, vote: Prevote, voter: AuthorityId, signature: Signature, chain: Ancestry
    ) -> PrevoteEquivocation | None:
        """Count a prevote (duplicates, third votes and strangers are ignored); returns a new equivocation.

        Raises:
            GrandpaError: `NOT_DESCENDENT`, the target is not on the round's base.
        """
        pair = self._import(self.prevotes, PREVOTE, vote, voter, signature, chain)
        if self.prevotes.weight >= self.voters.threshold:
            self.prevote_ghost = self.graph.find_ghost(self.prevote_ghost, self._has_supermajority(PREVOTE))
        self._update()
        return PrevoteEquivocation(self.number, voter, *pair) if pair else None

    def import_precommit(
        self, vote: Precommit, voter: AuthorityId, signature: Signature, chain: Ancestry
    ) -> PrecommitEquivocation | None:
        """Count a precommit, as `import_prevote` does."""
        pair = self._import(self.precommits, PRECOMMIT, vote, voter, signature, chain)
        self._update()
        return PrecommitEquivocation(self.number, voter, *pair) if pair else None

    def precommit_ghost(self) -> BlockRef | None:
        """The highest block with a supermajority of precommits."""
        if self.precommits.weight >= self.voters.threshold:
            condition = self._has_supermajority(PRECOMMIT)
            self._precommit_ghost = self.graph.find_ghost(self._precommit_ghost, condition)
        return self._precommit_ghost

    def signed_prevotes(self) -> tuple[SignedPrevote, ...]:
        """All counted prevotes."""
        return tuple(SignedPrevote(vote, signature, voter) for voter, vote, signature in self.prevotes)

    def signed_precommits(self) -> tuple[SignedPrecommit, ...]:
        """All counted precommits."""
        return tuple(SignedPrecommit(vote, signature, voter) for voter, vote, signature in self.precommits)

    def _import(
        self, cast: Cast[V], phase: int, vote: V, voter: AuthorityId, signature: Signature, chain: Ancestry
    ) -> tuple[tuple[V, Signature], tuple[V, Signature]] | None:
        index = self.voters.index(voter)
        if index is None:
            return None
        target = BlockRef(vote.target_hash, vote.target_number)
        if not chain.is_equal_or_descendant(self.base.hash, target.hash):
            raise GrandpaError(GrandpaReason.NOT_DESCENDENT, base=self.base.hash.hex(), block=target.hash.hex())
        bit = self.voters.bit(index, phase)
        count = cast.add(voter, vote, signature, self.voters.weights[index])
        if count == 1:
            self.graph.insert(target, bit, chain)
        elif count == 2:
            self._equivocators |= bit  # counts for every block from now on; the first vote stays
            first, second = cast.by_voter[voter]
            return first, second
        return None

    def _has_supermajority(self, phase: int) -> Condition:
        voters, equivocators = self.voters, self._equivocators

        def condition(votes: int) -> bool:
            return voters.weight(votes | equivocators, phase) >= voters.threshold

        return condition

    def _could_be_committed(self) -> Condition:
        """Whether a block can still reach a supermajority of precommits.

        Voters not heard of may all commit to it, and of those heard of for other blocks as many may equivocate
        as the protocol tolerates; weight that has voted is therefore never simply discounted.
        """
        voters, equivocators = self.voters, self._equivocators
        seen = self.precommits.weight
        tolerated = voters.total - voters.threshold
        more_equivocations = max(0, tolerated - voters.weight(equivocators, PRECOMMIT))

        def condition(votes: int) -> bool:
            committed = voters.weight(votes | equivocators, PRECOMMIT)
            return committed + voters.total - seen + min(seen - committed, more_equivocations) >= voters.threshold

        return condition

    def _update(self) -> None:
        ghost = self.prevote_ghost
        if ghost is None:
            return
        if self.precommits.weight < self.voters.threshold:
            self.estimate = ghost  # f + 1 precommits are out and f may equivocate: anything can still win
            return
        self.finalized = self.graph.find_ancestor(ghost, self._has_supermajority(PRECOMMIT))
        possible = self._could_be_committed()
        self.estimate = self.graph.find_ancestor(ghost, possible)
        if self.estimate is None:
            self.completable = False
        elif self.estimate != ghost:
            self.completable = True
        else:
            above = self.graph.find_ghost(ghost, possible)
            self.completable = above is None or above == ghost
