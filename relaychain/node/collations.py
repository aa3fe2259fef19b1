"""Collations on offer at one relay parent: which to fetch, one at a time per para. The rules of the validator side.

Source: polkadot-sdk, `polkadot/node/network/collator-protocol/src/validator_side/{collation,mod}.rs`.
"""

from collections import Counter, deque
from enum import Enum, StrEnum, auto
from typing import NamedTuple

from relaychain.node.scheduling import RelayParent
from relaychain.primitives.candidate import (
    CandidateDescriptorVersion,
    CandidateReceipt,
    candidate_hash,
    descriptor_version,
)
from relaychain.primitives.types import CandidateHash, CoreIndex, ParaId, SessionIndex
from substrate.errors import RuleError
from substrate.types import Hash

MAX_UNANSWERED = 4
"""Fetches that a peer may leave unanswered, at one relay parent and for one para, before it is asked no more."""


class AdvertisementReason(StrEnum):
    """Why an advertisement is refused."""

    UNDECLARED_COLLATOR = "UndeclaredCollator"
    BAD_DECLARATION = "InvalidSignature"
    INVALID_ASSIGNMENT = "InvalidAssignment"
    DUPLICATE = "Duplicate"
    PEER_LIMIT_REACHED = "PeerLimitReached"
    SECONDED_LIMIT_REACHED = "SecondedLimitReached"


class AdvertisementError(RuleError):
    """An advertisement that is not followed."""


class SecondingReason(StrEnum):
    """Why a fetched collation is not handed to backing; upstream's `SecondingError`."""

    CANDIDATE_HASH_MISMATCH = "CandidateHashMismatch"
    RELAY_PARENT_MISMATCH = "RelayParentMismatch"
    PARA_ID_MISMATCH = "ParaIdMismatch"
    PVD_MISMATCH = "PersistedValidationDataMismatch"
    PARENT_HEAD_MISMATCH = "ParentHeadDataMismatch"
    INVALID_RECEIPT_VERSION = "InvalidReceiptVersion"
    INVALID_CORE_INDEX = "InvalidCoreIndex"
    INVALID_SESSION_INDEX = "InvalidSessionIndex"


class SecondingError(RuleError):
    """A collation is not what was advertised, or not for this relay parent."""


class Offer(NamedTuple):
    """An advertisement of a declared collator."""

    peer: str
    para: ParaId
    relay_parent: Hash
    candidate: CandidateHash
    parent_head_hash: Hash


class FetchEnd(Enum):
    """How the fetch of a collation ended."""

    SECONDED = auto()
    REFUSED = auto()
    """It is no good, or this node cannot tell."""
    UNANSWERED = auto()
    """No answer came, or one that says nothing."""


class ParaOffers:
    """Offers for one para at one relay parent."""

    def __init__(self, claims: int) -> None:
        self._claims = claims
        self._seen: dict[str, list[CandidateHash]] = {}
        self._unanswered: Counter[str] = Counter()
        """Fetches by peer."""
        self._waiting: deque[Offer] = deque()
        self._fetching: Offer | None = None
        self._seconded: list[CandidateHash] = []

    def advertise(self, offer: Offer) -> Offer | None:
        """Take in an offer; returns it if it is to be fetched now.

        Raises:
            AdvertisementError: `DUPLICATE`, `PEER_LIMIT_REACHED`, `SECONDED_LIMIT_REACHED`.
        """
        seen = self._seen.setdefault(offer.peer, [])
        if offer.candidate in seen:
            raise AdvertisementError(AdvertisementReason.DUPLICATE, peer=offer.peer)
        if len(seen) >= self._claims:
            raise AdvertisementError(AdvertisementReason.PEER_LIMIT_REACHED, peer=offer.peer, limit=self._claims)
        if len(self._seconded) >= self._claims:
            raise AdvertisementError(AdvertisementReason.SECONDED_LIMIT_REACHED, limit=self._claims)
        seen.append(offer.candidate)
        if self._fetching is not None:
            self._waiting.append(offer)
            return None
        self._fetching = offer
        return offer

    def conclude(self, end: FetchEnd) -> Offer | None:
        """End the fetch that goes on; returns the next one to fetch. What was not answered may be offered again."""
        assert self._fetching is not None, "a fetch is concluded once"
        ended, self._fetching = self._fetching, None
        if end is FetchEnd.SECONDED:
            self._seconded.append(ended.candidate)
        elif end is FetchEnd.UNANSWERED and self._unanswered[ended.peer] < MAX_UNANSWERED:
            self._unanswered[ended.peer] += 1
            self._seen[ended.peer].remove(ended.candidate)
        while self._waiting and len(self._seconded) < self._claims:
            offer = self._waiting.popleft()
            if offer.candidate not in self._seconded:
                self._fetching = offer
                return offer
        return None


def check_fetched(offer: Offer, receipt: CandidateReceipt, parent: RelayParent, core: CoreIndex) -> None:
    """Check that a fetched receipt is the advertised one, for this relay parent, session and core.

    Raises:
        SecondingError: all but `PVD_MISMATCH` and `PARENT_HEAD_MISMATCH`.
    """
    descriptor = receipt.descriptor
    if candidate_hash(receipt) != offer.candidate:
        raise SecondingError(SecondingReason.CANDIDATE_HASH_MISMATCH, fetched=candidate_hash(receipt).hex())
    if descriptor.relay_parent != parent.hash:
        raise SecondingError(SecondingReason.RELAY_PARENT_MISMATCH, found=descriptor.relay_parent.hex())
    if descriptor.para_id != offer.para:
        raise SecondingError(SecondingReason.PARA_ID_MISMATCH, found=descriptor.para_id, declared=offer.para)
    version = descriptor_version(descriptor)
    if version is CandidateDescriptorVersion.UNKNOWN:
        raise SecondingError(SecondingReason.INVALID_RECEIPT_VERSION, version=descriptor.version)
    if version is CandidateDescriptorVersion.V2:
        if CoreIndex(descriptor.core_index) != core:
            raise SecondingError(SecondingReason.INVALID_CORE_INDEX, found=descriptor.core_index, expected=core)
        if SessionIndex(descriptor.session_index) != parent.session:
            raise SecondingError(
                SecondingReason.INVALID_SESSION_INDEX, found=descriptor.session_index, expected=parent.session
            )
