"""The relay chain's state as a para may read it: each value by proof against the relay parent's storage root.

Source: polkadot-sdk, `cumulus/pallets/parachain-system/src/relay_state_snapshot.rs`.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from relaychain.primitives import well_known_keys as keys
from relaychain.primitives.configuration import AbridgedHostConfiguration
from relaychain.primitives.messages import AbridgedHrmpChannel, HrmpChannelId
from relaychain.primitives.types import HeadData, ParaId, UpgradeGoAhead, UpgradeRestriction
from substrate.errors import ChainError, DecodeError, RuleError
from substrate.scale.codec import codec_of
from substrate.scale.types import Struct, path, u32
from substrate.trie.proofs import trie_from_proof
from substrate.types import Hash, Slot

SNAPSHOT = "cumulus_pallet_parachain_system::relay_state_snapshot"


class ProofReason(StrEnum):
    """Why a read of relay state fails."""

    READ = "ReadEntryErr"
    DECODE = "DecodeErr"
    ABSENT = "Absent"


class ProofError(RuleError):
    """The relay proof does not show what is asked of it."""


@path(f"{SNAPSHOT}::RelayDispatchQueueRemainingCapacity")
class RelayDispatchQueueRemainingCapacity(Struct):
    """What the relay's queue of our upward messages still takes."""

    remaining_count: u32
    remaining_size: u32


@path(f"{SNAPSHOT}::MessagingStateSnapshot")
class MessagingStateSnapshot(Struct):
    """All that messaging needs of the relay's state. Channels are in order of the other para."""

    dmq_mqc_head: Hash
    relay_dispatch_queue_remaining_capacity: RelayDispatchQueueRemainingCapacity
    ingress_channels: tuple[tuple[ParaId, AbridgedHrmpChannel], ...]
    egress_channels: tuple[tuple[ParaId, AbridgedHrmpChannel], ...]

    def egress(self, recipient: ParaId) -> AbridgedHrmpChannel | None:
        """The channel to a para, if there is one."""
        return dict(self.egress_channels).get(recipient)


def para_keys(para: ParaId) -> tuple[bytes, ...]:
    """What every block's proof shows, channels aside."""
    return (
        keys.CURRENT_BLOCK_RANDOMNESS,
        keys.ONE_EPOCH_AGO_RANDOMNESS,
        keys.TWO_EPOCHS_AGO_RANDOMNESS,
        keys.CURRENT_SLOT,
        keys.ACTIVE_CONFIG,
        keys.dmq_mqc_head(para),
        keys.relay_dispatch_queue_remaining_capacity(para),
        keys.hrmp_ingress_channel_index(para),
        keys.hrmp_egress_channel_index(para),
        keys.upgrade_go_ahead_signal(para),
        keys.upgrade_restriction_signal(para),
        keys.para_head(para),
    )


def channel_keys(para: ParaId, *, senders: Iterable[ParaId], recipients: Iterable[ParaId]) -> tuple[bytes, ...]:
    """What a proof shows of a para's channels."""
    channels = [HrmpChannelId(sender, para) for sender in senders]
    channels += [HrmpChannelId(para, recipient) for recipient in recipients]
    return tuple(keys.hrmp_channels(channel) for channel in channels)


class RelayChainStateProof:
    """Reads of relay state; a value outside the proof is an error, a proven absence is not."""

    def __init__(self, para: ParaId, root: Hash, nodes: Iterable[bytes]) -> None:
        self._para = para
        self._trie = trie_from_proof(root, nodes)

    def read_slot(self) -> Slot:
        """The relay parent's slot."""
        return self._required(Slot, keys.CURRENT_SLOT)

    def read_abridged_host_configuration(self) -> AbridgedHostConfiguration:
        """The limits that concern paras."""
        return self._required(AbridgedHostConfiguration, keys.ACTIVE_CONFIG)

    def read_upgrade_go_ahead_signal(self) -> UpgradeGoAhead | None:
        """Whether our scheduled upgrade goes ahead or is off."""
        return self._optional(UpgradeGoAhead, keys.upgrade_go_ahead_signal(self._para))

    def read_upgrade_restriction_signal(self) -> UpgradeRestriction | None:
        """Whether we may not schedule an upgrade."""
        return self._optional(UpgradeRestriction, keys.upgrade_restriction_signal(self._para))

    def read_included_para_head(self) -> HeadData | None:
        """Our head that the relay chain included last."""
        return self._optional(HeadData, keys.para_head(self._para))

    def read_messaging_state_snapshot(self, config: AbridgedHostConfiguration) -> MessagingStateSnapshot:
        """Queues and channels."""
        para = self._para
        head = self._optional(Hash, keys.dmq_mqc_head(para))
        capacity_key = keys.relay_dispatch_queue_remaining_capacity(para)
        capacity = self._optional(RelayDispatchQueueRemainingCapacity, capacity_key)
        senders = self._optional(tuple[ParaId, ...], keys.hrmp_ingress_channel_index(para)) or ()
        recipients = self._optional(tuple[ParaId, ...], keys.hrmp_egress_channel_index(para)) or ()
        # A relay chain that never queued for us has not written the capacity: nothing is in use.
        unused = RelayDispatchQueueRemainingCapacity(config.max_upward_queue_count, config.max_upward_queue_size)
        return MessagingStateSnapshot(
            head or Hash(bytes(32)),
            capacity or unused,
            tuple((sender, self._channel(HrmpChannelId(sender, para))) for sender in senders),
            tuple((recipient, self._channel(HrmpChannelId(para, recipient))) for recipient in recipients),
        )

    def _channel(self, channel: HrmpChannelId) -> AbridgedHrmpChannel:
        return self._required(AbridgedHrmpChannel, keys.hrmp_channels(channel))

    def _required(self, hint: Any, key: bytes) -> Any:
        value = self._optional(hint, key)
        if value is None:
            raise ProofError(ProofReason.ABSENT, key=f"0x{key.hex()}")
        return value

    def _optional(self, hint: Any, key: bytes) -> Any:
        """Decodes the start of the value: the relay may keep more behind what paras read."""
        try:
            raw = self._trie.get(key)
        except ChainError as failure:
            raise ProofError(ProofReason.READ, key=f"0x{key.hex()}", cause=str(failure)) from failure
        if raw is None:
            return None
        try:
            value, _ = codec_of(hint).decode_from(raw, 0)
        except DecodeError as failure:
            raise ProofError(ProofReason.DECODE, key=f"0x{key.hex()}", cause=str(failure)) from failure
        return value
