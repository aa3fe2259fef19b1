"""Room in a block: weight by dispatch class, and bytes.

The length of an extrinsic counts as proof size too, since it travels in the proof of validity.

Source: polkadot-sdk, `substrate/frame/system/src/extensions/check_weight.rs`.
"""

from substrate.pallets.system import System
from substrate.runtime.dispatch import DispatchInfo
from substrate.runtime.validity import ExhaustsResources, TransactionInvalid
from substrate.types import Weight


def check_extrinsic(system: System, info: DispatchInfo, length: int) -> int:
    """Raise unless an extrinsic fits by its length, and by its weight into an empty block; returns the new length.

    Raises:
        TransactionInvalid: `ExhaustsResources`.
    """
    longer = (system.all_extrinsics_len.get() or 0) + length
    if longer > system.lengths.max.of(info.class_):
        raise TransactionInvalid(ExhaustsResources(), f"the block would have {longer} bytes")
    most = system.limits.per_class.of(info.class_).max_extrinsic
    if most is not None and (info.weight + Weight(0, length)).any_gt(most):
        raise TransactionInvalid(ExhaustsResources(), "it is too heavy for any block")
    return longer


def take(system: System, info: DispatchInfo, length: int) -> None:
    """Count an extrinsic before it runs.

    Raises:
        TransactionInvalid: `ExhaustsResources`; nothing was counted.
    """
    longer = check_extrinsic(system, info, length)
    limits = system.limits.per_class.of(info.class_)
    used = system.block_weight.get().plus(info.weight + limits.base_extrinsic + Weight(0, length), info.class_)
    of_class = used.of(info.class_)
    if limits.max_total is not None and of_class.any_gt(limits.max_total):
        raise TransactionInvalid(ExhaustsResources(), f"the block has no room left for {info.class_.name} calls")
    is_over = used.total.any_gt(system.limits.max_block)
    if is_over and limits.reserved is not None and of_class.any_gt(limits.reserved):
        raise TransactionInvalid(ExhaustsResources(), "the block has no room left for it")
    system.all_extrinsics_len.put(longer)
    system.block_weight.put(used)


def give_back(system: System, info: DispatchInfo, actual: Weight) -> None:
    """Return the weight that an extrinsic declared and did not use."""
    unused = info.weight - actual
    if unused != Weight.ZERO:
        system.block_weight.put(system.block_weight.get().minus(unused, info.class_))


def remaining(system: System) -> Weight:
    """Weight that `on_idle` may use."""
    return system.limits.max_block - system.block_weight.get().total
