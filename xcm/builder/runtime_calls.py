"""`Transact` over a runtime's own calls.

Source: polkadot-sdk, `polkadot/xcm/xcm-executor/src/config.rs` (`CallDispatcher`, `SafeCallFilter`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from substrate.runtime.assembly import Runtime
from substrate.runtime.dispatch import DispatchError, DispatchFailure
from substrate.runtime.origin import Origin
from substrate.runtime.outer_enums import RuntimeCall
from substrate.scale.codec import encode
from substrate.scale.types import Depth
from substrate.types import Weight
from xcm.executor.config import Dispatched
from xcm.instruction import MAX_DEPTH

# The outermost call is a level too; upstream counts what is inside.
SHALLOW_CALL: Final = Annotated[RuntimeCall, Depth(MAX_DEPTH + 1)]
"""A call as deep as a message may carry it."""


def any_call(call: RuntimeCall) -> bool:
    """Messages may make any call."""
    return True


@dataclass(frozen=True)
class RuntimeCalls:
    """The calls of a runtime instance."""

    runtime: Runtime
    safe: Callable[[RuntimeCall], bool] = any_call

    def decode(self, call: bytes) -> RuntimeCall:
        return self.runtime.assembly().codecs.of(SHALLOW_CALL).decode(call)

    def weight(self, call: RuntimeCall) -> Weight:
        return self.runtime.dispatch_info(call).weight

    def weight_of(self, call: bytes) -> Weight:
        return self.weight(self.decode(call))

    def is_safe(self, call: RuntimeCall) -> bool:
        return self.safe(call)

    def dispatch(self, call: RuntimeCall, origin: Origin) -> Dispatched:
        info, error = None, None
        try:
            info = self.runtime.dispatch(call, origin)
        except DispatchFailure as failure:
            info, error = failure.info, encode(DispatchError, failure.error)
        return Dispatched(info.actual_weight if info else None, error)
