"""The relay chain's XCM policy as it is assembled."""

import pytest

from relaychain.runtime.xcm_config import BASE_XCM_WEIGHT
from substrate.types import Weight
from tests.relaychain.runtime.test_runtime import relay
from xcm.asset import All, Wild, assets, fungible
from xcm.executor.config import FeeReason, XcmConfig
from xcm.executor.passage import Passage, Refused
from xcm.instruction import DepositAsset, UnpaidExecution, WithdrawAsset
from xcm.junction import Parachain
from xcm.location import HERE, PARENT, location
from xcm.message import xcm
from xcm.pallet import XcmPallet
from xcm.weight import Unlimited

SYSTEM, OTHER = location(0, Parachain(1000)), location(0, Parachain(2000))
TOKEN = fungible(HERE, 1)


@pytest.fixture(scope="module")
def machine() -> XcmConfig:
    return relay().pallet(XcmPallet).machine


def test_messages_are_metered_by_their_assets_of_which_holding_knows_one(machine: XcmConfig) -> None:
    both = assets(TOKEN, fungible(PARENT, 1))
    assert machine.weigher.instruction_weight(WithdrawAsset(both)) == BASE_XCM_WEIGHT * 2
    assert machine.weigher.instruction_weight(DepositAsset(Wild(All()), HERE)) == BASE_XCM_WEIGHT


def test_only_system_parachains_execute_without_paying(machine: XcmConfig) -> None:
    free = xcm(UnpaidExecution(Unlimited(), None))
    admitted = machine.barrier.admit(Passage(SYSTEM, free, Weight(1, 1), Weight.ZERO))
    assert admitted.by == "AllowExplicitUnpaidExecutionFrom"
    with pytest.raises(Refused, match="Unsupported"):
        machine.barrier.admit(Passage(OTHER, free, Weight(1, 1), Weight.ZERO))


def test_only_system_parachains_teleport_the_token(machine: XcmConfig) -> None:
    assert machine.is_teleporter(TOKEN, SYSTEM)
    assert not machine.is_teleporter(TOKEN, OTHER)
    assert not machine.is_teleporter(fungible(SYSTEM, 1), SYSTEM)
    assert not machine.is_reserve(TOKEN, SYSTEM)


def test_only_root_and_system_parachains_send_for_free(machine: XcmConfig) -> None:
    for origin, waived in (HERE, True), (SYSTEM, True), (OTHER, False), (None, False):
        assert machine.fee_manager.is_waived(origin, FeeReason.CHARGE_FEES) is waived
