"""AssetRate: what foreign assets are worth in native currency.

Source: polkadot-sdk, `substrate/frame/asset-rate/src/lib.rs`.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from substrate.pallets.fees import FIXED_ONE, FixedU128
from substrate.runtime.hashers import Blake2_128Concat
from substrate.runtime.origin import Root
from substrate.runtime.pallet import Error, Event, Pallet, call
from substrate.runtime.storage import StorageMap, storage_map
from substrate.types import Weight
from xcm.location import Location

ADMIN = Weight(20_000_000, 3_500)


class AssetRate(Pallet):
    """Conversion rates; an asset with a rate pays for execution."""

    conversion_rate_to_native: StorageMap[Location, FixedU128] = storage_map(Blake2_128Concat)

    class AssetRateCreated(Event):
        """A rate was set for an asset that had none."""

        asset_kind: Location
        rate: FixedU128

    class AssetRateRemoved(Event):
        """An asset has no rate any more."""

        asset_kind: Location

    class AssetRateUpdated(Event):
        """A rate changed."""

        asset_kind: Location
        old: FixedU128
        new: FixedU128

    class UnknownAssetKind(Error):
        """The given asset ID is unknown."""

    class AlreadyExists(Error):
        """The given asset ID already has an assigned conversion rate and cannot be re-created."""

    class Overflow(Error):
        """Overflow ocurred when calculating the inverse rate."""

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Takes `{"rates": [(location, rate)]}`."""
        rates: Iterable[tuple[Location, int]] = config.get("rates", ())
        super().genesis({name: value for name, value in config.items() if name != "rates"})
        for place, rate in rates:
            self.conversion_rate_to_native[place] = FixedU128(rate)

    @call(0, weight=ADMIN)
    def create(self, origin: Root, asset_kind: Location, rate: FixedU128) -> None:
        """Initialize a conversion rate to native balance for the given asset."""
        if asset_kind in self.conversion_rate_to_native:
            raise self.AlreadyExists
        self.conversion_rate_to_native[asset_kind] = rate
        self.deposit_event(self.AssetRateCreated(asset_kind, rate))

    @call(1, weight=ADMIN)
    def update(self, origin: Root, asset_kind: Location, rate: FixedU128) -> None:
        """Update the conversion rate to native balance for the given asset."""
        old = self._known(asset_kind)
        self.conversion_rate_to_native[asset_kind] = rate
        self.deposit_event(self.AssetRateUpdated(asset_kind, old, rate))

    @call(2, weight=ADMIN)
    def remove(self, origin: Root, asset_kind: Location) -> None:
        """Remove an existing conversion rate to native balance for the given asset."""
        self._known(asset_kind)
        del self.conversion_rate_to_native[asset_kind]
        self.deposit_event(self.AssetRateRemoved(asset_kind))

    def _known(self, place: Location) -> FixedU128:
        rate = self.conversion_rate_to_native.get(place)
        if rate is None:
            raise self.UnknownAssetKind
        return rate

    def from_native(self, amount: int, place: Location) -> int | None:
        """How much of an asset is worth an amount of native currency, rounded up; None without a rate."""
        rate = self.conversion_rate_to_native.get(place)
        return None if not rate else -(-amount * FIXED_ONE // rate)


def rate_by_decimals(*, native: int, asset: int, worth: Fraction = Fraction(1)) -> FixedU128 | None:
    """The rate at which one whole unit is worth so many whole native ones; None where no `FixedU128` holds it.

    Args:
        native: Decimals of the native token.
        asset: Decimals of the asset.
        worth: Native tokens for one of the asset.
    """
    rate = round(worth * FIXED_ONE * 10**native / 10**asset)
    return FixedU128(rate) if 0 < rate < 1 << 128 else None
