"""Message queue: one queue per origin, served round robin within a weight.

Source: polkadot-sdk, `substrate/frame/message-queue/src/lib.rs`.
"""

from collections.abc import Iterable
from enum import Enum

from substrate.crypto.hashing import blake2_256
from substrate.pallets.message_queue_base import MessageQueueBase
from substrate.pallets.message_queue_types import (
    HEADER_SIZE,
    BookState,
    Item,
    MessageOrigin,
    Neighbours,
    Outcome,
    Overweight,
    ProcessingFailure,
    ProcessMessageError,
    QueueFootprint,
    StackLimitReached,
    Unsupported,
    WeightMeter,
    Yield,
    after_first,
    after_processing,
    appended,
    change,
    first_item,
    is_cullable,
    item_at_index,
    one_less,
    page_of,
)
from substrate.runtime.dispatch import PostInfo
from substrate.runtime.observer import CallPanicked
from substrate.runtime.origin import Signed
from substrate.runtime.pallet import Pallet, call
from substrate.runtime.panics import NO_PANIC, described
from substrate.runtime.steps import MESSAGE_STEPS, SERVICE_STEPS, StepLimit
from substrate.scale.types import u32
from substrate.types import BlockNumber, Hash, Weight

BUMP_HEAD = Weight(8_000_000, 3_514)
QUEUE_BASE = Weight(22_000_000, 7_028)
PAGE_BASE = Weight(8_000_000, 3_517)
ITEM_BASE = Weight(80_000_000, 0)
OVERHEAD = BUMP_HEAD + QUEUE_BASE + PAGE_BASE + ITEM_BASE
REAP = Weight(70_000_000, 69_050)
EXECUTE = Weight(90_000_000, 69_050)


class Status(Enum):
    """What became of one message."""

    PROCESSED = "Processed"
    DROPPED = "Unprocessable, permanently"
    YIELDED = "Unprocessable, for now"
    OVERWEIGHT = "Overweight"
    INSUFFICIENT_WEIGHT = "InsufficientWeight"
    STACK_LIMIT = "StackLimitReached"


DONE = (Status.PROCESSED, Status.DROPPED, Status.STACK_LIMIT)


def _overweight_weight(_pallet: Pallet, _origin: object, _page: int, _index: int, weight_limit: Weight) -> Weight:
    return EXECUTE + weight_limit


class MessageQueue(MessageQueueBase):
    """Queues of messages; a subclass says what a `MessageOrigin` is.

    Messages are tried in order. One heavier than a whole service turn stays behind as overweight, for anyone to
    execute by hand. What a processor writes stays, unless it raises `ProcessingFailure`.
    """

    _is_serving = False
    """Set while a message is processed: serving may not recurse."""
    _steps_served = 0
    """What serving messages in this block took."""

    # --- calls and hooks ---

    @call(0, weight=REAP)
    def reap_page(self, origin: Signed, message_origin: MessageOrigin, page_index: u32) -> None:
        """Remove a page which has no more messages remaining to be processed or is stale."""
        book, page = self.book_state_for[message_origin], self.pages.get(message_origin, page_index)
        if page_index >= book.begin:
            raise self.NotReapable
        if page is None:
            raise self.NoPage
        if not page.is_complete and not is_cullable(book, page_index, max_stale=self.max_stale):
            raise self.NotReapable
        del self.pages[message_origin, page_index]
        count, size = book.message_count - page.remaining, book.size - page.remaining_size
        book = change(book, count=book.count - 1, message_count=count, size=size)
        self._put_book(message_origin, book)
        self.deposit_event(self.PageReaped(origin=message_origin, index=page_index))

    @call(1, weight=_overweight_weight)
    def execute_overweight(
        self, origin: Signed, message_origin: MessageOrigin, page: u32, index: u32, weight_limit: Weight
    ) -> PostInfo:
        """Execute an overweight message; anyone may, who pays for the weight."""
        return PostInfo(EXECUTE + self._execute_overweight(message_origin, page, index, weight_limit))

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Serve the queues."""
        return Weight.ZERO if self.service_weight is None else self.service_queues(self.service_weight)

    def on_idle(self, number: BlockNumber, remaining: Weight) -> Weight:
        """Serve the queues with what the block has left."""
        limit = self.idle_max_service_weight
        if limit is None:
            return Weight.ZERO
        return self.service_queues(limit.min(remaining))

    # --- enqueueing ---

    def enqueue_message(self, message: bytes, origin: MessageOrigin) -> None:
        """Put a message at the end of its origin's queue."""
        self.enqueue_messages((message,), origin)

    def enqueue_messages(self, messages: Iterable[bytes], origin: MessageOrigin) -> None:
        """Put messages at the end of their origin's queue."""
        for message in messages:
            self._enqueue(message, origin)
        self._tell(origin, self.book_state_for[origin])

    def footprint(self, origin: MessageOrigin) -> QueueFootprint:
        """How much waits in a queue."""
        return self.book_state_for[origin].footprint

    def sweep_queue(self, origin: MessageOrigin) -> None:
        """Stop serving what a queue holds."""
        if origin not in self.book_state_for:
            return
        book = self.book_state_for[origin]
        if book.ready_neighbours is not None:
            self._unknit(origin, book.ready_neighbours)
        self.book_state_for[origin] = change(book, begin=book.end, ready_neighbours=None)

    def max_message_len(self) -> int:
        """Most bytes of a message."""
        return self.heap_size - HEADER_SIZE

    def _enqueue(self, message: bytes, origin: MessageOrigin) -> None:
        assert len(message) <= self.max_message_len(), "senders bound their messages"
        book = self.book_state_for[origin]
        book = change(book, message_count=book.message_count + 1, size=book.size + len(message))
        if book.is_ready:
            last = self.pages[origin, book.end - 1]
            longer = appended(last, message, heap_size=self.heap_size)
            if longer is not None:
                self.pages[origin, book.end - 1] = longer
                self.book_state_for[origin] = book
                return
        else:
            book = change(book, ready_neighbours=self._knit(origin))
        self.pages[origin, book.end] = page_of(message)
        self.book_state_for[origin] = change(book, end=book.end + 1, count=book.count + 1)

    # --- the ring ---

    def _knit(self, origin: MessageOrigin) -> Neighbours[MessageOrigin]:
        """Put a queue into the ring, behind all others."""
        head = self.service_head.get()
        if head is None:
            self.service_head.put(origin)
            return Neighbours(origin, origin)
        tail = self._neighbours(head).prev
        self._set_neighbours(head, prev=origin)
        self._set_neighbours(tail, next=origin)
        return Neighbours(tail, head)

    def _unknit(self, origin: MessageOrigin, neighbours: Neighbours[MessageOrigin]) -> None:
        """Take a queue out of the ring."""
        if neighbours.next == origin:
            self.service_head.kill()
            return
        self._set_neighbours(neighbours.next, prev=neighbours.prev)
        self._set_neighbours(neighbours.prev, next=neighbours.next)
        if self.service_head.get() == origin:
            self.service_head.put(neighbours.next)

    def _neighbours(self, origin: MessageOrigin) -> Neighbours[MessageOrigin]:
        found = self.book_state_for[origin].ready_neighbours
        assert found is not None, "queues in the ring have neighbours"
        return found

    def _set_neighbours(self, origin: MessageOrigin, **ends: MessageOrigin) -> None:
        old = self._neighbours(origin)
        new = Neighbours(ends.get("prev", old.prev), ends.get("next", old.next))
        self.book_state_for[origin] = change(self.book_state_for[origin], ready_neighbours=new)

    # --- serving ---

    def service_queues(self, limit: Weight) -> Weight:
        """Process messages of all queues in turn until the weight or the messages are used up; returns the weight."""
        head = self.service_head.get()
        if self._is_serving or head is None or not OVERHEAD.all_lte(limit):
            return Weight.ZERO
        meter = WeightMeter(limit)
        meter.consume(BUMP_HEAD)
        # Whoever is head now comes last in the next block.
        self.service_head.put(self._neighbours(head).next)
        current: MessageOrigin = head
        stuck_since: MessageOrigin = None
        while True:
            progressed, following = self._service_queue(current, meter, limit - OVERHEAD)
            if following is None:
                return meter.consumed
            if progressed:
                stuck_since = None
            elif stuck_since is not None and stuck_since == following:
                return meter.consumed
            elif stuck_since is None:
                stuck_since = current
            current = following

    def _service_queue(
        self, origin: MessageOrigin, meter: WeightMeter, overweight_limit: Weight
    ) -> tuple[bool, MessageOrigin]:
        """Serve one queue; returns whether it progressed, and the next queue of the ring (None to stop)."""
        if not meter.try_consume(QUEUE_BASE):
            return False, None
        if self.is_paused is not None and self.is_paused(self, origin):
            return False, self._neighbours(origin).next
        processed = 0
        while self.book_state_for[origin].is_ready:
            count, is_finished = self._service_page(origin, meter, overweight_limit)
            processed += count
            if not is_finished:
                break
            book = self.book_state_for[origin]
            self.book_state_for[origin] = change(book, begin=book.begin + 1)
        book = self.book_state_for[origin]
        neighbours = book.ready_neighbours
        if neighbours is not None and not book.is_ready:
            self._unknit(origin, neighbours)
            book = change(self.book_state_for[origin], ready_neighbours=None)
            self.book_state_for[origin] = book
        if processed:
            self._tell(origin, book)
        return processed > 0, None if neighbours is None else neighbours.next

    def _service_page(self, origin: MessageOrigin, meter: WeightMeter, overweight_limit: Weight) -> tuple[int, bool]:
        """Serve the first ready page; returns how many messages it processed and whether the page was finished."""
        if not meter.try_consume(PAGE_BASE):
            return 0, False
        index = self.book_state_for[origin].begin
        processed = 0
        while True:
            page = self.pages[origin, index]
            item = first_item(page)
            if item is None or page.is_complete:
                break
            if not meter.try_consume(ITEM_BASE) or self._steps_served + MESSAGE_STEPS > SERVICE_STEPS:
                return processed, False
            steps = self._steps_left()
            status = self._process(origin, index, page.first_index, item.payload, meter, overweight_limit)
            self._steps_served += steps - self._steps_left()
            if status in (Status.INSUFFICIENT_WEIGHT, Status.YIELDED):
                return processed, False
            # The processor may have enqueued more.
            page = self.pages[origin, index]
            is_done = status in DONE
            if is_done:
                processed += 1
                self.book_state_for[origin] = one_less(self.book_state_for[origin], item.payload)
            self.pages[origin, index] = after_first(page, is_processed=is_done)
        self._remove_if_complete(origin, index)
        return processed, True

    def _remove_if_complete(self, origin: MessageOrigin, index: int) -> None:
        if self.pages[origin, index].is_complete:
            del self.pages[origin, index]
            book = self.book_state_for[origin]
            self.book_state_for[origin] = change(book, count=book.count - 1)

    def _process(
        self,
        origin: MessageOrigin,
        page_index: int,
        message_index: int,
        message: bytes,
        meter: WeightMeter,
        overweight_limit: Weight,
    ) -> Status:
        message_id = Hash(blake2_256(message))
        before = meter.consumed
        result = self._attempt(origin, message, meter, message_id)
        if isinstance(result, Outcome):
            used = meter.consumed - before
            self.deposit_event(
                self.Processed(id=result.message_id, origin=origin, weight_used=used, success=result.success)
            )
            return Status.PROCESSED
        return self._unprocessed(origin, page_index, message_index, message_id, overweight_limit, result)

    def _unprocessed(
        self,
        origin: MessageOrigin,
        page_index: int,
        message_index: int,
        message_id: Hash,
        overweight_limit: Weight,
        error: ProcessMessageError,
    ) -> Status:
        if isinstance(error, Overweight):
            if not error.required.any_gt(overweight_limit):
                return Status.INSUFFICIENT_WEIGHT
            self.deposit_event(
                self.OverweightEnqueued(
                    id=message_id, origin=origin, page_index=page_index, message_index=message_index
                )
            )
            return Status.OVERWEIGHT
        if isinstance(error, Yield):
            return Status.YIELDED
        self.deposit_event(self.ProcessingFailed(id=message_id, origin=origin, error=error))
        return Status.STACK_LIMIT if isinstance(error, StackLimitReached) else Status.DROPPED

    def _attempt(
        self, origin: MessageOrigin, message: bytes, meter: WeightMeter, message_id: Hash
    ) -> Outcome | ProcessMessageError:
        """A message comes from outside: whatever it breaks, the block goes on without it."""
        was_serving, self._is_serving = self._is_serving, True
        try:
            with self.state.transaction(), self.runtime.capped(MESSAGE_STEPS):
                return self.process_message(self, message, origin, meter, message_id)
        except ProcessingFailure as failure:
            return failure.error
        except StepLimit as failure:
            self.runtime.check_steps_left(failure)
            return self._panicked(failure)
        except NO_PANIC:
            raise
        except BaseException as failure:  # noqa: BLE001 - noted, and the message dropped
            return self._panicked(failure)
        finally:
            self._is_serving = was_serving

    def _steps_left(self) -> int:
        steps = self.runtime.step_meter
        return 0 if steps is None else steps.left

    def _panicked(self, failure: BaseException) -> Unsupported:
        if self.observer is not None:
            self.observer.note(CallPanicked(self.mount_name, "process_message", described(failure)))
        return Unsupported()

    def _execute_overweight(self, origin: MessageOrigin, page_index: int, index: int, limit: Weight) -> Weight:
        if self._is_serving:
            raise self.RecursiveDisallowed
        if self.is_paused is not None and self.is_paused(self, origin):
            raise self.QueuePaused
        item = self._overweight_item(origin, page_index, index)
        meter = WeightMeter(limit)
        status = self._process(origin, page_index, index, item.payload, meter, Weight.MAX)
        if status in (Status.OVERWEIGHT, Status.INSUFFICIENT_WEIGHT):
            raise self.InsufficientWeight
        if status in (Status.STACK_LIMIT, Status.YIELDED):
            raise self.TemporarilyUnprocessable
        self.pages[origin, page_index] = after_processing(self.pages[origin, page_index], item)
        self.book_state_for[origin] = one_less(self.book_state_for[origin], item.payload)
        self._remove_if_complete(origin, page_index)
        self._tell(origin, self.book_state_for[origin])
        return meter.consumed

    def _overweight_item(self, origin: MessageOrigin, page_index: int, index: int) -> Item:
        page = self.pages.get(origin, page_index)
        if page is None:
            raise self.NoPage
        item = item_at_index(page, index)
        if item is None:
            raise self.NoMessage
        begin = self.book_state_for[origin].begin
        if page_index > begin or (page_index == begin and item.position >= page.first):
            raise self.Queued
        if item.is_processed:
            raise self.AlreadyProcessed
        return item

    def _put_book(self, origin: MessageOrigin, book: BookState[MessageOrigin]) -> None:
        self.book_state_for[origin] = book
        self._tell(origin, book)

    def _tell(self, origin: MessageOrigin, book: BookState[MessageOrigin]) -> None:
        if self.on_queue_changed is not None:
            self.on_queue_changed(self, origin, book.footprint)
