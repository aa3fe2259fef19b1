"""The message queue of a para: what waits from its relay chain, its siblings and itself.

Source: polkadot-sdk, `cumulus/primitives/core/src/lib.rs` (`AggregateMessageOrigin`),
`cumulus/parachains/common/src/message_queue.rs`.
"""

from collections.abc import Sequence
from typing import TypeAlias, cast

from relaychain.primitives.messages import InboundDownwardMessage
from relaychain.primitives.types import ParaId
from substrate.pallets import message_queue
from substrate.pallets.message_queue_types import Outcome, WeightMeter
from substrate.runtime.pallet import Pallet
from substrate.scale.types import Struct, enum_path, variant
from substrate.types import Hash, Weight
from xcm.builder.process_message import process_message
from xcm.junction import Parachain
from xcm.location import HERE, PARENT, Location, location
from xcm.pallet import XcmPallet


@variant(0)
class Here(Struct):
    """The chain itself."""


@variant(1)
class Parent(Struct):
    """The relay chain."""


@variant(2, unnamed=True)
class Sibling(Struct):
    """Another para."""

    para: ParaId


AggregateMessageOrigin: TypeAlias = Here | Parent | Sibling
enum_path(AggregateMessageOrigin, "cumulus_primitives_core::AggregateMessageOrigin")


class MessageQueue(message_queue.MessageQueue, parameters={"MessageOrigin": AggregateMessageOrigin}):
    """Queues by `AggregateMessageOrigin`. A page that is served weighs what it may hold, since the witness has it."""

    def _service_page(
        self, origin: AggregateMessageOrigin, meter: WeightMeter, overweight_limit: Weight
    ) -> tuple[int, bool]:
        page = Weight(0, self.heap_size)
        if not meter.try_consume(page):
            return 0, False
        # As upstream, a message is overweight by the whole turn's weight, not by what an idle block has left.
        most = overweight_limit if self.service_weight is None else self.service_weight - message_queue.OVERHEAD
        return super()._service_page(origin, meter, most - page)


def origin_location(origin: AggregateMessageOrigin) -> Location:
    """Where a queue's messages come from, as we see it."""
    match origin:
        case Here():
            return HERE
        case Parent():
            return PARENT
        case Sibling(para):
            return location(1, Parachain(para))


def process_xcm(
    queue: Pallet, message: bytes, origin: AggregateMessageOrigin, meter: WeightMeter, message_id: Hash
) -> Outcome:
    """Execute a message within the meter: the queue's processor.

    Raises:
        ProcessingFailure: It cannot be executed, or not now.
    """
    executor = queue.pallet(XcmPallet).executor
    return process_message(executor, message, origin_location(origin), meter, message_id)


def enqueue_downward(system: Pallet, messages: Sequence[InboundDownwardMessage]) -> None:
    """Queue downward messages. The relay chain's queue goes first, unless it waits already: then its turn comes."""
    queue = system.pallet(MessageQueue)
    most = queue.max_message_len()
    fitting = [message.msg for message in messages if len(message.msg) <= most]
    if not fitting:
        return
    waits = queue.book_state_for[Parent()].ready_neighbours is not None
    queue.enqueue_messages(fitting, Parent())
    if not waits:  # else two messages in each block would keep all siblings from their turns
        queue.service_head.put(cast("AggregateMessageOrigin", Parent()))
