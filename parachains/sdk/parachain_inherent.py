"""What a collator puts into a block of its relay parent.

Source: polkadot-sdk, `cumulus/primitives/parachain-inherent/src/lib.rs`,
`cumulus/pallets/parachain-system/src/parachain_inherent.rs`.

A backlog need not fit into a block: the oldest messages come whole, of the rest the hashes, so that the relay chain's
heads can still be checked. What came as a hash comes again.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from relaychain.primitives.messages import InboundDownwardMessage, InboundHrmpMessage, message_hash
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import ParaId
from substrate.scale.types import Struct, path, u32
from substrate.types import BlockNumber, Hash

T = TypeVar("T")

INHERENT_IDENTIFIER = b"sysi1337"


@path("sp_trie::storage_proof::StorageProof")
class StorageProof(Struct):
    """Trie nodes, sorted."""

    trie_nodes: tuple[bytes, ...]


@path("cumulus_primitives_parachain_inherent::HashedMessage")
class HashedMessage(Struct):
    """A message that has to wait, by the hash of its content."""

    sent_at: BlockNumber
    msg_hash: Hash


@path("cumulus_pallet_parachain_system::parachain_inherent::InboundMessageId")
class InboundMessageId(Struct):
    """A message in a queue: `reverse_idx` places before the last one that was sent in block `sent_at`."""

    sent_at: BlockNumber
    reverse_idx: u32 = 0


@path("cumulus_primitives_parachain_inherent::ParachainInherentData")
class ParachainInherentData(Struct):
    """The relay parent's promises, the proof of its state, and the messages that wait for us there."""

    validation_data: PersistedValidationData
    relay_chain_state: StorageProof
    downward_messages: tuple[InboundDownwardMessage, ...]
    horizontal_messages: Mapping[ParaId, tuple[InboundHrmpMessage, ...]]
    hashed_downward_messages: tuple[HashedMessage, ...] = ()
    """Those behind `downward_messages`."""
    hashed_horizontal_messages: tuple[tuple[ParaId, HashedMessage], ...] = ()
    """Those behind `horizontal_messages`, by relay block, then by sender."""

    def abridged(
        self, *, last_downward: InboundMessageId, last_horizontal: InboundMessageId, limit: int
    ) -> "ParachainInherentData":
        """The same without processed messages, and with hashes in place of those that exceed a limit.

        Args:
            last_downward: The last downward message that our parent processed.
            last_horizontal: The last horizontal one.
            limit: Bytes of downward messages, and again of horizontal ones, which also have what the former leave.
        """
        down = unprocessed(self.downward_messages, last_downward, lambda message: message.sent_at)
        across = unprocessed(in_order(self.horizontal_messages), last_horizontal, lambda pair: pair[1].sent_at)
        down_count, left = fitting((len(message.msg) for message in down), limit)
        across_count, _ = fitting((len(message.data) for _, message in across), limit + left)
        return ParachainInherentData(
            self.validation_data,
            self.relay_chain_state,
            tuple(down[:down_count]),
            by_sender(across[:across_count]),
            tuple(HashedMessage(message.sent_at, message_hash(message.msg)) for message in down[down_count:]),
            tuple(
                (sender, HashedMessage(message.sent_at, message_hash(message.data)))
                for sender, message in across[across_count:]
            ),
        )


def in_order(messages: Mapping[ParaId, Sequence[InboundHrmpMessage]]) -> list[tuple[ParaId, InboundHrmpMessage]]:
    """Messages of all channels in the order in which they are processed: by relay block, then by sender."""
    pairs = [(sender, message) for sender, queue in messages.items() for message in queue]
    return sorted(pairs, key=lambda pair: (pair[1].sent_at, pair[0]))


def by_sender(messages: Iterable[tuple[ParaId, InboundHrmpMessage]]) -> dict[ParaId, tuple[InboundHrmpMessage, ...]]:
    """Messages by channel; senders ascend."""
    queues: dict[ParaId, list[InboundHrmpMessage]] = {}
    for sender, message in messages:
        queues.setdefault(sender, []).append(message)
    return {sender: tuple(queues[sender]) for sender in sorted(queues)}


def unprocessed(messages: Sequence[T], last: InboundMessageId, sent_at: Callable[[T], BlockNumber]) -> Sequence[T]:
    """The messages behind the last processed one, where the relay chain still has some before it."""
    place = bisect_right(messages, last.sent_at, key=sent_at)
    is_partly_done = place > 0 and sent_at(messages[place - 1]) == last.sent_at
    return messages[max(place - last.reverse_idx, 0) if is_partly_done else place :]


def fitting(sizes: Iterable[int], limit: int) -> tuple[int, int]:
    """How many messages of these sizes stay within a limit, one at least, and what they leave of it."""
    count = 0
    for size in sizes:
        if count and size > limit:
            break
        count, limit = count + 1, max(limit - size, 0)
    return count, limit
