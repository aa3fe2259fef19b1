"""The validation host: runs validation code on a candidate's PoV and says what came out.

Source: polkadot-sdk, `polkadot/node/core/pvf/src/host.rs`; error names of `polkadot/node/core/pvf/common/src/error.rs`.
"""

from collections import OrderedDict
from enum import StrEnum
from typing import Protocol

from relaychain.primitives.validation import ValidationParams, ValidationResult
from relaychain.pvf.bundle import BundleError
from relaychain.pvf.loader import ForeignAbi, Loaded
from relaychain.pvf.sandbox import described
from substrate.crypto.hashing import blake2_256
from substrate.errors import ChainError, RuleError
from substrate.runtime.stack import stack_room
from substrate.runtime.steps import BLOCK_STEPS

BACKING_STEPS = BLOCK_STEPS
"""Steps for backing; stands for upstream's 2 s."""
APPROVAL_STEPS = 6 * BACKING_STEPS
"""Steps for approvals and disputes; stands for upstream's 12 s."""
_REMEMBERED = 256


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

        Raises:
            InvalidCandidate: Any `InvalidReason`.
            InfrastructureFailure: This node cannot run the code.
        """
        ...


class InlineHost:
    """Runs validation code in this process; remembers loaded code and, unless told otherwise, verdicts by content."""

    def __init__(self, *, memoise: bool = True) -> None:
        self._memoise = memoise
        self._loaded: OrderedDict[bytes, Loaded] = OrderedDict()
        self._verdicts: OrderedDict[bytes, ValidationResult | InvalidCandidate] = OrderedDict()

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
        if key not in self._verdicts:
            try:
                self._verdicts[key] = self._run(code, params, steps)
            except InvalidCandidate as verdict:
                self._verdicts[key] = verdict
            if len(self._verdicts) > _REMEMBERED:
                self._verdicts.popitem(last=False)
        verdict = self._verdicts[key]
        if isinstance(verdict, InvalidCandidate):
            raise InvalidCandidate(verdict.reason, **verdict.context)
        return verdict

    def _run(self, code: bytes, params: ValidationParams, steps: int) -> ValidationResult:
        try:
            loaded = self.load(code)
        except ForeignAbi as failure:
            raise InfrastructureFailure(str(failure)) from failure
        except BundleError as failure:
            raise InvalidCandidate(InvalidReason.PREPARATION, cause=str(failure)) from failure
        except MemoryError as failure:
            raise InfrastructureFailure("out of memory while loading") from failure
        with loaded.meter.limited(steps):
            return self._call(loaded, params, steps)

    @staticmethod
    def _call(loaded: Loaded, params: ValidationParams, steps: int) -> ValidationResult:
        try:
            with stack_room():
                result = loaded.entry.validate_block(params)
        except KeyboardInterrupt:  # of whoever runs this node
            raise
        except MemoryError as failure:
            raise InfrastructureFailure("out of memory while validating") from failure
        except BaseException as failure:
            # The code is someone else's: whatever it raises, the candidate is invalid.
            if loaded.meter.is_exceeded:
                raise InvalidCandidate(InvalidReason.TIMEOUT, steps=steps) from None
            raise InvalidCandidate(InvalidReason.EXECUTION, cause=described(failure)) from failure
        if loaded.meter.is_exceeded:
            raise InvalidCandidate(InvalidReason.TIMEOUT, steps=steps)
        if not isinstance(result, ValidationResult):
            raise InvalidCandidate(InvalidReason.BAD_RETURN, returned=type(result).__name__)
        return result
