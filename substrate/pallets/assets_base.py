"""Assets: storage, constants, events and errors.

Source: polkadot-sdk, `substrate/frame/assets/src/lib.rs`.
"""

from collections.abc import Callable

from substrate.pallets.assets_types import (
    STRING_LIMIT,
    Approval,
    AssetAccount,
    AssetDetails,
    AssetId,
    AssetMetadata,
)
from substrate.pallets.generic import GenericPallet
from substrate.pallets.triple_map import StorageTripleMap, storage_triple_map
from substrate.runtime.hashers import Blake2_128Concat
from substrate.runtime.origin import Origin, ensure_root, ensure_signed
from substrate.runtime.pallet import Error, Event, config, constant
from substrate.runtime.storage import (
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    storage_double_map,
    storage_map,
    storage_value,
)
from substrate.scale.types import u8, u32
from substrate.types import AccountId, Balance


def signed_creator(origin: Origin, _asset_id: AssetId) -> AccountId:
    """Anyone who signs may create an asset."""
    return ensure_signed(origin)


class AssetsBase(GenericPallet):
    """What the assets pallet stores and says."""

    crate = "pallet_assets"
    storage_version = 1

    asset: StorageMap[AssetId, AssetDetails] = storage_map(Blake2_128Concat)
    account: StorageDoubleMap[AssetId, AccountId, AssetAccount] = storage_double_map(Blake2_128Concat, Blake2_128Concat)
    approvals: StorageTripleMap[AssetId, AccountId, AccountId, Approval] = storage_triple_map(Blake2_128Concat)
    """By asset, owner and delegate."""
    metadata: StorageMap[AssetId, AssetMetadata] = storage_map(Blake2_128Concat, default=AssetMetadata())
    next_asset_id: StorageValue[AssetId | None] = storage_value()

    remove_items_limit: u32 = constant(1_000)
    asset_deposit: Balance = constant(Balance(10_000_000))
    asset_account_deposit: Balance = constant(Balance(1_000_000))
    metadata_deposit_base: Balance = constant(Balance(1_000_000))
    metadata_deposit_per_byte: Balance = constant(Balance(10_000))
    approval_deposit: Balance = constant(Balance(100_000))
    string_limit: u32 = constant(STRING_LIMIT)
    create_origin: Callable[[Origin, AssetId], AccountId] = config(signed_creator)
    """Who may create an asset of an id, and so owns it; raises `BadOrigin` otherwise."""
    force_origin: Callable[[Origin], None] = config(ensure_root)
    """Who may force."""

    class Created(Event):
        """Some asset class was created."""

        asset_id: AssetId
        creator: AccountId
        owner: AccountId

    class Issued(Event):
        """Some assets were issued."""

        asset_id: AssetId
        owner: AccountId
        amount: Balance

    class Transferred(Event):
        """Some assets were transferred."""

        asset_id: AssetId
        from_: AccountId
        to: AccountId
        amount: Balance

    class Burned(Event):
        """Some assets were destroyed."""

        asset_id: AssetId
        owner: AccountId
        balance: Balance

    class TeamChanged(Event):
        """The management team changed."""

        asset_id: AssetId
        issuer: AccountId
        admin: AccountId
        freezer: AccountId

    class OwnerChanged(Event):
        """The owner changed."""

        asset_id: AssetId
        owner: AccountId

    class Frozen(Event):
        """Some account `who` was frozen."""

        asset_id: AssetId
        who: AccountId

    class Thawed(Event):
        """Some account `who` was thawed."""

        asset_id: AssetId
        who: AccountId

    class AssetFrozen(Event):
        """Some asset `asset_id` was frozen."""

        asset_id: AssetId

    class AssetThawed(Event):
        """Some asset `asset_id` was thawed."""

        asset_id: AssetId

    class AccountsDestroyed(Event):
        """Accounts were destroyed for given asset."""

        asset_id: AssetId
        accounts_destroyed: u32
        accounts_remaining: u32

    class ApprovalsDestroyed(Event):
        """Approvals were destroyed for given asset."""

        asset_id: AssetId
        approvals_destroyed: u32
        approvals_remaining: u32

    class DestructionStarted(Event):
        """An asset class is in the process of being destroyed."""

        asset_id: AssetId

    class Destroyed(Event):
        """An asset class was destroyed."""

        asset_id: AssetId

    class ForceCreated(Event):
        """Some asset class was force-created."""

        asset_id: AssetId
        owner: AccountId

    class MetadataSet(Event):
        """New metadata has been set for an asset."""

        asset_id: AssetId
        name: bytes
        symbol: bytes
        decimals: u8
        is_frozen: bool

    class MetadataCleared(Event):
        """Metadata has been cleared for an asset."""

        asset_id: AssetId

    class ApprovedTransfer(Event):
        """(Additional) funds have been approved for transfer to a destination account."""

        asset_id: AssetId
        source: AccountId
        delegate: AccountId
        amount: Balance

    class ApprovalCancelled(Event):
        """An approval for account `delegate` was cancelled by `owner`."""

        asset_id: AssetId
        owner: AccountId
        delegate: AccountId

    class TransferredApproved(Event):
        """An `amount` was transferred in its entirety from `owner` to `destination` by `delegate`."""

        asset_id: AssetId
        owner: AccountId
        delegate: AccountId
        destination: AccountId
        amount: Balance

    class AssetStatusChanged(Event):
        """An asset has had its attributes changed by the `Force` origin."""

        asset_id: AssetId

    class AssetMinBalanceChanged(Event):
        """The min_balance of an asset has been updated by the asset owner."""

        asset_id: AssetId
        new_min_balance: Balance

    class Touched(Event):
        """Some account `who` was created with a deposit from `depositor`."""

        asset_id: AssetId
        who: AccountId
        depositor: AccountId

    class Blocked(Event):
        """Some account `who` was blocked."""

        asset_id: AssetId
        who: AccountId

    class Deposited(Event):
        """Some assets were deposited (e.g. for transaction fees)."""

        asset_id: AssetId
        who: AccountId
        amount: Balance

    class Withdrawn(Event):
        """Some assets were withdrawn from the account (e.g. for transaction fees)."""

        asset_id: AssetId
        who: AccountId
        amount: Balance

    class BalanceLow(Error):
        """Account balance must be greater than or equal to the transfer amount."""

    class NoAccount(Error):
        """The account to alter does not exist."""

    class NoPermission(Error):
        """The signing account has no permission to do the operation."""

    class Unknown(Error):
        """The given asset ID is unknown."""

    class Frozen_(Error):  # noqa: N801 (an event has the name)
        """The origin account is frozen."""

    class InUse(Error):
        """The asset ID is already taken."""

    class BadWitness(Error):
        """Invalid witness data given."""

    class MinBalanceZero(Error):
        """Minimum balance should be non-zero."""

    class UnavailableConsumer(Error):
        """Unable to increment the consumer reference counters on the account."""

    class BadMetadata(Error):
        """Invalid metadata given."""

    class Unapproved(Error):
        """No approval exists that would allow the transfer."""

    class WouldDie(Error):
        """The source account would not survive the transfer and it needs to stay alive."""

    class AlreadyExists(Error):
        """The asset-account already exists."""

    class NoDeposit(Error):
        """The asset-account doesn't have an associated deposit."""

    class WouldBurn(Error):
        """The operation would result in funds being burned."""

    class LiveAsset(Error):
        """The asset is a live asset and is actively being used."""

    class AssetNotLive(Error):
        """The asset is not live, and likely being destroyed."""

    class IncorrectStatus(Error):
        """The asset status is not the expected status."""

    class NotFrozen(Error):
        """The asset should be frozen before the given operation."""

    class CallbackFailed(Error):
        """Callback action resulted in error."""

    class BadAssetId(Error):
        """The asset ID must be equal to the `NextAssetId`."""

    class ContainsFreezes(Error):
        """The asset cannot be destroyed because some accounts for this asset contain freezes."""

    class ContainsHolds(Error):
        """The asset cannot be destroyed because some accounts for this asset contain holds."""
