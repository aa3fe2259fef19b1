"""Session info: the validators and parameters of recent sessions, for those who judge old candidates.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/session_info.rs`.
"""

from collections.abc import Sequence
from typing import TypeVar

from relaychain.primitives.configuration import ExecutorParam, HostConfiguration
from relaychain.primitives.core_state import SessionInfo
from relaychain.primitives.types import (
    AssignmentId,
    AuthorityDiscoveryId,
    SessionIndex,
    ValidatorId,
    ValidatorIndex,
)
from relaychain.runtime.scheduler import Groups
from relaychain.runtime.shared import Shared
from substrate.runtime.hashers import Identity
from substrate.runtime.pallet import Pallet, runtime_api
from substrate.runtime.storage import StorageMap, StorageValue, storage_map, storage_value
from substrate.types import AccountId

T = TypeVar("T")


def active_subset(active: Sequence[ValidatorIndex], items: Sequence[T]) -> tuple[T, ...]:
    """The items of the active validators, in their order."""
    return tuple(items[place] for place in active if place < len(items))


def active_then_inactive(active: Sequence[ValidatorIndex], items: Sequence[T]) -> tuple[T, ...]:
    """The items of the active validators, then all others in their own order."""
    chosen = frozenset(active)
    rest = tuple(item for place, item in enumerate(items) if ValidatorIndex(place) not in chosen)
    return active_subset(active, items) + rest


class ParaSessionInfo(Pallet):
    """One `SessionInfo` per session, kept for the dispute period."""

    crate = "polkadot_runtime_parachains::session_info"

    assignment_keys_unsafe: StorageValue[tuple[AssignmentId, ...]] = storage_value(default=())
    """Assignment keys of all validators of the session that comes."""
    discovery_keys: StorageValue[tuple[AuthorityDiscoveryId, ...]] = storage_value(default=())
    """Discovery keys of all validators of the session that comes."""
    stash_keys: StorageValue[tuple[AccountId, ...]] = storage_value(default=())
    """Accounts of all validators of the session that comes."""
    earliest_stored_session: StorageValue[SessionIndex] = storage_value(default=0)
    """The oldest session that is kept."""
    sessions: StorageMap[SessionIndex, SessionInfo] = storage_map(Identity)
    """Info by session."""
    account_keys: StorageMap[SessionIndex, tuple[AccountId, ...]] = storage_map(Identity)
    """Accounts of the para validators by session."""
    session_executor_params: StorageMap[SessionIndex, tuple[ExecutorParam, ...]] = storage_map(Identity)
    """Parameters of validation code by session."""

    def note_keys(
        self,
        stashes: Sequence[AccountId],
        assignment: Sequence[AssignmentId],
        discovery: Sequence[AuthorityDiscoveryId],
    ) -> None:
        """Take the keys of all validators of the next session."""
        self.stash_keys.put(tuple(stashes))
        self.assignment_keys_unsafe.put(tuple(assignment))
        self.discovery_keys.put(tuple(discovery))

    def on_new_session(
        self,
        session: SessionIndex,
        *,
        config: HostConfiguration,
        random_seed: bytes,
        validators: tuple[ValidatorId, ...],
        groups: Groups,
    ) -> None:
        """Store the new session's info, and drop what no dispute can need."""
        active = self.pallet(Shared).active_validator_indices.get()
        self._prune(session, config.dispute_period)
        self.account_keys[session] = active_subset(active, self.stash_keys.get())
        self.session_executor_params[session] = config.executor_params
        self.sessions[session] = SessionInfo(
            active_validator_indices=active,
            random_seed=random_seed,
            dispute_period=config.dispute_period,
            validators=validators,
            discovery_keys=active_then_inactive(active, self.discovery_keys.get()),
            assignment_keys=active_subset(active, self.assignment_keys_unsafe.get()),
            validator_groups=groups,
            n_cores=len(groups),
            zeroth_delay_tranche_width=config.zeroth_delay_tranche_width,
            relay_vrf_modulo_samples=config.relay_vrf_modulo_samples,
            n_delay_tranches=config.n_delay_tranches,
            no_show_slots=config.no_show_slots,
            needed_approvals=config.needed_approvals,
        )

    def _prune(self, session: SessionIndex, dispute_period: int) -> None:
        oldest = self.earliest_stored_session.get()
        earliest = max(session - dispute_period, oldest)
        for old in map(SessionIndex, range(oldest, earliest)):
            del self.sessions[old]
            del self.account_keys[old]
            del self.session_executor_params[old]
        self.earliest_stored_session.put(SessionIndex(earliest))

    @runtime_api("ParachainHost_session_info", version=11)
    def session_info(self, index: SessionIndex) -> SessionInfo | None:
        """Info of a kept session."""
        return self.sessions.get(index)

    @runtime_api("ParachainHost_session_executor_params", version=11)
    def executor_params(self, index: SessionIndex) -> tuple[ExecutorParam, ...] | None:
        """Parameters of validation code in a kept session."""
        return self.session_executor_params.get(index)
