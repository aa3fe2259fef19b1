"""Programs that move assets to another chain: which kind of transfer, and what runs here and there.

Source: polkadot-sdk, `polkadot/xcm/pallet-xcm/src/lib.rs`, `polkadot/xcm/xcm-executor/src/traits/asset_transfer.rs`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from substrate.errors import RuleError
from xcm.asset import AllCounted, Asset, Assets, Fungible, Wild, assets, assets_of, reanchored_asset
from xcm.executor.config import AssetTrust
from xcm.instruction import (
    BurnAsset,
    BuyExecution,
    ClearOrigin,
    DepositAsset,
    DepositReserveAsset,
    InitiateReserveWithdraw,
    Instruction,
    ReceiveTeleportedAsset,
    ReserveAssetDeposited,
    SetFeesMode,
    TransferAsset,
    WithdrawAsset,
    Xcm,
)
from xcm.location import HERE, Junctions, Location, LocationError, chain_location, reanchored
from xcm.weight import WeightLimit


class TransferReason(StrEnum):
    """Why assets cannot be transferred; names of the pallet's errors."""

    EMPTY = "Empty"
    CANNOT_REANCHOR = "CannotReanchor"
    FEES_NOT_MET = "FeesNotMet"
    TOO_MANY_RESERVES = "TooManyReserves"
    UNKNOWN_RESERVE = "InvalidAssetUnknownReserve"
    UNSUPPORTED_RESERVE = "InvalidAssetUnsupportedReserve"


class TransferError(RuleError):
    """Assets that cannot be transferred as asked."""


class Path(StrEnum):
    """How an asset moves."""

    TELEPORT = "Teleport"
    LOCAL_RESERVE = "LocalReserve"
    DESTINATION_RESERVE = "DestinationReserve"


@dataclass(frozen=True)
class RemoteReserve:
    """Through a third chain, which holds the reserve."""

    reserve: Location


TransferType: TypeAlias = Path | RemoteReserve


@dataclass(frozen=True)
class Trust:
    """Whom this chain trusts with which assets."""

    is_teleporter: AssetTrust
    is_reserve: AssetTrust

    def transfer_type(self, asset: Asset, dest: Location) -> TransferType:
        """How an asset moves to `dest`.

        Raises:
            TransferError: `UNKNOWN_RESERVE`.
        """
        if self.is_teleporter(asset, dest):
            return Path.TELEPORT
        if self.is_reserve(asset, dest):
            return Path.DESTINATION_RESERVE
        home = chain_location(asset.id)
        if home == HERE or self.is_teleporter(asset, home):
            return Path.LOCAL_RESERVE
        if self.is_reserve(asset, home):
            return RemoteReserve(home)
        raise TransferError(TransferReason.UNKNOWN_RESERVE, asset=str(asset.id))

    def transfer_types(self, items: Assets, *, fee_item: int, dest: Location) -> tuple[TransferType, TransferType]:
        """How the fee asset moves, and how all others do.

        Raises:
            TransferError: `EMPTY` without a fee asset, `TOO_MANY_RESERVES`, `UNKNOWN_RESERVE`.
        """
        types = [self.transfer_type(asset, dest) for asset in items]
        if fee_item >= len(items):
            raise TransferError(TransferReason.EMPTY, fee_item=fee_item)
        others = types[:fee_item] + types[fee_item + 1 :]
        if any(other != others[0] for other in others):
            raise TransferError(TransferReason.TOO_MANY_RESERVES)
        return types[fee_item], others[0] if others else types[fee_item]


@dataclass(frozen=True)
class Programs:
    """What runs here, and what is sent to the destination; a remote reserve is reached by what runs here."""

    local: Xcm
    remote: Xcm | None


@dataclass(frozen=True)
class Transfer:
    """Where assets go, and how much execution they may buy there."""

    dest: Location
    beneficiary: Location
    weight_limit: WeightLimit
    context: Junctions
    """Our universal location."""

    def programs(self, items: Assets, *, fee_item: int, fees: TransferType, others: TransferType) -> Programs:
        """The programs that move assets, the fee asset first where it moves another way.

        Raises:
            TransferError: `UNSUPPORTED_RESERVE`, `CANNOT_REANCHOR`, `FEES_NOT_MET`.
        """
        fee = items[fee_item]
        if isinstance(others, RemoteReserve):
            if fees != others:
                raise TransferError(TransferReason.UNSUPPORTED_RESERVE)
            return Programs(self._through_reserve(items, fee, others.reserve), None)
        if fees == others:
            local, arrival = self._legs(items, others)
            remote = (arrival, ClearOrigin(), self._buy(fee), self._deposit(len(items)))
            return Programs(Xcm(local), Xcm(remote))
        if isinstance(fees, RemoteReserve):
            raise TransferError(TransferReason.UNSUPPORTED_RESERVE)
        rest = Assets((*items[:fee_item], *items[fee_item + 1 :]))
        fee_local, fee_arrival = self._legs(assets(fee), fees)
        local, arrival = self._legs(rest, others)
        remote = (fee_arrival, self._buy(fee), arrival, ClearOrigin(), self._deposit(len(items)))
        return Programs(Xcm((*fee_local, *local)), Xcm(remote))

    def _legs(self, items: Assets, kind: TransferType) -> tuple[tuple[Instruction, ...], Instruction]:
        """What happens to assets here, and how they arrive there."""
        named = self._named(items, self.dest)
        if kind is Path.LOCAL_RESERVE:
            return (TransferAsset(items, self.dest),), ReserveAssetDeposited(named)
        arrive: Callable[[Assets], Instruction] = ReceiveTeleportedAsset if kind is Path.TELEPORT else WithdrawAsset
        return (WithdrawAsset(items), BurnAsset(items)), arrive(named)

    def _through_reserve(self, items: Assets, fee: Asset, reserve: Location) -> Xcm:
        """Half of the fee asset pays at the reserve, half at the destination."""
        count, (first, second) = Wild(AllCounted(len(items))), _halves(fee)
        there = Xcm((BuyExecution(self._one(second, self.dest), self.weight_limit), self._deposit(len(items))))
        try:
            dest = reanchored(self.dest, target=reserve, context=self.context)
        except LocationError as failure:
            raise TransferError(TransferReason.CANNOT_REANCHOR) from failure
        at_reserve = Xcm(
            (BuyExecution(self._one(first, reserve), self.weight_limit), DepositReserveAsset(count, dest, there))
        )
        return Xcm((WithdrawAsset(items), SetFeesMode(True), InitiateReserveWithdraw(count, reserve, at_reserve)))

    def _buy(self, fee: Asset) -> Instruction:
        return BuyExecution(self._one(fee, self.dest), self.weight_limit)

    def _deposit(self, count: int) -> Instruction:
        return DepositAsset(Wild(AllCounted(count)), self.beneficiary)

    def _one(self, asset: Asset, target: Location) -> Asset:
        try:
            return reanchored_asset(asset, target=target, context=self.context)
        except LocationError as failure:
            raise TransferError(TransferReason.CANNOT_REANCHOR, asset=str(asset.id)) from failure

    def _named(self, items: Assets, target: Location) -> Assets:
        return assets_of(self._one(asset, target) for asset in items)


def _halves(fee: Asset) -> tuple[Asset, Asset]:
    half = fee.fun.amount // 2 if isinstance(fee.fun, Fungible) else 0
    if not half or not isinstance(fee.fun, Fungible):
        raise TransferError(TransferReason.FEES_NOT_MET, asset=str(fee.id))
    return Asset(fee.id, Fungible(half)), Asset(fee.id, Fungible(fee.fun.amount - half))
