"""What the machine asks of the XCM pallet: events, and what is trapped.

Source: polkadot-sdk, `polkadot/xcm/pallet-xcm/src/lib.rs` (`EventEmitter`, `DropAssets`, `ClaimAssets`).
"""

from substrate.crypto.hashing import blake2_256
from substrate.scale.codec import encode
from substrate.types import Hash, Weight
from xcm.asset import MAX_ASSETS, Assets
from xcm.error import Error
from xcm.executor.config import Context
from xcm.executor.holding import Holding
from xcm.instruction import XCM_VERSION, Xcm
from xcm.junction import GeneralIndex
from xcm.location import Location
from xcm.outcome import SendError
from xcm.pallet_base import XcmPalletBase
from xcm.versions.mirror import VersionError
from xcm.versions.versioned import VersionedAssets, versioned_assets


class XcmPalletSeams(XcmPalletBase):
    """An `EventEmitter`, an `AssetTrap` and `AssetClaims`."""

    def emit_sent(self, origin: Location, dest: Location, message_id: bytes) -> None:
        """Execution sent a message; as upstream the event does not repeat it."""
        self.deposit_event(self.Sent(origin, dest, Xcm(()), message_id))

    def emit_send_failed(self, origin: Location, dest: Location, error: SendError, message_id: bytes) -> None:
        """Execution could not send a message."""
        self.deposit_event(self.SendFailed(origin, dest, error, message_id))

    def emit_process_failure(self, origin: Location, error: Error, message_id: bytes) -> None:
        """An instruction failed."""
        self.deposit_event(self.ProcessXcmError(origin, error, message_id))

    def drop_assets(self, origin: Location, holding: Holding, context: Context) -> Weight:
        """Trap assets, as many at a time as a set may name."""
        left = holding.assets()
        for start in range(0, len(left), MAX_ASSETS):
            trapped = versioned_assets(Assets(left[start : start + MAX_ASSETS]))
            key = _trap_key(origin, trapped)
            self.asset_traps[key] = self.asset_traps[key] + 1
            self.deposit_event(self.AssetsTrapped(key, origin, trapped))
        return Weight.ZERO

    def release_assets(self, origin: Location, ticket: Location, assets: Assets, context: Context) -> bool:
        """Release trapped assets, and say whether they were trapped; a ticket may name the version they have."""
        version = XCM_VERSION
        if ticket.parents or len(ticket.junctions) > 1:
            return False
        if ticket.junctions:
            junction = ticket.junctions[0]
            if not isinstance(junction, GeneralIndex):
                return False
            version = junction.index
        try:
            claimed = versioned_assets(assets, version)
        except VersionError:
            return False
        key = _trap_key(origin, claimed)
        count = self.asset_traps[key]
        if not count:
            return False
        if count > 1:
            self.asset_traps[key] = count - 1
        else:
            del self.asset_traps[key]
        self.deposit_event(self.AssetsClaimed(key, origin, claimed))
        return True


def _trap_key(origin: Location, trapped: VersionedAssets) -> Hash:
    return Hash(blake2_256(encode(Location, origin) + encode(VersionedAssets, trapped)))
