"""What messages weigh.

Source: polkadot-sdk, `polkadot/xcm/xcm-builder/src/weight.rs`,
`cumulus/parachains/runtimes/assets/asset-hub-westend/src/weights/xcm/mod.rs` (`WeighAssets`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from substrate.errors import DecodeError
from substrate.types import Weight
from xcm import error as e
from xcm.asset import All, AllCounted, AllOf, AllOfCounted, AssetFilter, Assets, Definite, WildFungibility
from xcm.executor.passage import Unweighable
from xcm.instruction import (
    MAX_INSTRUCTIONS,
    BurnAsset,
    DepositAsset,
    DepositReserveAsset,
    ExecuteWithOrigin,
    InitiateReserveWithdraw,
    InitiateTeleport,
    Instruction,
    ReceiveTeleportedAsset,
    ReserveAssetDeposited,
    SetAppendix,
    SetErrorHandler,
    Transact,
    TransferAsset,
    TransferReserveAsset,
    WithdrawAsset,
    Xcm,
)

WeightInfo: TypeAlias = Callable[[Instruction], Weight]
"""What an instruction itself weighs."""
ForEachAsset: TypeAlias = (
    WithdrawAsset
    | ReserveAssetDeposited
    | ReceiveTeleportedAsset
    | TransferAsset
    | TransferReserveAsset
    | DepositAsset
    | DepositReserveAsset
    | InitiateReserveWithdraw
    | InitiateTeleport
    | BurnAsset
)
"""Instructions that do something with each of their assets."""


class WeighsCalls(Protocol):
    """Weighs encoded calls."""

    def weight_of(self, call: bytes) -> Weight:
        """What an encoded call uses at most, or raise `DecodeError`."""
        ...


def per_asset(base: Weight, *, most: int = 100) -> WeightInfo:
    """An instruction weighs so much for each asset that it may touch; where that is none, as for one.

    Args:
        base: For one asset.
        most: How many assets a wildcard may stand for.
    """

    def weight(instruction: Instruction) -> Weight:
        return base * _asset_count(instruction.assets, most) if isinstance(instruction, ForEachAsset) else base

    return weight


def _asset_count(chosen: Assets | AssetFilter, most: int) -> int:
    if isinstance(chosen, tuple):
        return max(len(chosen), 1)
    if isinstance(chosen, Definite):
        return max(len(chosen.assets), 1)
    match chosen.asset:
        case AllCounted(count) | AllOfCounted(count=count):
            return max(min(count, most), 1)
        case AllOf(fun=WildFungibility.Fungible):
            return 1
        case All() | AllOf():
            return most


@dataclass(frozen=True)
class WeightInfoBounds:
    """Every instruction weighs what `info` says, and what it runs here on top."""

    info: WeightInfo
    calls: WeighsCalls
    max_instructions: int = MAX_INSTRUCTIONS

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
        inner = Weight.ZERO
        if isinstance(instruction, SetErrorHandler | SetAppendix | ExecuteWithOrigin):
            inner, left = self._program(instruction.xcm, left, limit)
        elif isinstance(instruction, Transact):
            try:
                inner = self.calls.weight_of(instruction.call.encoded)
            except DecodeError as failure:
                raise Unweighable(e.FailedToDecode(), f"the call does not decode: {failure}") from failure
        return _sum(self.info(instruction), inner), left


class FixedWeightBounds(WeightInfoBounds):
    """Every instruction weighs the same, and what it runs here on top."""

    def __init__(self, base: Weight, calls: WeighsCalls, max_instructions: int = MAX_INSTRUCTIONS) -> None:
        super().__init__(lambda instruction: base, calls, max_instructions)


def _sum(first: Weight, second: Weight) -> Weight:
    total = first + second
    # Sums of weights saturate: one that lost something is not its parts.
    if total - second != first:
        raise Unweighable(e.Overflow(), f"{first} and {second} exceed what a weight can say")
    return total
