"""Session: validators, their keys, and the rotation of both.

Keys set in session N are queued at its end, and in force from N + 2 on.

Source: polkadot-sdk, `substrate/frame/session/src/lib.rs`.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias, cast

from substrate.errors import DecodeError
from substrate.pallets.generic import GenericPallet, Parameter
from substrate.pallets.session_types import (
    KeyTypeId,
    OffenceSeverity,
    OpaqueKeys,
    SessionHandler,
    SessionKeys,
    SessionManager,
)
from substrate.pallets.system import System
from substrate.runtime.assembly import Runtime
from substrate.runtime.hashers import Twox64Concat
from substrate.runtime.origin import Signed
from substrate.runtime.pallet import Error, Event, Pallet, call, config, runtime_api
from substrate.runtime.storage import StorageMap, StorageValue, storage_map, storage_value
from substrate.scale.types import u32
from substrate.types import AccountId, BlockNumber, Weight

SET_KEYS = Weight(55_000_000, 13_000)
PURGE_KEYS = Weight(40_000_000, 4_000)
ROTATE = Weight(500_000_000, 0)

Keys: TypeAlias = Annotated[Any, Parameter("Keys")]
"""The runtime's session keys, an `OpaqueKeys`."""
Keyed: TypeAlias = tuple[tuple[AccountId, Keys], ...]


def periodic(period: int, offset: int = 0) -> Callable[[Runtime, BlockNumber], bool]:
    """Sessions of `period` blocks, the first of `offset`."""
    return lambda _runtime, number: number >= offset and (number - offset) % period == 0


class Session(GenericPallet):
    """Sessions over key type `Keys`; see `RelaySession` for the relay chain's."""

    validators: StorageValue[tuple[AccountId, ...]] = storage_value(default=())
    current_index: StorageValue[u32] = storage_value(default=0)
    queued_changed: StorageValue[bool] = storage_value(default=False)
    queued_keys: StorageValue[Keyed] = storage_value(default=())
    disabled_validators: StorageValue[tuple[tuple[u32, OffenceSeverity], ...]] = storage_value(default=())
    """Places in `validators`, ascending, and why."""
    next_keys: StorageMap[AccountId, Keys] = storage_map(Twox64Concat)
    key_owner: StorageMap[tuple[KeyTypeId, bytes], AccountId] = storage_map(Twox64Concat)

    should_end_session: Callable[[Runtime, BlockNumber], bool] = config()
    """Asked at the start of each block; `babe.epoch_has_ended` or `periodic(n)`."""
    handlers: tuple[type[SessionHandler], ...] = config(())
    """Told of sessions, in this order."""
    manager: type[Pallet] | None = config(None)
    """A `SessionManager`; without one the set stays as it is."""

    class NewSession(Event):
        """New session has happened. Note that the argument is the session index, not the block number."""

        session_index: u32

    class NewQueued(Event):
        """The validators of the next session have been queued."""

    class ValidatorDisabled(Event):
        """Validator has been disabled."""

        validator: AccountId

    class ValidatorReenabled(Event):
        """Validator has been re-enabled."""

        validator: AccountId

    class InvalidProof(Error):
        """Invalid ownership proof."""

    class NoAssociatedValidatorId(Error):
        """No associated validator ID for account."""

    class DuplicatedKey(Error):
        """Registered duplicate key."""

    class NoKeys(Error):
        """No keys are associated with this account."""

    class NoAccount(Error):
        """Key setting account is not live, so it's impossible to associate keys."""

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Takes `keys`: (account, keys) of each validator, and `non_authority_keys`: those of others."""
        known = ("keys", "non_authority_keys")
        super().genesis({name: value for name, value in config.items() if name not in known})
        keyed: Keyed = tuple(config.get("keys", ()))
        for who, keys in (*keyed, *config.get("non_authority_keys", ())):
            self._bind(who, keys)
            system = self.pallet(System)
            if not system.can_inc_consumer(who):
                system.inc_providers(who)
            system.inc_consumers(who)
        default = tuple(who for who, _ in keyed)
        first, second = (self._choose(index, is_genesis=True) or default for index in (0, 1))
        queued = self._with_keys(second)
        for handler in self._handlers():
            handler.on_genesis_session(queued)
        self.validators.put(first)
        self.queued_keys.put(queued)
        if (manager := self._manager()) is not None:
            manager.start_session(0)

    # --- rotation

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Rotate when the session is over."""
        if not self.should_end_session(self.runtime, number):
            return Weight.ZERO
        self.rotate_session()
        return ROTATE

    def rotate_session(self) -> None:
        """End the session, start the next, queue the one after."""
        index, changed = self.current_index.get(), self.queued_changed.get()
        manager = self._manager()
        for handler in self._handlers():
            handler.on_before_session_ending()
        if manager is not None:
            manager.end_session(index)
        session_keys = self.queued_keys.get()
        self.validators.put(tuple(who for who, _ in session_keys))
        if changed:
            self.disabled_validators.kill()
        index += 1
        self.current_index.put(index)
        if manager is not None:
            manager.start_session(index)
        chosen = self._choose(index + 1, is_genesis=False)
        queued = self._with_keys(self.validators.get() if chosen is None else chosen)
        self.queued_keys.put(queued)
        # Even the same validators with the same keys count as a change: their stakes may differ.
        self.queued_changed.put(chosen is not None or queued != session_keys)
        self.deposit_event(self.NewQueued())
        self.deposit_event(self.NewSession(session_index=index))
        for handler in self._handlers():
            handler.on_new_session(changed=changed, validators=session_keys, queued=queued)

    # --- keys

    @call(0, weight=SET_KEYS)
    def set_keys(self, origin: Signed, keys: Keys, proof: bytes) -> None:
        """Set the session keys of the sender, in force two sessions on. The proof is not looked at, as upstream."""
        system = self.pallet(System)
        if not system.can_inc_consumer(origin):
            raise self.NoAccount
        if self._bind(origin, keys) is None:
            system.inc_consumers(origin)

    @call(1, weight=PURGE_KEYS)
    def purge_keys(self, origin: Signed) -> None:
        """Remove the session keys of the sender; in force two sessions on."""
        old = cast("OpaqueKeys | None", self.next_keys.pop(origin))
        if old is None:
            raise self.NoKeys
        for owned in old.raw():
            del self.key_owner[owned]
        self.pallet(System).dec_consumers(origin)

    def _bind(self, who: AccountId, keys: OpaqueKeys) -> OpaqueKeys | None:
        """Register keys; returns the old ones."""
        if any(self.key_owner.get(owned) not in (None, who) for owned in keys.raw()):
            raise self.DuplicatedKey
        old = cast("OpaqueKeys | None", self.next_keys.get(who))
        for owned in () if old is None else old.raw():
            del self.key_owner[owned]
        for owned in keys.raw():
            self.key_owner[owned] = who
        self.next_keys[who] = keys
        return old

    # --- disabling

    def is_disabled(self, index: int) -> bool:
        """Whether the validator at this place is disabled."""
        return any(place == index for place, _ in self.disabled_validators.get())

    def disable(self, index: int, severity: OffenceSeverity) -> bool:
        """Disable the validator at this place, or raise its severity; returns whether it was enabled."""
        before = dict(self.disabled_validators.get())
        was_enabled = index not in before
        after = before | {index: OffenceSeverity(max(severity, before.get(index, 0)))}
        self.disabled_validators.put(tuple(sorted(after.items())))
        if was_enabled:
            self.deposit_event(self.ValidatorDisabled(validator=self.validators.get()[index]))
            for handler in self._handlers():
                handler.on_disabled(index)
        return was_enabled

    def enable(self, index: int) -> bool:
        """Re-enable the validator at this place; returns whether it was disabled."""
        before = self.disabled_validators.get()
        after = tuple(entry for entry in before if entry[0] != index)
        if len(after) == len(before):
            return False
        self.disabled_validators.put(after)
        self.deposit_event(self.ValidatorReenabled(validator=self.validators.get()[index]))
        return True

    # --- whom it asks and tells

    def _handlers(self) -> tuple[SessionHandler, ...]:
        return tuple(self.pallet(kind) for kind in self.handlers)

    def _manager(self) -> SessionManager | None:
        return None if self.manager is None else cast("SessionManager", self.pallet(self.manager))

    def _choose(self, index: int, *, is_genesis: bool) -> tuple[AccountId, ...] | None:
        manager = self._manager()
        return None if manager is None else manager.new_session(index, is_genesis=is_genesis)

    def _with_keys(self, validators: tuple[AccountId, ...]) -> Keyed:
        keyed = ((who, self.next_keys.get(who)) for who in validators)
        return tuple((who, keys) for who, keys in keyed if keys is not None)


class RelaySession(Session, parameters={"Keys": SessionKeys}):
    """Sessions of the relay chain."""

    @runtime_api("SessionKeys_decode_session_keys")
    def decode_session_keys(self, encoded: bytes) -> tuple[tuple[bytes, KeyTypeId], ...] | None:
        """Each public key in encoded session keys with its type, None if they do not decode."""
        try:
            keys = SessionKeys.decode(encoded)
        except DecodeError:
            return None
        return tuple((key, kind) for kind, key in keys.raw())
