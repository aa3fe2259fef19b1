"""Commits, justifications and equivocation proofs."""

import json
from pathlib import Path
from typing import Any

import pytest

from substrate.consensus.grandpa.blocks import BlockRef, GrandpaError
from substrate.consensus.grandpa.commit import (
    check_commit,
    check_justification,
    compact,
    expand,
    is_valid_commit,
    make_justification,
    round_commit,
)
from substrate.consensus.grandpa.equivocation import accuse, check_equivocation
from substrate.consensus.grandpa.round import Round
from substrate.consensus.grandpa.signing import sign_vote
from substrate.consensus.grandpa.testing import BlockTree
from substrate.consensus.grandpa.types import (
    AuthorityId,
    Commit,
    CompactCommit,
    EquivocationProof,
    GrandpaJustification,
    Precommit,
    PrecommitEquivocation,
    Prevote,
    Signature,
    SignedPrecommit,
    signing_payload,
)
from substrate.consensus.grandpa.voter_set import VoterSet
from substrate.crypto.keys import Ed25519Pair
from substrate.types import BlockNumber, Hash

VECTORS = Path(__file__).parents[3] / "vectors"
WESTEND: dict[str, Any] = json.loads((VECTORS / "relay_grandpa_justification.json").read_text())
PAIRS = [Ed25519Pair.from_seed(bytes([index]) * 32) for index in range(1, 5)]
VOTERS = VoterSet((AuthorityId(pair.public), 1) for pair in PAIRS)


def hexed(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def westend() -> tuple[GrandpaJustification, VoterSet, BlockRef]:
    voters = VoterSet((AuthorityId(hexed(text)), 1) for text in WESTEND["authorities"])
    target = BlockRef(Hash(hexed(WESTEND["hash"])), BlockNumber(WESTEND["number"]))
    return GrandpaJustification.decode(hexed(WESTEND["justification"])), voters, target


def test_a_real_justification_is_valid() -> None:
    justification, voters, target = westend()

    check_justification(justification, voters, set_id=WESTEND["set_id"], target=target)

    assert justification.round == WESTEND["round"]
    assert justification.encode() == hexed(WESTEND["justification"])


def test_a_real_justification_is_invalid_in_another_set_for_another_block_and_without_a_vote() -> None:
    justification, voters, target = westend()
    with pytest.raises(GrandpaError, match="BadSignature"):
        check_justification(justification, voters, set_id=1)
    with pytest.raises(GrandpaError, match="WrongTarget"):
        check_justification(justification, voters, set_id=0, target=BlockRef(target.hash, BlockNumber(513)))
    commit = justification.commit
    short = Commit(commit.target_hash, commit.target_number, commit.precommits[1:])
    with pytest.raises(GrandpaError, match="InvalidCommit"):
        check_justification(GrandpaJustification(justification.round, short, ()), voters, set_id=0)


@pytest.mark.parametrize(("count", "valid"), [(66, False), (67, True)])
def test_a_commit_needs_a_supermajority(count: int, valid: bool) -> None:
    tree = BlockTree(Hash(b"genesis"), 1)
    target = tree.push("genesis", "A")
    voters = VoterSet((AuthorityId(bytes([index])), 1) for index in range(1, 101))
    votes = tuple(SignedPrecommit(Precommit(*target), Signature(b""), voter) for voter in voters.ids[:count])
    stranger = SignedPrecommit(Precommit(*target), Signature(b""), AuthorityId(b"stranger"))

    assert is_valid_commit(Commit(*target, (*votes, stranger)), voters, tree) is valid


def signed(pair: Ed25519Pair, target: BlockRef, round_number: int = 1) -> SignedPrecommit:
    vote = Precommit(*target)
    cast = sign_vote(pair, vote, round_number=round_number, set_id=0)
    return SignedPrecommit(vote, cast.signature, cast.id)


def fork() -> tuple[BlockTree, BlockRef, BlockRef, BlockRef]:
    tree = BlockTree(Hash(bytes(32)))
    first = tree.extend(Hash(bytes(32)))
    left, right = tree.extend(first.hash, 1), tree.extend(first.hash, 2)
    return tree, first, left, right


def round_with(tree: BlockTree, *votes: SignedPrecommit) -> Round:
    counted = Round(1, VOTERS, tree.finalized)
    for vote in votes:
        counted.import_precommit(vote.precommit, vote.id, vote.signature, tree)
    return counted


def test_a_justification_carries_the_headers_between_its_votes() -> None:
    tree, first, left, right = fork()
    votes = round_with(tree, signed(PAIRS[0], left), signed(PAIRS[1], right), signed(PAIRS[2], first))

    commit = round_commit(votes, tree)

    assert commit is not None
    assert (commit.target_hash, commit.target_number) == first
    justification = make_justification(1, commit, tree)
    assert {header.hash for header in justification.votes_ancestries} == {left.hash, right.hash}
    check_justification(justification, VOTERS, set_id=0, target=first)
    assert expand(compact(commit)) == commit
    extra = GrandpaJustification(1, commit, (*justification.votes_ancestries, tree.headers[first.hash]))
    with pytest.raises(GrandpaError, match="UnusedHeaders"):
        check_justification(extra, VOTERS, set_id=0)
    with pytest.raises(GrandpaError, match="InvalidCommit"):
        check_justification(GrandpaJustification(1, commit, ()), VOTERS, set_id=0)


def test_an_equivocating_pair_completes_a_commit() -> None:
    tree, first, left, right = fork()
    above = tree.extend(left.hash)
    pair = signed(PAIRS[3], first), signed(PAIRS[3], right)
    votes = round_with(tree, signed(PAIRS[0], above), signed(PAIRS[1], left), *pair)

    commit = round_commit(votes, tree)

    assert commit is not None
    assert commit.target_hash == left.hash
    check_commit(commit, VOTERS, tree, round_number=1, set_id=0)
    third = signed(PAIRS[3], above)
    overfull = Commit(commit.target_hash, commit.target_number, (*commit.precommits, third))
    assert not is_valid_commit(overfull, VOTERS, tree)


def test_a_commit_without_matching_signatures_is_malformed() -> None:
    target = Hash(bytes(32)), BlockNumber(0)
    with pytest.raises(GrandpaError, match="MalformedCommit"):
        expand(CompactCommit(*target, (Precommit(*target),), ()))


def test_an_equivocation_proof_needs_two_signed_distinct_votes() -> None:
    _, _, left, right = fork()
    one, two = signed(PAIRS[0], left), signed(PAIRS[0], right)
    first, second = (one.precommit, one.signature), (two.precommit, two.signature)

    check_equivocation(EquivocationProof(0, PrecommitEquivocation(1, one.id, first, second)))

    with pytest.raises(GrandpaError, match="InvalidEquivocation"):
        check_equivocation(EquivocationProof(0, PrecommitEquivocation(1, one.id, first, first)))
    with pytest.raises(GrandpaError, match="BadSignature"):
        check_equivocation(EquivocationProof(0, PrecommitEquivocation(2, one.id, first, second)))


def test_two_conflicting_commits_name_more_than_a_third() -> None:
    tree, first, left, right = fork()
    commits = [
        Commit(*target, tuple(signed(pair, target) for pair in pairs))
        for target, pairs in ((left, PAIRS[:3]), (right, PAIRS[1:]))
    ]

    proofs = accuse(*commits, tree, round_number=1, set_id=0)

    assert {proof.equivocation.identity for proof in proofs} == {pair.public for pair in PAIRS[1:3]}
    for proof in proofs:
        check_equivocation(proof)
    below = Commit(*first, ())
    with pytest.raises(GrandpaError, match="NotConflicting"):
        accuse(below, commits[0], tree, round_number=1, set_id=0)


def test_the_signed_payload_is_message_round_and_set() -> None:
    vote = Prevote(Hash(b"\1" * 32), BlockNumber(2))

    payload = signing_payload(vote, round_number=3, set_id=4)

    assert payload == b"\0" + b"\1" * 32 + b"\2\0\0\0" + b"\3" + bytes(7) + b"\4" + bytes(7)
