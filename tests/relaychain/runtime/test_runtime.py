"""The relay chain's runtime as it is assembled."""

from relaychain.primitives.messages import MAX_UPWARD_MESSAGE_SIZE_BOUND
from relaychain.primitives.types import ParaId
from relaychain.runtime.genesis import GenesisPara, RelayGenesis, relay_genesis_state, same_key_for_all
from relaychain.runtime.runtime import QueuedUpward, relay_runtime
from relaychain.runtime.ump import QueueSize, ump_origin
from substrate.crypto.keys import dev_pair
from substrate.pallets.message_queue_types import HEADER_SIZE
from substrate.runtime.assembly import Runtime
from substrate.state import Overlay
from substrate.types import AccountId

ALICE = dev_pair("Alice", "ed25519").public
PARA = ParaId(2000)


def relay() -> Runtime:
    genesis = RelayGenesis(
        slot_duration_ms=6_000,
        epoch_slots=10,
        validators=((AccountId(ALICE), same_key_for_all(ALICE)),),
        balances=(),
        sudo=AccountId(ALICE),
        paras=(GenesisPara(PARA, b"head", b"code"),),
    )
    return relay_runtime(6_000, 10)(Overlay(relay_genesis_state(genesis)))


def test_the_upward_queue_holds_the_longest_message_that_may_be_sent_and_drops_a_longer_one() -> None:
    queue = QueuedUpward(relay())

    longest = MAX_UPWARD_MESSAGE_SIZE_BOUND - HEADER_SIZE

    queue.enqueue([bytes(longest), bytes(longest + 1)], ump_origin(PARA))

    assert queue.size(ump_origin(PARA)) == QueueSize(1, longest)
