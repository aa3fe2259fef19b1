"""The XCM machine of a para: its default policies, and what a chain may say differently.

Source: polkadot-sdk, `templates/parachain/runtime/src/configs/xcm_config.rs`,
`cumulus/parachains/runtimes/assets/asset-hub-westend/src/xcm_config.rs`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from parachains.sdk.asset_rate import AssetRate
from parachains.sdk.cumulus_xcm import Relay, SiblingParachain
from parachains.sdk.foreign_assets import ForeignAssets, TrustBackedAssets
from parachains.sdk.parachain_info import ParachainInfo
from parachains.sdk.parachain_system import ParachainSystem
from parachains.sdk.routers import ParentAsUmp, SiblingAsXcmp
from parachains.sdk.xcm_trust import XcmTrust
from parachains.sdk.xcmp_queue import XcmpQueue
from relaychain.primitives.network import NETWORK
from relaychain.primitives.types import ParaId
from substrate.pallets.balances import Balances
from substrate.pallets.system import System
from substrate.runtime.assembly import Runtime
from substrate.scale.codec import encode
from substrate.types import AccountId, Weight
from xcm import error as e
from xcm.asset import Asset, Assets, Fungible, assets, fungible
from xcm.builder.barriers import (
    AllowExplicitUnpaidExecutionFrom,
    AllowTopLevelPaidExecutionFrom,
    AnyOf,
    DenyRecursively,
    DenyReserveTransferToRelayChain,
    DenyThenTry,
    TakeWeightCredit,
    TrailingSetTopicAsId,
    WithComputedOrigin,
)
from xcm.builder.filters import LocationFilter, everything, is_parent
from xcm.builder.location_conversion import (
    AccountId32Aliases,
    FirstConverter,
    HashedDescription,
    ParentIsPreset,
    SiblingParachainConvertsVia,
    describe_all_terminal,
    describe_family,
)
from xcm.builder.matchers import IsConcrete, MatchedConvertedConcreteId, as_location, as_prefixed_general_index
from xcm.builder.origin_conversion import (
    FirstOrigin,
    LocationAsSuperuser,
    RelayChainAsNative,
    SiblingParachainAsNative,
    SignedAccountId32AsNative,
    SovereignSignedViaLocation,
    XcmPassthrough,
)
from xcm.builder.pricing import ExponentialPrice
from xcm.builder.routers import FirstRouter, WithUniqueTopic
from xcm.builder.runtime_calls import RuntimeCalls
from xcm.builder.traders import (
    FeesFromOrigins,
    FirstTrader,
    FixedRate,
    FixedRateOfFungible,
    Revenue,
    fees_to_account,
)
from xcm.builder.transactors import FirstTransactor, FungibleAdapter, FungiblesAdapter
from xcm.builder.weighers import WeightInfoBounds, per_asset
from xcm.error import XcmFailure
from xcm.executor.config import Barrier, Context, Trader, XcmConfig
from xcm.executor.holding import Holding
from xcm.instruction import Xcm
from xcm.junction import AccountId32, GlobalConsensus, PalletInstance, Parachain
from xcm.location import HERE, Junctions, Location, interior, location, starts_with
from xcm.pallet import XcmPallet
from xcm.pallet_base import XcmOrigin

FEE_ACCOUNT = AccountId(b"modlpy/trsry".ljust(32, b"\0"))
"""Takes transaction, execution and delivery fees: the treasury's account."""
INSTRUCTION_WEIGHT = Weight(200_000_000, 1_024)

ACCOUNTS = FirstConverter(
    (
        ParentIsPreset(),
        SiblingParachainConvertsVia(),
        AccountId32Aliases(NETWORK),
        HashedDescription(describe_family(describe_all_terminal)),
    )
)
"""Accounts of locations."""


@dataclass(frozen=True)
class Policy:
    """What a chain may say differently from the default."""

    native: Location = HERE
    """The asset on the balances pallet: our own, or (a system chain) the relay chain's."""
    instruction_weight: Weight = INSTRUCTION_WEIGHT
    """Of an instruction, for each asset that it may touch."""
    price_per_second: int = 1_000_000_000
    """Native planck for 10^12 picoseconds of execution."""
    price_per_mb: int = 1_000_000
    delivery_base_fee: int = 100_000_000
    delivery_byte_fee: int = 100_000
    paid_from: LocationFilter = everything
    """Who may pay for execution."""
    unpaid_from: LocationFilter = is_parent
    """Who executes without paying, if the message says so."""
    superuser: LocationFilter = is_parent
    """Whose `Transact` with superuser origin is root."""
    barriers: tuple[Barrier, ...] = ()
    """Asked before the default ones."""


def make_xcm_config(policy: Policy) -> Callable[[Runtime], XcmConfig]:
    """The machine of each runtime instance, under a policy."""

    def configure(runtime: Runtime) -> XcmConfig:
        return _Machine(runtime, policy).config()

    return configure


@dataclass(frozen=True)
class _Machine:
    runtime: Runtime
    policy: Policy

    def config(self) -> XcmConfig:
        runtime, universal = self.runtime, self._universal_location()
        calls, trust, pallet = RuntimeCalls(runtime), runtime.pallet(XcmTrust), runtime.pallet(XcmPallet)
        transactor = self._transactor()
        observe = runtime.observer.note if runtime.observer else None
        revenue = fees_to_account(transactor, location(0, AccountId32(None, FEE_ACCOUNT)), observe)
        return XcmConfig(
            universal_location=universal,
            barrier=self._barrier(universal),
            weigher=WeightInfoBounds(per_asset(self.policy.instruction_weight), calls),
            trader=lambda: self._trader(revenue),
            asset_transactor=transactor,
            origin_converter=_origins(self.policy),
            is_reserve=trust.is_reserve,
            is_teleporter=trust.is_teleporter,
            fee_manager=FeesFromOrigins(revenue, lambda origin: origin == HERE),
            router=self._router(),
            asset_trap=pallet,
            asset_claims=pallet,
            call_dispatcher=calls,
            transaction=runtime.state.transaction,
            events=pallet,
        )

    def _universal_location(self) -> Junctions:
        para: ParaId = self.runtime.pallet(ParachainInfo).parachain_id.get()
        return interior(GlobalConsensus(NETWORK), Parachain(para))

    def _barrier(self, universal: Junctions) -> Barrier:
        remote = WithComputedOrigin(
            AnyOf(
                (
                    *self.policy.barriers,
                    AllowTopLevelPaidExecutionFrom(self.policy.paid_from),
                    AllowExplicitUnpaidExecutionFrom(self.policy.unpaid_from),
                )
            ),
            universal,
        )
        # Local programs take the relay chain's token back from its reserve, to send it on to another para.
        deposits = DenyRecursively(DenyReserveTransferToRelayChain(withdrawals=False))
        checked = DenyThenTry(DenyRecursively(DenyReserveTransferToRelayChain()), remote)
        return TrailingSetTopicAsId(DenyThenTry(deposits, AnyOf((TakeWeightCredit(), checked))))

    def _transactor(self) -> FirstTransactor:
        runtime, local = self.runtime, local_assets_prefix(self.runtime)
        own = MatchedConvertedConcreteId(as_prefixed_general_index(local))
        foreign = MatchedConvertedConcreteId(as_location, lambda place: not starts_with(place, local))
        return FirstTransactor(
            (
                FungibleAdapter(runtime.pallet(Balances), IsConcrete(self.policy.native), ACCOUNTS),
                FungiblesAdapter(runtime.pallet(TrustBackedAssets), own, ACCOUNTS),
                FungiblesAdapter(runtime.pallet(ForeignAssets), foreign, ACCOUNTS),
            )
        )

    def _trader(self, revenue: Revenue) -> Trader:
        policy = self.policy
        rate = FixedRate(policy.native, policy.price_per_second, policy.price_per_mb)
        return FirstTrader(
            (FixedRateOfFungible(rate, revenue), RatedTrader(rate, self.runtime.pallet(AssetRate), revenue))
        )

    def _router(self) -> WithUniqueTopic:
        runtime, policy = self.runtime, self.policy
        price = ExponentialPrice(policy.native, policy.delivery_base_fee, policy.delivery_byte_fee)
        up = ParentAsUmp(runtime.pallet(ParachainSystem), price)
        system = runtime.pallet(System)
        across = SiblingAsXcmp(runtime.pallet(XcmpQueue), price)
        return WithUniqueTopic(FirstRouter((up, across)), lambda message: system.unique(encode(Xcm, message)))


class RatedTrader:
    """Sells weight for the first foreign asset of the payment that has a rate."""

    def __init__(self, rate: FixedRate, rates: AssetRate, revenue: Revenue) -> None:
        self._rate = rate
        self._rates = rates
        self._revenue = revenue
        self._sold = Weight.ZERO
        self._earned: tuple[Location, int] | None = None

    def buy_weight(self, weight: Weight, payment: Holding, context: Context) -> Holding:
        for asset in payment.assets():
            price = self._price(weight, asset.id)
            if price is None or not isinstance(asset.fun, Fungible) or (self._earned and self._earned[0] != asset.id):
                continue
            if asset.fun.amount < price:
                raise XcmFailure(e.TooExpensive(), f"{price} of {asset.id} asked")
            self._sold += weight
            self._earned = (asset.id, price + (self._earned[1] if self._earned else 0))
            return payment.minus((fungible(asset.id, price),)) if price else payment
        raise XcmFailure(e.TooExpensive(), "no asset with a rate offered")

    def refund_weight(self, weight: Weight, context: Context) -> Asset | None:
        if self._earned is None:
            return None
        place, earned = self._earned
        left = self._sold - weight
        price = self._price(left, place)
        # What stays sold is priced, and rounded up, not the refund: many small ones give back what one large one does.
        # Purchases that were rounded one by one may have cost less than what is left of them; nothing is due then.
        amount = 0 if price is None else max(earned - price, 0)
        if not amount:
            return None  # and the weight stays sold: the machine offers it again
        self._sold, self._earned = left, (place, earned - amount)
        return fungible(place, amount)

    def settle(self) -> Assets:
        if self._earned is None or not self._earned[1]:
            return assets()
        earned, self._earned = fungible(*self._earned), None
        self._revenue(earned)
        return assets(earned)

    def _price(self, weight: Weight, place: Location) -> int | None:
        return self._rates.from_native(self._rate.price(weight), place)


def local_assets_prefix(runtime: Runtime) -> Location:
    """Where our own assets are: the pallet that issues them."""
    attribute = runtime.assembly().attribute_of(TrustBackedAssets)
    assert attribute is not None, "every para mounts its assets"
    return location(0, PalletInstance(runtime.assembly().mounts[attribute].index))


def _origins(policy: Policy) -> FirstOrigin:
    return FirstOrigin(
        (
            SovereignSignedViaLocation(ACCOUNTS),
            RelayChainAsNative(Relay()),
            SiblingParachainAsNative(lambda para: SiblingParachain(ParaId(para))),
            LocationAsSuperuser(policy.superuser),
            SignedAccountId32AsNative(NETWORK),
            XcmPassthrough(XcmOrigin),
        )
    )
