"""Collations on offer: one fetch at a time, at most as many as the claim queue has room for."""

from typing import Any

import pytest

from relaychain.node.collations import (
    MAX_UNANSWERED,
    AdvertisementError,
    FetchEnd,
    Offer,
    ParaOffers,
    SecondingError,
    check_fetched,
)
from relaychain.primitives.candidate import candidate_hash
from relaychain.primitives.types import CandidateHash, CoreIndex, ParaId, SessionIndex
from substrate.types import Hash
from tests.relaychain.node.backing_parts import RELAY_PARENT, candidate, relay_parent


def offer(number: int, peer: str = "collator") -> Offer:
    hash_ = CandidateHash(bytes([number] * 32))
    return Offer(peer, ParaId(1000), RELAY_PARENT, hash_, Hash(bytes(32)))


def test_one_collation_is_fetched_at_a_time() -> None:
    offers = ParaOffers(claims=3)

    assert offers.advertise(offer(1)) == offer(1)
    assert offers.advertise(offer(2)) is None
    assert offers.conclude(FetchEnd.SECONDED) == offer(2)
    assert offers.conclude(FetchEnd.SECONDED) is None


def test_a_failed_fetch_leaves_the_turn_to_another_peer_with_the_same_collation() -> None:
    offers = ParaOffers(claims=1)
    offers.advertise(offer(1, "one"))
    offers.advertise(offer(1, "two"))

    assert offers.conclude(FetchEnd.REFUSED) == offer(1, "two")


@pytest.mark.parametrize(("end", "again"), [(FetchEnd.UNANSWERED, True), (FetchEnd.REFUSED, False)])
def test_what_was_not_answered_may_be_offered_again_but_not_what_was_refused(end: FetchEnd, again: bool) -> None:
    offers = ParaOffers(claims=1)
    offers.advertise(offer(1))
    assert offers.conclude(end) is None

    if again:
        assert offers.advertise(offer(1)) == offer(1)
    else:
        with pytest.raises(AdvertisementError, match="Duplicate"):
            offers.advertise(offer(1))


def test_a_peer_that_never_answers_is_asked_no_more() -> None:
    offers = ParaOffers(claims=1)
    for _ in range(MAX_UNANSWERED + 1):
        assert offers.advertise(offer(1)) == offer(1)
        offers.conclude(FetchEnd.UNANSWERED)

    with pytest.raises(AdvertisementError, match="Duplicate"):
        offers.advertise(offer(1))
    assert offers.advertise(offer(1, "another")) == offer(1, "another")


def test_what_was_seconded_is_not_fetched_again() -> None:
    offers = ParaOffers(claims=2)
    offers.advertise(offer(1, "one"))
    offers.advertise(offer(1, "two"))

    assert offers.conclude(FetchEnd.SECONDED) is None


def test_offers_beyond_the_limits_are_refused() -> None:
    offers = ParaOffers(claims=1)
    offers.advertise(offer(1))

    with pytest.raises(AdvertisementError, match="Duplicate"):
        offers.advertise(offer(1))
    with pytest.raises(AdvertisementError, match="PeerLimitReached"):
        offers.advertise(offer(2))
    offers.conclude(FetchEnd.SECONDED)
    with pytest.raises(AdvertisementError, match="SecondedLimitReached"):
        offers.advertise(offer(2, "another"))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"relay_parent": Hash(bytes(32))}, "RelayParentMismatch"),
        ({"para_id": ParaId(7)}, "ParaIdMismatch"),
        ({"core_index": CoreIndex(1)}, "InvalidCoreIndex"),
        ({"session_index": SessionIndex(2)}, "InvalidSessionIndex"),
    ],
)
def test_a_receipt_for_something_else_is_refused_by_name(fields: dict[str, Any], reason: str) -> None:
    receipt = candidate(**fields).receipt
    advertised = Offer("collator", ParaId(1000), RELAY_PARENT, candidate_hash(receipt), Hash(bytes(32)))

    with pytest.raises(SecondingError) as refusal:
        check_fetched(advertised, receipt, relay_parent(), CoreIndex(0))

    assert refusal.value.reason == reason


def test_another_candidate_than_the_advertised_one_is_refused() -> None:
    with pytest.raises(SecondingError, match="CandidateHashMismatch"):
        check_fetched(offer(1), candidate().receipt, relay_parent(), CoreIndex(0))
