"""Balances: rules over one account's balances.

Source: polkadot-sdk, `substrate/frame/balances/src/{impl_fungible,impl_currency,lib}.rs`.
"""

from collections.abc import Iterable
from enum import Enum, IntEnum
from typing import Annotated, NamedTuple

import msgspec

from substrate.pallets import accounts
from substrate.pallets.accounts import AccountData, AccountInfo
from substrate.runtime.dispatch import (
    ArithmeticErrorKind,
    TokenError,
    arithmetic_error,
    token_error,
)
from substrate.scale.types import Fixed, Struct, path
from substrate.types import Balance

U128_MAX = 2**128 - 1
LockId = Annotated[bytes, Fixed(8)]


class Preservation(Enum):
    """Whether an operation may end an account."""

    EXPENDABLE = "Expendable"
    PROTECT = "Protect"
    """It may die only if something else provides for it."""
    PRESERVE = "Preserve"


class Fortitude(Enum):
    """Whether an operation respects freezes."""

    POLITE = "Polite"
    FORCE = "Force"


class Precision(Enum):
    """Whether less than the wanted amount will do."""

    EXACT = "Exact"
    BEST_EFFORT = "BestEffort"


@path("pallet_balances::types::Reasons")
class Reasons(IntEnum):
    """What a lock keeps funds from."""

    Fee = 0
    Misc = 1
    All = 2


@path("frame_support::traits::tokens::misc::BalanceStatus")
class BalanceStatus(IntEnum):
    """Where repatriated funds land."""

    Free = 0
    Reserved = 1


@path("pallet_balances::types::AdjustmentDirection")
class AdjustmentDirection(IntEnum):
    """Which way the total issuance is forced."""

    Increase = 0
    Decrease = 1


@path("pallet_balances::types::BalanceLock")
class BalanceLock(Struct):
    """A lock on an account's balance; locks overlap."""

    id: LockId
    amount: Balance
    reasons: Reasons


@path("pallet_balances::types::ReserveData")
class ReserveData(Struct):
    """A named reserve."""

    id: LockId
    amount: Balance


@path("frame_support::traits::tokens::misc::IdAmount")
class IdAmount(Struct):
    """An amount held or frozen under a reason."""

    id: LockId
    amount: Balance


def reducible(info: AccountInfo, *, existential_deposit: int, preservation: Preservation, fortitude: Fortitude) -> int:
    """How much of the free balance may go."""
    data = info.data
    # Freezes apply to the total: what is reserved already counts towards them.
    untouchable = max(data.frozen - data.reserved, 0) if fortitude is Fortitude.POLITE else 0
    if (
        preservation is Preservation.PRESERVE
        or (preservation is Preservation.PROTECT and data.free and info.providers == 1)
        or (preservation is Preservation.EXPENDABLE and data.free and not info.can_dec_provider)
    ):
        untouchable = max(untouchable, existential_deposit)
    return max(data.free - untouchable, 0)


def reducible_on_hold(data: AccountData, fortitude: Fortitude) -> int:
    """How much of the reserved balance may go."""
    unavailable = 0 if fortitude is Fortitude.FORCE else max(data.frozen - data.free, 0)
    return max(data.reserved - unavailable, 0)


def check_deposit(data: AccountData, amount: int, *, existential_deposit: int) -> None:
    """Refuse a deposit that would not stand.

    Raises:
        DispatchFailure: `BelowMinimum`, `Overflow`.
    """
    if amount == 0:
        return
    free = data.free + amount
    if free < existential_deposit:
        raise token_error(TokenError.BelowMinimum)
    if free + data.reserved > U128_MAX:
        raise arithmetic_error(ArithmeticErrorKind.Overflow)


def check_withdraw(info: AccountInfo, amount: int, *, existential_deposit: int, issuance: int, keep: bool) -> int:
    """Refuse a withdrawal that would not stand; returns the dust it leaves to be lost.

    Args:
        info: The account.
        amount: What should go.
        existential_deposit: Least free balance of a living account.
        issuance: Total issuance.
        keep: Whether the account must stay alive.

    Raises:
        DispatchFailure: `Underflow`, `FundsUnavailable`, `Frozen`, `NotExpendable`.
    """
    if amount == 0:
        return 0
    if amount > issuance:
        raise arithmetic_error(ArithmeticErrorKind.Underflow)
    left = info.data.free - amount
    if left < 0:
        raise token_error(TokenError.FundsUnavailable)
    liquid = reducible(
        info,
        existential_deposit=existential_deposit,
        preservation=Preservation.EXPENDABLE,
        fortitude=Fortitude.POLITE,
    )
    if amount > liquid:  # freezes, and the existential deposit of an account that something consumes
        raise token_error(TokenError.Frozen)
    if left >= existential_deposit:
        return 0
    if keep:
        raise token_error(TokenError.NotExpendable)
    return left


def slashable(info: AccountInfo, value: int, *, existential_deposit: int) -> int:
    """How much of `value` a slash can take from the free balance without stranding a consumer."""
    free = info.data.free
    return min(value, free if info.can_dec_provider else max(free - existential_deposit, 0))


def frozen_by(locks: Iterable[BalanceLock], freezes: Iterable[IdAmount]) -> Balance:
    """What locks and freezes keep in the account; they overlap, so the largest counts."""
    amounts = [lock.amount for lock in locks] + [freeze.amount for freeze in freezes]
    return Balance(max(amounts, default=0))


def with_lock(locks: tuple[BalanceLock, ...], lock: BalanceLock) -> tuple[BalanceLock, ...]:
    """The locks with one more, or with it in the place of the one that has its id."""
    if any(each.id == lock.id for each in locks):
        return tuple(lock if each.id == lock.id else each for each in locks)
    return (*locks, lock)


def with_free(data: AccountData, free: int) -> AccountData:
    """The same balances with another free balance."""
    return AccountData(Balance(free), data.reserved, data.frozen, data.flags)


def moved(data: AccountData, *, free: int = 0, reserved: int = 0) -> AccountData:
    """The balances after signed changes of free and reserved."""
    return AccountData(Balance(data.free + free), Balance(data.reserved + reserved), data.frozen, data.flags)


class Settled(NamedTuple):
    """An account after its balances changed."""

    info: AccountInfo | None
    """None when it died."""
    endowed: Balance | None
    """Its free balance, if it had no balances before."""
    dust: Balance
    """What it lost for being below the existential deposit."""


def settle(info: AccountInfo, data: AccountData, *, existential_deposit: int, max_consumers: int | None) -> Settled:
    """Give an account new balances: adjust its reference counters, let it be born or die, take its dust.

    The free balance provides for the account from the existential deposit up; reserved and frozen balances consume it.

    Args:
        info: The account before.
        data: The wanted balances.
        existential_deposit: Least free balance of a living account.
        max_consumers: Most consumers, or None where the limit must not refuse.

    Raises:
        DispatchFailure: `ConsumerRemaining`, `NoProviders`, `TooManyConsumers`.
    """
    before = info.data
    is_new = before == AccountData()
    did_provide, does_provide = before.free >= existential_deposit, data.free >= existential_deposit
    did_consume = not is_new and bool(before.reserved or before.frozen)
    does_consume = bool(data.reserved or data.frozen)
    after: AccountInfo | None = info
    if does_provide and not did_provide:
        after = accounts.inc_providers(after)
    if did_consume and not does_consume:
        after = accounts.dec_consumers(after)
    if does_consume and not did_consume:
        after = accounts.inc_consumers(after, max_consumers)
    if did_provide and not does_provide:
        after = accounts.dec_providers(after)
    endowed = data.free if is_new else None
    dust = Balance(0)
    if data.free < existential_deposit and not data.reserved:
        dust, data = data.free, AccountData()
    assert not data.free or data.free >= existential_deposit or data.reserved, "dust is gone"
    if after is None or not after.exists:
        return Settled(None, endowed, dust)
    return Settled(msgspec.structs.replace(after, data=data), endowed, dust)
