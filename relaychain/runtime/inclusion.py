"""Inclusion: the pallet. Per para a queue of backed candidates; a prefix leaves it as data becomes available.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/inclusion/mod.rs`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from relaychain.primitives import well_known_keys
from relaychain.primitives.availability import SignedAvailabilityBitfield
from relaychain.primitives.candidate import (
    BackedCandidate,
    CandidateReceipt,
    CommittedCandidateReceipt,
    candidate_hash,
)
from relaychain.primitives.configuration import HostConfiguration
from relaychain.primitives.messages import UpwardMessage, skip_ump_signals
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.statements import SigningContext
from relaychain.primitives.types import (
    CandidateHash,
    CoreIndex,
    GroupIndex,
    HeadData,
    ParaId,
    ValidatorIndex,
    head_hash,
    supermajority_threshold,
)
from relaychain.runtime import inclusion_rules as rules
from relaychain.runtime.configuration import Configuration
from relaychain.runtime.dmp import Dmp
from relaychain.runtime.hrmp import Hrmp
from relaychain.runtime.inclusion_rules import (
    Backers,
    CandidatePendingAvailability,
    InclusionError,
    InclusionReason,
    Pending,
)
from relaychain.runtime.paras import Paras
from relaychain.runtime.scheduler import Scheduler
from relaychain.runtime.shared import AllowedRelayParents, Shared
from relaychain.runtime.ump import QueueSize, Ump, check_upward_messages, encode_remaining_capacity, ump_origin
from substrate.runtime.assembly import Runtime
from substrate.runtime.hashers import Twox64Concat
from substrate.runtime.pallet import Event, Pallet, config, runtime_api
from substrate.runtime.storage import StorageMap, storage_map
from substrate.scale.bits import BitVec
from substrate.scale.types import u32
from substrate.types import BlockNumber


class UpwardQueue(Protocol):
    """The relay chain's message queue, as inclusion uses it."""

    def enqueue(self, messages: Sequence[bytes], origin: Ump) -> None:
        """Add messages to the queue of a para."""
        ...

    def size(self, origin: Ump) -> QueueSize:
        """How full the queue of a para is."""
        ...


class NoUpwardQueue:
    """A runtime without a message queue: candidates with upward messages cannot be included."""

    def enqueue(self, messages: Sequence[bytes], origin: Ump) -> None:
        """Refuse."""
        raise LookupError(f"no message queue for {len(messages)} upward messages of {origin.queue.para}")

    def size(self, origin: Ump) -> QueueSize:
        """Empty."""
        return QueueSize()


class Rewards(Protocol):
    """Who pays validators for their work on candidates."""

    def reward_backing(self, validators: Iterable[ValidatorIndex]) -> None:
        """They backed an included candidate."""
        ...

    def reward_bitfields(self, validators: Iterable[ValidatorIndex]) -> None:
        """Their bitfields made a candidate available."""
        ...


def _no_queue(_runtime: Runtime) -> UpwardQueue:
    return NoUpwardQueue()


class Placed(NamedTuple):
    """A backed candidate and the core it takes."""

    backed: BackedCandidate
    core: CoreIndex


class ParaInclusion(Pallet):
    """Candidates pending availability."""

    crate = "polkadot_runtime_parachains::inclusion"

    pending_availability: StorageMap[ParaId, Pending] = storage_map(Twox64Concat, default=(), name="V1")
    """Each para's queue, oldest first."""

    upward_queue: Callable[[Runtime], UpwardQueue] = config(_no_queue)
    """The message queue of this runtime."""
    rewards: Callable[[Runtime], Rewards] | None = config(None)
    """Where validators' work is counted, if anywhere."""

    class CandidateBacked(Event):
        """A candidate was backed."""

        receipt: CandidateReceipt
        head: HeadData
        core: CoreIndex
        group: GroupIndex

    class CandidateIncluded(Event):
        """A candidate was included."""

        receipt: CandidateReceipt
        head: HeadData
        core: CoreIndex
        group: GroupIndex

    class CandidateTimedOut(Event):
        """A candidate timed out."""

        receipt: CandidateReceipt
        head: HeadData
        core: CoreIndex

    class UpwardMessagesReceived(Event):
        """Some upward messages have been received and will be processed."""

        from_: ParaId
        count: u32

    @property
    def _config(self) -> HostConfiguration:
        return self.pallet(Configuration).active

    # --- heads and cores ---

    def para_latest_head_data(self, para: ParaId) -> HeadData | None:
        """The head that the para's next candidate builds on: of its last pending candidate, or the included one."""
        pending = self.pending_availability[para]
        return pending[-1].commitments.head_data if pending else self.pallet(Paras).heads.get(para)

    def para_most_recent_context(self, para: ParaId) -> BlockNumber | None:
        """Relay parent number of the para's last candidate, pending or included."""
        pending = self.pending_availability[para]
        return pending[-1].relay_parent_number if pending else self.pallet(Paras).most_recent_context.get(para)

    def occupied_cores(self) -> Mapping[CoreIndex, CandidatePendingAvailability]:
        """The candidate on each occupied core, by core."""
        taken = {candidate.core: candidate for _, queue in self.pending_availability.items() for candidate in queue}
        return {core: taken[core] for core in sorted(taken)}

    # --- availability ---

    def update_pending_availability(
        self, bitfields: Sequence[SignedAvailabilityBitfield]
    ) -> tuple[tuple[CoreIndex, CandidateHash], ...]:
        """Note votes, enact what is available; returns the freed cores with their candidates."""
        threshold = supermajority_threshold(len(self.pallet(Shared).active_validator_keys.get()))
        votes = rules.votes_per_core(bitfields)
        freed: list[tuple[CoreIndex, CandidateHash]] = []
        for para, pending in tuple(self.pending_availability.items()):
            voted = rules.with_votes(pending, votes)
            count = rules.available_count(voted, threshold)
            if voted != pending or count:
                self._put(para, voted[count:])
            for candidate in voted[:count]:
                freed.append((candidate.core, candidate.hash))
                self._enact(para, candidate)
        return tuple(freed)

    def _put(self, para: ParaId, pending: Pending) -> None:
        if pending:
            self.pending_availability[para] = pending
        else:
            del self.pending_availability[para]

    def _enact(self, para: ParaId, candidate: CandidatePendingAvailability) -> None:
        """Take a candidate's effects, in upstream's order."""
        commitments, paras, hrmp = candidate.commitments, self.pallet(Paras), self.pallet(Hrmp)
        if self.rewards is not None:
            rewards = self.rewards(self.runtime)
            rewards.reward_backing(map(ValidatorIndex, candidate.backers.indices()))
            rewards.reward_bitfields(map(ValidatorIndex, candidate.availability_votes.indices()))
        if commitments.new_validation_code is not None:
            paras.schedule_code_upgrade(para, commitments.new_validation_code, self.number)
        self.pallet(Dmp).prune_dmq(para, commitments.processed_downward_messages)
        self.receive_upward_messages(para, commitments.upward_messages)
        hrmp.prune(para, commitments.hrmp_watermark)
        hrmp.queue_outbound(para, commitments.horizontal_messages)
        self.deposit_event(
            self.CandidateIncluded(candidate.receipt, commitments.head_data, candidate.core, candidate.backing_group)
        )
        paras.note_new_head(para, commitments.head_data, candidate.relay_parent_number)

    def free_timed_out(self) -> tuple[CoreIndex, ...]:
        """Evict candidates that waited too long, each with those behind it; returns the freed cores."""
        scheduler = self.pallet(Scheduler)
        freed: list[CoreIndex] = []
        for para, pending in sorted(self.pending_availability.items()):
            expired = (
                place
                for place, candidate in enumerate(pending)
                if scheduler.timeout_status(candidate.backed_in_number).timed_out
            )
            first = next(expired, None)
            if first is None:
                continue
            self._put(para, pending[:first])
            for candidate in pending[first:]:
                freed.append(candidate.core)
                self.deposit_event(
                    self.CandidateTimedOut(candidate.receipt, candidate.commitments.head_data, candidate.core)
                )
        return tuple(freed)

    # --- backing ---

    def verify_backed_candidate(
        self,
        allowed: AllowedRelayParents,
        candidate: CommittedCandidateReceipt,
        parent_head: HeadData,
        previous_context: BlockNumber | None = None,
    ) -> BlockNumber:
        """Check everything but the votes; returns the number of the relay parent.

        Raises:
            InclusionError, DmpError, UmpError, HrmpError: the first rule that is broken.
        """
        descriptor, commitments = candidate.descriptor, candidate.commitments
        acquired = allowed.acquire(descriptor.relay_parent, previous_context)
        if acquired is None:
            raise InclusionError(InclusionReason.DISALLOWED_RELAY_PARENT, relay_parent=descriptor.relay_parent.hex())
        info, number = acquired
        expected = PersistedValidationData(parent_head, number, info.state_root, self._config.max_pov_size).hash
        if expected != descriptor.persisted_validation_data_hash:
            raise InclusionError(InclusionReason.VALIDATION_DATA_HASH_MISMATCH, expected=expected.hex())
        code_hash = self.pallet(Paras).current_code_hash.get(descriptor.para_id)
        if code_hash is None:
            raise InclusionError(InclusionReason.UNSCHEDULED_CANDIDATE, para=descriptor.para_id)
        if descriptor.validation_code_hash != code_hash:
            raise InclusionError(InclusionReason.INVALID_VALIDATION_CODE_HASH, expected=code_hash.hex())
        if descriptor.para_head != head_hash(commitments.head_data):
            raise InclusionError(InclusionReason.PARA_HEAD_MISMATCH)
        self.check_validation_outputs(candidate, number)
        return number

    def check_validation_outputs(self, candidate: CommittedCandidateReceipt, number: BlockNumber) -> None:
        """Check commitments against the para's limits and queues.

        Raises:
            InclusionError, DmpError, UmpError, HrmpError: the first rule that is broken.
        """
        config, para, commitments = self._config, candidate.descriptor.para_id, candidate.commitments
        paras, hrmp, code = self.pallet(Paras), self.pallet(Hrmp), commitments.new_validation_code
        if len(commitments.head_data) > config.max_head_data_size:
            raise InclusionError(InclusionReason.HEAD_DATA_TOO_LARGE, size=len(commitments.head_data))
        if code is not None:
            if not paras.can_upgrade_validation_code(para):
                raise InclusionError(InclusionReason.PREMATURE_CODE_UPGRADE, para=para)
            if len(code) > config.max_code_size:
                raise InclusionError(InclusionReason.NEW_CODE_TOO_LARGE, size=len(code), limit=config.max_code_size)
        self.pallet(Dmp).check_processed(para, commitments.processed_downward_messages, number)
        check_upward_messages(
            config,
            commitments.upward_messages,
            queued=self.upward_queue(self.runtime).size(ump_origin(para)),
            is_offboarding=paras.is_offboarding(para),
        )
        hrmp.check_watermark(para, commitments.hrmp_watermark, number)
        hrmp.check_outbound(para, commitments.horizontal_messages)

    def check_group_votes(self, placed: Placed, number: BlockNumber) -> tuple[GroupIndex, Backers]:
        """Check the votes of the group that backs for the core one block after the relay parent.

        Raises:
            InclusionError: `INVALID_ASSIGNMENT`, `INVALID_GROUP_INDEX`, and those of `check_backing_votes`.
        """
        scheduler, shared = self.pallet(Scheduler), self.pallet(Shared)
        group_index = scheduler.group_assigned_to_core(placed.core, BlockNumber(number + 1))
        if group_index is None:
            raise InclusionError(InclusionReason.INVALID_ASSIGNMENT, core=placed.core)
        group = scheduler.group_validators(group_index)
        if group is None:
            raise InclusionError(InclusionReason.INVALID_GROUP_INDEX, group=group_index)
        backers = rules.check_backing_votes(
            placed.backed,
            context=SigningContext(shared.current_session_index.get(), placed.backed.candidate.descriptor.relay_parent),
            validators=shared.active_validator_keys.get(),
            group=group,
            minimum_backing_votes=self._config.minimum_backing_votes,
        )
        return group_index, backers

    def process_candidates(
        self, allowed: AllowedRelayParents, candidates: Mapping[ParaId, Sequence[Placed]]
    ) -> tuple[tuple[CandidateReceipt, Backers], ...]:
        """Back candidates that were sanitised before; any that breaks a rule is an error.

        Returns:
            The candidates with their backers.
        """
        processed: list[tuple[CandidateReceipt, Backers]] = []
        for para, chain in candidates.items():
            for placed in chain:
                parent = self.para_latest_head_data(para)
                if parent is None:
                    raise InclusionError(InclusionReason.UNSCHEDULED_CANDIDATE, para=para)
                number = self.verify_backed_candidate(allowed, placed.backed.candidate, parent)
                group, backers = self.check_group_votes(placed, number)
                processed.append((placed.backed.candidate.receipt, backers))
                self._back(placed, number, group, backers)
        return tuple(processed)

    def _back(self, placed: Placed, number: BlockNumber, group: GroupIndex, backers: Backers) -> None:
        candidate = placed.backed.candidate
        para, n_validators = candidate.descriptor.para_id, len(self.pallet(Shared).active_validator_keys.get())
        waiting = CandidatePendingAvailability(
            core=placed.core,
            hash=candidate_hash(candidate),
            descriptor=candidate.descriptor,
            commitments=candidate.commitments,
            availability_votes=BitVec.zeros(n_validators),
            backers=rules.backer_bits(backers, n_validators),
            relay_parent_number=number,
            backed_in_number=self.number,
            backing_group=group,
        )
        self.pending_availability[para] = (*self.pending_availability[para], waiting)
        self.deposit_event(self.CandidateBacked(candidate.receipt, candidate.commitments.head_data, placed.core, group))

    def on_new_session(self) -> None:
        """Drop all candidates: their validators and groups are gone."""
        self.pending_availability.clear()

    # --- upward messages ---

    def receive_upward_messages(self, para: ParaId, messages: Sequence[UpwardMessage]) -> None:
        """Hand an included candidate's messages to the message queue."""
        received = skip_ump_signals(messages)
        if received:
            self.upward_queue(self.runtime).enqueue(received, ump_origin(para))
            self.deposit_event(self.UpwardMessagesReceived(para, len(received)))

    def on_queue_changed(self, para: ParaId, size: QueueSize) -> None:
        """Tell paras, under the well-known key, what the para's queue still takes. The message queue calls this."""
        key = well_known_keys.relay_dispatch_queue_remaining_capacity(para)
        self.state.put(key, encode_remaining_capacity(self._config, size))

    # --- runtime APIs ---

    @runtime_api("ParachainHost_candidates_pending_availability", version=11)
    def candidates_pending_availability(self, para: ParaId) -> tuple[CommittedCandidateReceipt, ...]:
        """The para's queue."""
        return tuple(candidate.committed for candidate in self.pending_availability[para])

    @runtime_api("ParachainHost_candidate_pending_availability", version=11)
    def candidate_pending_availability(self, para: ParaId) -> CommittedCandidateReceipt | None:
        """The first candidate of the para's queue."""
        pending = self.pending_availability[para]
        return pending[0].committed if pending else None
