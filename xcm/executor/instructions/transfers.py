"""From chain to chain: reserves and teleports.

Source: polkadot-sdk, `polkadot/xcm/xcm-executor/src/lib.rs`.
"""

from typing import TYPE_CHECKING

from xcm import error as e
from xcm.asset import Assets, Definite, reanchored_assets
from xcm.error import XcmFailure
from xcm.executor.config import FeeReason
from xcm.executor.holding import Holding
from xcm.executor.instructions.holding import deposit_with_retry
from xcm.instruction import (
    ClearOrigin,
    DepositReserveAsset,
    InitiateReserveWithdraw,
    InitiateTeleport,
    ReceiveTeleportedAsset,
    ReserveAssetDeposited,
    TransferAsset,
    TransferReserveAsset,
    WithdrawAsset,
    Xcm,
)
from xcm.location import Location

if TYPE_CHECKING:
    from xcm.executor.machine import Machine

Arrival = type[ReserveAssetDeposited] | type[WithdrawAsset] | type[ReceiveTeleportedAsset]


def transfer_asset(vm: "Machine", instruction: TransferAsset) -> None:
    """Move assets from the origin's account to another."""
    _transfer(vm, instruction.assets, instruction.beneficiary)


def transfer_reserve_asset(vm: "Machine", instruction: TransferReserveAsset) -> None:
    """Move assets from the origin's account to that of `dest`, which mints derivatives."""
    _transfer(vm, instruction.assets, instruction.dest)
    named, nameless = _reanchored(vm, instruction.assets, instruction.dest)
    if nameless:
        raise XcmFailure(e.LocationFull())
    message = Xcm((ReserveAssetDeposited(named), ClearOrigin(), *instruction.xcm))
    vm.send(instruction.dest, message, FeeReason.TRANSFER_RESERVE_ASSET)


def deposit_reserve_asset(vm: "Machine", instruction: DepositReserveAsset) -> None:
    """Put assets from holding on the account of `dest`, which mints derivatives."""
    taken, vm.registers.holding = vm.registers.holding.saturating_take(instruction.assets)
    reason = FeeReason.DEPOSIT_RESERVE_ASSET
    taken = _leave_delivery_fee(vm, taken, instruction.dest, instruction.xcm, ReserveAssetDeposited, reason)
    deposit_with_retry(vm, taken, instruction.dest)
    # What `dest` cannot name stays on its account here.
    named, _ = _reanchored(vm, taken, instruction.dest)
    vm.send(instruction.dest, Xcm((ReserveAssetDeposited(named), ClearOrigin(), *instruction.xcm)), reason)


def initiate_reserve_withdraw(vm: "Machine", instruction: InitiateReserveWithdraw) -> None:
    """Burn derivatives in holding, and withdraw what backs them at the reserve."""
    reserve, reason = instruction.reserve, FeeReason.INITIATE_RESERVE_WITHDRAW
    taken, vm.registers.holding = vm.registers.holding.saturating_take(instruction.assets)
    taken = _leave_delivery_fee(vm, taken, reserve, instruction.xcm, WithdrawAsset, reason)
    for asset in taken:
        if not vm.config.is_reserve(asset, reserve):
            raise XcmFailure(e.UntrustedReserveLocation(), f"{reserve} for {asset.id}")
    named, nameless = _reanchored(vm, taken, reserve)
    vm.registers.holding = vm.registers.holding.plus(nameless)
    vm.send(reserve, Xcm((WithdrawAsset(named), ClearOrigin(), *instruction.xcm)), reason)


def initiate_teleport(vm: "Machine", instruction: InitiateTeleport) -> None:
    """Burn assets in holding, and mint them at `dest`."""
    dest, reason, transactor = instruction.dest, FeeReason.INITIATE_TELEPORT, vm.config.asset_transactor
    taken, vm.registers.holding = vm.registers.holding.saturating_take(instruction.assets)
    taken = _leave_delivery_fee(vm, taken, dest, instruction.xcm, ReceiveTeleportedAsset, reason)
    named, nameless = _reanchored(vm, taken, dest)
    if nameless:
        raise XcmFailure(e.ReanchorFailed())
    for asset in taken:
        if not vm.config.is_teleporter(asset, dest):
            raise XcmFailure(e.UntrustedTeleportLocation(), f"{dest} for {asset.id}")
        transactor.can_check_out(asset, dest, vm.context)
    for asset in taken:
        transactor.check_out(asset, dest, vm.context)
    vm.send(dest, Xcm((ReceiveTeleportedAsset(named), ClearOrigin(), *instruction.xcm)), reason)


def _transfer(vm: "Machine", items: Assets, dest: Location) -> None:
    origin = vm.origin()
    for asset in items:
        vm.config.asset_transactor.transfer_asset(asset, origin, dest, vm.context)


def _reanchored(vm: "Machine", items: Assets, target: Location) -> tuple[Assets, Assets]:
    return reanchored_assets(items, target=target, context=vm.config.universal_location)


def _leave_delivery_fee(
    vm: "Machine", taken: Assets, dest: Location, program: Xcm, arrival: Arrival, reason: FeeReason
) -> Assets:
    """Put back into holding what delivery will cost, where nothing else was set aside for it; returns the rest.

    What delivery still lacks then is looked for in holding.
    """
    if vm.registers.fees or vm.registers.jit_withdraw:
        return taken
    named, _ = _reanchored(vm, taken, dest)
    price = vm.delivery_price(dest, Xcm((arrival(named), ClearOrigin(), *program)), reason)
    fee, rest = Holding.of(*taken).saturating_take(Definite(Assets(price[:1])))
    vm.registers.holding = vm.registers.holding.plus(fee)
    return rest.assets()
