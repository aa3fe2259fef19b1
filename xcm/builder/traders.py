"""What weight costs.

Source: polkadot-sdk, `polkadot/xcm/xcm-builder/src/weight.rs`, `fee_handling.rs`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from substrate.types import Weight
from xcm import error as e
from xcm.asset import Asset, Assets, assets, assets_of, fungible
from xcm.error import XcmFailure
from xcm.executor.config import AssetTransactor, Context, FeeReason, Trader
from xcm.executor.holding import Holding
from xcm.executor.trace import FeeBurned, Observe
from xcm.location import Location

REF_TIME_PER_SECOND: Final = 10**12
BYTES_PER_MB: Final = 2**20

Revenue: TypeAlias = Callable[[Asset], None]
"""Takes what was earned."""


@dataclass(frozen=True)
class FixedRate:
    """The price of weight in one fungible asset."""

    asset: Location
    per_second: int
    """For 10^12 picoseconds of ref time."""
    per_mb: int
    """For 2^20 bytes of proof."""

    def price(self, weight: Weight) -> int:
        """What a weight costs."""
        time = self.per_second * weight.ref_time // REF_TIME_PER_SECOND
        return time + self.per_mb * weight.proof_size // BYTES_PER_MB


class FixedRateOfFungible:
    """Sells weight for one fungible asset at a fixed rate."""

    def __init__(self, rate: FixedRate, revenue: Revenue) -> None:
        self.rate = rate
        self.revenue = revenue
        self._sold = Weight.ZERO
        self._earned = 0

    def buy_weight(self, weight: Weight, payment: Holding, context: Context) -> Holding:
        price = self.rate.price(weight)
        if not price:
            return payment
        cost = fungible(self.rate.asset, price)
        if not payment.contains((cost,)):
            raise XcmFailure(e.TooExpensive(), f"{price} of {self.rate.asset} asked")
        self._sold += weight
        self._earned += price
        return payment.minus((cost,))

    def refund_weight(self, weight: Weight, context: Context) -> Asset | None:
        refunded = weight.min(self._sold)
        amount = min(self.rate.price(refunded), self._earned)
        self._sold -= refunded
        self._earned -= amount
        return fungible(self.rate.asset, amount) if amount else None

    def settle(self) -> Assets:
        if not self._earned:
            return assets()
        earned, self._earned = fungible(self.rate.asset, self._earned), 0
        self.revenue(earned)
        return assets(earned)


class FirstTrader:
    """The first trader that sells is used."""

    def __init__(self, traders: Sequence[Trader]) -> None:
        self.traders = traders

    def buy_weight(self, weight: Weight, payment: Holding, context: Context) -> Holding:
        last = XcmFailure(e.TooExpensive(), "no trader")
        for trader in self.traders:
            try:
                return trader.buy_weight(weight, payment, context)
            except XcmFailure as failure:
                last = failure
        raise last

    def refund_weight(self, weight: Weight, context: Context) -> Asset | None:
        for trader in self.traders:
            refund = trader.refund_weight(weight, context)
            if refund is not None:
                return refund
        return None

    def settle(self) -> Assets:
        return assets_of(asset for trader in self.traders for asset in trader.settle())


def fees_to_account(transactor: AssetTransactor, account: Location, observe: Observe | None = None) -> Revenue:
    """Revenue goes to an account; what it cannot take (too little for it to exist) is burned, as upstream.

    Args:
        transactor: Moves the asset.
        account: Whose revenue it is.
        observe: Told what was burned.
    """

    def take(asset: Asset) -> None:
        try:
            transactor.deposit_asset(asset, account, Context(None, bytes(32)))
        except XcmFailure as failure:
            if observe is not None:
                observe(FeeBurned(asset, account, str(failure)))

    return take


@dataclass(frozen=True)
class FeesFromOrigins:
    """Everyone pays for delivery, but for some origins."""

    revenue: Revenue
    waived: Callable[[Location], bool]

    def is_waived(self, origin: Location | None, reason: FeeReason) -> bool:
        return origin is not None and self.waived(origin)

    def handle_fee(self, fee: Assets, context: Context | None, reason: FeeReason) -> None:
        for asset in fee:
            self.revenue(asset)
