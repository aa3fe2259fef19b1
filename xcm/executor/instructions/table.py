"""Every instruction this machine knows; any other ends in `Unimplemented`."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from xcm import instruction as i
from xcm.executor.instructions import control, fees, holding, origin, transfers


class Handler(NamedTuple):
    """How an instruction runs: read registers, check, act, account for surplus."""

    run: Callable[[Any, Any], None]
    transactional: bool
    """A failure undoes what it did to storage and holding."""


def _plain(run: Callable[[Any, Any], None]) -> Handler:
    return Handler(run, transactional=False)


def _atomic(run: Callable[[Any, Any], None]) -> Handler:
    return Handler(run, transactional=True)


HANDLERS: Final[Mapping[type[Any], Handler]] = {
    i.WithdrawAsset: _atomic(holding.withdraw_asset),
    i.ReserveAssetDeposited: _plain(holding.reserve_asset_deposited),
    i.ReceiveTeleportedAsset: _atomic(holding.receive_teleported_asset),
    i.TransferAsset: _atomic(transfers.transfer_asset),
    i.TransferReserveAsset: _atomic(transfers.transfer_reserve_asset),
    i.Transact: _plain(origin.transact),
    i.ClearOrigin: _plain(origin.clear_origin),
    i.DescendOrigin: _plain(origin.descend_origin),
    i.DepositAsset: _atomic(holding.deposit_asset),
    i.DepositReserveAsset: _atomic(transfers.deposit_reserve_asset),
    i.InitiateReserveWithdraw: _atomic(transfers.initiate_reserve_withdraw),
    i.InitiateTeleport: _atomic(transfers.initiate_teleport),
    i.BuyExecution: _plain(fees.buy_execution),
    i.PayFees: _atomic(fees.pay_fees),
    i.RefundSurplus: _plain(fees.refund_surplus),
    i.SetErrorHandler: _plain(control.set_error_handler),
    i.SetAppendix: _plain(control.set_appendix),
    i.ClearError: _plain(control.clear_error),
    i.ClaimAsset: _plain(holding.claim_asset),
    i.Trap: _plain(control.trap),
    i.BurnAsset: _plain(holding.burn_asset),
    i.SetFeesMode: _plain(fees.set_fees_mode),
    i.SetTopic: _plain(control.set_topic),
    i.ClearTopic: _plain(control.clear_topic),
    i.UnpaidExecution: _plain(fees.unpaid_execution),
}
