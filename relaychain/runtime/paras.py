"""Paras: heads, validation code and life cycle.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/paras/mod.rs`.

Paras are registered at genesis. A code upgrade takes upstream's delays, cooldown, signals and traces, but no vote of
the validators comes before it: new code counts as pre-checked at once, as upstream has it with code that it knows.
Past code is kept for good.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

from relaychain.primitives.configuration import HostConfiguration
from relaychain.primitives.consensus_log import ParaScheduleUpgradeCode, ParaUpgradeCode, digest_item
from relaychain.primitives.types import (
    HeadData,
    ParaId,
    SessionIndex,
    UpgradeGoAhead,
    UpgradeRestriction,
    ValidationCode,
    ValidationCodeHash,
    validation_code_hash,
)
from relaychain.runtime.configuration import Configuration
from substrate.pallets.system import System
from substrate.runtime.assembly import Runtime
from substrate.runtime.hashers import Identity, Twox64Concat
from substrate.runtime.origin import Root
from substrate.runtime.pallet import Event, Pallet, call, config, runtime_api
from substrate.runtime.storage import StorageMap, StorageValue, storage_map, storage_value
from substrate.scale.types import path, variant
from substrate.types import BlockNumber

_CRATE = "polkadot_runtime_parachains::paras"
MIN_CODE_SIZE = 9
"""Bytes; shorter code is never upgraded to."""
Waiting = tuple[tuple[ParaId, BlockNumber], ...]


@path(f"{_CRATE}::ParaLifecycle")
class ParaLifecycle(IntEnum):
    """Where a para stands."""

    Onboarding = 0
    Parathread = 1
    Parachain = 2
    UpgradingParathread = 3
    DowngradingParachain = 4
    OffboardingParathread = 5
    OffboardingParachain = 6


def upgrade_expected_at(
    config: HostConfiguration, *, included_at: BlockNumber, accepted_at: BlockNumber
) -> BlockNumber:
    """Block from which a para may switch to code that a candidate brought, and that was accepted later."""
    return BlockNumber(
        max(
            included_at + config.validation_upgrade_delay,
            accepted_at + config.minimum_validation_upgrade_delay,
        )
    )


def inserted(waiting: Waiting, para: ParaId, at: BlockNumber) -> Waiting:
    """A list by block with one more entry, after those of the same block."""
    return tuple(sorted((*waiting, (para, at)), key=lambda item: item[1]))


def split_due(waiting: Waiting, now: BlockNumber) -> tuple[tuple[ParaId, ...], Waiting]:
    """Paras whose block has come, and the rest of the list."""
    return tuple(para for para, at in waiting if at <= now), tuple(item for item in waiting if item[1] > now)


def _ignore(_runtime: Runtime, _para: ParaId, _head: HeadData) -> None:
    return None


class Paras(Pallet):
    """Genesis: `{"paras": {para id: {"head": bytes, "code": bytes}}}`."""

    crate = _CRATE

    parachains: StorageValue[tuple[ParaId, ...]] = storage_value(default=())
    """All parachains, ascending."""
    para_lifecycles: StorageMap[ParaId, ParaLifecycle] = storage_map(Twox64Concat)
    """Where each para stands."""
    heads: StorageMap[ParaId, HeadData] = storage_map(Twox64Concat)
    """Head of each para as of its last included candidate."""
    most_recent_context: StorageMap[ParaId, BlockNumber] = storage_map(Twox64Concat)
    """Relay parent number of each para's last included candidate."""
    current_code_hash: StorageMap[ParaId, ValidationCodeHash] = storage_map(Twox64Concat)
    """Code that candidates of each para run under."""
    future_code_upgrades: StorageMap[ParaId, BlockNumber] = storage_map(Twox64Concat)
    """Block from which each upgrading para may switch."""
    future_code_hash: StorageMap[ParaId, ValidationCodeHash] = storage_map(Twox64Concat)
    """Code that each upgrading para will switch to."""
    upgrade_go_ahead_signal: StorageMap[ParaId, UpgradeGoAhead] = storage_map(Twox64Concat)
    """Tells a para to switch, or that its upgrade was refused. Paras read it by state proof."""
    upgrade_restriction_signal: StorageMap[ParaId, UpgradeRestriction] = storage_map(Twox64Concat)
    """Tells a para that it may not upgrade now. Paras read it by state proof."""
    upgrade_cooldowns: StorageValue[Waiting] = storage_value(default=())
    """When each restriction ends."""
    upcoming_upgrades: StorageValue[Waiting] = storage_value(default=())
    """When each go-ahead is due."""
    code_by_hash: StorageMap[ValidationCodeHash, ValidationCode] = storage_map(Identity)
    """All code that is or was in use."""

    on_new_head: Callable[[Runtime, ParaId, HeadData], None] = config(_ignore)
    """Told of each head as it is included."""

    @variant(0, unnamed=True)
    class CurrentCodeUpdated(Event):
        """Current code has been updated for a para."""

        para_id: ParaId

    @variant(1, unnamed=True)
    class CurrentHeadUpdated(Event):
        """Current head has been updated for a para."""

        para_id: ParaId

    @variant(5, unnamed=True)
    class PvfCheckStarted(Event):
        """The given para either initiated or subscribed to a PVF check for the given validation code."""

        code_hash: ValidationCodeHash
        para_id: ParaId

    @variant(6, unnamed=True)
    class PvfCheckAccepted(Event):
        """The given validation code was accepted by the PVF pre-checking vote."""

        code_hash: ValidationCodeHash
        para_id: ParaId

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Register parachains."""
        paras: Mapping[ParaId, Mapping[str, bytes]] = config.get("paras", {})
        self.parachains.put(tuple(sorted(paras)))
        for para in sorted(paras):
            code = ValidationCode(paras[para]["code"])
            self.para_lifecycles[para] = ParaLifecycle.Parachain
            self.heads[para] = HeadData(paras[para]["head"])
            self.most_recent_context[para] = BlockNumber(0)
            self.current_code_hash[para] = validation_code_hash(code)
            self.code_by_hash[validation_code_hash(code)] = code

    # --- what other pallets ask ---

    def is_valid_para(self, para: ParaId) -> bool:
        """Whether a para is registered and past onboarding."""
        return self.para_lifecycles.get(para) not in (None, ParaLifecycle.Onboarding)

    def is_offboarding(self, para: ParaId) -> bool:
        """Whether a para is on its way out."""
        return self.para_lifecycles.get(para) in (
            ParaLifecycle.OffboardingParachain,
            ParaLifecycle.OffboardingParathread,
        )

    def can_upgrade_validation_code(self, para: ParaId) -> bool:
        """Whether a candidate may bring new code now."""
        return para not in self.future_code_hash and para not in self.upgrade_restriction_signal

    # --- transitions ---

    def initialize(self, now: BlockNumber) -> None:
        """Give the go-aheads that are due. Run by the initializer at the start of a block."""
        upgrading, upcoming = split_due(self.upcoming_upgrades.get(), now)
        for para in upgrading:
            self.upgrade_go_ahead_signal[para] = UpgradeGoAhead.GO_AHEAD
        if upgrading:
            self.upcoming_upgrades.put(upcoming)

    def finalize(self, now: BlockNumber) -> None:
        """Lift the restrictions that have ended. Run by the initializer at the end of a block."""
        cooled, cooling = split_due(self.upgrade_cooldowns.get(), now)
        for para in cooled:
            del self.upgrade_restriction_signal[para]
        if cooled:
            self.upgrade_cooldowns.put(cooling)

    def on_new_session(self, session: SessionIndex) -> tuple[ParaId, ...]:
        """Paras that leave with this session: none, while paras come from genesis only."""
        return ()

    def schedule_code_upgrade(self, para: ParaId, code: ValidationCode, included_at: BlockNumber) -> None:
        """Start the upgrade that an included candidate asks for; without effect while another one is under way."""
        config, code_hash = self.pallet(Configuration).active, validation_code_hash(code)
        if len(code) < MIN_CODE_SIZE or para in self.future_code_hash:
            return
        if code_hash == self.current_code_hash[para]:
            return
        self.code_by_hash[code_hash] = code
        self.future_code_hash[para] = code_hash
        self._restrict(para, included_at, config)
        self.deposit_event(self.PvfCheckStarted(code_hash, para))
        self.deposit_event(self.PvfCheckAccepted(code_hash, para))
        at = upgrade_expected_at(config, included_at=included_at, accepted_at=self.number)
        self.future_code_upgrades[para] = at
        self.upcoming_upgrades.put(inserted(self.upcoming_upgrades.get(), para, at))
        self.pallet(System).deposit_log(digest_item(ParaScheduleUpgradeCode(para, code_hash, at)))

    def _restrict(self, para: ParaId, included_at: BlockNumber, config: HostConfiguration) -> None:
        self.upgrade_restriction_signal[para] = UpgradeRestriction.PRESENT
        until = BlockNumber(included_at + config.validation_upgrade_cooldown)
        self.upgrade_cooldowns.put(inserted(self.upgrade_cooldowns.get(), para, until))

    def note_new_head(self, para: ParaId, head: HeadData, execution_context: BlockNumber) -> None:
        """Take the head of an included candidate; its first one at or after the go-ahead completes an upgrade."""
        self.heads[para] = head
        self.most_recent_context[para] = execution_context
        expected_at = self.future_code_upgrades.get(para)
        if expected_at is None:
            del self.upgrade_go_ahead_signal[para]
        elif expected_at <= execution_context:
            del self.future_code_upgrades[para]
            del self.upgrade_go_ahead_signal[para]
            new_code = self.future_code_hash.pop(para)
            if new_code is not None:
                self._set_current_code(para, new_code)
        self.on_new_head(self.runtime, para, head)

    def _set_current_code(self, para: ParaId, code_hash: ValidationCodeHash) -> None:
        self.current_code_hash[para] = code_hash
        self.pallet(System).deposit_log(digest_item(ParaUpgradeCode(para, code_hash)))

    @call(0)
    def force_set_current_code(self, origin: Root, para: ParaId, new_code: ValidationCode) -> None:
        """Replace a para's code at once."""
        code_hash = validation_code_hash(new_code)
        self.code_by_hash[code_hash] = new_code
        self._set_current_code(para, code_hash)
        self.deposit_event(self.CurrentCodeUpdated(para))

    @call(1)
    def force_set_current_head(self, origin: Root, para: ParaId, new_head: HeadData) -> None:
        """Replace a para's head at once."""
        self.heads[para] = new_head
        self.deposit_event(self.CurrentHeadUpdated(para))

    @runtime_api("ParachainHost_validation_code_by_hash", version=11)
    def validation_code_by_hash(self, code_hash: ValidationCodeHash) -> ValidationCode | None:
        """Code that is or was in use."""
        return self.code_by_hash.get(code_hash)

    @runtime_api("ParachainHost_para_ids", version=11)
    def para_ids(self) -> tuple[ParaId, ...]:
        """All parachains, ascending."""
        return self.parachains.get()
