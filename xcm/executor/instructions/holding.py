"""Into holding and out of it: accounts, reserves, teleports, traps.

Source: polkadot-sdk, `polkadot/xcm/xcm-executor/src/lib.rs`.
"""

from typing import TYPE_CHECKING

from xcm import error as e
from xcm.asset import Asset, Assets, Definite
from xcm.error import XcmFailure
from xcm.instruction import (
    BurnAsset,
    ClaimAsset,
    DepositAsset,
    ReceiveTeleportedAsset,
    ReserveAssetDeposited,
    WithdrawAsset,
)
from xcm.location import Location

if TYPE_CHECKING:
    from xcm.executor.machine import Machine


def withdraw_asset(vm: "Machine", instruction: WithdrawAsset) -> None:
    """Move assets from the origin's account into holding."""
    origin = vm.origin()
    vm.check_room(len(instruction.assets))
    for asset in instruction.assets:
        vm.config.asset_transactor.withdraw_asset(asset, origin, vm.context)
    vm.registers.holding = vm.registers.holding.plus(instruction.assets)


def reserve_asset_deposited(vm: "Machine", instruction: ReserveAssetDeposited) -> None:
    """Mint derivatives of assets whose reserve is the origin."""
    origin = vm.origin()
    vm.check_room(len(instruction.assets))
    for asset in instruction.assets:
        if not vm.config.is_reserve(asset, origin):
            raise XcmFailure(e.UntrustedReserveLocation(), f"{origin} for {asset.id}")
    vm.registers.holding = vm.registers.holding.plus(instruction.assets)


def receive_teleported_asset(vm: "Machine", instruction: ReceiveTeleportedAsset) -> None:
    """Mint assets that the origin burned."""
    origin = vm.origin()
    vm.check_room(len(instruction.assets))
    for asset in instruction.assets:
        if not vm.config.is_teleporter(asset, origin):
            raise XcmFailure(e.UntrustedTeleportLocation(), f"{origin} for {asset.id}")
        vm.config.asset_transactor.can_check_in(asset, origin, vm.context)
    for asset in instruction.assets:
        vm.config.asset_transactor.check_in(asset, origin, vm.context)
    vm.registers.holding = vm.registers.holding.plus(instruction.assets)


def claim_asset(vm: "Machine", instruction: ClaimAsset) -> None:
    """Take assets out of the trap."""
    origin = vm.origin()
    vm.check_room(len(instruction.assets))
    if not vm.config.asset_claims.release_assets(origin, instruction.ticket, instruction.assets, vm.context):
        raise XcmFailure(e.UnknownClaim(), str(origin))
    vm.registers.holding = vm.registers.holding.plus(instruction.assets)


def burn_asset(vm: "Machine", instruction: BurnAsset) -> None:
    """Destroy assets in holding, as far as they are there."""
    _, vm.registers.holding = vm.registers.holding.saturating_take(Definite(instruction.assets))


def deposit_asset(vm: "Machine", instruction: DepositAsset) -> None:
    """Put assets from holding on an account."""
    taken, vm.registers.holding = vm.registers.holding.saturating_take(instruction.assets)
    deposit_with_retry(vm, taken, instruction.beneficiary)


def deposit_with_retry(vm: "Machine", deposits: Assets, who: Location) -> None:
    """Deposit each asset, and those that failed once more: an earlier one may have needed a later one's account.

    Raises:
        XcmFailure: Some asset failed twice.
    """
    failed: list[Asset] = []
    for asset in deposits:
        try:
            vm.config.asset_transactor.deposit_asset(asset, who, vm.context)
        except XcmFailure:
            failed.append(asset)
    for asset in failed:
        vm.config.asset_transactor.deposit_asset(asset, who, vm.context)
