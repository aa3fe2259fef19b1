"""Aura: collators take turns by slot. A para's slot is two of the relay chain's, its time that of its relay parent.

Source: polkadot-sdk, `substrate/frame/aura/src/lib.rs`, `cumulus/pallets/aura-ext/src/{lib,consensus_hook}.rs`.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

from parachains.sdk.relay_state_snapshot import RelayChainStateProof
from substrate.block import Header, PreRuntime, without_seal
from substrate.consensus.aura.types import ENGINE_ID, AuthorityId
from substrate.consensus.aura.verification import check_header, header_slot
from substrate.errors import RuleError
from substrate.pallets.system import System
from substrate.runtime.pallet import Pallet, constant, runtime_api
from substrate.runtime.storage import StorageValue, storage_value
from substrate.scale.codec import decode
from substrate.scale.types import MaxLen, u32, u64
from substrate.types import BlockNumber, Moment, Slot, Weight

MAX_AUTHORITIES = 100_000
RELAY_SLOTS = 2
"""Relay slots in a para's slot: upstream's 12 s, what a block takes to its inclusion. So collators alternate."""


class SlotReason(StrEnum):
    """Why a block's slot is refused."""

    SLOT_DECREASES = "SlotDecreases"
    RELAY_SLOT = "SlotIsNotTheRelayParents"
    TIMESTAMP = "TimestampIsNotTheRelayParents"
    NO_SLOT = "NoSlot"


class SlotError(RuleError):
    """A block broke a rule of slots."""


def para_slot(relay: Slot) -> Slot:
    """The para's slot at a relay slot."""
    return Slot(relay // RELAY_SLOTS)


def check_seal(header: Header, authorities: Sequence[AuthorityId]) -> Header:
    """The header without its seal, which must be that of the slot's author; no authorities, no seal.

    Raises:
        AuraError: `NO_DIGEST_FOUND`, `HEADER_UNSEALED`, `BAD_SIGNATURE` and the like.
    """
    if not authorities:
        return header
    check_header(header, authorities, slot_now=header_slot(header))
    return without_seal(header)[0]


class Aura(Pallet):
    """Authorities and the current slot."""

    authorities: StorageValue[Annotated[tuple[AuthorityId, ...], MaxLen(MAX_AUTHORITIES)]] = storage_value(default=())
    current_slot: StorageValue[Slot] = storage_value(default=Slot(0))
    relay_slot: StorageValue[Slot] = storage_value(default=Slot(0))
    """The relay parent's; upstream's `RelaySlotInfo`."""
    relay_slot_length: StorageValue[Moment] = storage_value(default=Moment(6_000))
    """Milliseconds; upstream has a constant, here it is the network's and set at genesis."""

    max_authorities: u32 = constant(MAX_AUTHORITIES)

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Takes `{"authorities": [public key], "slot_duration_ms": 6000}`; the duration is a relay slot's."""
        known = ("authorities", "slot_duration_ms")
        super().genesis({name: value for name, value in config.items() if name not in known})
        self.authorities.put(tuple(AuthorityId(key) for key in config.get("authorities", ())))
        self.relay_slot_length.put(Moment(config.get("slot_duration_ms", 6_000)))

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Read the slot; several blocks may share one, since several may share a relay parent."""
        logs = self.pallet(System).digest.get().logs
        slot = next((log for log in logs if isinstance(log, PreRuntime) and log.engine == ENGINE_ID), None)
        if slot is None:
            raise SlotError(SlotReason.NO_SLOT)
        claimed, current = Slot(decode(u64, slot.data)), self.current_slot.get()
        if claimed < current:
            raise SlotError(SlotReason.SLOT_DECREASES, claimed=claimed, current=current)
        self.current_slot.put(claimed)
        return Weight(60_000_000, 4_096)

    @runtime_api("AuraApi_slot_duration")
    def slot_duration(self) -> u64:
        """Milliseconds of a slot."""
        return RELAY_SLOTS * self.relay_slot_length.get()

    def moment(self, relay: Slot) -> Moment:
        """The time of a block on a relay parent of that slot."""
        return Moment(relay * self.relay_slot_length.get())

    @runtime_api("AuraApi_authorities")
    def current_authorities(self) -> tuple[AuthorityId, ...]:
        """Who may author, in turn."""
        return self.authorities.get()


def check_relay_slot(system: Pallet, proof: RelayChainStateProof) -> None:
    """The consensus hook: the block's slot is the one that its relay parent is in.

    Raises:
        SlotError: `RELAY_SLOT`.
    """
    aura, relay = system.pallet(Aura), proof.read_slot()
    if aura.current_slot.get() != para_slot(relay):
        raise SlotError(SlotReason.RELAY_SLOT, claimed=aura.current_slot.get(), relay=relay)
    aura.relay_slot.put(relay)


def check_timestamp(timestamp: Pallet, now: Moment) -> None:
    """The block's time is its relay parent's, which `check_relay_slot` has seen; upstream compares slots only.

    Raises:
        SlotError: `TIMESTAMP`.
    """
    aura = timestamp.pallet(Aura)
    relay = aura.relay_slot.get()
    if now != aura.moment(relay):
        raise SlotError(SlotReason.TIMESTAMP, now=now, relay=relay)
