"""`ParachainHost` calls that read several pallets. The others stand in the pallets they read.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/runtime_api_impl/{v13,vstaging}.rs`.
"""

from typing import Any, cast

from relaychain.primitives.core_state import (
    CandidateBacked,
    CandidateEvent,
    CandidateIncluded,
    CandidateTimedOut,
    CoreState,
    Free,
    Occupied,
    OccupiedCore,
    Scheduled,
    ScheduledCore,
)
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import (
    CoreIndex,
    OccupiedCoreAssumption,
    ParaId,
    ValidationCode,
    ValidationCodeHash,
)
from relaychain.runtime.configuration import Configuration
from relaychain.runtime.inclusion import ParaInclusion
from relaychain.runtime.inclusion_rules import CandidatePendingAvailability
from relaychain.runtime.paras import Paras
from relaychain.runtime.scheduler import Scheduler
from substrate.pallets.system import System
from substrate.runtime.assembly import Runtime
from substrate.runtime.pallet import runtime_api
from substrate.types import Hash


class ParachainHost(Runtime):
    """Base of a runtime with parachains. The state is that of the relay parent: answers are for its child."""

    # --- cores ---

    @runtime_api("ParachainHost_availability_cores", version=11)
    def availability_cores(self) -> tuple[CoreState, ...]:
        """What each core does: waits for availability, for a candidate, or for nothing."""
        scheduler = self.pallet(Scheduler)
        occupied, claims = self.pallet(ParaInclusion).occupied_cores(), scheduler.scheduled_paras()
        states: list[CoreState] = []
        for core in map(CoreIndex, range(scheduler.availability_core_count())):
            following = ScheduledCore(claims[core][0]) if claims.get(core) else None
            if core in occupied:
                states.append(Occupied(self._occupied(occupied[core], following)))
            else:
                states.append(Scheduled(following) if following else Free())
        return tuple(states)

    def _occupied(self, candidate: CandidatePendingAvailability, following: ScheduledCore | None) -> OccupiedCore:
        status = self.pallet(Scheduler).timeout_status(candidate.backed_in_number)
        return OccupiedCore(
            next_up_on_available=following,
            occupied_since=candidate.backed_in_number,
            time_out_at=status.live_until,
            next_up_on_time_out=following,
            availability=candidate.availability_votes,
            group_responsible=candidate.backing_group,
            candidate_hash=candidate.hash,
            candidate_descriptor=candidate.descriptor,
        )

    # --- validation ---

    def _validation_data(self, para: ParaId, *, is_included: bool) -> PersistedValidationData | None:
        pending = self.pallet(ParaInclusion).pending_availability[para]
        head = pending[-1].commitments.head_data if is_included and pending else self.pallet(Paras).heads.get(para)
        if head is None:
            return None
        return PersistedValidationData(
            head,
            self.block_number(),
            Hash(self.state.root()),
            self.pallet(Configuration).active.max_pov_size,
        )

    @runtime_api("ParachainHost_persisted_validation_data", version=11)
    def persisted_validation_data(
        self, para: ParaId, assumption: OccupiedCoreAssumption
    ) -> PersistedValidationData | None:
        """Validation data under an assumption about the para's pending candidates."""
        pending = self.pallet(ParaInclusion).pending_availability[para]
        if assumption is OccupiedCoreAssumption.FREE and pending:
            return None
        return self._validation_data(para, is_included=assumption is OccupiedCoreAssumption.INCLUDED)

    @runtime_api("ParachainHost_validation_code_hash", version=11)
    def validation_code_hash(self, para: ParaId, assumption: OccupiedCoreAssumption) -> ValidationCodeHash | None:
        """Code under an assumption about the para's pending candidates, one of which may complete an upgrade."""
        paras, pending = self.pallet(Paras), self.pallet(ParaInclusion).pending_availability[para]
        if assumption is OccupiedCoreAssumption.FREE and pending:
            return None
        expected_at = paras.future_code_upgrades.get(para)
        completes = expected_at is not None and any(expected_at <= item.relay_parent_number for item in pending)
        if assumption is OccupiedCoreAssumption.INCLUDED and completes:
            return paras.future_code_hash.get(para)
        return paras.current_code_hash.get(para)

    @runtime_api("ParachainHost_validation_code", version=11)
    def validation_code(self, para: ParaId, assumption: OccupiedCoreAssumption) -> ValidationCode | None:
        """As `validation_code_hash`, the code itself."""
        code_hash = self.validation_code_hash(para, assumption)
        return None if code_hash is None else self.pallet(Paras).code_by_hash.get(code_hash)

    # --- events ---

    @runtime_api("ParachainHost_candidate_events", version=11)
    def candidate_events(self) -> tuple[CandidateEvent, ...]:
        """What happened to candidates in this block."""
        found: list[CandidateEvent] = []
        for record in self.pallet(System).block_events():
            event: object = cast(Any, record.event).value
            match event:
                case ParaInclusion.CandidateBacked():
                    found.append(CandidateBacked(event.receipt, event.head, event.core, event.group))
                case ParaInclusion.CandidateIncluded():
                    found.append(CandidateIncluded(event.receipt, event.head, event.core, event.group))
                case ParaInclusion.CandidateTimedOut():
                    found.append(CandidateTimedOut(event.receipt, event.head, event.core))
                case _:
                    continue
        return tuple(found)
