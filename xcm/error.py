"""Why an instruction failed.

Source: polkadot-sdk, `polkadot/xcm/src/v5/traits.rs`.
"""

from typing import TypeAlias

from substrate.errors import ChainError
from substrate.scale.types import Struct, enum_path, u64, variant
from substrate.types import Weight


@variant(0)
class Overflow(Struct):
    """An arithmetic overflow."""


@variant(1)
class Unimplemented(Struct):
    """This machine does not know the instruction."""


@variant(2)
class UntrustedReserveLocation(Struct):
    """The origin is no reserve of the asset here."""


@variant(3)
class UntrustedTeleportLocation(Struct):
    """The origin may not teleport the asset here."""


@variant(4)
class LocationFull(Struct):
    """A location has no room for more junctions."""


@variant(5)
class LocationNotInvertible(Struct):
    """A location cannot be inverted."""


@variant(6)
class BadOrigin(Struct):
    """The origin may not do this."""


@variant(7)
class InvalidLocation(Struct):
    """A location makes no sense here."""


@variant(8)
class AssetNotFound(Struct):
    """No transactor knows the asset."""


@variant(9)
class FailedToTransactAsset(Struct):
    """Moving the asset failed; the text is not encoded."""


@variant(10)
class NotWithdrawable(Struct):
    """The asset cannot be withdrawn."""


@variant(11)
class LocationCannotHold(Struct):
    """The location cannot hold the asset."""


@variant(12)
class ExceedsMaxMessageSize(Struct):
    """The message is too large for its channel."""


@variant(13)
class DestinationUnsupported(Struct):
    """The destination understands no version of the message."""


@variant(14)
class Transport(Struct):
    """The transport failed."""


@variant(15)
class Unroutable(Struct):
    """No route leads to the destination."""


@variant(16)
class UnknownClaim(Struct):
    """Nothing is trapped that matches the claim."""


@variant(17)
class FailedToDecode(Struct):
    """The call cannot be decoded."""


@variant(18)
class MaxWeightInvalid(Struct):
    """The call weighs more than the message allows."""


@variant(19)
class NotHoldingFees(Struct):
    """The fees are not in holding."""


@variant(20)
class TooExpensive(Struct):
    """The fees do not buy the weight."""


@variant(21, unnamed=True)
class Trap(Struct):
    """The program trapped itself."""

    code: u64


@variant(22)
class ExpectationFalse(Struct):
    """An expectation does not hold."""


@variant(23)
class PalletNotFound(Struct):
    """There is no such pallet."""


@variant(24)
class NameMismatch(Struct):
    """The pallet has another name."""


@variant(25)
class VersionIncompatible(Struct):
    """The pallet has an incompatible version."""


@variant(26)
class HoldingWouldOverflow(Struct):
    """Holding has no room for the assets."""


@variant(27)
class ExportError(Struct):
    """The message cannot be exported."""


@variant(28)
class ReanchorFailed(Struct):
    """An asset cannot be named from elsewhere."""


@variant(29)
class NoDeal(Struct):
    """The exchange was refused."""


@variant(30)
class FeesNotMet(Struct):
    """The fees are not paid."""


@variant(31)
class LockError(Struct):
    """The lock failed."""


@variant(32)
class NoPermission(Struct):
    """The call is not allowed."""


@variant(33)
class Unanchored(Struct):
    """The context has no global consensus."""


@variant(34)
class NotDepositable(Struct):
    """The asset cannot be deposited."""


@variant(35)
class TooManyAssets(Struct):
    """More assets than the instruction takes."""


@variant(36)
class UnhandledXcmVersion(Struct):
    """The version is not handled."""


@variant(37, unnamed=True)
class WeightLimitReached(Struct):
    """The message weighs more than the limit."""

    required: Weight


@variant(38)
class Barrier(Struct):
    """The barrier refused the message."""


@variant(39)
class WeightNotComputable(Struct):
    """The message cannot be weighed."""


@variant(40)
class ExceedsStackLimit(Struct):
    """The message recursed too deeply."""


Error: TypeAlias = (
    Overflow
    | Unimplemented
    | UntrustedReserveLocation
    | UntrustedTeleportLocation
    | LocationFull
    | LocationNotInvertible
    | BadOrigin
    | InvalidLocation
    | AssetNotFound
    | FailedToTransactAsset
    | NotWithdrawable
    | LocationCannotHold
    | ExceedsMaxMessageSize
    | DestinationUnsupported
    | Transport
    | Unroutable
    | UnknownClaim
    | FailedToDecode
    | MaxWeightInvalid
    | NotHoldingFees
    | TooExpensive
    | Trap
    | ExpectationFalse
    | PalletNotFound
    | NameMismatch
    | VersionIncompatible
    | HoldingWouldOverflow
    | ExportError
    | ReanchorFailed
    | NoDeal
    | FeesNotMet
    | LockError
    | NoPermission
    | Unanchored
    | NotDepositable
    | TooManyAssets
    | UnhandledXcmVersion
    | WeightLimitReached
    | Barrier
    | WeightNotComputable
    | ExceedsStackLimit
)
enum_path(Error, "xcm::v5::traits::Error")


class XcmFailure(ChainError):
    """Raised by a rule of the machine; ends the program with an XCM error."""

    def __init__(self, error: Error, detail: str = "") -> None:
        name = type(error).__name__
        super().__init__(f"{name}: {detail}" if detail else name)
        self.error = error
        self.detail = detail
