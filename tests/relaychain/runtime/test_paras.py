"""Paras: heads and code upgrades."""

from typing import Any

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
from relaychain.runtime.paras import inserted, split_due, upgrade_expected_at
from substrate.types import BlockNumber

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
