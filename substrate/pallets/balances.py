"""Balances: the chain's native token.

An account lives on a free balance of at least the existential deposit; what falls below is dust and burned.
Source: polkadot-sdk, `substrate/frame/balances/src/lib.rs`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from substrate.crypto.multi import MultiAddress
from substrate.pallets.balances_funds import BalancesFunds
from substrate.pallets.balances_rules import (
    AdjustmentDirection,
    Fortitude,
    Precision,
    Preservation,
    with_free,
)
from substrate.pallets.lookup import lookup
from substrate.runtime.dispatch import Pays, PostInfo
from substrate.runtime.origin import Root, Signed
from substrate.runtime.pallet import Pallet, call
from substrate.scale.types import Compact
from substrate.types import AccountId, Balance, Weight

TRANSFER = Weight(180_000_000, 3_593)
FORCE_TRANSFER = Weight(190_000_000, 6_196)
SET_BALANCE = Weight(110_000_000, 3_593)
UNRESERVE = Weight(80_000_000, 3_593)
UPGRADE = Weight(70_000_000, 2_603)
ADJUST = Weight(30_000_000, 1_501)


def _upgrade_weight(_pallet: Pallet, who: tuple[AccountId, ...]) -> Weight:
    return UPGRADE * len(who)


class Balances(BalancesFunds):
    """The native token: calls and genesis; the routines are in `BalancesFunds`."""

    crate = "pallet_balances"
    storage_version = 1

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Endow accounts: `{"balances": {account: free}}` (or pairs)."""
        given: Mapping[AccountId, Balance] | Iterable[tuple[AccountId, Balance]] = config.get("balances", {})
        super().genesis({name: value for name, value in config.items() if name != "balances"})
        for who, free in dict(given).items():
            assert free >= self.existential_deposit, "a genesis balance reaches the existential deposit"
            self.set_total_issuance(self.total_issuance.get() + free)
            self.mutate(who, with_free(self.account_data(who), free))

    @call(0, weight=TRANSFER)
    def transfer_allow_death(self, origin: Signed, dest: MultiAddress, value: Compact[Balance]) -> None:
        """Transfer some liquid free balance; the sender's account may die."""
        self.transfer(origin, lookup(dest), value, Preservation.EXPENDABLE)

    @call(2, weight=FORCE_TRANSFER)
    def force_transfer(self, origin: Root, source: MultiAddress, dest: MultiAddress, value: Compact[Balance]) -> None:
        """Transfer as root on behalf of a source."""
        self.transfer(lookup(source), lookup(dest), value, Preservation.EXPENDABLE)

    @call(3, weight=TRANSFER)
    def transfer_keep_alive(self, origin: Signed, dest: MultiAddress, value: Compact[Balance]) -> None:
        """Transfer some liquid free balance; the sender's account must live on."""
        self.transfer(origin, lookup(dest), value, Preservation.PRESERVE)

    @call(4, weight=TRANSFER)
    def transfer_all(self, origin: Signed, dest: MultiAddress, keep_alive: bool) -> None:
        """Transfer the entire transferable balance."""
        preservation = Preservation.PRESERVE if keep_alive else Preservation.EXPENDABLE
        amount = self.reducible_balance(origin, preservation, Fortitude.POLITE)
        self.transfer(origin, lookup(dest), amount, preservation)

    @call(5, weight=UNRESERVE)
    def force_unreserve(self, origin: Root, who: MultiAddress, amount: Balance) -> None:
        """Unreserve some balance as root."""
        self.unreserve(lookup(who), amount)

    @call(6, weight=_upgrade_weight)
    def upgrade_accounts(self, origin: Signed, who: tuple[AccountId, ...]) -> PostInfo:
        """Upgrade accounts to the new logic; every account here is born with it, so it changes nothing."""
        return PostInfo(None, Pays.Yes)

    @call(8, weight=SET_BALANCE)
    def force_set_balance(self, origin: Root, who: MultiAddress, new_free: Compact[Balance]) -> None:
        """Set the free balance of an account as root; the issuance follows."""
        account = lookup(who)
        wanted = Balance(0 if new_free < self.existential_deposit else new_free)
        old = self.account_data(account).free
        # Locks only prevent withdrawals, so a root change may go below them.
        self.mutate(account, with_free(self.account_data(account), wanted))
        self.set_total_issuance(self.total_issuance.get() + wanted - old)
        self.deposit_event(self.BalanceSet(who=account, free=wanted))

    @call(9, weight=ADJUST)
    def force_adjust_total_issuance(
        self, origin: Root, direction: AdjustmentDirection, delta: Compact[Balance]
    ) -> None:
        """Adjust the total issuance without touching any account."""
        if delta == 0:
            raise self.DeltaZero
        old = self.total_issuance.get()
        new = old + delta if direction == AdjustmentDirection.Increase else max(old - delta, 0)
        if self.inactive_issuance.get() > new:
            raise self.IssuanceDeactivated
        self.set_total_issuance(new)
        self.deposit_event(self.TotalIssuanceForced(old=old, new=Balance(new)))

    @call(10, weight=TRANSFER)
    def burn(self, origin: Signed, value: Compact[Balance], keep_alive: bool) -> None:
        """Burn some of the caller's balance."""
        preservation = Preservation.PRESERVE if keep_alive else Preservation.EXPENDABLE
        self.burn_from(origin, value, preservation, Precision.EXACT, Fortitude.POLITE)
