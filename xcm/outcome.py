"""How executing or sending a message ended.

Source: polkadot-sdk, `polkadot/xcm/src/v5/traits.rs`, `v3/traits.rs` (`SendError`).
"""

from enum import IntEnum
from typing import TypeAlias

from substrate.errors import ChainError
from substrate.scale.types import Struct, enum_path, path, u8, variant
from substrate.types import Weight
from xcm import error as xcm_error
from xcm.error import Error


@path("xcm::v5::traits::InstructionError")
class InstructionError(Struct):
    """Which instruction failed, and why."""

    index: u8
    error: Error


@variant(0)
class Complete(Struct):
    """Every instruction succeeded, or its error was cleared."""

    used: Weight


@variant(1)
class Incomplete(Struct):
    """Execution began and ended in an error."""

    used: Weight
    error: InstructionError


@variant(2, name="Error", unnamed=True)
class NotExecuted(Struct):
    """Execution never began."""

    error: InstructionError


Outcome: TypeAlias = Complete | Incomplete | NotExecuted
enum_path(Outcome, "xcm::v5::traits::Outcome")


def failure(outcome: Outcome) -> InstructionError | None:
    """What went wrong, if anything."""
    return None if isinstance(outcome, Complete) else outcome.error


def weight_used(outcome: Outcome) -> Weight:
    """The weight that execution used."""
    return Weight.ZERO if isinstance(outcome, NotExecuted) else outcome.used


@path("xcm::v3::traits::SendError")
class SendError(IntEnum):
    """Why a message cannot be sent."""

    NotApplicable = 0
    Transport = 1
    Unroutable = 2
    DestinationUnsupported = 3
    ExceedsMaxMessageSize = 4
    MissingArgument = 5
    Fees = 6


class SendFailure(ChainError):
    """A router does not take the message; `NotApplicable` lets the next router try."""

    def __init__(self, error: SendError, detail: str = "") -> None:
        super().__init__(f"{error.name}: {detail}" if detail else error.name)
        self.error = error
        self.detail = detail


def as_xcm_error(error: SendError) -> Error:
    """The error a program ends in when it cannot send."""
    if error is SendError.DestinationUnsupported:
        return xcm_error.DestinationUnsupported()
    if error is SendError.ExceedsMaxMessageSize:
        return xcm_error.ExceedsMaxMessageSize()
    if error is SendError.Transport:
        return xcm_error.Transport()
    if error is SendError.Fees:
        return xcm_error.FeesNotMet()
    return xcm_error.Unroutable()
