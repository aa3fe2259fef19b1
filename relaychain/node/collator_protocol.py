"""Collator protocol, validator side: hear what collators offer, fetch it, hand it to backing.

Source: polkadot-sdk, `polkadot/node/network/collator-protocol/src/validator_side/mod.rs`.
"""

import asyncio

from relaychain.node.active_leaves import ActiveLeaves, Leaf
from relaychain.node.backing import CandidateBacking
from relaychain.node.candidate_validation import InvalidReason
from relaychain.node.collations import (
    AdvertisementError,
    AdvertisementReason,
    FetchEnd,
    Offer,
    ParaOffers,
    SecondingError,
    SecondingReason,
    check_fetched,
)
from relaychain.node.fetching import Fetcher
from relaychain.node.held import HeldMessages, OversizedMessage, check_size
from relaychain.node.reports import Reports
from relaychain.node.requests import COLLATION
from relaychain.node.runtime_api import ParachainHostApi, ValidationContext, validation_contexts
from relaychain.node.scheduling import RelayParent
from relaychain.primitives.collation import (
    COLLATOR_PROTOCOL,
    AdvertiseCollation,
    CollationFetchingRequest,
    CollationFetchingResponse,
    CollationSeconded,
    CollationWithParentHeadData,
    CollatorProtocolMessage,
    Declare,
    declare_payload,
)
from relaychain.primitives.types import CoreIndex, ParaId, head_hash
from substrate.client.protocols import Network
from substrate.crypto.keys import verify_ed25519
from substrate.errors import DecodeError
from substrate.scale.codec import codec_of
from substrate.types import Hash

_MESSAGE = codec_of(CollatorProtocolMessage)


class CollatorProtocol:
    """Fetches collations for the core that this validator's group backs for."""

    def __init__(
        self,
        leaves: ActiveLeaves,
        api: ParachainHostApi,
        backing: CandidateBacking,
        *,
        network: Network,
        fetcher: Fetcher,
        reports: Reports,
    ) -> None:
        self._leaves = leaves
        self._api = api
        self._backing = backing
        self._network = network
        self._fetcher = fetcher
        self._reports = reports
        self._declared: dict[str, ParaId] = {}
        self._offers: dict[tuple[Hash, ParaId], ParaOffers] = {}
        self._early = HeldMessages()
        self._tasks: asyncio.TaskGroup | None = None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to listen."""
        self._tasks = tasks
        self._network.on(COLLATOR_PROTOCOL, self._on_message)
        self._leaves.on_active(self._on_leaf)

    def _on_leaf(self, leaf: Leaf) -> None:
        for old in [each for each in self._offers if self._leaves.relay_parent(each[0]) is None]:
            del self._offers[old]
        for held in self._early.release(leaf.allowed, leaf.number):
            self._on_message(held.sender, held.payload)

    # --- what collators say ---

    def _on_message(self, sender: str, payload: bytes) -> None:
        try:
            check_size(payload)
            message: CollatorProtocolMessage = _MESSAGE.decode(payload)
            match message:
                case Declare() as declared:
                    self._declare(sender, declared)
                case AdvertiseCollation() as advertised:
                    self._advertise(sender, advertised, payload)
                case CollationSeconded():
                    raise AdvertisementError(AdvertisementReason.INVALID_ASSIGNMENT, message="CollationSeconded")
        except (OversizedMessage, DecodeError, AdvertisementError) as failure:
            self._reports.fault("BadCollatorMessage", f"{sender}: {failure}")

    def _declare(self, sender: str, declared: Declare) -> None:
        if not verify_ed25519(declared.signature, declare_payload(sender), declared.collator):
            raise AdvertisementError(AdvertisementReason.BAD_DECLARATION, para=declared.para)
        self._declared[sender] = declared.para

    def _advertise(self, sender: str, advertised: AdvertiseCollation, payload: bytes) -> None:
        parent = self._leaves.relay_parent(advertised.relay_parent)
        if parent is None:
            if self._leaves.is_early(advertised.relay_parent):
                self._early.hold(advertised.relay_parent, sender, payload)
            return  # a relay parent out of view: the collator was late, which is no fault
        para = self._declared.get(sender)
        if para is None:
            raise AdvertisementError(AdvertisementReason.UNDECLARED_COLLATOR, peer=sender)
        core = self._own_core(parent)
        claims = 0 if core is None else parent.claims_of(core, para)
        if core is None or not claims:
            return  # for another group: collators tell all validators
        offer = Offer(sender, para, parent.hash, advertised.candidate_hash, advertised.parent_head_data_hash)
        offers = self._offers.setdefault((parent.hash, para), ParaOffers(claims))
        try:
            following = offers.advertise(offer)
        except AdvertisementError as failure:
            if str(failure.reason) == AdvertisementReason.DUPLICATE:
                return  # messages may come twice
            raise
        if following is not None:
            self._begin(parent, core, offers, following)

    def _own_core(self, parent: RelayParent) -> CoreIndex | None:
        index = self._backing.own_index(parent)
        return None if index is None else parent.core_of_validator(index)

    # --- fetching ---

    def _begin(self, parent: RelayParent, core: CoreIndex, offers: ParaOffers, offer: Offer) -> None:
        assert self._tasks is not None, "advertisements come after start"
        self._tasks.create_task(
            self._fetch_all(parent, core, offers, offer), name=f"{self._network.name} collations of {offer.para}"
        )

    async def _fetch_all(self, parent: RelayParent, core: CoreIndex, offers: ParaOffers, offer: Offer) -> None:
        following: Offer | None = offer
        while following is not None:
            end = FetchEnd.REFUSED
            with self._reports.survived(f"collation 0x{following.candidate.hex()}"):
                end = await self._fetch(parent, core, following)
            in_view = self._leaves.relay_parent(parent.hash) is not None
            following = offers.conclude(end) if in_view else None

    async def _fetch(self, parent: RelayParent, core: CoreIndex, offer: Offer) -> FetchEnd:
        """Fetch one collation and have it seconded."""
        context = self._context(offer)
        if context is None:
            detail = f"parent head hash 0x{offer.parent_head_hash.hex()} is no head of the para at the relay parent"
            self._reports.refusal(offer.para, offer.candidate, InvalidReason.BAD_PARENT, detail)
            return FetchEnd.REFUSED
        request = CollationFetchingRequest(parent.hash, offer.para, offer.candidate).encode()
        response = await self._fetcher.ask(offer.peer, COLLATION, request)
        if response is None:
            return FetchEnd.UNANSWERED
        try:
            check_fetched(offer, response.receipt, parent, core)
            check_context(response, context)
        except SecondingError as refusal:
            self._reports.refusal(offer.para, offer.candidate, str(refusal.reason), str(refusal))
            return FetchEnd.REFUSED
        statement = self._backing.second(response.receipt, response.pov, context)
        if statement is None:
            return FetchEnd.REFUSED
        seconded = CollationSeconded(parent.hash, statement)
        self._network.send(offer.peer, COLLATOR_PROTOCOL, _MESSAGE.encode(seconded))
        return FetchEnd.SECONDED

    def _context(self, offer: Offer) -> ValidationContext | None:
        """The head that the offer builds on, if the relay parent's state has it."""
        for context in validation_contexts(self._api, offer.relay_parent, offer.para):
            if head_hash(context.data.parent_head) == offer.parent_head_hash:
                return context
        return None


def check_context(response: CollationFetchingResponse, context: ValidationContext) -> None:
    """Check that a fetched collation is for the validation data of the head it was advertised on.

    Raises:
        SecondingError: `PVD_MISMATCH`, `PARENT_HEAD_MISMATCH`.
    """
    data = context.data
    if response.receipt.descriptor.persisted_validation_data_hash != data.hash:
        raise SecondingError(SecondingReason.PVD_MISMATCH, expected=data.hash.hex())
    if isinstance(response, CollationWithParentHeadData) and response.parent_head_data != data.parent_head:
        raise SecondingError(SecondingReason.PARENT_HEAD_MISMATCH)
