"""Transfers by the XCM pallet: which programs move which assets."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from substrate.types import AccountId, Weight
from tests.xcm.world import (
    ALICE,
    BLOCKED,
    CHECKING,
    DELIVERY,
    ITEM,
    OURS,
    RESERVES,
    SELF,
    TELEPORTS,
    TOPIC,
    World,
    deposit,
    here,
    place,
    refusal,
)
from xcm.asset import AllCounted, Asset, Wild, assets, fungible
from xcm.asset import Assets as AssetSet
from xcm.builder.traders import FeesFromOrigins
from xcm.instruction import (
    BuyExecution,
    ClearOrigin,
    DepositAsset,
    DepositReserveAsset,
    ReceiveTeleportedAsset,
    ReserveAssetDeposited,
    SetTopic,
    WithdrawAsset,
)
from xcm.junction import Parachain
from xcm.location import PARENT, Location, location
from xcm.message import xcm
from xcm.outcome import Complete
from xcm.pallet import TRANSFER_INSTRUCTIONS, XcmPallet
from xcm.transfers import Path, RemoteReserve, Transfer, TransferType
from xcm.versions.versioned import versioned_location, versioned_xcm
from xcm.weight import Limited, Unlimited


@pytest.mark.parametrize("call", [XcmPallet.limited_teleport_assets, XcmPallet.transfer_assets])
def test_limited_teleport_assets_works(call: Any) -> None:
    world = World()
    world.move(call, TELEPORTS, here(100), weight_limit=Unlimited())
    there = fungible(SELF, 100)
    message = xcm(ReceiveTeleportedAsset(assets(there)), ClearOrigin(), BuyExecution(there, Unlimited()), deposit())
    assert world.sent() == (TELEPORTS, xcm(*message, TOPIC))
    assert (world.free(ALICE), world.free(CHECKING)) == (1_000 - 100 - DELIVERY, 100)
    assert world.events() == [
        XcmPallet.Attempted(Complete(ITEM * 2)),
        XcmPallet.FeesPaid(place(ALICE), assets(here(DELIVERY))),
        XcmPallet.Sent(place(ALICE), TELEPORTS, message, b"u" * 32),
    ]


@pytest.mark.parametrize("call", [XcmPallet.limited_reserve_transfer_assets, XcmPallet.transfer_assets])
def test_reserve_transfer_assets_with_local_asset_reserve_and_local_fee_reserve_works(call: Any) -> None:
    world = World()
    limit = Limited(Weight(5, 6))
    world.move(call, RESERVES, here(100), weight_limit=limit)
    there = fungible(SELF, 100)
    message = xcm(ReserveAssetDeposited(assets(there)), ClearOrigin(), BuyExecution(there, limit), deposit())
    assert world.sent() == (RESERVES, xcm(*message, TOPIC))
    assert world.free(AccountId((b"sibl" + (3000).to_bytes(4, "little")).ljust(32, b"\x00"))) == 100
    assert world.free(ALICE) == 1_000 - 100 - DELIVERY


def test_transfer_assets_with_destination_asset_reserve_and_destination_fee_reserve_works() -> None:
    world = World()
    world.relay_tokens(500)
    world.move(XcmPallet.limited_reserve_transfer_assets, PARENT, fungible(PARENT, 200), weight_limit=Unlimited())
    message = xcm(WithdrawAsset(assets(here(200))), ClearOrigin(), BuyExecution(here(200), Unlimited()), deposit())
    assert world.sent() == (PARENT, xcm(*message, TOPIC))
    assert world.foreign.balance(PARENT, ALICE) == 300


def test_transfer_assets_with_local_asset_reserve_and_destination_fee_reserve_works() -> None:
    world = World()
    world.relay_tokens(500)
    items = (here(100), fungible(PARENT, 200))
    world.move(XcmPallet.transfer_assets, PARENT, *items, fee=1, weight_limit=Unlimited())
    message = xcm(
        WithdrawAsset(assets(here(200))),
        BuyExecution(here(200), Unlimited()),
        ReserveAssetDeposited(assets(fungible(location(0, Parachain(1000)), 100))),
        ClearOrigin(),
        deposit(2),
    )
    assert world.sent() == (PARENT, xcm(*message, TOPIC))
    mixed = world.move
    code = refusal(
        lambda: mixed(XcmPallet.limited_reserve_transfer_assets, PARENT, *items, fee=1, weight_limit=Unlimited())
    )
    assert code[0] == 23


def test_remote_asset_reserve_and_remote_fee_reserve_call_works() -> None:
    world = World()
    world.relay_tokens(500)
    world.move(XcmPallet.transfer_assets, RESERVES, fungible(PARENT, 200), weight_limit=Unlimited())
    at_dest = xcm(BuyExecution(fungible(PARENT, 100), Unlimited()), deposit())
    message = xcm(
        WithdrawAsset(assets(here(200))),
        ClearOrigin(),
        BuyExecution(here(100), Unlimited()),
        DepositReserveAsset(Wild(AllCounted(1)), location(0, Parachain(3000)), at_dest),
    )
    dest, sent = world.sent()
    assert (dest, sent[:-1]) == (PARENT, message)
    assert world.free(ALICE) == 1_000 - DELIVERY


OK, FILTERED, UNSUPPORTED, MANY = None, 2, 22, 23
RELAY = fungible(PARENT, 200)


@pytest.mark.parametrize(
    ("dest", "items", "fee", "transfer", "reserve", "teleport", "arrival"),
    [
        (TELEPORTS, (here(100),), 0, OK, FILTERED, OK, "teleported"),
        (RESERVES, (here(100),), 0, OK, OK, FILTERED, "deposited"),
        (PARENT, (RELAY,), 0, OK, OK, FILTERED, "withdrawn"),
        (PARENT, (here(100), RELAY), 0, OK, MANY, FILTERED, "deposited withdrawn"),
        (PARENT, (here(100), RELAY), 1, OK, MANY, FILTERED, "withdrawn deposited"),
        (RESERVES, (here(100), RELAY), 0, UNSUPPORTED, MANY, FILTERED, ""),
        (RESERVES, (here(100), RELAY), 1, UNSUPPORTED, MANY, FILTERED, ""),
        (TELEPORTS, (here(100), fungible(OURS, 50)), 0, OK, MANY, FILTERED, "teleported deposited"),
        (TELEPORTS, (here(100), fungible(OURS, 50)), 1, OK, FILTERED, FILTERED, "deposited teleported"),
        (RESERVES, (here(100), fungible(OURS, 50)), 1, OK, OK, FILTERED, "deposited"),
    ],
)
def test_which_calls_move_which_assets(
    dest: Location, items: tuple[Asset, ...], fee: int, transfer: int | None, reserve: int | None,
    teleport: int | None, arrival: str,
) -> None:  # fmt: skip
    """Given assets and their fee asset. When each call moves them. Then it refuses, or the fee asset arrives first."""
    calls = XcmPallet.transfer_assets, XcmPallet.limited_reserve_transfer_assets, XcmPallet.limited_teleport_assets
    names = {ReceiveTeleportedAsset: "teleported", ReserveAssetDeposited: "deposited", WithdrawAsset: "withdrawn"}
    for call, code in zip(calls, (transfer, reserve, teleport), strict=True):
        world = World()
        world.relay_tokens(500)
        world.tokens(OURS, 500)
        move = partial(world.move, call, dest, *items, fee=fee, weight_limit=Unlimited())
        if code is not None:
            assert refusal(move)[0] == code
            continue
        move()
        kinds = [type(instruction) for instruction in world.sent()[1]]
        assert [names[kind] for kind in kinds if kind in names] == arrival.split()
        payment = [BuyExecution, ClearOrigin] if " " in arrival else [ClearOrigin, BuyExecution]
        assert [kind for kind in kinds if kind in payment] == payment
        assert kinds[-2:] == [DepositAsset, SetTopic]


@pytest.mark.parametrize("kind", [*Path, RemoteReserve(PARENT)])
def test_no_transfer_executes_more_than_its_call_is_charged(kind: TransferType) -> None:
    machine = World().xcm.machine
    transfer = Transfer(RESERVES, place(ALICE), Unlimited(), machine.universal_location)
    items = assets(here(10), fungible(PARENT, 10))
    local = transfer.programs(items, fee_item=0, fees=kind, others=kind).local
    assert machine.weigher.weight(local).all_lte(ITEM * TRANSFER_INSTRUCTIONS)


def test_an_amount_that_cannot_be_halved_does_not_pay_at_the_reserve() -> None:
    world = World()
    world.relay_tokens(500)
    one = fungible(PARENT, 1)
    code = refusal(lambda: world.move(XcmPallet.transfer_assets, RESERVES, one, weight_limit=Unlimited()))
    assert code[0] == 17


def test_free_delivery_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.xcm.world.DELIVERY", 0)
    world = World()
    world.move(XcmPallet.limited_teleport_assets, TELEPORTS, here(100), weight_limit=Unlimited())
    assert world.events()[1] == XcmPallet.FeesPaid(place(ALICE), assets())


def test_a_waived_account_sends_and_transfers_for_free_and_only_the_transfer_names_its_price(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, message = World(), xcm(ClearOrigin())
    waived = FeesFromOrigins(world.xcm.machine.fee_manager.handle_fee, lambda origin: origin == place(ALICE))
    monkeypatch.setattr(world.xcm, "machine", replace(world.xcm.machine, fee_manager=waived))
    world.dispatch(XcmPallet.send, dest=versioned_location(RESERVES), message=versioned_xcm(message))
    assert world.events() == [XcmPallet.Sent(place(ALICE), RESERVES, message, b"u" * 32)]
    world.move(XcmPallet.limited_reserve_transfer_assets, RESERVES, here(100), weight_limit=Unlimited())
    assert world.events()[2] == XcmPallet.FeesPaid(place(ALICE), assets(here(DELIVERY)))
    assert world.free(ALICE) == 900


def test_filters_see_all_assets_that_move_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Location, AssetSet]] = []

    def note(who: Location, items: AssetSet) -> bool:
        seen.append((who, items))
        return len(seen) < 2

    world = World()
    world.tokens(OURS, 500)
    monkeypatch.setattr(world.xcm, "reserve_transfer_filter", note, raising=False)
    items = here(100), fungible(OURS, 50)
    world.move(XcmPallet.transfer_assets, RESERVES, *items, weight_limit=Unlimited())
    assert seen == [(place(ALICE), assets(*items))]
    assert refusal(lambda: world.move(XcmPallet.transfer_assets, RESERVES, *items, weight_limit=Unlimited()))[0] == 2


def test_what_may_not_be_transferred() -> None:
    world = World()
    world.relay_tokens(500)
    limit = {"weight_limit": Unlimited()}
    teleport, reserve = XcmPallet.limited_teleport_assets, XcmPallet.limited_reserve_transfer_assets
    both = XcmPallet.transfer_assets
    stranger = fungible(location(1, Parachain(7)), 5)
    assert refusal(lambda: world.move(teleport, RESERVES, here(5), **limit))[0] == 2
    assert refusal(lambda: world.move(reserve, TELEPORTS, here(5), **limit))[0] == 2
    assert refusal(lambda: world.move(both, RESERVES, stranger, **limit))[0] == 21
    assert refusal(lambda: world.move(both, RESERVES, here(5), fungible(PARENT, 5), **limit))[0] == 22
    assert refusal(lambda: world.move(both, RESERVES, **limit))[0] == 5
    assert refusal(lambda: world.move(both, RESERVES, here(5), fee=1, **limit))[0] == 5
    three = (here(1), fungible(PARENT, 1), stranger)
    assert refusal(lambda: world.move(both, RESERVES, *three, **limit))[0] == 7
    assert refusal(lambda: world.move(both, BLOCKED, here(50), **limit))[0] == 1
    assert refusal(lambda: world.move(both, RESERVES, here(5_000), **limit)) == bytes([28, 0, 9, 0])
    assert world.free(ALICE) == 1_000
