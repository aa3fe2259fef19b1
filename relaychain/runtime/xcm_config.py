"""The relay chain's XCM policy.

Source: polkadot-fellows/runtimes, `relay/polkadot/src/xcm_config.rs`.
"""

from dataclasses import dataclass
from typing import Final

from relaychain.primitives.network import NETWORK, is_system_para
from relaychain.primitives.types import ParaId
from relaychain.runtime.dmp import Dmp, DmpError, DmpReason
from relaychain.runtime.origin import Parachain as ParachainOrigin
from relaychain.runtime.ump import Ump
from substrate.pallets.balances import Balances
from substrate.pallets.message_queue_types import Outcome, WeightMeter
from substrate.pallets.system import System
from substrate.runtime.assembly import Runtime
from substrate.runtime.pallet import Pallet
from substrate.scale.codec import encode
from substrate.types import AccountId, Hash, Weight
from xcm.asset import Asset, Assets
from xcm.builder.barriers import (
    AllowExplicitUnpaidExecutionFrom,
    AllowTopLevelPaidExecutionFrom,
    AnyOf,
    TakeWeightCredit,
    TrailingSetTopicAsId,
    WithComputedOrigin,
)
from xcm.builder.filters import everything, no_trust
from xcm.builder.location_conversion import (
    AccountId32Aliases,
    ChildParachainConvertsVia,
    FirstConverter,
    HashedDescription,
    describe_all_terminal,
    describe_family,
)
from xcm.builder.matchers import IsConcrete
from xcm.builder.origin_conversion import (
    ChildParachainAsNative,
    FirstOrigin,
    SignedAccountId32AsNative,
    SovereignSignedViaLocation,
    XcmPassthrough,
)
from xcm.builder.pricing import ExponentialPrice
from xcm.builder.process_message import process_message
from xcm.builder.routers import FirstRouter, WithUniqueTopic
from xcm.builder.runtime_calls import RuntimeCalls
from xcm.builder.traders import FeesFromOrigins, FixedRate, FixedRateOfFungible, fees_to_account
from xcm.builder.transactors import Checking, FungibleAdapter, MintLocation
from xcm.builder.weighers import WeightInfoBounds, per_asset
from xcm.executor.config import XcmConfig
from xcm.instruction import Xcm
from xcm.junction import AccountId32, GlobalConsensus, Parachain
from xcm.location import HERE, Location, interior, location
from xcm.outcome import SendError, SendFailure
from xcm.pallet import XcmPallet
from xcm.pallet_base import XcmOrigin
from xcm.versions.versioned import encode_message, message_hash

UNIT: Final = 10**12
BASE_XCM_WEIGHT: Final = Weight(1_000_000_000, 1_024)
MAX_ASSETS: Final = 1
"""What a wildcard may stand for: only the relay chain's own token enters holding."""
PRICE: Final = FixedRate(HERE, per_second=UNIT, per_mb=0)
"""A second of execution costs one unit: a transfer of four instructions 0.004."""
DELIVERY: Final = ExponentialPrice(HERE, base_fee=UNIT // 1_000, byte_fee=UNIT // 1_000_000)
TREASURY: Final = AccountId(b"modlpy/trsry".ljust(32, b"\0"))
"""Where every fee goes."""
CHECK_ACCOUNT: Final = AccountId(b"modlpy/xcmch".ljust(32, b"\0"))
"""Keeps what was teleported away, so that the relay chain's issuance counts the whole token."""
ACCOUNTS: Final = FirstConverter(
    (
        ChildParachainConvertsVia(),
        AccountId32Aliases(NETWORK),
        HashedDescription(describe_family(describe_all_terminal)),
    )
)


def is_system_child(place: Location) -> bool:
    """A parachain of the system."""
    first = place.junctions[0] if place.parents == 0 and len(place.junctions) == 1 else None
    return isinstance(first, Parachain) and is_system_para(first.id)


def sends_for_free(place: Location) -> bool:
    """Whose deliveries cost nothing (`WaivedLocations`): root's and those of the system's parachains."""
    return place == HERE or is_system_child(place)


def teleports_native(asset: Asset, place: Location) -> bool:
    """The relay chain's token moves freely between it and its system parachains."""
    return asset.id == HERE and is_system_child(place)


@dataclass(frozen=True)
class Downward:
    """A downward message ready to go."""

    dmp: Dmp
    para: ParaId
    data: bytes
    digest: bytes
    price: Assets

    def deliver(self) -> bytes:
        """Queue it; returns the message's hash."""
        try:
            self.dmp.queue_downward_message(self.para, self.data)
        except DmpError as failure:
            raise _send_failure(failure) from failure
        return self.digest


def _send_failure(failure: DmpError) -> SendFailure:
    match failure.reason:
        case DmpReason.UNROUTABLE:
            return SendFailure(SendError.Unroutable, str(failure))
        case DmpReason.EXCEEDS_MAX_MESSAGE_SIZE:
            return SendFailure(SendError.ExceedsMaxMessageSize, str(failure))
        case _:
            return SendFailure(SendError.Transport, str(failure))


@dataclass(frozen=True)
class ChildParachainRouter:
    """To a parachain, through its downward queue."""

    runtime: Runtime

    def validate(self, dest: Location, message: Xcm) -> Downward:
        """Agree to send, or raise `SendFailure`."""
        first = dest.junctions[0] if dest.parents == 0 and len(dest.junctions) == 1 else None
        if not isinstance(first, Parachain):
            raise SendFailure(SendError.NotApplicable, str(dest))
        para, dmp = ParaId(first.id), self.runtime.pallet(Dmp)
        wrapped = self.runtime.pallet(XcmPallet).wrap_version(dest, message)
        data = encode_message(wrapped)
        try:
            dmp.can_queue_downward_message(para, data)
        except DmpError as failure:
            raise _send_failure(failure) from failure
        price = DELIVERY.price_for_delivery(message, dmp.delivery_fee_factor[para])
        return Downward(dmp, para, data, message_hash(wrapped), price)


def relay_xcm_config(runtime: Runtime) -> XcmConfig:
    """The relay chain's machine over a runtime instance."""
    checking = Checking(CHECK_ACCOUNT, MintLocation.LOCAL)
    transactor = FungibleAdapter(runtime.pallet(Balances), IsConcrete(HERE), ACCOUNTS, checking)
    observe = runtime.observer.note if runtime.observer else None
    revenue = fees_to_account(transactor, location(0, AccountId32(None, TREASURY)), observe)
    universal = interior(GlobalConsensus(NETWORK))
    calls, pallet, system = RuntimeCalls(runtime), runtime.pallet(XcmPallet), runtime.pallet(System)
    paid = AnyOf((AllowTopLevelPaidExecutionFrom(everything), AllowExplicitUnpaidExecutionFrom(is_system_child)))
    return XcmConfig(
        universal_location=universal,
        barrier=TrailingSetTopicAsId(AnyOf((TakeWeightCredit(), WithComputedOrigin(paid, universal)))),
        weigher=WeightInfoBounds(per_asset(BASE_XCM_WEIGHT, most=MAX_ASSETS), calls),
        trader=lambda: FixedRateOfFungible(PRICE, revenue),
        asset_transactor=transactor,
        origin_converter=FirstOrigin(
            (
                SovereignSignedViaLocation(ACCOUNTS),
                ChildParachainAsNative(lambda para: ParachainOrigin(ParaId(para))),
                SignedAccountId32AsNative(NETWORK),
                XcmPassthrough(XcmOrigin),
            )
        ),
        is_reserve=no_trust,
        is_teleporter=teleports_native,
        fee_manager=FeesFromOrigins(revenue, sends_for_free),
        router=WithUniqueTopic(
            FirstRouter((ChildParachainRouter(runtime),)), lambda message: system.unique(encode(Xcm, message))
        ),
        asset_trap=pallet,
        asset_claims=pallet,
        call_dispatcher=calls,
        transaction=runtime.state.transaction,
        events=pallet,
    )


def process_upward(queue: Pallet, message: bytes, origin: Ump, meter: WeightMeter, message_id: Hash) -> Outcome:
    """Execute an upward message in the name of its para: the message queue's processor."""
    sender = location(0, Parachain(origin.queue.para))
    return process_message(queue.pallet(XcmPallet).executor, message, sender, meter, message_id)
