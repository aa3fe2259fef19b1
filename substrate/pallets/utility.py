"""Utility: calls made of calls.

Source: polkadot-sdk, `substrate/frame/utility/src/lib.rs`.
"""

from collections.abc import Sequence
from typing import Any, cast

from substrate.crypto.hashing import blake2_256
from substrate.pallets.system import System
from substrate.runtime.dispatch import BadOrigin, DispatchClass, DispatchError, DispatchFailure, DispatchInfo, PostInfo
from substrate.runtime.origin import AnyOrigin, Origin, RawNone, RawRoot, RawSigned, Root, Signed
from substrate.runtime.outer_enums import OriginCaller, RuntimeCall
from substrate.runtime.pallet import Error, Event, Pallet, call, constant
from substrate.scale.codec import encode
from substrate.scale.types import Err, Ok, Result, u16, u32
from substrate.types import AccountId, Weight

BASE = Weight(7_000_000, 0)
PER_CALL = Weight(4_000_000, 0)
DERIVE = Weight(9_000_000, 3_997)


def derivative_account(who: AccountId, index: int) -> AccountId:
    """The account number `index` that belongs to another account."""
    return AccountId(blake2_256(b"modlpy/utilisuba" + who + encode(u16, index)))


def _calls_weight(pallet: Pallet, calls: tuple[RuntimeCall, ...]) -> tuple[Weight, DispatchClass]:
    infos = [pallet.runtime.dispatch_info(inner) for inner in calls]
    return sum((PER_CALL + info.weight for info in infos), BASE), _shared_class(infos)


def _one_weight(pallet: Pallet, _first: object, inner: RuntimeCall) -> tuple[Weight, DispatchClass]:
    info = pallet.runtime.dispatch_info(inner)
    return DERIVE + info.weight, info.class_


def _both_weight(pallet: Pallet, main: RuntimeCall, fallback: RuntimeCall) -> tuple[Weight, DispatchClass]:
    first, second = pallet.runtime.dispatch_info(main), pallet.runtime.dispatch_info(fallback)
    return DERIVE + first.weight + second.weight, _shared_class([first, second])


def _given_weight(pallet: Pallet, call: RuntimeCall, weight: Weight) -> tuple[Weight, DispatchClass]:
    return weight, pallet.runtime.dispatch_info(call).class_


def _shared_class(infos: Sequence[DispatchInfo]) -> DispatchClass:
    is_operational = all(info.class_ == DispatchClass.Operational for info in infos)
    return DispatchClass.Operational if is_operational else DispatchClass.Normal


class Utility(Pallet):
    """Batches, derivative accounts, and dispatch under another origin."""

    batched_calls_limit: u32 = constant(10_922, name="batched_calls_limit")

    class BatchInterrupted(Event):
        """Batch of dispatches did not complete fully; the index of the first failing dispatch, and its error."""

        index: u32
        error: DispatchError

    class BatchCompleted(Event):
        """Batch of dispatches completed fully with no error."""

    class BatchCompletedWithErrors(Event):
        """Batch of dispatches completed but has errors."""

    class ItemCompleted(Event):
        """A single item within a batch of dispatches has completed with no error."""

    class ItemFailed(Event):
        """A single item within a batch of dispatches has completed with error."""

        error: DispatchError

    class DispatchedAs(Event):
        """A call was dispatched."""

        result: Result[None, DispatchError]

    class IfElseMainSuccess(Event):
        """Main call was dispatched."""

    class IfElseFallbackCalled(Event):
        """The fallback call was dispatched."""

        main_error: DispatchError

    class TooManyCalls(Error):
        """Too many calls batched."""

    @call(0, weight=_calls_weight)
    def batch(self, origin: AnyOrigin, calls: tuple[RuntimeCall, ...]) -> PostInfo:
        """Send a batch of calls; the first failure stops it, and what succeeded stays."""
        self._check(origin, calls)
        weight = BASE
        for index, inner in enumerate(calls):
            try:
                weight += PER_CALL + self._run(inner, origin)
            except DispatchFailure as failure:
                weight += PER_CALL + self._failed_weight(inner, failure)
                self.deposit_event(self.BatchInterrupted(index=index, error=failure.error))
                return PostInfo(weight)
            self.deposit_event(self.ItemCompleted())
        self.deposit_event(self.BatchCompleted())
        return PostInfo(weight)

    @call(1, weight=_one_weight)
    def as_derivative(self, origin: Signed, index: u16, call: RuntimeCall) -> PostInfo:
        """Send a call through an indexed pseudonym of the sender."""
        weight = self._run(call, RawSigned(derivative_account(origin, index)))
        return PostInfo(DERIVE + weight)

    @call(2, weight=_calls_weight)
    def batch_all(self, origin: AnyOrigin, calls: tuple[RuntimeCall, ...]) -> PostInfo:
        """Send a batch of calls; the first failure undoes all of it. May not be nested."""
        self._check(origin, calls)
        weight = BASE
        for inner in calls:
            entry, _ = self.runtime.assembly().resolve(inner)
            if (entry.attribute, entry.method) == (self.mount_name, "batch_all") and not isinstance(origin, RawRoot):
                raise self.pallet(System).CallFiltered
            try:
                weight += PER_CALL + self._run(inner, origin)
            except DispatchFailure as failure:
                spent = PostInfo(weight + PER_CALL + self._failed_weight(inner, failure))
                raise DispatchFailure(failure.error, spent) from failure
            self.deposit_event(self.ItemCompleted())
        self.deposit_event(self.BatchCompleted())
        return PostInfo(weight)

    @call(3, weight=_one_weight)
    def dispatch_as(self, origin: Root, as_origin: OriginCaller, call: RuntimeCall) -> None:
        """Dispatch a call under any origin, as root."""
        try:
            self._run(call, _inner(as_origin))
        except DispatchFailure as failure:
            self.deposit_event(self.DispatchedAs(result=Err(failure.error)))
        else:
            self.deposit_event(self.DispatchedAs(result=Ok(None)))

    @call(4, weight=_calls_weight)
    def force_batch(self, origin: AnyOrigin, calls: tuple[RuntimeCall, ...]) -> PostInfo:
        """Send a batch of calls; failures do not stop it."""
        self._check(origin, calls)
        weight, has_error = BASE, False
        for inner in calls:
            try:
                weight += PER_CALL + self._run(inner, origin)
                self.deposit_event(self.ItemCompleted())
            except DispatchFailure as failure:
                has_error = True
                weight += PER_CALL + self._failed_weight(inner, failure)
                self.deposit_event(self.ItemFailed(error=failure.error))
        self.deposit_event(self.BatchCompletedWithErrors() if has_error else self.BatchCompleted())
        return PostInfo(weight)

    @call(5, weight=_given_weight)
    def with_weight(self, origin: Root, call: RuntimeCall, weight: Weight) -> None:
        """Dispatch a call as root with a weight given in place of its own."""
        self._run(call, RawRoot())

    @call(6, weight=_both_weight)
    def if_else(self, origin: AnyOrigin, main: RuntimeCall, fallback: RuntimeCall) -> PostInfo:
        """Dispatch a fallback call if the main call fails."""
        if isinstance(origin, RawNone):
            raise DispatchFailure(BadOrigin())
        try:
            weight = self._run(main, origin)
        except DispatchFailure as failure:
            weight = self._failed_weight(main, failure) + self._run(fallback, origin)
            self.deposit_event(self.IfElseFallbackCalled(main_error=failure.error))
        else:
            self.deposit_event(self.IfElseMainSuccess())
        return PostInfo(DERIVE + weight)

    @call(7, weight=_one_weight)
    def dispatch_as_fallible(self, origin: Root, as_origin: OriginCaller, call: RuntimeCall) -> None:
        """Dispatch a call under any origin, as root; fails where the call fails."""
        self._run(call, _inner(as_origin))
        self.deposit_event(self.DispatchedAs(result=Ok(None)))

    def _check(self, origin: Origin, calls: tuple[RuntimeCall, ...]) -> None:
        if isinstance(origin, RawNone):
            raise DispatchFailure(BadOrigin())
        if len(calls) > self.batched_calls_limit:
            raise self.TooManyCalls

    def _run(self, call: RuntimeCall, origin: Origin) -> Weight:
        declared = self.runtime.dispatch_info(call).weight
        return self.runtime.dispatch(call, origin).actual_weight or declared

    def _failed_weight(self, call: RuntimeCall, failure: DispatchFailure) -> Weight:
        told = failure.info.actual_weight if failure.info is not None else None
        return told or self.runtime.dispatch_info(call).weight


def _inner(caller: OriginCaller) -> Origin:
    return cast("Origin", cast(Any, caller).value)
