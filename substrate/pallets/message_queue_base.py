"""Message queue: storage, constants, events and errors.

Source: polkadot-sdk, `substrate/frame/message-queue/src/lib.rs`.
"""

from collections.abc import Callable
from typing import Any

from substrate.pallets.generic import GenericPallet
from substrate.pallets.message_queue_types import (
    BookState,
    MessageOrigin,
    Outcome,
    Page,
    ProcessingFailure,
    ProcessMessageError,
    QueueFootprint,
    WeightMeter,
    Yield,
)
from substrate.runtime.hashers import Twox64Concat
from substrate.runtime.pallet import Error, Event, Pallet, config, constant
from substrate.runtime.storage import (
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    storage_double_map,
    storage_map,
    storage_value,
)
from substrate.scale.types import u32
from substrate.types import Hash, Weight

EMPTY_BOOK: BookState[Any] = BookState()


def unprocessable(
    _queue: Pallet, _message: bytes, _origin: MessageOrigin, _meter: WeightMeter, _message_id: Hash
) -> Outcome:
    """The processor of a queue that was given none: leaves every message where it is."""
    raise ProcessingFailure(Yield(), "the runtime mounts the queue without a processor")


class MessageQueueBase(GenericPallet):
    """What the message queue stores and says."""

    crate = "pallet_message_queue"

    book_state_for: StorageMap[MessageOrigin, BookState[MessageOrigin]] = storage_map(Twox64Concat, default=EMPTY_BOOK)
    service_head: StorageValue[MessageOrigin | None] = storage_value()
    pages: StorageDoubleMap[MessageOrigin, u32, Page] = storage_double_map(Twox64Concat, Twox64Concat)

    heap_size: u32 = constant(64 * 1024)
    """Most bytes of a page."""
    max_stale: u32 = constant(8)
    service_weight: Weight | None = constant(Weight(400_000_000_000, 1_000_000))
    """What serving may use at the start of a block."""
    idle_max_service_weight: Weight | None = constant(None)
    """What serving may use at the end of a block."""
    process_message: Callable[[Pallet, bytes, MessageOrigin, WeightMeter, Hash], Outcome] = config(unprocessable)
    """Processes one message within the meter. Gets the hash of the message as its id, and may return another one.
    Raises `ProcessingFailure`."""
    on_queue_changed: Callable[[Pallet, MessageOrigin, QueueFootprint], None] | None = config(None)
    is_paused: Callable[[Pallet, MessageOrigin], bool] | None = config(None)

    class ProcessingFailed(Event):
        """Message discarded due to an error in the `MessageProcessor` (usually a format error)."""

        id: Hash
        origin: MessageOrigin
        error: ProcessMessageError

    class Processed(Event):
        """Message is processed."""

        id: Hash
        origin: MessageOrigin
        weight_used: Weight
        success: bool

    class OverweightEnqueued(Event):
        """Message placed in overweight queue."""

        id: Hash
        origin: MessageOrigin
        page_index: u32
        message_index: u32

    class PageReaped(Event):
        """This page was reaped."""

        origin: MessageOrigin
        index: u32

    class NotReapable(Error):
        """Page is not reapable because it has items remaining to be processed and is not old enough."""

    class NoPage(Error):
        """Page to be reaped does not exist."""

    class NoMessage(Error):
        """The referenced message could not be found."""

    class AlreadyProcessed(Error):
        """The message was already processed and cannot be processed again."""

    class Queued(Error):
        """The message is queued for future execution."""

    class InsufficientWeight(Error):
        """There is temporarily not enough weight to continue servicing messages."""

    class TemporarilyUnprocessable(Error):
        """This message is temporarily unprocessable."""

    class QueuePaused(Error):
        """The queue is paused and no message can be executed from it."""

    class RecursiveDisallowed(Error):
        """Another call is in progress and needs to finish before this call can happen."""
