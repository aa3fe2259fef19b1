"""The XCM pallet on a runtime: execute, send, transfer, trap, claim."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from substrate.block import Digest
from substrate.crypto.hashing import blake2_256
from substrate.pallets.assets import Assets as AssetsPallet
from substrate.pallets.balances import Balances
from substrate.pallets.system import System
from substrate.runtime.assembly import Runtime, mount
from substrate.runtime.dispatch import DispatchFailure, Module
from substrate.runtime.origin import Origin, RawRoot, RawSigned
from substrate.runtime.version import RuntimeVersion
from substrate.scale.codec import encode
from substrate.scale.types import Struct, naming
from substrate.state import Overlay
from substrate.types import AccountId, Balance, BlockNumber, Hash, Weight
from xcm import error as e
from xcm.asset import AllCounted, Asset, Wild, assets, assets_of, fungible
from xcm.asset import Assets as AssetSet
from xcm.builder.barriers import AllowTopLevelPaidExecutionFrom, AnyOf, TakeWeightCredit, TrailingSetTopicAsId
from xcm.builder.filters import asset_from, everything, nothing, one_of
from xcm.builder.location_conversion import (
    AccountId32Aliases,
    FirstConverter,
    ParentIsPreset,
    SiblingParachainConvertsVia,
)
from xcm.builder.matchers import IsConcrete, MatchedConvertedConcreteId, as_location
from xcm.builder.origin_conversion import FirstOrigin, SovereignSignedViaLocation, XcmPassthrough
from xcm.builder.routers import WithUniqueTopic
from xcm.builder.runtime_calls import RuntimeCalls
from xcm.builder.traders import FeesFromOrigins, FixedRate, FixedRateOfFungible, fees_to_account
from xcm.builder.transactors import Checking, FirstTransactor, FungibleAdapter, FungiblesAdapter, MintLocation
from xcm.builder.weighers import FixedWeightBounds
from xcm.executor.config import XcmConfig
from xcm.instruction import (
    BuyExecution,
    ClaimAsset,
    ClearError,
    ClearOrigin,
    DepositAsset,
    DepositReserveAsset,
    DescendOrigin,
    DoubleEncoded,
    InitiateReserveWithdraw,
    Instruction,
    OriginKind,
    ReceiveTeleportedAsset,
    ReserveAssetDeposited,
    SetErrorHandler,
    SetTopic,
    Transact,
    TransferAsset,
    Trap,
    WithdrawAsset,
    Xcm,
)
from xcm.junction import AccountId32, GeneralIndex, GlobalConsensus, Parachain, Polkadot
from xcm.location import HERE, PARENT, Location, interior, location
from xcm.message import xcm
from xcm.outcome import Complete, Incomplete, InstructionError, SendError, SendFailure
from xcm.pallet import XcmPallet
from xcm.pallet_base import XcmOrigin
from xcm.versions.versioned import (
    VersionedAssets,
    versioned_assets,
    versioned_location,
    versioned_xcm,
)
from xcm.weight import Limited, Unlimited

ALICE, BOB, FEES = (AccountId(bytes([number]) * 32) for number in range(1, 4))
CHECKING = AccountId(b"c" * 32)
TELEPORTS, RESERVES, BLOCKED = (location(1, Parachain(id)) for id in (2000, 3000, 9999))
ED, ITEM, DELIVERY = Balance(10), Weight(1_000, 10), 7
LIMIT = Weight(10**12, 10**9)


def place(who: AccountId) -> Location:
    return location(0, AccountId32(None, who))


class ForeignAssets(AssetsPallet, parameters={"AssetId": Location, "AssetIdParameter": Location}):
    """Assets of other chains."""


@dataclass(frozen=True)
class Outbox:
    """Sends to where it may; the test reads what was sent from storage."""

    runtime: Runtime

    def validate(self, dest: Location, message: Xcm) -> "Letter":
        if dest == BLOCKED:
            raise SendFailure(SendError.Transport, "blocked")
        if dest.parents != 1:
            raise SendFailure(SendError.NotApplicable)
        return Letter(self.runtime, encode(Location, dest) + encode(Xcm, message), assets(fungible(HERE, DELIVERY)))


@dataclass(frozen=True)
class Letter:
    runtime: Runtime
    data: bytes
    price: AssetSet

    def deliver(self) -> bytes:
        self.runtime.state.put(b"sent", self.data)
        return blake2_256(self.data)


def machine(runtime: Runtime) -> XcmConfig:
    accounts = FirstConverter((ParentIsPreset(), SiblingParachainConvertsVia(), AccountId32Aliases()))
    native = FungibleAdapter(
        runtime.pallet(Balances), IsConcrete(HERE), accounts, Checking(CHECKING, MintLocation.LOCAL)
    )
    foreign = FungiblesAdapter(runtime.pallet(ForeignAssets), MatchedConvertedConcreteId(as_location), accounts)
    transactor = FirstTransactor((native, foreign))
    revenue, calls, pallet = fees_to_account(transactor, place(FEES)), RuntimeCalls(runtime), runtime.pallet(XcmPallet)
    return XcmConfig(
        universal_location=interior(GlobalConsensus(Polkadot()), Parachain(1000)),
        barrier=TrailingSetTopicAsId(AnyOf((TakeWeightCredit(), AllowTopLevelPaidExecutionFrom(everything)))),
        weigher=FixedWeightBounds(ITEM, calls),
        trader=lambda: FixedRateOfFungible(FixedRate(HERE, 10**9, 0), revenue),
        asset_transactor=transactor,
        origin_converter=FirstOrigin((SovereignSignedViaLocation(accounts), XcmPassthrough(XcmOrigin))),
        is_reserve=asset_from([PARENT], one_of(PARENT)),
        is_teleporter=asset_from([HERE], one_of(TELEPORTS)),
        fee_manager=FeesFromOrigins(revenue, nothing),
        router=WithUniqueTopic(Outbox(runtime), lambda message: b"u" * 32),
        asset_trap=pallet,
        asset_claims=pallet,
        call_dispatcher=calls,
        transaction=runtime.state.transaction,
        events=pallet,
    )


class ParaRuntime(Runtime):
    version = RuntimeVersion("para", "para", 1, 1, 1, (), 1, 1)
    crate = "para_runtime"
    system: System = mount(0)
    balances: Balances = mount(10, existential_deposit=ED)
    polkadot_xcm: XcmPallet = mount(31, xcm_config=machine)
    foreign_assets: ForeignAssets = mount(53)


class World:
    """An open block."""

    def __init__(self) -> None:
        config: dict[str, Any] = {"balances": {"balances": {ALICE: Balance(1_000), BOB: Balance(100), FEES: ED}}}
        self.facts: list[Struct] = []
        self.state = Overlay(ParaRuntime.genesis(config, code=b"para"))
        self.runtime = ParaRuntime(self.state, self)
        self.runtime.system.initialize(BlockNumber(1), Hash(bytes(32)), Digest())
        self.xcm = self.runtime.polkadot_xcm
        self.foreign = self.runtime.foreign_assets

    def note(self, fact: Struct) -> None:
        self.facts.append(fact)

    def relay_tokens(self, amount: int) -> None:
        create = self.runtime.call(
            ForeignAssets.force_create, id=PARENT, owner=multi(ALICE), is_sufficient=True, min_balance=Balance(1)
        )
        self.runtime.dispatch(create, RawRoot())
        self.foreign.mint_into(PARENT, ALICE, amount)

    def free(self, who: AccountId) -> int:
        return self.runtime.balances.free_balance(who)

    def dispatch(self, method: Any, /, *, origin: Origin | None = None, **args: Any) -> Any:
        return self.runtime.dispatch(self.runtime.call(method, **args), origin or RawSigned(ALICE))

    def execute(self, *program: Instruction) -> Any:
        return self.dispatch(XcmPallet.execute, message=versioned_xcm(Xcm(program)), max_weight=LIMIT)

    def move(self, method: Any, dest: Location, *items: Asset, fee: int = 0, **args: Any) -> Any:
        return self.dispatch(
            method,
            dest=versioned_location(dest),
            beneficiary=versioned_location(place(BOB)),
            assets=versioned_assets(assets_of(items)),
            fee_asset_item=fee,
            **args,
        )

    def events(self) -> list[Any]:
        values = [cast(Any, record.event).value for record in self.runtime.system.block_events()]
        return [event for event in values if type(event).__name__ in XcmPallet.events]

    def sent(self) -> tuple[Location, Xcm]:
        data = self.state.get(b"sent") or b""
        dest = next(size for size in range(1, 60) if _is_location(data[:size]))
        from substrate.scale.codec import decode

        return Location.decode(data[:dest]), decode(Xcm, data[dest:])


def _is_location(data: bytes) -> bool:
    from substrate.errors import DecodeError

    try:
        Location.decode(data)
    except DecodeError:
        return False
    return True


def multi(who: AccountId) -> Any:
    from substrate.crypto.multi import Id

    return Id(who)


def refusal(act: Any) -> bytes:
    with pytest.raises(DispatchFailure) as failure:
        act()
    error = failure.value.error
    assert isinstance(error, Module)
    assert error.value.index == 31
    return error.value.error


def here(amount: int) -> Asset:
    return fungible(HERE, amount)


def deposit(count: int = 1) -> DepositAsset:
    return DepositAsset(Wild(AllCounted(count)), place(BOB))


TOPIC = SetTopic(b"u" * 32)


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
    assert world.events() == [
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


def test_a_ticket_names_the_version_that_was_trapped() -> None:
    world = World()
    items = assets(here(100))
    key = Hash(blake2_256(encode(Location, place(ALICE)) + encode(VersionedAssets, versioned_assets(items, 4))))
    world.xcm.asset_traps[key] = 2
    world.execute(ClaimAsset(items, location(0, GeneralIndex(4))), deposit())
    assert (world.free(BOB), world.xcm.asset_traps[key]) == (200, 1)
    for ticket in (HERE, PARENT, location(0, Parachain(4)), location(0, GeneralIndex(9))):
        assert refusal(lambda: world.execute(ClaimAsset(items, ticket), deposit())) == bytes([28, 0, 16, 0])  # noqa: B023


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
        return xcm(Transact(OriginKind.Xcm, None, data))

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


def test_send_fails_when_xcm_router_blocks() -> None:
    world = World()

    def send(dest: Location) -> bytes:
        message = versioned_xcm(xcm(ClearOrigin()))
        return refusal(lambda: world.dispatch(XcmPallet.send, dest=versioned_location(dest), message=message))

    assert send(BLOCKED)[0] == 1
    assert send(location(2))[0] == 0
    assert world.free(ALICE) == 1_000


def test_get_and_wrap_version_works() -> None:
    world = World()
    message = xcm(ClearOrigin())
    assert world.xcm.wrap_version(PARENT, message) == versioned_xcm(message, 5)
    world.dispatch(XcmPallet.force_xcm_version, origin=RawRoot(), location=PARENT, version=3)
    assert world.xcm.wrap_version(PARENT, message) == versioned_xcm(message, 3)
    world.dispatch(XcmPallet.force_default_xcm_version, origin=RawRoot(), maybe_xcm_version=None)
    with pytest.raises(SendFailure, match="DestinationUnsupported"):
        world.xcm.wrap_version(RESERVES, message)


SELF = location(1, Parachain(1000))


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


def test_a_failed_message_is_reported() -> None:
    world = World()
    outcome = world.xcm.executor.execute(PARENT, xcm(Trap(3)), message_id=b"m" * 32, weight_limit=LIMIT)
    assert outcome == Incomplete(ITEM, InstructionError(0, e.Barrier()))
    assert world.events() == [XcmPallet.ProcessXcmError(PARENT, e.Barrier(), b"m" * 32)]


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


def test_the_runtime_shows_the_pallet_in_its_metadata() -> None:
    assert b"AssetsTrapped" in ParaRuntime.metadata()


def test_a_transfer_of_foreign_assets_stays_on_the_chain() -> None:
    world = World()
    world.relay_tokens(500)
    world.execute(TransferAsset(assets(fungible(PARENT, 200)), place(BOB)))
    assert (world.foreign.balance(PARENT, ALICE), world.foreign.balance(PARENT, BOB)) == (300, 200)
