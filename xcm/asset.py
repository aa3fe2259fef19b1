"""Assets: what they are, how much, sets of them, and filters over them.

Source: polkadot-sdk, `polkadot/xcm/src/v5/asset.rs`.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum, StrEnum
from typing import Annotated, Final, NewType, TypeAlias

from substrate.errors import DecodeError, RuleError
from substrate.scale.primitives import compact, read_compact
from substrate.scale.types import Compact, Custom, Fixed, MaxLen, Struct, enum_path, path, u32, u128, variant, wire
from xcm.checked import must
from xcm.junction import Bytes4, Bytes32, order_key
from xcm.location import Junctions, Location, LocationError, reanchored

ASSET: Final = "staging_xcm::v5::asset"
MAX_ASSETS: Final = 20
"""The most assets one set may hold on the wire."""
MAX_AMOUNT: Final = 2**128 - 1
"""Sums saturate here: what a reserve claims to have deposited may add up to more."""


class AssetReason(StrEnum):
    """Why a set of assets is malformed."""

    ZERO_AMOUNT = "ZeroAmount"
    OUT_OF_ORDER = "OutOfOrder"


class AssetError(RuleError):
    """Assets that the format refuses."""


@variant(0)
class Undefined(Struct):
    """No instance: the class alone."""


@variant(1, name="Index", unnamed=True)
class InstanceIndex(Struct):
    """An instance by number."""

    index: Compact[u128]


@variant(2, unnamed=True)
class Array4(Struct):
    """An instance by 4 bytes."""

    data: Bytes4


@variant(3, unnamed=True)
class Array8(Struct):
    """An instance by 8 bytes."""

    data: Annotated[bytes, Fixed(8)]


@variant(4, unnamed=True)
class Array16(Struct):
    """An instance by 16 bytes."""

    data: Annotated[bytes, Fixed(16)]


@variant(5, unnamed=True)
class Array32(Struct):
    """An instance by 32 bytes."""

    data: Bytes32


AssetInstance: TypeAlias = Undefined | InstanceIndex | Array4 | Array8 | Array16 | Array32
enum_path(AssetInstance, f"{ASSET}::AssetInstance")


def _encode_amount(amount: int) -> bytes:
    return compact(amount, 128)


def _decode_amount(data: bytes, offset: int) -> tuple[int, int]:
    amount, end = read_compact(data, offset, 128)
    if not amount:
        raise DecodeError(str(AssetReason.ZERO_AMOUNT), offset)
    return amount, end


@variant(0, unnamed=True)
class Fungible(Struct):
    """So many of an asset; bytes that say zero are refused."""

    amount: Annotated[int, Custom(_encode_amount, _decode_amount, Compact[u128])]


@variant(1, unnamed=True)
class NonFungible(Struct):
    """One instance of a class."""

    instance: AssetInstance


Fungibility: TypeAlias = Fungible | NonFungible
enum_path(Fungibility, f"{ASSET}::Fungibility")

AssetId = NewType("AssetId", Location)
"""An asset is named by the location that issues it."""
wire(AssetId, Location, path=f"{ASSET}::AssetId")


@path(f"{ASSET}::Asset")
class Asset(Struct):
    """An amount or an instance of an asset."""

    id: AssetId
    fun: Fungibility


def check_order(items: Sequence[Asset]) -> None:
    """Refuse assets that are out of order or repeat.

    Raises:
        AssetError: `OUT_OF_ORDER`.
    """
    for place in range(1, len(items)):
        if not _in_order(items[place - 1], items[place]):
            raise AssetError(AssetReason.OUT_OF_ORDER, index=place)


def _in_order(before: Asset, after: Asset) -> bool:
    """Fungibles rise strictly by id; instances may share theirs."""
    if before.id != after.id:
        return order_key(before.id) < order_key(after.id)
    if isinstance(before.fun, Fungible) and isinstance(after.fun, Fungible):
        return False
    return order_key(before.fun) < order_key(after.fun)


Assets = NewType("Assets", tuple[Asset, ...])
"""Assets in order; a fungible appears once, with an amount."""
wire(
    Assets,
    Annotated[tuple[Asset, ...], must(Annotated[tuple[Asset, ...], MaxLen(MAX_ASSETS)], check_order)],
    path=f"{ASSET}::Assets",
)


@path(f"{ASSET}::WildFungibility")
class WildFungibility(IntEnum):
    """Which kind of asset a wildcard means."""

    Fungible = 0
    NonFungible = 1


@variant(0)
class All(Struct):
    """Everything."""


@variant(1)
class AllOf(Struct):
    """Everything of one asset."""

    id: AssetId
    fun: WildFungibility


@variant(2, unnamed=True)
class AllCounted(Struct):
    """Everything, at most so many assets."""

    count: Compact[u32]


@variant(3)
class AllOfCounted(Struct):
    """Everything of one asset, at most so many instances."""

    id: AssetId
    fun: WildFungibility
    count: Compact[u32]


WildAsset: TypeAlias = All | AllOf | AllCounted | AllOfCounted
enum_path(WildAsset, f"{ASSET}::WildAsset")


@variant(0, unnamed=True)
class Definite(Struct):
    """Exactly these."""

    assets: Assets


@variant(1, unnamed=True)
class Wild(Struct):
    """Whatever matches."""

    asset: WildAsset


AssetFilter: TypeAlias = Definite | Wild
enum_path(AssetFilter, f"{ASSET}::AssetFilter")


@variant(0, unnamed=True)
class Teleport(Struct):
    """Burn here, mint there."""

    filter: AssetFilter


@variant(1, unnamed=True)
class ReserveDeposit(Struct):
    """Held here in reserve, derived there."""

    filter: AssetFilter


@variant(2, unnamed=True)
class ReserveWithdraw(Struct):
    """Held there in reserve, derived here."""

    filter: AssetFilter


AssetTransferFilter: TypeAlias = Teleport | ReserveDeposit | ReserveWithdraw
enum_path(AssetTransferFilter, f"{ASSET}::AssetTransferFilter")


def fungible(place: Location, amount: int) -> Asset:
    """So many of the asset at a location."""
    return Asset(AssetId(place), Fungible(amount))


def non_fungible(place: Location, instance: AssetInstance) -> Asset:
    """One instance of the class at a location."""
    return Asset(AssetId(place), NonFungible(instance))


def assets(*items: Asset) -> Assets:
    """A set of assets: sorted, amounts of the same asset added up, nothing of an asset left out."""
    return assets_of(items)


def assets_of(items: Iterable[Asset]) -> Assets:
    """As `assets`, of any iterable."""
    amounts: dict[AssetId, int] = {}
    others: set[Asset] = set()
    for asset in items:
        if isinstance(asset.fun, Fungible):
            amounts[asset.id] = min(amounts.get(asset.id, 0) + asset.fun.amount, MAX_AMOUNT)
        else:
            others.add(asset)
    merged = [Asset(id, Fungible(amount)) for id, amount in amounts.items() if amount]
    merged.extend(others)
    return Assets(tuple(merged if len(merged) == 1 else sorted(merged, key=order_key)))


def reanchored_asset(asset: Asset, *, target: Location, context: Junctions) -> Asset:
    """An asset as `target` names it.

    Raises:
        LocationError: as `reanchored`.
    """
    return Asset(AssetId(reanchored(asset.id, target=target, context=context)), asset.fun)


def reanchored_assets(items: Iterable[Asset], *, target: Location, context: Junctions) -> tuple[Assets, Assets]:
    """Assets as `target` names them, and those (as we name them) that it cannot name."""
    named: list[Asset] = []
    nameless: list[Asset] = []
    for asset in items:
        try:
            named.append(reanchored_asset(asset, target=target, context=context))
        except LocationError:
            nameless.append(asset)
    return assets_of(named), assets_of(nameless)
