"""System: accounts, the block being executed, its extrinsics and events.

Source: polkadot-sdk, `substrate/frame/system/src/lib.rs`.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, cast

from substrate.block import Digest, DigestItem, Header, RuntimeEnvironmentUpdated, extrinsics_root
from substrate.crypto.hashing import blake2_256
from substrate.errors import ChainError
from substrate.pallets import accounts
from substrate.pallets.accounts import AccountInfo, Life
from substrate.pallets.system_base import SystemBase
from substrate.pallets.system_types import (
    ApplyExtrinsic,
    CodeUpgradeAuthorization,
    ConsumedWeight,
    EventRecord,
    Finalization,
    Initialization,
    LastRuntimeUpgradeInfo,
)
from substrate.runtime.dispatch import DispatchClass, DispatchError, DispatchInfo, Pays, PostInfo
from substrate.runtime.origin import AnyOrigin, Root, Signed
from substrate.runtime.outer_enums import RuntimeEvent
from substrate.runtime.pallet import Event, Pallet, call, runtime_api
from substrate.scale.codec import Codec, codec_of, encode
from substrate.scale.types import Compact, Struct, u32, u64
from substrate.types import AccountId, BlockNumber, Hash, Nonce, Weight

CODE_KEY = b":code"
HEAP_PAGES_KEY = b":heappages"
EXTRINSIC_INDEX_KEY = b":extrinsic_index"
INTRABLOCK_ENTROPY_KEY = b":intrablock_entropy"
GENESIS_PARENT = Hash(b"\x45" * 32)
EVENTS_TAIL_KEY = b":events_tail"
EVENTS_BATCH = 64
_COUNT: Codec[int] = codec_of(Compact[u32])

REMARK = Weight(4_000_000, 0)
SET_HEAP_PAGES = Weight(180_000_000, 1_485)
SET_CODE = Weight(150_000_000_000, 67_035)
STORAGE_ITEM = Weight(750_000_000, 0)
AUTHORIZE = Weight(110_000_000, 67_035)


def _remark_weight(_pallet: Pallet, remark: bytes) -> Weight:
    return REMARK + Weight(400 * len(remark), 0)


def _items_weight(_pallet: Pallet, items: tuple[object, ...], *_rest: object) -> Weight:
    return REMARK + STORAGE_ITEM * len(items)


def _prefix_weight(_pallet: Pallet, _prefix: bytes, subkeys: int) -> Weight:
    return REMARK + STORAGE_ITEM * subkeys


class System(SystemBase):
    """The pallet that every other one stands on."""

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Write what block zero knows; takes no configuration."""
        super().genesis(config)
        self.block_hash[BlockNumber(0)] = GENESIS_PARENT
        self.parent_hash.put(GENESIS_PARENT)
        self.note_runtime_upgrade()
        self.upgraded_to_u32_ref_count.put(True)
        self.upgraded_to_triple_ref_count.put(True)
        self.state.put(EXTRINSIC_INDEX_KEY, encode(u32, 0))

    # --- calls ---

    @call(0, weight=_remark_weight)
    def remark(self, origin: AnyOrigin, remark: bytes) -> None:
        """Make some on-chain remark."""

    @call(1, weight=SET_HEAP_PAGES, operational=True)
    def set_heap_pages(self, origin: Root, pages: u64) -> None:
        """Set the number of pages in the WebAssembly environment's heap; a Python runtime has none."""
        self.state.put(HEAP_PAGES_KEY, encode(u64, pages))
        self.deposit_log(RuntimeEnvironmentUpdated())

    @call(2, weight=SET_CODE, operational=True)
    def set_code(self, origin: Root, code: bytes) -> PostInfo:
        """Set the new runtime code, if its version follows the present one."""
        self.check_version(code)
        self._set_code(code)
        return PostInfo(SET_CODE)

    @call(3, weight=SET_CODE, operational=True)
    def set_code_without_checks(self, origin: Root, code: bytes) -> PostInfo:
        """Set the new runtime code without checking its version."""
        self._set_code(code)
        return PostInfo(SET_CODE)

    @call(4, weight=_items_weight, operational=True)
    def set_storage(self, origin: Root, items: tuple[tuple[bytes, bytes], ...]) -> None:
        """Set some items of storage."""
        for key, value in items:
            self.state.put(key, value)

    @call(5, weight=_items_weight, operational=True)
    def kill_storage(self, origin: Root, keys: tuple[bytes, ...]) -> None:
        """Kill some items from storage."""
        for key in keys:
            self.state.delete(key)

    @call(6, weight=_prefix_weight, operational=True)
    def kill_prefix(self, origin: Root, prefix: bytes, subkeys: u32) -> None:
        """Kill all storage items with a key that starts with the given prefix."""
        self.state.clear_prefix(prefix, subkeys)

    @call(7, weight=_remark_weight)
    def remark_with_event(self, origin: Signed, remark: bytes) -> None:
        """Make some on-chain remark and emit an event."""
        self._emit(self.Remarked(sender=origin, hash_=Hash(blake2_256(remark))))

    @call(9, weight=AUTHORIZE, operational=True)
    def authorize_upgrade(self, origin: Root, code_hash: Hash) -> None:
        """Authorize an upgrade to a given code hash for the runtime."""
        self._authorize(code_hash, check_version=True)

    @call(10, weight=AUTHORIZE, operational=True)
    def authorize_upgrade_without_checks(self, origin: Root, code_hash: Hash) -> None:
        """Authorize an upgrade whose version will not be checked."""
        self._authorize(code_hash, check_version=False)

    @call(11, weight=SET_CODE, operational=True)
    def apply_authorized_upgrade(self, origin: AnyOrigin, code: bytes) -> PostInfo:
        """Put authorized code into place; anyone may."""
        authorized = self.authorized_upgrade.get()
        if authorized is None:
            raise self.NothingAuthorized
        if authorized.code_hash != blake2_256(code):
            raise self.Unauthorized
        if authorized.check_version:
            self.check_version(code)
        self._set_code(code)
        self.authorized_upgrade.kill()
        return PostInfo(SET_CODE, Pays.No)

    # --- the block ---

    def initialize(self, number: BlockNumber, parent_hash: Hash, digest: Digest) -> None:
        """Start a block."""
        self.event_records.kill()
        self.event_count.kill()
        self.execution_phase.put(Initialization())
        self.state.put(EXTRINSIC_INDEX_KEY, encode(u32, 0))
        self.state.put(INTRABLOCK_ENTROPY_KEY, blake2_256(b"frame_system::initialize" + parent_hash))
        self.block_number.put(number)
        self.digest.put(digest)
        self.parent_hash.put(parent_hash)
        self.block_hash[BlockNumber(number - 1)] = parent_hash
        self.block_weight.put(ConsumedWeight(mandatory=self.limits.base_block))

    def note_finished_initialize(self) -> None:
        """End the hooks before the extrinsics."""
        self.execution_phase.put(ApplyExtrinsic(0))

    def note_extrinsic(self, raw: bytes) -> None:
        """Keep an extrinsic (its bytes without length prefix) for the extrinsics root."""
        index = self.extrinsic_index()
        self.extrinsic_data[index] = raw
        self.execution_phase.put(ApplyExtrinsic(index))

    def note_applied_extrinsic(self, outcome_ok: bool, error: DispatchError | None, info: DispatchInfo) -> None:
        """Emit how an extrinsic ended.

        Args:
            outcome_ok: Whether its call succeeded.
            error: Why not.
            info: The actual weight, without the base weight of its class.
        """
        weight = info.weight + self.limits.per_class.of(info.class_).base_extrinsic
        told = DispatchInfo(weight, info.class_, info.pays_fee)
        if outcome_ok:
            self._emit(self.ExtrinsicSuccess(dispatch_info=told))
        else:
            assert error is not None, "a failed extrinsic has an error"
            self._emit(self.ExtrinsicFailed(dispatch_error=error, dispatch_info=told))
        index = self.extrinsic_index() + 1
        self.state.put(EXTRINSIC_INDEX_KEY, encode(u32, index))
        self.execution_phase.put(ApplyExtrinsic(index))

    def note_finished_extrinsics(self) -> None:
        """End the extrinsics of a block."""
        self.extrinsic_count.put(self.extrinsic_index())
        self.state.delete(EXTRINSIC_INDEX_KEY)
        self.execution_phase.put(Finalization())

    def finalize(self) -> Header:
        """End the block and compute its header."""
        self._join_events()
        self.execution_phase.kill()
        self.all_extrinsics_len.kill()
        self.state.delete(INTRABLOCK_ENTROPY_KEY)
        number = self.block_number.get()
        count = self.extrinsic_count.take() or 0
        extrinsics = tuple(self.extrinsic_data[index] for index in range(count))
        for index in range(count):
            del self.extrinsic_data[index]
        stale = number - self.block_hash_count - 1
        if stale > 0:
            del self.block_hash[BlockNumber(stale)]
        digest = self.digest.get()
        parent = self.parent_hash.get()
        return Header(parent, number, Hash(self.state.root()), extrinsics_root(extrinsics), digest)

    def extrinsic_index(self) -> int:
        """Index of the extrinsic that runs, or will run next."""
        raw = self.state.get(EXTRINSIC_INDEX_KEY)
        return 0 if raw is None else int.from_bytes(raw, "little")

    def register_extra_weight(self, weight: Weight, class_: DispatchClass) -> None:
        """Count weight that no extrinsic paid for; the block may then be over its limit."""
        self.block_weight.put(self.block_weight.get().plus(weight, class_))

    def deposit_log(self, item: DigestItem) -> None:
        """Add an item to the block's digest."""
        self.digest.put(Digest((*self.digest.get().logs, item)))

    def note_runtime_upgrade(self) -> None:
        """Remember the version that runs now."""
        version = self.version
        self.last_runtime_upgrade.put(LastRuntimeUpgradeInfo(version.spec_version, version.spec_name))

    def unique(self, entropy: bytes) -> bytes:
        """32 bytes that no other call, in this block or another, gets."""
        last = self.state.get(INTRABLOCK_ENTROPY_KEY) or bytes(32)
        following = blake2_256(b"frame_system::unique" + entropy + last)
        self.state.put(INTRABLOCK_ENTROPY_KEY, following)
        return following

    # --- events ---

    def deposit_event(self, event: Struct) -> None:
        """Append a runtime event with the phase it happens in; genesis has no events.

        New events gather as bytes in a tail and join the list in batches: extending the list for each of them would
        cost the square of its length. `block_events` sees both, `finalize` empties the tail.
        """
        if self.block_number.get() == 0:
            return
        record = EventRecord(self.execution_phase.get() or Initialization(), cast("RuntimeEvent", event))
        count = self.event_count.get() + 1
        self.event_count.put(count)
        self.state.put(EVENTS_TAIL_KEY, (self.state.get(EVENTS_TAIL_KEY) or b"") + self._record_codec.encode(record))
        if count % EVENTS_BATCH == 0:
            self._join_events()

    def _join_events(self) -> None:
        tail = self.state.get(EVENTS_TAIL_KEY)
        if not tail:
            return
        listed = self.state.get(self._events_key) or b"\0"
        _, start = _COUNT.decode_from(listed, 0)
        self.state.put(self._events_key, _COUNT.encode(self.event_count.get()) + listed[start:] + tail)
        self.state.delete(EVENTS_TAIL_KEY)

    @cached_property
    def _events_key(self) -> bytes:
        return self.storage_entry("event_records").prefix

    @cached_property
    def _record_codec(self) -> Codec[EventRecord]:
        return self.runtime.assembly().codecs.of(EventRecord)

    def block_events(self) -> tuple[EventRecord, ...]:
        """The events of the block so far."""
        tail = self.state.get(EVENTS_TAIL_KEY) or b""
        records, offset = list(self.event_records.get()), 0
        while offset < len(tail):
            record, offset = self._record_codec.decode_from(tail, offset)
            records.append(record)
        return tuple(records)

    def _emit(self, event: Event) -> None:
        self.runtime.deposit(self.mount_name, event)

    # --- accounts ---

    @runtime_api("AccountNonceApi_account_nonce")
    def account_nonce(self, who: AccountId) -> Nonce:
        """How many transactions the account has signed."""
        return self.account[who].nonce

    def inc_account_nonce(self, who: AccountId) -> None:
        """Count a transaction of the account."""
        info = self.account[who]
        self.account[who] = AccountInfo(
            Nonce(info.nonce + 1), info.consumers, info.providers, info.sufficients, info.data
        )

    def account_exists(self, who: AccountId) -> bool:
        """Whether anything keeps the account alive."""
        return self.account[who].exists

    def can_dec_provider(self, who: AccountId) -> bool:
        """Whether the account can lose a provider."""
        return self.account[who].can_dec_provider

    def can_inc_consumer(self, who: AccountId) -> bool:
        """Whether the account can take another consumer."""
        info = self.account[who]
        return info.providers > 0 and info.consumers < self.max_consumers

    def inc_providers(self, who: AccountId) -> None:
        """Add a provider."""
        before = self.account[who]
        self.put_account(who, before, accounts.inc_providers(before))

    def dec_providers(self, who: AccountId) -> None:
        """Remove a provider; raises `DispatchFailure` where consumers remain."""
        before = self.account[who]
        self.put_account(who, before, accounts.dec_providers(before))

    def inc_sufficients(self, who: AccountId) -> None:
        """Add a self-sufficient reference."""
        before = self.account[who]
        self.put_account(who, before, accounts.inc_sufficients(before))

    def dec_sufficients(self, who: AccountId) -> None:
        """Remove a self-sufficient reference."""
        before = self.account[who]
        self.put_account(who, before, accounts.dec_sufficients(before))

    def inc_consumers(self, who: AccountId) -> None:
        """Add a consumer; raises `DispatchFailure` where there is no provider or there are too many."""
        self.account[who] = accounts.inc_consumers(self.account[who], self.max_consumers)

    def dec_consumers(self, who: AccountId) -> None:
        """Remove a consumer."""
        self.account[who] = accounts.dec_consumers(self.account[who])

    def put_account(self, who: AccountId, before: AccountInfo, after: AccountInfo | None) -> None:
        """Store a changed account, or remove it, and tell of its birth or death."""
        if after is not None and after.exists:
            self.account[who] = after
        else:
            del self.account[who]
        match accounts.life(before, after):
            case Life.CREATED:
                self._emit(self.NewAccount(account=who))
            case Life.KILLED:
                self._emit(self.KilledAccount(account=who))
            case Life.SAME:
                pass

    # --- code ---

    def check_version(self, code: bytes) -> None:
        """Raise unless new code is a later version of this runtime, as far as `read_version` can tell."""
        if self.read_version is None:
            return
        try:
            new = self.read_version(self, code)
        except ChainError as failure:
            raise self.FailedToExtractRuntimeVersion(str(failure)) from failure
        if new is None:
            raise self.FailedToExtractRuntimeVersion
        if new.spec_name != self.version.spec_name:
            raise self.InvalidSpecName
        if new.spec_version <= self.version.spec_version:
            raise self.SpecVersionNeedsToIncrease

    def update_code_in_storage(self, code: bytes) -> None:
        """Put code into place; it runs from the next block on."""
        self.state.put(CODE_KEY, code)
        self.deposit_log(RuntimeEnvironmentUpdated())
        self._emit(self.CodeUpdated())

    def _set_code(self, code: bytes) -> None:
        if self.on_set_code is None:
            self.update_code_in_storage(code)
        else:
            self.on_set_code(self, code)

    def _authorize(self, code_hash: Hash, *, check_version: bool) -> None:
        self.authorized_upgrade.put(CodeUpgradeAuthorization(code_hash, check_version))
        self._emit(self.UpgradeAuthorized(code_hash=code_hash, check_version=check_version))
