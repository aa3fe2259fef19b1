"""Equivocation proofs, and who is to blame when two conflicting blocks are final.

Source: polkadot-sdk, `substrate/primitives/consensus/grandpa/src/lib.rs` (`check_equivocation_proof`).
"""

from substrate.consensus.grandpa.blocks import Ancestry, GrandpaError, GrandpaReason
from substrate.consensus.grandpa.signing import Verify, check_signature
from substrate.consensus.grandpa.types import (
    AuthorityId,
    Commit,
    EquivocationProof,
    Message,
    Precommit,
    PrecommitEquivocation,
    Signature,
)
from substrate.crypto.keys import verify_ed25519


def check_equivocation(proof: EquivocationProof, *, verify: Verify = verify_ed25519) -> None:
    """Raise unless the proof holds two distinct votes of one voter in one round, both signed.

    Raises:
        GrandpaError: `INVALID_EQUIVOCATION`, `BAD_SIGNATURE`.
    """
    found = proof.equivocation
    votes: tuple[tuple[Message, Signature], ...] = (found.first, found.second)
    if votes[0][0] == votes[1][0]:
        raise GrandpaError(GrandpaReason.INVALID_EQUIVOCATION, voter=found.identity.hex(), round=found.round_number)
    for vote, signature in votes:
        check_signature(
            vote,
            found.identity,
            signature,
            round_number=found.round_number,
            set_id=proof.set_id,
            verify=verify,
        )


def accuse(
    first: Commit, second: Commit, chain: Ancestry, *, round_number: int, set_id: int
) -> tuple[EquivocationProof, ...]:
    """Who equivocated, from two valid commits of one round for conflicting blocks: more than a third of the weight.

    Raises:
        GrandpaError: `NOT_CONFLICTING`, one target is on the chain of the other.
    """
    targets = first.target_hash, second.target_hash
    if chain.is_equal_or_descendant(*targets) or chain.is_equal_or_descendant(*reversed(targets)):
        raise GrandpaError(GrandpaReason.NOT_CONFLICTING, first=targets[0].hex(), second=targets[1].hex())
    votes: dict[AuthorityId, dict[Precommit, Signature]] = {}
    for signed in (*first.precommits, *second.precommits):
        votes.setdefault(signed.id, {})[signed.precommit] = signed.signature
    return tuple(
        EquivocationProof(set_id, PrecommitEquivocation(round_number, voter, *tuple(cast.items())[:2]))
        for voter, cast in votes.items()
        if len(cast) > 1
    )
