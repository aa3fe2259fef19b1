"""Assets: the calls of an asset's owner, team and of root.

Source: polkadot-sdk, `substrate/frame/assets/src/lib.rs`.
"""

import msgspec

from substrate.crypto.multi import MultiAddress
from substrate.pallets.assets_funds import AssetsFunds, changed
from substrate.pallets.assets_types import (
    STRING_LIMIT,
    AccountStatus,
    AssetDetails,
    AssetId,
    AssetIdParameter,
    AssetMetadata,
    AssetStatus,
)
from substrate.pallets.balances import Balances
from substrate.pallets.balances_rules import BalanceStatus
from substrate.pallets.lookup import lookup
from substrate.runtime.dispatch import DispatchFailure, PostInfo
from substrate.runtime.origin import AnyOrigin, Origin, Signed, ensure_signed
from substrate.runtime.pallet import call
from substrate.scale.types import Compact, u8
from substrate.types import AccountId, Balance, Weight

ADMIN = Weight(30_000_000, 3_675)
METADATA = Weight(40_000_000, 3_675)
DESTROY = Weight(60_000_000, 3_675)
DESTROY_ITEM = Weight(16_000_000, 2_609)


def _destroy_weight(pallet: "AssetsAdmin", _asset_id: object) -> Weight:
    return DESTROY + DESTROY_ITEM * pallet.remove_items_limit


class AssetsAdmin(AssetsFunds):
    """Status, team, metadata and destruction of assets."""

    # --- creation and destruction ---

    @call(1, weight=ADMIN)
    def force_create(
        self,
        origin: AnyOrigin,
        id: AssetIdParameter,
        owner: MultiAddress,
        is_sufficient: bool,
        min_balance: Compact[Balance],
    ) -> None:
        """Issue a new class of fungible assets from a privileged origin, without a deposit."""
        self.force_origin(origin)
        who = lookup(owner)
        self.create_asset(id, new_details(who, who, Balance(0), min_balance, is_sufficient=is_sufficient))
        self.deposit_event(self.ForceCreated(asset_id=id, owner=who))

    @call(2, weight=ADMIN)
    def start_destroy(self, origin: AnyOrigin, id: AssetIdParameter) -> None:
        """Start the process of destroying an asset."""
        owner = self._forcing_or_signer(origin)
        details = self.details(id)
        if owner is not None and owner != details.owner:
            raise self.NoPermission
        self.asset[id] = changed(details, status=AssetStatus.Destroying)
        self.deposit_event(self.DestructionStarted(asset_id=id))

    @call(3, weight=_destroy_weight)
    def destroy_accounts(self, origin: Signed, id: AssetIdParameter) -> PostInfo:
        """Destroy accounts of an asset that is being destroyed, as many as the limit allows."""
        details = self._destroying(id)
        holdings = [item for item, _ in zip(self.account.items_under(id), range(self.remove_items_limit), strict=False)]
        for who, holding in holdings:
            self.return_deposit(holding.reason, who)
            details, _ = self.dead_account(who, details, holding.reason, force=True)
            del self.account[id, who]
        self.asset[id] = details
        count = len(holdings)
        self.deposit_event(
            self.AccountsDestroyed(asset_id=id, accounts_destroyed=count, accounts_remaining=details.accounts)
        )
        return PostInfo(DESTROY + DESTROY_ITEM * count)

    @call(4, weight=_destroy_weight)
    def destroy_approvals(self, origin: Signed, id: AssetIdParameter) -> PostInfo:
        """Destroy approvals of an asset that is being destroyed, as many as the limit allows."""
        details = self._destroying(id)
        found = [item for item, _ in zip(self.approvals.items_under(id), range(self.remove_items_limit), strict=False)]
        for (owner, delegate), approval in found:
            self.pallet(Balances).unreserve(owner, approval.deposit)
            del self.approvals[id, owner, delegate]
        details = changed(details, approvals=details.approvals - len(found))
        self.asset[id] = details
        self.deposit_event(
            self.ApprovalsDestroyed(asset_id=id, approvals_destroyed=len(found), approvals_remaining=details.approvals)
        )
        return PostInfo(DESTROY + DESTROY_ITEM * len(found))

    @call(5, weight=ADMIN)
    def finish_destroy(self, origin: Signed, id: AssetIdParameter) -> None:
        """Complete destroying an asset and give back its deposits."""
        details = self._destroying(id)
        if details.accounts or details.approvals:
            raise self.InUse
        deposit = details.deposit + self.metadata[id].deposit
        del self.metadata[id]
        self.pallet(Balances).unreserve(details.owner, deposit)
        del self.asset[id]
        self.deposit_event(self.Destroyed(asset_id=id))

    # --- freezing ---

    @call(11, weight=ADMIN)
    def freeze(self, origin: Signed, id: AssetIdParameter, who: MultiAddress) -> None:
        """Disallow further unprivileged transfers from an account."""
        account = lookup(who)
        self._set_account_status(id, account, AccountStatus.Frozen, origin == self._usable(id).freezer)
        self.deposit_event(self.Frozen(asset_id=id, who=account))

    @call(12, weight=ADMIN)
    def thaw(self, origin: Signed, id: AssetIdParameter, who: MultiAddress) -> None:
        """Allow unprivileged transfers to and from an account again."""
        account = lookup(who)
        self._set_account_status(id, account, AccountStatus.Liquid, origin == self._usable(id).admin)
        self.deposit_event(self.Thawed(asset_id=id, who=account))

    @call(31, weight=ADMIN)
    def block(self, origin: Signed, id: AssetIdParameter, who: MultiAddress) -> None:
        """Disallow further unprivileged transfers to and from an account."""
        account = lookup(who)
        self._set_account_status(id, account, AccountStatus.Blocked, origin == self._usable(id).freezer)
        self.deposit_event(self.Blocked(asset_id=id, who=account))

    @call(13, weight=ADMIN)
    def freeze_asset(self, origin: Signed, id: AssetIdParameter) -> None:
        """Disallow further unprivileged transfers for the asset class."""
        details = self.live(id)
        self._permit(origin == details.freezer)
        self.asset[id] = changed(details, status=AssetStatus.Frozen)
        self.deposit_event(self.AssetFrozen(asset_id=id))

    @call(14, weight=ADMIN)
    def thaw_asset(self, origin: Signed, id: AssetIdParameter) -> None:
        """Allow unprivileged transfers for the asset again."""
        details = self.details(id)
        self._permit(origin == details.admin)
        if details.status != AssetStatus.Frozen:
            raise self.NotFrozen
        self.asset[id] = changed(details, status=AssetStatus.Live)
        self.deposit_event(self.AssetThawed(asset_id=id))

    # --- owner, team, metadata ---

    @call(15, weight=ADMIN)
    def transfer_ownership(self, origin: Signed, id: AssetIdParameter, owner: MultiAddress) -> None:
        """Change the owner of an asset; the deposits move with it."""
        new, details = lookup(owner), self.live(id)
        self._permit(origin == details.owner)
        if new == details.owner:
            return
        deposit = details.deposit + self.metadata[id].deposit
        self.pallet(Balances).repatriate(details.owner, new, deposit, BalanceStatus.Reserved)
        self.asset[id] = changed(details, owner=new)
        self.deposit_event(self.OwnerChanged(asset_id=id, owner=new))

    @call(16, weight=ADMIN)
    def set_team(
        self, origin: Signed, id: AssetIdParameter, issuer: MultiAddress, admin: MultiAddress, freezer: MultiAddress
    ) -> None:
        """Change the issuer, admin and freezer of an asset."""
        team = {"issuer": lookup(issuer), "admin": lookup(admin), "freezer": lookup(freezer)}
        details = self.live(id)
        self._permit(origin == details.owner)
        self.asset[id] = changed(details, **team)
        self.deposit_event(self.TeamChanged(asset_id=id, **team))

    @call(17, weight=METADATA)
    def set_metadata(self, origin: Signed, id: AssetIdParameter, name: bytes, symbol: bytes, decimals: u8) -> None:
        """Set the metadata for an asset, on a deposit by length."""
        self._check_texts(name, symbol)
        self._permit(origin == self.live(id).owner)
        old = self.metadata[id]
        self._permit(not old.is_frozen)
        deposit = Balance(self.metadata_deposit_base + self.metadata_deposit_per_byte * (len(name) + len(symbol)))
        if deposit > old.deposit:
            self.pallet(Balances).reserve(origin, deposit - old.deposit)
        else:
            self.pallet(Balances).unreserve(origin, old.deposit - deposit)
        self._put_metadata(id, AssetMetadata(deposit, name, symbol, decimals, is_frozen=False))

    @call(18, weight=METADATA)
    def clear_metadata(self, origin: Signed, id: AssetIdParameter) -> None:
        """Clear the metadata for an asset and free its deposit."""
        details = self.live(id)
        self._permit(origin == details.owner)
        self._clear_metadata(id, details.owner)

    @call(19, weight=METADATA)
    def force_set_metadata(
        self, origin: AnyOrigin, id: AssetIdParameter, name: bytes, symbol: bytes, decimals: u8, is_frozen: bool
    ) -> None:
        """Force the metadata for an asset to some value; the deposit is left alone."""
        self.force_origin(origin)
        self._check_texts(name, symbol)
        self.details(id)
        self._put_metadata(id, AssetMetadata(self.metadata[id].deposit, name, symbol, decimals, is_frozen))

    @call(20, weight=METADATA)
    def force_clear_metadata(self, origin: AnyOrigin, id: AssetIdParameter) -> None:
        """Clear the metadata for an asset, as root."""
        self.force_origin(origin)
        self._clear_metadata(id, self.details(id).owner)

    @call(21, weight=ADMIN)
    def force_asset_status(
        self,
        origin: AnyOrigin,
        id: AssetIdParameter,
        owner: MultiAddress,
        issuer: MultiAddress,
        admin: MultiAddress,
        freezer: MultiAddress,
        min_balance: Compact[Balance],
        is_sufficient: bool,
        is_frozen: bool,
    ) -> None:
        """Alter the attributes of a given asset, as root."""
        self.force_origin(origin)
        details = self._usable(id)
        self.asset[id] = changed(
            details,
            owner=lookup(owner),
            issuer=lookup(issuer),
            admin=lookup(admin),
            freezer=lookup(freezer),
            min_balance=min_balance,
            is_sufficient=is_sufficient,
            status=AssetStatus.Frozen if is_frozen else AssetStatus.Live,
        )
        self.deposit_event(self.AssetStatusChanged(asset_id=id))

    @call(28, weight=ADMIN)
    def set_min_balance(self, origin: Signed, id: AssetIdParameter, min_balance: Balance) -> None:
        """Set the minimum balance of an asset; upwards only while nobody holds it."""
        details = self.details(id)
        self._permit(origin == details.owner and not details.is_sufficient)
        self._permit(min_balance < details.min_balance or not details.accounts)
        self.asset[id] = changed(details, min_balance=min_balance)
        self.deposit_event(self.AssetMinBalanceChanged(asset_id=id, new_min_balance=min_balance))

    # --- parts ---

    def _permit(self, allowed: bool) -> None:
        if not allowed:
            raise self.NoPermission

    def _usable(self, asset_id: AssetId) -> AssetDetails:
        details = self.details(asset_id)
        if details.status == AssetStatus.Destroying:
            raise self.AssetNotLive
        return details

    def _destroying(self, asset_id: AssetId) -> AssetDetails:
        details = self.details(asset_id)
        if details.status != AssetStatus.Destroying:
            raise self.IncorrectStatus
        return details

    def _forcing_or_signer(self, origin: Origin) -> AccountId | None:
        """None for the force origin, else the signer."""
        try:
            self.force_origin(origin)
        except DispatchFailure:
            return ensure_signed(origin)
        return None

    def _set_account_status(self, asset_id: AssetId, who: AccountId, status: AccountStatus, allowed: bool) -> None:
        self._permit(allowed)
        account = self.account.get(asset_id, who)
        if account is None:
            raise self.NoAccount
        self.account[asset_id, who] = msgspec.structs.replace(account, status=status)

    def _check_texts(self, name: bytes, symbol: bytes) -> None:
        if len(name) > STRING_LIMIT or len(symbol) > STRING_LIMIT:
            raise self.BadMetadata

    def _put_metadata(self, asset_id: AssetId, value: AssetMetadata) -> None:
        self.metadata[asset_id] = value
        self.deposit_event(
            self.MetadataSet(
                asset_id=asset_id,
                name=value.name,
                symbol=value.symbol,
                decimals=value.decimals,
                is_frozen=value.is_frozen,
            )
        )

    def _clear_metadata(self, asset_id: AssetId, owner: AccountId) -> None:
        if asset_id not in self.metadata:
            raise self.Unknown
        self.pallet(Balances).unreserve(owner, self.metadata[asset_id].deposit)
        del self.metadata[asset_id]
        self.deposit_event(self.MetadataCleared(asset_id=asset_id))


def new_details(
    owner: AccountId, team: AccountId, deposit: Balance, min_balance: Balance, *, is_sufficient: bool
) -> AssetDetails:
    """An asset that nobody holds yet."""
    return AssetDetails(
        owner, team, team, team, Balance(0), deposit, min_balance, is_sufficient, 0, 0, 0, AssetStatus.Live
    )
