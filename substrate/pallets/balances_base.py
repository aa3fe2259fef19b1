"""Balances: storage, constants, events and errors.

Source: polkadot-sdk, `substrate/frame/balances/src/lib.rs`.
"""

from typing import Annotated

from substrate.pallets.accounts import AccountData
from substrate.pallets.balances_rules import BalanceLock, BalanceStatus, IdAmount, ReserveData
from substrate.runtime.hashers import Blake2_128Concat
from substrate.runtime.pallet import Error, Event, Pallet, constant
from substrate.runtime.storage import StorageMap, StorageValue, storage_map, storage_value
from substrate.scale.types import MaxLen, u32
from substrate.types import AccountId, Balance

MAX_LOCKS = 50
ZERO = Balance(0)


class BalancesBase(Pallet):
    """What the balances pallet stores and says."""

    total_issuance: StorageValue[Balance] = storage_value(default=ZERO)
    inactive_issuance: StorageValue[Balance] = storage_value(default=ZERO)
    account: StorageMap[AccountId, AccountData] = storage_map(Blake2_128Concat, default=AccountData())
    """Upstream's alternative store; balances are in `System.Account` here too, so this stays empty: wallets read it."""
    locks: StorageMap[AccountId, Annotated[tuple[BalanceLock, ...], MaxLen(MAX_LOCKS)]] = storage_map(
        Blake2_128Concat, default=()
    )
    reserves: StorageMap[AccountId, Annotated[tuple[ReserveData, ...], MaxLen(MAX_LOCKS)]] = storage_map(
        Blake2_128Concat, default=()
    )
    """Nothing is reserved, held or frozen under a name: these three stay empty, and wallets read them."""
    holds: StorageMap[AccountId, Annotated[tuple[IdAmount, ...], MaxLen(MAX_LOCKS)]] = storage_map(
        Blake2_128Concat, default=()
    )
    freezes: StorageMap[AccountId, Annotated[tuple[IdAmount, ...], MaxLen(MAX_LOCKS)]] = storage_map(
        Blake2_128Concat, default=()
    )

    existential_deposit: Balance = constant(Balance(1_000_000))
    max_locks: u32 = constant(MAX_LOCKS)
    max_reserves: u32 = constant(MAX_LOCKS)
    max_freezes: u32 = constant(MAX_LOCKS)

    class Endowed(Event):
        """An account was created with some free balance."""

        account: AccountId
        free_balance: Balance

    class DustLost(Event):
        """An account was removed whose balance was non-zero but below the existential deposit."""

        account: AccountId
        amount: Balance

    class Transfer(Event):
        """Transfer succeeded."""

        from_: AccountId
        to: AccountId
        amount: Balance

    class BalanceSet(Event):
        """A balance was set by root."""

        who: AccountId
        free: Balance

    class Reserved(Event):
        """Some balance was reserved (moved from free to reserved)."""

        who: AccountId
        amount: Balance

    class Unreserved(Event):
        """Some balance was unreserved (moved from reserved to free)."""

        who: AccountId
        amount: Balance

    class ReserveRepatriated(Event):
        """Some balance was moved from the reserve of the first account to the second account."""

        from_: AccountId
        to: AccountId
        amount: Balance
        destination_status: BalanceStatus

    class Deposit(Event):
        """Some amount was deposited (e.g. for transaction fees)."""

        who: AccountId
        amount: Balance

    class Withdraw(Event):
        """Some amount was withdrawn from the account (e.g. for transaction fees)."""

        who: AccountId
        amount: Balance

    class Slashed(Event):
        """Some amount was removed from the account (e.g. for misbehavior)."""

        who: AccountId
        amount: Balance

    class Minted(Event):
        """Some amount was minted into an account."""

        who: AccountId
        amount: Balance

    class Burned(Event):
        """Some amount was burned from an account."""

        who: AccountId
        amount: Balance

    class Suspended(Event):
        """Some amount was suspended from an account (it can be restored later)."""

        who: AccountId
        amount: Balance

    class Restored(Event):
        """Some amount was restored into an account."""

        who: AccountId
        amount: Balance

    class Upgraded(Event):
        """An account was upgraded."""

        who: AccountId

    class Issued(Event):
        """Total issuance was increased by `amount`, creating a credit to be balanced."""

        amount: Balance

    class Rescinded(Event):
        """Total issuance was decreased by `amount`, creating a debt to be balanced."""

        amount: Balance

    class Locked(Event):
        """Some balance was locked."""

        who: AccountId
        amount: Balance

    class Unlocked(Event):
        """Some balance was unlocked."""

        who: AccountId
        amount: Balance

    class Frozen(Event):
        """Some balance was frozen."""

        who: AccountId
        amount: Balance

    class Thawed(Event):
        """Some balance was thawed."""

        who: AccountId
        amount: Balance

    class TotalIssuanceForced(Event):
        """The `TotalIssuance` was forcefully changed."""

        old: Balance
        new: Balance

    class VestingBalance(Error):
        """Vesting balance too high to send value."""

    class LiquidityRestrictions(Error):
        """Account liquidity restrictions prevent withdrawal."""

    class InsufficientBalance(Error):
        """Balance too low to send value."""

    class ExistentialDeposit(Error):
        """Value too low to create account due to existential deposit."""

    class Expendability(Error):
        """Transfer/payment would kill account."""

    class ExistingVestingSchedule(Error):
        """A vesting schedule already exists for this account."""

    class DeadAccount(Error):
        """Beneficiary account must pre-exist."""

    class TooManyReserves(Error):
        """Number of named reserves exceed `MaxReserves`."""

    class TooManyHolds(Error):
        """Number of holds exceed `VariantCountOf<T::RuntimeHoldReason>`."""

    class TooManyFreezes(Error):
        """Number of freezes exceed `MaxFreezes`."""

    class IssuanceDeactivated(Error):
        """The issuance cannot be modified since it is already deactivated."""

    class DeltaZero(Error):
        """The delta cannot be zero."""
