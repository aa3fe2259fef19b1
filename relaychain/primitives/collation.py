"""Messages between collators and validators.

Source: polkadot-sdk, `polkadot/node/network/protocol/src/lib.rs` (mod `v2`), `request_response/v2.rs`,
`polkadot/node/primitives/src/lib.rs` (`Collation`).
"""

from relaychain.primitives.availability import PoV
from relaychain.primitives.candidate import CandidateCommitments, CandidateReceipt
from relaychain.primitives.messages import OutboundHrmpMessage, UpwardMessage
from relaychain.primitives.statements import SignedFullStatement
from relaychain.primitives.types import (
    CandidateHash,
    CollatorId,
    CollatorSignature,
    HeadData,
    ParaId,
    ValidationCode,
)
from substrate.scale.types import Struct, enum_path, u32, variant
from substrate.types import BlockNumber, Hash

COLLATOR_PROTOCOL = "collator_protocol"
"""Kind of messages that carry a `CollatorProtocolMessage`."""
COLLATION_FETCHING = "collation_fetching"
"""Kind of requests: `CollationFetchingRequest` in, `CollationFetchingResponse` out."""
DECLARE_CONTEXT = b"COLL"
"""Prefix of the payload that a `Declare` signature covers; the collator's network name follows."""


def declare_payload(collator_name: str) -> bytes:
    """Bytes that a `Declare` signature (ed25519) covers: it binds the key to the collator's name in the network."""
    return DECLARE_CONTEXT + collator_name.encode()


class Collation(Struct):
    """A para block ready to be offered: what the collator produced, before there is a receipt."""

    upward_messages: tuple[UpwardMessage, ...]
    horizontal_messages: tuple[OutboundHrmpMessage, ...]
    new_validation_code: ValidationCode | None
    head_data: HeadData
    proof_of_validity: PoV
    processed_downward_messages: u32
    hrmp_watermark: BlockNumber

    @property
    def commitments(self) -> CandidateCommitments:
        """What the candidate commits to."""
        return CandidateCommitments(
            upward_messages=self.upward_messages,
            horizontal_messages=self.horizontal_messages,
            new_validation_code=self.new_validation_code,
            head_data=self.head_data,
            processed_downward_messages=self.processed_downward_messages,
            hrmp_watermark=self.hrmp_watermark,
        )


@variant(0, unnamed=True)
class Declare(Struct):
    """A collator says who it is and what it collates for."""

    collator: CollatorId
    para: ParaId
    signature: CollatorSignature


@variant(1)
class AdvertiseCollation(Struct):
    """A collation can be fetched."""

    relay_parent: Hash
    candidate_hash: CandidateHash
    parent_head_data_hash: Hash


@variant(4, unnamed=True)
class CollationSeconded(Struct):
    """A validator tells the collator that it seconded the collation."""

    relay_parent: Hash
    statement: SignedFullStatement


CollatorProtocolMessage = Declare | AdvertiseCollation | CollationSeconded
enum_path(CollatorProtocolMessage, "polkadot_node_network_protocol::v2::CollatorProtocolMessage")


class CollationFetchingRequest(Struct):
    """Asks a collator for an advertised collation."""

    relay_parent: Hash
    para_id: ParaId
    candidate_hash: CandidateHash


@variant(0, "Collation", unnamed=True)
class FetchedCollation(Struct):
    """The receipt and its proof of validity."""

    receipt: CandidateReceipt
    pov: PoV


@variant(1)
class CollationWithParentHeadData(Struct):
    """As `FetchedCollation`, with the parent head for validators who do not know it."""

    receipt: CandidateReceipt
    pov: PoV
    parent_head_data: HeadData


CollationFetchingResponse = FetchedCollation | CollationWithParentHeadData
enum_path(CollationFetchingResponse, "polkadot_node_network_protocol::v2::CollationFetchingResponse")
