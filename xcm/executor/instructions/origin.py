"""Who the program acts for, and calls on its behalf.

Source: polkadot-sdk, `polkadot/xcm/xcm-executor/src/lib.rs`.
"""

from typing import TYPE_CHECKING

from substrate.errors import DecodeError
from xcm import error as e
from xcm.error import XcmFailure
from xcm.instruction import ClearOrigin, DescendOrigin, Transact
from xcm.location import LocationError, appended
from xcm.response import Success, error_code

if TYPE_CHECKING:
    from xcm.executor.machine import Machine


def clear_origin(vm: "Machine", instruction: ClearOrigin) -> None:
    """Act for no one."""
    vm.registers.origin = None


def descend_origin(vm: "Machine", instruction: DescendOrigin) -> None:
    """Act for an interior of the origin."""
    try:
        vm.registers.origin = appended(vm.origin(), *instruction.interior.junctions)
    except LocationError as failure:
        raise XcmFailure(e.LocationFull(), str(failure)) from failure


def transact(vm: "Machine", instruction: Transact) -> None:
    """Dispatch a call; if it fails, the program goes on and the status register tells."""
    origin, dispatcher = vm.origin(), vm.config.call_dispatcher
    try:
        call = dispatcher.decode(instruction.call.encoded)
    except DecodeError as failure:
        raise XcmFailure(e.FailedToDecode(), str(failure)) from failure
    if not dispatcher.is_safe(call):
        raise XcmFailure(e.NoPermission(), "the call is filtered")
    dispatch_origin = vm.config.origin_converter.convert_origin(origin, instruction.origin_kind)
    if dispatch_origin is None:
        raise XcmFailure(e.BadOrigin(), f"{origin} has no {instruction.origin_kind.name} origin")
    weight = dispatcher.weight(call)  # before it runs: what it does may change what it would weigh
    result = dispatcher.dispatch(call, dispatch_origin)
    vm.registers.transact_status = Success() if result.error is None else error_code(result.error)
    if result.actual_weight is not None:
        vm.registers.total_surplus += weight - result.actual_weight
