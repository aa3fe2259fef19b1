"""A para's candidates through a network of validators: collated, seconded, backed, included."""

from pathlib import Path
from typing import Any

import pytest

import testnet
from relaychain.primitives.candidate import CandidateCommitments
from relaychain.primitives.types import ZERO_HASH, ParaId
from substrate.types import BlockNumber
from testnet.record import Record
from tests.relaychain.node.para_network import Deviation, Draft, ParaNetwork, ledger_head, run_network


async def ten_slots(network: ParaNetwork) -> None:
    await network.slots(10)


async def three_slots(network: ParaNetwork) -> None:
    await network.slots(3)


def test_an_honest_para_has_a_candidate_backed_and_included_every_second_relay_block() -> None:
    network = run_network(ten_slots)

    assert network.heights("backed") == [1, 3, 5, 7, 9]
    assert network.heights("included") == [2, 4, 6, 8, 10]
    assert network.recorder.rows.get("faults", []) == []
    assert network.recorder.rows.get("refusals", []) == []


def test_a_block_on_the_pending_one_is_backed_as_that_is_included() -> None:
    async def scenario(network: ParaNetwork) -> None:
        network.collator(2000).is_eager = True
        await network.slots(10)

    network = run_network(scenario)

    assert network.heights("backed") == list(range(1, 11))
    assert network.heights("included") == list(range(2, 11))
    assert network.checks() == []


def test_a_block_on_the_pending_one_may_not_read_its_messages_again() -> None:
    async def scenario(network: ParaNetwork) -> None:
        network.collator(2000).is_eager = True
        await network.slots(3)

    network = run_network(scenario, edit=with_a_downward_message)

    assert network.heights("backed") == [1, 3]
    assert network.checks() == ["ProcessedDownwardMessages::Underflow"]


def test_groups_rotate_within_an_epoch_of_ten_slots() -> None:
    network = run_network(ten_slots, paras=(1000, 2000), epoch_slots=10)

    stages = network.recorder.distinct("candidates", "stage", "block", "core", "backing_group")
    assert [row[1:] for row in stages if row[0] == "backed"] == [
        (block, core, core if block <= 5 else 1 - core) for block in (1, 3, 5, 7, 9) for core in (0, 1)
    ]
    assert network.heights("included")[::2] == [2, 4, 6, 8, 10]


def test_two_runs_are_the_same_run() -> None:
    assert run_network(ten_slots).recorder.rows == run_network(ten_slots).recorder.rows


def test_three_paras_with_groups_of_their_own_advance_together() -> None:
    network = run_network(ten_slots, paras=(1000, 2000, 3000), validators=6)

    assert network.heights("backed") == [height for height in (1, 3, 5, 7, 9) for _ in range(3)]
    assert network.recorder.rows.get("faults", []) == []


def test_paras_go_on_in_the_next_session() -> None:
    async def thirty_slots(network: ParaNetwork) -> None:
        await network.slots(30)

    network = run_network(thirty_slots, epoch_slots=8)

    assert network.validators[0].parachains.api.session_index_for_child(network.best.hash) >= 3
    assert network.heights("included")[-1] >= 28
    assert len(network.heights("included")) >= 11
    assert network.recorder.rows.get("faults", []) == []


def test_data_becomes_available_without_one_backer_and_one_validator() -> None:
    """Given 7 validators in one group. When two are offline. Then candidates are included all the same."""

    async def scenario(network: ParaNetwork) -> None:
        for gone in network.validators[5:]:
            network.cut_off(gone.name)
        await network.slots(16)

    network = run_network(scenario, validators=7)

    assert len(network.heights("included")) >= 4


def test_without_a_supermajority_of_bitfields_nothing_is_included() -> None:
    """Given 4 validators. When two are offline. Then a candidate is backed and stays pending."""

    async def scenario(network: ParaNetwork) -> None:
        for gone in network.validators[2:]:
            network.cut_off(gone.name)
        await network.slots(12)

    network = run_network(scenario)

    assert len(network.heights("backed")) >= 1
    assert network.heights("included") == []


def test_the_record_takes_every_row(tmp_path: Path) -> None:
    network = run_network(ten_slots)
    record = Record(tmp_path / "record.sqlite")
    for table, rows in network.recorder.rows.items():
        for row in rows:
            record.row(table, **row)
    record.close()

    candidates = testnet.load(record.path).candidates
    assert candidates.outcome.tolist() == ["included"] * 5
    assert (candidates.included_at > candidates.backed_at).all()
    assert (candidates.backed_at > candidates.seconded_at).all()


# --- collators that lie ---


def mints(draft: Draft) -> None:
    draft.credit = 5


def mints_in_its_head(draft: Draft) -> None:
    draft.head = ledger_head(1, supply=10**9)


def forges_the_state_root(draft: Draft) -> None:
    draft.root = bytes(32)


def loops_for_ever(draft: Draft) -> None:
    draft.spin = True


def claims_messages_that_are_not_there(draft: Draft) -> None:
    draft.consumed = 3


def reads_the_future(draft: Draft) -> None:
    draft.watermark += 5


def commits_to_something_else(draft: Draft) -> None:
    watermark = BlockNumber(draft.watermark)
    draft.commitments = CandidateCommitments((), (), None, draft.head, draft.consumed + 1, watermark)


def set_to(name: str, value: object) -> Deviation:
    return lambda draft: setattr(draft, name, value)


LIES: list[tuple[Deviation, str]] = [
    (mints, "ExecutionError"),
    (mints_in_its_head, "ParaHeadHashMismatch"),
    (forges_the_state_root, "ExecutionError"),
    (loops_for_ever, "Timeout"),
    (claims_messages_that_are_not_there, "ProcessedDownwardMessages::Underflow"),
    (reads_the_future, "HrmpWatermark::AheadRelayParent"),
    (commits_to_something_else, "CommitmentsHashMismatch"),
    (set_to("pov_hash", ZERO_HASH), "PoVHashMismatch"),
    (set_to("code_hash", bytes(32)), "CodeHashMismatch"),
    (set_to("erasure_root", ZERO_HASH), "InvalidErasureRoot"),
    (set_to("pvd_hash", ZERO_HASH), "PersistedValidationDataMismatch"),
    (set_to("parent_head_hash", ZERO_HASH), "BadParent"),
    (set_to("session", 7), "InvalidSessionIndex"),
    (set_to("core", 3), "InvalidCoreIndex"),
]


@pytest.mark.parametrize(("lie", "check"), LIES)
def test_a_lying_collator_gets_no_backing_and_the_record_names_the_check(lie: Deviation, check: str) -> None:
    network = run_network(three_slots, deviations={2000: lie})

    assert network.heights("backed") == []
    assert network.checks() == [check]
    assert network.recorder.rows.get("faults", []) == []
    assert {row["node"] for row in network.recorder.rows["refusals"]} == {"alice", "bob", "charlie", "dave"}
    assert {row["para_id"] for row in network.recorder.rows["refusals"]} == {2000}


def with_a_downward_message(runtime: Any) -> None:
    runtime.dmp.queue_downward_message(ParaId(2000), b"message")


def test_a_collator_that_reads_its_messages_is_backed() -> None:
    network = run_network(three_slots, edit=with_a_downward_message)

    assert network.heights("backed") == [1, 3]
    assert network.checks() == []


def test_a_collator_that_skips_a_message_gets_no_backing() -> None:
    network = run_network(three_slots, deviations={2000: set_to("consumed", 0)}, edit=with_a_downward_message)

    assert network.heights("backed") == []
    assert network.checks() == ["ProcessedDownwardMessages::AdvancementRule"]


def test_a_lying_collator_hinders_no_other_para() -> None:
    network = run_network(ten_slots, paras=(1000, 2000), deviations={1000: mints})

    assert network.recorder.distinct("candidates", "para_id") == [(2000,)]
    assert network.heights("included") == [2, 4, 6, 8, 10]
