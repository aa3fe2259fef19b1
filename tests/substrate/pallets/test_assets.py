"""Assets: creation, holdings and their references, freezing, approvals, destruction."""

from typing import Any

import pytest

from substrate.crypto.hashing import blake2_128, twox_128
from substrate.crypto.multi import Id
from substrate.pallets.assets import Assets, TrustBackedAssets
from substrate.pallets.assets_types import AccountStatus, AssetStatus, ByDepositFrom, ByDepositHeld, Debit
from substrate.pallets.balances_rules import Precision
from substrate.runtime.dispatch import BadOrigin, DispatchFailure, Module, Token, TokenError
from substrate.types import AccountId, Balance

ALICE, BOB, CAROL, DAVE = (AccountId(bytes([number]) * 32) for number in (1, 2, 3, 9))
GOLD = 7
T = TrustBackedAssets


def refused(world: Any, error: str | TokenError, who: AccountId | None, method: Any, /, **args: Any) -> None:
    with pytest.raises(DispatchFailure) as refusal:
        world.dispatch(who, method, **args)
    failure = refusal.value.error
    if isinstance(error, TokenError):
        assert failure == Token(error)
    else:
        assert isinstance(failure, Module)
        assert failure.value.error[0] == world.runtime.assets.errors[error].index


@pytest.fixture
def gold(world: Any) -> Any:
    """Alice owns gold with a minimum of 10, and holds 1,000 of it."""
    world.dispatch(ALICE, "Assets.create", id=GOLD, admin=Id(ALICE), min_balance=Balance(10))
    world.dispatch(ALICE, "Assets.mint", id=GOLD, beneficiary=Id(ALICE), amount=Balance(1_000))
    return world


def test_creating_takes_a_deposit_and_minting_a_consumer(gold: Any) -> None:
    assets, balances = gold.runtime.assets, gold.runtime.balances

    assert balances.reserved_balance(ALICE) == 50
    assert assets.balance(GOLD, ALICE) == assets.total_issuance(GOLD) == 1_000
    assert assets.asset[GOLD].accounts == 1
    assert gold.runtime.system.account[ALICE].consumers == 2
    assert gold.said() == ["Reserved", "Created", "Issued"]
    refused(gold, "InUse", BOB, "Assets.create", id=GOLD, admin=Id(BOB), min_balance=Balance(1))
    refused(gold, "MinBalanceZero", BOB, "Assets.create", id=8, admin=Id(BOB), min_balance=Balance(0))
    refused(gold, "NoPermission", BOB, "Assets.mint", id=GOLD, beneficiary=Id(BOB), amount=Balance(10))


def test_storage_keys_are_upstreams(gold: Any) -> None:
    encoded = GOLD.to_bytes(4, "little")
    key = twox_128(b"Assets") + twox_128(b"Account") + blake2_128(encoded) + encoded + blake2_128(ALICE) + ALICE
    assert gold.state.get(key) == (1_000).to_bytes(16, "little") + bytes(2)


def test_transfers_need_a_living_receiver_and_move_dust_along(gold: Any) -> None:
    refused(gold, TokenError.CannotCreate, ALICE, "Assets.transfer", id=GOLD, target=Id(DAVE), amount=Balance(100))
    refused(gold, TokenError.BelowMinimum, ALICE, "Assets.transfer", id=GOLD, target=Id(BOB), amount=Balance(9))
    refused(gold, "BalanceLow", ALICE, "Assets.transfer", id=GOLD, target=Id(BOB), amount=Balance(1_001))
    refused(gold, "NoAccount", BOB, "Assets.transfer", id=GOLD, target=Id(ALICE), amount=Balance(1))
    refused(gold, "BalanceLow", ALICE, "Assets.transfer_keep_alive", id=GOLD, target=Id(BOB), amount=Balance(991))

    gold.dispatch(ALICE, "Assets.transfer", id=GOLD, target=Id(BOB), amount=Balance(995))

    assert gold.runtime.assets.balance(GOLD, BOB) == 1_000
    assert (GOLD, ALICE) not in gold.runtime.assets.account
    assert gold.runtime.system.account[ALICE].consumers == 1
    assert gold.runtime.assets.asset[GOLD].accounts == 1


def test_a_sufficient_asset_keeps_an_account_alive(world: Any) -> None:
    world.dispatch(None, "Assets.force_create", id=1, owner=Id(ALICE), is_sufficient=True, min_balance=Balance(1))
    assets, system = world.runtime.assets, world.runtime.system
    assets.mint_into(1, DAVE, 5)

    assert system.account[DAVE].sufficients == 1
    assert assets.is_sufficient(1)
    assets.burn_from(1, DAVE, 5)

    assert not system.account_exists(DAVE)
    assert world.said() == ["ForceCreated", "NewAccount", "Issued", "KilledAccount", "Burned"]
    assert assets.asset[1].sufficients == 0


def test_routines_for_other_pallets(gold: Any) -> None:
    assets = gold.runtime.assets
    assert assets.burn_from(GOLD, ALICE, 2_000, precision=Precision.BEST_EFFORT) == 1_000
    assets.mint_into(GOLD, BOB, 50)
    assert assets.do_transfer(GOLD, BOB, ALICE, 500, Debit(keep_alive=True, best_effort=True)) == 40
    with pytest.raises(DispatchFailure) as refusal:
        assets.mint_into(99, BOB, 5)
    assert refusal.value.error == Token(TokenError.UnknownAsset)
    assert not assets.exists(99)


def test_freezing_accounts_and_the_asset(gold: Any) -> None:
    gold.dispatch(ALICE, "Assets.mint", id=GOLD, beneficiary=Id(BOB), amount=Balance(100))
    gold.dispatch(ALICE, "Assets.freeze", id=GOLD, who=Id(BOB))
    refused(gold, "Frozen", BOB, "Assets.transfer", id=GOLD, target=Id(ALICE), amount=Balance(1))
    gold.dispatch(ALICE, "Assets.transfer", id=GOLD, target=Id(BOB), amount=Balance(1))
    gold.dispatch(ALICE, "Assets.block", id=GOLD, who=Id(BOB))
    refused(gold, TokenError.Blocked, ALICE, "Assets.transfer", id=GOLD, target=Id(BOB), amount=Balance(1))
    gold.dispatch(ALICE, "Assets.thaw", id=GOLD, who=Id(BOB))
    assert gold.runtime.assets.account[GOLD, BOB].status == AccountStatus.Liquid

    gold.dispatch(ALICE, "Assets.freeze_asset", id=GOLD)
    refused(gold, "AssetNotLive", BOB, "Assets.transfer", id=GOLD, target=Id(ALICE), amount=Balance(1))
    gold.dispatch(ALICE, "Assets.thaw_asset", id=GOLD)
    refused(gold, "NotFrozen", ALICE, "Assets.thaw_asset", id=GOLD)
    gold.dispatch(BOB, "Assets.transfer", id=GOLD, target=Id(ALICE), amount=Balance(1))


def test_a_delegate_spends_what_was_approved(gold: Any) -> None:
    gold.dispatch(ALICE, "Assets.approve_transfer", id=GOLD, delegate=Id(BOB), amount=Balance(60))
    spend = {"id": GOLD, "owner": Id(ALICE), "destination": Id(BOB)}
    refused(gold, "Unapproved", BOB, "Assets.transfer_approved", **spend, amount=Balance(61))
    gold.dispatch(BOB, "Assets.transfer_approved", **spend, amount=Balance(50))
    assert gold.runtime.balances.reserved_balance(ALICE) == 55

    gold.dispatch(BOB, "Assets.transfer_approved", **spend, amount=Balance(10))

    assert gold.runtime.balances.reserved_balance(ALICE) == 50
    assert gold.runtime.assets.asset[GOLD].approvals == 0
    refused(gold, "Unknown", ALICE, "Assets.cancel_approval", id=GOLD, delegate=Id(BOB))


def test_metadata_costs_by_length(gold: Any) -> None:
    gold.dispatch(ALICE, "Assets.set_metadata", id=GOLD, name=b"Gold", symbol=b"AU", decimals=3)
    assert gold.runtime.balances.reserved_balance(ALICE) == 50 + 10 + 6
    gold.dispatch(ALICE, "Assets.set_metadata", id=GOLD, name=b"Go", symbol=b"AU", decimals=3)
    assert gold.runtime.balances.reserved_balance(ALICE) == 50 + 10 + 4
    refused(gold, "BadMetadata", ALICE, "Assets.set_metadata", id=GOLD, name=bytes(51), symbol=b"", decimals=3)
    gold.dispatch(None, "Assets.force_set_metadata", id=GOLD, name=b"G", symbol=b"", decimals=0, is_frozen=True)
    refused(gold, "NoPermission", ALICE, "Assets.set_metadata", id=GOLD, name=b"", symbol=b"", decimals=3)
    gold.dispatch(ALICE, "Assets.clear_metadata", id=GOLD)
    assert gold.runtime.balances.reserved_balance(ALICE) == 50


def test_ownership_moves_with_its_deposit(gold: Any) -> None:
    gold.dispatch(ALICE, "Assets.transfer_ownership", id=GOLD, owner=Id(BOB))

    assert gold.runtime.balances.reserved_balance(BOB) == 50
    refused(
        gold, "NoPermission", ALICE, "Assets.set_team", id=GOLD, issuer=Id(ALICE), admin=Id(ALICE), freezer=Id(ALICE)
    )
    gold.dispatch(BOB, "Assets.set_team", id=GOLD, issuer=Id(BOB), admin=Id(CAROL), freezer=Id(ALICE))
    assert gold.runtime.assets.asset[GOLD].admin == CAROL


def test_a_touched_account_lives_on_a_deposit(gold: Any) -> None:
    gold.dispatch(ALICE, "Assets.touch_other", id=GOLD, who=Id(DAVE))
    gold.dispatch(BOB, "Assets.touch", id=GOLD)
    assets, balances = gold.runtime.assets, gold.runtime.balances
    assert assets.account[GOLD, DAVE].reason == ByDepositFrom(ALICE, Balance(20))
    assert assets.account[GOLD, BOB].reason == ByDepositHeld(Balance(20))
    refused(gold, "AlreadyExists", BOB, "Assets.touch", id=GOLD)
    gold.dispatch(ALICE, "Assets.transfer", id=GOLD, target=Id(BOB), amount=Balance(10))
    refused(gold, "WouldBurn", BOB, "Assets.refund", id=GOLD, allow_burn=False)

    gold.dispatch(BOB, "Assets.refund", id=GOLD, allow_burn=True)
    gold.dispatch(ALICE, "Assets.refund_other", id=GOLD, who=Id(DAVE))

    assert assets.total_issuance(GOLD) == 990
    assert balances.reserved_balance(ALICE) == 50
    assert balances.reserved_balance(BOB) == 0
    assert assets.asset[GOLD].accounts == 1


def test_destruction_returns_every_deposit(gold: Any) -> None:
    gold.dispatch(BOB, "Assets.touch", id=GOLD)
    gold.dispatch(ALICE, "Assets.approve_transfer", id=GOLD, delegate=Id(BOB), amount=Balance(60))
    gold.dispatch(ALICE, "Assets.set_metadata", id=GOLD, name=b"Gold", symbol=b"AU", decimals=3)
    refused(gold, "IncorrectStatus", ALICE, "Assets.destroy_accounts", id=GOLD)
    gold.dispatch(ALICE, "Assets.start_destroy", id=GOLD)
    assert gold.runtime.assets.asset[GOLD].status == AssetStatus.Destroying
    refused(gold, "InUse", ALICE, "Assets.finish_destroy", id=GOLD)
    gold.dispatch(BOB, "Assets.destroy_accounts", id=GOLD)
    gold.dispatch(BOB, "Assets.destroy_approvals", id=GOLD)

    gold.dispatch(BOB, "Assets.finish_destroy", id=GOLD)

    assert gold.runtime.balances.reserved_balance(ALICE) == gold.runtime.balances.reserved_balance(BOB) == 0
    assert gold.runtime.system.account[ALICE].consumers == 0
    assert not gold.runtime.assets.exists(GOLD)


def test_force_needs_root(world: Any) -> None:
    with pytest.raises(DispatchFailure) as refusal:
        world.dispatch(ALICE, "Assets.force_create", id=1, owner=Id(ALICE), is_sufficient=True, min_balance=Balance(1))
    assert refusal.value.error == BadOrigin()


def test_the_same_pallet_is_mounted_twice_with_other_ids(gold: Any) -> None:
    runtime = gold.runtime
    kind = type(runtime).assembly().mounts["placed_assets"].kind
    place = kind.hints["id"](1, 2_000)
    gold.state.begin()
    runtime.placed_assets.create_asset(place, runtime.assets.asset[GOLD])
    runtime.placed_assets.mint_into(place, BOB, 500)

    assert runtime.placed_assets.balance(place, BOB) == 500
    assert runtime.assets.balance(GOLD, BOB) == 0
    assert gold.events()[-1].asset_id == place
    assert isinstance(gold.events()[-1], kind.Issued)
    assert runtime.pallet(Assets) in (runtime.assets, runtime.placed_assets)
    assert runtime.assets.errors["Frozen"] is not runtime.placed_assets.errors["Frozen"]
