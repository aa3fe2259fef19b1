"""Errors that a user can cure."""

from collections.abc import Generator
from contextlib import contextmanager

from substrate.errors import ChainError


class UsageError(ChainError):
    """One line: what is wrong and what to do about it. The command line prints it and exits with 2.

    Args:
        message: The line.
        key: What it is about in the network file, if that can cure it.
    """

    def __init__(self, message: str, *, key: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.key = key


@contextmanager
def about(*key: str | int) -> Generator[None]:
    """Say of each UsageError raised inside what it is about, unless it knows better."""
    try:
        yield
    except UsageError as failure:
        failure.key = failure.key or key
        raise


class RunFailed(ChainError):
    """The network ran and did not do what it had to. The command line prints it and exits with 1."""


class OutputClosed(RunFailed):
    """What the command line prints goes nowhere: the pipe is closed, or the disk behind it full."""

    def __init__(self, failure: OSError) -> None:
        super().__init__(
            f"the output cannot be written ({failure.strerror}), so the run was stopped; its record is kept"
        )
