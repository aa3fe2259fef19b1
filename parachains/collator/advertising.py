"""The collator's side of the collator protocol: declare, advertise, hand over.

Source: polkadot-sdk, `polkadot/node/network/collator-protocol/src/collator_side/mod.rs`.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from relaychain.primitives.availability import PoV
from relaychain.primitives.candidate import CandidateReceipt, candidate_hash
from relaychain.primitives.collation import (
    COLLATION_FETCHING,
    COLLATOR_PROTOCOL,
    AdvertiseCollation,
    CollationFetchingRequest,
    CollationFetchingResponse,
    CollationWithParentHeadData,
    CollatorProtocolMessage,
    Declare,
    declare_payload,
)
from relaychain.primitives.types import (
    CandidateHash,
    CollatorId,
    CollatorSignature,
    HeadData,
    ParaId,
    ValidatorId,
    head_hash,
)
from substrate.client.protocols import Network
from substrate.crypto.keys import Ed25519Pair
from substrate.errors import ChainError
from substrate.scale.codec import codec_of

KEPT_COLLATIONS = 16
"""Offers that can still be fetched."""
_MESSAGE = codec_of(CollatorProtocolMessage)
_RESPONSE = codec_of(CollationFetchingResponse)

Directory = Callable[[ValidatorId], str | None]
"""Network name of a validator, where it is known: what upstream asks authority discovery."""


@dataclass(frozen=True)
class Offer:
    """A collation that validators can fetch."""

    receipt: CandidateReceipt
    pov: PoV
    parent_head: HeadData


class Advertiser:
    """Tells validators what there is, and serves it."""

    def __init__(self, network: Network, key: Ed25519Pair, para: ParaId, directory: Directory) -> None:
        self._network = network
        self._directory = directory
        signature = key.sign(declare_payload(network.name))
        self._declare = _MESSAGE.encode(Declare(CollatorId(key.public), para, CollatorSignature(signature)))
        self._offers: OrderedDict[CandidateHash, Offer] = OrderedDict()

    def start(self) -> None:
        """Begin to serve."""
        self._network.serve(COLLATION_FETCHING, self._serve)

    def advertise(self, offer: Offer, validators: Iterable[ValidatorId]) -> CandidateHash:
        """Offer a collation to the validators of its group; those without a known name hear nothing."""
        candidate = candidate_hash(offer.receipt)
        self._offers[candidate] = offer
        while len(self._offers) > KEPT_COLLATIONS:
            self._offers.popitem(last=False)
        relay_parent = offer.receipt.descriptor.relay_parent
        message = _MESSAGE.encode(AdvertiseCollation(relay_parent, candidate, head_hash(offer.parent_head)))
        for name in filter(None, map(self._directory, validators)):
            self._tell(name, message)
        return candidate

    def _tell(self, name: str, message: bytes) -> None:
        # Declared each time: the network may have lost it, and the validator may have restarted.
        self._network.send(name, COLLATOR_PROTOCOL, self._declare)
        self._network.send(name, COLLATOR_PROTOCOL, message)

    async def _serve(self, sender: str, payload: bytes) -> bytes:
        request = CollationFetchingRequest.decode(payload)
        offer = self._offers.get(request.candidate_hash)
        if offer is None:
            raise ChainError(f"no collation for candidate 0x{request.candidate_hash.hex()}")
        return _RESPONSE.encode(CollationWithParentHeadData(offer.receipt, offer.pov, offer.parent_head))
