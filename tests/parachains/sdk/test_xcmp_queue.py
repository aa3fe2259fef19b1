"""XCMP pages and the queue's signals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parachains.sdk.message_queue import MessageQueue, Parent, Sibling
from parachains.sdk.parachain_system import ParachainSystem
from parachains.sdk.relay_state_snapshot import MessagingStateSnapshot, RelayDispatchQueueRemainingCapacity
from parachains.sdk.xcmp_pages import ChannelSignal, XcmpMessageFormat, messages, new_page, signals
from parachains.sdk.xcmp_queue import (
    MAX_PAGE_SIZE,
    OutboundChannelDetails,
    OutboundState,
    QueueConfigData,
    XcmpQueue,
    XcmpSendError,
    is_paused,
)
from relaychain.primitives.messages import AbridgedHrmpChannel, InboundHrmpMessage
from relaychain.primitives.types import ParaId
from substrate.pallets.fees import FIXED_ONE
from substrate.pallets.message_queue_types import QueueFootprint
from substrate.scale.codec import encode
from substrate.state import Overlay
from substrate.trie.trie import Trie
from substrate.types import BlockNumber, Hash
from testnet.examples.bazaar import Bazaar
from xcm.instruction import ClearOrigin, Trap, Xcm
from xcm.versions.versioned import encode_message, versioned_xcm

A, B = ParaId(1000), ParaId(3000)
XCM = XcmpMessageFormat.CONCATENATED_VERSIONED_XCM
programs = st.lists(st.sampled_from([ClearOrigin(), Trap(7)]), max_size=3)


def message(*instructions: object, version: int = 5) -> bytes:
    return encode_message(versioned_xcm(Xcm(instructions), version))  # type: ignore[arg-type]


def queue(capacity: int = 8, total: int = 1000, size: int = 100) -> XcmpQueue:
    runtime = Bazaar.runtime()(Overlay(Trie.empty()))
    channel = AbridgedHrmpChannel(capacity, total, size, 0, 0, None)
    state = MessagingStateSnapshot(
        Hash(bytes(32)), RelayDispatchQueueRemainingCapacity(1, 1), (), ((A, channel), (B, channel))
    )
    runtime.pallet(ParachainSystem).relevant_messaging_state.put(state)
    return runtime.pallet(XcmpQueue)


@given(st.lists(st.tuples(programs, st.integers(3, 5)), max_size=5))
def test_a_page_gives_back_its_fragments(parts: list[tuple[list[object], int]]) -> None:
    fragments = [message(*program, version=version) for program, version in parts]
    plain = new_page(XCM, b"".join(fragments))
    opaque = new_page(
        XcmpMessageFormat.CONCATENATED_OPAQUE_VERSIONED_XCM, b"".join(encode(bytes, part) for part in fragments)
    )

    assert list(messages(plain)) == list(messages(opaque)) == fragments


def test_what_follows_a_broken_fragment_is_lost() -> None:
    good = message(ClearOrigin())

    assert list(messages(new_page(XCM, good + b"\xff" + good))) == [good]


def test_signals_end_at_the_first_unknown_one() -> None:
    assert signals(b"\x02\x00\x01\x07\x00") == (ChannelSignal.SUSPEND, ChannelSignal.RESUME)


def test_fragments_share_a_page_while_they_fit() -> None:
    xcmp = queue()
    for _ in range(3):
        xcmp.send_fragment(A, XCM, b"x" * 40)

    pages = [xcmp.outbound_xcmp_messages[A, index] for index in range(2)]

    assert pages == [b"\0" + b"x" * 80, b"\0" + b"x" * 40]


@pytest.mark.parametrize(
    ("recipient", "size", "reason"),
    [(ParaId(7), 1, "NoChannel (recipient=7)"), (A, 100, "TooBig (size=101, limit=100)")],
)
def test_a_fragment_that_cannot_go_is_refused(recipient: ParaId, size: int, reason: str) -> None:
    with pytest.raises(XcmpSendError) as rejection:
        queue().send_fragment(recipient, XCM, b"x" * size)

    assert str(rejection.value) == reason


def test_our_own_limit_holds_where_a_channel_takes_larger_pages() -> None:
    xcmp = queue(total=10 * MAX_PAGE_SIZE, size=2 * MAX_PAGE_SIZE)
    with pytest.raises(XcmpSendError) as rejection:
        xcmp.send_fragment(A, XCM, b"x" * MAX_PAGE_SIZE)
    assert str(rejection.value) == f"TooBig (size={MAX_PAGE_SIZE + 1}, limit={MAX_PAGE_SIZE})"

    largest = b"x" * (MAX_PAGE_SIZE - 1)
    for fragment in (largest, b"y"):
        xcmp.send_fragment(A, XCM, fragment)

    assert [xcmp.outbound_xcmp_messages[A, index] for index in range(2)] == [b"\0" + largest, b"\0y"]


def test_recipients_come_out_ascending_one_page_each_and_take_turns() -> None:
    xcmp = queue()
    for recipient in (B, A, B, A):
        xcmp.send_fragment(recipient, XCM, b"x" * 90)

    def taken(maximum: int) -> list[ParaId]:
        return [message.recipient for message in xcmp.take_outbound(maximum)]

    assert [taken(2), taken(1), taken(1), taken(2)] == [[A, B], [B], [A], []]
    assert xcmp.outbound_xcmp_status.get() == ()


def test_whoever_got_nothing_comes_first_in_the_next_block() -> None:
    """Given more for A and B than a block takes. When each block takes one page. Then they take turns."""
    xcmp = queue()
    for recipient in (A, A, A, B, B):
        xcmp.send_fragment(recipient, XCM, b"x" * 90)

    taken = [[message.recipient for message in xcmp.take_outbound(1)] for _ in range(6)]

    assert taken == [[A], [B], [A], [B], [A], []]


def test_a_suspended_recipient_gets_signals_only() -> None:
    xcmp = queue()
    xcmp.send_fragment(A, XCM, b"x")
    suspend = InboundHrmpMessage(BlockNumber(1), bytes([XcmpMessageFormat.SIGNALS, ChannelSignal.SUSPEND]))
    resume = InboundHrmpMessage(BlockNumber(2), bytes([XcmpMessageFormat.SIGNALS, ChannelSignal.RESUME]))

    xcmp.handle_pages([(A, suspend)])
    assert xcmp.take_outbound(5) == ()
    assert xcmp.outbound_xcmp_status.get()[0].state == OutboundState.Suspended
    xcmp.send_signal(A, ChannelSignal.SUSPEND)
    assert [out.data for out in xcmp.take_outbound(5)] == [b"\x02\x00"]
    xcmp.handle_pages([(A, resume)])

    assert [out.data for out in xcmp.take_outbound(5)] == [b"\0x"]


def test_a_long_inbound_queue_stops_its_sender_until_it_is_short() -> None:
    xcmp = queue()
    xcmp.queue_config.put(QueueConfigData(suspend_threshold=2, drop_threshold=2, resume_threshold=1))
    page = InboundHrmpMessage(BlockNumber(1), new_page(XCM, message(*[Trap(1)] * 60) * 400))

    def ready_pages() -> int:
        return xcmp.pallet(MessageQueue).footprint(Sibling(A)).ready_pages

    while ready_pages() < 2:
        assert xcmp.inbound_xcmp_suspended.get() == ()
        xcmp.handle_pages([(A, page)])
    assert xcmp.inbound_xcmp_suspended.get() == (A,)
    assert xcmp.take_outbound(5)[0].data == b"\x02\x00"

    full = xcmp.pallet(MessageQueue).footprint(Sibling(A))
    xcmp.handle_pages([(A, page)])
    assert xcmp.pallet(MessageQueue).footprint(Sibling(A)) == full

    xcmp.queue_changed(A, full._replace(ready_pages=1))
    assert xcmp.inbound_xcmp_suspended.get() == ()
    assert xcmp.take_outbound(5)[0].data == b"\x02\x01"


def test_delivery_gets_dearer_while_a_channel_is_congested() -> None:
    xcmp = queue(total=200)
    xcmp.send_fragment(A, XCM, b"x" * 90)
    assert xcmp.delivery_fee_factor[A] == FIXED_ONE

    xcmp.send_fragment(A, XCM, b"x" * 90)
    assert xcmp.delivery_fee_factor[A] == FIXED_ONE * 105 // 100
    xcmp.take_outbound(1)

    assert xcmp.delivery_fee_factor[A] == FIXED_ONE


def test_the_pages_of_a_closed_channel_are_dropped() -> None:
    xcmp = queue()
    xcmp.send_fragment(A, XCM, b"x")
    xcmp.pallet(ParachainSystem).relevant_messaging_state.kill()

    assert xcmp.take_outbound(5) == ()
    assert xcmp.outbound_xcmp_status.get() == ()
    assert (A, 0) not in xcmp.outbound_xcmp_messages


@pytest.mark.parametrize(("capacity", "taken"), [(0, []), (1, [A])])
def test_a_channel_that_is_full_gets_no_message(capacity: int, taken: list[ParaId]) -> None:
    xcmp = queue(capacity)
    xcmp.send_fragment(A, XCM, b"x")

    assert [message.recipient for message in xcmp.take_outbound(5)] == taken
    assert ((A, 0) in xcmp.outbound_xcmp_messages) == (not taken)


def test_a_suspended_queue_still_serves_the_relay_chain() -> None:
    xcmp = queue()
    assert [is_paused(xcmp, origin) for origin in (Parent(), Sibling(A))] == [False, False]
    xcmp.queue_suspended.put(True)

    assert [is_paused(xcmp, origin) for origin in (Parent(), Sibling(A))] == [False, True]


def test_no_signal_stops_a_block_where_there_is_no_room_for_it() -> None:
    xcmp = queue()
    full = tuple(
        OutboundChannelDetails(ParaId(5000 + place), OutboundState.Suspended)
        for place in range(xcmp.max_active_outbound_channels)
    )
    xcmp.outbound_xcmp_status.put(full)

    xcmp.handle_pages([(A, InboundHrmpMessage(BlockNumber(1), new_page(XcmpMessageFormat.SIGNALS, b"\0")))])
    xcmp.queue_changed(A, QueueFootprint(99, 99, 99, 99))

    assert xcmp.outbound_xcmp_status.get() == full
    assert xcmp.inbound_xcmp_suspended.get() == ()
    xcmp.outbound_xcmp_status.put(())
    xcmp.queue_changed(A, QueueFootprint(99, 99, 99, 99))
    assert xcmp.inbound_xcmp_suspended.get() == (A,)


@given(st.binary(max_size=40))
def test_no_page_of_a_sibling_stops_a_block(data: bytes) -> None:
    xcmp = queue()

    xcmp.handle_pages([(A, InboundHrmpMessage(BlockNumber(1), data))])
    list(messages(b"\0" + data))
    list(messages(b"\3" + data))
