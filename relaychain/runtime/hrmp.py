"""HRMP: the pallet. Declarations are in `hrmp_base.py`, rules in `hrmp_rules.py`.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/hrmp.rs`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from relaychain.primitives.configuration import HostConfiguration
from relaychain.primitives.messages import HrmpChannelId, InboundHrmpMessage, OutboundHrmpMessage
from relaychain.primitives.types import ParaId, SessionIndex, is_system
from relaychain.runtime import hrmp_rules as rules
from relaychain.runtime.configuration import Configuration
from relaychain.runtime.dmp import Dmp, DmpError
from relaychain.runtime.hrmp_base import HrmpBase
from relaychain.runtime.hrmp_rules import ChannelError, ChannelReason, HrmpChannel, HrmpOpenChannelRequest
from relaychain.runtime.origin import FromParachain
from relaychain.runtime.paras import Paras
from substrate.pallets.balances import Balances
from substrate.runtime.origin import Root
from substrate.runtime.pallet import call, runtime_api
from substrate.runtime.storage import StorageMap
from substrate.scale.types import u32
from substrate.types import AccountId, Balance, BlockNumber
from xcm.instruction import HrmpChannelAccepted, HrmpChannelClosing, HrmpNewChannelOpenRequest, Instruction
from xcm.message import xcm
from xcm.versions.versioned import encode_message, versioned_xcm


def sovereign_account(para: ParaId) -> AccountId:
    """A para's account on the relay chain."""
    return AccountId((b"para" + para.to_bytes(4, "little")).ljust(32, b"\0"))


class Hrmp(HrmpBase):
    """Genesis: `{"channels": [(sender, recipient, max capacity, max message size), ...]}` are open from the start."""

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Open channels; they have no deposits."""
        channels: Sequence[tuple[ParaId, ParaId, int, int]] = config.get("channels", ())
        free = msgspec.structs.replace(self._config, hrmp_sender_deposit=0, hrmp_recipient_deposit=0)
        for sender, recipient, capacity, message_size in channels:
            channel = HrmpChannelId(sender, recipient)
            self._request(free, channel, capacity, message_size)
            self._confirm(free, channel)
        self._open_confirmed(free)

    @property
    def _config(self) -> HostConfiguration:
        return self.pallet(Configuration).active

    # --- candidates ---

    def channel(self, sender: ParaId, recipient: ParaId) -> HrmpChannel | None:
        """An open channel."""
        return self.hrmp_channels.get(HrmpChannelId(sender, recipient))

    def check_watermark(self, para: ParaId, new: BlockNumber, relay_parent_number: BlockNumber) -> None:
        """Check a candidate's watermark; raises `HrmpError`."""
        rules.check_watermark(
            self.hrmp_channel_digests[para],
            last=self.hrmp_watermarks.get(para),
            new=new,
            relay_parent_number=relay_parent_number,
        )

    def check_outbound(self, para: ParaId, messages: Sequence[OutboundHrmpMessage]) -> None:
        """Check a candidate's messages; raises `HrmpError`."""
        rules.check_outbound(self._config, messages, lambda recipient: self.channel(para, recipient))

    def prune(self, recipient: ParaId, watermark: BlockNumber) -> None:
        """Drop what an included candidate has read."""
        senders, later = rules.split_digest(self.hrmp_channel_digests[recipient], watermark)
        for sender in senders:
            channel_id = HrmpChannelId(sender, recipient)
            channel = self.hrmp_channels.get(channel_id)
            if channel is None:
                continue
            pruned, kept = rules.pruned_channel(channel, self.hrmp_channel_contents[channel_id], watermark)
            self.hrmp_channels[channel_id] = pruned
            if kept:
                self.hrmp_channel_contents[channel_id] = kept
            else:
                del self.hrmp_channel_contents[channel_id]
        if senders:
            self.hrmp_channel_digests[recipient] = later
        self.hrmp_watermarks[recipient] = watermark

    def queue_outbound(self, sender: ParaId, messages: Iterable[OutboundHrmpMessage]) -> None:
        """Put an included candidate's messages into their channels; a channel closed meanwhile loses them."""
        now = self.number
        for message in messages:
            channel_id = HrmpChannelId(sender, message.recipient)
            channel = self.hrmp_channels.get(channel_id)
            if channel is None:
                continue
            self.hrmp_channels[channel_id] = rules.queued_channel(channel, message.data, now=now)
            inbound = InboundHrmpMessage(now, message.data)
            self.hrmp_channel_contents[channel_id] = (*self.hrmp_channel_contents[channel_id], inbound)
            digest = self.hrmp_channel_digests[message.recipient]
            self.hrmp_channel_digests[message.recipient] = rules.appended_digest(digest, sender=sender, now=now)

    # --- sessions ---

    def on_new_session(self, prev_config: HostConfiguration, outgoing: Iterable[ParaId]) -> None:
        """Open and close what was asked for in the session that ends."""
        for para in outgoing:
            self._clean_up(para)
        self._open_confirmed(prev_config)
        for channel in self.hrmp_close_channel_requests_list.get():
            del self.hrmp_close_channel_requests[channel]
            self._close(channel)
        self.hrmp_close_channel_requests_list.kill()

    def _open_confirmed(self, config: HostConfiguration) -> None:
        waiting: list[HrmpChannelId] = []
        paras = self.pallet(Paras)
        for channel in self.hrmp_open_channel_requests_list.get():
            request = self.hrmp_open_channel_requests[channel]
            if not request.confirmed:
                waiting.append(channel)
                continue
            if paras.is_valid_para(channel.sender) and paras.is_valid_para(channel.recipient):
                self._open(channel, rules.opened(request, rules.deposits(config, channel)[1]))
            self._decrease(self.hrmp_open_channel_request_count, channel.sender)
            self._decrease(self.hrmp_accepted_channel_request_count, channel.recipient)
            del self.hrmp_open_channel_requests[channel]
        self.hrmp_open_channel_requests_list.put(tuple(waiting))

    def _open(self, channel: HrmpChannelId, value: HrmpChannel) -> None:
        self.hrmp_channels[channel] = value
        ingress, egress = self.hrmp_ingress_channels_index, self.hrmp_egress_channels_index
        ingress[channel.recipient] = rules.with_para(ingress[channel.recipient], channel.sender)
        egress[channel.sender] = rules.with_para(egress[channel.sender], channel.recipient)

    def _close(self, channel: HrmpChannelId) -> None:
        closed = self.hrmp_channels.pop(channel)
        if closed is not None:
            self._unreserve(channel.sender, closed.sender_deposit)
            self._unreserve(channel.recipient, closed.recipient_deposit)
        del self.hrmp_channel_contents[channel]
        ingress, egress = self.hrmp_ingress_channels_index, self.hrmp_egress_channels_index
        ingress[channel.recipient] = rules.without_para(ingress[channel.recipient], channel.sender)
        egress[channel.sender] = rules.without_para(egress[channel.sender], channel.recipient)

    def _clean_up(self, para: ParaId) -> None:
        for sender in self.hrmp_ingress_channels_index[para]:
            self._close(HrmpChannelId(sender, para))
        for recipient in self.hrmp_egress_channels_index[para]:
            self._close(HrmpChannelId(para, recipient))
        for channel in self.hrmp_open_channel_requests_list.get():
            if para in (channel.sender, channel.recipient):
                self._withdraw(channel)
        del self.hrmp_watermarks[para]
        del self.hrmp_channel_digests[para]

    # --- requests ---

    def _request(self, config: HostConfiguration, channel: HrmpChannelId, capacity: int, message_size: int) -> None:
        rules.check_proposal(config, channel, max_capacity=capacity, max_message_size=message_size)
        if not self.pallet(Paras).is_valid_para(channel.recipient):
            raise ChannelError(ChannelReason.INVALID_RECIPIENT, recipient=channel.recipient)
        if channel in self.hrmp_open_channel_requests:
            raise ChannelError(ChannelReason.ALREADY_REQUESTED)
        if channel in self.hrmp_channels:
            raise ChannelError(ChannelReason.ALREADY_EXISTS)
        asked = self.hrmp_open_channel_request_count[channel.sender]
        used, limit = len(self.hrmp_egress_channels_index[channel.sender]), config.hrmp_max_parachain_outbound_channels
        if used + asked >= limit:
            raise ChannelError(ChannelReason.OPEN_LIMIT_EXCEEDED, limit=limit)
        deposit = rules.deposits(config, channel)[0]
        self._reserve(channel.sender, deposit)
        self.hrmp_open_channel_request_count[channel.sender] = asked + 1
        self.hrmp_open_channel_requests[channel] = HrmpOpenChannelRequest(
            confirmed=False,
            age=SessionIndex(0),
            sender_deposit=deposit,
            max_message_size=message_size,
            max_capacity=capacity,
            max_total_size=config.hrmp_channel_max_total_size,
        )
        self.hrmp_open_channel_requests_list.put((*self.hrmp_open_channel_requests_list.get(), channel))

    def _confirm(self, config: HostConfiguration, channel: HrmpChannelId) -> None:
        request = self.hrmp_open_channel_requests.get(channel)
        if request is None:
            raise ChannelError(ChannelReason.ACCEPT_DOESNT_EXIST)
        if request.confirmed:
            raise ChannelError(ChannelReason.ACCEPT_ALREADY_CONFIRMED)
        accepted = self.hrmp_accepted_channel_request_count[channel.recipient]
        limit = config.hrmp_max_parachain_inbound_channels
        if len(self.hrmp_ingress_channels_index[channel.recipient]) + accepted >= limit:
            raise ChannelError(ChannelReason.ACCEPT_LIMIT_EXCEEDED, limit=limit)
        self._reserve(channel.recipient, rules.deposits(config, channel)[1])
        self.hrmp_open_channel_requests[channel] = msgspec.structs.replace(request, confirmed=True)
        self.hrmp_accepted_channel_request_count[channel.recipient] = accepted + 1

    def _cancel(self, channel: HrmpChannelId) -> None:
        request = self.hrmp_open_channel_requests.get(channel)
        if request is None:
            raise ChannelError(ChannelReason.CANCEL_DOESNT_EXIST)
        if request.confirmed:
            raise ChannelError(ChannelReason.CANCEL_ALREADY_CONFIRMED)
        self._withdraw(channel)

    def _withdraw(self, channel: HrmpChannelId) -> None:
        request = self.hrmp_open_channel_requests.pop(channel)
        if request is None:
            return
        listed = self.hrmp_open_channel_requests_list.get()
        self.hrmp_open_channel_requests_list.put(tuple(item for item in listed if item != channel))
        self._decrease(self.hrmp_open_channel_request_count, channel.sender)
        self._unreserve(channel.sender, request.sender_deposit)
        if request.confirmed:
            self._decrease(self.hrmp_accepted_channel_request_count, channel.recipient)
            self._unreserve(channel.recipient, rules.deposits(self._config, channel)[1])

    @staticmethod
    def _decrease(counts: StorageMap[ParaId, u32], para: ParaId) -> None:
        if counts[para] > 1:
            counts[para] = counts[para] - 1
        else:
            del counts[para]

    def _reserve(self, para: ParaId, amount: Balance) -> None:
        if amount:
            self.pallet(Balances).reserve(sovereign_account(para), amount)

    def _unreserve(self, para: ParaId, amount: Balance) -> None:
        if amount:
            self.pallet(Balances).unreserve(sovereign_account(para), amount)

    def _notify(self, para: ParaId, instruction: Instruction) -> None:
        message = encode_message(versioned_xcm(xcm(instruction)))
        try:
            self.pallet(Dmp).queue_downward_message(para, message)
        except DmpError:
            # Upstream too goes on: the channel's state is on chain, the message only tells of it.
            return

    # --- calls ---

    @call(0)
    def hrmp_init_open_channel(
        self, origin: FromParachain, recipient: ParaId, proposed_max_capacity: u32, proposed_max_message_size: u32
    ) -> None:
        """Ask for a channel to another para."""
        channel = HrmpChannelId(origin, recipient)
        self._request(self._config, channel, proposed_max_capacity, proposed_max_message_size)
        self._notify(recipient, HrmpNewChannelOpenRequest(origin, proposed_max_message_size, proposed_max_capacity))
        self.deposit_event(
            self.OpenChannelRequested(origin, recipient, proposed_max_capacity, proposed_max_message_size)
        )

    @call(1)
    def hrmp_accept_open_channel(self, origin: FromParachain, sender: ParaId) -> None:
        """Accept a channel that another para asked for."""
        self._confirm(self._config, HrmpChannelId(sender, origin))
        self._notify(sender, HrmpChannelAccepted(origin))
        self.deposit_event(self.OpenChannelAccepted(sender, origin))

    @call(2)
    def hrmp_close_channel(self, origin: FromParachain, channel_id: HrmpChannelId) -> None:
        """Close a channel with the session; what is in it then is lost."""
        if origin not in (channel_id.sender, channel_id.recipient):
            raise ChannelError(ChannelReason.CLOSE_UNAUTHORIZED)
        if channel_id not in self.hrmp_channels:
            raise ChannelError(ChannelReason.CLOSE_DOESNT_EXIST)
        if channel_id in self.hrmp_close_channel_requests:
            raise ChannelError(ChannelReason.CLOSE_ALREADY_UNDERWAY)
        self.hrmp_close_channel_requests[channel_id] = ()
        self.hrmp_close_channel_requests_list.put((*self.hrmp_close_channel_requests_list.get(), channel_id))
        opposite = channel_id.recipient if origin == channel_id.sender else channel_id.sender
        self._notify(opposite, HrmpChannelClosing(origin, channel_id.sender, channel_id.recipient))
        self.deposit_event(self.ChannelClosed(origin, channel_id))

    @call(6)
    def hrmp_cancel_open_request(self, origin: FromParachain, channel_id: HrmpChannelId, open_requests: u32) -> None:
        """Withdraw a request that was not accepted; `open_requests` bounds the work."""
        if origin not in (channel_id.sender, channel_id.recipient):
            raise ChannelError(ChannelReason.CANCEL_UNAUTHORIZED)
        if len(self.hrmp_open_channel_requests_list.get()) > open_requests:
            raise self.WrongWitness
        self._cancel(channel_id)
        self.deposit_event(self.OpenChannelCanceled(origin, channel_id))

    @call(7)
    def force_open_hrmp_channel(
        self, origin: Root, sender: ParaId, recipient: ParaId, max_capacity: u32, max_message_size: u32
    ) -> None:
        """Open a channel between two paras without asking them, deposits and all; it opens with the session."""
        channel, config = HrmpChannelId(sender, recipient), self._config
        if channel in self.hrmp_open_channel_requests:
            self._cancel(channel)
        self._request(config, channel, max_capacity, max_message_size)
        self._confirm(config, channel)
        self.deposit_event(self.HrmpChannelForceOpened(sender, recipient, max_capacity, max_message_size))

    @call(8)
    def establish_system_channel(self, origin: Root, sender: ParaId, recipient: ParaId) -> None:
        """Open a channel with the largest terms between two system paras."""
        if not (is_system(sender) and is_system(recipient)):
            raise ChannelError(ChannelReason.NOT_AUTHORIZED)
        config, channel = self._config, HrmpChannelId(sender, recipient)
        self._request(config, channel, config.hrmp_channel_max_capacity, config.hrmp_channel_max_message_size)
        self._confirm(config, channel)

    @runtime_api("ParachainHost_inbound_hrmp_channels_contents", version=11)
    def inbound_contents(self, recipient: ParaId) -> Mapping[ParaId, tuple[InboundHrmpMessage, ...]]:
        """Messages waiting for a para, by sender; empty channels too."""
        senders = self.hrmp_ingress_channels_index[recipient]
        return {sender: self.hrmp_channel_contents[HrmpChannelId(sender, recipient)] for sender in senders}
