"""A parachain's runtime with the XCM pallet, inside an open block."""

from dataclasses import dataclass
from typing import Any, cast

import pytest

from substrate.block import Digest
from substrate.crypto.hashing import blake2_256
from substrate.pallets.assets import Assets as AssetsPallet
from substrate.pallets.balances import Balances
from substrate.pallets.system import System
from substrate.pallets.utility import Utility
from substrate.runtime.assembly import Runtime, mount
from substrate.runtime.dispatch import DispatchFailure, Module
from substrate.runtime.origin import Origin, RawRoot, RawSigned
from substrate.runtime.version import RuntimeVersion
from substrate.scale.codec import decode, encode
from substrate.scale.types import Struct
from substrate.state import Overlay
from substrate.types import AccountId, Balance, BlockNumber, Hash, Weight
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
from xcm.builder.weighers import WeightInfoBounds, per_asset
from xcm.executor.config import XcmConfig
from xcm.instruction import (
    DepositAsset,
    Instruction,
    SetTopic,
    Xcm,
)
from xcm.junction import AccountId32, GeneralIndex, GlobalConsensus, PalletInstance, Parachain, Polkadot
from xcm.location import HERE, PARENT, Location, interior, location
from xcm.outcome import SendError, SendFailure
from xcm.pallet import XcmPallet
from xcm.pallet_base import XcmOrigin
from xcm.versions.versioned import (
    versioned_assets,
    versioned_location,
    versioned_xcm,
)

ALICE, BOB, FEES = (AccountId(bytes([number]) * 32) for number in range(1, 4))
CHECKING = AccountId(b"c" * 32)
TELEPORTS, RESERVES, BLOCKED = (location(1, Parachain(id)) for id in (2000, 3000, 9999))
ED, ITEM, DELIVERY = Balance(10), Weight(1_000, 10), 7
LIMIT = Weight(10**12, 10**9)
SENT: Any = tuple[Location, Xcm]
OURS = location(0, PalletInstance(50), GeneralIndex(1))
"""An asset of ours beside the native one."""


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
        return Letter(self.runtime, encode(SENT, (dest, message)), assets(fungible(HERE, DELIVERY)))


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
        weigher=WeightInfoBounds(per_asset(ITEM), calls),
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
    utility: Utility = mount(26)
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

    def tokens(self, place: Location, amount: int) -> None:
        """Create an asset of which Alice has so much."""
        create = self.runtime.call(
            ForeignAssets.force_create, id=place, owner=multi(ALICE), is_sufficient=True, min_balance=Balance(1)
        )
        self.runtime.dispatch(create, RawRoot())
        self.foreign.mint_into(place, ALICE, amount)

    def relay_tokens(self, amount: int) -> None:
        self.tokens(PARENT, amount)

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
        return decode(SENT, self.state.get(b"sent") or b"")


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
SELF = location(1, Parachain(1000))
