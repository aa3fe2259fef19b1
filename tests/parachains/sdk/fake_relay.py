"""A relay chain made of nothing but the state that paras read of it, for tests of paras."""

from dataclasses import dataclass, field

from parachains.sdk.contract import Collated, CollationContext
from parachains.sdk.relay_state_snapshot import channel_keys, para_keys
from relaychain.primitives import well_known_keys as keys
from relaychain.primitives.configuration import AbridgedHostConfiguration, AsyncBackingParams
from relaychain.primitives.messages import (
    AbridgedHrmpChannel,
    HrmpChannelId,
    InboundDownwardMessage,
    InboundHrmpMessage,
    mqc_head,
    mqc_link,
)
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import HeadData, ParaId, UpgradeGoAhead, UpgradeRestriction
from relaychain.primitives.validation import ValidationParams
from substrate.crypto.keys import Ed25519Pair
from substrate.scale.codec import encode
from substrate.scale.types import u32
from substrate.trie.proofs import read_proof
from substrate.trie.trie import Trie
from substrate.types import ZERO_HASH, BlockNumber, Hash, Slot

CONFIG = AbridgedHostConfiguration(
    max_code_size=3 << 20,
    max_head_data_size=20_480,
    max_upward_queue_count=1_000,
    max_upward_queue_size=1 << 20,
    max_upward_message_size=65_531,
    max_upward_message_num_per_candidate=16,
    hrmp_max_message_num_per_candidate=10,
    validation_upgrade_cooldown=BlockNumber(2),
    validation_upgrade_delay=BlockNumber(2),
    async_backing_params=AsyncBackingParams(0, 0),
)
CHANNEL = AbridgedHrmpChannel(8, 8 << 10, 4 << 10, 0, 0, None)


@dataclass
class FakeRelay:
    """Relay state around one para; fields are what the next relay parent shows."""

    para: ParaId
    head: HeadData
    number: int = 1
    slot: int = 1_000
    max_pov_size: int = 5 << 20
    downward: list[InboundDownwardMessage] = field(default_factory=list[InboundDownwardMessage])
    dmq_head: Hash = ZERO_HASH
    inbound: dict[ParaId, list[InboundHrmpMessage]] = field(default_factory=dict[ParaId, list[InboundHrmpMessage]])
    inbound_heads: dict[ParaId, Hash] = field(default_factory=dict[ParaId, Hash])
    outbound: tuple[ParaId, ...] = ()
    channel: AbridgedHrmpChannel = CHANNEL
    go_ahead: UpgradeGoAhead | None = None
    restriction: UpgradeRestriction | None = None
    config: AbridgedHostConfiguration = CONFIG

    def advance(self, blocks: int = 1) -> None:
        self.number += blocks
        self.slot += blocks

    def send_down(self, msg: bytes) -> None:
        self.downward.append(InboundDownwardMessage(BlockNumber(self.number), msg))
        self.dmq_head = mqc_link(self.dmq_head, sent_at=BlockNumber(self.number), msg=msg)

    def open_inbound(self, sender: ParaId) -> None:
        self.inbound[sender] = []
        self.inbound_heads[sender] = Hash(bytes(32))

    def send_across(self, sender: ParaId, data: bytes) -> None:
        message = InboundHrmpMessage(BlockNumber(self.number), data)
        self.inbound[sender].append(message)
        self.inbound_heads[sender] = mqc_head([message], self.inbound_heads[sender])

    def state(self) -> Trie:
        para = self.para
        values: dict[bytes, bytes | None] = {
            keys.CURRENT_SLOT: self.slot.to_bytes(8, "little"),
            keys.ACTIVE_CONFIG: self.config.encode() + b"more",
            keys.dmq_mqc_head(para): self.dmq_head,
            keys.para_head(para): encode(HeadData, self.head),
            keys.relay_dispatch_queue_remaining_capacity(para): encode(tuple[u32, u32], (100, 100_000)),
            keys.hrmp_ingress_channel_index(para): encode(tuple[ParaId, ...], tuple(sorted(self.inbound))),
            keys.hrmp_egress_channel_index(para): encode(tuple[ParaId, ...], self.outbound),
        }
        for sender, head in self.inbound_heads.items():
            channel = AbridgedHrmpChannel(8, 8 << 10, 4 << 10, len(self.inbound[sender]), 0, head)
            values[keys.hrmp_channels(HrmpChannelId(sender, para))] = channel.encode() + bytes(32)
        for recipient in self.outbound:
            values[keys.hrmp_channels(HrmpChannelId(para, recipient))] = self.channel.encode() + bytes(32)
        if self.go_ahead is not None:
            values[keys.upgrade_go_ahead_signal(para)] = bytes([self.go_ahead])
        if self.restriction is not None:
            values[keys.upgrade_restriction_signal(para)] = bytes([self.restriction])
        return Trie.empty(0).update(values)

    def context(
        self, *extrinsics: bytes, parent: HeadData | None = None, author: Ed25519Pair | None = None
    ) -> CollationContext:
        state = self.state()
        wanted = para_keys(self.para) + channel_keys(self.para, senders=self.inbound, recipients=self.outbound)
        return CollationContext(
            para=self.para,
            validation_data=self.promise(state, parent),
            relay_slot=Slot(self.slot),
            relay_proof=read_proof(state, wanted),
            downward_messages=tuple(self.downward),
            horizontal_messages={sender: tuple(queue) for sender, queue in self.inbound.items()},
            extrinsics=extrinsics,
            author=author,
        )

    def promise(self, state: Trie, parent: HeadData | None = None) -> PersistedValidationData:
        head = self.head if parent is None else parent
        return PersistedValidationData(head, BlockNumber(self.number), Hash(state.root), self.max_pov_size)

    def params(self, block_data: bytes, parent: HeadData | None = None) -> ValidationParams:
        promise = self.promise(self.state(), parent)
        return ValidationParams(
            promise.parent_head, block_data, promise.relay_parent_number, promise.relay_parent_storage_root
        )

    def include(self, collated: Collated[object]) -> None:
        """The relay chain includes a candidate, and drops what it processed."""
        result = collated.result
        self.head = result.head_data
        del self.downward[: result.processed_downward_messages]
        for queue in self.inbound.values():
            queue[:] = [message for message in queue if message.sent_at > result.hrmp_watermark]
