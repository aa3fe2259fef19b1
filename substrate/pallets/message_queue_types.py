"""Message queue: books, pages, and the rules of the two.

Source: polkadot-sdk, `substrate/frame/message-queue/src/lib.rs`, `substrate/frame/support/src/traits/messages.rs`,
`substrate/primitives/weights/src/weight_meter.rs`.
"""

from typing import Annotated, Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec

from substrate.errors import ChainError
from substrate.pallets.generic import Parameter
from substrate.scale.types import MaxLen, Struct, enum_path, path, u32, u64, variant
from substrate.types import Hash, Weight

MessageOrigin: TypeAlias = Annotated[Any, Parameter("MessageOrigin")]
"""Where messages come from; each origin has its queue."""
O = TypeVar("O")  # noqa: E741

MAX_HEAP_SIZE = 1 << 17
HEADER_SIZE = 5
"""An item's payload length (u32) and whether it is processed (bool)."""


@variant(0)
class BadFormat(Struct):
    """The message data format is unknown (e.g. unrecognised header)."""


@variant(1)
class Corrupt(Struct):
    """The message data is bad (e.g. decoding returns an error)."""


@variant(2)
class Unsupported(Struct):
    """The message format is unsupported (e.g. old XCM version)."""


@variant(3, unnamed=True)
class Overweight(Struct):
    """Message processing was not attempted: it requires at least this weight."""

    required: Weight


@variant(4)
class Yield(Struct):
    """The queue wants to give up its current processing slot."""


@variant(5)
class StackLimitReached(Struct):
    """The message could not be processed for reaching the stack depth limit."""


ProcessMessageError: TypeAlias = BadFormat | Corrupt | Unsupported | Overweight | Yield | StackLimitReached
enum_path(ProcessMessageError, "frame_support::traits::messages::ProcessMessageError")


class ProcessingFailure(ChainError):
    """A processor could not take a message; what it wrote is rolled back."""

    def __init__(self, error: ProcessMessageError, detail: str = "") -> None:
        super().__init__(f"{type(error).__name__}: {detail}" if detail else type(error).__name__)
        self.error = error


class Outcome(NamedTuple):
    """What a processor made of a message that it took."""

    success: bool
    message_id: Hash


class QueueFootprint(NamedTuple):
    """How much waits in a queue."""

    pages: int
    """All pages, stale ones too."""
    ready_pages: int
    message_count: int
    size_bytes: int


class WeightMeter:
    """Counts weight up to a limit."""

    def __init__(self, limit: Weight) -> None:
        self.limit = limit
        self.consumed = Weight.ZERO

    @property
    def remaining(self) -> Weight:
        """What is left."""
        return self.limit - self.consumed

    def can_consume(self, weight: Weight) -> bool:
        """Whether that much is left."""
        return (self.consumed + weight).all_lte(self.limit)

    def try_consume(self, weight: Weight) -> bool:
        """Consume weight if that much is left."""
        if not self.can_consume(weight):
            return False
        self.consumed += weight
        return True

    def consume(self, weight: Weight) -> None:
        """Consume weight, up to the limit."""
        after = self.consumed + weight
        self.consumed = after.min(self.limit)


@path("pallet_message_queue::Neighbours")
class Neighbours(Struct, Generic[O]):
    """A queue's place in the ring of queues that have messages."""

    prev: O
    next: O


@path("pallet_message_queue::BookState")
class BookState(Struct, Generic[O]):
    """A queue. Pages from `begin` to `end` are ready; earlier ones that still exist hold overweight messages."""

    begin: u32 = 0
    end: u32 = 0
    count: u32 = 0
    """Pages that exist."""
    ready_neighbours: Neighbours[O] | None = None
    message_count: u64 = 0
    size: u64 = 0

    @property
    def is_ready(self) -> bool:
        """Whether there are messages that were not tried yet."""
        return self.end > self.begin

    @property
    def footprint(self) -> QueueFootprint:
        """How much waits."""
        return QueueFootprint(self.count, self.end - self.begin, self.message_count, self.size)


def change(book: BookState[O], **fields: Any) -> BookState[O]:
    """The same queue with some fields changed."""
    return msgspec.structs.replace(book, **fields)


def one_less(book: BookState[O], payload: bytes) -> BookState[O]:
    """The queue without one of its messages."""
    return change(book, message_count=book.message_count - 1, size=book.size - len(payload))


@path("pallet_message_queue::Page")
class Page(Struct):
    """Messages back to back, each behind its header. Fields are in SCALE order."""

    remaining: u32
    """Messages that are not processed."""
    remaining_size: u32
    first_index: u32
    """Index of the first message that was not tried."""
    first: u32
    """Its position on the heap."""
    last: u32
    heap: Annotated[bytes, MaxLen(MAX_HEAP_SIZE)]

    @property
    def is_complete(self) -> bool:
        """Whether every message is processed."""
        return self.remaining == 0


class Item(NamedTuple):
    """A message on a page."""

    position: int
    is_processed: bool
    payload: bytes


def page_of(message: bytes) -> Page:
    """A page with one message."""
    return Page(1, len(message), 0, 0, 0, _item(message))


def appended(page: Page, message: bytes, *, heap_size: int) -> Page | None:
    """The page with a message more, or None where it does not fit."""
    if len(page.heap) + HEADER_SIZE + len(message) > heap_size:
        return None
    size = page.remaining_size + len(message)
    return Page(page.remaining + 1, size, page.first_index, page.first, len(page.heap), page.heap + _item(message))


def first_item(page: Page) -> Item | None:
    """The first message that was not tried, if any."""
    return None if page.first > page.last else _item_at(page.heap, page.first)


def item_at_index(page: Page, index: int) -> Item | None:
    """The message with that index, if any."""
    position = 0
    for _ in range(index):
        if position > page.last:
            return None
        position += HEADER_SIZE + len(_item_at(page.heap, position).payload)
    return None if position > page.last else _item_at(page.heap, position)


def after_first(page: Page, *, is_processed: bool) -> Page:
    """The page behind its first message, which was processed or is kept as overweight."""
    item = _item_at(page.heap, page.first)
    if is_processed and not item.is_processed:
        page = after_processing(page, item)
    return msgspec.structs.replace(
        page, first=page.first + HEADER_SIZE + len(item.payload), first_index=page.first_index + 1
    )


def after_processing(page: Page, item: Item) -> Page:
    """The page with a message marked as processed."""
    flag = item.position + 4
    return msgspec.structs.replace(
        page,
        heap=page.heap[:flag] + b"\1" + page.heap[flag + 1 :],
        remaining=page.remaining - 1,
        remaining_size=page.remaining_size - len(item.payload),
    )


def is_cullable(book: BookState[O], page_index: int, *, max_stale: int) -> bool:
    """Whether a stale page with overweight messages is old enough to be thrown away."""
    ready = min(book.end - book.begin, book.count)
    overflow = book.count - ready - max_stale
    if overflow <= 0:
        return False
    backlog = max(max_stale * max_stale // overflow, max_stale)
    return page_index < book.begin - backlog


def _item(message: bytes) -> bytes:
    return len(message).to_bytes(4, "little") + b"\0" + message


def _item_at(heap: bytes, position: int) -> Item:
    length = int.from_bytes(heap[position : position + 4], "little")
    start = position + HEADER_SIZE
    return Item(position, heap[position + 4] == 1, heap[start : start + length])
