"""Types and limits of the system pallet.

Source: polkadot-sdk, `substrate/frame/system/src/{lib,limits}.rs`.
"""

from typing import TypeAlias

from substrate.runtime.dispatch import DispatchClass
from substrate.runtime.outer_enums import RuntimeEvent
from substrate.scale.types import Compact, Struct, enum_path, path, u32, u64, variant
from substrate.types import Hash, Weight


@variant(0, unnamed=True)
class ApplyExtrinsic(Struct):
    """While the extrinsic with this index runs."""

    index: u32


@variant(1)
class Finalization(Struct):
    """After the extrinsics."""


@variant(2)
class Initialization(Struct):
    """Before the extrinsics."""


Phase: TypeAlias = ApplyExtrinsic | Finalization | Initialization
enum_path(Phase, "frame_system::Phase")


@path("frame_system::EventRecord", params=(("E", RuntimeEvent), ("T", Hash)))
class EventRecord(Struct):
    """An event and when in its block it happened."""

    phase: Phase
    event: RuntimeEvent
    topics: tuple[Hash, ...] = ()


@path("frame_system::LastRuntimeUpgradeInfo")
class LastRuntimeUpgradeInfo(Struct):
    """The runtime version that last ran."""

    spec_version: Compact[u32]
    spec_name: str


@path("frame_system::CodeUpgradeAuthorization")
class CodeUpgradeAuthorization(Struct):
    """New code that anyone may put into place."""

    code_hash: Hash
    check_version: bool


@path("frame_support::dispatch::PerDispatchClass", params=(("T", Weight),))
class ConsumedWeight(Struct):
    """Weight used so far in the block, by class."""

    normal: Weight = Weight.ZERO
    operational: Weight = Weight.ZERO
    mandatory: Weight = Weight.ZERO

    @property
    def total(self) -> Weight:
        """The weight of all classes."""
        return self.normal + self.operational + self.mandatory

    def plus(self, weight: Weight, class_: DispatchClass) -> "ConsumedWeight":
        """More weight in one class."""
        match class_:
            case DispatchClass.Normal:
                return ConsumedWeight(self.normal + weight, self.operational, self.mandatory)
            case DispatchClass.Operational:
                return ConsumedWeight(self.normal, self.operational + weight, self.mandatory)
            case DispatchClass.Mandatory:
                return ConsumedWeight(self.normal, self.operational, self.mandatory + weight)

    def minus(self, weight: Weight, class_: DispatchClass) -> "ConsumedWeight":
        """Less weight in one class, not below zero."""
        match class_:
            case DispatchClass.Normal:
                return ConsumedWeight(self.normal - weight, self.operational, self.mandatory)
            case DispatchClass.Operational:
                return ConsumedWeight(self.normal, self.operational - weight, self.mandatory)
            case DispatchClass.Mandatory:
                return ConsumedWeight(self.normal, self.operational, self.mandatory - weight)

    def of(self, class_: DispatchClass) -> Weight:
        """The weight of one class."""
        return (self.normal, self.operational, self.mandatory)[class_]


@path("frame_system::limits::WeightsPerClass")
class WeightsPerClass(Struct):
    """Weight limits of one dispatch class."""

    base_extrinsic: Weight
    max_extrinsic: Weight | None
    max_total: Weight | None
    reserved: Weight | None


@path("frame_support::dispatch::PerDispatchClass", params=(("T", WeightsPerClass),))
class WeightsByClass(Struct):
    """Weight limits by class."""

    normal: WeightsPerClass
    operational: WeightsPerClass
    mandatory: WeightsPerClass

    def of(self, class_: DispatchClass) -> WeightsPerClass:
        """The limits of one class."""
        return (self.normal, self.operational, self.mandatory)[class_]


@path("frame_system::limits::BlockWeights")
class BlockWeights(Struct):
    """How heavy a block may be."""

    base_block: Weight
    max_block: Weight
    per_class: WeightsByClass


@path("frame_support::dispatch::PerDispatchClass", params=(("T", u32),))
class LengthsByClass(Struct):
    """Length limits by class, in bytes."""

    normal: u32
    operational: u32
    mandatory: u32

    def of(self, class_: DispatchClass) -> int:
        """The limit of one class."""
        return (self.normal, self.operational, self.mandatory)[class_]


@path("frame_system::limits::BlockLength")
class BlockLength(Struct):
    """How long a block may be."""

    max: LengthsByClass


@path("sp_weights::RuntimeDbWeight")
class RuntimeDbWeight(Struct):
    """Reference time of a database access, in picoseconds."""

    read: u64
    write: u64

    def of(self, *, reads: int = 0, writes: int = 0) -> Weight:
        """The weight of some accesses."""
        return Weight(self.read * reads + self.write * writes, 0)


BASE_BLOCK = Weight(453_383_000, 0)
BASE_EXTRINSIC = Weight(126_045_000, 0)
ROCKS_DB_WEIGHT = RuntimeDbWeight(25_000_000, 100_000_000)


def block_weights(
    max_block: Weight, *, normal_percent: int = 75, init_percent: int = 10, base_extrinsic: Weight = BASE_EXTRINSIC
) -> BlockWeights:
    """Limits as upstream's `with_sensible_defaults` builds them.

    Args:
        max_block: The whole block.
        normal_percent: Share of normal extrinsics; operational ones have the rest reserved.
        init_percent: Share set aside for `on_initialize`.
        base_extrinsic: Cost of an extrinsic beside its call.
    """
    normal = _percent(max_block, normal_percent)
    init = _percent(max_block, init_percent)
    return BlockWeights(
        BASE_BLOCK,
        max_block,
        WeightsByClass(
            WeightsPerClass(base_extrinsic, normal - init - base_extrinsic, normal, Weight.ZERO),
            WeightsPerClass(base_extrinsic, max_block - init - base_extrinsic, max_block, max_block - normal),
            WeightsPerClass(base_extrinsic, None, None, None),
        ),
    )


def block_length(max_bytes: int, *, normal_percent: int = 75) -> BlockLength:
    """Limits with a share for normal extrinsics."""
    return BlockLength(LengthsByClass(max_bytes * normal_percent // 100, max_bytes, max_bytes))


def _percent(weight: Weight, percent: int) -> Weight:
    return Weight(weight.ref_time * percent // 100, weight.proof_size * percent // 100)


DEFAULT_WEIGHTS = block_weights(Weight(2_000_000_000_000, 5 << 20))
DEFAULT_LENGTH = block_length(5 << 20)
