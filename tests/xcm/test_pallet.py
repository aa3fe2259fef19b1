"""The XCM pallet on a runtime: execute, send, trap, claim."""

import json
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from substrate.crypto.hashing import blake2_256
from substrate.runtime.dispatch import DispatchFailure
from substrate.runtime.origin import RawNone, RawRoot
from substrate.scale.codec import encode
from substrate.scale.types import naming
from substrate.types import Hash, Weight
from tests.xcm.world import (
    ALICE,
    BLOCKED,
    BOB,
    DELIVERY,
    FEES,
    ITEM,
    LIMIT,
    RESERVES,
    TELEPORTS,
    TOPIC,
    ParaRuntime,
    World,
    deposit,
    here,
    place,
    refusal,
)
from xcm import error as e
from xcm.asset import MAX_AMOUNT, AllCounted, Wild, assets, fungible
from xcm.executor.config import Context
from xcm.executor.holding import Holding
from xcm.instruction import (
    BuyExecution,
    ClaimAsset,
    ClearError,
    ClearOrigin,
    DescendOrigin,
    DoubleEncoded,
    InitiateReserveWithdraw,
    OriginKind,
    ReserveAssetDeposited,
    SetErrorHandler,
    SetTopic,
    Transact,
    TransferAsset,
    Trap,
    WithdrawAsset,
    Xcm,
)
from xcm.junction import GeneralIndex, PalletInstance, Parachain
from xcm.location import HERE, PARENT, Location, location
from xcm.message import xcm
from xcm.outcome import Complete, Incomplete, InstructionError, SendFailure
from xcm.pallet import SEND, XcmPallet
from xcm.pallet_base import XcmOrigin
from xcm.versions.versioned import (
    VersionedAssets,
    latest_assets,
    versioned_assets,
    versioned_location,
    versioned_xcm,
)
from xcm.weight import Limited, Unlimited


def test_execute_withdraw_to_deposit_works() -> None:
    world = World()
    buy = BuyExecution(here(10), Limited(Weight(3_000, 30)))
    world.execute(WithdrawAsset(assets(here(100))), buy, deposit())
    assert (world.free(ALICE), world.free(BOB), world.free(FEES)) == (900, 197, 13)
    assert world.events() == [XcmPallet.Attempted(Complete(ITEM * 3))]


def test_trapped_assets_can_be_claimed() -> None:
    world = World()
    world.execute(WithdrawAsset(assets(here(100))), SetErrorHandler(xcm(ClearError())), Trap(0), deposit())
    trapped = versioned_assets(assets(here(100)))
    key = Hash(blake2_256(encode(Location, place(ALICE)) + encode(VersionedAssets, trapped)))
    failed, *events = world.events()
    assert isinstance(failed, XcmPallet.ProcessXcmError)
    assert (failed.origin, failed.error) == (place(ALICE), e.Trap(0))
    assert events == [
        XcmPallet.AssetsTrapped(key, place(ALICE), trapped),
        XcmPallet.Attempted(Complete(ITEM * 4)),
    ]
    assert world.xcm.asset_traps[key] == 1
    claim = ClaimAsset(assets(here(100)), HERE), deposit()
    world.execute(*claim)
    assert (world.free(BOB), world.xcm.asset_traps[key]) == (200, 0)
    assert refusal(lambda: world.execute(*claim)) == bytes([28, 0, 16, 0])


def test_claim_assets_works() -> None:
    world = World()
    world.execute(WithdrawAsset(assets(here(100))))
    assert world.free(ALICE) == 900
    world.dispatch(
        XcmPallet.claim_assets,
        assets=versioned_assets(assets(here(100))),
        beneficiary=versioned_location(place(ALICE)),
    )
    assert world.free(ALICE) == 1_000
    assert list(world.xcm.asset_traps.items()) == []
    assert [type(event).__name__ for event in world.events()] == ["AssetsTrapped", "Attempted", "AssetsClaimed"]


def test_a_claim_is_charged_for_each_asset() -> None:
    items = assets(*(fungible(location(0, GeneralIndex(number)), 1) for number in range(20)))
    beneficiary = versioned_location(place(ALICE))
    call = ParaRuntime.call(XcmPallet.claim_assets, assets=versioned_assets(items), beneficiary=beneficiary)
    assert World().runtime.dispatch_info(call).weight == SEND + ITEM * 21


def test_a_ticket_names_the_version_that_was_trapped() -> None:
    world = World()
    items = assets(here(100))
    key = Hash(blake2_256(encode(Location, place(ALICE)) + encode(VersionedAssets, versioned_assets(items, 4))))
    world.xcm.asset_traps[key] = 2
    world.execute(ClaimAsset(items, location(0, GeneralIndex(4))), deposit())
    assert (world.free(BOB), world.xcm.asset_traps[key]) == (200, 1)
    for ticket in (HERE, location(1, GeneralIndex(4)), location(0, Parachain(4)), location(0, GeneralIndex(9))):
        claim = partial(world.execute, ClaimAsset(items, ticket), deposit())
        assert refusal(claim) == bytes([28, 0, 16, 0])


def test_incomplete_execute_reverts_side_effects() -> None:
    world = World()
    withdraw = WithdrawAsset(assets(here(600)))
    with pytest.raises(DispatchFailure) as failure:
        world.execute(withdraw, deposit(), withdraw)
    assert failure.value.info is not None
    assert failure.value.info.actual_weight is not None
    assert (world.free(ALICE), world.free(BOB), world.events()) == (1_000, 100, [])


def test_execution_over_its_weight_is_an_error_at_instruction_0() -> None:
    world = World()
    message = versioned_xcm(xcm(ClearOrigin()))
    over = refusal(lambda: world.dispatch(XcmPallet.execute, message=message, max_weight=Weight(1, 1)))
    assert over == bytes([28, 0, 37, 0])


def test_transact_recursion_limit_works() -> None:
    world = World()

    def nested(depth: int) -> Xcm:
        if not depth:
            return xcm(ClearOrigin())
        inner = nested(depth - 1)
        call = ParaRuntime.call(
            XcmPallet.execute, message=versioned_xcm(inner), max_weight=world.xcm.machine.weigher.weight(inner)
        )
        data = DoubleEncoded(ParaRuntime.encode_call(call))
        return xcm(Transact(OriginKind.SovereignAccount, None, data))

    for depth, dispatched in ((9, True), (10, False)):
        world = World()
        outcome = world.xcm.executor.execute(
            place(ALICE), nested(depth), message_id=bytes(32), weight_limit=LIMIT, weight_credit=LIMIT
        )
        assert isinstance(outcome, Complete)
        errors = [fact.error for fact in cast(list[Any], world.facts) if type(fact).__name__ == "InstructionExecuted"]
        assert (e.ExceedsStackLimit() in errors) is not dispatched


def test_send_works() -> None:
    world = World()
    message = xcm(ClearOrigin())
    world.dispatch(XcmPallet.send, dest=versioned_location(RESERVES), message=versioned_xcm(message))
    assert world.sent() == (RESERVES, xcm(DescendOrigin(place(ALICE).interior), *message, TOPIC))
    assert world.events() == [
        XcmPallet.FeesPaid(place(ALICE), assets(here(DELIVERY))),
        XcmPallet.Sent(place(ALICE), RESERVES, message, b"u" * 32),
    ]
    assert (world.free(ALICE), world.free(FEES)) == (993, 17)


def test_only_accounts_and_root_execute_and_send() -> None:
    world = World()
    message = versioned_xcm(xcm(ClearOrigin()))
    send = partial(world.dispatch, XcmPallet.send, dest=versioned_location(RESERVES), message=message)
    execute = partial(world.dispatch, XcmPallet.execute, message=message, max_weight=LIMIT)
    execute(origin=RawRoot())
    for call in send, execute:
        for stranger in XcmOrigin(TELEPORTS), XcmOrigin(place(ALICE)), RawNone():
            with pytest.raises(DispatchFailure, match="BadOrigin"):
                call(origin=stranger)


def test_send_fails_when_xcm_router_blocks() -> None:
    world = World()

    def send(dest: Location) -> bytes:
        message = versioned_xcm(xcm(ClearOrigin()))
        return refusal(lambda: world.dispatch(XcmPallet.send, dest=versioned_location(dest), message=message))

    assert send(BLOCKED)[0] == 1
    assert send(location(2))[0] == 0
    assert world.free(ALICE) == 1_000
    full = versioned_xcm(Xcm((ClearOrigin(),) * 100))
    code = refusal(lambda: world.dispatch(XcmPallet.send, dest=versioned_location(RESERVES), message=full))
    assert code[0] == 1


def test_get_and_wrap_version_works() -> None:
    world = World()
    message = xcm(ClearOrigin())
    assert world.xcm.wrap_version(PARENT, message) == versioned_xcm(message, 5)
    world.dispatch(XcmPallet.force_xcm_version, origin=RawRoot(), location=PARENT, version=3)
    assert world.xcm.wrap_version(PARENT, message) == versioned_xcm(message, 3)
    world.dispatch(XcmPallet.force_default_xcm_version, origin=RawRoot(), maybe_xcm_version=None)
    with pytest.raises(SendFailure, match="DestinationUnsupported"):
        world.xcm.wrap_version(RESERVES, message)


def test_a_message_that_the_barrier_refuses_leaves_no_event() -> None:
    world = World()
    outcome = world.xcm.executor.execute(PARENT, xcm(Trap(3)), message_id=b"m" * 32, weight_limit=LIMIT)
    assert outcome == Incomplete(ITEM, InstructionError(0, e.Barrier()))
    assert world.events() == []


def test_initiated_withdrawals_pay_delivery_from_holding() -> None:
    world = World()
    world.relay_tokens(500)
    items = assets(here(50), fungible(PARENT, 100))
    initiate = InitiateReserveWithdraw(
        Wild(AllCounted(9)), PARENT, xcm(BuyExecution(here(100), Unlimited()), deposit())
    )
    assert refusal(lambda: world.execute(WithdrawAsset(items), initiate)) == bytes([28, 1, 2, 0])


VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "xcm_encode.json").read_text())["vectors"]


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if v["type"] == "pallet_xcm::Call"], ids=lambda vector: vector["name"]
)
def test_calls_have_upstream_bytes(vector: Any) -> None:
    data = bytes([31]) + bytes.fromhex(vector["hex"][2:])
    assert ParaRuntime.encode_call(ParaRuntime.decode_call(data)) == data


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if v["type"] == "pallet_xcm::Event"], ids=lambda vector: vector["name"]
)
def test_events_have_upstream_bytes(vector: Any) -> None:
    data = bytes.fromhex(vector["hex"][2:])
    (kind,) = [event for event in XcmPallet.events.values() if naming(event).index == data[0]]
    assert kind.decode(data[1:]).encode() == data[1:]
    assert [kind.__name__] == list(vector["value"])


def test_a_failed_instruction_is_reported_under_the_topic() -> None:
    world = World()
    program = xcm(Trap(3), SetTopic(b"t" * 32))
    world.xcm.executor.execute(PARENT, program, message_id=b"m" * 32, weight_limit=LIMIT, weight_credit=LIMIT)
    assert world.events() == [XcmPallet.ProcessXcmError(PARENT, e.Trap(3), b"t" * 32)]


def test_amounts_beyond_the_format_and_more_assets_than_a_set_may_name_are_trapped() -> None:
    world = World()
    most = ReserveAssetDeposited(assets(fungible(PARENT, MAX_AMOUNT)))
    outcome = world.xcm.executor.execute(
        PARENT, xcm(most, most), message_id=bytes(32), weight_limit=LIMIT, weight_credit=LIMIT
    )
    assert outcome == Complete(ITEM * 2)
    places = [location(0, PalletInstance(9), GeneralIndex(number)) for number in range(21)]
    world.xcm.drop_assets(PARENT, Holding.of(*(fungible(asset, 1) for asset in places)), Context(None, bytes(32)))
    trapped = [event.assets for event in world.events() if isinstance(event, XcmPallet.AssetsTrapped)]
    assert [len(latest_assets(items)) for items in trapped] == [1, 20, 1]


def test_metadata_shows_what_a_failed_execution_carries() -> None:
    judge = RuntimeConfigurationObject()
    judge.update_type_registry(load_type_registry_preset("core"))
    metadata = judge.create_scale_object("MetadataVersioned", ScaleBytes(ParaRuntime.metadata()))
    metadata.decode()
    judge.add_portable_registry(metadata)
    types = {"::".join(entry.value["type"]["path"]): entry for entry in metadata.portable_registry["types"]}
    (pallet,) = [found for found in metadata.pallets if found.value["name"] == "PolkadotXcm"]
    (error,) = [found for found in pallet.errors if found.value["name"] == "LocalExecutionIncompleteWithError"]
    assert [field["name"] for field in error.value["fields"]] == ["index", "error"]
    variants = types["pallet_xcm::errors::ExecutionError"].value["type"]["def"]["variant"]["variants"]
    assert len(variants) == 41
    assert all(not variant["fields"] for variant in variants)
    number = metadata.portable_registry["types"].elements.index(types["pallet_xcm::pallet::Error"])
    world = World()
    code = refusal(lambda: world.execute(ClearOrigin(), Trap(7)))
    decoded = judge.create_scale_object(f"scale_info::{number}", ScaleBytes(code[:3])).decode()
    assert decoded == {"LocalExecutionIncompleteWithError": {"index": 1, "error": "Trap"}}


def test_a_transfer_of_foreign_assets_stays_on_the_chain() -> None:
    world = World()
    world.relay_tokens(500)
    world.execute(TransferAsset(assets(fungible(PARENT, 200)), place(BOB)))
    assert (world.foreign.balance(PARENT, ALICE), world.foreign.balance(PARENT, BOB)) == (300, 200)
