"""Assets: fungible assets beside the native token.

    class TrustBackedAssets(Assets, parameters={"AssetId": u32, "AssetIdParameter": Compact[u32]})
    class ForeignAssets(Assets, parameters={"AssetId": Location, "AssetIdParameter": Location})

Source: polkadot-sdk, `substrate/frame/assets/src/lib.rs`.
"""

from collections.abc import Mapping
from typing import Any

from substrate.crypto.multi import MultiAddress
from substrate.pallets.assets_admin import AssetsAdmin, new_details
from substrate.pallets.assets_funds import changed
from substrate.pallets.assets_types import (
    Approval,
    AssetId,
    AssetIdParameter,
    AssetMetadata,
    AssetStatus,
    ByConsumer,
    ByDepositFrom,
    ByDepositHeld,
    Debit,
)
from substrate.pallets.balances import Balances
from substrate.pallets.balances_rules import Precision, Preservation
from substrate.pallets.lookup import lookup
from substrate.runtime.origin import AnyOrigin, Signed
from substrate.runtime.pallet import call
from substrate.scale.types import Compact, u32
from substrate.types import AccountId, Balance, Weight

CREATE = Weight(70_000_000, 3_675)
MINT = Weight(60_000_000, 3_675)
TRANSFER = Weight(120_000_000, 6_208)
APPROVE = Weight(80_000_000, 3_675)
TOUCH = Weight(70_000_000, 3_675)


class Assets(AssetsAdmin):
    """Fungible assets: the calls of their holders and issuers, and genesis."""

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Takes upstream's lists.

        `assets`: (id, owner, is_sufficient, min_balance); `metadata`: (id, name, symbol, decimals);
        `accounts`: (id, account, amount); `next_asset_id`.
        """
        known = ("assets", "metadata", "accounts", "next_asset_id")
        super().genesis({name: value for name, value in config.items() if name not in known})
        for asset_id, owner, is_sufficient, min_balance in config.get("assets", ()):
            self.create_asset(asset_id, new_details(owner, owner, Balance(0), min_balance, is_sufficient=is_sufficient))
        for asset_id, name, symbol, decimals in config.get("metadata", ()):
            assert self.exists(asset_id), f"genesis describes an asset that it does not create: {asset_id}"
            self.metadata[asset_id] = AssetMetadata(Balance(0), name, symbol, decimals)
        for asset_id, who, amount in config.get("accounts", ()):
            self.mint_into(asset_id, who, amount)
        if config.get("next_asset_id") is not None:
            self.next_asset_id.put(config["next_asset_id"])

    @call(0, weight=CREATE)
    def create(self, origin: AnyOrigin, id: AssetIdParameter, admin: MultiAddress, min_balance: Balance) -> None:
        """Issue a new class of fungible assets on a deposit."""
        owner, team = self.create_origin(origin, id), lookup(admin)
        details = new_details(owner, team, self.asset_deposit, min_balance, is_sufficient=False)
        self.create_asset(id, details)
        self.pallet(Balances).reserve(owner, self.asset_deposit)
        self.deposit_event(self.Created(asset_id=id, creator=owner, owner=team))

    @call(6, weight=MINT)
    def mint(self, origin: Signed, id: AssetIdParameter, beneficiary: MultiAddress, amount: Compact[Balance]) -> None:
        """Mint assets of a particular class, as its issuer."""
        who = lookup(beneficiary)
        self._permit(origin == self.live(id).issuer)
        self.mint_into(id, who, amount)

    @call(7, weight=MINT)
    def burn(self, origin: Signed, id: AssetIdParameter, who: MultiAddress, amount: Compact[Balance]) -> None:
        """Reduce the balance of an account by as much as possible up to an amount, as the admin."""
        account = lookup(who)
        self._permit(origin == self.live(id).admin)
        self.burn_from(id, account, amount, Preservation.EXPENDABLE, Precision.BEST_EFFORT)

    @call(8, weight=TRANSFER)
    def transfer(self, origin: Signed, id: AssetIdParameter, target: MultiAddress, amount: Compact[Balance]) -> None:
        """Move some assets from the sender's account to another."""
        self.do_transfer(id, origin, lookup(target), amount)

    @call(9, weight=TRANSFER)
    def transfer_keep_alive(
        self, origin: Signed, id: AssetIdParameter, target: MultiAddress, amount: Compact[Balance]
    ) -> None:
        """Move some assets from the sender's account to another, keeping the sender's account alive."""
        self.do_transfer(id, origin, lookup(target), amount, Debit(keep_alive=True))

    @call(10, weight=TRANSFER)
    def force_transfer(
        self,
        origin: Signed,
        id: AssetIdParameter,
        source: MultiAddress,
        dest: MultiAddress,
        amount: Compact[Balance],
    ) -> None:
        """Move some assets from one account to another, as the admin."""
        from_, to = lookup(source), lookup(dest)
        self._permit(origin == self.live(id).admin)
        self.do_transfer(id, from_, to, amount)

    @call(32, weight=TRANSFER)
    def transfer_all(self, origin: Signed, id: AssetIdParameter, dest: MultiAddress, keep_alive: bool) -> None:
        """Transfer the entire transferable balance of the sender's account."""
        amount = self.reducible_balance(id, origin, keep_alive=keep_alive)
        self.do_transfer(id, origin, lookup(dest), amount, Debit(keep_alive=keep_alive))

    # --- approvals ---

    @call(22, weight=APPROVE)
    def approve_transfer(
        self, origin: Signed, id: AssetIdParameter, delegate: MultiAddress, amount: Compact[Balance]
    ) -> None:
        """Approve an amount of asset for transfer by a delegated third-party account."""
        who, details = lookup(delegate), self.live(id)
        old = self.approvals.get(id, origin, who)
        if old is None:
            self.asset[id] = changed(details, approvals=details.approvals + 1)
            old = Approval(Balance(0), Balance(0))
        if self.approval_deposit > old.deposit:
            self.pallet(Balances).reserve(origin, self.approval_deposit - old.deposit)
        deposit = Balance(max(self.approval_deposit, old.deposit))
        self.approvals[id, origin, who] = Approval(Balance(old.amount + amount), deposit)
        self.deposit_event(self.ApprovedTransfer(asset_id=id, source=origin, delegate=who, amount=amount))

    @call(23, weight=APPROVE)
    def cancel_approval(self, origin: Signed, id: AssetIdParameter, delegate: MultiAddress) -> None:
        """Cancel all of some asset approved for delegated transfer by a third-party account."""
        self._cancel_approval(id, origin, lookup(delegate))

    @call(24, weight=APPROVE)
    def force_cancel_approval(
        self, origin: AnyOrigin, id: AssetIdParameter, owner: MultiAddress, delegate: MultiAddress
    ) -> None:
        """Cancel an approval as root or as the admin."""
        signer = self._forcing_or_signer(origin)
        self._permit(signer is None or signer == self.live(id).admin)
        self._cancel_approval(id, lookup(owner), lookup(delegate))

    @call(25, weight=TRANSFER)
    def transfer_approved(
        self,
        origin: Signed,
        id: AssetIdParameter,
        owner: MultiAddress,
        destination: MultiAddress,
        amount: Compact[Balance],
    ) -> None:
        """Transfer some asset balance from a previously delegated account to some third-party account."""
        source, dest = lookup(owner), lookup(destination)
        self.live(id)
        approved = self.approvals.get(id, source, origin)
        if approved is None or approved.amount < amount:
            raise self.Unapproved
        self.do_transfer(id, source, dest, amount)
        if approved.amount == amount:
            self._end_approval(id, source, origin, approved)
        else:
            self.approvals[id, source, origin] = Approval(Balance(approved.amount - amount), approved.deposit)
        self.deposit_event(
            self.TransferredApproved(asset_id=id, owner=source, delegate=origin, destination=dest, amount=amount)
        )

    def _cancel_approval(self, asset_id: AssetId, owner: AccountId, delegate: AccountId) -> None:
        self.live(asset_id)
        approval = self.approvals.get(asset_id, owner, delegate)
        if approval is None:
            raise self.Unknown
        self._end_approval(asset_id, owner, delegate, approval)
        self.deposit_event(self.ApprovalCancelled(asset_id=asset_id, owner=owner, delegate=delegate))

    def _end_approval(self, asset_id: AssetId, owner: AccountId, delegate: AccountId, approval: Approval) -> None:
        details = self.details(asset_id)
        self.pallet(Balances).unreserve(owner, approval.deposit)
        self.asset[asset_id] = changed(details, approvals=details.approvals - 1)
        del self.approvals[asset_id, owner, delegate]

    # --- holdings on a deposit ---

    @call(26, weight=TOUCH)
    def touch(self, origin: Signed, id: AssetIdParameter) -> None:
        """Create an asset account for a non-provider asset, on a deposit."""
        self.touch_account(id, origin, origin)

    @call(27, weight=TOUCH)
    def refund(self, origin: Signed, id: AssetIdParameter, allow_burn: bool) -> None:
        """Return the deposit of the caller's asset account, and end the account."""
        account, details = self.account.get(id, origin), self.details(id)
        if account is None or not isinstance(account.reason, ByConsumer | ByDepositHeld):
            raise self.NoDeposit
        if details.status != AssetStatus.Live:
            raise self.AssetNotLive
        if account.balance and not allow_burn:
            raise self.WouldBurn
        self.return_deposit(account.reason, origin)
        details, _ = self.dead_account(origin, details, account.reason, force=True)
        self.asset[id] = changed(details, supply=Balance(details.supply - account.balance))
        del self.account[id, origin]

    @call(29, weight=TOUCH)
    def touch_other(self, origin: Signed, id: AssetIdParameter, who: MultiAddress) -> None:
        """Create an asset account for another account, on a deposit, as admin or freezer."""
        details = self.live(id)
        self._permit(origin in (details.admin, details.freezer))
        self.touch_account(id, lookup(who), origin)

    @call(30, weight=TOUCH)
    def refund_other(self, origin: Signed, id: AssetIdParameter, who: MultiAddress) -> None:
        """Return the deposit that someone gave for an empty asset account, and end the account."""
        holder, details = lookup(who), self.details(id)
        account = self.account.get(id, holder)
        if account is None or not isinstance(account.reason, ByDepositFrom):
            raise self.NoDeposit
        if account.is_frozen:
            raise self.Frozen_
        if account.balance:
            raise self.WouldBurn
        self._permit(origin in (account.reason.depositor, details.admin))
        self.return_deposit(account.reason, holder)
        details, _ = self.dead_account(holder, details, account.reason, force=True)
        self.asset[id] = details
        del self.account[id, holder]


class TrustBackedAssets(Assets, parameters={"AssetId": u32, "AssetIdParameter": Compact[u32]}):
    """Assets with numbers for ids."""
