"""What a barrier sees of a message, and what it answers.

Source: polkadot-sdk, `polkadot/xcm/xcm-executor/src/traits/should_execute.rs`.
"""

from collections.abc import Sequence
from enum import StrEnum

from substrate.errors import ChainError, RuleError
from substrate.scale.types import Struct
from substrate.types import Weight
from xcm.error import Error
from xcm.instruction import Xcm
from xcm.location import Location


class Passage(Struct):
    """A message at the barrier."""

    origin: Location
    message: Xcm
    max_weight: Weight
    weight_credit: Weight
    message_id: bytes | None = None
    """Set by a barrier that knows a better name for the message."""


class Admitted(Struct):
    """A message that may execute, as it may."""

    passage: Passage
    by: str
    """The barrier that let it pass."""
    trail: tuple[str, ...] = ()
    """What barriers before it said."""


class BarrierReason(StrEnum):
    """Why a barrier refuses a message; upstream's `ProcessMessageError`."""

    BAD_FORMAT = "BadFormat"
    UNSUPPORTED = "Unsupported"
    OVERWEIGHT = "Overweight"
    YIELD = "Yield"
    STACK_LIMIT_REACHED = "StackLimitReached"


class Refused(RuleError):
    """A barrier does not let a message pass; `trail` has every barrier's own reason."""

    def __init__(
        self,
        by: str,
        reason: BarrierReason,
        *,
        required: Weight | None = None,
        detail: str = "",
        trail: Sequence[str] = (),
    ) -> None:
        facts: dict[str, int | str] = {"barrier": by}
        if required is not None:
            facts |= {"required_ref_time": required.ref_time, "required_proof_size": required.proof_size}
        super().__init__(reason, **(facts | ({"detail": detail} if detail else {})))
        self.by = by
        self.required = required
        self.trail: tuple[str, ...] = (*trail, str(self))


class Unweighable(ChainError):
    """A message whose weight cannot be told or is over the limit; `index` is the instruction where that shows."""

    def __init__(self, error: Error, detail: str, index: int = 0) -> None:
        super().__init__(detail)
        self.error = error
        self.index = index
