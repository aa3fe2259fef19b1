"""Assets: the routines that move assets and keep holdings alive.

Routines raise `DispatchFailure` or one of the pallet's errors and then have changed nothing.
Source: polkadot-sdk, `substrate/frame/assets/src/{functions,impl_fungibles}.rs`.
"""

from typing import Any

import msgspec

from substrate.pallets.assets_base import AssetsBase
from substrate.pallets.assets_types import (
    AccountStatus,
    AssetAccount,
    AssetDetails,
    AssetId,
    AssetStatus,
    ByConsumer,
    ByDepositFrom,
    ByDepositHeld,
    BySufficient,
    Debit,
    ExistenceReason,
    check_decrease,
    check_increase,
    deposit_of,
    most_reducible,
)
from substrate.pallets.balances import Balances
from substrate.pallets.balances_rules import Precision, Preservation
from substrate.pallets.system import System
from substrate.runtime.dispatch import TokenError, token_error
from substrate.types import AccountId, Balance

ZERO = Balance(0)
MAY_DIE = Debit()


def changed(details: AssetDetails, **fields: Any) -> AssetDetails:
    """The same asset with some fields changed."""
    return msgspec.structs.replace(details, **fields)


class AssetsFunds(AssetsBase):
    """The routines of the assets pallet."""

    # --- looking ---

    def exists(self, asset_id: AssetId) -> bool:
        """Whether the asset exists."""
        return asset_id in self.asset

    def details(self, asset_id: AssetId) -> AssetDetails:
        """The asset, or `Unknown`."""
        found = self.asset.get(asset_id)
        if found is None:
            raise self.Unknown
        return found

    def live(self, asset_id: AssetId) -> AssetDetails:
        """The asset, or `Unknown` or `AssetNotLive`."""
        details = self.details(asset_id)
        if details.status != AssetStatus.Live:
            raise self.AssetNotLive
        return details

    def balance(self, asset_id: AssetId, who: AccountId) -> Balance:
        """What an account holds; zero for an unknown asset."""
        account = self.account.get(asset_id, who)
        return ZERO if account is None else account.balance

    def total_issuance(self, asset_id: AssetId) -> Balance:
        """The asset's supply; zero for an unknown asset."""
        found = self.asset.get(asset_id)
        return ZERO if found is None else found.supply

    def minimum_balance(self, asset_id: AssetId) -> Balance:
        """Least balance of a holding; zero for an unknown asset."""
        found = self.asset.get(asset_id)
        return ZERO if found is None else found.min_balance

    def is_sufficient(self, asset_id: AssetId) -> bool:
        """Whether holding the asset keeps an account alive."""
        found = self.asset.get(asset_id)
        return found is not None and found.is_sufficient

    def reducible_balance(self, asset_id: AssetId, who: AccountId, *, keep_alive: bool = False) -> Balance:
        """How much of a holding may go; raises where none may."""
        details = self.live(asset_id)
        account = self.account.get(asset_id, who)
        if account is None:
            raise self.NoAccount
        if account.is_frozen:
            raise self.Frozen_
        return Balance(most_reducible(details, account, keep_alive=keep_alive))

    def can_deposit(self, asset_id: AssetId, who: AccountId, amount: int, *, minted: bool = False) -> None:
        """Raise `DispatchFailure` unless a holding could be raised."""
        found = self.asset.get(asset_id)
        if found is None:
            raise token_error(TokenError.UnknownAsset)
        check_increase(
            found, self.account.get(asset_id, who), amount, can_exist=self._can_accrue_consumers(who), minted=minted
        )

    def can_withdraw(self, asset_id: AssetId, who: AccountId, amount: int, *, keep_alive: bool = False) -> int:
        """Raise `DispatchFailure` unless a holding could be lowered; returns the dust that would go with it."""
        found = self.asset.get(asset_id)
        if found is None:
            raise token_error(TokenError.UnknownAsset)
        return check_decrease(found, self.account.get(asset_id, who), amount, keep_alive=keep_alive)

    # --- moving ---

    def mint_into(self, asset_id: AssetId, who: AccountId, amount: int) -> None:
        """Create an amount of the asset in an account."""
        if amount:
            self.can_deposit(asset_id, who, amount, minted=True)
            details = self.live(asset_id)
            details = self._credit(asset_id, who, amount, details)
            self.asset[asset_id] = changed(details, supply=Balance(details.supply + amount))
        self.deposit_event(self.Issued(asset_id=asset_id, owner=who, amount=Balance(amount)))

    def burn_from(
        self,
        asset_id: AssetId,
        who: AccountId,
        amount: int,
        preservation: Preservation = Preservation.EXPENDABLE,
        precision: Precision = Precision.EXACT,
    ) -> Balance:
        """Destroy an amount of the asset in an account, with the dust it would leave; returns how much."""
        actual = ZERO
        if amount:
            keep = preservation is not Preservation.EXPENDABLE
            actual = self._prepare_debit(asset_id, who, amount, Debit(keep, precision is Precision.BEST_EFFORT))
            details = self._debit(asset_id, who, actual, self.live(asset_id))
            self.asset[asset_id] = changed(details, supply=Balance(details.supply - actual))
        self.deposit_event(self.Burned(asset_id=asset_id, owner=who, balance=actual))
        return actual

    def do_transfer(
        self, asset_id: AssetId, source: AccountId, dest: AccountId, amount: int, debit: Debit = MAY_DIE
    ) -> Balance:
        """Move an amount of the asset, and with it the dust that the source would be left with; returns how much."""
        if amount == 0:
            return ZERO
        details = self.live(asset_id)
        moved = self._prepare_debit(asset_id, source, amount, debit)
        self.can_deposit(asset_id, dest, moved)
        if source != dest:
            details = self._credit(asset_id, dest, moved, details)
            details = self._debit(asset_id, source, moved, details)
            self.asset[asset_id] = details
        self.deposit_event(self.Transferred(asset_id=asset_id, from_=source, to=dest, amount=moved))
        return moved

    def _prepare_debit(self, asset_id: AssetId, who: AccountId, amount: int, debit: Debit) -> Balance:
        actual = min(self.reducible_balance(asset_id, who, keep_alive=debit.keep_alive), amount)
        if actual < amount and not debit.best_effort:
            raise self.BalanceLow
        return Balance(actual + self.can_withdraw(asset_id, who, actual, keep_alive=debit.keep_alive))

    def _credit(self, asset_id: AssetId, who: AccountId, amount: int, details: AssetDetails) -> AssetDetails:
        account = self.account.get(asset_id, who)
        if account is None:
            details, reason = self.new_account(who, details, None)
            account = AssetAccount(ZERO, AccountStatus.Liquid, reason)
        self.account[asset_id, who] = msgspec.structs.replace(account, balance=Balance(account.balance + amount))
        return details

    def _debit(self, asset_id: AssetId, who: AccountId, amount: int, details: AssetDetails) -> AssetDetails:
        account = self.account.get(asset_id, who)
        assert account is not None, "a holding was just checked"
        left = Balance(account.balance - amount)
        if left < details.min_balance:
            details, removed = self.dead_account(who, details, account.reason, force=False)
            if removed:
                del self.account[asset_id, who]
                return details
        self.account[asset_id, who] = msgspec.structs.replace(account, balance=left)
        return details

    # --- holdings ---

    def new_account(
        self, who: AccountId, details: AssetDetails, deposit: tuple[AccountId, Balance] | None
    ) -> tuple[AssetDetails, ExistenceReason]:
        """Take the references of a new holding.

        Args:
            who: Its account.
            details: The asset.
            deposit: Who gives which deposit for it, if anyone.

        Returns:
            The asset with one more account, and what keeps the holding alive.
        """
        system = self.pallet(System)
        details = changed(details, accounts=details.accounts + 1)
        if deposit is not None:
            depositor, amount = deposit
            return details, ByDepositHeld(amount) if depositor == who else ByDepositFrom(depositor, amount)
        if details.is_sufficient:
            system.inc_sufficients(who)
            return changed(details, sufficients=details.sufficients + 1), BySufficient()
        # One consumer stays free: else holdings that others send would use them all up.
        if not self._can_accrue_consumers(who):
            raise self.UnavailableConsumer
        system.inc_consumers(who)
        return details, ByConsumer()

    def dead_account(
        self, who: AccountId, details: AssetDetails, reason: ExistenceReason, *, force: bool
    ) -> tuple[AssetDetails, bool]:
        """Give back the references of a holding; False where a deposit keeps it alive (unless forced)."""
        if deposit_of(reason, who) is not None and not force:
            return details, False
        if isinstance(reason, ByConsumer):
            self.pallet(System).dec_consumers(who)
        elif isinstance(reason, BySufficient):
            self.pallet(System).dec_sufficients(who)
            details = changed(details, sufficients=details.sufficients - 1)
        return changed(details, accounts=details.accounts - 1), True

    def touch_account(self, asset_id: AssetId, who: AccountId, depositor: AccountId) -> None:
        """Make an empty holding on a deposit."""
        if self.account.get(asset_id, who) is not None:
            raise self.AlreadyExists
        details, reason = self.new_account(who, self.live(asset_id), (depositor, self.asset_account_deposit))
        self.pallet(Balances).reserve(depositor, self.asset_account_deposit)
        self.asset[asset_id] = details
        self.account[asset_id, who] = AssetAccount(ZERO, AccountStatus.Liquid, reason)
        self.deposit_event(self.Touched(asset_id=asset_id, who=who, depositor=depositor))

    def return_deposit(self, reason: ExistenceReason, who: AccountId) -> None:
        """Give back the deposit of a holding, if there was one."""
        deposit = deposit_of(reason, who)
        if deposit is not None:
            self.pallet(Balances).unreserve(*deposit)

    def create_asset(self, asset_id: AssetId, details: AssetDetails) -> None:
        """Store a new asset."""
        if self.exists(asset_id):
            raise self.InUse
        if details.min_balance == 0:
            raise self.MinBalanceZero
        due = self.next_asset_id.get()
        if due is not None and due != asset_id:
            raise self.BadAssetId
        self.asset[asset_id] = details

    def _can_accrue_consumers(self, who: AccountId) -> bool:
        system = self.pallet(System)
        info = system.account[who]
        return info.providers > 0 and info.consumers + 2 <= system.max_consumers
