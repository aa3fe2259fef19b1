"""Executing a message: weigh, ask the barrier, run the machine, tell the observer.

Source: polkadot-sdk, `polkadot/xcm/xcm-executor/src/lib.rs` (`ExecuteXcm`).
"""

from substrate.types import Weight
from xcm import error as e
from xcm.executor.config import XcmConfig
from xcm.executor.machine import NOTHING, Ending, Machine
from xcm.executor.passage import Admitted, Passage, Refused, Unweighable
from xcm.executor.trace import BarrierVerdict, MessageExecuted, Observe
from xcm.instruction import Xcm
from xcm.location import Location
from xcm.outcome import Complete, Incomplete, InstructionError, NotExecuted, Outcome


class Executor:
    """Executes messages over one runtime instance."""

    def __init__(self, config: XcmConfig, observe: Observe | None = None) -> None:
        self.config = config
        self.observe = observe
        self._depth = 0

    def execute(
        self,
        origin: Location,
        message: Xcm,
        *,
        message_id: bytes,
        weight_limit: Weight,
        weight_credit: Weight = Weight.ZERO,
    ) -> Outcome:
        """Weigh and execute a message.

        Args:
            origin: Who sent it, as we see them.
            message: The program.
            message_id: Its name, unless a barrier knows a better one.
            weight_limit: What it may use.
            weight_credit: Weight that is paid for already.
        """
        try:
            weight = self.config.weigher.weight(message, weight_limit)
        except Unweighable as cause:
            return NotExecuted(InstructionError(cause.index, cause.error))
        return self.execute_named(Passage(origin, message, weight, weight_credit), message_id=message_id)[0]

    def execute_named(self, passage: Passage, *, message_id: bytes) -> tuple[Complete | Incomplete, bytes]:
        """Execute a message that was weighed; returns the message's final name too.

        A refusal by the barrier uses the full weight.
        """
        try:
            admitted = self.config.barrier.admit(passage)
        except Refused as refusal:
            self._note_verdict(passage, message_id, refusal)
            outcome = Incomplete(passage.max_weight, InstructionError(0, e.Barrier()))
            self._note_end(passage, outcome, message_id)
            return outcome, message_id
        message_id = admitted.passage.message_id or message_id
        self._note_verdict(passage, message_id, admitted)
        machine = Machine(
            self.config,
            origin=passage.origin,
            message_id=message_id,
            message_weight=passage.max_weight,
            observe=self.observe,
            depth=self._depth + 1,
        )
        self._depth += 1
        try:
            machine.run(admitted.passage.message)
        finally:
            self._depth -= 1
        outcome, ending = machine.finish()
        self._note_end(passage, outcome, message_id, machine.registers.topic, ending)
        return outcome, message_id

    def _note_verdict(self, passage: Passage, message_id: bytes, verdict: Admitted | Refused) -> None:
        if self.observe is None:
            return
        admitted = isinstance(verdict, Admitted)
        reason = "" if admitted else str(verdict)
        self.observe(
            BarrierVerdict(message_id, passage.origin, admitted, verdict.by, reason, verdict.trail, passage.max_weight)
        )

    def _note_end(
        self,
        passage: Passage,
        outcome: Complete | Incomplete,
        message_id: bytes,
        topic: bytes | None = None,
        ending: Ending = NOTHING,
    ) -> None:
        if self.observe is None:
            return
        self.observe(
            MessageExecuted(
                message_id,
                topic,
                passage.origin,
                passage.message,
                outcome,
                passage.max_weight,
                outcome.used,
                ending.fees_paid,
                ending.delivery_fees,
                ending.trapped,
                ending.trapped_for,
            )
        )
