"""HRMP: channels, and the messages that go through them exactly once."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from relaychain.primitives.messages import HrmpChannelId, InboundHrmpMessage, OutboundHrmpMessage, mqc_head
from relaychain.primitives.types import BlockNumber, ParaId
from relaychain.runtime import hrmp_rules as rules
from relaychain.runtime.configuration import default_configuration, with_overrides
from relaychain.runtime.hrmp import Hrmp, sovereign_account
from relaychain.runtime.hrmp_rules import ChannelError, ChannelReason, Digest, HrmpChannel, HrmpError, HrmpReason
from relaychain.runtime.origin import Parachain
from substrate.runtime.dispatch import DispatchFailure
from substrate.runtime.origin import RawRoot
from substrate.types import Balance

A, B, C = ParaId(2000), ParaId(2001), ParaId(2002)
AB = HrmpChannelId(A, B)
CONFIG = default_configuration()
DIGEST: Digest = ((BlockNumber(4), (A,)), (BlockNumber(7), (A, C)))


def channel(capacity: int = 4, total: int = 20, size: int = 8, count: int = 0, used: int = 0) -> HrmpChannel:
    return HrmpChannel(capacity, total, size, count, used, None, Balance(0), Balance(0))


def message(data: bytes = b"", recipient: ParaId = B) -> OutboundHrmpMessage:
    return OutboundHrmpMessage(recipient, data)


@pytest.mark.parametrize("new", [3, 4, 7, 9])
def test_a_watermark_lands_where_it_may(new: int) -> None:
    rules.check_watermark(DIGEST, last=BlockNumber(3), new=BlockNumber(new), relay_parent_number=BlockNumber(9))


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (2, HrmpReason.ADVANCEMENT_RULE),
        (10, HrmpReason.AHEAD_RELAY_PARENT),
        (5, HrmpReason.LANDS_ON_BLOCK_WITH_NO_MESSAGES),
    ],
)
def test_a_watermark_elsewhere_has_its_reason(new: int, reason: HrmpReason) -> None:
    with pytest.raises(HrmpError) as rejection:
        rules.check_watermark(DIGEST, last=BlockNumber(3), new=BlockNumber(new), relay_parent_number=BlockNumber(9))

    assert rejection.value.reason is reason


def test_the_first_watermark_has_nothing_to_advance_from() -> None:
    rules.check_watermark((), last=None, new=BlockNumber(0), relay_parent_number=BlockNumber(0))


@pytest.mark.parametrize(
    ("messages", "open_channel", "reason"),
    [
        ((message(),) * 31, channel(), HrmpReason.MORE_MESSAGES_THAN_PERMITTED),
        ((message(), message()), channel(), HrmpReason.NOT_SORTED),
        ((message(recipient=C),), None, HrmpReason.NO_SUCH_CHANNEL),
        ((message(b"x" * 9),), channel(), HrmpReason.MAX_MESSAGE_SIZE_EXCEEDED),
        ((message(b"x" * 5),), channel(used=16), HrmpReason.TOTAL_SIZE_EXCEEDED),
        ((message(b"x"),), channel(count=4), HrmpReason.CAPACITY_EXCEEDED),
    ],
)
def test_each_limit_of_a_channel_has_its_reason(
    messages: tuple[OutboundHrmpMessage, ...], open_channel: HrmpChannel | None, reason: HrmpReason
) -> None:
    with pytest.raises(HrmpError) as rejection:
        rules.check_outbound(CONFIG, messages, lambda _recipient: open_channel)

    assert rejection.value.reason is reason


def test_messages_up_to_the_limits_pass() -> None:
    full = channel(count=3, used=12)

    rules.check_outbound(CONFIG, (message(b"x" * 8), message(b"x" * 8, C)), lambda _recipient: full)


def test_digests_split_at_the_watermark() -> None:
    assert rules.split_digest(DIGEST, BlockNumber(6)) == ((A,), DIGEST[1:])
    assert rules.split_digest(DIGEST, BlockNumber(7)) == ((A, C), ())
    assert rules.appended_digest(DIGEST, sender=B, now=BlockNumber(7))[-1] == (7, (A, C, B))
    assert rules.appended_digest((), sender=B, now=BlockNumber(7)) == ((7, (B,)),)


@pytest.mark.parametrize(
    ("channel_id", "capacity", "size", "reason"),
    [
        (HrmpChannelId(A, A), 1, 1, ChannelReason.TO_SELF),
        (AB, 0, 1, ChannelReason.ZERO_CAPACITY),
        (AB, 1_001, 1, ChannelReason.CAPACITY_EXCEEDS_LIMIT),
        (AB, 1, 0, ChannelReason.ZERO_MESSAGE_SIZE),
        (AB, 1, 102_401, ChannelReason.MESSAGE_SIZE_EXCEEDS_LIMIT),
    ],
)
def test_terms_of_a_channel(channel_id: HrmpChannelId, capacity: int, size: int, reason: ChannelReason) -> None:
    rules.check_proposal(CONFIG, AB, max_capacity=1_000, max_message_size=102_400)
    with pytest.raises(ChannelError) as rejection:
        rules.check_proposal(CONFIG, channel_id, max_capacity=capacity, max_message_size=size)

    assert rejection.value.reason is reason


def test_system_paras_pay_no_deposit() -> None:
    config = with_overrides(CONFIG, {"hrmp_sender_deposit": 5, "hrmp_recipient_deposit": 6})

    assert rules.deposits(config, AB) == (5, 6)
    assert rules.deposits(config, HrmpChannelId(ParaId(1999), B)) == (0, 0)


# --- the pallet ---


def dispatch(runtime: Any, para: ParaId, method: Any, **arguments: Any) -> None:
    runtime.dispatch(runtime.call(method, **arguments), Parachain(para))


def funded(make_relay: Any) -> Any:
    relay = make_relay([A, B], hrmp_sender_deposit=50, hrmp_recipient_deposit=60)

    def fund(runtime: Any) -> None:
        for para in (A, B):
            runtime.balances.mint_into(sovereign_account(para), 10_000_000)

    relay.genesis_edit(fund)
    return relay


def reserved(relay: Any) -> tuple[int, int]:
    return tuple(relay.runtime.balances.reserved_balance(sovereign_account(para)) for para in (A, B))


def ask(runtime: Any) -> None:
    dispatch(runtime, A, Hrmp.hrmp_init_open_channel, recipient=B, proposed_max_capacity=2, proposed_max_message_size=8)


def accept(runtime: Any) -> None:
    dispatch(runtime, B, Hrmp.hrmp_accept_open_channel, sender=A)


def test_a_channel_is_asked_for_accepted_opened_and_closed(make_relay: Any) -> None:
    relay = funded(make_relay)
    relay.block(before=ask)
    assert reserved(relay) == (50, 0)
    relay.block(before=accept)
    assert reserved(relay) == (50, 60)
    assert AB not in relay.runtime.hrmp.hrmp_channels

    hrmp = relay.new_session(1).hrmp
    assert hrmp.hrmp_channels[AB].max_capacity == 2
    assert (hrmp.hrmp_egress_channels_index[A], hrmp.hrmp_ingress_channels_index[B]) == ((B,), (A,))
    assert hrmp.hrmp_open_channel_requests_list.get() == ()
    assert A not in hrmp.hrmp_open_channel_request_count

    relay.block(before=lambda runtime: dispatch(runtime, B, Hrmp.hrmp_close_channel, channel_id=AB))
    assert AB in relay.runtime.hrmp.hrmp_channels
    assert AB not in relay.new_session(2).hrmp.hrmp_channels
    assert reserved(relay) == (0, 0)
    # Each step told the other side by XCM.
    assert [len(relay.runtime.dmp.dmq_contents(para)) for para in (A, B)] == [2, 1]


def open_by_force(runtime: Any) -> None:
    call = runtime.call(Hrmp.force_open_hrmp_channel, sender=A, recipient=B, max_capacity=2, max_message_size=8)
    runtime.dispatch(call, RawRoot())


def test_a_channel_opened_by_force_replaces_a_request_and_has_its_deposits(make_relay: Any) -> None:
    relay = funded(make_relay)
    relay.block(before=ask)
    relay.block(before=open_by_force)
    opened = relay.new_session(1).hrmp.hrmp_channels[AB]

    assert reserved(relay) == (opened.sender_deposit, opened.recipient_deposit) == (50, 60)
    relay.block(before=lambda runtime: dispatch(runtime, A, Hrmp.hrmp_close_channel, channel_id=AB))
    relay.new_session(2)
    assert reserved(relay) == (0, 0)


def test_a_channel_from_genesis_has_no_deposits_and_gives_none_back(make_relay: Any) -> None:
    relay = funded(make_relay)
    relay.genesis_edit(lambda runtime: runtime.hrmp.genesis({"channels": [(A, B, 2, 8)]}))
    relay.genesis_edit(lambda runtime: runtime.balances.reserve(sovereign_account(B), 70))

    relay.block(before=lambda runtime: dispatch(runtime, A, Hrmp.hrmp_close_channel, channel_id=AB))
    assert AB not in relay.new_session(1).hrmp.hrmp_channels

    assert reserved(relay) == (0, 70)


def test_a_request_can_be_withdrawn_until_it_is_accepted(make_relay: Any) -> None:
    relay = funded(make_relay)
    cancel = {"channel_id": AB, "open_requests": 1}
    relay.block(before=ask)
    runtime = relay.opened()
    accept(runtime)
    with pytest.raises(DispatchFailure) as failure:
        dispatch(runtime, A, Hrmp.hrmp_cancel_open_request, **cancel)
    assert "OpenHrmpChannelAlreadyConfirmed" in str(failure.value.__cause__)

    relay.block(before=lambda runtime: dispatch(runtime, A, Hrmp.hrmp_cancel_open_request, **cancel))
    assert reserved(relay) == (0, 0)
    assert relay.new_session(1).hrmp.hrmp_open_channel_requests_list.get() == ()


@pytest.mark.parametrize(
    ("para", "method", "arguments", "reason"),
    [
        (A, Hrmp.hrmp_accept_open_channel, {"sender": B}, "AcceptHrmpChannelDoesntExist"),
        (B, Hrmp.hrmp_close_channel, {"channel_id": AB}, "CloseHrmpChannelDoesntExist"),
        (C, Hrmp.hrmp_close_channel, {"channel_id": AB}, "CloseHrmpChannelUnauthorized"),
        (
            A,
            Hrmp.hrmp_init_open_channel,
            {"recipient": C, "proposed_max_capacity": 1, "proposed_max_message_size": 1},
            "OpenHrmpChannelInvalidRecipient",
        ),
    ],
)
def test_refusals_name_upstreams_errors(
    make_relay: Any, para: ParaId, method: Any, arguments: dict[str, Any], reason: str
) -> None:
    with pytest.raises(DispatchFailure) as failure:
        dispatch(funded(make_relay).opened(), para, method, **arguments)

    assert reason in str(failure.value.__cause__)
    assert failure.value.error.value.index == 60


def test_only_paras_may_call(make_relay: Any) -> None:
    runtime = make_relay([A, B]).opened()
    with pytest.raises(DispatchFailure):
        runtime.dispatch(runtime.call(Hrmp.hrmp_accept_open_channel, sender=A), RawRoot())


def relay_with_channel(make_relay: Any) -> Any:
    relay = make_relay([A, B])
    relay.genesis_edit(lambda runtime: runtime.hrmp.genesis({"channels": [(A, B, 2, 8)]}))
    return relay


def test_a_message_waits_in_its_channel_until_the_watermark_passes_it(make_relay: Any) -> None:
    relay = relay_with_channel(make_relay)

    state = relay.include(A, b"a1", horizontal_messages=(message(b"knock"),))
    inbound = (InboundHrmpMessage(BlockNumber(2), b"knock"),)
    assert state.hrmp.inbound_contents(B) == {A: inbound}
    assert state.hrmp.hrmp_channels[AB].abridged.mqc_head == mqc_head(inbound)
    assert state.hrmp.hrmp_channel_digests[B] == ((2, (A,)),)

    state = relay.include(B, b"b1", core=1, hrmp_watermark=BlockNumber(2))
    assert state.hrmp.inbound_contents(B) == {A: ()}
    assert state.hrmp.hrmp_watermarks[B] == 2
    assert state.hrmp.hrmp_channels[AB].msg_count == 0
    assert state.hrmp.hrmp_channels[AB].mqc_head == mqc_head(inbound)


class Channels(RuleBasedStateMachine):
    """Three paras over all channels between them; the model is plain lists."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1
        self.paras = (A, B, C)
        self.channels: dict[HrmpChannelId, HrmpChannel] = {
            HrmpChannelId(left, right): channel(capacity=3, total=12)
            for left in self.paras
            for right in self.paras
            if left != right
        }
        self.contents: dict[HrmpChannelId, tuple[InboundHrmpMessage, ...]] = dict.fromkeys(self.channels, ())
        self.digests: dict[ParaId, Digest] = dict.fromkeys(self.paras, ())
        self.watermarks: dict[ParaId, BlockNumber] = {}
        self.sent: Mapping[HrmpChannelId, list[InboundHrmpMessage]] = {key: [] for key in self.channels}
        self.received: Mapping[HrmpChannelId, list[InboundHrmpMessage]] = {key: [] for key in self.channels}

    @rule()
    def block(self) -> None:
        self.now += 1

    @rule(sender=st.sampled_from((A, B, C)), data=st.binary(max_size=9), recipient=st.sampled_from((A, B, C)))
    def send(self, sender: ParaId, data: bytes, recipient: ParaId) -> None:
        key = HrmpChannelId(sender, recipient)
        try:
            rules.check_outbound(CONFIG, (message(data, recipient),), lambda to: self.channels.get(key))
        except HrmpError:
            return
        now = BlockNumber(self.now)
        self.channels[key] = rules.queued_channel(self.channels[key], data, now=now)
        self.contents[key] = (*self.contents[key], InboundHrmpMessage(now, data))
        self.digests[recipient] = rules.appended_digest(self.digests[recipient], sender=sender, now=now)
        self.sent[key].append(InboundHrmpMessage(now, data))

    @precondition(lambda self: self.now > 1)
    @rule(recipient=st.sampled_from((A, B, C)), back=st.integers(0, 5))
    def read(self, recipient: ParaId, back: int) -> None:
        parent = BlockNumber(self.now - 1)
        watermark, last = BlockNumber(max(parent - back, 0)), self.watermarks.get(recipient)
        try:
            rules.check_watermark(self.digests[recipient], last=last, new=watermark, relay_parent_number=parent)
        except HrmpError:
            return
        assert last is None or last <= watermark <= parent
        senders, self.digests[recipient] = rules.split_digest(self.digests[recipient], watermark)
        for sender in senders:
            key = HrmpChannelId(sender, recipient)
            before = self.contents[key]
            self.channels[key], self.contents[key] = rules.pruned_channel(self.channels[key], before, watermark)
            self.received[key] += before[: len(before) - len(self.contents[key])]
        self.watermarks[recipient] = watermark

    @invariant()
    def nothing_is_lost_doubled_or_reordered(self) -> None:
        for key, open_channel in self.channels.items():
            waiting = self.contents[key]
            assert [*self.received[key], *waiting] == self.sent[key]
            assert open_channel.msg_count == len(waiting) <= open_channel.max_capacity
            assert open_channel.total_size == sum(len(item.data) for item in waiting) <= open_channel.max_total_size
            assert open_channel.mqc_head == (mqc_head(self.sent[key]) if self.sent[key] else None)
            named = [block for block, senders in self.digests[key.recipient] if key.sender in senders]
            assert sorted({item.sent_at for item in waiting}) == named


TestChannels = Channels.TestCase
TestChannels.settings = settings(max_examples=40, stateful_step_count=40)
