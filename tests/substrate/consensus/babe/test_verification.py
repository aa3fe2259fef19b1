"""Headers: claimed, sealed, checked; equivocations."""

import pytest
from msgspec.structs import replace

from substrate.block import Digest, Header, PreRuntime, Seal, header_with_digest
from substrate.consensus.babe.lottery import claim_slot
from substrate.consensus.babe.types import (
    SECONDARY_VRF_ONLY,
    AllowedSlots,
    AuthorityId,
    BabeEpochConfiguration,
    Epoch,
    EquivocationProof,
    PreDigest,
    Primary,
    SecondaryPlain,
    SecondaryVRF,
    VrfSignature,
    pre_digest_item,
)
from substrate.consensus.babe.verification import (
    BabeError,
    ChainWeight,
    check_equivocation,
    check_header,
    find_equivocation,
    seal_header,
)
from substrate.crypto import vrf
from substrate.crypto.keys import Ed25519Pair
from substrate.types import BlockNumber, Hash, Slot

PAIRS = [Ed25519Pair.from_seed(bytes([index]) * 32) for index in range(1, 5)]
KEYS = {AuthorityId(pair.public): pair for pair in PAIRS}
EPOCH = Epoch(3, Slot(100), 10, tuple((key, 1) for key in KEYS), b"\7" * 32, SECONDARY_VRF_ONLY)
SLOT = Slot(105)


def claimed(slot: Slot = SLOT, epoch: Epoch = EPOCH) -> tuple[PreDigest, Ed25519Pair]:
    claim = claim_slot(slot, epoch, KEYS)
    assert claim is not None
    return claim


def sealed(digest: PreDigest, pair: Ed25519Pair, root: bytes = bytes(32)) -> Header:
    logs = Digest((pre_digest_item(digest),))
    return seal_header(Header(Hash(bytes(32)), BlockNumber(5), Hash(root), Hash(bytes(32)), logs), pair)


def rejection(header: Header, epoch: Epoch = EPOCH, parent: int = 104, now: int = SLOT) -> str:
    with pytest.raises(BabeError) as rejected:
        check_header(header, parent_slot=Slot(parent), slot_now=Slot(now), epoch=epoch)
    return str(rejected.value.reason)


def test_a_claimed_slot_verifies() -> None:
    digest, pair = claimed()
    assert isinstance(digest, SecondaryVRF)
    header = sealed(digest, pair)
    assert check_header(header, parent_slot=Slot(104), slot_now=SLOT, epoch=EPOCH) == digest
    assert check_header(header, parent_slot=Slot(104), slot_now=Slot(104), epoch=EPOCH) == digest, "one slot of drift"


def test_only_the_author_whose_turn_it_is_claims() -> None:
    digest, _ = claimed()
    others = {key: pair for key, pair in KEYS.items() if key != EPOCH.authorities[digest.authority_index][0]}
    assert claim_slot(SLOT, EPOCH, others) is None


def test_a_slot_is_claimed_as_primary_only_where_the_lottery_is_won() -> None:
    sometimes = replace(EPOCH, config=BabeEpochConfiguration((1, 4), AllowedSlots.PrimaryAndSecondaryVRFSlots))
    claims = {slot: claimed(Slot(slot), sometimes) for slot in range(100, 110)}

    for slot, (digest, pair) in claims.items():
        check_header(sealed(digest, pair), parent_slot=Slot(slot - 1), slot_now=Slot(slot), epoch=sometimes)
    assert {type(digest) for digest, _ in claims.values()} == {Primary, SecondaryVRF}


def test_primary_and_plain_slots_verify_where_the_epoch_allows_them() -> None:
    always = replace(EPOCH, config=BabeEpochConfiguration((1, 1), AllowedSlots.PrimarySlots))
    digest, pair = claimed(epoch=always)
    assert isinstance(digest, Primary)
    check_header(sealed(digest, pair), parent_slot=Slot(104), slot_now=SLOT, epoch=always)
    assert rejection(sealed(digest, pair)) == "VrfThresholdExceeded"

    plain = replace(EPOCH, config=BabeEpochConfiguration((0, 1), AllowedSlots.PrimaryAndSecondaryPlainSlots))
    digest, pair = claimed(epoch=plain)
    assert isinstance(digest, SecondaryPlain)
    check_header(sealed(digest, pair), parent_slot=Slot(104), slot_now=SLOT, epoch=plain)
    assert rejection(sealed(digest, pair)) == "SecondarySlotAssignmentsDisabled"


def test_each_rule_has_its_reason() -> None:
    digest, pair = claimed()
    assert isinstance(digest, SecondaryVRF)
    header = sealed(digest, pair)
    pre, seal = header.digest.logs
    assert isinstance(seal, Seal)
    other = (digest.authority_index + 1) % 4

    assert rejection(header, now=103) == "TooFarInFuture"
    assert rejection(header, parent=105) == "SlotMustIncrease"
    assert rejection(header_with_digest(header, (seal,))) == "NoPreRuntimeDigest"
    assert rejection(header_with_digest(header, (pre, pre, seal))) == "MultiplePreRuntimeDigests"
    assert rejection(header_with_digest(header, (pre,))) == "HeaderUnsealed"
    assert rejection(header_with_digest(header, (pre, Seal(b"aura", seal.data)))) == "HeaderBadSeal"
    assert rejection(header_with_digest(header, (pre, PreRuntime(b"aura", b""), seal))) == "BadSignature"
    assert rejection(sealed(replace(digest, authority_index=4), pair)) == "SlotAuthorNotFound"
    assert rejection(sealed(replace(digest, authority_index=other), PAIRS[other])) == "InvalidAuthor"
    wrong = VrfSignature(*vrf.prove(pair, b"something else"))
    assert rejection(sealed(replace(digest, vrf_signature=wrong), pair)) == "VrfVerificationFailed"
    assert rejection(header, epoch=replace(EPOCH, epoch_index=4)) == "VrfVerificationFailed"


def test_two_blocks_of_one_author_in_one_slot_are_an_equivocation() -> None:
    digest, pair = claimed()
    first, second = sealed(digest, pair), sealed(digest, pair, b"\1" * 32)
    author = AuthorityId(pair.public)

    proof = find_equivocation(first, second, author)

    assert proof == EquivocationProof(author, SLOT, first, second)
    check_equivocation(proof)
    assert find_equivocation(first, first, author) is None
    with pytest.raises(BabeError, match="InvalidEquivocation"):
        check_equivocation(replace(proof, second_header=first))
    with pytest.raises(BabeError, match="BadSignature"):
        check_equivocation(replace(proof, offender=AuthorityId(PAIRS[(digest.authority_index + 1) % 4].public)))


def test_primary_blocks_weigh_more_than_height() -> None:
    digest, _ = claimed()
    assert isinstance(digest, SecondaryVRF)
    start = ChainWeight(0, BlockNumber(0))
    primary = Primary(0, SLOT, digest.vrf_signature)

    assert start.with_block(primary) > start.with_block(digest).with_block(digest)
    assert start.with_block(digest).with_block(digest) > start.with_block(digest)
