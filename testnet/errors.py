"""Errors that a user can cure."""

from substrate.errors import ChainError


class UsageError(ChainError):
    """One line: what is wrong and what to do about it. The command line prints it and exits with 2."""


class RunFailed(ChainError):
    """The network ran and did not do what it had to. The command line prints it and exits with 1."""
