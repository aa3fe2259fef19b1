"""UMP: upward messages, from a para to the relay chain's message queue.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/inclusion/mod.rs` (`check_upward_messages`,
`receive_upward_messages`, `OnQueueChanged`).
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, TypeAlias

from relaychain.primitives.configuration import HostConfiguration
from relaychain.primitives.messages import UpwardMessage, skip_ump_signals
from relaychain.primitives.types import ParaId
from substrate.errors import RuleError
from substrate.scale.codec import encode
from substrate.scale.types import EnumOf, Struct, u32, variant

_CRATE = "polkadot_runtime_parachains::inclusion"


@variant(0, "Para", unnamed=True)
class UmpQueuePara(Struct):
    """The queue of a para."""

    para: ParaId


UmpQueueId: TypeAlias = Annotated[UmpQueuePara, EnumOf(f"{_CRATE}::UmpQueueId", variants=(UmpQueuePara,))]


@variant(0, "Ump", unnamed=True)
class Ump(Struct):
    """An upward message."""

    queue: UmpQueueId


AggregateMessageOrigin: TypeAlias = Annotated[Ump, EnumOf(f"{_CRATE}::AggregateMessageOrigin", variants=(Ump,))]
"""Where a message of the relay chain's queue came from."""


def ump_origin(para: ParaId) -> Ump:
    """The message queue's origin for a para."""
    return Ump(UmpQueuePara(para))


class UmpReason(StrEnum):
    """Why a candidate's upward messages are rejected."""

    MORE_MESSAGES_THAN_PERMITTED = "MoreMessagesThanPermitted"
    MESSAGE_SIZE = "MessageSize"
    CAPACITY_EXCEEDED = "CapacityExceeded"
    TOTAL_SIZE_EXCEEDED = "TotalSizeExceeded"
    IS_OFFBOARDING = "IsOffboarding"


class UmpError(RuleError):
    """A candidate broke an upward-message rule."""


class QueueSize(Struct):
    """How full a para's queue is."""

    count: u32 = 0
    size_bytes: u32 = 0


def check_upward_messages(
    config: HostConfiguration, messages: Sequence[UpwardMessage], *, queued: QueueSize, is_offboarding: bool
) -> None:
    """Check a candidate's upward messages; signals do not count.

    Raises:
        UmpError: any reason.
    """
    messages = skip_ump_signals(messages)
    if is_offboarding and messages:
        raise UmpError(UmpReason.IS_OFFBOARDING)
    permitted = config.max_upward_message_num_per_candidate
    if len(messages) > permitted:
        raise UmpError(UmpReason.MORE_MESSAGES_THAN_PERMITTED, sent=len(messages), permitted=permitted)
    count = queued.count + len(messages)
    if count > config.max_upward_queue_count:
        raise UmpError(UmpReason.CAPACITY_EXCEEDED, count=count, limit=config.max_upward_queue_count)
    total = queued.size_bytes
    for index, message in enumerate(messages):
        if len(message) > config.max_upward_message_size:
            raise UmpError(
                UmpReason.MESSAGE_SIZE, idx=index, msg_size=len(message), max_size=config.max_upward_message_size
            )
        total += len(message)
        if total > config.max_upward_queue_size:
            raise UmpError(UmpReason.TOTAL_SIZE_EXCEEDED, total_size=total, limit=config.max_upward_queue_size)


def remaining_capacity(config: HostConfiguration, queued: QueueSize) -> tuple[int, int]:
    """(messages, bytes) that a para's queue still takes: what paras read under the well-known key."""
    return (
        max(config.max_upward_queue_count - queued.count, 0),
        max(config.max_upward_queue_size - queued.size_bytes, 0),
    )


def encode_remaining_capacity(config: HostConfiguration, queued: QueueSize) -> bytes:
    """The value under the well-known key."""
    return encode(tuple[u32, u32], remaining_capacity(config, queued))
