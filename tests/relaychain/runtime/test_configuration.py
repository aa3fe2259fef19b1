"""Configuration: consistency, and changes that wait for their session."""

from typing import Any

import pytest

from relaychain.primitives.types import SessionIndex
from relaychain.runtime.configuration import (
    DEVELOPMENT_PRESET,
    Configuration,
    ConfigurationError,
    ConfigurationReason,
    Pending,
    check_consistency,
    default_configuration,
    due,
    scheduled,
    with_overrides,
)
from substrate.errors import ChainError
from substrate.runtime.dispatch import DispatchFailure
from substrate.runtime.origin import RawRoot

DEFAULT = default_configuration()
OTHER = with_overrides(DEFAULT, {"max_pov_size": 1})
BROKEN = with_overrides(DEFAULT, {"no_show_slots": 0})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"scheduler_params": {"group_rotation_frequency": 0}}, ConfigurationReason.ZERO_GROUP_ROTATION_FREQUENCY),
        ({"scheduler_params": {"paras_availability_period": 0}}, ConfigurationReason.ZERO_PARAS_AVAILABILITY_PERIOD),
        ({"scheduler_params": {"lookahead": 0}}, ConfigurationReason.LOOKAHEAD_ZERO),
        ({"no_show_slots": 0}, ConfigurationReason.ZERO_NO_SHOW_SLOTS),
        ({"minimum_backing_votes": 0}, ConfigurationReason.ZERO_MINIMUM_BACKING_VOTES),
        ({"n_delay_tranches": 0}, ConfigurationReason.ZERO_DELAY_TRANCHES),
        ({"validation_upgrade_delay": 1}, ConfigurationReason.VALIDATION_UPGRADE_DELAY_IS_TOO_LOW),
        ({"max_head_data_size": 1024 * 1024 + 1}, ConfigurationReason.MAX_HEAD_DATA_SIZE_EXCEED_HARD_LIMIT),
        (
            {"minimum_validation_upgrade_delay": 4},
            ConfigurationReason.MINIMUM_VALIDATION_UPGRADE_DELAY_LESS_THAN_CHAIN_AVAILABILITY_PERIOD,
        ),
    ],
)
def test_each_inconsistency_has_its_reason(change: dict[str, Any], reason: ConfigurationReason) -> None:
    check_consistency(DEFAULT)
    with pytest.raises(ConfigurationError) as rejection:
        check_consistency(with_overrides(DEFAULT, change))

    assert rejection.value.reason is reason


def test_changes_of_a_session_apply_together() -> None:
    at = SessionIndex(2)
    pending = scheduled((), at, DEFAULT, OTHER, bypass=False)
    assert scheduled(pending, at, OTHER, DEFAULT, bypass=False) == ((2, DEFAULT),)

    later = scheduled(pending, SessionIndex(3), OTHER, DEFAULT, bypass=False)
    assert due(later, SessionIndex(1)) == (None, later)
    assert due(later, SessionIndex(2)) == (OTHER, ((3, DEFAULT),))
    assert due(later, SessionIndex(3)) == (DEFAULT, ())


def test_an_inconsistent_value_is_refused_unless_bypassed_or_already_broken() -> None:
    pending: Pending = ()
    with pytest.raises(ConfigurationError):
        scheduled(pending, SessionIndex(2), DEFAULT, BROKEN, bypass=False)
    assert scheduled(pending, SessionIndex(2), DEFAULT, BROKEN, bypass=True)
    assert scheduled(pending, SessionIndex(2), BROKEN, BROKEN, bypass=False)


def test_a_change_takes_effect_two_sessions_later(make_relay: Any) -> None:
    relay = make_relay()
    call = relay.runtime.call(Configuration.set_max_pov_size, new=77)
    relay.block(before=lambda runtime: runtime.dispatch(call, RawRoot()))

    sizes = [relay.new_session(session).configuration.active.max_pov_size for session in (1, 2, 3)]

    assert sizes == [DEFAULT.max_pov_size, 77, 77]


def test_calls_are_checked_and_reach_nested_fields(make_relay: Any) -> None:
    runtime = make_relay().opened()
    with pytest.raises(DispatchFailure):
        runtime.dispatch(runtime.call(Configuration.set_no_show_slots, new=0), RawRoot())
    runtime.dispatch(runtime.call(Configuration.set_scheduling_lookahead, new=5), RawRoot())
    runtime.dispatch(runtime.call(Configuration.set_node_feature, index=4, value=True), RawRoot())

    pending = runtime.configuration.pending_configs.get()[-1][1]

    assert pending.scheduler_params.lookahead == 5
    assert pending.node_features.indices() == (0, 1, 3, 4)


def test_the_presets_are_consistent() -> None:
    check_consistency(DEVELOPMENT_PRESET)
    check_consistency(DEFAULT)


@pytest.mark.parametrize(
    ("overrides", "cause"),
    [
        ({"max_code_sise": 1}, "no attribute 'max_code_sise'"),
        ({"max_code_size": "big"}, "max_code_size"),
        ({"max_code_size": -1}, "max_code_size"),
        ({"scheduler_params": {"looahead": 1}}, "no field 'looahead'"),
        ({"scheduler_params": 3}, "scheduler_params"),
        ({"node_features": [10**12]}, "node features are numbers below 256"),
        ({"node_features": ["x"]}, "node features are numbers below 256"),
        ({"no_show_slots": 0}, "ZeroNoShowSlots"),
    ],
)
def test_genesis_refuses_what_is_no_configuration(make_relay: Any, overrides: dict[str, Any], cause: str) -> None:
    with pytest.raises(ChainError, match=cause):
        make_relay(**overrides)


def test_genesis_takes_overrides(make_relay: Any) -> None:
    active = make_relay(max_pov_size=9, node_features=[2]).runtime.configuration.active

    assert (active.max_pov_size, active.node_features.indices()) == (9, (2,))
    assert (active.hrmp_channel_max_capacity, active.hrmp_channel_max_total_size) == (1_000, 102_400)
