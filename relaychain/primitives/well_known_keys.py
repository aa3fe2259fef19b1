"""Keys of relay state that paras read by proof; fixed by upstream, whatever the pallets' own code says.

Source: polkadot-sdk, `polkadot/primitives/src/v9/mod.rs`, mod `well_known_keys`.
"""

from relaychain.primitives.messages import HrmpChannelId
from relaychain.primitives.types import ParaId
from substrate.crypto.hashing import twox_64, twox_128


def _item(pallet: str, item: str) -> bytes:
    return twox_128(pallet.encode()) + twox_128(item.encode())


def _hashed(key: bytes) -> bytes:
    return twox_64(key) + key


def _of(para: ParaId) -> bytes:
    return para.to_bytes(4, "little")


EPOCH_INDEX = _item("Babe", "EpochIndex")
CURRENT_BLOCK_RANDOMNESS = _item("Babe", "AuthorVrfRandomness")
ONE_EPOCH_AGO_RANDOMNESS = _item("Babe", "NextRandomness")
TWO_EPOCHS_AGO_RANDOMNESS = _item("Babe", "Randomness")
CURRENT_SLOT = _item("Babe", "CurrentSlot")
ACTIVE_CONFIG = _item("Configuration", "ActiveConfig")
AUTHORITIES = _item("Babe", "Authorities")
NEXT_AUTHORITIES = _item("Babe", "NextAuthorities")

_HEADS = _item("Paras", "Heads")
_UPGRADE_GO_AHEAD_SIGNAL = _item("Paras", "UpgradeGoAheadSignal")
_UPGRADE_RESTRICTION_SIGNAL = _item("Paras", "UpgradeRestrictionSignal")
_DMQ_MQC_HEAD = _item("Dmp", "DownwardMessageQueueHeads")
_HRMP_CHANNELS = _item("Hrmp", "HrmpChannels")
_HRMP_INGRESS_CHANNEL_INDEX = _item("Hrmp", "HrmpIngressChannelsIndex")
_HRMP_EGRESS_CHANNEL_INDEX = _item("Hrmp", "HrmpEgressChannelsIndex")
_REMAINING_CAPACITY = b":relay_dispatch_queue_remaining_capacity"


def para_head(para: ParaId) -> bytes:
    """`HeadData` of a para."""
    return _HEADS + _hashed(_of(para))


def upgrade_go_ahead_signal(para: ParaId) -> bytes:
    """`UpgradeGoAhead` of a para, if any."""
    return _UPGRADE_GO_AHEAD_SIGNAL + _hashed(_of(para))


def upgrade_restriction_signal(para: ParaId) -> bytes:
    """`UpgradeRestriction` of a para, if any."""
    return _UPGRADE_RESTRICTION_SIGNAL + _hashed(_of(para))


def dmq_mqc_head(para: ParaId) -> bytes:
    """Head of the chain over a para's downward messages."""
    return _DMQ_MQC_HEAD + _hashed(_of(para))


def hrmp_channels(channel: HrmpChannelId) -> bytes:
    """`AbridgedHrmpChannel` (and the deposits behind it) of a channel."""
    return _HRMP_CHANNELS + _hashed(channel.encode())


def hrmp_ingress_channel_index(para: ParaId) -> bytes:
    """Senders with a channel to a para, ascending."""
    return _HRMP_INGRESS_CHANNEL_INDEX + _hashed(_of(para))


def hrmp_egress_channel_index(para: ParaId) -> bytes:
    """Recipients with a channel from a para, ascending."""
    return _HRMP_EGRESS_CHANNEL_INDEX + _hashed(_of(para))


def relay_dispatch_queue_remaining_capacity(para: ParaId) -> bytes:
    """(count u32, bytes u32) that the relay's queue still takes from a para. The prefix is raw text, not hashed."""
    return _REMAINING_CAPACITY + _of(para)
