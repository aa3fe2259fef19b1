"""Panics: exceptions that leave a runtime's code where it was not meant to raise any.

Upstream's runtime panics inside the Wasm sandbox and its node survives. Here the code runs in the node, so each way in
turns whatever it raises into a refusal: a call fails, a transaction is invalid, a block is bad.

    except NO_PANIC:
        raise
    except BaseException as failure:
        ...
"""

from substrate.errors import Aborted

NO_PANIC = (Aborted, MemoryError, KeyboardInterrupt)
"""What passes through: it is the matter of the node, or of who runs it, not of the code."""


_TEXT = 2_000


def described(failure: BaseException) -> str:
    """What a person reads of a panic, in bounded words."""
    return f"{type(failure).__name__[:_TEXT]}: {said(failure)}"


def said(failure: BaseException) -> str:
    """What someone else's exception says of itself, in bounded words; its own way to say so may fail too."""
    try:
        return str(failure)[:_TEXT]
    except NO_PANIC:
        raise
    except BaseException as nested:  # noqa: BLE001 - it is not for the code to fail here
        return f"(it cannot be shown: {type(nested).__name__[:_TEXT]})"
