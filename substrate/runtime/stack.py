"""Room on the stack that does not depend on the caller.

Authors, importers and validators execute the same code under different callers. Were the interpreter's bound counted
from its own bottom, deep calls would succeed here and fail there.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager

STACK_FRAMES = 2_000
"""Frames of Python that code may nest, counted from where it is given room. What nests in C alone, as a `zip` of `zip`
does, has no frames and is not bounded."""


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
