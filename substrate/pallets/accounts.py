"""Accounts: what the system pallet keeps of each, and the rules of its reference counters.

An account lives while something provides for it; while something consumes it, its last provider must stay.
Source: polkadot-sdk, `substrate/frame/system/src/lib.rs`, `substrate/frame/balances/src/types.rs`.
"""

from enum import Enum

import msgspec

from substrate.runtime.dispatch import ConsumerRemaining, DispatchFailure, NoProviders, TooManyConsumers
from substrate.scale.types import Struct, path, u32, u128
from substrate.types import Balance, Nonce

NEW_LOGIC_FLAG = 1 << 127


@path("pallet_balances::types::AccountData")
class AccountData(Struct):
    """The balances of an account. Fields are in SCALE order."""

    free: Balance = Balance(0)
    reserved: Balance = Balance(0)
    frozen: Balance = Balance(0)
    """Free and reserved together may not fall below this (unless forced)."""
    flags: u128 = NEW_LOGIC_FLAG
    """Upstream's `ExtraFlags`: only the top bit is used, set on every account we write."""

    @property
    def total(self) -> int:
        """Free and reserved balance."""
        return self.free + self.reserved


@path("frame_system::AccountInfo")
class AccountInfo(Struct):
    """An account. Fields are in SCALE order."""

    nonce: Nonce = Nonce(0)
    consumers: u32 = 0
    providers: u32 = 0
    sufficients: u32 = 0
    data: AccountData = AccountData()

    @property
    def exists(self) -> bool:
        """Whether anything keeps the account alive."""
        return self.providers > 0 or self.sufficients > 0

    @property
    def can_dec_provider(self) -> bool:
        """Whether a provider may go without stranding a consumer."""
        return self.consumers == 0 or self.providers > 1


NO_ACCOUNT = AccountInfo()


class Life(Enum):
    """What a change of counters did to the account."""

    SAME = "same"
    CREATED = "created"
    KILLED = "killed"


def inc_providers(info: AccountInfo) -> AccountInfo:
    """Add a provider; the account comes to life if it had none."""
    return msgspec.structs.replace(info, providers=info.providers + 1)


def dec_providers(info: AccountInfo) -> AccountInfo | None:
    """Remove a provider; None when the account dies with it.

    Raises:
        DispatchFailure: `ConsumerRemaining`.
    """
    providers = max(info.providers, 1)
    if providers == 1 and info.consumers > 0:
        raise DispatchFailure(ConsumerRemaining())
    if providers == 1 and info.sufficients == 0:
        return None
    return msgspec.structs.replace(info, providers=providers - 1)


def inc_sufficients(info: AccountInfo) -> AccountInfo:
    """Add a self-sufficient reference."""
    return msgspec.structs.replace(info, sufficients=info.sufficients + 1)


def dec_sufficients(info: AccountInfo) -> AccountInfo | None:
    """Remove a self-sufficient reference; None when the account dies with it."""
    sufficients = max(info.sufficients, 1)
    if sufficients == 1 and info.providers == 0:
        return None
    return msgspec.structs.replace(info, sufficients=sufficients - 1)


def inc_consumers(info: AccountInfo, limit: int | None) -> AccountInfo:
    """Add a consumer.

    Args:
        info: The account.
        limit: Most consumers allowed, or None where the caller must not be refused for that.

    Raises:
        DispatchFailure: `NoProviders`, `TooManyConsumers`.
    """
    if info.providers == 0:
        raise DispatchFailure(NoProviders())
    if limit is not None and info.consumers >= limit:
        raise DispatchFailure(TooManyConsumers())
    return msgspec.structs.replace(info, consumers=info.consumers + 1)


def dec_consumers(info: AccountInfo) -> AccountInfo:
    """Remove a consumer; none is left below zero."""
    return msgspec.structs.replace(info, consumers=max(info.consumers - 1, 0))


def life(before: AccountInfo, after: AccountInfo | None) -> Life:
    """Compare two states of an account."""
    lives = after is not None and after.exists
    if lives == before.exists:
        return Life.SAME
    return Life.CREATED if lives else Life.KILLED
