"""The holding register: an immutable set of assets under way.

Source: polkadot-sdk, `polkadot/xcm/xcm-executor/src/assets.rs`.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from substrate.scale.types import Struct
from xcm.asset import (
    MAX_AMOUNT,
    All,
    AllCounted,
    AllOf,
    Asset,
    AssetFilter,
    AssetId,
    AssetInstance,
    Assets,
    Definite,
    Fungible,
    NonFungible,
    WildAsset,
    WildFungibility,
    assets_of,
)
from xcm.error import AssetNotFound, XcmFailure
from xcm.junction import order_key


class Holding(Struct):
    """Amounts by asset, and instances; nothing changes in place."""

    fungible: Mapping[AssetId, int]
    non_fungible: frozenset[tuple[AssetId, AssetInstance]]

    @staticmethod
    def of(*items: Asset) -> "Holding":
        """A holding of these assets."""
        return EMPTY.plus(items)

    def __len__(self) -> int:
        return len(self.fungible) + len(self.non_fungible)

    def __bool__(self) -> bool:
        return bool(self.fungible or self.non_fungible)

    def assets(self) -> Assets:
        """Everything, in order."""
        amounts = [Asset(id, Fungible(amount)) for id, amount in self.fungible.items()]
        return assets_of([*amounts, *(Asset(id, NonFungible(instance)) for id, instance in self.non_fungible)])

    def amount(self, id: AssetId) -> int:
        """How much of a fungible asset there is."""
        return self.fungible.get(id, 0)

    def contains(self, items: Iterable[Asset]) -> bool:
        """Whether all of these are here."""
        return all(self._available(asset) == asset for asset in items)

    def plus(self, items: "Iterable[Asset] | Holding") -> "Holding":
        """This and more."""
        fungible, others = dict(self.fungible), set(self.non_fungible)
        for asset in items.assets() if isinstance(items, Holding) else items:
            if isinstance(asset.fun, Fungible):
                fungible[asset.id] = min(fungible.get(asset.id, 0) + asset.fun.amount, MAX_AMOUNT)
            else:
                others.add((asset.id, asset.fun.instance))
        return Holding(fungible, frozenset(others))

    def minus(self, items: Iterable[Asset]) -> "Holding":
        """This without assets that are here."""
        fungible, others = dict(self.fungible), set(self.non_fungible)
        for asset in items:
            if isinstance(asset.fun, Fungible):
                fungible[asset.id] -= asset.fun.amount
                assert fungible[asset.id] >= 0, "only what is held is taken"
                if not fungible[asset.id]:
                    del fungible[asset.id]
            else:
                others.remove((asset.id, asset.fun.instance))
        return Holding(fungible, frozenset(others))

    def matching(self, wanted: AssetFilter) -> Assets:
        """What a filter selects of what is here: as much as there is, at most as much as it says."""
        if isinstance(wanted, Definite):
            found = (self._available(asset) for asset in assets_of(wanted.assets))
            return assets_of(asset for asset in found if asset is not None)
        return self._wild(wanted.asset)

    def saturating_take(self, wanted: AssetFilter) -> tuple[Assets, "Holding"]:
        """What a filter selects, and the rest."""
        taken = self.matching(wanted)
        return taken, self.minus(taken)

    def try_take(self, wanted: AssetFilter) -> tuple[Assets, "Holding"]:
        """What a filter selects, and the rest; definite assets must all be here.

        Raises:
            XcmFailure: `AssetNotFound`.
        """
        if isinstance(wanted, Definite) and not self.contains(wanted.assets):
            raise XcmFailure(AssetNotFound(), "not all of it is held")
        return self.saturating_take(wanted)

    def _available(self, asset: Asset) -> Asset | None:
        if isinstance(asset.fun, Fungible):
            held = min(self.amount(asset.id), asset.fun.amount)
            return Asset(asset.id, Fungible(held)) if held else None
        return asset if (asset.id, asset.fun.instance) in self.non_fungible else None

    def _wild(self, wanted: WildAsset) -> Assets:
        if isinstance(wanted, All):
            return self.assets()
        if isinstance(wanted, AllCounted):
            return Assets(self._fungibles_first()[: wanted.count])
        if wanted.fun is WildFungibility.Fungible:
            held = self.amount(wanted.id)
            of_id = [Asset(wanted.id, Fungible(held))] if held else []
        else:
            of_id = [Asset(id, NonFungible(instance)) for id, instance in self.non_fungible if id == wanted.id]
        ordered = assets_of(of_id)
        return ordered if isinstance(wanted, AllOf) else Assets(ordered[: wanted.count])

    def _fungibles_first(self) -> tuple[Asset, ...]:
        return tuple(sorted(self.assets(), key=lambda asset: (isinstance(asset.fun, NonFungible), order_key(asset))))


EMPTY: Final = Holding({}, frozenset())
