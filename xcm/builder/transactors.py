"""Asset transactors over the chain's ledgers.

Source: polkadot-sdk, `polkadot/xcm/xcm-builder/src/{fungible_adapter,fungibles_adapter}.rs`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, Protocol, TypeVar

from substrate.errors import ChainError
from substrate.types import AccountId
from xcm import error as e
from xcm.asset import Asset
from xcm.builder.location_conversion import LocationConverter
from xcm.builder.matchers import MatchesFungible, MatchesFungibles
from xcm.error import Error, XcmFailure
from xcm.executor.config import AssetTransactor, Context
from xcm.location import Location

FAILED: Final = e.FailedToTransactAsset()

A = TypeVar("A")
A_contra = TypeVar("A_contra", contravariant=True)


class Currency(Protocol):
    """A ledger of one asset; raises `ChainError` and changes nothing where it refuses."""

    def mint_into(self, who: AccountId, amount: int) -> object:
        """Create an amount on an account."""
        ...

    def burn_from(self, who: AccountId, amount: int) -> object:
        """Destroy an amount on an account, which may die of it."""
        ...

    def transfer(self, source: AccountId, dest: AccountId, amount: int) -> object:
        """Move an amount; the source may die of it."""
        ...


class MultiCurrency(Protocol[A_contra]):
    """A ledger of many assets; raises `ChainError` and changes nothing where it refuses."""

    def mint_into(self, asset_id: A_contra, who: AccountId, amount: int) -> object:
        """Create an amount on an account."""
        ...

    def burn_from(self, asset_id: A_contra, who: AccountId, amount: int) -> object:
        """Destroy an amount on an account."""
        ...

    def do_transfer(self, asset_id: A_contra, source: AccountId, dest: AccountId, amount: int) -> object:
        """Move an amount."""
        ...


class MintLocation(Enum):
    """Where an asset is really minted."""

    LOCAL = "local"
    """Here: what leaves is set aside, what comes back is taken from there."""
    NON_LOCAL = "non-local"
    """Elsewhere: what comes is noted, what leaves must have come."""


@dataclass(frozen=True)
class Checking:
    """The account that keeps count of teleports."""

    account: AccountId
    mint: MintLocation


@contextmanager
def _transacting(name: str, error: Error = FAILED) -> Generator[None]:
    """A ledger's refusal is an error of the program."""
    try:
        yield
    except XcmFailure:
        raise
    except ChainError as failure:
        raise XcmFailure(error, f"{name}: {failure}") from failure


def _account(accounts: LocationConverter, place: Location) -> AccountId:
    account = accounts.convert_location(place)
    if account is None:
        raise XcmFailure(FAILED, f"{place} has no account")
    return account


class _Adapter(ABC):
    """The shape that both adapters share: find the ledger's operations for an asset, then use them."""

    accounts: LocationConverter
    checking: Checking | None

    @abstractmethod
    def _ledger(self, asset: Asset) -> "_Operations": ...

    def deposit_asset(self, asset: Asset, who: Location, context: Context) -> None:
        ledger = self._ledger(asset)
        account = _account(self.accounts, who)
        with _transacting("deposit"):
            ledger.mint(account)

    def withdraw_asset(self, asset: Asset, who: Location, context: Context) -> None:
        ledger = self._ledger(asset)
        account = _account(self.accounts, who)
        with _transacting("withdraw"):
            ledger.burn(account)

    def transfer_asset(self, asset: Asset, source: Location, dest: Location, context: Context) -> None:
        ledger = self._ledger(asset)
        giver, taker = _account(self.accounts, source), _account(self.accounts, dest)
        with _transacting("transfer"):
            ledger.transfer(giver, taker)

    def can_check_in(self, asset: Asset, origin: Location, context: Context) -> None:
        self._ledger(asset)

    def check_in(self, asset: Asset, origin: Location, context: Context) -> None:
        self._check(asset, reduces=MintLocation.LOCAL)

    def can_check_out(self, asset: Asset, dest: Location, context: Context) -> None:
        self._ledger(asset)

    def check_out(self, asset: Asset, dest: Location, context: Context) -> None:
        self._check(asset, reduces=MintLocation.NON_LOCAL)

    def _check(self, asset: Asset, *, reduces: MintLocation) -> None:
        ledger, checking = self._ledger(asset), self.checking
        if checking is None:
            return
        # Checked by doing: what was not checked out cannot be checked in. Each runs in the instruction's transaction.
        if checking.mint is reduces:
            with _transacting("teleport check", e.NotWithdrawable()):
                ledger.burn(checking.account)
        else:
            with _transacting("teleport check", e.NotDepositable()):
                ledger.mint(checking.account)


@dataclass(frozen=True)
class _Operations:
    """A ledger's operations on one amount of one asset."""

    mint: Callable[[AccountId], object]
    burn: Callable[[AccountId], object]
    transfer: Callable[[AccountId, AccountId], object]


@dataclass(frozen=True)
class FungibleAdapter(_Adapter):
    """One asset on the ledger of a currency."""

    currency: Currency
    matcher: MatchesFungible
    accounts: LocationConverter
    checking: Checking | None = None

    def _ledger(self, asset: Asset) -> _Operations:
        amount, currency = self.matcher.matches_fungible(asset), self.currency
        if amount is None:
            raise XcmFailure(e.AssetNotFound(), str(asset.id))
        return _Operations(
            lambda who: currency.mint_into(who, amount),
            lambda who: currency.burn_from(who, amount),
            lambda source, dest: currency.transfer(source, dest, amount),
        )


@dataclass(frozen=True)
class FungiblesAdapter(_Adapter, Generic[A]):
    """Many assets on the ledger of a multi-asset pallet."""

    currencies: MultiCurrency[A]
    matcher: MatchesFungibles[A]
    accounts: LocationConverter
    checking: Checking | None = None

    def _ledger(self, asset: Asset) -> _Operations:
        matched, currencies = self.matcher.matches_fungibles(asset), self.currencies
        if matched is None:
            raise XcmFailure(e.AssetNotFound(), str(asset.id))
        id, amount = matched
        return _Operations(
            lambda who: currencies.mint_into(id, who, amount),
            lambda who: currencies.burn_from(id, who, amount),
            lambda source, dest: currencies.do_transfer(id, source, dest, amount),
        )


@dataclass(frozen=True)
class FirstTransactor:
    """The first transactor that knows an asset moves it."""

    transactors: tuple[AssetTransactor, ...]

    def _first(self, act: Callable[[AssetTransactor], None]) -> None:
        for transactor in self.transactors:
            try:
                act(transactor)
            except XcmFailure as failure:
                if not isinstance(failure.error, e.AssetNotFound):
                    raise
            else:
                return
        raise XcmFailure(e.AssetNotFound(), "no transactor knows it")

    def deposit_asset(self, asset: Asset, who: Location, context: Context) -> None:
        self._first(lambda transactor: transactor.deposit_asset(asset, who, context))

    def withdraw_asset(self, asset: Asset, who: Location, context: Context) -> None:
        self._first(lambda transactor: transactor.withdraw_asset(asset, who, context))

    def transfer_asset(self, asset: Asset, source: Location, dest: Location, context: Context) -> None:
        self._first(lambda transactor: transactor.transfer_asset(asset, source, dest, context))

    def can_check_in(self, asset: Asset, origin: Location, context: Context) -> None:
        self._first(lambda transactor: transactor.can_check_in(asset, origin, context))

    def check_in(self, asset: Asset, origin: Location, context: Context) -> None:
        self._first(lambda transactor: transactor.check_in(asset, origin, context))

    def can_check_out(self, asset: Asset, dest: Location, context: Context) -> None:
        self._first(lambda transactor: transactor.can_check_out(asset, dest, context))

    def check_out(self, asset: Asset, dest: Location, context: Context) -> None:
        self._first(lambda transactor: transactor.check_out(asset, dest, context))
