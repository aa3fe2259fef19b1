"""ParachainSystem: the block's tie to its relay parent, and what goes out at its end.

Source: polkadot-sdk, `cumulus/pallets/parachain-system/src/lib.rs`.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from parachains.sdk.message_queue_chain import check_downward, check_horizontal
from parachains.sdk.parachain_info import ParachainInfo
from parachains.sdk.parachain_inherent import INHERENT_IDENTIFIER, InboundMessageId, ParachainInherentData, StorageProof
from parachains.sdk.relay_state_snapshot import MessagingStateSnapshot, RelayChainStateProof
from parachains.sdk.unincluded_segment import (
    Ancestor,
    SegmentTracker,
    bandwidth,
    check_space,
    remaining,
    split_included,
    upward_count,
)
from relaychain.primitives.configuration import AbridgedHostConfiguration
from relaychain.primitives.messages import (
    AbridgedHrmpChannel,
    InboundDownwardMessage,
    InboundHrmpMessage,
    OutboundHrmpMessage,
    UpwardMessage,
)
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import HeadData, ParaId, UpgradeGoAhead, UpgradeRestriction, ValidationCode, head_hash
from substrate.block import Consensus
from substrate.crypto.hashing import blake2_256
from substrate.errors import RuleError
from substrate.pallets.fees import FIXED_ONE, FixedU128
from substrate.pallets.system import System
from substrate.runtime.dispatch import Pays, PostInfo
from substrate.runtime.origin import NoneOrigin, Root
from substrate.runtime.outer_enums import RuntimeCall
from substrate.runtime.pallet import Error, Event, Pallet, call, config
from substrate.runtime.storage import StorageValue, storage_value
from substrate.scale.codec import decode, encode
from substrate.scale.types import Compact, Fixed, u32
from substrate.types import ZERO_HASH, BlockNumber, Hash, Weight
from xcm.builder.pricing import decreased_factor, increased_factor

RPSR_ENGINE = b"RPSR"
"""Digest engine of the relay parent's storage root."""
THRESHOLD_FACTOR = 2
"""A queue is congested when more than its size divided by this waits in it."""
SET_VALIDATION_DATA = Weight(250_000_000, 4_096)
HOOKS = Weight(150_000_000, 4_096)
INBOUND_SHARE = 6
"""Messages of one kind may take a block's proof size divided by this; the rest of a backlog waits."""

InboundHorizontal: TypeAlias = Sequence[tuple[ParaId, InboundHrmpMessage]]


class SystemReason(StrEnum):
    """Why the relay parent's data is refused."""

    TWICE = "ValidationDataUpdatedTwice"
    RELAY_NUMBER = "RelayNumberDecreases"
    NO_HEAD = "IncludedHeadMissing"
    PARENT_HEAD = "ParentHeadMismatch"
    SIGNAL = "UpgradeSignalChanged"
    NOTHING_PENDING = "NoPendingValidationCode"


class ParachainSystemError(RuleError):
    """A block contradicts its relay parent."""


class SendReason(StrEnum):
    """Why an upward message is not queued."""

    TOO_BIG = "TooBig"


class MessageSendError(RuleError):
    """A message that no candidate may carry."""


class ParachainSystem(Pallet):
    """Checks the block against its relay parent, hands messages in, collects what goes out."""

    crate = "cumulus_pallet_parachain_system"
    storage_version = 3

    unincluded_segment: StorageValue[tuple[Ancestor, ...]] = storage_value(default=())
    aggregated_unincluded_segment: StorageValue[SegmentTracker | None] = storage_value()
    pending_validation_code: StorageValue[ValidationCode] = storage_value(default=b"")
    new_validation_code: StorageValue[ValidationCode | None] = storage_value()
    validation_data: StorageValue[PersistedValidationData | None] = storage_value()
    did_set_validation_code: StorageValue[bool] = storage_value(default=False)
    last_relay_chain_block_number: StorageValue[BlockNumber] = storage_value(default=BlockNumber(0))
    upgrade_restriction_signal: StorageValue[UpgradeRestriction | None] = storage_value()
    upgrade_go_ahead: StorageValue[UpgradeGoAhead | None] = storage_value()
    relay_state_proof: StorageValue[StorageProof | None] = storage_value()
    relevant_messaging_state: StorageValue[MessagingStateSnapshot | None] = storage_value()
    host_configuration: StorageValue[AbridgedHostConfiguration | None] = storage_value()
    last_dmq_mqc_head: StorageValue[Hash] = storage_value(default=ZERO_HASH)
    last_hrmp_mqc_heads: StorageValue[Mapping[ParaId, Hash]] = storage_value(default={})
    processed_downward_messages: StorageValue[u32] = storage_value(default=0)
    hrmp_watermark: StorageValue[BlockNumber] = storage_value(default=BlockNumber(0))
    """Our last block's; it stays where the messages of a relay block did not all fit."""
    last_processed_downward_message: StorageValue[InboundMessageId | None] = storage_value()
    last_processed_hrmp_message: StorageValue[InboundMessageId | None] = storage_value()
    hrmp_outbound_messages: StorageValue[tuple[OutboundHrmpMessage, ...]] = storage_value(default=())
    upward_messages: StorageValue[tuple[UpwardMessage, ...]] = storage_value(default=())
    pending_upward_messages: StorageValue[tuple[UpwardMessage, ...]] = storage_value(default=())
    upward_delivery_fee_factor: StorageValue[FixedU128] = storage_value(default=FIXED_ONE)
    announced_hrmp_messages_per_candidate: StorageValue[u32] = storage_value(default=0)
    custom_validation_head_data: StorageValue[HeadData | None] = storage_value()

    segment_capacity: int = config(3)
    """Blocks that may await inclusion, the new one too."""
    consensus_hook: Callable[[Pallet, RelayChainStateProof], None] | None = config(None)
    """Compares the block's slot with the relay parent's; raises a `RuleError`."""
    dmp_queue: Callable[[Pallet, Sequence[InboundDownwardMessage]], None] | None = config(None)
    """Takes the downward messages."""
    xcmp_handler: Callable[[Pallet, InboundHorizontal], None] | None = config(None)
    """Takes the horizontal messages."""
    outbound_xcmp_source: Callable[[Pallet, int], Sequence[OutboundHrmpMessage]] | None = config(None)
    """Gives at most so many horizontal messages, recipients ascending."""

    class ValidationFunctionStored(Event):
        """The validation function has been scheduled to apply."""

    class ValidationFunctionApplied(Event):
        """The validation function was applied as of the contained relay chain block number."""

        relay_chain_block_num: BlockNumber

    class ValidationFunctionDiscarded(Event):
        """The relay-chain aborted the upgrade process."""

    class DownwardMessagesReceived(Event):
        """Some downward messages have been received and will be processed."""

        count: u32

    class DownwardMessagesProcessed(Event):
        """Downward messages were processed using the given weight."""

        weight_used: Weight
        dmq_head: Hash

    class UpwardMessageSent(Event):
        """An upward message was sent to the relay chain."""

        message_hash: Annotated[bytes, Fixed(32)] | None

    class OverlappingUpgrades(Error):
        """Attempt to upgrade validation function while existing upgrade pending."""

    class ProhibitedByPolkadot(Error):
        """Polkadot currently prohibits this parachain from upgrading its validation function."""

    class TooBig(Error):
        """The supplied validation function has compiled into a blob larger than Polkadot is willing to run."""

    class ValidationDataNotAvailable(Error):
        """The inherent which supplies the validation data did not run this block."""

    class HostConfigurationNotAvailable(Error):
        """The inherent which supplies the host configuration did not run this block."""

    class NotScheduled(Error):
        """No validation function upgrade is currently scheduled."""

    # --- the inherent ---

    @call(0, weight=SET_VALIDATION_DATA, inherent=True)
    def set_validation_data(self, origin: NoneOrigin, data: ParachainInherentData) -> PostInfo:
        """Set the current validation data, and take in what waits at the relay parent.

        Raises:
            ParachainSystemError, ProofError, SegmentError, InboundError: The data is not the relay parent's.
        """
        if self.validation_data.exists():
            raise ParachainSystemError(SystemReason.TWICE)
        promised = data.validation_data
        last = self.last_relay_chain_block_number.get()
        if promised.relay_parent_number < last:
            raise ParachainSystemError(SystemReason.RELAY_NUMBER, submitted=promised.relay_parent_number, last=last)
        para = self.pallet(ParachainInfo).parachain_id.get()
        proof = RelayChainStateProof(para, promised.relay_parent_storage_root, data.relay_chain_state.trie_nodes)
        if self.consensus_hook is not None:
            self.consensus_hook(self, proof)
        self._drop_included_ancestors(proof)
        root = encode(tuple[Hash, Compact[u32]], (promised.relay_parent_storage_root, promised.relay_parent_number))
        self.pallet(System).deposit_log(Consensus(RPSR_ENGINE, root))
        self._follow_upgrade(proof, promised.relay_parent_number)
        host = proof.read_abridged_host_configuration()
        messaging = proof.read_messaging_state_snapshot(host)
        self.validation_data.put(promised)
        self.relay_state_proof.put(data.relay_chain_state)
        self.relevant_messaging_state.put(messaging)
        self.host_configuration.put(host)
        self._take_downward(data, messaging.dmq_mqc_head)
        self._take_horizontal(data, messaging)
        return PostInfo(None, Pays.No)

    @call(1, weight=Weight(1_000, 0))
    def sudo_send_upward_message(self, origin: Root, message: UpwardMessage) -> None:
        """Send any bytes to the relay chain."""
        self.send_upward_message(message)

    def inherent(self, data: Mapping[bytes, bytes]) -> RuntimeCall | None:
        """The call for a collator's data, without what our ancestors processed, and no more than fits."""
        raw = data.get(INHERENT_IDENTIFIER)
        if raw is None:
            return None
        provided = decode(ParachainInherentData, raw)
        start = InboundMessageId(self.last_relay_chain_block_number.get())
        proof_size = min(self.pallet(System).limits.max_block.proof_size, provided.validation_data.max_pov_size)
        fresh = provided.abridged(
            last_downward=self.last_processed_downward_message.get() or start,
            last_horizontal=self.last_processed_hrmp_message.get() or start,
            limit=proof_size // INBOUND_SHARE,
        )
        return self.runtime.call(ParachainSystem.set_validation_data, data=fresh)

    def inherent_required(self) -> bool:
        """A block without its relay parent's data is invalid."""
        return not self.validation_data.exists()

    def _drop_included_ancestors(self, proof: RelayChainStateProof) -> None:
        """Free the bandwidth of ancestors that were included meanwhile; our parent's parent is then known too."""
        head = proof.read_included_para_head()
        segment = self.unincluded_segment.get()
        if head is None:
            raise ParachainSystemError(SystemReason.NO_HEAD)
        included, rest = split_included(segment, head_hash(head))
        if not rest and head_hash(head) != self.pallet(System).parent_hash.get():
            raise ParachainSystemError(SystemReason.PARENT_HEAD, included=f"0x{head_hash(head).hex()}")
        tracker = self.aggregated_unincluded_segment.get()
        if included and tracker is not None:
            for block in included:
                tracker = tracker.without(block)
            self.aggregated_unincluded_segment.put(tracker)
            self.unincluded_segment.put(tuple(rest))
        check_space(len(rest), self.segment_capacity)

    def _follow_upgrade(self, proof: RelayChainStateProof, relay_parent: BlockNumber) -> None:
        """Apply or drop our scheduled code as the relay chain says, once in the segment."""
        signal = proof.read_upgrade_go_ahead_signal()
        tracker = self.aggregated_unincluded_segment.get()
        consumed = None if tracker is None else tracker.consumed_go_ahead_signal
        if consumed is not None:
            if consumed != signal:
                raise ParachainSystemError(SystemReason.SIGNAL)
        elif signal == UpgradeGoAhead.GO_AHEAD:
            if not self.pending_validation_code.exists():
                raise ParachainSystemError(SystemReason.NOTHING_PENDING)
            self.pallet(System).update_code_in_storage(self.pending_validation_code.take())
            self.deposit_event(self.ValidationFunctionApplied(relay_chain_block_num=relay_parent))
        elif signal == UpgradeGoAhead.ABORT:
            self.pending_validation_code.kill()
            self.deposit_event(self.ValidationFunctionDiscarded())
        _put_or_kill(self.upgrade_restriction_signal, proof.read_upgrade_restriction_signal())
        _put_or_kill(self.upgrade_go_ahead, signal)

    def _take_downward(self, data: ParachainInherentData, expected: Hash) -> None:
        messages = data.downward_messages
        inbound = check_downward(data, last_head=self.last_dmq_mqc_head.get(), expected=expected)
        if inbound.last is not None:
            self.deposit_event(self.DownwardMessagesReceived(count=len(messages)))
            if self.dmp_queue is not None:
                self.dmp_queue(self, messages)
            self.last_dmq_mqc_head.put(inbound.head)
            self.last_processed_downward_message.put(inbound.last)
            self.deposit_event(self.DownwardMessagesProcessed(weight_used=Weight.ZERO, dmq_head=inbound.head))
        self.processed_downward_messages.put(len(messages))

    def _take_horizontal(self, data: ParachainInherentData, state: MessagingStateSnapshot) -> None:
        inbound = check_horizontal(
            data,
            channels=state.ingress_channels,
            last_heads=self.last_hrmp_mqc_heads.get(),
            last_watermark=self.hrmp_watermark.get(),
        )
        if inbound.messages and self.xcmp_handler is not None:
            self.xcmp_handler(self, inbound.messages)
        self.last_hrmp_mqc_heads.put(inbound.heads)
        self.last_processed_hrmp_message.put(inbound.last)
        self.hrmp_watermark.put(inbound.watermark)

    # --- hooks ---

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Forget what belongs to the last block, whose hash is known now."""
        if not self.did_set_validation_code.get():
            self.new_validation_code.kill()
        segment = self.unincluded_segment.get()
        if segment:
            last = segment[-1]
            known = Ancestor(last.used_bandwidth, self.pallet(System).parent_hash.get(), last.consumed_go_ahead_signal)
            self.unincluded_segment.put((*segment[:-1], known))
        for item in (self.validation_data, self.processed_downward_messages, self.custom_validation_head_data):
            item.kill()
        for item in (self.upward_messages, self.hrmp_outbound_messages):
            item.kill()
        host = self.host_configuration.get()
        self.announced_hrmp_messages_per_candidate.put(0 if host is None else host.hrmp_max_message_num_per_candidate)
        return HOOKS

    def on_finalize(self, number: BlockNumber) -> None:
        """Let out what the relay chain will take, and count it in the segment."""
        self.did_set_validation_code.kill()
        self.upgrade_restriction_signal.kill()
        signal = self.upgrade_go_ahead.take()
        data, host = self.validation_data.get(), self.host_configuration.get()
        total = self.relevant_messaging_state.get()
        assert data is not None and host is not None and total is not None, "a block without its inherent is invalid"
        self.last_relay_chain_block_number.put(data.relay_parent_number)
        tracker = self.aggregated_unincluded_segment.get() or SegmentTracker()
        self.relevant_messaging_state.put(remaining(total, tracker.used_bandwidth))
        upward_number, upward_size = self._release_upward(host)
        most = min(host.hrmp_max_message_num_per_candidate, self.announced_hrmp_messages_per_candidate.take())
        source = self.outbound_xcmp_source
        horizontal = tuple(source(self, most)) if source is not None else ()
        consumed = None if tracker.consumed_go_ahead_signal is not None else signal
        ancestor = Ancestor(bandwidth(upward_number, upward_size, horizontal), None, consumed)
        tracker = tracker.append(
            ancestor, watermark=self.hrmp_watermark.get(), relay_parent=data.relay_parent_number, total=total
        )
        self.aggregated_unincluded_segment.put(tracker)
        self.unincluded_segment.put((*self.unincluded_segment.get(), ancestor))
        self.hrmp_outbound_messages.put(horizontal)

    def _release_upward(self, host: AbridgedHostConfiguration) -> tuple[int, int]:
        state, pending = self.relevant_messaging_state.get(), self.pending_upward_messages.get()
        assert state is not None, "put just before"
        capacity = state.relay_dispatch_queue_remaining_capacity
        most = min(capacity.remaining_count, host.max_upward_message_num_per_candidate)
        number, size = upward_count(pending, count=most, size=capacity.remaining_size)
        self.upward_messages.put(pending[:number])
        self.pending_upward_messages.put(pending[number:])
        if sum(map(len, pending[number:])) <= host.max_upward_queue_size // THRESHOLD_FACTOR:
            self.upward_delivery_fee_factor.put(FixedU128(decreased_factor(self.upward_delivery_fee_factor.get())))
        return number, size

    # --- what other pallets use ---

    def send_upward_message(self, message: UpwardMessage) -> bytes:
        """Queue a message for the relay chain; returns its hash.

        Raises:
            MessageSendError: `TOO_BIG`.
        """
        host = self.host_configuration.get()
        if host is not None and len(message) > host.max_upward_message_size:
            raise MessageSendError(SendReason.TOO_BIG, size=len(message), limit=host.max_upward_message_size)
        pending = (*self.pending_upward_messages.get(), message)
        self.pending_upward_messages.put(pending)
        if host is not None and sum(map(len, pending)) > host.max_upward_queue_size // THRESHOLD_FACTOR:
            factor = increased_factor(self.upward_delivery_fee_factor.get(), len(message))
            self.upward_delivery_fee_factor.put(FixedU128(factor))
        digest = blake2_256(message)
        self.deposit_event(self.UpwardMessageSent(message_hash=digest))
        return digest

    def channel(self, recipient: ParaId) -> AbridgedHrmpChannel | None:
        """Our channel to a para, as the relay parent and our unincluded ancestors have it."""
        state = self.relevant_messaging_state.get()
        return None if state is None else state.egress(recipient)

    def schedule_code_upgrade(self, code: ValidationCode) -> None:
        """Ask the relay chain to let us run new code."""
        if not self.validation_data.exists():
            raise self.ValidationDataNotAvailable
        if self.upgrade_restriction_signal.exists():
            raise self.ProhibitedByPolkadot
        if self.pending_validation_code.exists():
            raise self.OverlappingUpgrades
        host = self.host_configuration.get()
        if host is None:
            raise self.HostConfigurationNotAvailable
        if len(code) > host.max_code_size:
            raise self.TooBig
        self.new_validation_code.put(code)
        self.did_set_validation_code.put(True)
        self.pending_validation_code.put(code)
        self.deposit_event(self.ValidationFunctionStored())


def _put_or_kill(item: StorageValue[Any], value: Any) -> None:
    if value is None:
        item.kill()
    else:
        item.put(value)
