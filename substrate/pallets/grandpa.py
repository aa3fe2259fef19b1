"""Grandpa: the authority set in the state, and its changes as digests.

Source: polkadot-sdk, `substrate/frame/grandpa/src/lib.rs`.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from substrate.consensus.grandpa.types import (
    AuthorityId,
    AuthorityList,
    ConsensusLog,
    ForcedChange,
    OnDisabled,
    ScheduledChange,
    digest_item,
)
from substrate.pallets.session import Session
from substrate.pallets.session_types import SessionHandler, Validators
from substrate.pallets.system import System
from substrate.runtime.hashers import Twox64Concat
from substrate.runtime.origin import Root
from substrate.runtime.pallet import Error, Event, call, constant, runtime_api
from substrate.runtime.storage import StorageMap, StorageValue, storage_map, storage_value
from substrate.scale.types import Struct, enum_path, path, u32, u64, variant
from substrate.types import BlockNumber, Weight

NOTE_STALLED = Weight(10_000_000, 0)


@variant(0, name="Live")
class StateLive(Struct):
    """Finalising."""


@variant(1, name="PendingPause")
class StatePendingPause(Struct):
    """About to pause."""

    scheduled_at: BlockNumber
    delay: BlockNumber


@variant(2, name="Paused")
class StatePaused(Struct):
    """Not finalising."""


@variant(3, name="PendingResume")
class StatePendingResume(Struct):
    """About to go on."""

    scheduled_at: BlockNumber
    delay: BlockNumber


StoredState: TypeAlias = StateLive | StatePendingPause | StatePaused | StatePendingResume
enum_path(StoredState, "pallet_grandpa::StoredState")


@path("pallet_grandpa::StoredPendingChange")
class StoredPendingChange(Struct):
    """A change that was signalled, or will be at the end of the block. Fields are in SCALE order."""

    scheduled_at: BlockNumber
    delay: BlockNumber
    next_authorities: AuthorityList
    forced: BlockNumber | None
    """If forced: the median last finalised block."""


def _authorities(validators: Validators) -> AuthorityList:
    return tuple((keys.grandpa, 1) for _, keys in validators)


class Grandpa(SessionHandler):
    """Signals the voters' set changes."""

    grandpa_state: StorageValue[StoredState] = storage_value(default=StateLive(), name="State")
    """Always live: nothing here pauses finality."""
    pending_change: StorageValue[StoredPendingChange | None] = storage_value()
    next_forced: StorageValue[BlockNumber | None] = storage_value()
    stalled: StorageValue[tuple[BlockNumber, BlockNumber] | None] = storage_value()
    current_set_id: StorageValue[u64] = storage_value(default=0)
    set_id_session: StorageMap[u64, u32] = storage_map(Twox64Concat)
    """The last session of each set."""
    authorities: StorageValue[AuthorityList] = storage_value(default=())

    max_authorities: u32 = constant(100_000)
    max_nominators: u32 = constant(0)
    max_set_id_session_entries: u64 = constant(168)

    class NewAuthorities(Event):
        """New authority set has been applied."""

        authority_set: AuthorityList

    class Paused(Event):
        """Current authority set has been paused."""

    class Resumed(Event):
        """Current authority set has been resumed."""

    class PauseFailed(Error):
        """Attempt to signal GRANDPA pause when the authority set isn't live."""

    class ResumeFailed(Error):
        """Attempt to signal GRANDPA resume when the authority set isn't paused."""

    class ChangePending(Error):
        """Attempt to signal GRANDPA change with one already pending."""

    class TooSoon(Error):
        """Cannot signal forced change so soon after last."""

    class InvalidKeyOwnershipProof(Error):
        """A key ownership proof provided as part of an equivocation report is invalid."""

    class InvalidEquivocationProof(Error):
        """An equivocation proof provided as part of an equivocation report is invalid."""

    class DuplicateOffenceReport(Error):
        """A given equivocation report is valid but already previously reported."""

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Takes `authorities`: (id, weight); usually they come with the session keys."""
        super().genesis({name: value for name, value in config.items() if name != "authorities"})
        self.current_set_id.put(0)
        self.set_id_session[0] = 0
        if config.get("authorities"):
            self.authorities.put(tuple((AuthorityId(voter), weight) for voter, weight in config["authorities"]))

    @call(2, weight=NOTE_STALLED)
    def note_stalled(self, origin: Root, delay: BlockNumber, best_finalized_block_number: BlockNumber) -> None:
        """Note that the current authority set has stalled: at the next session the change is forced."""
        self.stalled.put((delay, best_finalized_block_number))

    def on_finalize(self, number: BlockNumber) -> None:
        """Signal and enact what is due in this block."""
        pending = self.pending_change.get()
        if pending is not None:
            if number == pending.scheduled_at:
                self._deposit(self._signal(pending))
            if number == pending.scheduled_at + pending.delay:
                self.authorities.put(pending.next_authorities)
                self.deposit_event(self.NewAuthorities(authority_set=pending.next_authorities))
                self.pending_change.kill()

    def schedule_change(
        self, next_authorities: AuthorityList, *, in_blocks: BlockNumber, forced: BlockNumber | None = None
    ) -> None:
        """Signal a change at the end of this block.

        Args:
            next_authorities: The new set.
            in_blocks: How many blocks later it is enacted.
            forced: Makes it a forced change: the median last finalised block.

        Raises:
            ChangePending: A change is pending.
            TooSoon: A forced change was signalled not long ago.
        """
        if self.pending_change.exists():
            raise self.ChangePending
        now = self.number
        if forced is not None:
            if (self.next_forced.get() or 0) > now:
                raise self.TooSoon
            self.next_forced.put(BlockNumber(now + 2 * in_blocks))
        self.pending_change.put(StoredPendingChange(now, in_blocks, next_authorities, forced))

    # --- sessions

    def on_genesis_session(self, validators: Validators) -> None:
        """Take the first set."""
        if validators:
            assert not self.authorities.get(), "GRANDPA authorities are given twice"
            self.authorities.put(_authorities(validators))

    def on_new_session(self, *, changed: bool, validators: Validators, queued: Validators) -> None:
        """Schedule a change if the validators changed, even to the same keys: the stakes behind them may differ."""
        set_id = self.current_set_id.get()
        if (changed or self.stalled.exists()) and self._schedule(_authorities(validators)):
            set_id += 1
            self.current_set_id.put(set_id)
            stale = set_id - max(1, self.max_set_id_session_entries)
            if stale >= 0:
                del self.set_id_session[stale]
        self.set_id_session[set_id] = self.pallet(Session).current_index.get()

    def on_disabled(self, index: int) -> None:
        """Tell the voters."""
        self._deposit(OnDisabled(index))

    def _schedule(self, authorities: AuthorityList) -> bool:
        stalled = self.stalled.take()
        try:
            if stalled is None:
                self.schedule_change(authorities, in_blocks=BlockNumber(0))
            else:
                self.schedule_change(authorities, in_blocks=stalled[0], forced=stalled[1])
        except (self.ChangePending, self.TooSoon):
            return False  # the set keeps its id: its change is not signalled
        return True

    # --- runtime APIs

    @runtime_api("GrandpaApi_grandpa_authorities", version=3)
    def grandpa_authorities(self) -> AuthorityList:
        """The current set."""
        return self.authorities.get()

    @runtime_api("GrandpaApi_current_set_id", version=3)
    def grandpa_set_id(self) -> u64:
        """Id of the current set."""
        return self.current_set_id.get()

    def _signal(self, pending: StoredPendingChange) -> ConsensusLog:
        if pending.forced is None:
            return ScheduledChange(pending.next_authorities, pending.delay)
        return ForcedChange(pending.forced, pending.next_authorities, pending.delay)

    def _deposit(self, log: ConsensusLog) -> None:
        self.pallet(System).deposit_log(digest_item(log))
