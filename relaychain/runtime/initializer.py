"""Initializer: runs the parachain pallets in upstream's order, and applies session changes at the end of a block.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/initializer.rs`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from relaychain.primitives.types import (
    AssignmentId,
    AuthorityDiscoveryId,
    CoreIndex,
    ParaId,
    SessionIndex,
    ValidatorId,
)
from relaychain.primitives.well_known_keys import ONE_EPOCH_AGO_RANDOMNESS
from relaychain.runtime.assigner_coretime import CoretimeAssignmentProvider
from relaychain.runtime.configuration import Configuration
from relaychain.runtime.dmp import Dmp
from relaychain.runtime.hrmp import Hrmp
from relaychain.runtime.inclusion import ParaInclusion
from relaychain.runtime.paras import Paras
from relaychain.runtime.scheduler import Scheduler
from relaychain.runtime.session_info import ParaSessionInfo
from relaychain.runtime.shared import Shared
from substrate.crypto.hashing import blake2_256
from substrate.runtime.pallet import Pallet
from substrate.runtime.storage import StorageValue, storage_value
from substrate.scale.types import Struct, path
from substrate.types import AccountId, BlockNumber, Weight


class ValidatorKeys(Struct):
    """A validator's account and the keys that parachains need of it."""

    stash: AccountId
    validator: ValidatorId
    assignment: AssignmentId
    discovery: AuthorityDiscoveryId


@path("polkadot_runtime_parachains::initializer::BufferedSessionChange")
class BufferedSessionChange(Struct):
    """A session change that waits for the end of the block."""

    validators: tuple[ValidatorId, ...]
    queued: tuple[ValidatorId, ...]
    session_index: SessionIndex


class Initializer(Pallet):
    """Genesis: `{"validators": [ValidatorKeys, ...], "cores": [para id or None, ...]}` starts session 0.

    Each core serves one para from the start. Mounted after the pallets it drives, so that their genesis comes first.
    """

    crate = "polkadot_runtime_parachains::initializer"

    buffered_session_changes: StorageValue[tuple[BufferedSessionChange, ...]] = storage_value(default=())
    """Session changes of this block."""

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Assign the cores (as many as there are, if the configuration says fewer) and start the first session."""
        cores: Sequence[ParaId | None] = config.get("cores", ())
        self.pallet(Configuration).ensure_cores(len(cores))
        for core, para in enumerate(cores):
            if para is not None:
                self.pallet(CoretimeAssignmentProvider).assign_whole(CoreIndex(core), para)
        validators: Sequence[ValidatorKeys] = config.get("validators", ())
        if validators:
            self.note_session(SessionIndex(0), validators, validators)

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Begin the block in every pallet that has something to begin."""
        self.pallet(Paras).initialize(number)
        return Weight.ZERO

    def on_finalize(self, number: BlockNumber) -> None:
        """End the block, the session change last: the next block, and calls on this state, see the new session."""
        self.pallet(Paras).finalize(number)
        buffered = self.buffered_session_changes.take()
        if buffered:
            # Only the last counts: the others did not last a block.
            self._apply(buffered[-1].session_index, buffered[-1].validators)

    def note_session(
        self, session: SessionIndex, validators: Sequence[ValidatorKeys], queued: Sequence[ValidatorKeys]
    ) -> None:
        """Take a new session from the session pallet. The first one starts at once, the others with the block's end."""
        self.pallet(ParaSessionInfo).note_keys(
            [keys.stash for keys in validators],
            [keys.assignment for keys in validators],
            [keys.discovery for keys in validators],
        )
        current = tuple(keys.validator for keys in validators)
        if session == 0:
            self._apply(session, current)
            return
        change = BufferedSessionChange(current, tuple(keys.validator for keys in queued), session)
        self.buffered_session_changes.put((*self.buffered_session_changes.get(), change))

    def has_upcoming_session_change(self) -> bool:
        """Whether this block ends a session."""
        return bool(self.buffered_session_changes.get())

    def _apply(self, session: SessionIndex, all_validators: tuple[ValidatorId, ...]) -> None:
        seed = self._random_seed()
        outcome = self.pallet(Configuration).on_new_session(session)
        config, scheduler = outcome.new_config, self.pallet(Scheduler)
        validators = self.pallet(Shared).on_new_session(session, seed, config, all_validators)
        outgoing = self.pallet(Paras).on_new_session(session)
        scheduler.on_new_session(len(validators), config)
        self.pallet(ParaInclusion).on_new_session()
        self.pallet(ParaSessionInfo).on_new_session(
            session,
            config=config,
            random_seed=seed,
            validators=validators,
            groups=scheduler.validator_groups.get(),
        )
        self.pallet(Dmp).clean_up(outgoing)
        self.pallet(Hrmp).on_new_session(outcome.prev_config, outgoing)

    def _random_seed(self) -> bytes:
        """Randomness of the epoch before, with a subject of its own."""
        return blake2_256(b"paras" + (self.state.get(ONE_EPOCH_AGO_RANDOMNESS) or bytes(32)))
