"""Transaction payment: fees are withdrawn before a transaction runs and corrected after.

Source: polkadot-sdk, `substrate/frame/transaction-payment/src/{lib,payment}.rs`.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from substrate.pallets.balances import Balances
from substrate.pallets.balances_rules import Fortitude, Precision, Preservation
from substrate.pallets.fees import (
    FIXED_ONE,
    FeeDetails,
    FeeRule,
    FixedU128,
    LinearFee,
    RuntimeDispatchInfo,
    fee_details,
)
from substrate.pallets.system import System
from substrate.runtime.dispatch import DispatchClass, DispatchFailure, DispatchInfo
from substrate.runtime.extrinsic import decode_extrinsic
from substrate.runtime.outer_enums import RuntimeCall
from substrate.runtime.pallet import Event, Pallet, config, constant, runtime_api
from substrate.runtime.storage import StorageValue, storage_value
from substrate.runtime.validity import Payment, TransactionInvalid
from substrate.scale.types import Struct, path, u8, u32
from substrate.types import AccountId, Balance, Weight

PAYMENT_API_VERSION = 4
CALL_API_VERSION = 3


@path("pallet_transaction_payment::Releases")
class Releases(IntEnum):
    """Storage releases of the pallet."""

    V1Ancient = 0
    V2 = 1


class Paid(Struct):
    """A fee withdrawn in advance."""

    who: AccountId
    fee: Balance
    tip: Balance


class TransactionPayment(Pallet):
    """Charges for transactions by weight and length."""

    next_fee_multiplier: StorageValue[FixedU128] = storage_value(default=FIXED_ONE)
    """Stays at one: fees do not follow the load."""
    release: StorageValue[Releases] = storage_value(default=Releases.V1Ancient, name="StorageVersion")

    operational_fee_multiplier: u8 = constant(5)
    weight_fee: LinearFee = config(LinearFee(1, 1_000))
    byte_fee: int = config(1_000)
    fee_account: AccountId | None = config(None)
    """Receives fees and tips; None burns them."""

    class TransactionFeePaid(Event):
        """A transaction fee `actual_fee`, of which `tip` was added to the minimum inclusion fee, has been paid."""

        who: AccountId
        actual_fee: Balance
        tip: Balance

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Write the storage release; takes no configuration."""
        super().genesis(config)
        self.next_fee_multiplier.put(FIXED_ONE)
        self.release.put(Releases.V2)

    # --- charging ---

    def fee_details(self, info: DispatchInfo, length: int, tip: int = 0) -> FeeDetails:
        """What an extrinsic of this weight and length pays."""
        limits = self.pallet(System).limits
        base = limits.per_class.of(info.class_).base_extrinsic
        multiplier = self.next_fee_multiplier.get()
        rule = FeeRule(self.weight_fee, self.byte_fee, multiplier, base, limits.max_block)
        return fee_details(rule, info, length=length, tip=tip)

    def withdraw_fee(self, who: AccountId, info: DispatchInfo, length: int, tip: int) -> Paid:
        """Take the fee of a transaction out of its signer's account, which must live on.

        Raises:
            TransactionInvalid: `Payment`.
        """
        fee = self.fee_details(info, length, tip).total
        if fee:
            try:
                self.pallet(Balances).withdraw(who, fee, Preservation.PRESERVE, Precision.EXACT, Fortitude.POLITE)
            except DispatchFailure as failure:
                raise TransactionInvalid(Payment(), f"fee {fee}: {failure}") from failure
        return Paid(who, fee, Balance(tip))

    def correct_and_deposit_fee(self, paid: Paid, info: DispatchInfo, actual: DispatchInfo, length: int) -> Balance:
        """Return what a transaction paid too much, pass on the rest, and emit what it was.

        Args:
            paid: What was withdrawn.
            info: What the call declared.
            actual: What it used.
            length: Its length in bytes.
        """
        assert actual.class_ == info.class_, "a call keeps its class"
        balances = self.pallet(Balances)
        fee = self.fee_details(actual, length, paid.tip).total
        refund = max(paid.fee - fee, 0)
        kept = paid.fee
        if refund and balances.total_balance(paid.who):
            kept = Balance(paid.fee - balances.deposit(paid.who, refund, Precision.BEST_EFFORT))
        self._pass_on(kept)
        self.deposit_event(self.TransactionFeePaid(who=paid.who, actual_fee=fee, tip=paid.tip))
        return fee

    def _pass_on(self, amount: int) -> None:
        if amount and self.fee_account is not None:
            amount -= self.pallet(Balances).deposit(self.fee_account, amount, Precision.BEST_EFFORT)
        if amount:
            self.pallet(Balances).rescind(amount)

    def priority(self, info: DispatchInfo, length: int, tip: int) -> int:
        """How eagerly a pool offers a transaction: what its tip is worth per use of the scarcest resource."""
        system = self.pallet(System)
        block, longest = system.limits.max_block, system.lengths.max.of(info.class_)
        by_time = block.ref_time // max(min(info.weight.ref_time, block.ref_time), 1)
        by_proof = block.proof_size // max(min(info.weight.proof_size, block.proof_size), 1)
        most = min(by_time, by_proof, longest // max(min(length, longest), 1))
        priority = (tip + 1) * most
        if info.class_ == DispatchClass.Operational:
            priority += self.fee_details(info, length, tip).total * self.operational_fee_multiplier * most
        return min(priority, 2**64 - 1)

    # --- runtime APIs ---

    @runtime_api("TransactionPaymentApi_query_info", version=PAYMENT_API_VERSION)
    def query_info(self, uxt: bytes, length: u32) -> RuntimeDispatchInfo:
        """Weight, class and fee (without tip) of an extrinsic."""
        extrinsic = decode_extrinsic(type(self.runtime), uxt)
        info = self.runtime.dispatch_info(extrinsic.call)
        fee = Balance(0) if extrinsic.signed is None else self.fee_details(info, length).total
        return RuntimeDispatchInfo(info.weight, info.class_, fee)

    @runtime_api("TransactionPaymentApi_query_fee_details", version=PAYMENT_API_VERSION)
    def query_fee_details(self, uxt: bytes, length: u32) -> FeeDetails:
        """The parts of an extrinsic's fee, without its tip."""
        extrinsic = decode_extrinsic(type(self.runtime), uxt)
        if extrinsic.signed is None:
            return FeeDetails(None, Balance(0))
        return self.fee_details(self.runtime.dispatch_info(extrinsic.call), length)

    @runtime_api("TransactionPaymentApi_query_weight_to_fee", version=PAYMENT_API_VERSION)
    def query_weight_to_fee(self, weight: Weight) -> Balance:
        """The fee of a weight, a whole block's at most."""
        return Balance(self.weight_fee.of(weight.min(self.pallet(System).limits.max_block)))

    @runtime_api("TransactionPaymentApi_query_length_to_fee", version=PAYMENT_API_VERSION)
    def query_length_to_fee(self, length: u32) -> Balance:
        """The fee of a length."""
        return Balance(self.byte_fee * length)

    @runtime_api("TransactionPaymentCallApi_query_call_info", version=CALL_API_VERSION)
    def query_call_info(self, call: RuntimeCall, length: u32) -> RuntimeDispatchInfo:
        """Weight, class and fee of a call."""
        info = self.runtime.dispatch_info(call)
        return RuntimeDispatchInfo(info.weight, info.class_, self.fee_details(info, length).total)

    @runtime_api("TransactionPaymentCallApi_query_call_fee_details", version=CALL_API_VERSION)
    def query_call_fee_details(self, call: RuntimeCall, length: u32) -> FeeDetails:
        """The parts of a call's fee."""
        return self.fee_details(self.runtime.dispatch_info(call), length)

    @runtime_api("TransactionPaymentCallApi_query_weight_to_fee", version=CALL_API_VERSION)
    def query_call_weight_to_fee(self, weight: Weight) -> Balance:
        """The fee of a weight."""
        return self.query_weight_to_fee(weight)

    @runtime_api("TransactionPaymentCallApi_query_length_to_fee", version=CALL_API_VERSION)
    def query_call_length_to_fee(self, length: u32) -> Balance:
        """The fee of a length."""
        return self.query_length_to_fee(length)
