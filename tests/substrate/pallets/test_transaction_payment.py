"""Transaction payment: fees by weight and length, withdrawn first and corrected after."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from substrate.crypto.keys import Ed25519Pair
from substrate.crypto.multi import Id
from substrate.pallets.balances import Balances
from substrate.pallets.fees import FIXED_ONE, FeeDetails, FeeRule, InclusionFee, LinearFee, fee_details
from substrate.pallets.system import System
from substrate.pallets.transaction_payment import Paid
from substrate.runtime.dispatch import DispatchClass, DispatchInfo, Pays
from substrate.runtime.extrinsic import Signing, sign_extrinsic
from substrate.runtime.validity import TransactionInvalid
from substrate.scale.codec import encode
from substrate.types import AccountId, Balance, Hash, Weight

ALICE, BOB, CAROL, FEES = (AccountId(bytes([number]) * 32) for number in range(1, 5))
RULE = FeeRule(LinearFee(1, 1_000, 2, 1), 10, FIXED_ONE, Weight(5_000, 0), Weight(1_000_000, 1_000))


def info(time: int, proof: int = 0, pays: Pays = Pays.Yes) -> DispatchInfo:
    return DispatchInfo(Weight(time, proof), DispatchClass.Normal, pays)


def test_a_fee_has_three_parts_and_a_tip() -> None:
    details = fee_details(RULE, info(7_001), length=3, tip=2)

    assert details == FeeDetails(InclusionFee(Balance(5), Balance(30), Balance(8)), Balance(2))
    assert details.total == 45


def test_proof_counts_where_it_costs_more_and_blocks_bound_the_weight() -> None:
    assert fee_details(RULE, info(1_000, 50), length=0, tip=0).total == 5 + 100
    assert fee_details(RULE, info(10**15), length=0, tip=0).total == 5 + 1_000


def test_a_free_call_pays_its_tip_only() -> None:
    assert fee_details(RULE, info(7_000, pays=Pays.No), length=3, tip=2) == FeeDetails(None, Balance(2))


@given(st.integers(0, 10**6), st.integers(0, 10**3), st.integers(0, 10**4))
def test_more_weight_or_length_never_costs_less(time: int, proof: int, length: int) -> None:
    fee = fee_details(RULE, info(time, proof), length=length, tip=0).total

    assert fee <= fee_details(RULE, info(time + 1, proof + 1), length=length + 1, tip=0).total


@pytest.fixture
def payment(world: Any) -> Any:
    """The pallet with fees that Alice can pay."""
    pallet = world.runtime.transaction_payment
    pallet.weight_fee = LinearFee(1, 10_000_000)
    pallet.byte_fee = 1
    return pallet


def test_the_unused_part_is_returned_and_the_rest_reaches_the_fee_account(world: Any, payment: Any) -> None:
    balances = world.runtime.balances
    declared, actual = info(5_000_000_000), info(1_000_000_000)
    paid = payment.withdraw_fee(ALICE, declared, 100, 7)
    assert paid == Paid(ALICE, Balance(13 + 100 + 500 + 7), Balance(7))
    assert balances.free_balance(ALICE) == 10_000 - 620

    fee = payment.correct_and_deposit_fee(paid, declared, actual, 100)

    assert fee == 13 + 100 + 100 + 7
    assert balances.free_balance(ALICE) == 10_000 - 220
    assert balances.free_balance(FEES) == 1_000 + 220
    assert world.said() == ["Withdraw", "Deposit", "Deposit", "TransactionFeePaid"]
    assert (world.events()[-1].actual_fee, world.events()[-1].tip) == (220, 7)


def test_without_a_fee_account_fees_are_burned(world: Any, payment: Any) -> None:
    payment.fee_account = None
    before = world.runtime.balances.total_issuance.get()
    paid = payment.withdraw_fee(ALICE, info(0), 100, 0)
    payment.correct_and_deposit_fee(paid, info(0), info(0), 100)

    assert world.runtime.balances.total_issuance.get() == before - 113


def test_fees_must_leave_the_account_alive(world: Any, payment: Any) -> None:
    world.runtime.balances.transfer(ALICE, CAROL, 213)
    payment.withdraw_fee(CAROL, info(0), 100, 0)
    world.runtime.balances.mint_into(CAROL, 112)
    with pytest.raises(TransactionInvalid, match="Payment"):
        payment.withdraw_fee(CAROL, info(0), 100, 0)
    # Settle what was withdrawn, so that the books balance.
    world.runtime.balances.rescind(113)


def test_a_refund_does_not_revive_a_dead_account(world: Any, payment: Any) -> None:
    paid = payment.withdraw_fee(BOB, info(5_000_000_000), 100, 0)
    balances = world.runtime.balances
    balances.transfer(BOB, ALICE, balances.free_balance(BOB))
    payment.correct_and_deposit_fee(paid, info(5_000_000_000), info(0), 100)

    assert balances.free_balance(BOB) == 0
    assert balances.free_balance(FEES) == 1_000 + paid.fee


def test_runtime_apis_tell_the_fee_of_a_call(world: Any, payment: Any) -> None:
    del payment
    call = world.runtime.call(Balances.transfer_keep_alive, dest=Id(BOB), value=Balance(5))
    raw = type(world.runtime).encode_call(call)
    length = encode_u32(100)
    answer = world.runtime.api("TransactionPaymentCallApi_query_call_info", raw + length)
    details = world.runtime.api("TransactionPaymentCallApi_query_call_fee_details", raw + length)
    bare = encode(bytes, b"\x04" + raw)

    partial_fee = int.from_bytes(answer[-16:], "little")
    assert partial_fee == 13 + 100 + 18
    assert details[0] == 1
    assert sum(int.from_bytes(details[at : at + 16], "little") for at in (1, 17, 33)) == partial_fee
    assert world.runtime.api("TransactionPaymentApi_query_info", bare + length)[-16:] == bytes(16)
    assert world.runtime.api("TransactionPaymentApi_query_fee_details", bare + length) == bytes(17)
    assert world.runtime.api("TransactionPaymentApi_query_length_to_fee", length)[0] == 100


def test_the_shown_parts_of_a_fee_are_without_the_tip(world: Any, payment: Any) -> None:
    del payment
    runtime = type(world.runtime)
    call = runtime.encode_call(world.runtime.call(Balances.transfer_keep_alive, dest=Id(BOB), value=Balance(5)))
    signing = Signing(1, 1, Hash(bytes(32)), Hash(bytes(32)))
    raw = sign_extrinsic(call, Ed25519Pair.from_seed(bytes(32)), nonce=0, tip=777, signing=signing)

    answer = world.runtime.api("TransactionPaymentApi_query_fee_details", encode(bytes, raw) + encode_u32(100))

    assert FeeDetails.decode(answer) == FeeDetails(InclusionFee(Balance(13), Balance(100), Balance(18)), Balance(0))


@pytest.mark.parametrize("api", ["TransactionPaymentApi", "TransactionPaymentCallApi"])
def test_the_fee_of_a_weight_is_at_most_a_blocks(world: Any, payment: Any, api: str) -> None:
    most = world.runtime.system.limits.max_block

    def fee(weight: Weight) -> int:
        return int.from_bytes(world.runtime.api(f"{api}_query_weight_to_fee", weight.encode()), "little")

    assert fee(Weight(50_000_000, 0)) == 5
    assert fee(Weight.MAX) == fee(most) == payment.weight_fee.of(most)


def encode_u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def test_priority_follows_the_tip_and_the_scarcest_resource(payment: Any) -> None:
    cheap, heavy = info(1_000), info(10**12)
    assert payment.priority(cheap, 100, 1) > payment.priority(cheap, 100, 0) > payment.priority(heavy, 100, 0)


def test_an_operational_call_is_worth_five_times_its_fee_more(payment: Any) -> None:
    normal = info(1_000)
    urgent = DispatchInfo(normal.weight, DispatchClass.Operational, Pays.Yes)
    longest = payment.pallet(System).lengths.max

    gained = payment.priority(urgent, 100, 3) - 4 * (longest.of(DispatchClass.Operational) // 100)

    fee = payment.fee_details(urgent, 100, 3).total
    assert payment.priority(normal, 100, 3) == 4 * (longest.of(DispatchClass.Normal) // 100)
    assert gained == 5 * fee * (longest.of(DispatchClass.Operational) // 100) > 0
