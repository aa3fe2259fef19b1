"""Shared: the session, its validators, and the relay parents that candidates may build on.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/shared.rs`.
"""

from collections.abc import Callable, Mapping, Sequence

from relaychain.primitives.candidate import TransposedClaimQueue
from relaychain.primitives.configuration import HostConfiguration
from relaychain.primitives.types import CoreIndex, ParaId, SessionIndex, ValidatorId, ValidatorIndex
from relaychain.runtime.shuffle import shuffled
from substrate.runtime.assembly import Runtime
from substrate.runtime.pallet import Pallet, config, runtime_api
from substrate.runtime.storage import StorageValue, storage_value
from substrate.scale.types import Struct, path, u32
from substrate.types import BlockNumber, Hash

SESSION_DELAY = 2
"""Sessions between a change of configuration or life cycle and its effect."""


@path("polkadot_runtime_parachains::shared::RelayParentInfo")
class RelayParentInfo(Struct):
    """A relay parent that candidates may still build on."""

    relay_parent: Hash
    state_root: Hash
    claim_queue: TransposedClaimQueue
    """As it stood after that block."""


@path("polkadot_runtime_parachains::shared::AllowedRelayParentsTracker")
class AllowedRelayParents(Struct):
    """The last relay parents, oldest first. Immutable: `updated` gives the next one."""

    buffer: tuple[RelayParentInfo, ...] = ()
    latest_number: BlockNumber = BlockNumber(0)

    def updated(self, info: RelayParentInfo, *, number: BlockNumber, length: int) -> "AllowedRelayParents":
        """With one more parent, and at most `length` of them."""
        return AllowedRelayParents((*self.buffer, info)[-max(length, 1) :], number)

    def acquire(
        self, relay_parent: Hash, previous: BlockNumber | None = None
    ) -> tuple[RelayParentInfo, BlockNumber] | None:
        """A relay parent and its number; None if it is not allowed, or older than the `previous` context."""
        for age, info in enumerate(reversed(self.buffer)):
            if info.relay_parent == relay_parent:
                number = BlockNumber(self.latest_number - age)
                return None if previous is not None and number < previous else (info, number)
        return None


def transposed(claim_queue: Mapping[CoreIndex, Sequence[ParaId]]) -> TransposedClaimQueue:
    """A claim queue by para and depth, each with its cores ascending."""
    cores: dict[ParaId, dict[int, list[CoreIndex]]] = {}
    for core in sorted(claim_queue):
        for depth, para in enumerate(claim_queue[core]):
            cores.setdefault(para, {}).setdefault(depth, []).append(core)
    return {para: {depth: tuple(cores[para][depth]) for depth in sorted(cores[para])} for para in sorted(cores)}


def active_validator_indices(
    all_validators: int, *, random_seed: bytes, max_validators: int | None
) -> tuple[ValidatorIndex, ...]:
    """A session's para validators: all of them shuffled, cut to the maximum."""
    order = shuffled(random_seed, [ValidatorIndex(place) for place in range(all_validators)])
    return tuple(order if max_validators is None else order[:max_validators])


def _nobody(_runtime: Runtime) -> Sequence[int]:
    return ()


class Shared(Pallet):
    """What several parachain pallets need."""

    crate = "polkadot_runtime_parachains::shared"

    current_session_index: StorageValue[SessionIndex] = storage_value(default=0)
    """The current session, as the parachain pallets know it."""
    active_validator_indices: StorageValue[tuple[ValidatorIndex, ...]] = storage_value(default=())
    """Places of the para validators among all validators."""
    active_validator_keys: StorageValue[tuple[ValidatorId, ...]] = storage_value(default=())
    """Their keys, in the same order: a `ValidatorIndex` is a place here."""
    allowed_relay_parents: StorageValue[AllowedRelayParents] = storage_value(default=AllowedRelayParents())
    """Cleared when a session starts."""

    disabled_source: Callable[[Runtime], Sequence[int]] = config(_nobody)
    """Places of disabled validators among all validators; from the session pallet where there is one."""

    def on_new_session(
        self,
        session: SessionIndex,
        random_seed: bytes,
        new_config: HostConfiguration,
        all_validators: Sequence[ValidatorId],
    ) -> tuple[ValidatorId, ...]:
        """Choose the session's para validators; returns their keys."""
        self.allowed_relay_parents.put(AllowedRelayParents())
        self.current_session_index.put(session)
        places = active_validator_indices(
            len(all_validators), random_seed=random_seed, max_validators=new_config.max_validators
        )
        keys = tuple(all_validators[place] for place in places)
        self.active_validator_indices.put(places)
        self.active_validator_keys.put(keys)
        return keys

    @runtime_api("ParachainHost_session_index_for_child", version=11)
    def session_index_for_child(self) -> SessionIndex:
        """Session of the next block: changes apply at the end of a block, so it is the stored one."""
        return self.current_session_index.get()

    @runtime_api("ParachainHost_validators", version=11)
    def validators(self) -> tuple[ValidatorId, ...]:
        """Para validators of the session."""
        return self.active_validator_keys.get()

    @runtime_api("ParachainHost_disabled_validators", version=11)
    def disabled_validators(self) -> tuple[ValidatorIndex, ...]:
        """Para validators that are disabled, ascending."""
        disabled = frozenset(self.disabled_source(self.runtime))
        places: Sequence[u32] = self.active_validator_indices.get()
        return tuple(ValidatorIndex(index) for index, place in enumerate(places) if place in disabled)
