"""Which locations and assets a policy is about.

Source: polkadot-sdk, `polkadot/xcm/xcm-builder/src/filter_asset_location.rs`, `matches_location.rs`.
"""

from collections.abc import Callable, Collection
from typing import TypeAlias

from xcm.asset import Asset
from xcm.executor.config import AssetTrust
from xcm.junction import Parachain
from xcm.location import PARENT, Location, starts_with

LocationFilter: TypeAlias = Callable[[Location], bool]
"""Whether a policy is about a location."""


def everything(place: Location) -> bool:
    """Any location."""
    return True


def nothing(place: Location) -> bool:
    """No location."""
    return False


def one_of(*places: Location) -> LocationFilter:
    """These locations."""
    known = frozenset(places)
    return lambda place: place in known


def inside(prefix: Location) -> LocationFilter:
    """A location and what is in it."""
    return lambda place: starts_with(place, prefix)


def is_parent(place: Location) -> bool:
    """The relay chain."""
    return place == PARENT


def is_child_parachain(place: Location) -> bool:
    """A parachain of this relay chain."""
    return place.parents == 0 and len(place.junctions) == 1 and isinstance(place.junctions[0], Parachain)


def is_sibling_parachain(place: Location) -> bool:
    """A parachain beside this one."""
    return place.parents == 1 and len(place.junctions) == 1 and isinstance(place.junctions[0], Parachain)


def any_of(*filters: LocationFilter) -> LocationFilter:
    """What at least one filter is about."""
    return lambda place: any(matches(place) for matches in filters)


def native_asset(asset: Asset, place: Location) -> bool:
    """The asset that a location itself issues."""
    return asset.id == place


def asset_from(assets: Collection[Location], places: LocationFilter) -> AssetTrust:
    """These assets, where they come from these places."""
    known = frozenset(assets)
    return lambda asset, place: asset.id in known and places(place)


def asset_inside(place_filter: LocationFilter) -> AssetTrust:
    """Assets that a chain, or something on it, issues."""
    return lambda asset, place: place_filter(place) and starts_with(asset.id, place)


def any_trust(*trusts: AssetTrust) -> AssetTrust:
    """What at least one of these trusts."""
    return lambda asset, place: any(trust(asset, place) for trust in trusts)


def no_trust(asset: Asset, place: Location) -> bool:
    """Nobody, with anything."""
    return False
