"""The machine: registers, and the loop over programs.

A program's error never undoes the instructions before it: the error handler runs, then the appendix; what is left in
holding is trapped. Source: polkadot-sdk, `polkadot/xcm/xcm-executor/src/lib.rs`; the XCM format specification.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

from substrate.types import Weight
from xcm import error as e
from xcm.asset import Asset, Assets, assets
from xcm.error import Error, XcmFailure
from xcm.executor.config import Context, FeeReason, Router, Ticket, XcmConfig
from xcm.executor.holding import EMPTY, Holding
from xcm.executor.instructions.table import HANDLERS
from xcm.executor.passage import Unweighable
from xcm.executor.trace import InstructionExecuted, MessageSent, Observe
from xcm.instruction import Instruction, SetTopic, Xcm
from xcm.location import Location
from xcm.message import topic_of
from xcm.outcome import Complete, Incomplete, InstructionError, SendFailure, as_xcm_error
from xcm.response import MaybeErrorCode, Success

SUCCESS: Final = Success()
EMPTY_PROGRAM: Final = Xcm(())
RECURSION_LIMIT: Final = 10
"""How deep executions may nest, through `Transact` of `execute`."""


@dataclass(slots=True)
class Registers:
    """What a message's execution remembers."""

    holding: Holding
    origin: Location | None
    original_origin: Location
    message_id: bytes
    topic: bytes | None = None
    error: tuple[int, Error] | None = None
    error_handler: Xcm = EMPTY_PROGRAM
    error_handler_weight: Weight = Weight.ZERO
    appendix: Xcm = EMPTY_PROGRAM
    appendix_weight: Weight = Weight.ZERO
    total_surplus: Weight = Weight.ZERO
    total_refunded: Weight = Weight.ZERO
    transact_status: MaybeErrorCode = SUCCESS
    jit_withdraw: bool = False
    fees: Holding = EMPTY
    already_paid_fees: bool = False


class Ending(NamedTuple):
    """Where the assets of a message went."""

    fees_paid: Assets
    delivery_fees: tuple[Assets, ...]
    trapped: Assets
    trapped_for: Location | None


NOTHING: Final = Ending(assets(), (), assets(), None)
"""No assets moved."""


class Machine:
    """Executes one message."""

    def __init__(
        self,
        config: XcmConfig,
        *,
        origin: Location,
        message_id: bytes,
        message_weight: Weight,
        observe: Observe | None = None,
        depth: int = 0,
    ) -> None:
        self.config = config
        self.registers = Registers(EMPTY, origin, origin, message_id)
        self.message_weight = message_weight
        self.trader = config.trader()
        self.observe = observe
        self.depth = depth
        self.delivery_fees: list[Assets] = []
        self.forgone: list[Asset] = []
        """Refunds that holding had no room for: they went where fees go."""

    @property
    def context(self) -> Context:
        """What policies may know."""
        return Context(self.registers.origin, self.registers.message_id, self.registers.topic)

    # --- the loop ---

    def run(self, message: Xcm) -> None:
        """Execute a message with its handlers, until nothing is left to run."""
        program, name = message, "main"
        while program:
            error = self._run_program(program, name)
            if error:
                program, name = self._take_error_handler(), "handler"
            else:
                self._drop_error_handler()
                program = EMPTY_PROGRAM
            if not program:
                program, name = self._take_appendix(), "appendix"

    def _run_program(self, program: Xcm, name: str) -> bool:
        """Execute instructions up to the first error; weights of those after it are surplus."""
        for index, instruction in enumerate(program):
            failure = self._step(name, index, instruction)
            if failure is not None:
                for skipped in program[index + 1 :]:
                    self.registers.total_surplus += self.instruction_weight(skipped)
                self.registers.error = (index, failure)
                return True
        return False

    def _step(self, name: str, index: int, instruction: Instruction) -> Error | None:
        r, error, detail = self.registers, None, ""
        origin, holding, surplus = r.origin, r.holding, r.total_surplus
        try:
            self.execute(instruction)
        except XcmFailure as failure:
            error, detail = failure.error, failure.detail
        if error is not None and self.config.events is not None:
            self.config.events.emit_process_failure(r.original_origin, error, self.context.topic_or_message_id)
        if self.observe is not None:
            self.observe(
                InstructionExecuted(
                    r.message_id,
                    name,
                    index,
                    instruction,
                    error,
                    detail,
                    self.instruction_weight(instruction),
                    r.total_surplus - surplus,
                    origin,
                    r.origin,
                    holding,
                    r.holding,
                    r.fees,
                )
            )
        return error

    def execute(self, instruction: Instruction) -> None:
        """Execute one instruction.

        Raises:
            XcmFailure: It failed; where it is transactional, storage and holding are as before.
        """
        if self.depth > RECURSION_LIMIT:
            raise XcmFailure(e.ExceedsStackLimit())
        entry = HANDLERS.get(type(instruction))
        if entry is None:
            raise XcmFailure(e.Unimplemented(), type(instruction).__name__)
        if not entry.transactional:
            entry.run(self, instruction)
            return
        r = self.registers
        before = (r.holding, r.fees, r.already_paid_fees, len(self.delivery_fees))
        try:
            with self.config.transaction():
                entry.run(self, instruction)
        except XcmFailure:
            r.holding, r.fees, r.already_paid_fees, fee_count = before
            del self.delivery_fees[fee_count:]
            raise

    def instruction_weight(self, instruction: Instruction) -> Weight:
        """What an instruction was weighed at; nothing where that cannot be told any more."""
        try:
            return self.config.weigher.instruction_weight(instruction)
        except Unweighable:
            return Weight.ZERO

    def _take_error_handler(self) -> Xcm:
        handler = self.registers.error_handler
        self.registers.error_handler, self.registers.error_handler_weight = EMPTY_PROGRAM, Weight.ZERO
        return handler

    def _drop_error_handler(self) -> None:
        self.registers.total_surplus += self.registers.error_handler_weight
        self.registers.error_handler, self.registers.error_handler_weight = EMPTY_PROGRAM, Weight.ZERO

    def _take_appendix(self) -> Xcm:
        appendix = self.registers.appendix
        self.registers.appendix, self.registers.appendix_weight = EMPTY_PROGRAM, Weight.ZERO
        return appendix

    # --- the end ---

    def finish(self) -> tuple[Complete | Incomplete, Ending]:
        """Refund, settle and trap."""
        r = self.registers
        with suppress(XcmFailure):  # no room for a refund, which the machine notes as paid
            self.refund_surplus()
        r.holding, r.fees = r.holding.plus(r.fees), EMPTY
        paid = assets(*self.trader.settle(), *self.forgone)
        used, trapped, claimer = self.message_weight - r.total_surplus, assets(), None
        if r.holding:
            trapped, claimer = r.holding.assets(), r.origin or r.original_origin
            used += self.config.asset_trap.drop_assets(claimer, r.holding, self.context)
        ending = Ending(paid, tuple(self.delivery_fees), trapped, claimer)
        if r.error is None:
            return Complete(used), ending
        index, error = r.error
        return Incomplete(used, InstructionError(index, error)), ending

    # --- what instructions share ---

    def origin(self) -> Location:
        """The origin.

        Raises:
            XcmFailure: `BadOrigin` where it was cleared.
        """
        if self.registers.origin is None:
            raise XcmFailure(e.BadOrigin(), "the origin was cleared")
        return self.registers.origin

    def check_room(self, count: int) -> None:
        """Raise `HoldingWouldOverflow` unless holding takes so many more assets."""
        if len(self.registers.holding) + count > 2 * self.config.holding_limit:
            raise XcmFailure(e.HoldingWouldOverflow(), f"{len(self.registers.holding)} held, {count} more")

    def refund_surplus(self) -> None:
        """Sell unused weight back, and return the rest of the fees register to holding."""
        r = self.registers
        surplus = r.total_surplus - r.total_refunded
        if surplus.any_gt(Weight.ZERO):
            refund = self.trader.refund_weight(surplus, self.context)
            if refund is not None:
                r.total_refunded += surplus
                if not r.holding.amount(refund.id) and len(r.holding) + 1 > 2 * self.config.holding_limit:
                    # Upstream buys the weight back, which fails where more was surplus than sold: the refund is lost.
                    self.config.fee_manager.handle_fee(assets(refund), self.context, FeeReason.CHARGE_FEES)
                    self.forgone.append(refund)
                    raise XcmFailure(e.HoldingWouldOverflow(), "no room for the refund")
                r.holding = r.holding.plus((refund,))
        r.holding, r.fees = r.holding.plus(r.fees), EMPTY

    def send(self, dest: Location, message: Xcm, reason: FeeReason) -> bytes:
        """Send a message on, which inherits this one's name, and pay for its delivery.

        Raises:
            XcmFailure: The router's error, or `NotHoldingFees`.
        """
        events, message = self.config.events, self._named(message)
        ticket = validated(self.config.router, dest, message)
        fee = self._take_fee(ticket.price, reason)
        try:
            sent = ticket.deliver()
        except SendFailure as failure:
            if events is not None:
                name = self.context.topic_or_message_id
                events.emit_send_failed(self.registers.original_origin, dest, failure.error, name)
            raise XcmFailure(as_xcm_error(failure.error), str(failure)) from failure
        if events is not None:
            events.emit_sent(self.registers.original_origin, dest, sent)
        if self.observe is not None:
            self.observe(MessageSent(self.registers.message_id, sent, dest, message, fee))
        return sent

    def delivery_price(self, dest: Location, message: Xcm, reason: FeeReason) -> Assets:
        """What sending would cost this origin.

        Raises:
            XcmFailure: The router's error.
        """
        if self.config.fee_manager.is_waived(self.registers.origin, reason):
            return assets()
        return validated(self.config.router, dest, self._named(message)).price

    def _named(self, message: Xcm) -> Xcm:
        """A message as it is sent: under its own name, or else under this one's."""
        if topic_of(message) is not None:
            return message
        return Xcm((*message, SetTopic(self.context.topic_or_message_id)))

    def _take_fee(self, price: Assets, reason: FeeReason) -> Assets:
        """Upstream too only ever charges the first asset of a price."""
        r = self.registers
        if not price or self.config.fee_manager.is_waived(r.origin, reason):
            return assets()
        fee = Assets(price[:1])
        if r.jit_withdraw:
            self.config.asset_transactor.withdraw_asset(fee[0], self.origin(), self.context)
        else:
            register = r.fees or r.holding
            if not register.contains(fee):
                raise XcmFailure(e.NotHoldingFees(), "delivery")
            if r.fees:
                r.fees = r.fees.minus(fee)
            else:
                r.holding = r.holding.minus(fee)
        self.config.fee_manager.handle_fee(fee, self.context, reason)
        self.delivery_fees.append(fee)
        return fee


def validated(router: Router, dest: Location, message: Xcm) -> Ticket:
    """A router's ticket.

    Raises:
        XcmFailure: The router's error.
    """
    try:
        return router.validate(dest, message)
    except SendFailure as failure:
        raise XcmFailure(as_xcm_error(failure.error), str(failure)) from failure
