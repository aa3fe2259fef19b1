"""The message queue of a para: what a turn of serving may take of the witness and of the weight."""

from itertools import pairwise

from parachains.sdk.contract import ParaConfig
from parachains.sdk.message_queue import MessageQueue, Parent, Sibling
from parachains.sdk.plugin import SERVICE_WEIGHT
from relaychain.primitives.types import ParaId
from substrate.pallets.message_queue import OVERHEAD
from substrate.runtime.assembly import Runtime
from substrate.scale.codec import encode
from substrate.state import Overlay
from substrate.types import Weight
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
