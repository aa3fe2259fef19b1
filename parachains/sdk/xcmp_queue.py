"""XcmpQueue: messages between paras, in pages, over HRMP channels.

Source: polkadot-sdk, `cumulus/pallets/xcmp-queue/src/lib.rs`.
"""

from collections.abc import Sequence
from enum import IntEnum, StrEnum

from msgspec.structs import replace

from parachains.sdk.message_queue import AggregateMessageOrigin, MessageQueue, Parent, Sibling
from parachains.sdk.parachain_system import THRESHOLD_FACTOR, InboundHorizontal, ParachainSystem
from parachains.sdk.xcmp_pages import ChannelSignal, XcmpMessageFormat, format_of, messages, new_page, signals
from relaychain.primitives.messages import OutboundHrmpMessage
from relaychain.primitives.types import ParaId
from substrate.errors import RuleError
from substrate.pallets.fees import FIXED_ONE, FixedU128
from substrate.pallets.message_queue_types import QueueFootprint
from substrate.runtime.hashers import Blake2_128Concat, Twox64Concat
from substrate.runtime.origin import Root
from substrate.runtime.pallet import Error, Event, Pallet, call, constant
from substrate.runtime.storage import (
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    storage_double_map,
    storage_map,
    storage_value,
)
from substrate.scale.types import Struct, path, u16, u32
from substrate.types import Weight
from xcm.builder.pricing import decreased_factor, increased_factor
from xcm.junction import Bytes32

ADMIN = Weight(10_000_000, 1_500)
MAX_PAGE_SIZE = 103 * 1024


class XcmpReason(StrEnum):
    """Why a fragment is not queued."""

    NO_CHANNEL = "NoChannel"
    TOO_BIG = "TooBig"
    TOO_MANY_CHANNELS = "TooManyChannels"


class XcmpSendError(RuleError):
    """A message that does not get on its way."""


@path("cumulus_pallet_xcmp_queue::OutboundState")
class OutboundState(IntEnum):
    """Whether a recipient takes messages."""

    Ok = 0
    Suspended = 1


@path("cumulus_pallet_xcmp_queue::OutboundChannelDetails")
class OutboundChannelDetails(Struct):
    """What waits for one recipient: pages from `first_index` to `last_index`, and signals."""

    recipient: ParaId
    state: OutboundState = OutboundState.Ok
    signals_exist: bool = False
    first_index: u16 = 0
    last_index: u16 = 0

    @property
    def is_hollow(self) -> bool:
        """Whether nothing need be remembered of it."""
        idle = self.first_index == self.last_index and not self.signals_exist
        return idle and self.state == OutboundState.Ok


@path("cumulus_pallet_xcmp_queue::QueueConfigData")
class QueueConfigData(Struct):
    """When inbound queues are too long, in pages."""

    suspend_threshold: u32 = 32
    drop_threshold: u32 = 48
    resume_threshold: u32 = 8

    @property
    def is_valid(self) -> bool:
        """Whether the thresholds are in order."""
        return 0 < self.resume_threshold < self.suspend_threshold <= self.drop_threshold


class XcmpQueue(Pallet):
    """Outbound pages per recipient; inbound pages go to the message queue."""

    crate = "cumulus_pallet_xcmp_queue"
    storage_version = 5

    inbound_xcmp_suspended: StorageValue[tuple[ParaId, ...]] = storage_value(default=())
    """Senders that we asked to stop, ascending."""
    outbound_xcmp_status: StorageValue[tuple[OutboundChannelDetails, ...]] = storage_value(default=())
    outbound_xcmp_messages: StorageDoubleMap[ParaId, u16, bytes] = storage_double_map(
        Blake2_128Concat, Twox64Concat, default=b""
    )
    signal_messages: StorageMap[ParaId, bytes] = storage_map(Blake2_128Concat, default=b"")
    queue_config: StorageValue[QueueConfigData] = storage_value(default=QueueConfigData())
    queue_suspended: StorageValue[bool] = storage_value(default=False)
    delivery_fee_factor: StorageMap[ParaId, FixedU128] = storage_map(Twox64Concat, default=FIXED_ONE)

    max_inbound_suspended: u32 = constant(1_000)
    max_active_outbound_channels: u32 = constant(128)
    max_page_size: u32 = constant(MAX_PAGE_SIZE)

    class XcmpMessageSent(Event):
        """An HRMP message was sent to a sibling parachain."""

        message_hash: Bytes32

    class BadQueueConfig(Error):
        """Setting the queue config failed since one of its values was invalid."""

    class AlreadySuspended(Error):
        """The execution is already suspended."""

    class AlreadyResumed(Error):
        """The execution is already resumed."""

    class TooManyActiveOutboundChannels(Error):
        """There are too many active outbound channels."""

    class TooBig(Error):
        """The message is too big."""

    # --- calls ---

    @call(1, weight=ADMIN, operational=True)
    def suspend_xcm_execution(self, origin: Root) -> None:
        """Suspend all XCM executions for the XCMP queue."""
        if self.queue_suspended.get():
            raise self.AlreadySuspended
        self.queue_suspended.put(True)

    @call(2, weight=ADMIN, operational=True)
    def resume_xcm_execution(self, origin: Root) -> None:
        """Resume all XCM executions for the XCMP queue."""
        if not self.queue_suspended.get():
            raise self.AlreadyResumed
        self.queue_suspended.put(False)

    @call(3, weight=ADMIN, operational=True)
    def update_suspend_threshold(self, origin: Root, new: u32) -> None:
        """Overwrite the number of pages after which a sender is told to stop."""
        self._configure(replace(self.queue_config.get(), suspend_threshold=new))

    @call(4, weight=ADMIN, operational=True)
    def update_drop_threshold(self, origin: Root, new: u32) -> None:
        """Overwrite the number of pages after which messages are dropped."""
        self._configure(replace(self.queue_config.get(), drop_threshold=new))

    @call(5, weight=ADMIN, operational=True)
    def update_resume_threshold(self, origin: Root, new: u32) -> None:
        """Overwrite the number of pages to which a queue must shrink before its sender may go on."""
        self._configure(replace(self.queue_config.get(), resume_threshold=new))

    def _configure(self, new: QueueConfigData) -> None:
        if not new.is_valid:
            raise self.BadQueueConfig
        self.queue_config.put(new)

    # --- outbound ---

    def send_fragment(self, recipient: ParaId, kind: XcmpMessageFormat, fragment: bytes) -> None:
        """Put a fragment on the recipient's last page, or on a new one.

        Raises:
            XcmpSendError: Any `XcmpReason`.
        """
        channel = self.pallet(ParachainSystem).channel(recipient)
        if channel is None:
            raise XcmpSendError(XcmpReason.NO_CHANNEL, recipient=recipient)
        most = min(channel.max_message_size, self.max_page_size)
        if len(fragment) + 1 > most:
            raise XcmpSendError(XcmpReason.TOO_BIG, size=len(fragment) + 1, limit=most)
        details = self._details(recipient)
        last = self.outbound_xcmp_messages[recipient, max(details.last_index - 1, 0)]
        is_open = details.last_index > details.first_index and format_of(last) == kind
        if is_open and len(last) + len(fragment) <= most:
            page, index = last + fragment, details.last_index - 1
        else:
            page, index = new_page(kind, fragment), details.last_index
            details = replace(details, last_index=index + 1)
            self._put_details(details)
        self.outbound_xcmp_messages[recipient, index] = page
        # All pages but the last count as full, as upstream.
        total = (details.last_index - details.first_index - 1) * most + len(page)
        if total > channel.max_total_size // THRESHOLD_FACTOR:
            factor = increased_factor(self.delivery_fee_factor[recipient], len(fragment))
            self.delivery_fee_factor[recipient] = FixedU128(factor)

    def _details(self, recipient: ParaId) -> OutboundChannelDetails:
        status = self.outbound_xcmp_status.get()
        known = next((details for details in status if details.recipient == recipient), None)
        if known is None and len(status) >= self.max_active_outbound_channels:
            raise XcmpSendError(XcmpReason.TOO_MANY_CHANNELS, channels=len(status))
        return known or OutboundChannelDetails(recipient)

    def _put_details(self, new: OutboundChannelDetails) -> None:
        status = self.outbound_xcmp_status.get()
        if any(details.recipient == new.recipient for details in status):
            self.outbound_xcmp_status.put(tuple(new if d.recipient == new.recipient else d for d in status))
        else:
            self.outbound_xcmp_status.put((*status, new))

    def send_signal(self, recipient: ParaId, signal: ChannelSignal) -> None:
        """Tell a sender to stop or to go on; replaces an earlier signal that is not out yet."""
        self._put_details(replace(self._details(recipient), signals_exist=True))
        self.signal_messages[recipient] = new_page(XcmpMessageFormat.SIGNALS, bytes((signal,)))

    def take_outbound(self, maximum: int) -> tuple[OutboundHrmpMessage, ...]:
        """At most so many messages, one for each recipient, recipients ascending.

        Recipients who got nothing come first in the next block.
        """
        status = self.outbound_xcmp_status.get()
        if not status:
            return ()
        sent: list[OutboundHrmpMessage] = []
        served: list[OutboundChannelDetails] = []
        waiting: list[OutboundChannelDetails] = []
        for details in status:
            page, details = self._take_page(details) if len(sent) < maximum else (None, details)
            if page is not None:
                sent.append(OutboundHrmpMessage(details.recipient, page))
            (waiting if page is None else served).append(details)
        left = tuple(details for details in (*waiting, *served) if not details.is_hollow)
        self.outbound_xcmp_status.put(left)
        return tuple(sorted(sent, key=lambda message: message.recipient))

    def _take_page(self, details: OutboundChannelDetails) -> tuple[bytes | None, OutboundChannelDetails]:
        recipient = details.recipient
        channel = self.pallet(ParachainSystem).channel(recipient)
        if channel is None:  # closed: what waits for it is lost, as upstream
            self.outbound_xcmp_messages.clear_under(recipient)
            del self.signal_messages[recipient]
            return None, OutboundChannelDetails(recipient)
        room = min(channel.max_total_size - channel.total_size, channel.max_message_size)
        if channel.msg_count + 1 > channel.max_capacity:
            return None, details
        if details.signals_exist:
            page = self.signal_messages[recipient]
            if len(page) > room:
                return None, details
            del self.signal_messages[recipient]
            return page, replace(details, signals_exist=False)
        if details.state == OutboundState.Suspended or details.first_index == details.last_index:
            return None, details
        page = self.outbound_xcmp_messages[recipient, details.first_index]
        if len(page) > room:
            return None, details
        del self.outbound_xcmp_messages[recipient, details.first_index]
        details = replace(details, first_index=details.first_index + 1)
        if details.first_index == details.last_index:
            details = replace(details, first_index=0, last_index=0)
        self._relax(recipient, details, channel.max_total_size)
        return page, details

    def _relax(self, recipient: ParaId, details: OutboundChannelDetails, max_total_size: int) -> None:
        factor = self.delivery_fee_factor[recipient]
        if factor == FIXED_ONE:
            return
        pages = range(details.first_index, details.last_index)
        if sum(len(self.outbound_xcmp_messages[recipient, i]) for i in pages) <= max_total_size // THRESHOLD_FACTOR:
            self.delivery_fee_factor[recipient] = FixedU128(decreased_factor(factor))

    # --- inbound ---

    def handle_pages(self, pages: InboundHorizontal) -> None:
        """Take the pages of a block: act on signals, queue messages."""
        for sender, page in pages:
            match format_of(page.data):
                case XcmpMessageFormat.SIGNALS:
                    for signal in signals(page.data):
                        self._obey(sender, signal)
                case XcmpMessageFormat.CONCATENATED_VERSIONED_XCM | XcmpMessageFormat.CONCATENATED_OPAQUE_VERSIONED_XCM:
                    self._enqueue(sender, list(messages(page.data)))
                case _:
                    pass  # blobs and unknown formats are dropped, as upstream

    def _enqueue(self, sender: ParaId, inbound: Sequence[bytes]) -> None:
        queue = self.pallet(MessageQueue)
        full = queue.footprint(Sibling(sender)).ready_pages + 1 > self.queue_config.get().drop_threshold
        fitting = [message for message in inbound if len(message) <= queue.max_message_len()]
        if fitting and not full:  # a sender that ignores our signal loses messages
            queue.enqueue_messages(fitting, Sibling(sender))

    def _obey(self, recipient: ParaId, signal: ChannelSignal) -> None:
        state = OutboundState.Suspended if signal == ChannelSignal.SUSPEND else OutboundState.Ok
        try:
            details = self._details(recipient)
        except XcmpSendError:
            return  # nobody's signal may stop a block: as upstream, it is lost where there is no room to note it
        self._put_details(replace(details, state=state))

    def queue_changed(self, sender: ParaId, footprint: QueueFootprint) -> None:
        """Tell a sender to stop when its queue is long, and to go on when it is short again."""
        limits, suspended = self.queue_config.get(), self.inbound_xcmp_suspended.get()
        if sender in suspended and footprint.ready_pages <= limits.resume_threshold:
            signal, after = ChannelSignal.RESUME, {*suspended} - {sender}
        elif sender not in suspended and footprint.ready_pages >= limits.suspend_threshold:
            signal, after = ChannelSignal.SUSPEND, {*suspended, sender}
        else:
            return
        try:
            self.send_signal(sender, signal)
        except XcmpSendError:
            return  # no room now: the queue's next change tries again
        self.inbound_xcmp_suspended.put(tuple(sorted(after)))


# --- what other pallets are given ---


def handle_xcmp(system: Pallet, pages: InboundHorizontal) -> None:
    """`ParachainSystem.xcmp_handler`."""
    system.pallet(XcmpQueue).handle_pages(pages)


def take_outbound_xcmp(system: Pallet, maximum: int) -> Sequence[OutboundHrmpMessage]:
    """`ParachainSystem.outbound_xcmp_source`."""
    return system.pallet(XcmpQueue).take_outbound(maximum)


def note_queue_changed(queue: Pallet, origin: AggregateMessageOrigin, footprint: QueueFootprint) -> None:
    """`MessageQueue.on_queue_changed`."""
    if isinstance(origin, Sibling):
        queue.pallet(XcmpQueue).queue_changed(origin.para, footprint)


def is_paused(queue: Pallet, origin: AggregateMessageOrigin) -> bool:
    """`MessageQueue.is_paused`: a suspended queue still serves the relay chain."""
    return not isinstance(origin, Parent) and queue.pallet(XcmpQueue).queue_suspended.get()
