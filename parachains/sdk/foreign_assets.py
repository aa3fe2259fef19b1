"""The assets of a para beside its native one: its own by number, others' by location.

Source: polkadot-sdk, `cumulus/parachains/runtimes/assets/asset-hub-westend/src/lib.rs`,
`cumulus/parachains/runtimes/assets/common/src/foreign_creators.rs`.
"""

from substrate.pallets import assets
from substrate.runtime.dispatch import BadOrigin, DispatchFailure
from substrate.runtime.origin import Origin
from substrate.scale.types import Compact, u32
from substrate.types import AccountId
from xcm.builder.location_conversion import SiblingParachainConvertsVia
from xcm.location import Location, chain_location
from xcm.pallet_base import XcmOrigin


def foreign_creator(origin: Origin, asset_id: Location) -> AccountId:
    """A sibling creates the assets that are inside it, from its sovereign account."""
    if isinstance(origin, XcmOrigin) and chain_location(asset_id) == origin.location:
        account = SiblingParachainConvertsVia().convert_location(origin.location)
        if account is not None:
            return account
    raise DispatchFailure(BadOrigin())


class TrustBackedAssets(assets.Assets, parameters={"AssetId": u32, "AssetIdParameter": Compact[u32]}):
    """Assets that are issued here."""

    crate = "pallet_assets"


class ForeignAssets(assets.Assets, parameters={"AssetId": Location, "AssetIdParameter": Location}):
    """Assets that are issued elsewhere."""

    crate = "pallet_assets"
