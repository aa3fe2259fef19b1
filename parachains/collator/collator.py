"""The collator: at each relay head that has a free core for the para, build a block, make it a candidate, offer it.

Source: polkadot-sdk, `cumulus/client/consensus/aura/src/collators/lookahead.rs`,
`polkadot/node/collation-generation/src/lib.rs`.
"""

from dataclasses import dataclass
from typing import Any

from parachains.collator.advertising import Advertiser, Offer
from parachains.collator.behaviour import CollatorBehaviour, honest
from parachains.collator.context import (
    Scheduling,
    collation_context,
    included_head,
    may_be_backed,
    relay_slot,
    scheduling,
)
from parachains.collator.ledger import Ledger
from parachains.collator.parent_search import SYNCHRONOUS, core_for, find_parent
from parachains.collator.receipts import ErasureRoot, candidate_receipt
from parachains.sdk.aura import para_slot
from parachains.sdk.contract import Collated, CollationContext
from relaychain.primitives.candidate import CommittedCandidateReceipt, candidate_hash
from relaychain.primitives.relay_interface import RelayChainInterface
from relaychain.primitives.types import CoreIndex, HeadData, ParaId, ValidatorId
from substrate.block import Header
from substrate.client.protocols import Clock, Recorder
from substrate.crypto.keys import Ed25519Pair
from substrate.errors import ChainError
from substrate.types import Hash


@dataclass(frozen=True)
class CollatorSetup:
    """What makes a node collate, and how."""

    key: Ed25519Pair
    erasure_root: ErasureRoot
    behaviour: CollatorBehaviour = honest
    max_pending: int = SYNCHRONOUS


@dataclass(frozen=True)
class Offered:
    """A collation that was advertised, and to whom."""

    offer: Offer
    group: tuple[ValidatorId, ...]


class Collator:
    """One collator of one para."""

    def __init__(
        self,
        name: str,
        para: ParaId,
        setup: CollatorSetup,
        relay: RelayChainInterface,
        ledger: Ledger,
        advertiser: Advertiser,
        *,
        clock: Clock,
        recorder: Recorder,
    ) -> None:
        self.behaviour = setup.behaviour
        """May be changed while the collator runs."""
        self._name = name
        self._para = para
        self._setup = setup
        self._relay = relay
        self._ledger = ledger
        self._advertiser = advertiser
        self._clock = clock
        self._recorder = recorder
        self._offered: Offered | None = None
        """The last collation."""

    async def on_relay_head(self, head: Header) -> CommittedCandidateReceipt | None:
        """Collate on a new best relay block; what prevents it goes into the record."""
        try:
            if not head.number or head.hash != await self._relay.best_block_hash():
                return None
            return await self._collate(head)
        except ChainError as failure:
            self._fault(type(failure).__name__, f"no collation on relay block {head.number}: {failure}")
            return None

    async def _collate(self, head: Header) -> CommittedCandidateReceipt | None:
        relay_parent = head.hash
        core = core_for(self._para, await self._relay.claim_queue(relay_parent))
        if core is None:
            return None
        parent = await self._parent(relay_parent)
        if parent is None:
            return None
        if self._offered is not None and await self._still_stands(self._offered.offer, head, core, parent):
            self._advertiser.advertise(self._offered.offer, self._offered.group)
            return None
        slot = para_slot(await relay_slot(self._relay, relay_parent))
        if not self._ledger.may_author(parent, slot, self._setup.key):
            return None
        self._offered = None
        return await self._build(relay_parent, core, parent)

    async def _still_stands(self, offer: Offer, head: Header, core: CoreIndex, parent: HeadData) -> bool:
        """Whether the next relay block may still back it: to build it again would only cost time."""
        descriptor = offer.receipt.descriptor
        is_wanted = offer.parent_head == parent and descriptor.core_index == core
        return is_wanted and await may_be_backed(self._relay, descriptor, head)

    async def _parent(self, relay_parent: Hash) -> HeadData | None:
        included = await included_head(self._relay, relay_parent, self._para)
        if included is None:
            raise ChainError(f"the relay chain has no para {self._para}")
        pending = await self._relay.candidates_pending_availability(relay_parent, self._para)
        limit = self._setup.max_pending
        parent = find_parent(included, pending, knows=self._ledger.knows, max_pending=limit)
        if parent is None and len(pending) <= limit:
            raise ChainError("the para block to build on has not arrived")
        return parent

    async def _build(self, relay_parent: Hash, core: CoreIndex, parent: HeadData) -> CommittedCandidateReceipt | None:
        context = await collation_context(
            self._relay, relay_parent, self._para, extrinsics=self._ledger.extrinsics(), author=self._setup.key
        )
        if context.validation_data.parent_head != parent:
            raise ChainError("the relay chain promises validation data for another parent")
        place = await scheduling(self._relay, relay_parent, self._para, core)
        made = self._ledger.collate(parent, context)
        offered = self.behaviour(made, context, self._ledger.parent_at(parent))
        if offered is None:
            return None
        if offered is made:  # what a behaviour changed is for validators only
            self._ledger.keep(parent, made)
        return self._offer(offered, context, place)

    def _offer(self, made: Collated[Any], context: CollationContext, place: Scheduling) -> CommittedCandidateReceipt:
        collation, data = made.collation, context.validation_data
        committed = candidate_receipt(collation, place.assignment, data, self._setup.erasure_root)
        offer = Offer(committed.receipt, collation.proof_of_validity, data.parent_head)
        self._offered = Offered(offer, tuple(place.group))
        self._advertiser.advertise(offer, place.group)
        self._recorder.row(
            "candidates",
            candidate=candidate_hash(committed),
            stage="collated",
            para_id=self._para,
            chain="relay",
            head=committed.descriptor.para_head,
            relay_parent=committed.descriptor.relay_parent,
            core=int(place.assignment.core),
            collator=self._name,
            pov_size=len(made.block_data),
            at=self._clock.now_us(),
        )
        return committed

    def _fault(self, kind: str, detail: str) -> None:
        self._recorder.row("faults", node=self._name, kind=kind, detail=detail, at=self._clock.now_us())
