"""What dispatching a call yields: errors, weights and fees.

Source: polkadot-sdk, `substrate/primitives/runtime/src/lib.rs`, `substrate/frame/support/src/dispatch.rs`.
"""

from enum import IntEnum
from typing import Annotated, TypeAlias

from substrate.errors import ChainError
from substrate.scale.types import Fixed, Struct, enum_path, path, u8, variant
from substrate.types import Weight


@path("frame_support::dispatch::DispatchClass")
class DispatchClass(IntEnum):
    """Which share of the block a call draws on."""

    Normal = 0
    Operational = 1
    Mandatory = 2


@path("frame_support::dispatch::Pays")
class Pays(IntEnum):
    """Whether the caller pays a fee."""

    Yes = 0
    No = 1


@path("frame_system::DispatchEventInfo")
class DispatchInfo(Struct):
    """Weight and class of a dispatched call, as its success or failure event tells them."""

    weight: Weight
    class_: DispatchClass
    pays_fee: Pays


class PostInfo(Struct):
    """What a call says after it ran: None leaves the declared weight."""

    actual_weight: Weight | None = None
    pays_fee: Pays = Pays.Yes


@path("sp_runtime::TokenError")
class TokenError(IntEnum):
    """Why a token operation failed."""

    FundsUnavailable = 0
    OnlyProvider = 1
    BelowMinimum = 2
    CannotCreate = 3
    UnknownAsset = 4
    Frozen = 5
    Unsupported = 6
    CannotCreateHold = 7
    NotExpendable = 8
    Blocked = 9


@path("sp_arithmetic::ArithmeticError")
class ArithmeticErrorKind(IntEnum):
    """Why arithmetic failed."""

    Underflow = 0
    Overflow = 1
    DivisionByZero = 2


@path("sp_runtime::TransactionalError")
class TransactionalError(IntEnum):
    """Why a storage transaction failed."""

    LimitReached = 0
    NoLayer = 1


@path("sp_runtime::proving_trie::TrieError")
class TrieError(IntEnum):
    """Why a trie operation inside the runtime failed."""

    InvalidStateRoot = 0
    IncompleteDatabase = 1
    ValueAtIncompleteKey = 2
    DecoderError = 3
    InvalidHash = 4
    DuplicateKey = 5
    ExtraneousNode = 6
    ExtraneousValue = 7
    ExtraneousHashReference = 8
    InvalidChildReference = 9
    ValueMismatch = 10
    IncompleteProof = 11
    RootMismatch = 12
    DecodeError = 13


@path("sp_runtime::ModuleError")
class ModuleErrorValue(Struct):
    """A pallet's own error: the pallet's index, and the variant in the first byte."""

    index: u8
    error: Annotated[bytes, Fixed(4)]


@variant(0)
class Other(Struct):
    """An error with no variant of its own; its text is not encoded."""


@variant(1)
class CannotLookup(Struct):
    """An address could not be resolved."""


@variant(2)
class BadOrigin(Struct):
    """The origin may not call this."""


@variant(3, unnamed=True)
class Module(Struct):
    """A pallet's error."""

    value: ModuleErrorValue


@variant(4)
class ConsumerRemaining(Struct):
    """An account still has consumers."""


@variant(5)
class NoProviders(Struct):
    """An account has no provider."""


@variant(6)
class TooManyConsumers(Struct):
    """An account has too many consumers."""


@variant(7, unnamed=True)
class Token(Struct):
    """A token error."""

    value: TokenError


@variant(8, unnamed=True)
class Arithmetic(Struct):
    """An arithmetic error."""

    value: ArithmeticErrorKind


@variant(9, unnamed=True)
class Transactional(Struct):
    """A storage transaction error."""

    value: TransactionalError


@variant(10)
class Exhausted(Struct):
    """Resources are exhausted."""


@variant(11)
class Corruption(Struct):
    """The state is corrupt."""


@variant(12)
class Unavailable(Struct):
    """Some resource is unavailable."""


@variant(13)
class RootNotAllowed(Struct):
    """Root may not call this."""


@variant(14, unnamed=True)
class Trie(Struct):
    """A trie error."""

    value: TrieError


DispatchError: TypeAlias = (
    Other
    | CannotLookup
    | BadOrigin
    | Module
    | ConsumerRemaining
    | NoProviders
    | TooManyConsumers
    | Token
    | Arithmetic
    | Transactional
    | Exhausted
    | Corruption
    | Unavailable
    | RootNotAllowed
    | Trie
)
enum_path(DispatchError, "sp_runtime::DispatchError")


class DispatchFailure(ChainError):
    """A dispatch that ends in an error; the storage it touched is rolled back."""

    def __init__(self, error: DispatchError, info: PostInfo | None = None) -> None:
        super().__init__(repr(error))
        self.error = error
        self.info = info


def token_error(kind: TokenError) -> DispatchFailure:
    """A `DispatchFailure` with a token error."""
    return DispatchFailure(Token(kind))


def arithmetic_error(kind: ArithmeticErrorKind) -> DispatchFailure:
    """A `DispatchFailure` with an arithmetic error."""
    return DispatchFailure(Arithmetic(kind))


class DispatchResult(Struct):
    """How one extrinsic's call ended."""

    error: DispatchError | None
    info: DispatchInfo
    detail: str = ""
    """Text of the failure for people; never encoded into state."""
