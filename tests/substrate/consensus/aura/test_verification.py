"""Aura: turns by slot."""

import pytest

from substrate.block import Digest, Header, Seal, header_with_digest
from substrate.consensus.aura.types import AuthorityId, pre_digest_item
from substrate.consensus.aura.verification import AuraError, check_header, claim_slot, seal_header
from substrate.crypto.keys import Ed25519Pair
from substrate.types import BlockNumber, Hash, Slot

PAIRS = [Ed25519Pair.from_seed(bytes([index]) * 32) for index in range(1, 4)]
AUTHORITIES = [AuthorityId(pair.public) for pair in PAIRS]
KEYS = dict(zip(AUTHORITIES, PAIRS, strict=True))
SLOT = Slot(10)


def header(slot: Slot = SLOT) -> Header:
    return Header(Hash(bytes(32)), BlockNumber(1), Hash(bytes(32)), Hash(bytes(32)), Digest((pre_digest_item(slot),)))


def rejection(block: Header, now: int = SLOT, parent: int | None = None, authorities: int = 3) -> str:
    parent_slot = None if parent is None else Slot(parent)
    with pytest.raises(AuraError) as rejected:
        check_header(block, AUTHORITIES[:authorities], slot_now=Slot(now), parent_slot=parent_slot)
    return str(rejected.value.reason)


def test_a_claimed_slot_verifies_and_is_the_next_authors_turn() -> None:
    pair = claim_slot(SLOT, AUTHORITIES, KEYS)
    assert pair is PAIRS[1]
    assert check_header(seal_header(header(), pair), AUTHORITIES, slot_now=SLOT, parent_slot=Slot(9)) == SLOT
    assert claim_slot(SLOT, AUTHORITIES, {AUTHORITIES[0]: PAIRS[0]}) is None


def test_each_rule_has_its_reason() -> None:
    good = seal_header(header(), PAIRS[1])
    pre, seal = good.digest.logs
    assert isinstance(seal, Seal)

    assert rejection(good, now=9) == "TooFarInFuture"
    assert rejection(good, parent=10) == "SlotMustIncrease"
    assert rejection(good, authorities=0) == "SlotAuthorNotFound"
    assert rejection(header()) == "HeaderUnsealed"
    assert rejection(header_with_digest(good, (pre, Seal(b"BABE", seal.data)))) == "HeaderBadSeal"
    assert rejection(seal_header(header(), PAIRS[0])) == "BadSignature"
    assert rejection(header_with_digest(good, (seal,))) == "NoDigestFound"
    assert rejection(header_with_digest(good, (pre, pre, seal))) == "MultipleHeaders"
