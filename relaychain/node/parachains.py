"""The parachain subsystems of a node, assembled.

Source: polkadot-sdk, `polkadot/node/service/src/overseer.rs`.
"""

import asyncio
from dataclasses import dataclass, field

from relaychain.node.active_leaves import ActiveLeaves, Leaf, implicit_view
from relaychain.node.authority_discovery import AuthorityDiscovery
from relaychain.node.availability_distribution import AvailabilityDistribution
from relaychain.node.availability_recovery import AvailabilityRecovery
from relaychain.node.availability_store import AvailabilityStore, ErasureCoder
from relaychain.node.backing import CandidateBacking
from relaychain.node.bitfield_distribution import BitfieldDistribution
from relaychain.node.bitfield_signing import BitfieldSigning
from relaychain.node.candidate_validation import CandidateValidation
from relaychain.node.collator_protocol import CollatorProtocol
from relaychain.node.fetching import Fetcher
from relaychain.node.provisioner import selected_bitfields, selected_candidates
from relaychain.node.reports import Reports
from relaychain.node.runtime_api import ParachainHostApi, RuntimeApiCache
from relaychain.node.statement_distribution import StatementDistribution
from relaychain.primitives.candidate import BackedCandidate, candidate_hash
from relaychain.primitives.core_state import (
    CandidateBacked,
    CandidateEvent,
    CandidateIncluded,
    CandidateTimedOut,
)
from relaychain.primitives.inherent import PARACHAINS_INHERENT_IDENTIFIER, ParachainsInherentData
from relaychain.primitives.types import HeadData, OccupiedCoreAssumption, ParaId, ValidatorId
from relaychain.pvf.host import ValidationHost
from substrate.client.chain import Chain
from substrate.client.protocols import Clock, Network
from substrate.crypto.keys import Ed25519Pair
from substrate.runtime.assembly import Runtime
from substrate.types import BlockNumber, Hash

REPUBLISH_BLOCKS = 10
"""How often a validator repeats under which name it is reached."""

MIN_FETCH_TIMEOUT_US = 1_000_000
"""Upstream's. It does not shrink with the slot: what is waited for is a link and a peer that computes."""


@dataclass
class SharedWork:
    """Results that follow from content alone, so that the nodes of one process need them once.

    A node with a fault or an altered behaviour gets its own.
    """

    host: ValidationHost
    api: RuntimeApiCache = field(default_factory=RuntimeApiCache)
    coder: ErasureCoder = field(default_factory=ErasureCoder)


class ParachainSubsystems:
    """Everything that a relay node does for parachains. Without a key it serves and watches only."""

    def __init__(
        self,
        chain: Chain[Runtime],
        *,
        key: Ed25519Pair | None,
        network: Network,
        clock: Clock,
        reports: Reports,
        shared: SharedWork,
        slot_us: int,
    ) -> None:
        self.chain = chain
        self.api = ParachainHostApi(chain, shared.api)
        self.reports = reports
        self.leaves = ActiveLeaves(chain, self.api, self.reports)
        self.store = AvailabilityStore()
        self.discovery = AuthorityDiscovery(network, key, self.reports)
        self._key = key
        self._network = network
        self._clock = clock
        self._shared = shared
        self._slot_us = slot_us
        timeout_us = max(slot_us // 6, MIN_FETCH_TIMEOUT_US)  # upstream's 1 s of a 6 s slot
        self.fetcher = Fetcher(network, self.discovery, self.reports, timeout_us=timeout_us)
        self.backing = self._backing()
        self.statements = StatementDistribution(self.leaves, self.backing, network, self.reports)
        self.collators = CollatorProtocol(
            self.leaves,
            self.api,
            self.backing,
            network=network,
            fetcher=self.fetcher,
            reports=self.reports,
        )
        self.availability = self._availability()
        self.recovery = AvailabilityRecovery(self.store, shared.coder, self.fetcher, self.reports)
        self.bitfields = BitfieldDistribution(self.leaves, network, self.reports)
        self.signing = None if key is None else self._signing(key)

    def _backing(self) -> CandidateBacking:
        return CandidateBacking(
            self.leaves,
            self.api,
            CandidateValidation(self.api, self._shared.host),
            self.store,
            self._shared.coder,
            key=self._key,
            fetcher=self.fetcher,
            reports=self.reports,
        )

    def _availability(self) -> AvailabilityDistribution:
        return AvailabilityDistribution(
            self.leaves,
            self.api,
            self.store,
            key=None if self._key is None else ValidatorId(self._key.public),
            network=self._network,
            fetcher=self.fetcher,
            reports=self.reports,
        )

    def _signing(self, key: Ed25519Pair) -> BitfieldSigning:
        return BitfieldSigning(
            self.leaves,
            self.api,
            self.store,
            self.bitfields,
            key=key,
            clock=self._clock,
            reports=self.reports,
            delay_us=self._slot_us // 4,  # upstream's 1.5 s of a 6 s slot
        )

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Take part. Subsystems hear of leaves in this order."""
        self.discovery.start(self._clock.now_us())
        if self.signing is not None:
            self.backing.start(tasks)
            self.bitfields.start()
            self.statements.start()
            self.collators.start(tasks)
        self.availability.start(tasks)
        if self.signing is not None:
            self.signing.start(tasks)
        self.leaves.on_active(self._on_leaf)
        self.chain.on_imported(self._on_imported)
        self.chain.on_finalized(self._on_finalized)
        self.leaves.start(tasks)

    # --- what the author asks ---

    def inherent_data(self, parent: Hash) -> dict[bytes, bytes]:
        """Inherent data of a block on `parent`, by identifier."""
        return {PARACHAINS_INHERENT_IDENTIFIER: self.collected(parent).encode()}

    def collected(self, parent: Hash) -> ParachainsInherentData:
        """The bitfields and backed candidates that a block on `parent` should contain."""
        header, cores = self.chain.header(parent), self.api.availability_cores(parent)
        bitfields = selected_bitfields(self.bitfields.known(parent), cores)
        candidates = selected_candidates(
            cores,
            bitfields,
            self.backing.backable(implicit_view(self.api, self.chain, parent)),
            number=BlockNumber(header.number + 1),
            head_of=lambda para, assumption: self._head(parent, para, assumption),
            parent_head_of=self._parent_head,
        )
        return ParachainsInherentData(bitfields, candidates, (), header)

    def _head(self, parent: Hash, para: ParaId, assumption: OccupiedCoreAssumption) -> HeadData | None:
        data = self.api.persisted_validation_data(parent, para, assumption)
        return None if data is None else data.parent_head

    def _parent_head(self, backed: BackedCandidate) -> HeadData | None:
        context = self.backing.context_of(backed.candidate)
        return None if context is None else context.data.parent_head

    # --- what the chain tells ---

    def _on_leaf(self, leaf: Leaf) -> None:
        if leaf.number % REPUBLISH_BLOCKS == 0 or self.discovery.has_new_peers():
            self.discovery.publish(self._clock.now_us())

    def _on_finalized(self, block: Hash) -> None:
        self.store.on_finalized(self.chain.number(block))

    def _on_imported(self, block: Hash) -> None:
        with self.reports.survived(f"candidate events of 0x{block.hex()}"):
            for event in self.api.candidate_events(block):
                self._note(block, event)

    def _note(self, block: Hash, event: CandidateEvent) -> None:
        descriptor, candidate = event.receipt.descriptor, candidate_hash(event.receipt)
        number = self.chain.number(block)
        match event:
            case CandidateBacked():
                stage, group = "backed", int(event.group)
            case CandidateIncluded():
                stage, group = "included", int(event.group)
            case CandidateTimedOut():
                stage, group = "timed_out", None
        self.store.note_needed(candidate, number)
        self.reports.stage(
            stage,
            candidate,
            descriptor.para_id,
            relay_parent=descriptor.relay_parent,
            head=descriptor.para_head,
            block=number,
            block_hash=block,
            core=event.core,
            group=group,
            backers=self._backers(block, event) if stage == "backed" else None,
        )

    def _backers(self, block: Hash, event: CandidateEvent) -> list[int]:
        votes = self.api.on_chain_votes(block)
        if votes is None:
            return []
        return [
            int(validator)
            for receipt, backers in votes.backing_validators_per_candidate
            if receipt == event.receipt
            for validator, _ in backers
        ]
