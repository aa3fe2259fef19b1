"""Messages: programs as wholes: building, measuring, naming.

Source: polkadot-sdk, `polkadot/xcm/src/{lib,v5/mod}.rs`.
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache

from substrate.errors import RuleError
from xcm.instruction import MAX_INSTRUCTIONS, Instruction, SetTopic, Xcm


class MessageReason(StrEnum):
    """Why a message is refused before it runs."""

    TOO_MANY_INSTRUCTIONS = "MaxInstructionsExceeded"


class MessageError(RuleError):
    """A message outside the limits of the format."""


def xcm(*instructions: Instruction) -> Xcm:
    """A program of these instructions."""
    return Xcm(instructions)


@cache
def _program_field(kind: type[Instruction]) -> str | None:
    return next((name for name in ("xcm", "remote_xcm") if name in kind.__struct_fields__), None)


def nested_program(instruction: Instruction) -> Xcm | None:
    """The program an instruction carries, if it carries one; of any version."""
    name = _program_field(type(instruction))
    return None if name is None else getattr(instruction, name)


def all_instructions(message: Xcm) -> Iterator[Instruction]:
    """Every instruction, those of nested programs included."""
    for instruction in message:
        yield instruction
        inner = nested_program(instruction)
        if inner:
            yield from all_instructions(inner)


def instruction_count(message: Xcm) -> int:
    """How many instructions there are, those of nested programs included."""
    count = len(message)
    for instruction in message:
        inner = nested_program(instruction)
        if inner:
            count += instruction_count(inner)
    return count


def check_instruction_count(message: Xcm) -> None:
    """Refuse a message with too many instructions.

    Raises:
        MessageError: `TOO_MANY_INSTRUCTIONS`.
    """
    count = instruction_count(message)
    if count > MAX_INSTRUCTIONS:
        raise MessageError(MessageReason.TOO_MANY_INSTRUCTIONS, count=count)


def topic_of(message: Xcm) -> bytes | None:
    """The topic that a message ends in, which names it along its way."""
    last = message[-1] if message else None
    return last.topic if isinstance(last, SetTopic) else None
