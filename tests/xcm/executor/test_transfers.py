"""Reserves, teleports, delivery fees."""

import pytest

from substrate.types import AccountId
from tests.xcm.chain import Chain, Sending, account, complete, error_of, here, para, weight
from xcm import error as e
from xcm.asset import All, AllCounted, Definite, Wild, assets, fungible
from xcm.builder.transactors import Checking, MintLocation
from xcm.instruction import (
    BuyExecution,
    ClearOrigin,
    DepositAsset,
    DepositReserveAsset,
    InitiateReserveWithdraw,
    InitiateTeleport,
    Instruction,
    PayFees,
    ReceiveTeleportedAsset,
    RefundSurplus,
    ReserveAssetDeposited,
    SetFeesMode,
    SetTopic,
    TransferReserveAsset,
    WithdrawAsset,
    Xcm,
)
from xcm.junction import GeneralIndex, Parachain
from xcm.location import HERE, PARENT, Location, location
from xcm.message import xcm
from xcm.outcome import SendError, SendFailure
from xcm.weight import Limited

ALICE, BOB = account(1), account(3)
US = location(0, Parachain(42))
TOPIC = SetTopic(b"m" * 32)
CHECKING = AccountId(b"c" * 32)
DEEP = location(0, *[GeneralIndex(number) for number in range(8)])
"""As deep as a location can be: nobody above us can name it."""


def deposit(count: int = 1) -> DepositAsset:
    return DepositAsset(Wild(AllCounted(count)), BOB)


def test_reserve_transfer_should_work() -> None:
    chain = Chain()
    chain.endow(ALICE, 1000)
    outcome = chain.run(ALICE, TransferReserveAsset(assets(here(100)), para(2), xcm(deposit())))
    assert outcome == complete(10)
    assert chain.ledger.of(para(2)) == 100
    assert chain.sent == [
        (para(2), xcm(ReserveAssetDeposited(assets(fungible(PARENT, 100))), ClearOrigin(), deposit(), TOPIC))
    ]


def test_reserve_based_transfer_works() -> None:
    chain = Chain()
    chain.endow(ALICE, 100)
    outcome = chain.run(
        ALICE, WithdrawAsset(assets(here(100))), DepositReserveAsset(Wild(All()), para(2), xcm(deposit()))
    )
    assert outcome == complete(20)
    assert chain.ledger.of(para(2)) == 100
    assert chain.sent[0][1][0] == ReserveAssetDeposited(assets(fungible(PARENT, 100)))


def test_derivatives_are_burned_and_withdrawn_at_their_reserve() -> None:
    chain = Chain(reserves=[(PARENT, PARENT)])
    chain.endow(ALICE, 100, PARENT)
    withdraw = WithdrawAsset(assets(fungible(PARENT, 100)))
    initiate = InitiateReserveWithdraw(Wild(All()), PARENT, xcm(deposit()))
    assert chain.run(ALICE, withdraw, initiate) == complete(20)
    assert chain.ledger.total(PARENT) == 0
    assert chain.sent == [(PARENT, xcm(WithdrawAsset(assets(here(100))), ClearOrigin(), deposit(), TOPIC))]


def test_a_stranger_is_no_reserve_and_no_teleporter() -> None:
    chain = Chain()
    chain.endow(ALICE, 300)
    withdraw = WithdrawAsset(assets(here(100)))
    reserve, teleport = e.UntrustedReserveLocation(), e.UntrustedTeleportLocation()
    assert error_of(chain.run(PARENT, ReserveAssetDeposited(assets(here(1))))) == (weight(10), 0, reserve)
    assert error_of(chain.run(PARENT, ReceiveTeleportedAsset(assets(here(1))))) == (weight(10), 0, teleport)
    initiate: list[tuple[Instruction, object]] = [
        (InitiateReserveWithdraw(Wild(All()), PARENT, xcm()), reserve),
        (InitiateTeleport(Wild(All()), PARENT, xcm()), teleport),
    ]
    for instruction, error in initiate:
        assert error_of(chain.run(ALICE, withdraw, instruction)) == (weight(25), 1, error)
    assert chain.traps == {(ALICE, assets(here(100))): 2}
    assert chain.sent == []


@pytest.mark.parametrize(("mint", "kept"), [(MintLocation.LOCAL, 70), (MintLocation.NON_LOCAL, 0)])
def test_teleports_are_checked(mint: MintLocation, kept: int) -> None:
    chain = Chain(teleporters=[(HERE, PARENT)], checking=Checking(CHECKING, mint))
    trip = (WithdrawAsset(assets(here(70))), InitiateTeleport(Wild(All()), PARENT, xcm(deposit())))
    arrival = (ReceiveTeleportedAsset(assets(here(70))), DepositAsset(Wild(All()), ALICE))
    chain.endow(ALICE, 100)
    if mint is MintLocation.NON_LOCAL:
        assert error_of(chain.run(ALICE, *trip)) == (weight(25), 1, e.NotWithdrawable())
        chain = Chain(teleporters=[(HERE, PARENT)], checking=Checking(CHECKING, mint))
        assert chain.run(PARENT, *arrival) == complete(20)
        assert chain.run(ALICE, *trip) == complete(20)
    else:
        assert error_of(chain.run(PARENT, *arrival)) == (weight(10), 0, e.NotWithdrawable())
        assert chain.run(ALICE, *trip) == complete(20)
    assert chain.ledger.balances.get((CHECKING, HERE), 0) == kept
    assert chain.sent[-1][1][0] == ReceiveTeleportedAsset(assets(fungible(US, 70)))


def test_a_teleport_that_the_checking_account_cannot_take_is_not_depositable() -> None:
    chain = Chain(teleporters=[(HERE, PARENT)], checking=Checking(CHECKING, MintLocation.LOCAL))
    chain.endow(ALICE, 9)
    chain.ledger.minimum = 10
    outcome = chain.run(ALICE, WithdrawAsset(assets(here(9))), InitiateTeleport(Wild(All()), PARENT, xcm()))
    assert error_of(outcome) == (weight(25), 1, e.NotDepositable())
    assert (chain.sent, chain.traps) == ([], {(ALICE, assets(here(9))): 1})


def test_an_undeliverable_message_undoes_its_instruction() -> None:
    chain = Chain()
    chain.endow(ALICE, 100)
    outcome = chain.run(ALICE, TransferReserveAsset(assets(here(100)), para(9999), xcm()))
    assert error_of(outcome) == (weight(10), 0, e.Unroutable())
    assert chain.ledger.of(ALICE) == 100


class Loss(Chain):
    """Messages are lost on their way out."""

    def validate(self, dest: Location, message: Xcm) -> Sending:
        return LostOnDelivery(self, dest, message)


class LostOnDelivery(Sending):
    def deliver(self) -> bytes:
        raise SendFailure(SendError.Transport, "lost")


def test_a_delivery_fee_of_a_message_that_is_not_delivered_is_not_paid() -> None:
    chain = Loss(delivery=assets(here(7)))
    chain.endow(ALICE, 100)
    send = DepositReserveAsset(Wild(All()), para(2), xcm(deposit()))
    assert error_of(chain.run(ALICE, WithdrawAsset(assets(here(100))), send)) == (weight(25), 1, e.Transport())
    assert chain.executed().delivery_fees == ()
    assert chain.traps == {(ALICE, assets(here(100))): 1}


def test_what_the_destination_cannot_name_is_not_put_in_reserve_for_it() -> None:
    chain = Chain()
    chain.endow(ALICE, 100)
    chain.endow(ALICE, 5, DEEP)
    outcome = chain.run(ALICE, TransferReserveAsset(assets(here(100), fungible(DEEP, 5)), PARENT, xcm()))
    assert error_of(outcome) == (weight(10), 0, e.LocationFull())
    assert (chain.ledger.of(ALICE), chain.ledger.of(ALICE, DEEP)) == (100, 5)
    assert chain.sent == []


def test_what_the_reserve_cannot_name_stays_in_holding() -> None:
    chain = Chain(reserves=[(PARENT, PARENT), (DEEP, PARENT)])
    chain.endow(ALICE, 100, PARENT)
    chain.endow(ALICE, 5, DEEP)
    load = WithdrawAsset(assets(fungible(PARENT, 100), fungible(DEEP, 5)))
    assert chain.run(ALICE, load, InitiateReserveWithdraw(Wild(All()), PARENT, xcm())) == complete(20 + 5)
    assert chain.sent == [(PARENT, xcm(WithdrawAsset(assets(here(100))), ClearOrigin(), TOPIC))]
    assert chain.traps == {(ALICE, assets(fungible(DEEP, 5))): 1}


def test_the_delivery_fee_comes_out_of_the_assets_sent() -> None:
    chain = Chain(delivery=assets(here(7)))
    chain.endow(ALICE, 100)
    send = DepositReserveAsset(Wild(All()), para(2), xcm(deposit()))
    assert chain.run(ALICE, WithdrawAsset(assets(here(100))), send) == complete(20)
    assert chain.sent[0][1][0] == ReserveAssetDeposited(assets(fungible(PARENT, 93)))
    assert chain.ledger.of(para(2)) == 93
    assert chain.executed().delivery_fees == (assets(here(7)),)
    assert chain.ledger.total() == 100


def test_the_delivery_fee_comes_out_of_what_is_sent_even_where_more_is_held() -> None:
    chain = Chain(delivery=assets(here(7)))
    chain.endow(ALICE, 100)
    send = DepositReserveAsset(Definite(assets(here(50))), para(2), xcm(deposit()))
    assert chain.run(ALICE, WithdrawAsset(assets(here(100))), send) == complete(20 + 5)
    assert (chain.ledger.of(para(2)), chain.traps) == (43, {(ALICE, assets(here(50))): 1})


def test_a_fee_asset_that_is_not_sent_is_taken_from_holding() -> None:
    chain = Chain(delivery=assets(fungible(PARENT, 7)))
    chain.endow(ALICE, 100)
    chain.endow(ALICE, 10, PARENT)
    both = assets(here(100), fungible(PARENT, 10))
    send = DepositReserveAsset(Definite(assets(here(100))), para(2), xcm(deposit()))
    assert chain.run(ALICE, WithdrawAsset(both), send, deposit()) == complete(30)
    assert (chain.ledger.of(para(2)), chain.ledger.of(BOB, PARENT)) == (100, 3)


@pytest.mark.parametrize("held", [6, 7])
def test_assets_that_do_not_cover_their_delivery_stay(held: int) -> None:
    chain = Chain(delivery=assets(here(7)), teleporters=[(HERE, PARENT)])
    chain.endow(ALICE, held)
    outcome = chain.run(ALICE, WithdrawAsset(assets(here(held))), InitiateTeleport(Wild(All()), PARENT, xcm()))
    if held == 7:  # as upstream a message of no assets goes out
        assert outcome == complete(20)
        assert chain.sent[0][1][0] == ReceiveTeleportedAsset(assets())
    else:
        assert error_of(outcome) == (weight(25), 1, e.NotHoldingFees())
        assert (chain.sent, chain.traps) == ([], {(ALICE, assets(here(6))): 1})


class Toll(Chain):
    """Delivery costs 1 for each instruction."""

    def validate(self, dest: Location, message: Xcm) -> Sending:
        self.delivery = assets(here(len(message)))
        return super().validate(dest, message)


def test_a_message_that_ends_in_a_topic_keeps_it_and_pays_for_no_other() -> None:
    chain = Toll()
    chain.endow(ALICE, 100)
    own = SetTopic(b"t" * 32)
    send = DepositReserveAsset(Wild(All()), para(2), xcm(deposit(), own))
    assert chain.run(ALICE, WithdrawAsset(assets(here(100))), send) == complete(20)
    arrival = ReserveAssetDeposited(assets(fungible(PARENT, 96)))
    assert chain.sent == [(para(2), xcm(arrival, ClearOrigin(), deposit(), own))]
    assert (chain.executed().delivery_fees, chain.traps) == ((assets(here(4)),), {})


def test_root_sends_for_free() -> None:
    chain = Chain(delivery=assets(here(7)), teleporters=[(HERE, PARENT)], reserves=[(HERE, HERE)])
    load, send = ReserveAssetDeposited(assets(here(50))), InitiateTeleport(Wild(All()), PARENT, xcm())
    assert chain.run(HERE, load, send) == complete(20)
    assert chain.sent[0][1][0] == ReceiveTeleportedAsset(assets(fungible(US, 50)))


def test_delivery_fees_that_are_not_held_fail() -> None:
    chain = Chain(delivery=assets(fungible(PARENT, 7)))
    chain.endow(ALICE, 100)
    send = DepositReserveAsset(Wild(All()), para(2), xcm(deposit()))
    outcome = chain.run(ALICE, WithdrawAsset(assets(here(100))), send)
    assert error_of(outcome) == (weight(25), 1, e.NotHoldingFees())
    assert chain.traps == {(ALICE, assets(here(100))): 1}


def test_auto_fee_paying_should_work() -> None:
    chain = Chain(delivery=assets(here(10)))
    chain.endow(ALICE, 1000)
    transfer = TransferReserveAsset(assets(here(100)), para(2), xcm())
    assert error_of(chain.run(ALICE, transfer)) == (weight(10), 0, e.NotHoldingFees())
    assert chain.run(ALICE, SetFeesMode(True), transfer) == complete(20)
    assert chain.ledger.of(ALICE) == 890


def test_pay_fees_works_for_execution_fees() -> None:
    chain = Chain(rate=1)
    chain.endow(ALICE, 100)
    outcome = chain.run(ALICE, WithdrawAsset(assets(here(100))), PayFees(here(40)), deposit())
    # 30 buy the weight; the 10 in the fees register are trapped at the end.
    assert outcome == complete(30 + 5)
    assert (chain.ledger.of(BOB), chain.traps) == (60, {(ALICE, assets(here(10))): 1})
    assert chain.steps()[1].fees_after.assets() == assets(here(10))


def test_pay_fees_works_for_delivery_fees() -> None:
    chain = Chain(rate=1, delivery=assets(here(4)))
    chain.endow(ALICE, 100)
    send = DepositReserveAsset(Wild(All()), para(2), xcm(deposit()))
    refund = (RefundSurplus(), deposit())
    outcome = chain.run(ALICE, WithdrawAsset(assets(here(100))), PayFees(here(60)), send, *refund)
    assert outcome == complete(50)
    assert (chain.ledger.of(para(2)), chain.ledger.of(BOB)) == (40, 6)


def test_putting_all_assets_in_pay_fees_and_refunding_too_early() -> None:
    chain = Chain(rate=1, delivery=assets(here(4)))
    chain.endow(ALICE, 300)
    load, pay = WithdrawAsset(assets(here(100))), PayFees(here(100))
    send = DepositReserveAsset(Wild(All()), para(2), xcm())
    assert chain.run(ALICE, load, pay, RefundSurplus(), deposit()) == complete(40)
    assert chain.ledger.of(BOB) == 60
    # Without a fees register the delivery fee comes out of the assets: there is enough.
    assert chain.run(ALICE, load, pay, RefundSurplus(), send) == complete(40)
    assert chain.ledger.of(para(2)) == 56
    gone = chain.run(ALICE, load, pay, RefundSurplus(), deposit(), send)
    assert error_of(gone)[1:] == (4, e.NotHoldingFees())


def test_paying_fees_twice_pays_once_and_a_failed_payment_may_be_repeated() -> None:
    chain = Chain(rate=1)
    chain.endow(ALICE, 200)
    outcome = chain.run(
        ALICE, WithdrawAsset(assets(here(100))), PayFees(here(50)), PayFees(here(50)), RefundSurplus(), deposit()
    )
    assert outcome == complete(50)
    assert chain.ledger.of(BOB) == 50
    poor = chain.run(ALICE, WithdrawAsset(assets(here(100))), PayFees(here(101)))
    assert error_of(poor) == (weight(25), 1, e.NotHoldingFees())
    cheap = chain.run(ALICE, WithdrawAsset(assets(here(10))), BuyExecution(here(5), Limited(weight(20))))
    assert error_of(cheap)[1:] == (0, e.FailedToTransactAsset())


def test_too_little_payment_is_too_expensive_and_stays_in_holding() -> None:
    chain = Chain(rate=1)
    chain.endow(ALICE, 100)
    outcome = chain.run(ALICE, WithdrawAsset(assets(here(100))), BuyExecution(here(19), Limited(weight(20))))
    assert error_of(outcome) == (weight(25), 1, e.TooExpensive())
    assert chain.traps == {(ALICE, assets(here(100))): 1}
