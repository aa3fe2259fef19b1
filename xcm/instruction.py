"""Instructions of XCM version 5, and programs of them.

Source: polkadot-sdk, `polkadot/xcm/src/v5/mod.rs`; the XCM format specification.
"""

from enum import IntEnum
from typing import Annotated, Final, NewType, TypeAlias

from substrate.scale.types import Compact, EnumOf, MaxLen, Struct, enum_path, path, u32, u64, variant, wire
from substrate.types import Weight
from xcm.asset import Asset, AssetFilter, Assets, AssetTransferFilter
from xcm.error import Error
from xcm.junction import Bytes32, Junction, NetworkId
from xcm.location import Junctions, Location
from xcm.response import MaybeErrorCode, QueryResponseInfo, Response
from xcm.weight import WeightLimit

XCM_VERSION: Final = 5
MAX_INSTRUCTIONS: Final = 100
"""The most instructions a message may hold, nested programs included."""
MAX_DEPTH: Final = 8
"""How deep sequences may nest in a message."""


@path("xcm::v3::OriginKind")
class OriginKind(IntEnum):
    """How a location becomes the origin of a call."""

    Native = 0
    SovereignAccount = 1
    Superuser = 2
    Xcm = 3


@path("xcm::double_encoded::DoubleEncoded")
class DoubleEncoded(Struct):
    """An encoded call of the executing chain."""

    encoded: bytes


@variant(0)
class AssetClaimer(Struct):
    """Who may claim what gets trapped."""

    location: Location


Hint: TypeAlias = Annotated[AssetClaimer, EnumOf("staging_xcm::v5::Hint")]


@variant(0, unnamed=True)
class WithdrawAsset(Struct):
    """Take assets from the origin's account into holding."""

    assets: Assets


@variant(1, unnamed=True)
class ReserveAssetDeposited(Struct):
    """Derivatives of assets that the origin holds in reserve enter holding."""

    assets: Assets


@variant(2, unnamed=True)
class ReceiveTeleportedAsset(Struct):
    """Assets that the origin burned enter holding."""

    assets: Assets


@variant(3)
class QueryResponse(Struct):
    """Answer a query of `querier`."""

    query_id: Compact[u64]
    response: Response
    max_weight: Weight
    querier: Location | None


@variant(4)
class TransferAsset(Struct):
    """Move assets from the origin's account to another."""

    assets: Assets
    beneficiary: Location


@variant(5)
class TransferReserveAsset(Struct):
    """Move assets to the account of `dest` and tell it."""

    assets: Assets
    dest: Location
    xcm: "Xcm"


@variant(6)
class Transact(Struct):
    """Dispatch a call."""

    origin_kind: OriginKind
    fallback_max_weight: Weight | None
    call: DoubleEncoded


@variant(7)
class HrmpNewChannelOpenRequest(Struct):
    """A para asks for a channel to us."""

    sender: Compact[u32]
    max_message_size: Compact[u32]
    max_capacity: Compact[u32]


@variant(8)
class HrmpChannelAccepted(Struct):
    """A para accepted our channel."""

    recipient: Compact[u32]


@variant(9)
class HrmpChannelClosing(Struct):
    """A channel closes."""

    initiator: Compact[u32]
    sender: Compact[u32]
    recipient: Compact[u32]


@variant(10)
class ClearOrigin(Struct):
    """Give up the origin."""


@variant(11, unnamed=True)
class DescendOrigin(Struct):
    """Become an interior of the origin."""

    interior: Junctions


@variant(12, unnamed=True)
class ReportError(Struct):
    """Report the error register."""

    response_info: QueryResponseInfo


@variant(13)
class DepositAsset(Struct):
    """Put assets from holding on an account."""

    assets: AssetFilter
    beneficiary: Location


@variant(14)
class DepositReserveAsset(Struct):
    """Put assets from holding on the account of `dest` and tell it."""

    assets: AssetFilter
    dest: Location
    xcm: "Xcm"


@variant(15)
class ExchangeAsset(Struct):
    """Swap assets in holding."""

    give: AssetFilter
    want: Assets
    maximal: bool


@variant(16)
class InitiateReserveWithdraw(Struct):
    """Burn derivatives in holding and withdraw them at their reserve."""

    assets: AssetFilter
    reserve: Location
    xcm: "Xcm"


@variant(17)
class InitiateTeleport(Struct):
    """Burn assets in holding and mint them at `dest`."""

    assets: AssetFilter
    dest: Location
    xcm: "Xcm"


@variant(18)
class ReportHolding(Struct):
    """Report what holding holds."""

    response_info: QueryResponseInfo
    assets: AssetFilter


@variant(19)
class BuyExecution(Struct):
    """Pay for weight from holding."""

    fees: Asset
    weight_limit: WeightLimit


@variant(20)
class RefundSurplus(Struct):
    """Get unused weight's fees back into holding."""


@variant(21, unnamed=True)
class SetErrorHandler(Struct):
    """Set what runs after an error."""

    xcm: "Xcm"


@variant(22, unnamed=True)
class SetAppendix(Struct):
    """Set what runs at the end."""

    xcm: "Xcm"


@variant(23)
class ClearError(Struct):
    """Clear the error register."""


@variant(24)
class ClaimAsset(Struct):
    """Take trapped assets into holding."""

    assets: Assets
    ticket: Location


@variant(25, unnamed=True)
class Trap(Struct):
    """Fail."""

    code: Compact[u64]


@variant(26)
class SubscribeVersion(Struct):
    """Ask to be told our XCM version."""

    query_id: Compact[u64]
    max_response_weight: Weight


@variant(27)
class UnsubscribeVersion(Struct):
    """Cancel `SubscribeVersion`."""


@variant(28, unnamed=True)
class BurnAsset(Struct):
    """Destroy assets in holding."""

    assets: Assets


@variant(29, unnamed=True)
class ExpectAsset(Struct):
    """Fail unless holding has these."""

    assets: Assets


@variant(30, unnamed=True)
class ExpectOrigin(Struct):
    """Fail unless this is the origin."""

    origin: Location | None


@variant(31, unnamed=True)
class ExpectError(Struct):
    """Fail unless this is the error register."""

    error: tuple[u32, Error] | None


@variant(32, unnamed=True)
class ExpectTransactStatus(Struct):
    """Fail unless this is the transact status."""

    status: MaybeErrorCode


@variant(33)
class QueryPallet(Struct):
    """Report pallets of a name."""

    module_name: bytes
    response_info: QueryResponseInfo


@variant(34)
class ExpectPallet(Struct):
    """Fail unless we have this pallet."""

    index: Compact[u32]
    name: bytes
    module_name: bytes
    crate_major: Compact[u32]
    min_crate_minor: Compact[u32]


@variant(35, unnamed=True)
class ReportTransactStatus(Struct):
    """Report the transact status."""

    response_info: QueryResponseInfo


@variant(36)
class ClearTransactStatus(Struct):
    """Clear the transact status."""


@variant(37, unnamed=True)
class UniversalOrigin(Struct):
    """Become another consensus system's origin."""

    junction: Junction


@variant(38)
class ExportMessage(Struct):
    """Send through a bridge."""

    network: NetworkId
    destination: Junctions
    xcm: "Xcm"


@variant(39)
class LockAsset(Struct):
    """Lock an asset of the origin."""

    asset: Asset
    unlocker: Location


@variant(40)
class UnlockAsset(Struct):
    """Undo `LockAsset`."""

    asset: Asset
    target: Location


@variant(41)
class NoteUnlockable(Struct):
    """An asset is locked for us at the origin."""

    asset: Asset
    owner: Location


@variant(42)
class RequestUnlock(Struct):
    """Ask for an unlock."""

    asset: Asset
    locker: Location


@variant(43)
class SetFeesMode(Struct):
    """Choose where delivery fees come from."""

    jit_withdraw: bool


@variant(44, unnamed=True)
class SetTopic(Struct):
    """Name the message."""

    topic: Bytes32


@variant(45)
class ClearTopic(Struct):
    """Forget the name."""


@variant(46, unnamed=True)
class AliasOrigin(Struct):
    """Become another location."""

    location: Location


@variant(47)
class UnpaidExecution(Struct):
    """Run without paying."""

    weight_limit: WeightLimit
    check_origin: Location | None


@variant(48)
class PayFees(Struct):
    """Pay for the whole message, and for what it sends."""

    asset: Asset


@variant(49)
class InitiateTransfer(Struct):
    """Send assets of several kinds in one message."""

    destination: Location
    remote_fees: AssetTransferFilter | None
    preserve_origin: bool
    assets: Annotated[tuple[AssetTransferFilter, ...], MaxLen(6)]
    remote_xcm: "Xcm"


@variant(50)
class ExecuteWithOrigin(Struct):
    """Run a program as an interior of the origin."""

    descendant_origin: Junctions | None
    xcm: "Xcm"


@variant(51)
class SetHints(Struct):
    """Set hints for the machine."""

    hints: Annotated[tuple[Hint, ...], MaxLen(1)]


Instruction: TypeAlias = (
    WithdrawAsset
    | ReserveAssetDeposited
    | ReceiveTeleportedAsset
    | QueryResponse
    | TransferAsset
    | TransferReserveAsset
    | Transact
    | HrmpNewChannelOpenRequest
    | HrmpChannelAccepted
    | HrmpChannelClosing
    | ClearOrigin
    | DescendOrigin
    | ReportError
    | DepositAsset
    | DepositReserveAsset
    | ExchangeAsset
    | InitiateReserveWithdraw
    | InitiateTeleport
    | ReportHolding
    | BuyExecution
    | RefundSurplus
    | SetErrorHandler
    | SetAppendix
    | ClearError
    | ClaimAsset
    | Trap
    | SubscribeVersion
    | UnsubscribeVersion
    | BurnAsset
    | ExpectAsset
    | ExpectOrigin
    | ExpectError
    | ExpectTransactStatus
    | QueryPallet
    | ExpectPallet
    | ReportTransactStatus
    | ClearTransactStatus
    | UniversalOrigin
    | ExportMessage
    | LockAsset
    | UnlockAsset
    | NoteUnlockable
    | RequestUnlock
    | SetFeesMode
    | SetTopic
    | ClearTopic
    | AliasOrigin
    | UnpaidExecution
    | PayFees
    | InitiateTransfer
    | ExecuteWithOrigin
    | SetHints
)
enum_path(Instruction, "staging_xcm::v5::Instruction")

Xcm = NewType("Xcm", tuple[Instruction, ...])
"""A program."""
wire(Xcm, Annotated[tuple[Instruction, ...], MaxLen(MAX_INSTRUCTIONS)], path="staging_xcm::v5::Xcm")
