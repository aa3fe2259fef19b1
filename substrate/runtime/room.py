"""Room in a block: weight by dispatch class, and bytes.

Source: polkadot-sdk, `substrate/frame/system/src/extensions/check_weight.rs`.
"""

from substrate.pallets.system import System
from substrate.runtime.dispatch import DispatchClass, DispatchInfo
from substrate.types import Weight


def fits(system: System, info: DispatchInfo, length: int) -> bool:
    """Whether a call of this weight and length still goes into the open block."""
    if (system.all_extrinsics_len.get() or 0) + length > system.lengths.max.of(info.class_):
        return False
    if info.class_ == DispatchClass.Mandatory:
        return True
    limits = system.limits.per_class.of(info.class_)
    if limits.max_extrinsic is not None and info.weight.any_gt(limits.max_extrinsic):
        return False
    weight = info.weight + limits.base_extrinsic
    used = system.block_weight.get()
    if limits.max_total is not None and (used.of(info.class_) + weight).any_gt(limits.max_total):
        return False
    if not (used.total + weight).any_gt(system.limits.max_block):
        return True
    return limits.reserved is not None and not (used.of(info.class_) + weight).any_gt(limits.reserved)


def take(system: System, info: DispatchInfo, length: int) -> None:
    """Count an extrinsic before it runs."""
    weight = info.weight + system.limits.per_class.of(info.class_).base_extrinsic
    system.register_extra_weight(weight, info.class_)
    system.all_extrinsics_len.put((system.all_extrinsics_len.get() or 0) + length)


def give_back(system: System, info: DispatchInfo, actual: Weight) -> None:
    """Return the weight that an extrinsic declared and did not use."""
    unused = info.weight - actual
    if unused != Weight.ZERO:
        system.block_weight.put(system.block_weight.get().minus(unused, info.class_))


def remaining(system: System) -> Weight:
    """Weight that `on_idle` may use."""
    return system.limits.max_block - system.block_weight.get().total
