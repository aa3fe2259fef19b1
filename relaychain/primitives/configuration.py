"""Host configuration: every limit and period of the parachain host.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/configuration.rs`, `polkadot/primitives/src/v9/mod.rs`.
"""

from enum import IntEnum

from relaychain.primitives.types import PRIMITIVES
from substrate.scale.bits import BitVec
from substrate.scale.types import Struct, enum_path, path, u32, u64, variant
from substrate.types import Balance, BlockNumber, Perbill


@path(f"{PRIMITIVES}::async_backing::AsyncBackingParams")
class AsyncBackingParams(Struct):
    """Superseded by the scheduler's lookahead; kept for the encoding."""

    max_candidate_depth: u32
    allowed_ancestry_len: u32


@path(f"{PRIMITIVES}::AbridgedHostConfiguration")
class AbridgedHostConfiguration(Struct):
    """The first fields of `HostConfiguration`: what paras read by state proof."""

    max_code_size: u32
    max_head_data_size: u32
    max_upward_queue_count: u32
    max_upward_queue_size: u32
    max_upward_message_size: u32
    max_upward_message_num_per_candidate: u32
    hrmp_max_message_num_per_candidate: u32
    validation_upgrade_cooldown: BlockNumber
    validation_upgrade_delay: BlockNumber
    async_backing_params: AsyncBackingParams


@path(f"{PRIMITIVES}::PvfPrepKind")
class PvfPrepKind(IntEnum):
    """Why code is prepared."""

    PRECHECK = 0
    PREPARE = 1


@path(f"{PRIMITIVES}::PvfExecKind")
class PvfExecKind(IntEnum):
    """Why code is executed."""

    BACKING = 0
    APPROVAL = 1


@variant(1, unnamed=True)
class MaxMemoryPages(Struct):
    """Memory bound, pages of 64 KiB."""

    pages: u32


@variant(2, unnamed=True)
class StackLogicalMax(Struct):
    """Stack bound, values."""

    values: u32


@variant(3, unnamed=True)
class StackNativeMax(Struct):
    """Stack bound, bytes."""

    size_bytes: u32


@variant(4, unnamed=True)
class PrecheckingMaxMemory(Struct):
    """Memory bound of preparation, bytes."""

    size_bytes: u64


@variant(5, unnamed=True)
class PvfPrepTimeout(Struct):
    """Preparation timeout."""

    kind: PvfPrepKind
    timeout_ms: u64


@variant(6, unnamed=True)
class PvfExecTimeout(Struct):
    """Execution timeout."""

    kind: PvfExecKind
    timeout_ms: u64


@variant(7)
class WasmExtBulkMemory(Struct):
    """Enables an extension of the virtual machine."""


ExecutorParam = (
    MaxMemoryPages
    | StackLogicalMax
    | StackNativeMax
    | PrecheckingMaxMemory
    | PvfPrepTimeout
    | PvfExecTimeout
    | WasmExtBulkMemory
)
enum_path(ExecutorParam, f"{PRIMITIVES}::executor_params::ExecutorParam")


@path(f"{PRIMITIVES}::ApprovalVotingParams")
class ApprovalVotingParams(Struct):
    """How approval votes are bundled."""

    max_approval_coalesce_count: u32


@path(f"{PRIMITIVES}::SchedulerParams")
class SchedulerParams(Struct):
    """Cores, groups and on-demand orders."""

    group_rotation_frequency: BlockNumber
    paras_availability_period: BlockNumber
    max_validators_per_core: u32 | None
    lookahead: u32
    num_cores: u32
    max_availability_timeouts: u32
    """Unused; kept for the encoding."""
    on_demand_queue_max_size: u32
    on_demand_target_queue_utilization: Perbill
    on_demand_fee_variability: Perbill
    on_demand_base_fee: Balance
    ttl: BlockNumber
    """Unused; kept for the encoding."""


@path("polkadot_runtime_parachains::configuration::HostConfiguration")
class HostConfiguration(Struct):
    """All limits, in upstream's order. Sizes are bytes, periods relay blocks unless the name says otherwise."""

    max_code_size: u32
    max_head_data_size: u32
    max_upward_queue_count: u32
    max_upward_queue_size: u32
    max_upward_message_size: u32
    max_upward_message_num_per_candidate: u32
    hrmp_max_message_num_per_candidate: u32
    validation_upgrade_cooldown: BlockNumber
    validation_upgrade_delay: BlockNumber
    async_backing_params: AsyncBackingParams
    max_pov_size: u32
    max_downward_message_size: u32
    hrmp_max_parachain_outbound_channels: u32
    hrmp_sender_deposit: Balance
    hrmp_recipient_deposit: Balance
    hrmp_channel_max_capacity: u32
    hrmp_channel_max_total_size: u32
    hrmp_max_parachain_inbound_channels: u32
    hrmp_channel_max_message_size: u32
    executor_params: tuple[ExecutorParam, ...]
    code_retention_period: BlockNumber
    max_validators: u32 | None
    dispute_period: u32
    """Sessions."""
    dispute_post_conclusion_acceptance_period: BlockNumber
    no_show_slots: u32
    n_delay_tranches: u32
    zeroth_delay_tranche_width: u32
    needed_approvals: u32
    relay_vrf_modulo_samples: u32
    pvf_voting_ttl: u32
    """Sessions."""
    minimum_validation_upgrade_delay: BlockNumber
    minimum_backing_votes: u32
    node_features: BitVec
    approval_voting_params: ApprovalVotingParams
    scheduler_params: SchedulerParams

    @property
    def abridged(self) -> AbridgedHostConfiguration:
        """The part that paras read."""
        names = AbridgedHostConfiguration.__struct_fields__
        return AbridgedHostConfiguration(*(getattr(self, name) for name in names))

    def has_feature(self, bit: int) -> bool:
        """Whether a node feature (`NodeFeature`) is on."""
        return bit < len(self.node_features) and self.node_features[bit]
