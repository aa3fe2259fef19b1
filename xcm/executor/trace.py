"""What execution tells the observer: one fact per instruction, per barrier verdict, per message."""

from collections.abc import Callable
from typing import TypeAlias

from substrate.scale.types import Struct
from substrate.types import Weight
from xcm.asset import Asset, Assets
from xcm.error import Error
from xcm.executor.holding import Holding
from xcm.instruction import Instruction, Xcm
from xcm.location import Location
from xcm.outcome import Outcome

Observe: TypeAlias = Callable[[Struct], None]
"""Takes a fact; must not change execution."""


class BarrierVerdict(Struct):
    """Which barrier let a message pass, or why none did."""

    message_id: bytes
    origin: Location
    admitted: bool
    barrier: str
    reason: str
    """Empty when admitted."""
    trail: tuple[str, ...]
    """What each barrier that refused said, in order."""
    max_weight: Weight


class InstructionExecuted(Struct):
    """One instruction ran."""

    message_id: bytes
    program: str
    """`main`, `handler` or `appendix`."""
    index: int
    instruction: Instruction
    error: Error | None
    detail: str
    """More about the error, for people."""
    weight: Weight
    """What it was weighed at."""
    surplus: Weight
    """What of that it gave back."""
    origin_before: Location | None
    origin_after: Location | None
    holding_before: Holding
    holding_after: Holding
    fees_after: Holding


class MessageSent(Struct):
    """Execution sent an onward message."""

    message_id: bytes
    sent_id: bytes
    dest: Location
    message: Xcm
    fee: Assets
    """What delivery cost."""


class FeeBurned(Struct):
    """A fee was burned: the account that it is for could not take it."""

    fee: Asset
    account: Location
    reason: str


class MessageExecuted(Struct):
    """A message is done."""

    message_id: bytes
    topic: bytes | None
    origin: Location
    message: Xcm
    outcome: Outcome
    weighed: Weight
    used: Weight
    fees_paid: Assets
    """What execution cost."""
    delivery_fees: tuple[Assets, ...]
    trapped: Assets
    trapped_for: Location | None
