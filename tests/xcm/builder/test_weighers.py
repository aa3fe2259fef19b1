"""What instructions weigh, by their assets."""

import pytest

from tests.xcm.chain import Chain, here, weight
from xcm.asset import All, AllCounted, AllOf, AllOfCounted, AssetId, Definite, Wild, WildFungibility, assets, fungible
from xcm.builder.weighers import WeightInfoBounds, per_asset
from xcm.instruction import (
    BurnAsset,
    ClaimAsset,
    ClearOrigin,
    DepositAsset,
    DepositReserveAsset,
    InitiateReserveWithdraw,
    InitiateTeleport,
    Instruction,
    ReceiveTeleportedAsset,
    ReserveAssetDeposited,
    SetAppendix,
    TransferAsset,
    TransferReserveAsset,
    WithdrawAsset,
)
from xcm.location import HERE, PARENT
from xcm.message import xcm

TWO, NONE = assets(here(1), fungible(PARENT, 1)), assets()
OURS, ALL = AssetId(HERE), Wild(All())


@pytest.mark.parametrize(
    ("instruction", "count"),
    [
        (ClearOrigin(), 1),
        (WithdrawAsset(TWO), 2),
        (WithdrawAsset(NONE), 1),
        (ReserveAssetDeposited(TWO), 2),
        (ReceiveTeleportedAsset(TWO), 2),
        (TransferAsset(TWO, PARENT), 2),
        (TransferReserveAsset(TWO, PARENT, xcm()), 2),
        (BurnAsset(TWO), 2),
        (DepositAsset(Definite(TWO), PARENT), 2),
        (DepositAsset(Definite(NONE), PARENT), 1),
        (DepositAsset(ALL, PARENT), 9),
        (DepositReserveAsset(ALL, PARENT, xcm()), 9),
        (InitiateReserveWithdraw(ALL, PARENT, xcm()), 9),
        (InitiateTeleport(ALL, PARENT, xcm()), 9),
        (DepositAsset(Wild(AllOf(OURS, WildFungibility.Fungible)), PARENT), 1),
        (DepositAsset(Wild(AllOf(OURS, WildFungibility.NonFungible)), PARENT), 9),
        (DepositAsset(Wild(AllCounted(0)), PARENT), 1),
        (DepositAsset(Wild(AllCounted(8)), PARENT), 8),
        (DepositAsset(Wild(AllCounted(10)), PARENT), 9),
        (DepositAsset(Wild(AllOfCounted(OURS, WildFungibility.NonFungible, 10)), PARENT), 9),
        (ClaimAsset(TWO, HERE), 1),
    ],
)
def test_an_instruction_weighs_as_much_as_it_may_touch_assets(instruction: Instruction, count: int) -> None:
    bounds = WeightInfoBounds(per_asset(weight(10), most=9), Chain())
    assert bounds.instruction_weight(instruction) == weight(10 * count)
    assert bounds.weight(xcm(SetAppendix(xcm(instruction)), instruction)) == weight(10 * (1 + 2 * count))
