"""The XCM policy of a para as it is assembled."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parachains.sdk.asset_rate import AssetRate
from parachains.sdk.contract import ForeignAsset, ParaConfig
from parachains.sdk.foreign_assets import ForeignAssets
from parachains.sdk.xcm_config import FEE_ACCOUNT, INSTRUCTION_WEIGHT, RatedTrader
from relaychain.primitives.types import ParaId
from substrate.pallets.fees import FIXED_ONE, FixedU128
from substrate.runtime.assembly import Runtime
from substrate.runtime.origin import RawRoot
from substrate.state import Overlay
from substrate.types import AccountId, Weight
from testnet.examples.bazaar import Bazaar
from xcm.asset import AllCounted, Asset, Fungible, Wild, assets, fungible
from xcm.builder.traders import FixedRate
from xcm.error import XcmFailure
from xcm.executor.config import Context, FeeReason, XcmConfig
from xcm.executor.holding import Holding
from xcm.executor.passage import Passage, Refused
from xcm.instruction import (
    BuyExecution,
    ClearError,
    ClearOrigin,
    DepositAsset,
    DepositReserveAsset,
    InitiateReserveWithdraw,
    Instruction,
    OriginKind,
    RefundSurplus,
    ReserveAssetDeposited,
    SetAppendix,
    SetTopic,
    TransferReserveAsset,
    UnpaidExecution,
    WithdrawAsset,
    Xcm,
)
from xcm.junction import AccountId32, GeneralIndex, Parachain
from xcm.location import HERE, PARENT, Location, location
from xcm.message import xcm
from xcm.outcome import Complete
from xcm.pallet import XcmPallet
from xcm.weight import Unlimited

USER, SIBLING = location(0, AccountId32(None, bytes(32))), location(1, Parachain(1000))
SOME, TOPIC = assets(fungible(HERE, 1)), SetTopic(bytes(32))
NEEDED = Weight(1, 1)
CONTEXT = Context(None, bytes(32))
USD = location(1, Parachain(3000))


def market() -> Runtime:
    genesis = Bazaar.genesis_block(ParaConfig(ParaId(2000)))
    return Bazaar.runtime()(Overlay(genesis.state))


@pytest.fixture(scope="module")
def machine() -> XcmConfig:
    return market().pallet(XcmPallet).machine


def is_admitted(machine: XcmConfig, origin: Location, *program: Instruction, credit: Weight = Weight.ZERO) -> bool:
    try:
        machine.barrier.admit(Passage(origin, Xcm(program), NEEDED, credit))
    except Refused:
        return False
    return True


def test_messages_are_metered_by_their_assets(machine: XcmConfig) -> None:
    many = assets(*(fungible(location(0, GeneralIndex(number)), 1) for number in range(20)))
    assert machine.weigher.instruction_weight(WithdrawAsset(many)) == INSTRUCTION_WEIGHT * 20


@pytest.mark.parametrize("carry", [lambda one: one, lambda one: SetAppendix(xcm(one))], ids=["plain", "carried"])
@pytest.mark.parametrize(
    ("instruction", "here", "across"),
    [
        (TransferReserveAsset(SOME, PARENT, xcm()), False, False),
        (DepositReserveAsset(Wild(AllCounted(1)), PARENT, xcm()), False, False),
        (InitiateReserveWithdraw(Wild(AllCounted(1)), PARENT, xcm()), True, False),
        (TransferReserveAsset(SOME, SIBLING, xcm()), True, True),
        (DepositReserveAsset(Wild(AllCounted(1)), SIBLING, xcm()), True, True),
        (InitiateReserveWithdraw(Wild(AllCounted(1)), SIBLING, xcm()), True, True),
    ],
)
def test_nothing_is_put_in_reserve_on_the_relay_chain_and_only_local_programs_take_back_what_is(
    machine: XcmConfig, carry: Callable[[Instruction], Instruction], instruction: Instruction, here: bool, across: bool
) -> None:
    pay = WithdrawAsset(SOME), BuyExecution(SOME[0], Unlimited())
    carried = carry(instruction)
    assert is_admitted(machine, USER, carried, TOPIC, credit=NEEDED) is here
    assert is_admitted(machine, SIBLING, *pay, carried, TOPIC) is across


def test_only_the_relay_chain_executes_without_paying(machine: XcmConfig) -> None:
    free = UnpaidExecution(Unlimited(), None)
    assert is_admitted(machine, PARENT, free)
    assert not is_admitted(machine, SIBLING, free)


def test_only_the_relay_chain_is_root(machine: XcmConfig) -> None:
    assert machine.origin_converter.convert_origin(PARENT, OriginKind.Superuser) == RawRoot()
    assert machine.origin_converter.convert_origin(SIBLING, OriginKind.Superuser) is None


def test_only_the_chain_itself_sends_for_free(machine: XcmConfig) -> None:
    for origin, waived in (HERE, True), (USER, False), (PARENT, False), (SIBLING, False), (None, False):
        assert machine.fee_manager.is_waived(origin, FeeReason.CHARGE_FEES) is waived


def rated(*rates: tuple[Location, int], per_second: int = 10**12) -> tuple[RatedTrader, list[Asset]]:
    """A trader with the price of an asset's unit in thousandths of native planck, and what it hands over."""
    pallet, taken = market().pallet(AssetRate), list[Asset]()
    for place, thousandths in rates:
        pallet.conversion_rate_to_native[place] = FixedU128(FIXED_ONE * thousandths // 1000)
    return RatedTrader(FixedRate(HERE, per_second=per_second, per_mb=2**20), pallet, taken.append), taken


def returned(trader: RatedTrader, surplus: list[Weight]) -> int:
    """How much comes back, as the machine asks for it: it offers anew what nothing was given for."""
    amount, offered = 0, Weight.ZERO
    for more in surplus:
        offered += more
        refund = trader.refund_weight(offered, CONTEXT)
        if refund is not None:
            assert isinstance(refund.fun, Fungible)
            amount, offered = amount + refund.fun.amount, Weight.ZERO
    return amount


def test_an_asset_with_a_rate_pays_for_weight_and_gets_back_what_was_sold_and_not_used() -> None:
    trader, taken = rated((PARENT, 2000))
    left = trader.buy_weight(Weight(100, 100), Holding.of(fungible(PARENT, 110)), CONTEXT)
    assert left == Holding.of(fungible(PARENT, 10))
    assert trader.refund_weight(Weight(40, 0), CONTEXT) == fungible(PARENT, 20)
    assert trader.refund_weight(Weight(100, 0), CONTEXT) == fungible(PARENT, 30)
    assert trader.settle() == assets(*taken) == assets(fungible(PARENT, 50))


weights = st.builds(Weight, st.integers(0, 100), st.integers(0, 100))


@given(st.integers(1, 200_000), st.lists(weights, max_size=12))
def test_many_small_refunds_return_what_a_single_large_one_does(rate: int, surplus: list[Weight]) -> None:
    def trader() -> RatedTrader:
        trader, _ = rated((PARENT, rate))
        trader.buy_weight(Weight(1000, 1000), Holding.of(fungible(PARENT, 2_000_000)), CONTEXT)
        return trader

    assert returned(trader(), surplus) == returned(trader(), [sum(surplus, Weight.ZERO)])


def test_no_refund_is_due_while_what_is_left_costs_more_than_was_paid_for_it() -> None:
    """Three purchases of half a planck more than one were rounded down each."""
    trader, taken = rated((PARENT, 1000), per_second=10**12 // 2)
    for _ in range(3):
        trader.buy_weight(Weight(3, 0), Holding.of(fungible(PARENT, 1)), CONTEXT)

    assert trader.refund_weight(Weight(1, 0), CONTEXT) is None
    assert trader.refund_weight(Weight(9, 0), CONTEXT) == fungible(PARENT, 3)
    assert trader.settle() == assets(*taken) == assets()


def test_a_rate_that_is_gone_refunds_nothing() -> None:
    pallet, taken = market().pallet(AssetRate), list[Asset]()
    trader = RatedTrader(FixedRate(HERE, per_second=10**12, per_mb=2**20), pallet, taken.append)
    pallet.conversion_rate_to_native[PARENT] = FixedU128(FIXED_ONE)
    trader.buy_weight(Weight(10, 0), Holding.of(fungible(PARENT, 10)), CONTEXT)
    del pallet.conversion_rate_to_native[PARENT]

    assert trader.refund_weight(Weight(4, 0), CONTEXT) is None
    assert trader.settle() == assets(*taken) == assets(fungible(PARENT, 10))


def test_a_message_pays_for_all_its_weight_with_one_asset() -> None:
    trader, taken = rated((PARENT, 1000), (SIBLING, 1000))
    both = Holding.of(fungible(PARENT, 10), fungible(SIBLING, 10))
    trader.buy_weight(Weight(6, 0), Holding.of(fungible(SIBLING, 6)), CONTEXT)

    assert trader.buy_weight(Weight(4, 0), both, CONTEXT) == Holding.of(fungible(PARENT, 10), fungible(SIBLING, 6))
    with pytest.raises(XcmFailure, match="no asset with a rate offered"):
        trader.buy_weight(Weight(4, 0), Holding.of(fungible(PARENT, 10)), CONTEXT)
    assert trader.settle() == assets(*taken) == assets(fungible(SIBLING, 10))


@pytest.mark.parametrize("program", [(RefundSurplus(),), (SetAppendix(xcm(ClearError())), RefundSurplus()) * 32])
def test_a_program_pays_for_what_it_uses_however_often_it_asks_for_a_refund(program: tuple[Instruction, ...]) -> None:
    usd = ForeignAsset(USD, "USD", 6)
    runtime = Bazaar.runtime()(Overlay(Bazaar.genesis_state(ParaConfig(ParaId(2000), foreign_assets=(usd,)))))
    machine = runtime.pallet(XcmPallet).machine
    load = (
        ReserveAssetDeposited(assets(fungible(USD, 1000))),
        ClearOrigin(),
        BuyExecution(fungible(USD, 1000), Unlimited()),
    )
    message = Xcm((*load, *program, DepositAsset(Wild(AllCounted(1)), USER)))
    passage = Passage(USD, message, machine.weigher.weight(message), Weight.ZERO)

    outcome, _ = runtime.pallet(XcmPallet).executor.execute_named(passage, message_id=bytes(32))

    native = FixedRate(HERE, Bazaar.xcm.price_per_second, Bazaar.xcm.price_per_mb).price(outcome.used)
    fee = runtime.pallet(ForeignAssets).balance(USD, FEE_ACCOUNT)
    assert (type(outcome), fee) == (Complete, runtime.pallet(AssetRate).from_native(native, USD))
    assert runtime.pallet(ForeignAssets).balance(USD, AccountId(bytes(32))) == 1000 - fee
