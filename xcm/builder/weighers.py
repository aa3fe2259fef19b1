"""What messages weigh.

Source: polkadot-sdk, `polkadot/xcm/xcm-builder/src/weight.rs`.
"""

from dataclasses import dataclass
from typing import Protocol

from substrate.errors import DecodeError
from substrate.types import Weight
from xcm import error as e
from xcm.executor.passage import Unweighable
from xcm.instruction import ExecuteWithOrigin, Instruction, SetAppendix, SetErrorHandler, Transact, Xcm


class WeighsCalls(Protocol):
    """Weighs encoded calls."""

    def weight_of(self, call: bytes) -> Weight:
        """What an encoded call uses at most, or raise `DecodeError`."""
        ...


@dataclass(frozen=True)
class FixedWeightBounds:
    """Every instruction weighs the same, and what it runs here on top."""

    base: Weight
    calls: WeighsCalls
    max_instructions: int = 100

    def weight(self, message: Xcm, limit: Weight = Weight.MAX) -> Weight:
        return self._program(message, self.max_instructions, limit)[0]

    def instruction_weight(self, instruction: Instruction) -> Weight:
        return self._instruction(instruction, self.max_instructions, Weight.MAX)[0]

    def _program(self, message: Xcm, left: int, limit: Weight) -> tuple[Weight, int]:
        """The weight of a program, and how many more instructions there may be."""
        total = Weight.ZERO
        for index, instruction in enumerate(message):
            left -= 1
            if left < 0:
                raise Unweighable(e.ExceedsStackLimit(), f"more than {self.max_instructions} instructions", index)
            try:
                weight, left = self._instruction(instruction, left, limit)
                total = _sum(total, weight)
            except Unweighable as failure:
                raise Unweighable(failure.error, str(failure), index) from failure
            if total.any_gt(limit):
                raise Unweighable(e.WeightLimitReached(total), f"{total} exceeds the limit", index)
        return total, left

    def _instruction(self, instruction: Instruction, left: int, limit: Weight) -> tuple[Weight, int]:
        if isinstance(instruction, SetErrorHandler | SetAppendix | ExecuteWithOrigin):
            inner, left = self._program(instruction.xcm, left, limit)
            return _sum(self.base, inner), left
        if isinstance(instruction, Transact):
            try:
                return _sum(self.base, self.calls.weight_of(instruction.call.encoded)), left
            except DecodeError as failure:
                raise Unweighable(e.FailedToDecode(), f"the call does not decode: {failure}") from failure
        return self.base, left


def _sum(first: Weight, second: Weight) -> Weight:
    total = first + second
    # Sums of weights saturate: one that lost something is not its parts.
    if total - second != first:
        raise Unweighable(e.Overflow(), f"{first} and {second} exceed what a weight can say")
    return total
