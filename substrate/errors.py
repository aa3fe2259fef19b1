"""Root of the exception tree."""

from enum import StrEnum


class ChainError(Exception):
    """Base of every error this project raises on purpose."""


class RuleError(ChainError):
    """Input rejected by a protocol rule; `reason` names the rule, `context` holds the facts."""

    def __init__(self, reason: StrEnum, **context: int | str) -> None:
        facts = ", ".join(f"{name}={value}" for name, value in context.items())
        super().__init__(f"{reason} ({facts})" if facts else str(reason))
        self.reason = reason
        self.context = context


class Aborted(ChainError):
    """Ends the execution that it is raised in: no call and no message may take it for a failure of its own."""


class DecodeError(ChainError):
    """Bytes that are not the encoding of the wanted type; `offset` is where reading failed."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"{message} at offset {offset}")
        self.message = message
        self.offset = offset


class EncodeError(ChainError):
    """A value that its wire type cannot hold."""


class HintError(ChainError):
    """A type annotation that has no wire form."""
