"""The XCM policy of a para as it is assembled."""

from parachains.sdk.contract import ParaConfig
from parachains.sdk.xcm_config import INSTRUCTION_WEIGHT
from relaychain.primitives.types import ParaId
from substrate.state import Overlay
from testnet.examples.bazaar import Bazaar
from xcm.asset import assets, fungible
from xcm.executor.config import XcmConfig
from xcm.instruction import WithdrawAsset
from xcm.junction import GeneralIndex
from xcm.location import location
from xcm.pallet import XcmPallet


def machine() -> XcmConfig:
    genesis = Bazaar.genesis_block(ParaConfig(ParaId(2000)))
    return Bazaar.runtime()(Overlay(genesis.state)).pallet(XcmPallet).machine


def test_messages_are_metered_by_their_assets() -> None:
    many = assets(*(fungible(location(0, GeneralIndex(number)), 1) for number in range(20)))
    assert machine().weigher.instruction_weight(WithdrawAsset(many)) == INSTRUCTION_WEIGHT * 20
