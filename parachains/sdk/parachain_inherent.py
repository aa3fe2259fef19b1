"""What a collator puts into a block of its relay parent.

Source: polkadot-sdk, `cumulus/primitives/parachain-inherent/src/lib.rs`.
"""

from collections.abc import Mapping

from relaychain.primitives.messages import InboundDownwardMessage, InboundHrmpMessage
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import ParaId
from substrate.scale.types import Struct, path
from substrate.types import BlockNumber

INHERENT_IDENTIFIER = b"sysi1337"


@path("sp_trie::storage_proof::StorageProof")
class StorageProof(Struct):
    """Trie nodes, sorted."""

    trie_nodes: tuple[bytes, ...]


@path("cumulus_primitives_parachain_inherent::ParachainInherentData")
class ParachainInherentData(Struct):
    """The relay parent's promises, the proof of its state, and the messages that wait for us there."""

    validation_data: PersistedValidationData
    relay_chain_state: StorageProof
    downward_messages: tuple[InboundDownwardMessage, ...]
    horizontal_messages: Mapping[ParaId, tuple[InboundHrmpMessage, ...]]

    def without_processed(self, last: BlockNumber) -> "ParachainInherentData":
        """The same without messages up to the relay block that our parent stood on: it processed them."""
        downward = tuple(message for message in self.downward_messages if message.sent_at > last)
        horizontal = {
            sender: tuple(message for message in messages if message.sent_at > last)
            for sender, messages in self.horizontal_messages.items()
        }
        return ParachainInherentData(self.validation_data, self.relay_chain_state, downward, horizontal)
