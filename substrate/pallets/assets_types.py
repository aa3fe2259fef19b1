"""Assets: types, and the rules that need no storage.

Source: polkadot-sdk, `substrate/frame/assets/src/{types,functions}.rs`.
"""

from enum import IntEnum
from typing import Annotated, Any, NamedTuple, TypeAlias

from substrate.pallets.generic import Parameter
from substrate.runtime.dispatch import ArithmeticErrorKind, TokenError, arithmetic_error, token_error
from substrate.scale.types import MaxLen, Struct, enum_path, path, u8, u32, unit, variant
from substrate.types import AccountId, Balance

AssetId: TypeAlias = Annotated[Any, Parameter("AssetId")]
"""The asset id in storage and events."""
AssetIdParameter: TypeAlias = Annotated[Any, Parameter("AssetIdParameter")]
"""The asset id in calls: compact where it is a number."""

STRING_LIMIT = 50
U128_MAX = 2**128 - 1
AssetText: TypeAlias = Annotated[bytes, MaxLen(STRING_LIMIT)]


@path("pallet_assets::types::AssetStatus")
class AssetStatus(IntEnum):
    """Whether an asset can be used."""

    Live = 0
    Frozen = 1
    Destroying = 2


@path("pallet_assets::types::AccountStatus")
class AccountStatus(IntEnum):
    """Whether an asset account can send and receive."""

    Liquid = 0
    Frozen = 1
    """It can receive but not send."""
    Blocked = 2


@variant(0, name="Consumer")
class ByConsumer(Struct):
    """A consumer reference: the account has other providers."""


@variant(1, name="Sufficient")
class BySufficient(Struct):
    """The asset is sufficient."""


@variant(2, name="DepositHeld", unnamed=True)
class ByDepositHeld(Struct):
    """The account's own deposit."""

    amount: Balance


@variant(3, name="DepositRefunded")
class ByDepositRefunded(Struct):
    """A deposit that was refunded."""


@variant(4, name="DepositFrom", unnamed=True)
class ByDepositFrom(Struct):
    """Another account's deposit."""

    depositor: AccountId
    amount: Balance


ExistenceReason: TypeAlias = ByConsumer | BySufficient | ByDepositHeld | ByDepositRefunded | ByDepositFrom
"""What keeps an asset account alive."""
enum_path(
    ExistenceReason, "pallet_assets::types::ExistenceReason", params=(("Balance", Balance), ("AccountId", AccountId))
)


@path("pallet_assets::types::AssetDetails")
class AssetDetails(Struct):
    """An asset. Fields are in SCALE order."""

    owner: AccountId
    issuer: AccountId
    admin: AccountId
    freezer: AccountId
    supply: Balance
    deposit: Balance
    min_balance: Balance
    is_sufficient: bool
    accounts: u32
    sufficients: u32
    approvals: u32
    status: AssetStatus


@path("pallet_assets::types::AssetAccount")
class AssetAccount(Struct):
    """One account's holding of an asset. Fields are in SCALE order."""

    balance: Balance
    status: AccountStatus
    reason: ExistenceReason
    extra: unit = ()

    @property
    def is_frozen(self) -> bool:
        """Whether it cannot send."""
        return self.status != AccountStatus.Liquid


@path("pallet_assets::types::Approval")
class Approval(Struct):
    """What a delegate may still transfer."""

    amount: Balance
    deposit: Balance


@path("pallet_assets::types::AssetMetadata")
class AssetMetadata(Struct):
    """What people call an asset. Fields are in SCALE order."""

    deposit: Balance = Balance(0)
    name: AssetText = b""
    symbol: AssetText = b""
    decimals: u8 = 0
    is_frozen: bool = False


class Debit(NamedTuple):
    """How a balance may be lowered."""

    keep_alive: bool = False
    best_effort: bool = False


def check_increase(
    details: AssetDetails, account: AssetAccount | None, amount: int, *, can_exist: bool, minted: bool
) -> None:
    """Refuse to raise a balance.

    Args:
        details: The asset.
        account: The receiver's holding, if it has one.
        amount: What it should receive.
        can_exist: Whether the receiver could take the references of a new holding.
        minted: Whether the supply grows with it.

    Raises:
        DispatchFailure: `Overflow`, `Blocked`, `BelowMinimum`, `CannotCreate`.
    """
    if minted and details.supply + amount > U128_MAX:
        raise arithmetic_error(ArithmeticErrorKind.Overflow)
    if account is not None:
        if account.status == AccountStatus.Blocked:
            raise token_error(TokenError.Blocked)
        if account.balance + amount > U128_MAX:
            raise arithmetic_error(ArithmeticErrorKind.Overflow)
        return
    if amount < details.min_balance:
        raise token_error(TokenError.BelowMinimum)
    if not details.is_sufficient and not can_exist:
        raise token_error(TokenError.CannotCreate)


def check_decrease(details: AssetDetails, account: AssetAccount | None, amount: int, *, keep_alive: bool) -> int:
    """Refuse to lower a balance; returns the dust that goes with it.

    Args:
        details: The asset.
        account: The sender's holding, if it has one.
        amount: What should go.
        keep_alive: Whether the holding must stay at the minimum balance.

    Raises:
        DispatchFailure: `Underflow`, `Frozen`, `UnknownAsset`, `FundsUnavailable`, `NotExpendable`.
    """
    if amount > details.supply:
        raise arithmetic_error(ArithmeticErrorKind.Underflow)
    if details.status == AssetStatus.Frozen:
        raise token_error(TokenError.Frozen)
    if details.status == AssetStatus.Destroying:
        raise token_error(TokenError.UnknownAsset)
    if amount == 0:
        return 0
    if account is None or amount > account.balance:
        raise token_error(TokenError.FundsUnavailable)
    if account.is_frozen:
        raise token_error(TokenError.Frozen)
    rest = account.balance - amount
    if rest >= details.min_balance:
        return 0
    if keep_alive:
        raise token_error(TokenError.NotExpendable)
    return rest


def most_reducible(details: AssetDetails, account: AssetAccount, *, keep_alive: bool) -> int:
    """How much of a liquid holding may go."""
    kept = details.min_balance if keep_alive else 0
    return min(max(account.balance - kept, 0), details.supply)


def deposit_of(reason: ExistenceReason, who: AccountId) -> tuple[AccountId, Balance] | None:
    """Who gave which deposit for a holding of `who`."""
    match reason:
        case ByDepositHeld(amount):
            return who, amount
        case ByDepositFrom(depositor, amount):
            return depositor, amount
        case _:
            return None
