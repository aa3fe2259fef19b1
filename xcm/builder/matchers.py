"""Which assets a transactor is for.

Source: polkadot-sdk, `polkadot/xcm/xcm-builder/src/{fungibles,matches_token,asset_conversion}.rs`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from xcm.asset import Asset, Fungible
from xcm.builder.filters import LocationFilter
from xcm.junction import GeneralIndex
from xcm.location import Location, match_and_split

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


class MatchesFungible(Protocol):
    """Recognises one fungible asset."""

    def matches_fungible(self, asset: Asset) -> int | None:
        """The amount, or None for any other asset."""
        ...


class MatchesFungibles(Protocol[A_co]):
    """Recognises fungible assets of a multi-asset ledger."""

    def matches_fungibles(self, asset: Asset) -> tuple[A_co, int] | None:
        """The ledger's id and the amount, or None for any other asset."""
        ...


@dataclass(frozen=True)
class IsConcrete:
    """The asset at one location."""

    place: Location

    def matches_fungible(self, asset: Asset) -> int | None:
        return asset.fun.amount if asset.id == self.place and isinstance(asset.fun, Fungible) else None


@dataclass(frozen=True)
class MatchedConvertedConcreteId(Generic[A]):
    """Assets whose location converts to an id of the ledger."""

    convert: Callable[[Location], A | None]
    accepts: LocationFilter | None = None

    def matches_fungibles(self, asset: Asset) -> tuple[A, int] | None:
        if not isinstance(asset.fun, Fungible) or (self.accepts and not self.accepts(asset.id)):
            return None
        id = self.convert(asset.id)
        return None if id is None else (id, asset.fun.amount)


def as_location(place: Location) -> Location:
    """The location itself is the ledger's id."""
    return place


def as_prefixed_general_index(prefix: Location) -> Callable[[Location], int | None]:
    """The ledger's id is the one general index beyond `prefix`."""

    def convert(place: Location) -> int | None:
        last = match_and_split(place, prefix)
        return last.index if isinstance(last, GeneralIndex) else None

    return convert
