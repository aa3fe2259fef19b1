"""The XCM pallet's storage, events, errors and origin.

Source: polkadot-sdk, `polkadot/xcm/pallet-xcm/src/lib.rs`, `errors.rs`.
"""

from collections.abc import Callable
from typing import get_args

from substrate.runtime.assembly import Runtime
from substrate.runtime.hashers import Blake2_128Concat, Identity, Twox64Concat
from substrate.runtime.pallet import Error, Event, Pallet, config, error
from substrate.runtime.storage import (
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    storage_double_map,
    storage_map,
    storage_value,
)
from substrate.scale.types import Struct, make_enum, make_struct, naming, u8, u32, variant
from substrate.types import Hash
from xcm.asset import Assets
from xcm.error import Error as XcmError
from xcm.executor.config import XcmConfig
from xcm.instruction import Xcm
from xcm.junction import Bytes32, NetworkId
from xcm.location import Location
from xcm.outcome import Outcome, SendError
from xcm.versions.versioned import VersionedAssets, VersionedLocation

MAX_ASSETS_FOR_TRANSFER = 2

ExecutionError = make_enum(
    "pallet_xcm::errors::ExecutionError",
    [make_struct(kind.__name__, [], index=naming(kind).index) for kind in get_args(XcmError)],
)
"""The errors of programs without what some of them carry, so that one fits into a module error."""


@variant(0, name="Xcm", unnamed=True)
class XcmOrigin(Struct):
    """A location makes a call as itself."""

    location: Location


def any_program(origin: Location, message: Xcm) -> bool:
    """Anyone may execute anything."""
    return True


def any_assets(origin: Location, assets: Assets) -> bool:
    """Anyone may transfer anything."""
    return True


class XcmPalletBase(Pallet):
    """What the pallet stores and says."""

    crate = "pallet_xcm"
    storage_version = 1
    origins = (XcmOrigin,)

    xcm_config: Callable[[Runtime], XcmConfig] = config()
    """Makes the chain's machine for a runtime instance."""
    network: NetworkId | None = config(None)
    """The network that local accounts are named with; None leaves it out."""
    execute_filter: Callable[[Location, Xcm], bool] = config(any_program)
    teleport_filter: Callable[[Location, Assets], bool] = config(any_assets)
    reserve_transfer_filter: Callable[[Location, Assets], bool] = config(any_assets)

    asset_traps: StorageMap[Hash, u32] = storage_map(Identity, default=0)
    """How often a set of assets is trapped, by the hash of its owner and itself."""
    safe_xcm_version: StorageValue[u32 | None] = storage_value(default=None)
    """The version in which messages go to locations whose version is not known."""
    supported_version: StorageDoubleMap[u32, VersionedLocation, u32] = storage_double_map(
        Twox64Concat, Blake2_128Concat
    )
    """The latest version that a location is known to support."""

    @variant(0)
    class Attempted(Event):
        """Execution of a program was attempted."""

        outcome: Outcome

    @variant(1)
    class Sent(Event):
        """A message was sent."""

        origin: Location
        destination: Location
        message: Xcm
        message_id: Bytes32

    @variant(2)
    class SendFailed(Event):
        """A message could not be sent."""

        origin: Location
        destination: Location
        error: SendError
        message_id: Bytes32

    @variant(3)
    class ProcessXcmError(Event):
        """An instruction failed."""

        origin: Location
        error: XcmError
        message_id: Bytes32

    @variant(13)
    class AssetsTrapped(Event):
        """Assets were left in holding."""

        hash: Hash
        origin: Location
        assets: VersionedAssets

    @variant(15)
    class SupportedVersionChanged(Event):
        """The version that a location supports changed."""

        location: Location
        version: u32

    @variant(23)
    class FeesPaid(Event):
        """Fees were paid from an account for delivery."""

        paying: Location
        fees: Assets

    @variant(24)
    class AssetsClaimed(Event):
        """Trapped assets were claimed."""

        hash: Hash
        origin: Location
        assets: VersionedAssets

    @error(0)
    class Unreachable(Error):
        """The desired destination was unreachable."""

    @error(1)
    class SendFailure(Error):
        """The message could not be sent."""

    @error(2)
    class Filtered(Error):
        """The message execution fails the filter."""

    @error(3)
    class UnweighableMessage(Error):
        """The message's weight could not be determined."""

    @error(4)
    class DestinationNotInvertible(Error):
        """The destination cannot be inverted."""

    @error(5)
    class Empty(Error):
        """The assets to be sent are empty."""

    @error(6)
    class CannotReanchor(Error):
        """Could not re-anchor the assets to declare the fees for the destination chain."""

    @error(7)
    class TooManyAssets(Error):
        """Too many assets have been attempted for transfer."""

    @error(8)
    class InvalidOrigin(Error):
        """Origin is invalid for sending."""

    @error(9)
    class BadVersion(Error):
        """The version of the value is not able to be interpreted."""

    @error(10)
    class BadLocation(Error):
        """The given location could not be used."""

    @error(13)
    class CannotCheckOutTeleport(Error):
        """Could not check-out the assets for teleportation to the destination chain."""

    @error(17)
    class FeesNotMet(Error):
        """The operation required fees to be paid which the initiator could not meet."""

    @error(21)
    class InvalidAssetUnknownReserve(Error):
        """Invalid asset, reserve chain could not be determined for it."""

    @error(22)
    class InvalidAssetUnsupportedReserve(Error):
        """Invalid asset, do not support remote asset reserves with different fees reserves."""

    @error(23)
    class TooManyReserves(Error):
        """Too many assets with different reserve locations have been attempted for transfer."""

    @error(24)
    class LocalExecutionIncomplete(Error):
        """Local XCM execution incomplete."""

    @error(28)
    class LocalExecutionIncompleteWithError(Error):
        """Local XCM execution incomplete, with the instruction's index and the error."""

        fields = (("index", u8), ("error", ExecutionError))
