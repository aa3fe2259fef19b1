"""DMP: downward messages, from the relay chain to a para.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/dmp.rs`.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from relaychain.primitives.configuration import HostConfiguration
from relaychain.primitives.messages import InboundDownwardMessage, mqc_link
from relaychain.primitives.types import ZERO_HASH, ParaId
from relaychain.runtime.configuration import Configuration
from relaychain.runtime.paras import Paras
from substrate.errors import RuleError
from substrate.pallets.fees import FIXED_ONE, FixedU128
from substrate.runtime.hashers import Twox64Concat
from substrate.runtime.pallet import Pallet, runtime_api
from substrate.runtime.storage import StorageMap, storage_map
from substrate.types import BlockNumber, Hash
from xcm.builder.pricing import decreased_factor, increased_factor

MAX_POSSIBLE_ALLOCATION = 32 * 1024 * 1024
"""Heap of upstream's runtime, bytes: bounds a queue, since reading it loads all of it."""

THRESHOLD_FACTOR = 2
"""Fees rise while a queue is longer than its bound divided by this."""
MAX_FACTOR = (1 << 128) - 1


class DmpReason(StrEnum):
    """Why a message is not queued, or a candidate's use of its downward queue is rejected."""

    EXCEEDS_MAX_MESSAGE_SIZE = "ExceedsMaxMessageSize"
    EXCEEDS_MAX_QUEUE_LENGTH = "ExceedsMaxQueueLength"
    UNROUTABLE = "Unroutable"
    ADVANCEMENT_RULE = "AdvancementRule"
    UNDERFLOW = "Underflow"


class DmpError(RuleError):
    """A downward-message rule was broken."""


def max_queue_length(max_downward_message_size: int) -> int:
    """Messages that a queue may hold."""
    return MAX_POSSIBLE_ALLOCATION // max(max_downward_message_size, 1)


def check_can_queue(config: HostConfiguration, *, queue_length: int, message_size_bytes: int) -> None:
    """Check that a queue takes one more message.

    Raises:
        DmpError: `EXCEEDS_MAX_MESSAGE_SIZE`, `EXCEEDS_MAX_QUEUE_LENGTH`.
    """
    if message_size_bytes > config.max_downward_message_size:
        raise DmpError(
            DmpReason.EXCEEDS_MAX_MESSAGE_SIZE, size=message_size_bytes, limit=config.max_downward_message_size
        )
    limit = max_queue_length(config.max_downward_message_size)
    if queue_length >= limit:
        raise DmpError(DmpReason.EXCEEDS_MAX_QUEUE_LENGTH, length=queue_length, limit=limit)


def check_processed_downward_messages(
    queue: Sequence[InboundDownwardMessage], *, processed_count: int, relay_parent_number: BlockNumber
) -> None:
    """Check a candidate's `processed_downward_messages`.

    Raises:
        DmpError: `ADVANCEMENT_RULE`, `UNDERFLOW`.
    """
    # Liveness: a para may not ignore a message that its relay parent already showed it.
    if processed_count == 0 and queue and queue[0].sent_at <= relay_parent_number:
        raise DmpError(DmpReason.ADVANCEMENT_RULE, oldest_sent_at=queue[0].sent_at)
    if processed_count > len(queue):
        raise DmpError(DmpReason.UNDERFLOW, processed=processed_count, waiting=len(queue))


class Dmp(Pallet):
    """Downward message queues."""

    crate = "polkadot_runtime_parachains::dmp"

    downward_message_queues: StorageMap[ParaId, tuple[InboundDownwardMessage, ...]] = storage_map(
        Twox64Concat, default=()
    )
    """Messages waiting for each para, oldest first."""
    downward_message_queue_heads: StorageMap[ParaId, Hash] = storage_map(Twox64Concat, default=ZERO_HASH)
    """Head of the hash chain over all messages ever sent to each para."""
    delivery_fee_factor: StorageMap[ParaId, FixedU128] = storage_map(Twox64Concat, default=FIXED_ONE)
    """What a delivery to each para costs, as a factor."""

    def can_queue_downward_message(self, para: ParaId, msg: bytes) -> None:
        """Check that a message may be sent to a para; raises `DmpError`."""
        if para not in self.pallet(Paras).heads:
            raise DmpError(DmpReason.UNROUTABLE, para=para)
        length = len(self.downward_message_queues[para])
        check_can_queue(self.pallet(Configuration).active, queue_length=length, message_size_bytes=len(msg))

    def queue_downward_message(self, para: ParaId, msg: bytes) -> None:
        """Send a message to a para, or raise `DmpError`."""
        self.can_queue_downward_message(para, msg)
        queue = (*self.downward_message_queues[para], InboundDownwardMessage(self.number, msg))
        self.downward_message_queues[para] = queue
        head = self.downward_message_queue_heads[para]
        self.downward_message_queue_heads[para] = mqc_link(head, sent_at=self.number, msg=msg)
        if len(queue) > self._threshold:
            factor = increased_factor(self.delivery_fee_factor[para], len(msg))
            self.delivery_fee_factor[para] = FixedU128(min(factor, MAX_FACTOR))

    def check_processed(self, para: ParaId, processed_count: int, relay_parent_number: BlockNumber) -> None:
        """Check a candidate's use of its queue; raises `DmpError`."""
        check_processed_downward_messages(
            self.downward_message_queues[para],
            processed_count=processed_count,
            relay_parent_number=relay_parent_number,
        )

    def prune_dmq(self, para: ParaId, processed_count: int) -> None:
        """Drop what an included candidate processed: it was checked when the candidate was backed."""
        queue = self.downward_message_queues[para][processed_count:]
        if queue:
            self.downward_message_queues[para] = queue
        else:
            del self.downward_message_queues[para]
        factor = self.delivery_fee_factor[para]
        if factor > FIXED_ONE and len(queue) <= self._threshold:
            self.delivery_fee_factor[para] = FixedU128(decreased_factor(factor))

    def clean_up(self, outgoing: Iterable[ParaId]) -> None:
        """Forget the queues of paras that are gone."""
        for para in outgoing:
            del self.downward_message_queues[para]
            del self.downward_message_queue_heads[para]

    @property
    def _threshold(self) -> int:
        return max_queue_length(self.pallet(Configuration).active.max_downward_message_size) // THRESHOLD_FACTOR

    @runtime_api("ParachainHost_dmq_contents")
    def dmq_contents(self, recipient: ParaId) -> tuple[InboundDownwardMessage, ...]:
        """Messages waiting for a para, oldest first."""
        return self.downward_message_queues[recipient]
