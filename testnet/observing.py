"""Executed blocks as rows of the record: the block, its extrinsics, its events.

Every block is executed once in a process whatever the number of its nodes, and its rows are keyed by its hash.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from substrate.block import Block, extrinsic_hash
from substrate.client.importing import Execution
from substrate.client.protocols import Clock, Recorder
from substrate.pallets.system import System
from substrate.pallets.system_types import ApplyExtrinsic, EventRecord
from substrate.runtime.assembly import Runtime
from substrate.runtime.checks import signer_of
from substrate.runtime.dispatch import Arithmetic, DispatchError, Module, Token, Transactional, Trie
from substrate.runtime.extrinsic import decode_extrinsic
from substrate.scale.types import Struct, naming
from substrate.state import Overlay
from substrate.types import Hash
from testnet.plain import fields_of

About = Callable[[Block], Mapping[str, object]]
"""What a chain's own consensus says of a block: `author`, `slot`."""


class Executed(NamedTuple):
    """An executed block as observers further down take it."""

    block: Block
    hash: Hash
    execution: Execution
    runtime: type[Runtime]


class BlockObserver:
    """Writes down the blocks of one chain."""

    def __init__(self, chain: str, para_id: int | None, clock: Clock, recorder: Recorder, about: About) -> None:
        self.chain = chain
        self._para_id = para_id
        self._clock = clock
        self._recorder = recorder
        self._about = about
        self._further: list[Callable[[Executed], None]] = []

    def then(self, further: Callable[[Executed], None]) -> None:
        """Hand every block on, after its rows are written."""
        self._further.append(further)

    def on_executed(self, block: Block, execution: Execution) -> None:
        """Take a block: the listener of an execution cache."""
        executed = Executed(block, block.hash, execution, execution.runtime)
        place = {"chain": self.chain, "block": int(block.header.number), "block_hash": executed.hash}
        place["at"] = self._clock.now_us()
        self._write_block(executed)
        self._write_extrinsics(executed, place)
        for number, record in enumerate(execution.events):
            self._write_event(number, record, place)
        for further in self._further:
            further(executed)

    def _write_block(self, executed: Executed) -> None:
        block, state = executed.block, Overlay(executed.execution.state)
        weight = executed.runtime(state).pallet(System).block_weight.get().total
        self._recorder.row(
            "blocks",
            chain=self.chain,
            para_id=self._para_id,
            block=int(block.header.number),
            hash=executed.hash,
            parent=block.header.parent_hash,
            extrinsics=len(block.extrinsics),
            events=len(executed.execution.events),
            size=sum(map(len, block.extrinsics)),
            weight_ref=weight.ref_time,
            weight_proof=weight.proof_size,
            at=self._clock.now_us(),
            **self._about(block),
        )

    def _write_extrinsics(self, executed: Executed, place: Mapping[str, object]) -> None:
        outcomes = _outcomes(executed)
        for number, raw in enumerate(executed.block.extrinsics):
            extrinsic = decode_extrinsic(executed.runtime, raw)
            entry, value = executed.runtime.assembly().resolve(extrinsic.call)
            signed = extrinsic.signed
            self._recorder.row(
                "extrinsics",
                **place,
                extrinsic=number,
                hash=extrinsic_hash(raw),
                signer=signer_of(signed) if signed else None,
                call=f"{entry.attribute}.{entry.method}",
                args=fields_of(value) if signed else None,  # what an author put in is long, and of no user
                **outcomes.get(number, {}),
            )

    def _write_event(self, number: int, record: EventRecord, place: Mapping[str, object]) -> None:
        pallet, event = event_names(record)
        phase = record.phase
        self._recorder.row(
            "events",
            **place,
            event=number,
            phase=type(phase).__name__,
            extrinsic=phase.index if isinstance(phase, ApplyExtrinsic) else None,
            pallet=pallet,
            name=event,
            data=fields_of(pallet_event(record)),
        )


def pallet_event(record: EventRecord) -> Struct:
    """The pallet's event in a record."""
    event: Any = record.event
    return event.value


def event_names(record: EventRecord) -> tuple[str, str]:
    """Pallet and event name."""
    event = pallet_event(record)
    return type(record.event).__name__, naming(type(event)).name or type(event).__name__


def error_text(runtime: type[Runtime], error: DispatchError) -> str:
    """`Bazaar.NotForSale` for a pallet's error, `Token.FundsUnavailable`, `BadOrigin`."""
    match error:
        case Module():
            index, case = error.value.index, error.value.error[0]
            mounted = next((each for each in runtime.assembly().mounts.values() if each.index == index), None)
            errors = mounted.kind.errors.items() if mounted else ()
            name = next((name for name, kind in errors if kind.index == case), case)
            return f"{mounted.name if mounted else index}.{name}"
        case Token() | Arithmetic() | Transactional() | Trie():
            return f"{type(error).__name__}.{error.value.name}"
        case _:
            return type(error).__name__


def _outcomes(executed: Executed) -> dict[int, dict[str, object]]:
    """What the events say of each extrinsic."""
    outcomes: dict[int, dict[str, object]] = {}
    for record in executed.execution.events:
        if not isinstance(record.phase, ApplyExtrinsic):
            continue
        outcome = outcomes.setdefault(record.phase.index, {})
        event: Any = pallet_event(record)
        match event_names(record):
            case ("System", "ExtrinsicSuccess" | "ExtrinsicFailed" as name):
                weight = event.dispatch_info.weight
                outcome |= {"ok": name == "ExtrinsicSuccess", "weight_ref": weight.ref_time}
                outcome["weight_proof"] = weight.proof_size
                if name == "ExtrinsicFailed":
                    outcome["error"] = error_text(executed.runtime, event.dispatch_error)
            case ("TransactionPayment", "TransactionFeePaid"):
                outcome |= {"fee": event.actual_fee, "tip": event.tip}
            case _:
                pass
    return outcomes
