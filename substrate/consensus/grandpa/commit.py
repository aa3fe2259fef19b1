"""Commits and justifications: make them from a round, judge those of others.

Source: finality-grandpa, `src/lib.rs` (`validate_commit`); polkadot-sdk,
`substrate/primitives/consensus/grandpa` and `client/consensus/grandpa/src/justification.rs`.
"""

from collections.abc import Iterable

from substrate.block import Header
from substrate.consensus.grandpa.blocks import Ancestry, BlockRef, ChainView, GrandpaError, GrandpaReason
from substrate.consensus.grandpa.round import Round
from substrate.consensus.grandpa.signing import Verify, check_signature
from substrate.consensus.grandpa.types import (
    Commit,
    CompactCommit,
    GrandpaJustification,
    SignedPrecommit,
)
from substrate.consensus.grandpa.voter_set import VoterSet
from substrate.crypto.keys import verify_ed25519
from substrate.types import Hash


def lowest_target(precommits: Iterable[SignedPrecommit]) -> BlockRef | None:
    """The lowest block a precommit is for, which all others must descend from."""
    votes = [signed.precommit for signed in precommits]
    if not votes:
        return None
    lowest = min(votes, key=lambda vote: vote.target_number)
    return BlockRef(lowest.target_hash, lowest.target_number)


def is_valid_commit(commit: Commit, voters: VoterSet, chain: Ancestry) -> bool:
    """Whether the votes, whose signatures are not looked at, make the target final.

    Strangers are ignored, a voter may equivocate once, and the precommit ghost must be the target.
    """
    precommits = [signed for signed in commit.precommits if signed.id in voters]
    base = lowest_target(precommits)
    if base is None:
        return False
    votes = Round(0, voters, base)
    for signed in precommits:
        if not chain.is_equal_or_descendant(base.hash, signed.precommit.target_hash):
            return False
        seen = votes.precommits.by_voter.get(signed.id, ())
        if len(seen) == 2 and all(vote != signed.precommit for vote, _ in seen):
            return False
        votes.import_precommit(signed.precommit, signed.id, signed.signature, chain)
    return votes.precommit_ghost() == (commit.target_hash, commit.target_number)


def round_commit(votes: Round, chain: Ancestry) -> Commit | None:
    """A commit for the round's precommit ghost, None while the votes cannot prove one.

    One vote for the target or above stands for each voter. An equivocator's pair, which counts for every block, is
    used where that does not suffice.
    """
    ghost = votes.precommit_ghost()
    if ghost is None:
        return None
    chosen: list[SignedPrecommit] = []
    pairs: list[SignedPrecommit] = []
    weight = 0
    for voter, cast in votes.precommits.by_voter.items():
        signed = [SignedPrecommit(vote, signature, voter) for vote, signature in cast]
        supporting = [vote for vote in signed if chain.is_equal_or_descendant(ghost.hash, vote.precommit.target_hash)]
        if supporting:
            chosen.append(supporting[0])
            index = votes.voters.index(voter)
            assert index is not None, "only voters are counted"
            weight += votes.voters.weights[index]
        elif len(signed) == 2:
            pairs += signed
    if weight < votes.voters.threshold:
        chosen += pairs
    commit = Commit(ghost.hash, ghost.number, tuple(chosen))
    return commit if weight >= votes.voters.threshold or is_valid_commit(commit, votes.voters, chain) else None


def compact(commit: Commit) -> CompactCommit:
    """The gossip form of a commit."""
    votes = tuple(signed.precommit for signed in commit.precommits)
    auth = tuple((signed.signature, signed.id) for signed in commit.precommits)
    return CompactCommit(commit.target_hash, commit.target_number, votes, auth)


def expand(commit: CompactCommit) -> Commit:
    """The full form of a gossiped commit.

    Raises:
        GrandpaError: `MALFORMED_COMMIT`, votes and signatures differ in number.
    """
    if len(commit.precommits) != len(commit.auth_data):
        raise GrandpaError(GrandpaReason.MALFORMED_COMMIT, votes=len(commit.precommits), auth=len(commit.auth_data))
    pairs = zip(commit.precommits, commit.auth_data, strict=True)
    votes = tuple(SignedPrecommit(vote, signature, voter) for vote, (signature, voter) in pairs)
    return Commit(commit.target_hash, commit.target_number, votes)


def check_commit(
    commit: Commit,
    voters: VoterSet,
    chain: Ancestry,
    *,
    round_number: int,
    set_id: int,
    verify: Verify = verify_ed25519,
) -> None:
    """Raise unless the commit is valid and every signature in it is.

    Raises:
        GrandpaError: `INVALID_COMMIT`, `BAD_SIGNATURE`.
    """
    if not is_valid_commit(commit, voters, chain):
        raise GrandpaError(GrandpaReason.INVALID_COMMIT, target=commit.target_hash.hex(), round=round_number)
    for signed in commit.precommits:
        check_signature(
            signed.precommit, signed.id, signed.signature, round_number=round_number, set_id=set_id, verify=verify
        )


class HeaderAncestry:
    """The ancestry relation that a justification's headers give."""

    def __init__(self, headers: Iterable[Header]) -> None:
        self.parents: dict[Hash, Hash] = {header.hash: header.parent_hash for header in headers}

    def ancestry(self, base: Hash, block: Hash) -> tuple[Hash, ...] | None:
        """As `Ancestry.ancestry`."""
        if block == base:
            return None
        route: list[Hash] = []
        current = self.parents.get(block)
        while current is not None and current != base:
            route.append(current)
            current = self.parents.get(current)
        return None if current is None else tuple(route)

    def is_equal_or_descendant(self, base: Hash, block: Hash) -> bool:
        """As `Ancestry.is_equal_or_descendant`."""
        return base == block or self.ancestry(base, block) is not None


def make_justification(round_number: int, commit: Commit, chain: ChainView) -> GrandpaJustification:
    """Add the headers from each vote down to the lowest.

    Raises:
        GrandpaError: `BAD_ANCESTRY`, a header is unknown or the votes do not share the lowest as ancestor.
    """
    base = lowest_target(commit.precommits)
    headers: dict[Hash, Header] = {}
    for signed in commit.precommits:
        current = signed.precommit.target_hash
        while base is not None and current != base.hash and current not in headers:
            header = chain.header(current)
            if header is None or header.number <= base.number:
                raise GrandpaError(GrandpaReason.BAD_ANCESTRY, block=current.hex())
            headers[current] = header
            current = header.parent_hash
    return GrandpaJustification(round_number, commit, tuple(headers.values()))


def check_justification(
    justification: GrandpaJustification,
    voters: VoterSet,
    *,
    set_id: int,
    target: BlockRef | None = None,
    verify: Verify = verify_ed25519,
) -> None:
    """Raise unless the justification proves its target (and `target`, if given) final under this authority set.

    Raises:
        GrandpaError: `WRONG_TARGET`, `INVALID_COMMIT`, `BAD_SIGNATURE`, `UNUSED_HEADERS`.
    """
    commit = justification.commit
    if target is not None and target != (commit.target_hash, commit.target_number):
        raise GrandpaError(GrandpaReason.WRONG_TARGET, target=commit.target_hash.hex(), expected=target.hash.hex())
    chain = HeaderAncestry(justification.votes_ancestries)
    check_commit(commit, voters, chain, round_number=justification.round, set_id=set_id, verify=verify)
    base = lowest_target(commit.precommits)
    visited: set[Hash] = set()
    for signed in commit.precommits:
        block = signed.precommit.target_hash
        if base is not None and block != base.hash:
            route = chain.ancestry(base.hash, block)
            if route is None:
                raise GrandpaError(GrandpaReason.BAD_ANCESTRY, block=block.hex())
            visited.update((block, *route))
    if visited != set(chain.parents):
        raise GrandpaError(GrandpaReason.UNUSED_HEADERS, count=len(chain.parents) - len(visited))
