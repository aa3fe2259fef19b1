"""The program's own course: handlers, errors, names.

Source: polkadot-sdk, `polkadot/xcm/xcm-executor/src/lib.rs`.
"""

from typing import TYPE_CHECKING

from substrate.types import Weight
from xcm import error as e
from xcm.error import XcmFailure
from xcm.executor.passage import Unweighable
from xcm.instruction import ClearError, ClearTopic, SetAppendix, SetErrorHandler, SetTopic, Trap, Xcm

if TYPE_CHECKING:
    from xcm.executor.machine import Machine


def set_error_handler(vm: "Machine", instruction: SetErrorHandler) -> None:
    """Set what runs after an error; the weight of the handler it replaces is surplus."""
    weight = _weight(vm, instruction.xcm)
    vm.registers.total_surplus += vm.registers.error_handler_weight
    vm.registers.error_handler, vm.registers.error_handler_weight = instruction.xcm, weight


def set_appendix(vm: "Machine", instruction: SetAppendix) -> None:
    """Set what runs at the end; the weight of the appendix it replaces is surplus."""
    weight = _weight(vm, instruction.xcm)
    vm.registers.total_surplus += vm.registers.appendix_weight
    vm.registers.appendix, vm.registers.appendix_weight = instruction.xcm, weight


def clear_error(vm: "Machine", instruction: ClearError) -> None:
    """Forget the error."""
    vm.registers.error = None


def trap(vm: "Machine", instruction: Trap) -> None:
    """Fail."""
    raise XcmFailure(e.Trap(instruction.code))


def set_topic(vm: "Machine", instruction: SetTopic) -> None:
    """Name the message."""
    vm.registers.topic = instruction.topic


def clear_topic(vm: "Machine", instruction: ClearTopic) -> None:
    """Forget the name."""
    vm.registers.topic = None


def _weight(vm: "Machine", program: Xcm) -> Weight:
    try:
        return vm.config.weigher.weight(program)
    except Unweighable as failure:
        raise XcmFailure(e.WeightNotComputable(), str(failure)) from failure
