"""The XCM policy of a para as it is assembled."""

from collections.abc import Callable

import pytest

from parachains.sdk.asset_rate import AssetRate
from parachains.sdk.contract import ParaConfig
from parachains.sdk.xcm_config import INSTRUCTION_WEIGHT, RatedTrader
from relaychain.primitives.types import ParaId
from substrate.pallets.fees import FIXED_ONE, FixedU128
from substrate.runtime.assembly import Runtime
from substrate.runtime.origin import RawRoot
from substrate.state import Overlay
from substrate.types import Weight
from testnet.examples.bazaar import Bazaar
from xcm.asset import AllCounted, Asset, Wild, assets, fungible
from xcm.builder.traders import FixedRate
from xcm.executor.config import Context, FeeReason, XcmConfig
from xcm.executor.holding import Holding
from xcm.executor.passage import Passage, Refused
from xcm.instruction import (
    BuyExecution,
    DepositReserveAsset,
    InitiateReserveWithdraw,
    Instruction,
    OriginKind,
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
from xcm.pallet import XcmPallet
from xcm.weight import Unlimited

USER, SIBLING = location(0, AccountId32(None, bytes(32))), location(1, Parachain(1000))
SOME, TOPIC = assets(fungible(HERE, 1)), SetTopic(bytes(32))
NEEDED = Weight(1, 1)


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


def test_an_asset_with_a_rate_pays_for_weight_and_gets_back_what_was_sold_and_not_used() -> None:
    rates, taken, context = market().pallet(AssetRate), list[Asset](), Context(None, bytes(32))
    rates.conversion_rate_to_native[PARENT] = FixedU128(2 * FIXED_ONE)
    trader = RatedTrader(FixedRate(HERE, per_second=10**12, per_mb=2**20), rates, taken.append)
    left = trader.buy_weight(Weight(100, 100), Holding.of(fungible(PARENT, 110)), context)
    assert left == Holding.of(fungible(PARENT, 10))
    assert trader.refund_weight(Weight(40, 0), context) == fungible(PARENT, 20)
    assert trader.refund_weight(Weight(100, 0), context) == fungible(PARENT, 30)
    assert trader.settle() == assets(*taken) == assets(fungible(PARENT, 50))
