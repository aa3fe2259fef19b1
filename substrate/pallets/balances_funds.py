"""Balances: the routines that move, reserve and lock funds.

Routines raise `DispatchFailure` or one of the pallet's errors and then have changed nothing.
Source: polkadot-sdk, `substrate/frame/balances/src/{impl_fungible,impl_currency}.rs`,
`substrate/frame/support/src/traits/tokens/fungible/regular.rs`.
"""

from substrate.pallets.accounts import AccountData
from substrate.pallets.balances_base import ZERO, BalancesBase
from substrate.pallets.balances_rules import (
    U128_MAX,
    BalanceLock,
    BalanceStatus,
    Fortitude,
    Precision,
    Preservation,
    Reasons,
    check_deposit,
    check_withdraw,
    frozen_by,
    moved,
    reducible,
    reducible_on_hold,
    settle,
    slashable,
    with_lock,
)
from substrate.pallets.system import System
from substrate.runtime.dispatch import ArithmeticErrorKind, DispatchFailure, TokenError, arithmetic_error, token_error
from substrate.types import AccountId, Balance


class BalancesFunds(BalancesBase):
    """The routines of the balances pallet."""

    # --- looking ---

    def account_data(self, who: AccountId) -> AccountData:
        """The balances of an account."""
        return self.pallet(System).account[who].data

    def free_balance(self, who: AccountId) -> Balance:
        """The free balance."""
        return self.account_data(who).free

    def reserved_balance(self, who: AccountId) -> Balance:
        """The reserved balance."""
        return self.account_data(who).reserved

    def total_balance(self, who: AccountId) -> Balance:
        """Free and reserved balance."""
        return Balance(self.account_data(who).total)

    def reducible_balance(
        self,
        who: AccountId,
        preservation: Preservation = Preservation.EXPENDABLE,
        fortitude: Fortitude = Fortitude.POLITE,
    ) -> Balance:
        """How much of the free balance may go."""
        info = self.pallet(System).account[who]
        ed = self.existential_deposit
        return Balance(reducible(info, existential_deposit=ed, preservation=preservation, fortitude=fortitude))

    def can_deposit(self, who: AccountId, amount: int, *, minted: bool = False) -> None:
        """Raise `DispatchFailure` unless a deposit would stand."""
        if minted and self.total_issuance.get() + amount > U128_MAX:
            raise arithmetic_error(ArithmeticErrorKind.Overflow)
        check_deposit(self.account_data(who), amount, existential_deposit=self.existential_deposit)

    def can_withdraw(self, who: AccountId, amount: int, *, keep: bool = False) -> int:
        """Raise `DispatchFailure` unless a withdrawal would stand; returns the dust it would leave."""
        info, ed = self.pallet(System).account[who], self.existential_deposit
        return check_withdraw(info, amount, existential_deposit=ed, issuance=self.total_issuance.get(), keep=keep)

    # --- moving ---

    def transfer(
        self,
        source: AccountId,
        dest: AccountId,
        amount: int,
        preservation: Preservation = Preservation.EXPENDABLE,
    ) -> None:
        """Move free balance from one account to another."""
        self.can_withdraw(source, amount, keep=preservation is not Preservation.EXPENDABLE)
        self.can_deposit(dest, amount)
        if source == dest:
            return
        with self.state.transaction():
            self.decrease_balance(source, amount, Precision.BEST_EFFORT, preservation, Fortitude.POLITE)
            self.increase_balance(dest, amount, Precision.BEST_EFFORT)
        self.deposit_event(self.Transfer(from_=source, to=dest, amount=Balance(amount)))

    def mint_into(self, who: AccountId, amount: int) -> None:
        """Create balance in an account."""
        self._issue(who, amount)
        self.deposit_event(self.Minted(who=who, amount=Balance(amount)))

    def burn_from(
        self,
        who: AccountId,
        amount: int,
        preservation: Preservation = Preservation.EXPENDABLE,
        precision: Precision = Precision.EXACT,
        fortitude: Fortitude = Fortitude.POLITE,
    ) -> Balance:
        """Destroy balance of an account; returns how much."""
        actual = self.decrease_balance(who, amount, precision, preservation, fortitude)
        self.set_total_issuance(self.total_issuance.get() - actual)
        self.deposit_event(self.Burned(who=who, amount=actual))
        return actual

    def withdraw(
        self,
        who: AccountId,
        amount: int,
        preservation: Preservation = Preservation.PRESERVE,
        precision: Precision = Precision.EXACT,
        fortitude: Fortitude = Fortitude.POLITE,
    ) -> Balance:
        """Take balance out of an account, to be deposited elsewhere or given to `rescind`; returns how much."""
        actual = self.decrease_balance(who, amount, precision, preservation, fortitude)
        self.deposit_event(self.Withdraw(who=who, amount=actual))
        return actual

    def deposit(self, who: AccountId, amount: int, precision: Precision = Precision.EXACT) -> Balance:
        """Put withdrawn balance into an account; returns how much it took."""
        actual = self.increase_balance(who, amount, precision)
        if actual:
            self.deposit_event(self.Deposit(who=who, amount=actual))
        return actual

    def rescind(self, amount: int) -> None:
        """Drop withdrawn balance: the issuance shrinks."""
        self.set_total_issuance(self.total_issuance.get() - amount)

    def decrease_balance(
        self,
        who: AccountId,
        amount: int,
        precision: Precision,
        preservation: Preservation,
        fortitude: Fortitude,
    ) -> Balance:
        """Lower the free balance without an event; the issuance is the caller's affair."""
        most = self.reducible_balance(who, preservation, fortitude)
        if amount > most and precision is Precision.EXACT:
            raise token_error(TokenError.FundsUnavailable)
        actual = min(amount, most)
        if actual:
            self.mutate(who, moved(self.account_data(who), free=-actual))
        return Balance(actual)

    def increase_balance(self, who: AccountId, amount: int, precision: Precision) -> Balance:
        """Raise the free balance without an event; the issuance is the caller's affair."""
        data = self.account_data(who)
        if precision is Precision.BEST_EFFORT:
            amount = min(amount, U128_MAX - data.total)
        elif data.total + amount > U128_MAX:
            raise arithmetic_error(ArithmeticErrorKind.Overflow)
        if data.free + amount < self.existential_deposit:
            if precision is Precision.EXACT:
                raise token_error(TokenError.BelowMinimum)
            return ZERO
        if amount:
            self.mutate(who, moved(data, free=amount))
        return Balance(amount)

    def mutate(self, who: AccountId, data: AccountData, *, bump_consumers: bool = False) -> None:
        """Give an account new balances, with all that follows for its life; dust is burned.

        Args:
            who: The account.
            data: The wanted balances.
            bump_consumers: Whether the consumer limit may be passed.
        """
        system = self.pallet(System)
        before = system.account[who]
        limit = None if bump_consumers else system.max_consumers
        settled = settle(before, data, existential_deposit=self.existential_deposit, max_consumers=limit)
        system.put_account(who, before, settled.info)
        if settled.endowed is not None:
            self.deposit_event(self.Endowed(account=who, free_balance=settled.endowed))
        if settled.dust:
            self.deposit_event(self.DustLost(account=who, amount=settled.dust))
            self.set_total_issuance(self.total_issuance.get() - settled.dust)

    def set_total_issuance(self, amount: int) -> None:
        """Store the total issuance."""
        assert 0 <= amount <= U128_MAX, "issuance is what accounts and credits sum up to"
        self.total_issuance.put(Balance(amount))

    def _issue(self, who: AccountId, amount: int) -> None:
        issuance = self.total_issuance.get() + amount
        if issuance > U128_MAX:
            raise arithmetic_error(ArithmeticErrorKind.Overflow)
        self.increase_balance(who, amount, Precision.EXACT)
        self.set_total_issuance(issuance)

    # --- reserving ---

    def can_reserve(self, who: AccountId, amount: int) -> bool:
        """Whether an account can reserve an amount and keep the existential deposit free."""
        data = self.account_data(who)
        return amount == 0 or data.free - amount >= max(data.frozen, self.existential_deposit)

    def reserve(self, who: AccountId, amount: int) -> None:
        """Move free balance into the reserve."""
        if amount == 0:
            return
        data = self.account_data(who)
        if data.free < amount:
            raise self.InsufficientBalance
        if data.free - amount < data.frozen:
            raise self.LiquidityRestrictions
        self.mutate(who, moved(data, free=-amount, reserved=amount))
        self.deposit_event(self.Reserved(who=who, amount=Balance(amount)))

    def unreserve(self, who: AccountId, amount: int) -> Balance:
        """Move reserved balance back; returns what was not there to move."""
        data = self.account_data(who)
        if amount == 0 or data.total == 0:
            return Balance(amount)
        actual = min(data.reserved, amount)
        try:
            self.mutate(who, moved(data, free=actual, reserved=-actual))
        except DispatchFailure:
            return Balance(amount)
        self.deposit_event(self.Unreserved(who=who, amount=Balance(actual)))
        return Balance(amount - actual)

    def slash(self, who: AccountId, amount: int) -> Balance:
        """Burn free balance as a punishment; returns what could not be taken."""
        info = self.pallet(System).account[who]
        if amount == 0 or info.data.total == 0:
            return Balance(amount)
        actual = slashable(info, amount, existential_deposit=self.existential_deposit)
        self.mutate(who, moved(info.data, free=-actual))
        self.set_total_issuance(self.total_issuance.get() - actual)
        self.deposit_event(self.Slashed(who=who, amount=Balance(actual)))
        return Balance(amount - actual)

    def slash_reserved(self, who: AccountId, amount: int) -> Balance:
        """Burn reserved balance as a punishment; returns what could not be taken."""
        data = self.account_data(who)
        if amount == 0 or data.total == 0:
            return Balance(amount)
        actual = min(data.reserved, amount)
        self.mutate(who, moved(data, reserved=-actual))
        self.set_total_issuance(self.total_issuance.get() - actual)
        self.deposit_event(self.Slashed(who=who, amount=Balance(actual)))
        return Balance(amount - actual)

    def repatriate(self, source: AccountId, dest: AccountId, amount: int, status: BalanceStatus) -> Balance:
        """Move reserved balance of one account to another; returns what could not be moved."""
        if amount == 0:
            return ZERO
        data = self.account_data(source)
        actual = min(amount, reducible_on_hold(data, Fortitude.POLITE))
        if source == dest:
            missing = self.unreserve(source, actual) if status == BalanceStatus.Free else ZERO
            return Balance(amount - actual + missing)
        to = self.account_data(dest)
        if to == AccountData():
            raise self.DeadAccount
        with self.state.transaction():
            self.mutate(source, moved(data, reserved=-actual))
            free = status == BalanceStatus.Free
            self.mutate(dest, moved(to, free=actual if free else 0, reserved=0 if free else actual))
        self.deposit_event(
            self.ReserveRepatriated(from_=source, to=dest, amount=Balance(actual), destination_status=status)
        )
        return Balance(amount - actual)

    # --- locking ---

    def set_lock(self, lock_id: bytes, who: AccountId, amount: int, reasons: Reasons = Reasons.All) -> None:
        """Set a lock, in place of one with the same id; amount zero removes it."""
        if amount:
            self._update_locks(who, with_lock(self.locks[who], BalanceLock(lock_id, Balance(amount), reasons)))
        else:
            self.remove_lock(lock_id, who)

    def extend_lock(self, lock_id: bytes, who: AccountId, amount: int, reasons: Reasons = Reasons.All) -> None:
        """Set a lock to at least an amount, for the reasons it has and these; amount zero changes nothing."""
        if not amount:
            return
        held = next((lock for lock in self.locks[who] if lock.id == lock_id), None)
        if held is not None:
            amount, reasons = max(held.amount, amount), held.reasons if held.reasons == reasons else Reasons.All
        self.set_lock(lock_id, who, amount, reasons)

    def remove_lock(self, lock_id: bytes, who: AccountId) -> None:
        """Remove a lock."""
        self._update_locks(who, tuple(lock for lock in self.locks[who] if lock.id != lock_id))

    def _update_locks(self, who: AccountId, locks: tuple[BalanceLock, ...]) -> None:
        data = self.account_data(who)
        frozen = frozen_by(locks, self.freezes[who])
        self.mutate(who, AccountData(data.free, data.reserved, frozen, data.flags), bump_consumers=True)
        if locks:
            self.locks[who] = locks
        else:
            del self.locks[who]
        if frozen > data.frozen:
            self.deposit_event(self.Locked(who=who, amount=Balance(frozen - data.frozen)))
        elif frozen < data.frozen:
            self.deposit_event(self.Unlocked(who=who, amount=Balance(data.frozen - frozen)))
