"""Panics: exceptions that leave a runtime's code where it was not meant to raise any.

Upstream's runtime panics inside the Wasm sandbox and its node survives. Here the code runs in the node, so each way in
turns these exceptions into a refusal: a call fails, a transaction is invalid, a block is bad. Anything else that is
raised, such as a trie node that a witness lacks, passes through.
"""

from substrate.errors import DecodeError, EncodeError, RuleError
from substrate.runtime.dispatch import DispatchFailure
from substrate.runtime.pallet import Error

PANICS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    DecodeError,
    EncodeError,
    DispatchFailure,
    Error,
    RuleError,
)
"""Among them storage that does not decode, a value that its type cannot hold, and what only a call may end in."""


def described(failure: BaseException) -> str:
    """What a person reads of a panic."""
    return f"{type(failure).__name__}: {failure}"
