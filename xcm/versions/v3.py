"""XCM version 3: what differs from versions 4 and 5.

Source: polkadot-sdk, `polkadot/xcm/src/v3/{mod,junctions,multiasset}.rs`.
"""

from typing import Any, Final, TypeAlias

from substrate.scale.types import Struct, enum_path, make_enum, make_struct, members_of, variant
from xcm.asset import AssetId
from xcm.error import Error
from xcm.junction import Bytes32, Junction
from xcm.location import Here, Junctions, Location, interior
from xcm.versions import v4
from xcm.versions.mirror import Mirror, Override, VersionError, VersionReason

_NAMES: Final = {
    "Asset": "MultiAsset",
    "Assets": "MultiAssets",
    "AssetFilter": "MultiAssetFilter",
    "WildAsset": "WildMultiAsset",
    "WildFungibility": "WildFungibility",
    "AssetId": "AssetId",
    "Fungibility": "Fungibility",
}


def _rename(path: str) -> str:
    if path == "staging_xcm::v5::location::Location":
        return "staging_xcm::v3::multilocation::MultiLocation"
    if path.startswith("staging_xcm::v5::asset::"):
        name = path.rsplit("::", 1)[1]
        return f"xcm::v3::multiasset::{_NAMES.get(name, name)}"
    return path.replace("staging_xcm::v5::", "xcm::v3::").replace("xcm::v5::", "xcm::v3::")


_locations: Final = Mirror(_rename, v4.OVERRIDES, v4.DROPPED, v4.INDICES)
JunctionV3: Final = _locations.of(Junction)

# Up to version 3 the junctions of an interior are fields of their own, not one array.
_FORMS: Final = tuple(
    make_struct(f"X{count}", [(f"junction{place}", JunctionV3) for place in range(count)], index=count, unnamed=True)
    for count in range(1, 9)
)
JunctionsV3: Final = make_enum("xcm::v3::junctions::Junctions", (Here, *_FORMS))


def _interior_up(old: Struct) -> Junctions:
    junctions = (getattr(old, name) for name in old.__struct_fields__)
    return interior(*(_locations.up(Junction, junction) for junction in junctions))


def _interior_down(new: Junctions) -> Struct:
    junctions = [_locations.down(Junction, junction) for junction in new.junctions]
    return _FORMS[len(junctions) - 1](*junctions) if junctions else Here()


def _declared(mirror: Mirror, hint: Any) -> Override:
    """A type that another mirror declared already: one form of it is enough."""
    return Override(mirror.of(hint), lambda old: mirror.up(hint, old), lambda new: mirror.down(hint, new))


_PLACES: Final = {
    **v4.OVERRIDES,
    members_of(Junctions): Override(JunctionsV3, _interior_up, _interior_down),
    members_of(Junction): _declared(_locations, Junction),
    members_of(Error): _declared(v4.V4, Error),
}
_places: Final = Mirror(_rename, _PLACES, v4.DROPPED, v4.INDICES)


@variant(0, unnamed=True)
class Concrete(Struct):
    """An asset named by a location."""

    location: Any


Concrete.__annotations__["location"] = _places.of(Location)


@variant(1, unnamed=True)
class Abstract(Struct):
    """An asset named by convention; gone in version 4."""

    id: Bytes32


AssetIdV3: TypeAlias = Concrete | Abstract
enum_path(AssetIdV3, "xcm::v3::multiasset::AssetId")


def _asset_id_up(old: AssetIdV3) -> AssetId:
    if isinstance(old, Abstract):
        raise VersionError(VersionReason.NOT_IN_VERSION, type="Abstract")
    return AssetId(_places.up(Location, old.location))


def _asset_id_down(new: AssetId) -> AssetIdV3:
    return Concrete(_places.down(Location, new))


V3: Final = Mirror(
    _rename,
    {
        **_PLACES,
        Location: _declared(_places, Location),
        AssetId: Override(AssetIdV3, _asset_id_up, _asset_id_down),
    },
    v4.DROPPED,
    v4.INDICES,
)
