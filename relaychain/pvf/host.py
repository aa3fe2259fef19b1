"""The validation host: runs validation code on a candidate's PoV and says what came out.

Source: polkadot-sdk, `polkadot/node/core/pvf/src/host.rs`; error names of `polkadot/node/core/pvf/common/src/error.rs`.
"""

from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar

from relaychain.primitives.bundle import BundleError
from relaychain.primitives.validation import ValidationParams, ValidationResult
from relaychain.pvf.loader import ForeignAbi, Loaded
from relaychain.pvf.meter import Meter
from substrate.crypto.hashing import blake2_256
from substrate.errors import ChainError, RuleError
from substrate.runtime.panics import described, shown, type_name
from substrate.runtime.stack import stack_room
from substrate.runtime.steps import BLOCK_STEPS

T = TypeVar("T")

BACKING_STEPS = BLOCK_STEPS
"""Steps for backing; stands for upstream's 2 s."""
APPROVAL_STEPS = 6 * BACKING_STEPS
"""Steps for approvals and disputes; stands for upstream's 12 s."""
_REMEMBERED = 256
REMEMBERED_BYTES = 64 << 20
"""What remembered results may hold together; one can have megabytes of messages and code."""


class InvalidReason(StrEnum):
    """Why the code rejects a candidate: a reason to vote against it."""

    PREPARATION = "PreparationError"
    TIMEOUT = "Timeout"
    EXECUTION = "ExecutionError"
    BAD_RETURN = "BadReturn"


class InvalidCandidate(RuleError):
    """The candidate is invalid, whoever validates it."""


class InfrastructureFailure(ChainError):
    """This node cannot validate; it must not vote."""


class ValidationHost(Protocol):
    """Runs validation code."""

    def validate(self, code: bytes, params: ValidationParams, *, steps: int) -> ValidationResult:
        """What the code makes of the parameters.

        Args:
            code: Validation code, a bundle.
            params: Parent head, block data and the relay parent's number and storage root.
            steps: How many steps it may take.

        Returns:
            The result as its encoding has it: plain values of the right types and sizes.

        Raises:
            InvalidCandidate: Any `InvalidReason`.
            InfrastructureFailure: This node cannot run the code.
        """
        ...


class _Refusal(NamedTuple):
    """What is remembered of an `InvalidCandidate`: the exception itself would keep the PoV alive by its traceback."""

    reason: StrEnum
    context: dict[str, int | str]


class _Verdicts:
    """Verdicts by content, the oldest dropped first; bounded by number and by the bytes of the results."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[ValidationResult | _Refusal, int]] = OrderedDict()
        self._size = 0

    def get(self, key: bytes) -> ValidationResult | _Refusal | None:
        """A verdict, if it is remembered."""
        verdict, _ = self._kept.get(key, (None, 0))
        return verdict

    def put(self, key: bytes, verdict: ValidationResult | _Refusal) -> None:
        """Remember a verdict."""
        size = len(verdict.encode()) if isinstance(verdict, ValidationResult) else 0
        self._kept[key] = (verdict, size)
        self._size += size
        while len(self._kept) > _REMEMBERED or self._size > REMEMBERED_BYTES:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._size -= dropped


class InlineHost:
    """Runs validation code in this process; remembers loaded code and, unless told otherwise, verdicts by content."""

    def __init__(self, *, memoise: bool = True) -> None:
        self._memoise = memoise
        self._loaded: OrderedDict[bytes, Loaded] = OrderedDict()
        self._verdicts = _Verdicts()

    def load(self, code: bytes) -> Loaded:
        """The loaded code, from memory if it was loaded before.

        Raises:
            BundleError: It does not load.
        """
        key = blake2_256(code)
        if key not in self._loaded:
            self._loaded[key] = Loaded(code)
            if len(self._loaded) > _REMEMBERED:
                self._loaded.popitem(last=False)
        return self._loaded[key]

    def validate(self, code: bytes, params: ValidationParams, *, steps: int) -> ValidationResult:
        """See `ValidationHost.validate`."""
        if not self._memoise:
            return self._run(code, params, steps)
        key = blake2_256(blake2_256(code) + params.encode() + steps.to_bytes(8, "little"))
        verdict = self._verdicts.get(key)
        if verdict is None:
            verdict = self._verdict(code, params, steps)
            self._verdicts.put(key, verdict)
        if isinstance(verdict, _Refusal):
            raise InvalidCandidate(verdict.reason, **verdict.context)
        return verdict

    def _verdict(self, code: bytes, params: ValidationParams, steps: int) -> ValidationResult | _Refusal:
        try:
            return self._run(code, params, steps)
        except InvalidCandidate as refusal:
            return _Refusal(refusal.reason, refusal.context)

    def _run(self, code: bytes, params: ValidationParams, steps: int) -> ValidationResult:
        try:
            loaded = self.load(code)
        except ForeignAbi as failure:
            raise InfrastructureFailure(str(failure)) from failure
        except BundleError as failure:
            raise InvalidCandidate(InvalidReason.PREPARATION, cause=shown(str(failure))) from failure
        except MemoryError as failure:
            raise InfrastructureFailure("out of memory while loading") from failure
        with loaded.meter.limited(steps):
            return _called(loaded, params, steps)


def _called(loaded: Loaded, params: ValidationParams, steps: int) -> ValidationResult:
    meter = loaded.meter
    result = _contained(meter, steps, InvalidReason.EXECUTION, lambda: loaded.entry.validate_block(params))
    if type(result) is not ValidationResult:
        raise InvalidCandidate(InvalidReason.BAD_RETURN, returned=type_name(result))
    # Code may have put objects of its own into the fields; only what its bytes say leaves this place.
    return _contained(meter, steps, InvalidReason.BAD_RETURN, lambda: ValidationResult.decode(result.encode()))


def _contained(meter: Meter, steps: int, reason: InvalidReason, work: Callable[[], T]) -> T:
    """Do what may run someone else's code: whatever that raises, the candidate is invalid for `reason`."""
    try:
        with stack_room():
            value = work()
    except KeyboardInterrupt:  # of whoever runs this node
        raise
    except MemoryError as failure:
        raise InfrastructureFailure("out of memory while validating") from failure
    except BaseException as failure:
        if meter.is_exceeded:
            raise InvalidCandidate(InvalidReason.TIMEOUT, steps=steps) from None
        raise InvalidCandidate(reason, cause=described(failure)) from failure
    if meter.is_exceeded:  # the code swallowed it
        raise InvalidCandidate(InvalidReason.TIMEOUT, steps=steps)
    return value
