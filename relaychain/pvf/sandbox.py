"""Around calls into validation code: room on the stack that does not depend on the caller, and what it raised."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

STACK_FRAMES = 1_000
"""Frames that validation code may nest, counted from where it is called: upstream's logical stack limit."""
_TEXT = 2_000


@contextmanager
def stack_room() -> Generator[None]:
    """Have code recurse as deeply under one caller as under any other; deeper is a `RecursionError`."""
    depth, frame = 0, sys._getframe()  # pyright: ignore[reportPrivateUsage] - inspect.stack() reads source files
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + STACK_FRAMES)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def described(failure: BaseException) -> str:
    """What validation code raised, in bounded words; its own way to say so may fail too."""
    try:
        return f"{type(failure).__name__}: {failure}"[:_TEXT]
    except Exception as nested:  # noqa: BLE001 - it is someone else's `__str__`
        return f"an exception that cannot be shown ({type(nested).__name__})"
