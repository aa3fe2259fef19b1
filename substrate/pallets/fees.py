"""Fees: what a transaction costs by weight and length.

Source: polkadot-sdk, `substrate/frame/transaction-payment/src/{lib,types}.rs`.
"""

from typing import NewType

from substrate.runtime.dispatch import DispatchClass, DispatchInfo, Pays
from substrate.scale.types import Struct, path, u128, wire
from substrate.types import Balance, Weight

FixedU128 = NewType("FixedU128", int)
"""A fixed-point number: 10**18 is one."""
wire(FixedU128, u128, path="sp_arithmetic::fixed_point::FixedU128")
FIXED_ONE = FixedU128(10**18)


class LinearFee(Struct):
    """A fee in proportion to weight: the larger of what time and proof cost, rounded up."""

    time_numerator: int
    time_denominator: int
    proof_numerator: int = 0
    proof_denominator: int = 1

    def of(self, weight: Weight) -> int:
        """The fee of a weight."""
        time = -(-weight.ref_time * self.time_numerator // self.time_denominator)
        proof = -(-weight.proof_size * self.proof_numerator // self.proof_denominator)
        return max(time, proof)


@path("pallet_transaction_payment::types::InclusionFee")
class InclusionFee(Struct):
    """The parts of the fee for being in a block."""

    base_fee: Balance
    len_fee: Balance
    adjusted_weight_fee: Balance

    @property
    def total(self) -> int:
        """The whole inclusion fee."""
        return self.base_fee + self.len_fee + self.adjusted_weight_fee


@path("pallet_transaction_payment::types::FeeDetails")
class FeeDetails(Struct):
    """A fee and its parts."""

    inclusion_fee: InclusionFee | None
    tip: Balance

    @property
    def total(self) -> Balance:
        """All that is paid."""
        return Balance(self.tip + (self.inclusion_fee.total if self.inclusion_fee else 0))


@path("pallet_transaction_payment::types::RuntimeDispatchInfo")
class RuntimeDispatchInfo(Struct):
    """What a wallet shows of a transaction's cost."""

    weight: Weight
    class_: DispatchClass
    partial_fee: Balance
    """Without tip."""


class FeeRule(Struct):
    """What a chain charges."""

    weight_fee: LinearFee
    byte_fee: int
    multiplier: FixedU128
    base_extrinsic: Weight
    """Base weight of the extrinsic's class."""
    max_block: Weight


def fee_details(rule: FeeRule, info: DispatchInfo, *, length: int, tip: int) -> FeeDetails:
    """The fee of an extrinsic.

    Args:
        rule: What the chain charges.
        info: The extrinsic's weight and whether it pays.
        length: Its length in bytes.
        tip: What it adds for priority.
    """
    if info.pays_fee == Pays.No:
        return FeeDetails(None, Balance(tip))
    adjusted = rule.weight_fee.of(info.weight.min(rule.max_block)) * rule.multiplier // FIXED_ONE
    base = rule.weight_fee.of(rule.base_extrinsic)
    return FeeDetails(InclusionFee(Balance(base), Balance(rule.byte_fee * length), Balance(adjusted)), Balance(tip))
