"""Backing: what one validator signs, and what it does not."""

import asyncio
from typing import Any

import pytest

from relaychain.node.availability_store import ErasureCoder
from relaychain.node.backing import CandidateBacking
from relaychain.node.candidate_validation import Valid, Verdict
from relaychain.node.requests import FoundPoV
from relaychain.node.runtime_api import ValidationContext
from relaychain.primitives.availability import AvailableData, PoV
from relaychain.primitives.candidate import CommittedCandidateReceipt
from relaychain.primitives.types import OccupiedCoreAssumption, ValidatorIndex
from tests.relaychain.node.backing_parts import PAIRS, candidate, relay_parent, seconded, valid
from tests.relaychain.node.para_network import Rows
from tests.relaychain.node.surroundings import PVD, Api, Peers, Unused, View, reports

POV = PoV(b"block")
CONTEXT = ValidationContext(PVD, OccupiedCoreAssumption.INCLUDED)


class Approving:
    """Validation that finds everything valid."""

    def __init__(self) -> None:
        self.judged: list[PoV] = []

    def validate(self, _receipt: object, pov: PoV, *_: object) -> Verdict:
        self.judged.append(pov)
        return Valid(candidate().commitments, PVD)


class Forgetful:
    """A store that keeps nothing."""

    def put_available_data(self, *_: object) -> None: ...


def backing(view: View, rows: Rows, validation: Any, peers: Peers | None = None) -> CandidateBacking:
    parts: dict[str, Any] = {"key": PAIRS[0], "fetcher": peers or Peers(), "reports": reports(rows)}
    return CandidateBacking(view, Api(), validation, Forgetful(), ErasureCoder(), **parts)


def sound(height: int = 1) -> CommittedCandidateReceipt:
    root = ErasureCoder().coded(5, AvailableData(POV, PVD)).root
    return candidate(height, persisted_validation_data_hash=PVD.hash, pov_hash=POV.hash, erasure_root=root)


@pytest.mark.parametrize(("disabled", "index"), [((), 0), ((ValidatorIndex(1),), 0), ((ValidatorIndex(0),), None)])
def test_a_disabled_validator_keeps_silent(disabled: tuple[ValidatorIndex, ...], index: int | None) -> None:
    view, validation = View(relay_parent(disabled=disabled)), Approving()
    subject = backing(view, Rows(), validation)

    assert view.parent is not None
    assert subject.own_index(view.parent) == index
    assert (subject.second(sound().receipt, POV, CONTEXT) is None) is (index is None)
    assert len(validation.judged) == (0 if index is None else 1)


def test_a_validator_seconds_as_many_candidates_as_the_lookahead_each_once() -> None:
    rows, validation = Rows(), Approving()
    subject = backing(View(relay_parent(lookahead=2)), rows, validation)

    signed = [subject.second(sound(height).receipt, POV, CONTEXT) is not None for height in (1, 1, 2, 3)]

    assert signed == [True, False, True, False]
    assert len(validation.judged) == 2
    assert rows.distinct("refusals", "check", "detail") == [("SecondingLimit", "already seconded 2")]


async def attested(subject: CandidateBacking, view: View) -> None:
    """Have peer 1 second a candidate."""
    async with asyncio.TaskGroup() as tasks:
        subject.start(tasks)
        assert view.parent is not None
        subject.on_statement(view.parent.hash, seconded(sound(), 1, view.parent), "1")


def test_a_block_that_is_not_the_candidates_is_asked_of_the_next_voter() -> None:
    """Given validator 1 with a false block. When 2 has voted too. Then its block is judged, and 1 is on record."""
    view, rows, validation = View(), Rows(), Approving()
    parent = view.parent
    assert parent is not None

    def answer(peer: str) -> FoundPoV:
        subject.table(parent).import_statement(valid(sound(), 2, parent))
        return FoundPoV(POV if peer == "2" else PoV(b"other"))

    peers = Peers(answer)
    subject = backing(view, rows, validation, peers)
    asyncio.run(attested(subject, view))

    assert (peers.asked, validation.judged) == (["1", "2"], [POV])
    (detail,) = rows.distinct("faults", "detail")
    assert detail[0].startswith("1: no PoV of candidate 0x")
    assert [row["kind"] for row in rows.rows["votes"]] == ["statement"]


def test_a_block_that_nobody_has_is_not_judged() -> None:
    view, rows = View(), Rows()

    asyncio.run(attested(backing(view, rows, Unused(), Peers(lambda _: FoundPoV(PoV(b"other")))), view))

    assert "votes" not in rows.rows
