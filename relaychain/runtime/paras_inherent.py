"""Paras inherent: the one call by which a block takes note of bitfields and backed candidates.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/paras_inherent/mod.rs`.

The order of `_process` is upstream's. There are no disputes yet: data that contains any is refused (`DisputesRefused`),
and nothing is ever concluded invalid. Selection is by length alone: of what is sane, all enters that a block may hold.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from relaychain.primitives.availability import SignedAvailabilityBitfield
from relaychain.primitives.candidate import BackedCandidate
from relaychain.primitives.inherent import (
    PARACHAINS_INHERENT_IDENTIFIER,
    ParachainsInherentData,
    ScrapedOnChainVotes,
)
from relaychain.primitives.statements import SigningContext
from relaychain.primitives.types import CoreIndex, HeadData, ParaId, ValidatorIndex, effective_minimum_backing_votes
from relaychain.runtime import sanitize
from relaychain.runtime.configuration import Configuration
from relaychain.runtime.inclusion import ParaInclusion, Placed
from relaychain.runtime.initializer import Initializer
from relaychain.runtime.scheduler import Scheduler
from relaychain.runtime.shared import AllowedRelayParents, RelayParentInfo, Shared, transposed
from substrate.block import header_hash
from substrate.errors import RuleError
from substrate.pallets.system import System
from substrate.runtime.origin import NoneOrigin
from substrate.runtime.pallet import Error, Pallet, call, runtime_api
from substrate.runtime.panics import NO_PANIC
from substrate.runtime.storage import StorageValue, storage_value
from substrate.types import BlockNumber, Weight

RESERVED_LENGTH = 16 * 1024
"""Bytes of a block that are left to its other inherents."""


class Processed(NamedTuple):
    """What of the inherent data entered, and what it yielded."""

    data: ParachainsInherentData
    votes: ScrapedOnChainVotes


class ParaInherent(Pallet):
    """Exactly one `enter` per block."""

    crate = "polkadot_runtime_parachains::paras_inherent"

    included: StorageValue[tuple[()] | None] = storage_value()
    """Whether this block's inherent has come."""
    on_chain_votes: StorageValue[ScrapedOnChainVotes | None] = storage_value()
    """Votes of the last block."""

    class TooManyInclusionInherents(Error):
        """Inclusion inherent called more than once per block."""

    class InvalidParentHeader(Error):
        """The hash of the submitted parent header doesn't correspond to the saved block hash of the parent."""

    class InherentDataFilteredDuringExecution(Error):
        """The inherent data had to be filtered during execution: the author should have done it."""

    class UnscheduledCandidate(Error):
        """A candidate of a para without code or head."""

    class DisputesRefused(Error):
        """This runtime takes no disputes."""

    def inherent(self, data: Mapping[bytes, bytes]) -> Any:
        """The call that enters what the author collected, rid of what may not enter."""
        raw = data.get(PARACHAINS_INHERENT_IDENTIFIER)
        if raw is None:
            return None
        provided = self._fitting(ParachainsInherentData.decode(raw))
        self.state.begin()
        try:
            entering = self._process(provided, is_entering=False).data
        except NO_PANIC:
            raise
        except BaseException:  # noqa: BLE001 - whatever the data breaks
            # Upstream too falls back to an empty inherent: a block without candidates is better than none.
            entering = ParachainsInherentData((), (), (), provided.parent_header)
        finally:
            self.state.rollback()
        return type(self.runtime).call(ParaInherent.enter, data=entering)

    def _fitting(self, data: ParachainsInherentData) -> ParachainsInherentData:
        """Without candidates that make the inherent longer than a block may be."""
        rest = msgspec.structs.replace(data, backed_candidates=())
        limit = self.pallet(System).lengths.max.mandatory - RESERVED_LENGTH - len(rest.encode())
        return msgspec.structs.replace(data, backed_candidates=sanitize.fitting(data.backed_candidates, limit))

    def inherent_required(self) -> bool:
        """Every block needs its `enter`."""
        return not self.included.exists()

    def on_finalize(self, number: BlockNumber) -> None:
        """Forget this block's mark."""
        self.included.kill()

    @call(0, weight=Weight(5_000_000_000, 0), inherent=True)
    def enter(self, origin: NoneOrigin, data: ParachainsInherentData) -> None:
        """Enter the paras inherent. This will process bitfields and backed candidates."""
        if self.included.exists():
            raise self.TooManyInclusionInherents
        self.included.put(())
        self.on_chain_votes.put(self._process(data, is_entering=True).votes)

    # --- the order of a block ---

    def _process(self, data: ParachainsInherentData, *, is_entering: bool) -> Processed:
        scheduler, inclusion = self.pallet(Scheduler), self.pallet(ParaInclusion)
        parent_hash = self.pallet(System).parent_hash.get()
        if header_hash(data.parent_header) != parent_hash:
            raise self.InvalidParentHeader
        self._allow_parent(data)
        if data.disputes:
            raise self.DisputesRefused
        bitfields = self._sane_bitfields(data.bitfields)
        inclusion.update_pending_availability(bitfields)
        if scheduler.availability_timeout_check_required():
            inclusion.free_timed_out()
        allowed = self.pallet(Shared).allowed_relay_parents.get()
        entered: dict[ParaId, list[Placed]] = {}
        backers: Sequence[Any] = ()
        if not self.pallet(Initializer).has_upcoming_session_change():
            occupied = tuple(inclusion.occupied_cores())
            entered = self._sane_candidates(data.backed_candidates, allowed, occupied)
            if is_entering and sum(map(len, entered.values())) != len(data.backed_candidates):
                raise self.InherentDataFilteredDuringExecution
            backers = inclusion.process_candidates(allowed, entered)
            scheduler.advance_claim_queue(occupied)
        elif is_entering and data.backed_candidates:
            raise self.InherentDataFilteredDuringExecution
        candidates = tuple(placed.backed for chain in entered.values() for placed in chain)
        return Processed(
            ParachainsInherentData(bitfields, candidates, (), data.parent_header),
            ScrapedOnChainVotes(self.pallet(Shared).current_session_index.get(), tuple(backers), ()),
        )

    def _allow_parent(self, data: ParachainsInherentData) -> None:
        shared = self.pallet(Shared)
        info = RelayParentInfo(
            header_hash(data.parent_header),
            data.parent_header.state_root,
            transposed(self.pallet(Scheduler).scheduled_paras()),
        )
        updated = shared.allowed_relay_parents.get().updated(
            info,
            number=BlockNumber(self.number - 1),
            length=self.pallet(Configuration).active.scheduler_params.lookahead,
        )
        shared.allowed_relay_parents.put(updated)

    def _sane_bitfields(
        self, bitfields: Sequence[SignedAvailabilityBitfield]
    ) -> tuple[SignedAvailabilityBitfield, ...]:
        shared = self.pallet(Shared)
        return sanitize.sanitized_bitfields(
            bitfields,
            n_cores=self.pallet(Scheduler).availability_core_count(),
            context=SigningContext(shared.current_session_index.get(), self.pallet(System).parent_hash.get()),
            validators=shared.active_validator_keys.get(),
        )

    def _eligible(self, occupied: Sequence[CoreIndex]) -> Mapping[ParaId, Sequence[CoreIndex]]:
        eligible: dict[ParaId, list[CoreIndex]] = {}
        for core, paras in sorted(self.pallet(Scheduler).scheduled_paras().items()):
            if core not in occupied and paras:
                eligible.setdefault(paras[0], []).append(core)
        return eligible

    def _sane_candidates(
        self, candidates: Sequence[BackedCandidate], allowed: AllowedRelayParents, occupied: Sequence[CoreIndex]
    ) -> dict[ParaId, list[Placed]]:
        session = self.pallet(Shared).current_session_index.get()
        sane = [backed for backed in candidates if sanitize.is_sane(backed, allowed=allowed, session=session)]
        chained = self._chained(sanitize.by_para(sane), allowed)
        placed = {
            para: [Placed(backed, core) for backed, core in chain]
            for para, chain in sanitize.with_cores(chained, self._eligible(occupied)).items()
        }
        return self._without_disabled(placed, allowed)

    def _chained(
        self, chains: Mapping[ParaId, Sequence[BackedCandidate]], allowed: AllowedRelayParents
    ) -> dict[ParaId, list[BackedCandidate]]:
        """Each para's candidates that build on its latest head and on one another, and keep to its limits."""
        inclusion = self.pallet(ParaInclusion)
        latest: dict[ParaId, tuple[HeadData, BlockNumber | None]] = {}
        for para in chains:
            head = inclusion.para_latest_head_data(para)
            if head is not None:
                latest[para] = (head, inclusion.para_most_recent_context(para))

        def is_next(para: ParaId, backed: BackedCandidate) -> bool:
            if para not in latest:
                return False
            head, context = latest[para]
            try:
                number = inclusion.verify_backed_candidate(allowed, backed.candidate, head, context)
            except RuleError:
                return False
            latest[para] = (backed.candidate.commitments.head_data, number)
            return True

        return sanitize.retained(chains, is_next)

    def _without_disabled(
        self, chains: Mapping[ParaId, Sequence[Placed]], allowed: AllowedRelayParents
    ) -> dict[ParaId, list[Placed]]:
        disabled = frozenset(self.pallet(Shared).disabled_validators())
        stripped = {
            para: [self._stripped(placed, allowed, disabled) for placed in chain] for para, chain in chains.items()
        }
        minimum = self.pallet(Configuration).active.minimum_backing_votes

        def is_backed(_para: ParaId, placed: Placed) -> bool:
            group_size = len(placed.backed.voters)
            return len(placed.backed.validity_votes) >= effective_minimum_backing_votes(group_size, minimum)

        return sanitize.retained(stripped, is_backed) if disabled else dict(stripped)

    def _stripped(self, placed: Placed, allowed: AllowedRelayParents, disabled: frozenset[ValidatorIndex]) -> Placed:
        acquired = allowed.acquire(placed.backed.candidate.descriptor.relay_parent)
        if not disabled or acquired is None:
            return placed
        scheduler = self.pallet(Scheduler)
        group = scheduler.group_assigned_to_core(placed.core, BlockNumber(acquired[1] + 1))
        members = scheduler.group_validators(group) if group is not None else None
        return Placed(sanitize.without_votes_of(placed.backed, members or (), disabled), placed.core)

    @runtime_api("ParachainHost_on_chain_votes", version=11)
    def votes_of_last_block(self) -> ScrapedOnChainVotes | None:
        """Votes that the last block put on chain."""
        return self.on_chain_votes.get()
