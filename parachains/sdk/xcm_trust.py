"""XcmTrust: whom the chain trusts with which assets. Ours: upstream's runtimes have it in their code.

Without an entry, the reserve of an asset is the chain that issues it, and nobody teleports it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from substrate.runtime.hashers import Blake2_128Concat
from substrate.runtime.origin import Root
from substrate.runtime.pallet import Pallet, call
from substrate.runtime.storage import StorageMap, storage_map
from substrate.types import Weight
from xcm.asset import Asset
from xcm.location import HERE, Location, chain_location

ADMIN = Weight(20_000_000, 3_500)
Pairs = Iterable[tuple[Location, Location]]


class XcmTrust(Pallet):
    """Reserves and teleporters, by asset."""

    crate = "relayloom_xcm_trust"

    reserves: StorageMap[Location, tuple[Location, ...]] = storage_map(Blake2_128Concat)
    teleporters: StorageMap[Location, tuple[Location, ...]] = storage_map(Blake2_128Concat, default=())

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Takes `{"reserves": [(asset, chain)], "teleporters": [(asset, chain)]}`."""
        reserves: Pairs = config.get("reserves", ())
        teleporters: Pairs = config.get("teleporters", ())
        known = ("reserves", "teleporters")
        super().genesis({name: value for name, value in config.items() if name not in known})
        for asset, place in reserves:
            self.reserves[asset] = (*(self.reserves.get(asset) or ()), place)
        for asset, place in teleporters:
            self.teleporters[asset] = (*self.teleporters[asset], place)

    @call(0, weight=ADMIN)
    def set_reserves(self, origin: Root, asset: Location, places: tuple[Location, ...]) -> None:
        """Say who holds the reserve of an asset."""
        self.reserves[asset] = places

    @call(1, weight=ADMIN)
    def set_teleporters(self, origin: Root, asset: Location, places: tuple[Location, ...]) -> None:
        """Say with whom an asset may be teleported."""
        self.teleporters[asset] = places

    def is_reserve(self, asset: Asset, place: Location) -> bool:
        """Whether a chain is trusted to hold the reserve of an asset."""
        if self.is_teleporter(asset, place):
            return False
        places = self.reserves.get(asset.id)
        home = chain_location(asset.id)
        return place in places if places is not None else place == home != HERE

    def is_teleporter(self, asset: Asset, place: Location) -> bool:
        """Whether a chain is trusted to burn an asset before we mint it."""
        return place in self.teleporters[asset.id]
