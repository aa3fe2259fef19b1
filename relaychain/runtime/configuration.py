"""Configuration: the active host configuration, and changes that wait for a session.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/configuration.rs`.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, cast

import msgspec

from relaychain.primitives.configuration import (
    ApprovalVotingParams,
    AsyncBackingParams,
    ExecutorParam,
    HostConfiguration,
    SchedulerParams,
)
from relaychain.primitives.messages import MAX_UPWARD_MESSAGE_SIZE_BOUND
from relaychain.primitives.types import NodeFeature, SessionIndex
from relaychain.runtime.shared import SESSION_DELAY, Shared
from substrate.errors import ChainError, EncodeError, RuleError
from substrate.runtime.origin import Root
from substrate.runtime.pallet import Error, Pallet, call, runtime_api
from substrate.runtime.storage import StorageValue, storage_value
from substrate.scale.bits import BitVec
from substrate.scale.types import Struct, u8, u32
from substrate.types import Balance, BlockNumber, Perbill

KIB, MIB = 1024, 1024 * 1024
MAX_CODE_SIZE = 3 * MIB
MAX_HEAD_DATA_SIZE = MIB
MAX_POV_SIZE = 16 * MIB
ON_DEMAND_MAX_QUEUE_MAX_SIZE = 1_000_000_000
MAX_NODE_FEATURES = 256
"""As many as `set_node_feature` can name."""


def _features(*bits: int) -> BitVec:
    return BitVec(bit in bits for bit in range(max(bits, default=-1) + 1))


DEVELOPMENT_PRESET: Final = HostConfiguration(
    max_code_size=MAX_CODE_SIZE,
    max_head_data_size=32 * KIB,
    max_upward_queue_count=8,
    max_upward_queue_size=MIB,
    max_upward_message_size=50 * KIB,
    max_upward_message_num_per_candidate=5,
    hrmp_max_message_num_per_candidate=5,
    validation_upgrade_cooldown=BlockNumber(2),
    validation_upgrade_delay=BlockNumber(2),
    async_backing_params=AsyncBackingParams(0, 0),
    max_pov_size=10 * MIB,
    max_downward_message_size=MIB,
    hrmp_max_parachain_outbound_channels=4,
    hrmp_sender_deposit=Balance(0),
    hrmp_recipient_deposit=Balance(0),
    hrmp_channel_max_capacity=8,
    hrmp_channel_max_total_size=8 * KIB,
    hrmp_max_parachain_inbound_channels=4,
    hrmp_channel_max_message_size=MIB,
    executor_params=(),
    code_retention_period=BlockNumber(1_200),
    max_validators=None,
    dispute_period=6,
    dispute_post_conclusion_acceptance_period=BlockNumber(100),
    no_show_slots=2,
    n_delay_tranches=25,
    zeroth_delay_tranche_width=0,
    needed_approvals=2,
    relay_vrf_modulo_samples=2,
    pvf_voting_ttl=2,
    minimum_validation_upgrade_delay=BlockNumber(5),
    minimum_backing_votes=2,
    node_features=_features(
        NodeFeature.ENABLE_ASSIGNMENTS_V2, NodeFeature.ELASTIC_SCALING_MVP, NodeFeature.CANDIDATE_RECEIPT_V2
    ),
    approval_voting_params=ApprovalVotingParams(1),
    scheduler_params=SchedulerParams(
        group_rotation_frequency=BlockNumber(20),
        paras_availability_period=BlockNumber(4),
        max_validators_per_core=None,
        lookahead=3,
        num_cores=0,
        max_availability_timeouts=0,
        on_demand_queue_max_size=10_000,
        on_demand_target_queue_utilization=Perbill(250_000_000),
        on_demand_fee_variability=Perbill(30_000_000),
        on_demand_base_fee=Balance(10_000_000),
        ttl=BlockNumber(5),
    ),
)
"""Upstream's genesis configuration of test networks."""
BUSY_NETWORK: Final[Mapping[str, Any]] = {
    "max_upward_message_num_per_candidate": 16,
    "max_upward_queue_count": 174_762,
    "max_upward_queue_size": 8 * MIB,
    "hrmp_max_message_num_per_candidate": 30,
    "hrmp_channel_max_capacity": 1_000,
    "hrmp_channel_max_total_size": 100 * KIB,
    "hrmp_channel_max_message_size": 100 * KIB,
    "hrmp_max_parachain_outbound_channels": 30,
    "hrmp_max_parachain_inbound_channels": 30,
    "scheduler_params": {"group_rotation_frequency": BlockNumber(5)},
}
"""Where ours differs, so that many paras with many users can talk, and that groups rotate within an epoch of 10 blocks:
rotation starts afresh with each session."""


class ConfigurationReason(StrEnum):
    """How a configuration contradicts itself."""

    ZERO_GROUP_ROTATION_FREQUENCY = "ZeroGroupRotationFrequency"
    ZERO_PARAS_AVAILABILITY_PERIOD = "ZeroParasAvailabilityPeriod"
    ZERO_NO_SHOW_SLOTS = "ZeroNoShowSlots"
    MAX_CODE_SIZE_EXCEED_HARD_LIMIT = "MaxCodeSizeExceedHardLimit"
    MAX_HEAD_DATA_SIZE_EXCEED_HARD_LIMIT = "MaxHeadDataSizeExceedHardLimit"
    MAX_POV_SIZE_EXCEED_HARD_LIMIT = "MaxPovSizeExceedHardLimit"
    MINIMUM_VALIDATION_UPGRADE_DELAY_LESS_THAN_CHAIN_AVAILABILITY_PERIOD = (
        "MinimumValidationUpgradeDelayLessThanChainAvailabilityPeriod"
    )
    VALIDATION_UPGRADE_DELAY_IS_TOO_LOW = "ValidationUpgradeDelayIsTooLow"
    MAX_UPWARD_MESSAGE_SIZE_EXCEEDED = "MaxUpwardMessageSizeExceeded"
    MAX_HRMP_OUTBOUND_CHANNELS_EXCEEDED = "MaxHrmpOutboundChannelsExceeded"
    MAX_HRMP_INBOUND_CHANNELS_EXCEEDED = "MaxHrmpInboundChannelsExceeded"
    ZERO_MINIMUM_BACKING_VOTES = "ZeroMinimumBackingVotes"
    LOOKAHEAD_ZERO = "LookaheadZero"
    ON_DEMAND_QUEUE_SIZE_TOO_LARGE = "OnDemandQueueSizeTooLarge"
    ZERO_DELAY_TRANCHES = "ZeroDelayTranches"


class ConfigurationError(RuleError):
    """An inconsistent configuration."""


def check_consistency(config: HostConfiguration) -> None:
    """Check that the limits and periods fit together.

    Raises:
        ConfigurationError: the first reason that applies.
    """
    reason, scheduler = ConfigurationReason, config.scheduler_params
    rules: tuple[tuple[bool, ConfigurationReason], ...] = (
        (scheduler.group_rotation_frequency == 0, reason.ZERO_GROUP_ROTATION_FREQUENCY),
        (scheduler.paras_availability_period == 0, reason.ZERO_PARAS_AVAILABILITY_PERIOD),
        (config.no_show_slots == 0, reason.ZERO_NO_SHOW_SLOTS),
        (config.max_code_size > MAX_CODE_SIZE, reason.MAX_CODE_SIZE_EXCEED_HARD_LIMIT),
        (config.max_head_data_size > MAX_HEAD_DATA_SIZE, reason.MAX_HEAD_DATA_SIZE_EXCEED_HARD_LIMIT),
        (config.max_pov_size > MAX_POV_SIZE, reason.MAX_POV_SIZE_EXCEED_HARD_LIMIT),
        (
            config.minimum_validation_upgrade_delay <= scheduler.paras_availability_period,
            reason.MINIMUM_VALIDATION_UPGRADE_DELAY_LESS_THAN_CHAIN_AVAILABILITY_PERIOD,
        ),
        (config.validation_upgrade_delay <= 1, reason.VALIDATION_UPGRADE_DELAY_IS_TOO_LOW),
        (config.max_upward_message_size > MAX_UPWARD_MESSAGE_SIZE_BOUND, reason.MAX_UPWARD_MESSAGE_SIZE_EXCEEDED),
        (config.hrmp_max_parachain_outbound_channels > 128, reason.MAX_HRMP_OUTBOUND_CHANNELS_EXCEEDED),
        (config.hrmp_max_parachain_inbound_channels > 128, reason.MAX_HRMP_INBOUND_CHANNELS_EXCEEDED),
        (config.minimum_backing_votes == 0, reason.ZERO_MINIMUM_BACKING_VOTES),
        (scheduler.lookahead == 0, reason.LOOKAHEAD_ZERO),
        (
            scheduler.on_demand_queue_max_size > ON_DEMAND_MAX_QUEUE_MAX_SIZE,
            reason.ON_DEMAND_QUEUE_SIZE_TOO_LARGE,
        ),
        (config.n_delay_tranches == 0, reason.ZERO_DELAY_TRANCHES),
    )
    for is_broken, broken in rules:
        if is_broken:
            raise ConfigurationError(broken)


def is_consistent(config: HostConfiguration) -> bool:
    """Whether `check_consistency` passes."""
    try:
        check_consistency(config)
    except ConfigurationError:
        return False
    return True


Pending = tuple[tuple[SessionIndex, HostConfiguration], ...]


def scheduled(
    pending: Pending, apply_at: SessionIndex, base: HostConfiguration, new: HostConfiguration, *, bypass: bool
) -> Pending:
    """Pending configurations once `new`, made from the latest one `base`, is to apply at `apply_at`.

    Raises:
        ConfigurationError: `new` is inconsistent, and `base` was not.
    """
    if not bypass and is_consistent(base):
        check_consistency(new)
    if pending and pending[-1][0] >= apply_at:
        return (*pending[:-1], (pending[-1][0], new))
    return (*pending, (apply_at, new))


def due(pending: Pending, session: SessionIndex) -> tuple[HostConfiguration | None, Pending]:
    """The configuration that becomes active in `session`, if any, and what stays pending."""
    past = [config for at, config in pending if at <= session]
    return (past[-1] if past else None), tuple(item for item in pending if item[0] > session)


class SessionChangeOutcome(Struct):
    """The configuration before a session change and after it."""

    prev_config: HostConfiguration
    new_config: HostConfiguration


def default_configuration() -> HostConfiguration:
    """What a network starts with if its genesis says nothing else."""
    return with_overrides(DEVELOPMENT_PRESET, BUSY_NETWORK)


def with_overrides(config: HostConfiguration, overrides: Mapping[str, Any]) -> HostConfiguration:
    """A configuration with some fields replaced; nested parameters are given as mappings."""
    fields: dict[str, Any] = {}
    for name, value in overrides.items():
        current = getattr(config, name)
        if isinstance(current, Struct) and isinstance(value, Mapping):
            value = msgspec.structs.replace(current, **value)
        elif name == "node_features" and isinstance(value, list | tuple):
            bits = cast("Sequence[int]", value)
            if any(bit not in range(MAX_NODE_FEATURES) for bit in bits):
                raise ValueError(f"node features are numbers below {MAX_NODE_FEATURES}")
            value = _features(*bits)
        fields[name] = value
    return msgspec.structs.replace(config, **fields)


def _setter(index: int, field: str, hint: Any, name: str = "") -> Any:
    """The root call that sets one field; `group.field` names one of a nested group."""
    group, _, leaf = field.rpartition(".")

    def set_field(self: "Configuration", origin: Root, new: Any) -> None:
        self.schedule({group: {leaf: new}} if group else {field: new})

    set_field.__name__ = name or f"set_{leaf}"
    set_field.__qualname__ = f"Configuration.{set_field.__name__}"
    set_field.__doc__ = f"Set `{leaf}`, two sessions from now."
    set_field.__annotations__ = {"origin": Root, "new": hint, "return": None}
    return call(index)(set_field)


class Configuration(Pallet):
    """The host configuration. A change made in session n applies from n + 2 on."""

    crate = "polkadot_runtime_parachains::configuration"

    active_config: StorageValue[HostConfiguration] = storage_value()
    """In force now; paras read its first fields by state proof."""
    pending_configs: StorageValue[Pending] = storage_value(default=())
    """Waiting for their session, ascending."""
    bypass_consistency_check: StorageValue[bool] = storage_value(default=False)
    """Lets inconsistent values in; for tests of what they break."""

    class InvalidNewValue(Error):
        """The new value for a configuration parameter is invalid."""

    @property
    def active(self) -> HostConfiguration:
        """The configuration in force."""
        return self.active_config.get()

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Keys are fields of the configuration; what is not given has the default."""
        try:
            active = with_overrides(default_configuration(), config)
            active.encode()
        except (AttributeError, EncodeError, TypeError, ValueError) as failure:
            raise ChainError(f"the host configuration does not take {dict(config)}: {failure}") from failure
        check_consistency(active)
        self.active_config.put(active)

    def ensure_cores(self, count: int) -> None:
        """Genesis: have at least that many cores."""
        active = self.active
        if active.scheduler_params.num_cores < count:
            self.active_config.put(with_overrides(active, {"scheduler_params": {"num_cores": count}}))

    def schedule(self, overrides: Mapping[str, Any]) -> None:
        """Have fields change two sessions from now."""
        pending = self.pending_configs.get()
        base = pending[-1][1] if pending else self.active
        apply_at = SessionIndex(self.pallet(Shared).current_session_index.get() + SESSION_DELAY)
        bypass = self.bypass_consistency_check.get()
        try:
            self.pending_configs.put(scheduled(pending, apply_at, base, with_overrides(base, overrides), bypass=bypass))
        except ConfigurationError as error:
            raise self.InvalidNewValue(str(error)) from error

    def on_new_session(self, session: SessionIndex) -> SessionChangeOutcome:
        """Make the configuration that waited for `session` active."""
        previous = self.active
        new, pending = due(self.pending_configs.get(), session)
        if new is not None:
            self.active_config.put(new)
            self.pending_configs.put(pending)
        return SessionChangeOutcome(previous, new or previous)

    set_validation_upgrade_cooldown = _setter(0, "validation_upgrade_cooldown", BlockNumber)
    set_validation_upgrade_delay = _setter(1, "validation_upgrade_delay", BlockNumber)
    set_code_retention_period = _setter(2, "code_retention_period", BlockNumber)
    set_max_code_size = _setter(3, "max_code_size", u32)
    set_max_pov_size = _setter(4, "max_pov_size", u32)
    set_max_head_data_size = _setter(5, "max_head_data_size", u32)
    set_coretime_cores = _setter(6, "scheduler_params.num_cores", u32, "set_coretime_cores")
    set_group_rotation_frequency = _setter(8, "scheduler_params.group_rotation_frequency", BlockNumber)
    set_paras_availability_period = _setter(9, "scheduler_params.paras_availability_period", BlockNumber)
    set_scheduling_lookahead = _setter(11, "scheduler_params.lookahead", u32, "set_scheduling_lookahead")
    set_max_validators_per_core = _setter(12, "scheduler_params.max_validators_per_core", u32 | None)
    set_max_validators = _setter(13, "max_validators", u32 | None)
    set_dispute_period = _setter(14, "dispute_period", u32)
    set_dispute_post_conclusion_acceptance_period = _setter(
        15, "dispute_post_conclusion_acceptance_period", BlockNumber
    )
    set_no_show_slots = _setter(18, "no_show_slots", u32)
    set_n_delay_tranches = _setter(19, "n_delay_tranches", u32)
    set_zeroth_delay_tranche_width = _setter(20, "zeroth_delay_tranche_width", u32)
    set_needed_approvals = _setter(21, "needed_approvals", u32)
    set_relay_vrf_modulo_samples = _setter(22, "relay_vrf_modulo_samples", u32)
    set_max_upward_queue_count = _setter(23, "max_upward_queue_count", u32)
    set_max_upward_queue_size = _setter(24, "max_upward_queue_size", u32)
    set_max_downward_message_size = _setter(25, "max_downward_message_size", u32)
    set_max_upward_message_size = _setter(27, "max_upward_message_size", u32)
    set_max_upward_message_num_per_candidate = _setter(28, "max_upward_message_num_per_candidate", u32)
    set_hrmp_sender_deposit = _setter(30, "hrmp_sender_deposit", Balance)
    set_hrmp_recipient_deposit = _setter(31, "hrmp_recipient_deposit", Balance)
    set_hrmp_channel_max_capacity = _setter(32, "hrmp_channel_max_capacity", u32)
    set_hrmp_channel_max_total_size = _setter(33, "hrmp_channel_max_total_size", u32)
    set_hrmp_max_parachain_inbound_channels = _setter(34, "hrmp_max_parachain_inbound_channels", u32)
    set_hrmp_channel_max_message_size = _setter(36, "hrmp_channel_max_message_size", u32)
    set_hrmp_max_parachain_outbound_channels = _setter(37, "hrmp_max_parachain_outbound_channels", u32)
    set_hrmp_max_message_num_per_candidate = _setter(39, "hrmp_max_message_num_per_candidate", u32)
    set_pvf_voting_ttl = _setter(42, "pvf_voting_ttl", u32)
    set_minimum_validation_upgrade_delay = _setter(43, "minimum_validation_upgrade_delay", BlockNumber)
    set_async_backing_params = _setter(45, "async_backing_params", AsyncBackingParams)
    set_executor_params = _setter(46, "executor_params", tuple[ExecutorParam, ...])
    set_on_demand_base_fee = _setter(47, "scheduler_params.on_demand_base_fee", Balance)
    set_minimum_backing_votes = _setter(52, "minimum_backing_votes", u32)
    set_approval_voting_params = _setter(54, "approval_voting_params", ApprovalVotingParams)
    set_scheduler_params = _setter(55, "scheduler_params", SchedulerParams)

    @call(44)
    def set_bypass_consistency_check(self, origin: Root, new: bool) -> None:
        """Switch the consistency check off or on."""
        self.bypass_consistency_check.put(new)

    @call(53)
    def set_node_feature(self, origin: Root, index: u8, value: bool) -> None:
        """Switch a node feature on or off, two sessions from now."""
        pending = self.pending_configs.get()
        bits = (pending[-1][1] if pending else self.active).node_features
        padded = BitVec((*bits, *(False for _ in range(len(bits), index + 1))))
        self.schedule({"node_features": padded.with_bit(index, value)})

    @runtime_api("ParachainHost_node_features", version=11)
    def node_features(self) -> BitVec:
        """Switches of the node side."""
        return self.active.node_features

    @runtime_api("ParachainHost_approval_voting_params", version=11)
    def approval_voting_params(self) -> ApprovalVotingParams:
        """How approval votes are bundled."""
        return self.active.approval_voting_params

    @runtime_api("ParachainHost_minimum_backing_votes", version=11)
    def minimum_backing_votes(self) -> u32:
        """Votes that a candidate needs, unless its group is smaller."""
        return self.active.minimum_backing_votes

    @runtime_api("ParachainHost_async_backing_params", version=11)
    def async_backing_params(self) -> AsyncBackingParams:
        """Superseded by the lookahead; kept for clients."""
        return self.active.async_backing_params

    @runtime_api("ParachainHost_scheduling_lookahead", version=11)
    def scheduling_lookahead(self) -> u32:
        """Depth of the claim queue, and of the allowed relay parents."""
        return self.active.scheduler_params.lookahead
