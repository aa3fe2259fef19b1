"""Responses to queries.

Source: polkadot-sdk, `polkadot/xcm/src/v5/mod.rs`, `v4/mod.rs`.
"""

from typing import Annotated, TypeAlias

from substrate.scale.types import Compact, MaxLen, Struct, enum_path, path, u32, u64, variant
from substrate.types import Weight
from xcm.asset import Assets
from xcm.error import Error
from xcm.location import Location

MAX_DISPATCH_ERROR = 128
"""Longest error a `MaybeErrorCode` carries whole, bytes."""


@variant(0)
class Success(Struct):
    """The call succeeded."""


@variant(1, name="Error", unnamed=True)
class ErrorCode(Struct):
    """The call failed with this encoded error."""

    data: Annotated[bytes, MaxLen(MAX_DISPATCH_ERROR)]


@variant(2, unnamed=True)
class TruncatedError(Struct):
    """The call failed with an error of which this is the start."""

    data: Annotated[bytes, MaxLen(MAX_DISPATCH_ERROR)]


MaybeErrorCode: TypeAlias = Success | ErrorCode | TruncatedError
enum_path(MaybeErrorCode, "xcm::v3::MaybeErrorCode")


def error_code(encoded: bytes) -> MaybeErrorCode:
    """The status of a call that failed with an encoded error."""
    if len(encoded) > MAX_DISPATCH_ERROR:
        return TruncatedError(encoded[:MAX_DISPATCH_ERROR])
    return ErrorCode(encoded)


@path("staging_xcm::v5::PalletInfo")
class PalletInfo(Struct):
    """A pallet of the answering chain."""

    index: Compact[u32]
    name: Annotated[bytes, MaxLen(48)]
    module_name: Annotated[bytes, MaxLen(48)]
    major: Compact[u32]
    minor: Compact[u32]
    patch: Compact[u32]


@variant(0)
class Null(Struct):
    """Nothing."""


@variant(1, name="Assets", unnamed=True)
class AssetsResponse(Struct):
    """Some assets."""

    assets: Assets


@variant(2, unnamed=True)
class ExecutionResult(Struct):
    """The error of an execution, if it had one."""

    error: tuple[u32, Error] | None


@variant(3, unnamed=True)
class Version(Struct):
    """An XCM version."""

    version: u32


@variant(4, unnamed=True)
class PalletsInfo(Struct):
    """Some pallets."""

    pallets: Annotated[tuple[PalletInfo, ...], MaxLen(64)]


@variant(5, unnamed=True)
class DispatchResult(Struct):
    """The status of a `Transact`."""

    status: MaybeErrorCode


Response: TypeAlias = Null | AssetsResponse | ExecutionResult | Version | PalletsInfo | DispatchResult
enum_path(Response, "staging_xcm::v5::Response")


@path("staging_xcm::v5::QueryResponseInfo")
class QueryResponseInfo(Struct):
    """Where and how to answer."""

    destination: Location
    query_id: Compact[u64]
    max_weight: Weight
