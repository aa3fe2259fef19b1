"""The relay chain's XCM policy as it is assembled."""

from relaychain.runtime.xcm_config import BASE_XCM_WEIGHT
from tests.relaychain.runtime.test_runtime import relay
from xcm.asset import All, Wild, assets, fungible
from xcm.instruction import DepositAsset, WithdrawAsset
from xcm.location import HERE, PARENT
from xcm.pallet import XcmPallet


def test_messages_are_metered_by_their_assets_of_which_holding_knows_one() -> None:
    weigher = relay().pallet(XcmPallet).machine.weigher
    both = assets(fungible(HERE, 1), fungible(PARENT, 1))
    assert weigher.instruction_weight(WithdrawAsset(both)) == BASE_XCM_WEIGHT * 2
    assert weigher.instruction_weight(DepositAsset(Wild(All()), HERE)) == BASE_XCM_WEIGHT
