"""Barriers: which messages may execute.

Source: polkadot-sdk, `polkadot/xcm/xcm-builder/src/barriers.rs`.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from substrate.types import Weight
from xcm.builder.filters import LocationFilter
from xcm.executor.config import Barrier
from xcm.executor.machine import RECURSION_LIMIT
from xcm.executor.passage import Admitted, BarrierReason, Passage, Refused
from xcm.instruction import (
    AliasOrigin,
    BuyExecution,
    ClaimAsset,
    ClearOrigin,
    DepositReserveAsset,
    DescendOrigin,
    ExecuteWithOrigin,
    InitiateReserveWithdraw,
    Instruction,
    PayFees,
    ReceiveTeleportedAsset,
    ReserveAssetDeposited,
    SetAppendix,
    SetErrorHandler,
    SetHints,
    SetTopic,
    TransferReserveAsset,
    UniversalOrigin,
    UnpaidExecution,
    WithdrawAsset,
    Xcm,
)
from xcm.location import PARENT, Junctions, Location, LocationError, appended, interior, relative_to
from xcm.weight import Limited, Unlimited, WeightLimit

MAX_ASSETS_FOR_BUY_EXECUTION: Final = 2
PREFIX_LIMIT: Final = 5
"""How far a barrier reads ahead."""


def _refused(barrier: object, reason: BarrierReason, detail: str = "", required: Weight | None = None) -> Refused:
    return Refused(type(barrier).__name__, reason, required=required, detail=detail)


def _admitted(barrier: object, passage: Passage) -> Admitted:
    return Admitted(passage, type(barrier).__name__)


def _with_message(passage: Passage, message: Xcm, origin: Location | None = None) -> Passage:
    return Passage(origin or passage.origin, message, passage.max_weight, passage.weight_credit, passage.message_id)


@dataclass(frozen=True)
class TakeWeightCredit:
    """Executes on weight that is paid for already, as that of a local extrinsic."""

    def admit(self, passage: Passage) -> Admitted:
        if passage.max_weight.any_gt(passage.weight_credit):
            raise _refused(self, BarrierReason.OVERWEIGHT, "no credit", passage.max_weight)
        left = passage.weight_credit - passage.max_weight
        return _admitted(self, Passage(passage.origin, passage.message, passage.max_weight, left, passage.message_id))


@dataclass(frozen=True)
class AllowTopLevelPaidExecutionFrom:
    """Executes messages that load holding and then buy at least the weight they need."""

    origins: LocationFilter

    def admit(self, passage: Passage) -> Admitted:
        if not self.origins(passage.origin):
            raise _refused(self, BarrierReason.UNSUPPORTED, f"origin {passage.origin}")
        head = passage.message[:PREFIX_LIMIT]
        if not head or not isinstance(
            head[0], WithdrawAsset | ReceiveTeleportedAsset | ReserveAssetDeposited | ClaimAsset
        ):
            raise _refused(self, BarrierReason.BAD_FORMAT, "loads no assets first")
        if len(head[0].assets) > MAX_ASSETS_FOR_BUY_EXECUTION:
            raise _refused(self, BarrierReason.BAD_FORMAT, f"loads {len(head[0].assets)} assets")
        place = next((at for at in range(1, len(head)) if not _may_precede_payment(head[at])), None)
        if place is None:
            raise _refused(self, BarrierReason.BAD_FORMAT, "buys no execution")
        paid = self._paid(head[place], passage.max_weight)
        return _admitted(
            self, _with_message(passage, Xcm((*passage.message[:place], paid, *passage.message[place + 1 :])))
        )

    def _paid(self, instruction: Instruction, needed: Weight) -> Instruction:
        """Whatever weight the message wanted to buy, it buys what it needs."""
        if isinstance(instruction, PayFees):
            return instruction
        if not isinstance(instruction, BuyExecution):
            raise _refused(self, BarrierReason.OVERWEIGHT, f"{type(instruction).__name__} buys no execution", needed)
        limit = instruction.weight_limit
        if isinstance(limit, Limited) and not limit.weight.all_gte(needed):
            given = f"buys ref_time {limit.weight.ref_time}, proof_size {limit.weight.proof_size}"
            raise _refused(self, BarrierReason.OVERWEIGHT, given, needed)
        return BuyExecution(instruction.fees, Limited(needed))


def _may_precede_payment(instruction: Instruction) -> bool:
    if isinstance(instruction, DescendOrigin):
        return bool(instruction.interior.junctions)
    return isinstance(instruction, ClearOrigin | AliasOrigin | SetHints)


@dataclass(frozen=True)
class AllowUnpaidExecutionFrom:
    """Executes whatever comes from trusted origins."""

    origins: LocationFilter

    def admit(self, passage: Passage) -> Admitted:
        if not self.origins(passage.origin):
            raise _refused(self, BarrierReason.UNSUPPORTED, f"origin {passage.origin}")
        return _admitted(self, passage)


@dataclass(frozen=True)
class AllowExplicitUnpaidExecutionFrom:
    """Executes messages of trusted origins that say they do not pay."""

    origins: LocationFilter

    def admit(self, passage: Passage) -> Admitted:
        message, origin, place = passage.message, passage.origin, 0
        while place < min(PREFIX_LIMIT, len(message)) and isinstance(
            message[place], ReceiveTeleportedAsset | ReserveAssetDeposited | WithdrawAsset | SetHints
        ):
            place += 1
        while place < min(PREFIX_LIMIT, len(message)):
            instruction = message[place]
            if isinstance(instruction, ClearOrigin | AliasOrigin):
                raise _refused(self, BarrierReason.UNSUPPORTED, f"{type(instruction).__name__} before UnpaidExecution")
            if not isinstance(instruction, DescendOrigin) or not instruction.interior.junctions:
                break
            origin = _descended(self, origin, instruction.interior)
            place += 1
        if place >= len(message):
            raise _refused(self, BarrierReason.BAD_FORMAT, "no UnpaidExecution")
        self._check_limit(message[place], passage.max_weight)
        if not self.origins(origin):
            raise _refused(self, BarrierReason.UNSUPPORTED, f"origin {origin}")
        return _admitted(self, passage)

    def _check_limit(self, instruction: Instruction, needed: Weight) -> None:
        limit: WeightLimit | None = instruction.weight_limit if isinstance(instruction, UnpaidExecution) else None
        if isinstance(limit, Unlimited) or (isinstance(limit, Limited) and limit.weight.all_gte(needed)):
            return
        raise _refused(self, BarrierReason.OVERWEIGHT, type(instruction).__name__, needed)


@dataclass(frozen=True)
class WithComputedOrigin:
    """Asks another barrier about the origin that leading `UniversalOrigin` and `DescendOrigin` lead to."""

    inner: Barrier
    universal_location: Junctions
    max_prefixes: int = 8

    def admit(self, passage: Passage) -> Admitted:
        origin, place = passage.origin, 0
        while place < min(self.max_prefixes, len(passage.message)):
            instruction = passage.message[place]
            if isinstance(instruction, UniversalOrigin):
                # Whether the origin may claim this is for the instruction to check.
                origin = relative_to(interior(instruction.junction), self.universal_location)
            elif isinstance(instruction, DescendOrigin):
                origin = _descended(self, origin, instruction.interior)
            else:
                break
            place += 1
        rest = _with_message(passage, Xcm(passage.message[place:]), origin)
        inner = self.inner.admit(rest)
        whole = Xcm((*passage.message[:place], *inner.passage.message))
        return Admitted(_with_message(inner.passage, whole, passage.origin), inner.by, inner.trail)


def _descended(barrier: object, origin: Location, child: Junctions) -> Location:
    try:
        return appended(origin, *child.junctions)
    except LocationError as failure:
        raise _refused(barrier, BarrierReason.UNSUPPORTED, str(failure)) from failure


@dataclass(frozen=True)
class TrailingSetTopicAsId:
    """Names a message by the topic it ends in; the inner barrier sees it without."""

    inner: Barrier

    def admit(self, passage: Passage) -> Admitted:
        last = passage.message[-1] if passage.message else None
        if not isinstance(last, SetTopic):
            return self.inner.admit(passage)
        shorter = Passage(
            passage.origin, Xcm(passage.message[:-1]), passage.max_weight, passage.weight_credit, last.topic
        )
        inner = self.inner.admit(shorter)
        whole = Xcm((*inner.passage.message, last))
        return Admitted(_with_message(inner.passage, whole), inner.by, inner.trail)


class Deny(Protocol):
    """Refuses messages that nothing may let pass."""

    def check(self, passage: Passage) -> None:
        """Raise `Refused` to deny."""
        ...


@dataclass(frozen=True)
class DenyThenTry:
    """What is not denied is asked of another barrier."""

    deny: Deny
    allow: Barrier

    def admit(self, passage: Passage) -> Admitted:
        self.deny.check(passage)
        return self.allow.admit(passage)


@dataclass(frozen=True)
class DenyReserveTransferToRelayChain:
    """The relay chain holds no reserves for its parachains' tokens."""

    withdrawals: bool = True
    """Whether what takes tokens back from reserves there is denied too."""

    def check(self, passage: Passage) -> None:
        for instruction in passage.message:
            if isinstance(instruction, InitiateReserveWithdraw) and self.withdrawals:
                dest = instruction.reserve
            elif isinstance(instruction, DepositReserveAsset | TransferReserveAsset):
                dest = instruction.dest
            else:
                continue
            if dest == PARENT:
                raise _refused(self, BarrierReason.UNSUPPORTED, f"{type(instruction).__name__} to the relay chain")


@dataclass(frozen=True)
class DenyRecursively:
    """Denies a message also for what it carries in programs that run here."""

    inner: Deny

    def check(self, passage: Passage) -> None:
        self._check(passage, 1)

    def _check(self, passage: Passage, depth: int) -> None:
        self.inner.check(passage)
        for instruction in passage.message:
            if isinstance(instruction, SetAppendix | SetErrorHandler | ExecuteWithOrigin):
                if depth > RECURSION_LIMIT:
                    raise _refused(self, BarrierReason.STACK_LIMIT_REACHED)
                self._check(_with_message(passage, instruction.xcm), depth + 1)


@dataclass(frozen=True)
class AnyOf:
    """Lets pass what one of its barriers does, asked in order."""

    barriers: tuple[Barrier, ...]

    def admit(self, passage: Passage) -> Admitted:
        trail: list[str] = []
        last = _refused(self, BarrierReason.UNSUPPORTED, "no barrier")
        for barrier in self.barriers:
            try:
                admitted = barrier.admit(passage)
            except Refused as refusal:
                trail.extend(refusal.trail)
                last = refusal
            else:
                return Admitted(admitted.passage, admitted.by, (*trail, *admitted.trail))
        last.trail = tuple(trail)
        raise last
