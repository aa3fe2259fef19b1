"""Paras: heads and code upgrades."""

from typing import Any

import pytest

from relaychain.primitives.consensus_log import ENGINE_ID, ConsensusLog, ParaScheduleUpgradeCode, ParaUpgradeCode
from relaychain.primitives.core_state import CandidateBacked
from relaychain.primitives.types import (
    OccupiedCoreAssumption,
    ParaId,
    UpgradeGoAhead,
    UpgradeRestriction,
    ValidationCode,
    validation_code_hash,
)
from relaychain.runtime.configuration import default_configuration
from relaychain.runtime.paras import Paras, inserted, split_due, upgrade_expected_at
from substrate.block import consensus_logs
from substrate.scale.codec import decode
from substrate.types import BlockNumber
from tests.relaychain.runtime.conftest import CODE

PARA = ParaId(2000)
NEW = ValidationCode(b"new validation code")


def test_an_upgrade_waits_for_the_longer_delay() -> None:
    config = default_configuration()

    assert upgrade_expected_at(config, included_at=BlockNumber(10), accepted_at=BlockNumber(10)) == 15
    assert upgrade_expected_at(config, included_at=BlockNumber(10), accepted_at=BlockNumber(5)) == 12


def test_waiting_lists_are_by_block() -> None:
    waiting = inserted(inserted((), ParaId(1), BlockNumber(5)), ParaId(2), BlockNumber(3))

    assert waiting == ((2, 3), (1, 5))
    assert split_due(waiting, BlockNumber(4)) == ((2,), ((1, 5),))


def test_a_para_upgrades_when_it_sees_the_go_ahead(make_relay: Any) -> None:
    relay = make_relay()
    state = relay.include(2000, b"one", new_validation_code=NEW)
    assert state.paras.upgrade_restriction_signal[PARA] is UpgradeRestriction.PRESENT
    assert state.paras.future_code_upgrades[PARA] == 2 + 5
    old = state.paras.current_code_hash[PARA]

    # A second upgrade has to wait.
    state = relay.block(
        [relay.backed(relay.candidate(2000, b"two", new_validation_code=ValidationCode(b"newer code")))]
    )
    assert state.candidate_events() == ()

    while relay.header.number < 7:
        assert PARA not in relay.runtime.paras.upgrade_go_ahead_signal
        relay.block()
    assert relay.runtime.paras.upgrade_go_ahead_signal[PARA] is UpgradeGoAhead.GO_AHEAD
    assert PARA not in relay.runtime.paras.upgrade_restriction_signal

    # The first candidate in the context of the signal runs under the old code, and completes the upgrade.
    state = relay.block([relay.backed(relay.candidate(2000, b"two"))])
    assert [type(event) for event in state.candidate_events()] == [CandidateBacked]
    hashes = [state.validation_code_hash(PARA, assumption) for assumption in OccupiedCoreAssumption]
    assert hashes == [validation_code_hash(NEW), old, None]
    state = relay.block(bitfields=relay.bitfields([0]))
    assert state.paras.current_code_hash[PARA] == validation_code_hash(NEW)
    assert PARA not in state.paras.upgrade_go_ahead_signal
    assert state.paras.validation_code_by_hash(old) is not None
    assert state.validation_code(PARA, OccupiedCoreAssumption.FREE) == NEW


def test_new_code_over_the_limit_is_left_out(make_relay: Any) -> None:
    relay = make_relay(max_code_size=8)

    state = relay.block([relay.backed(relay.candidate(2000, b"one", new_validation_code=NEW))])

    assert state.candidate_events() == ()


def traces(relay: Any) -> tuple[list[Any], list[Any]]:
    """Events of pallet paras in the last block, and the consensus logs of its header."""
    events = [
        record.event.value for record in relay.runtime.system.block_events() if type(record.event).__name__ == "Paras"
    ]
    logs = [decode(ConsensusLog, data) for data in consensus_logs(relay.header, ENGINE_ID)]
    return events, logs


def test_an_upgrade_leaves_upstreams_events_and_digest_logs(make_relay: Any) -> None:
    relay, new = make_relay(), validation_code_hash(NEW)
    relay.include(2000, b"one", new_validation_code=NEW)
    assert traces(relay) == (
        [Paras.PvfCheckStarted(new, PARA), Paras.PvfCheckAccepted(new, PARA)],
        [ParaScheduleUpgradeCode(PARA, new, BlockNumber(7))],
    )

    while relay.header.number < 7:
        relay.block()
    relay.include(2000, b"two")
    assert traces(relay) == ([], [ParaUpgradeCode(PARA, new)])


def test_code_that_is_set_by_force_is_an_event_and_a_digest_log(make_relay: Any) -> None:
    relay = make_relay()
    relay.block(before=lambda runtime: runtime.paras.force_set_current_code(None, PARA, NEW))

    assert traces(relay) == ([Paras.CurrentCodeUpdated(PARA)], [ParaUpgradeCode(PARA, validation_code_hash(NEW))])


def test_a_restriction_holds_in_the_block_in_which_it_ends(make_relay: Any) -> None:
    relay = make_relay(validation_upgrade_cooldown=9)
    relay.include(2000, b"one", new_validation_code=NEW)
    while relay.header.number < 8:
        relay.block()
    relay.include(2000, b"two")
    assert PARA not in relay.runtime.paras.future_code_hash

    newer = ValidationCode(b"newer code")
    for number, backed_count in ((11, 0), (12, 1)):
        state = relay.block([relay.backed(relay.candidate(2000, b"three", new_validation_code=newer))])
        assert (relay.header.number, len(state.candidate_events())) == (number, backed_count)


def test_an_upgrade_under_way_refuses_another_without_any_restriction(make_relay: Any) -> None:
    relay = make_relay(validation_upgrade_cooldown=1)
    relay.include(2000, b"one", new_validation_code=NEW)
    relay.block()
    assert PARA not in relay.runtime.paras.upgrade_restriction_signal

    newer = ValidationCode(b"newer code")
    assert (
        relay.block([relay.backed(relay.candidate(2000, b"two", new_validation_code=newer))]).candidate_events() == ()
    )


@pytest.mark.parametrize(
    "code",
    [ValidationCode(b"12345678"), ValidationCode(CODE)],
    ids=["code under the minimal size", "the code that the para runs under"],
)
def test_an_upgrade_that_makes_no_sense_has_no_effect(make_relay: Any, code: ValidationCode) -> None:
    relay = make_relay()
    state = relay.include(2000, b"one", new_validation_code=code)

    assert state.paras.heads[PARA] == b"one"
    assert (state.paras.future_code_hash.get(PARA), traces(relay)) == (None, ([], []))
    assert PARA not in state.paras.upgrade_restriction_signal


def test_the_first_of_two_upgrades_that_are_included_together_stands(make_relay: Any) -> None:
    relay = make_relay([2000], cores=[2000, 2000])
    one = relay.candidate(2000, b"one", new_validation_code=NEW)
    two = relay.candidate(2000, b"two", core=1, parent_head=b"one", new_validation_code=ValidationCode(b"newer code"))
    relay.block([relay.backed(one), relay.backed(two)])
    state = relay.block(bitfields=relay.bitfields([0, 1]))

    assert state.paras.heads[PARA] == b"two"
    assert state.paras.future_code_hash[PARA] == validation_code_hash(NEW)
    assert state.paras.upcoming_upgrades.get() == ((PARA, 7),)


def test_the_delays_of_an_upgrade_count_from_its_inclusion(make_relay: Any) -> None:
    relay = make_relay(validation_upgrade_delay=6, validation_upgrade_cooldown=9)
    relay.block()
    relay.block()
    state = relay.include(2000, b"one", new_validation_code=NEW)

    assert relay.header.number == 4
    assert state.paras.future_code_upgrades[PARA] == 4 + 6
    assert state.paras.upgrade_cooldowns.get() == ((PARA, 4 + 9),)
