"""The message queue of a para: what a turn of serving may take of the witness and of the weight."""

from itertools import pairwise
from typing import Any, cast

import pytest

from parachains.sdk.contract import ParaConfig
from parachains.sdk.message_queue import AggregateMessageOrigin, MessageQueue, Parent, Sibling, enqueue_downward
from parachains.sdk.plugin import SERVICE_WEIGHT
from parachains.sdk.xcm_config import INSTRUCTION_WEIGHT
from relaychain.primitives.messages import InboundDownwardMessage
from relaychain.primitives.types import ParaId
from substrate.block import Digest
from substrate.pallets.message_queue import OVERHEAD
from substrate.pallets.system import System
from substrate.runtime.assembly import Runtime
from substrate.scale.codec import encode
from substrate.state import Overlay
from substrate.types import BlockNumber, Hash, Weight
from testnet.examples.bazaar import Bazaar
from xcm.asset import All, Wild
from xcm.instruction import ClearOrigin, DepositAsset, Xcm
from xcm.location import HERE
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


def weighing(units: int) -> bytes:
    """A message of so many times `INSTRUCTION_WEIGHT`: a wildcard stands for 100 assets."""
    hundreds, rest = divmod(units, 100)
    program = (DepositAsset(Wild(All()), HERE),) * hundreds + (ClearOrigin(),) * rest
    return encode(VersionedXcm, XcmV5(Xcm(program)))


@pytest.mark.parametrize(
    ("excess", "events"), [(0, ["Processed", "Processed"]), (1, ["OverweightEnqueued", "Processed"])]
)
def test_what_a_turn_has_no_weight_for_beside_its_page_is_overweight_and_lets_the_next_message_pass(
    excess: int, events: list[str]
) -> None:
    chain = runtime()
    chain.pallet(System).initialize(BlockNumber(1), Hash(bytes(32)), Digest())
    queue = chain.pallet(MessageQueue)
    room = SERVICE_WEIGHT - OVERHEAD - Weight(0, queue.heap_size)
    most = room.proof_size // INSTRUCTION_WEIGHT.proof_size
    queue.enqueue_messages([weighing(most + excess), MESSAGE], SIBLING)

    queue.service_queues(SERVICE_WEIGHT)
    queue.service_queues(SERVICE_WEIGHT)

    noted = [cast(Any, record.event).value for record in chain.pallet(System).block_events()]
    assert [type(event).__name__ for event in noted] == events
    assert queue.footprint(SIBLING).message_count == excess
