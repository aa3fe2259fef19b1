"""Paying for execution.

Source: polkadot-sdk, `polkadot/xcm/xcm-executor/src/lib.rs`.
"""

from typing import TYPE_CHECKING

from substrate.types import Weight
from xcm import error as e
from xcm.asset import Asset, Definite, assets
from xcm.error import XcmFailure
from xcm.executor.holding import Holding
from xcm.instruction import BuyExecution, PayFees, RefundSurplus, SetFeesMode, UnpaidExecution
from xcm.weight import Unlimited

if TYPE_CHECKING:
    from xcm.executor.machine import Machine


def buy_execution(vm: "Machine", instruction: BuyExecution) -> None:
    """Pay for weight; without a limit someone else decided that execution is free."""
    if isinstance(instruction.weight_limit, Unlimited):
        return
    unspent = _buy(vm, instruction.weight_limit.weight, instruction.fees)
    vm.registers.holding = vm.registers.holding.plus(unspent)


def pay_fees(vm: "Machine", instruction: PayFees) -> None:
    """Pay once for the whole message; what is left pays for what it sends."""
    if vm.registers.already_paid_fees:
        return
    vm.registers.already_paid_fees = True
    unspent = _buy(vm, vm.message_weight, instruction.asset)
    vm.registers.fees = vm.registers.fees.plus(unspent)


def refund_surplus(vm: "Machine", instruction: RefundSurplus) -> None:
    """Sell unused weight back."""
    vm.refund_surplus()


def set_fees_mode(vm: "Machine", instruction: SetFeesMode) -> None:
    """Let delivery fees come from the origin's account, or from the registers."""
    vm.registers.jit_withdraw = instruction.jit_withdraw


def unpaid_execution(vm: "Machine", instruction: UnpaidExecution) -> None:
    """Fail unless the origin is the expected one, if one is."""
    if instruction.check_origin is not None and instruction.check_origin != vm.registers.origin:
        raise XcmFailure(e.BadOrigin(), f"{instruction.check_origin} expected")


def _buy(vm: "Machine", weight: Weight, fees: Asset) -> Holding:
    before = vm.registers.holding
    if not before.contains((fees,)):
        raise XcmFailure(e.NotHoldingFees(), "execution")
    taken, vm.registers.holding = before.try_take(Definite(assets(fees)))
    try:
        return vm.trader.buy_weight(weight, Holding.of(*taken), vm.context)
    except XcmFailure:
        vm.registers.holding = before
        raise
