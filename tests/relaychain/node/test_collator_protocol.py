"""Collator protocol, validator side: whom it believes, and when it stops."""

import asyncio
from typing import Any

import pytest

from relaychain.node.collations import SecondingError
from relaychain.node.collator_protocol import CollatorProtocol, check_context
from relaychain.node.runtime_api import ValidationContext
from relaychain.primitives.availability import PoV
from relaychain.primitives.collation import (
    COLLATOR_PROTOCOL,
    AdvertiseCollation,
    CollationFetchingResponse,
    CollationWithParentHeadData,
    CollatorProtocolMessage,
    Declare,
    FetchedCollation,
    declare_payload,
)
from relaychain.primitives.types import (
    ZERO_HASH,
    CandidateHash,
    CollatorId,
    CollatorSignature,
    HeadData,
    OccupiedCoreAssumption,
    ParaId,
    ValidatorIndex,
    head_hash,
)
from substrate.scale.codec import encode
from tests.relaychain.node.backing_parts import PAIRS, RELAY_PARENT, candidate
from tests.relaychain.node.para_network import Rows
from tests.relaychain.node.surroundings import HEAD, PVD, Api, Peers, View, reports


class OwnIndex:
    """Backing that has an index and seconds nothing."""

    def own_index(self, _parent: object) -> ValidatorIndex:
        return ValidatorIndex(0)


def protocol(view: View, peers: Peers, rows: Rows) -> Any:
    parts: dict[str, Any] = {"network": peers, "fetcher": peers, "reports": reports(rows)}
    return CollatorProtocol(view, Api(), OwnIndex(), **parts)


def say(peers: Peers, sender: str, message: CollatorProtocolMessage) -> None:
    peers.handlers[COLLATOR_PROTOCOL](sender, encode(CollatorProtocolMessage, message))


def declared(name: str) -> Declare:
    """A declaration signed for this name."""
    pair = PAIRS[0]
    return Declare(CollatorId(pair.public), ParaId(1000), CollatorSignature(pair.sign(declare_payload(name))))


def advertised(number: int) -> AdvertiseCollation:
    return AdvertiseCollation(RELAY_PARENT, CandidateHash(bytes([number] * 32)), head_hash(HEAD))


async def offers_of(names: list[str], view: View, peers: Peers, rows: Rows, signed_for: str | None = None) -> None:
    """Have collators declare themselves, then offer a collation each."""
    async with asyncio.TaskGroup() as tasks:
        protocol(view, peers, rows).start(tasks)
        for name in names:
            say(peers, name, declared(signed_for or name))
        for number, name in enumerate(names):
            say(peers, name, advertised(number))


def test_a_declaration_that_is_not_signed_for_its_sender_counts_for_nothing() -> None:
    peers, rows = Peers(), Rows()

    asyncio.run(offers_of(["mallory"], View(), peers, rows, signed_for="honest"))

    assert peers.asked == []
    assert rows.distinct("faults", "kind", "detail") == [
        ("BadCollatorMessage", "mallory: InvalidSignature (para=1000)"),
        ("BadCollatorMessage", "mallory: UndeclaredCollator (peer=mallory)"),
    ]


@pytest.mark.parametrize(("stays_in_view", "asked"), [(True, ["one", "two"]), (False, ["one"])])
def test_fetching_ends_once_the_relay_parent_is_out_of_view(stays_in_view: bool, asked: list[str]) -> None:
    view, rows = View(), Rows()

    def answer(_peer: str) -> None:
        view.parent = view.parent if stays_in_view else None

    peers = Peers(answer)

    asyncio.run(offers_of(["one", "two"], view, peers, rows))

    assert peers.asked == asked


def test_a_collation_is_asked_for_again_where_nobody_answered() -> None:
    peers, rows = Peers(), Rows()

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            protocol(View(), peers, rows).start(tasks)
            say(peers, "carol", declared("carol"))
            for _ in range(2):
                say(peers, "carol", advertised(0))
                await asyncio.sleep(0)  # the fetch, which suspends nowhere

    asyncio.run(main())

    assert peers.asked == ["carol", "carol"]


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (FetchedCollation(candidate(persisted_validation_data_hash=PVD.hash).receipt, PoV(b"")), ""),
        (FetchedCollation(candidate().receipt, PoV(b"")), "PersistedValidationDataMismatch"),
        (
            CollationWithParentHeadData(
                candidate(persisted_validation_data_hash=PVD.hash).receipt, PoV(b""), HeadData(b"other")
            ),
            "ParentHeadDataMismatch",
        ),
    ],
)
def test_a_collation_is_for_the_validation_data_of_its_advertised_head(
    response: CollationFetchingResponse, reason: str
) -> None:
    context = ValidationContext(PVD, OccupiedCoreAssumption.INCLUDED)
    assert candidate().descriptor.persisted_validation_data_hash == ZERO_HASH

    if not reason:
        check_context(response, context)
        return
    with pytest.raises(SecondingError) as refusal:
        check_context(response, context)
    assert refusal.value.reason == reason
