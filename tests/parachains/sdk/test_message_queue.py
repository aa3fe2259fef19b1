"""The message queue of a para: what a turn of serving may take of the witness and of the weight."""

from itertools import pairwise

from parachains.sdk.contract import ParaConfig
from parachains.sdk.message_queue import AggregateMessageOrigin, MessageQueue, Parent, Sibling, enqueue_downward
from parachains.sdk.plugin import SERVICE_WEIGHT
from parachains.sdk.xcm_config import INSTRUCTION_WEIGHT
from relaychain.primitives.messages import InboundDownwardMessage
from relaychain.primitives.types import ParaId
from substrate.pallets.message_queue import OVERHEAD
from substrate.runtime.assembly import Runtime
from substrate.scale.codec import encode
from substrate.state import Overlay
from substrate.types import BlockNumber, Weight
from testnet.examples.bazaar import Bazaar
from xcm.instruction import ClearOrigin
from xcm.message import xcm
from xcm.versions.versioned import VersionedXcm, XcmV5

SIBLING = Sibling(ParaId(1000))
MESSAGE = encode(VersionedXcm, XcmV5(xcm(ClearOrigin())))


def runtime() -> Runtime:
    return Bazaar.runtime()(Overlay(Bazaar.genesis_state(ParaConfig(ParaId(2000)))))


def test_a_turn_serves_as_many_pages_as_its_proof_size_holds() -> None:
    queue = runtime().pallet(MessageQueue)
    queue.enqueue_messages([bytes(queue.max_message_len())] * 60, SIBLING)
    most = SERVICE_WEIGHT.proof_size // queue.heap_size

    left = [60]
    while left[-1]:
        used = queue.service_queues(SERVICE_WEIGHT)
        assert used.proof_size <= SERVICE_WEIGHT.proof_size
        left.append(queue.footprint(SIBLING).ready_pages)

    served = [before - after for before, after in pairwise(left)]
    assert 0 < max(served) <= most
    assert sum(served) == 60


def test_a_message_that_an_idle_block_has_no_weight_for_waits_and_is_not_overweight() -> None:
    queue = runtime().pallet(MessageQueue)
    queue.enqueue_message(MESSAGE, Parent())
    scarce = OVERHEAD + Weight(1_000, 2 * queue.heap_size)

    waiting = queue.footprint(Parent())

    queue.service_queues(scarce)
    assert queue.footprint(Parent()) == waiting

    queue.service_queues(SERVICE_WEIGHT)  # an overweight message would stay behind
    assert queue.footprint(Parent()).message_count == 0


def served(blocks: int, *, downward: int) -> dict[AggregateMessageOrigin, list[int]]:
    """In which blocks which queues are served, where all siblings' wait and a turn has room for one message."""
    queue = runtime().pallet(MessageQueue)
    origins = Parent(), *(Sibling(ParaId(number)) for number in (3000, 3001, 3002))
    turn = OVERHEAD + Weight(INSTRUCTION_WEIGHT.ref_time * 3 // 2, 2 * queue.heap_size)
    found: dict[AggregateMessageOrigin, list[int]] = {origin: [] for origin in origins}
    for sibling in origins[1:]:
        queue.enqueue_messages([MESSAGE] * blocks, sibling)
    for block in range(blocks):
        enqueue_downward(queue, [InboundDownwardMessage(BlockNumber(1), MESSAGE)] * downward)
        before = {origin: queue.footprint(origin).message_count for origin in origins}
        for _ in ("at the start", "when idle"):
            queue.service_queues(turn)
        for origin, count in before.items():
            found[origin] += [block] * (count - queue.footprint(origin).message_count)
    return found


def test_downward_messages_are_served_before_what_waits() -> None:
    assert [*served(8, downward=1).values()] == [[*range(8)], [0, 3, 6], [1, 4, 7], [2, 5]]


def test_more_downward_messages_than_are_served_do_not_keep_siblings_from_their_turns() -> None:
    even, odd = [0, 2, 4, 6], [1, 3, 5, 7]

    assert [*served(8, downward=2).values()] == [even, even, odd, odd]
