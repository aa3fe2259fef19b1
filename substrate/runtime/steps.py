"""Steps: the bound on what someone else's code does, where it runs with a meter.

Weight says what a call should take; steps say what it may. A call that takes more fails, as one that panics does, so
that nobody's transaction or message can use up its block. Stands for what a benchmark's weight bounds upstream.
"""

from contextlib import AbstractContextManager
from typing import ClassVar, Final, Protocol

from substrate.errors import Aborted

BLOCK_STEPS: Final = 20_000_000
"""What a block may take: it stands for the two seconds that validators give upstream's."""
CALL_STEPS: Final = 4_000_000
"""What one call may take, the calls inside it included."""
MESSAGE_STEPS: Final = 6_000_000
"""What one message may take: more than a call, so that one that runs away fails alone and the message still pays."""
SERVICE_STEPS: Final = 2 * MESSAGE_STEPS
"""What the messages of a block may take together."""
EXTRINSIC_STEPS: Final = BLOCK_STEPS - SERVICE_STEPS - 1_000_000
"""What a block's author lets its extrinsics take together: messages have theirs, and hooks need some."""


class StepLimit(Aborted):
    """The steps are used up. Code that swallows it meets it again at its next step, and its host asks the meter."""


class StepMeter(Protocol):
    """Counts down the steps of metered code."""

    left: int

    @property
    def is_exceeded(self) -> bool:
        """Whether more steps were asked for than there were."""
        ...

    def capped(self, steps: int) -> AbstractContextManager[None]:
        """Allow at most so many of the steps left inside. Raises StepLimit, at its end where code swallowed it."""
        ...


class StepCounted:
    """Base of the classes that are given the meter of their code."""

    step_meter: ClassVar[StepMeter | None] = None
