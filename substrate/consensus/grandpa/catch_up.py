"""Catching up: enter the round after one that others completed, on the strength of its votes.

A commit alone proves what is final, but not what its round may still finalise above; a voter that jumped on it could
contradict its own precommit. So commits finalise, and only a completed round's full votes move a voter forward.

Source: finality-grandpa, `src/voter/mod.rs` (`validate_catch_up`).
"""

from substrate.consensus.grandpa.blocks import Ancestry, BlockRef, GrandpaError, GrandpaReason
from substrate.consensus.grandpa.round import Round
from substrate.consensus.grandpa.signing import Verify, check_signature
from substrate.consensus.grandpa.types import CatchUp
from substrate.consensus.grandpa.voter_set import VoterSet
from substrate.types import Hash


def make_catch_up(votes: Round) -> CatchUp:
    """All votes of a round."""
    return CatchUp(votes.number, votes.signed_prevotes(), votes.signed_precommits(), votes.base.hash, votes.base.number)


def targets(message: CatchUp) -> tuple[Hash, ...]:
    """Every block the message speaks of, in its order."""
    prevoted = (signed.prevote.target_hash for signed in message.prevotes)
    precommitted = (signed.precommit.target_hash for signed in message.precommits)
    return tuple(dict.fromkeys((message.base_hash, *prevoted, *precommitted)))


def check_catch_up(message: CatchUp, voters: VoterSet, chain: Ancestry, *, set_id: int, verify: Verify) -> Round:
    """The completed round that the message proves.

    Raises:
        GrandpaError: `UNKNOWN_VOTER`, `BAD_SIGNATURE`, `NOT_DESCENDENT`, `INVALID_CATCH_UP` (not completable).
    """
    number = message.round_number
    votes = Round(number, voters, BlockRef(message.base_hash, message.base_number))
    signed = [(vote.id, vote.prevote, vote.signature) for vote in message.prevotes]
    signed_precommits = [(vote.id, vote.precommit, vote.signature) for vote in message.precommits]
    for voter, vote, signature in (*signed, *signed_precommits):
        if voter not in voters:
            raise GrandpaError(GrandpaReason.UNKNOWN_VOTER, voter=voter.hex(), round=number)
        check_signature(vote, voter, signature, round_number=number, set_id=set_id, verify=verify)
    for voter, prevote, signature in signed:
        votes.import_prevote(prevote, voter, signature, chain)
    for voter, precommit, signature in signed_precommits:
        votes.import_precommit(precommit, voter, signature, chain)
    if not votes.completable:
        raise GrandpaError(GrandpaReason.INVALID_CATCH_UP, round=number)
    return votes
