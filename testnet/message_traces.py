"""What execution told of messages, as rows: outcomes, instructions, assets, traps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from substrate.client.protocols import Recorder
from testnet.message_rows import amount_of, operation
from testnet.observing import Executed, event_names, pallet_event
from testnet.places import Naming
from testnet.plain import fields_of, plain
from xcm.asset import MAX_ASSETS, Assets, Fungible
from xcm.error import Error
from xcm.executor.trace import BarrierVerdict, InstructionExecuted, MessageExecuted
from xcm.instruction import (
    BurnAsset,
    BuyExecution,
    ClaimAsset,
    DepositAsset,
    PayFees,
    ReceiveTeleportedAsset,
    ReserveAssetDeposited,
    TransferAsset,
    TransferReserveAsset,
    WithdrawAsset,
)
from xcm.location import Location
from xcm.outcome import failure
from xcm.versions.versioned import latest_assets

ROLES: Mapping[type[Any], str] = {
    WithdrawAsset: "withdrawn",
    ReserveAssetDeposited: "minted",
    ReceiveTeleportedAsset: "minted",
    ClaimAsset: "claimed",
    BurnAsset: "burned",
    DepositAsset: "deposited",
    TransferAsset: "transfer",
    TransferReserveAsset: "transfer",
}
"""What an instruction does to assets; others that change holding send them on."""
_PAYMENT = (BuyExecution, PayFees)


@dataclass
class Trace:
    """One execution: its barrier's verdict, its instructions, its end."""

    verdict: BarrierVerdict
    steps: list[InstructionExecuted] = field(default_factory=list[InstructionExecuted])
    end: MessageExecuted | None = None

    @staticmethod
    def all_of(facts: Sequence[Any]) -> "list[Trace]":
        """The executions of a block in the order in which they began; a call may execute programs of its own."""
        found: list[Trace] = []
        running: list[Trace] = []
        for fact in facts:
            if isinstance(fact, BarrierVerdict):
                running.append(Trace(fact))
                found.append(running[-1])
            elif running and isinstance(fact, InstructionExecuted):
                running[-1].steps.append(fact)
            elif running and isinstance(fact, MessageExecuted):
                running.pop().end = fact
        return [trace for trace in found if trace.end is not None]

    @property
    def done(self) -> MessageExecuted:
        """Its end."""
        assert self.end is not None, "only finished executions are kept"
        return self.end

    def bought(self) -> int:
        """What was given for execution before anything came back."""
        return sum(
            sum(step.holding_before.fungible.values()) - sum(_with_fees(step).values())
            for step in self.steps
            if isinstance(step.instruction, _PAYMENT) and step.error is None
        )


def _with_fees(step: InstructionExecuted) -> dict[Any, int]:
    """Holding and the fees register after a step."""
    return dict(step.holding_after.plus(step.fees_after).fungible)


def write_traces(
    recorder: Recorder,
    names: Naming,
    chain: int | None,
    traces: Sequence[Trace],
    place: Mapping[str, object],
    ids: Mapping[bytes, bytes],
) -> None:
    """Write what was executed in a block of `chain`; `ids` are those of messages that go by their hash."""
    for position, trace in enumerate(traces):
        message_id = ids.get(trace.done.message_id, trace.done.message_id)
        where = {**place, "position": position, "message_id": message_id}
        origin = names.origin(trace.done.origin, chain)
        recorder.row("outcomes", origin=origin, **where, **_outcome(trace))
        if names.is_other_chain(trace.done.origin, chain):
            dest = {"origin": origin, "dest": names.chain(chain)}
            recorder.row("hops", message_id=message_id, stage="executed", **dest, **place)
        for number, step in enumerate(trace.steps):
            recorder.row("instructions", i=number, **where, **_instruction(step, names, chain))
        for (role, asset), amount in _roles(trace).items():
            token = names.token(asset, chain)
            recorder.row(
                "assets",
                role=role,
                asset=names.asset(asset, chain),
                symbol=token and token.symbol,
                decimals=token and token.decimals,
                amount_raw=amount,
                **where,
            )


def _outcome(trace: Trace) -> dict[str, object]:
    done, verdict = trace.done, trace.verdict
    row: dict[str, object] = {
        "ok": True,
        "barrier": verdict.barrier,
        "weight_used": done.used.ref_time,
        "fee_execution": amount_of(done.fees_paid),
        "refunded": max(0, trace.bought() - amount_of(done.fees_paid)),
    }
    wrong = failure(done.outcome)
    if wrong is None:
        return row
    row |= {"ok": False, "error": error_name(wrong.error), "error_index": wrong.index}
    if not verdict.admitted:
        return row | {"reason": "; ".join(verdict.trail) or verdict.reason}
    failed = [step for step in trace.steps if step.error is not None]
    if failed:
        row |= {"error_instruction": operation(failed[-1].instruction), "reason": failed[-1].detail or None}
    return row


def error_name(error: Error) -> str:
    """An XCM error's name."""
    return type(error).__name__


def _instruction(step: InstructionExecuted, names: Naming, chain: int | None) -> dict[str, object]:
    return {
        "program": step.program,
        "op": operation(step.instruction),
        "args": fields_of(step.instruction),
        "ok": step.error is None,
        "error": None if step.error is None else error_name(step.error),
        "detail": step.detail or None,
        "weight_ref": step.weight.ref_time - step.surplus.ref_time,
        "weight_proof": step.weight.proof_size - step.surplus.proof_size,
        "origin_before": _origin(step.origin_before, names, chain),
        "origin_after": _origin(step.origin_after, names, chain),
        "holding_before": names.holding(step.holding_before, chain),
        "holding_after": names.holding(step.holding_after, chain),
    }


def _origin(origin: Location | None, names: Naming, chain: int | None) -> str | None:
    return None if origin is None else names.origin(origin, chain)


def _roles(trace: Trace) -> dict[tuple[str, Any], int]:
    """What happened to each asset: by role, in the asset's smallest unit."""
    totals: dict[tuple[str, Any], int] = {}
    for role, asset, amount in _movements(trace):
        totals[role, asset] = totals.get((role, asset), 0) + amount
    return {key: amount for key, amount in totals.items() if amount}


def _movements(trace: Trace) -> Iterator[tuple[str, Any, int]]:
    for step in trace.steps:
        if step.error is None:
            yield from _moved_by(step)
    done = trace.done
    for role, sets in (("fee", (done.fees_paid,)), ("delivery", done.delivery_fees), ("trapped", (done.trapped,))):
        for items in sets:
            for asset, amount in _amounts(items):
                yield role, asset, amount


def _moved_by(step: InstructionExecuted) -> Iterator[tuple[str, Any, int]]:
    instruction: Any = step.instruction
    if isinstance(instruction, _PAYMENT):
        return
    role = ROLES.get(type(step.instruction))
    if role == "transfer":
        for asset, amount in _amounts(instruction.assets):
            yield role, asset, amount
        return
    before, after = step.holding_before.fungible, step.holding_after.fungible
    for asset in dict.fromkeys((*before, *after)):
        change = after.get(asset, 0) - before.get(asset, 0)
        if change:
            yield role or ("refunded" if change > 0 else "forwarded"), asset, abs(change)


def _amounts(items: Assets) -> Iterator[tuple[Any, int]]:
    for asset in items:
        if isinstance(asset.fun, Fungible):
            yield asset.id, asset.fun.amount


def write_traps(
    recorder: Recorder,
    names: Naming,
    chain: int | None,
    executed: Executed,
    traces: Sequence[Trace],
    place: Mapping[str, object],
) -> None:
    """Write what was trapped and claimed: from events, so that what was rolled back does not count."""
    dropped = [
        (trace.done.trapped_for, chunk, trace.done.message_id) for trace in traces for chunk in _chunks(trace.done)
    ]
    for position, record in enumerate(executed.execution.events):
        name = event_names(record)[1]
        if name not in ("AssetsTrapped", "AssetsClaimed"):
            continue
        event: Any = pallet_event(record)
        items = latest_assets(event.assets)
        row: dict[str, object] = {"hash": event.hash, "origin": names.origin(event.origin, chain)}
        row["assets"] = [[names.asset(asset.id, chain), plain(asset.fun)] for asset in items]
        if name == "AssetsTrapped":
            match = next((each for each in dropped if each[:2] == (event.origin, items)), None)
            if match is not None:
                dropped.remove(match)
            row |= {"action": "trapped", "message_id": None if match is None else match[2]}
        else:
            row |= {"action": "claimed", "who": names.origin(event.origin, chain)}
        recorder.row("traps", position=position, **row, **place)


def _chunks(done: MessageExecuted) -> Iterator[Assets]:
    for start in range(0, len(done.trapped), MAX_ASSETS):
        yield Assets(done.trapped[start : start + MAX_ASSETS])
