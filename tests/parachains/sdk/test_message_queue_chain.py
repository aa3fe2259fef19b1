"""Inbound messages against the relay chain's heads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parachains.sdk.message_queue_chain import InboundError, InboundHorizontal, check_downward, check_horizontal
from relaychain.primitives.messages import (
    AbridgedHrmpChannel,
    InboundDownwardMessage,
    InboundHrmpMessage,
    mqc_head,
)
from relaychain.primitives.types import ZERO_HASH, ParaId
from substrate.types import BlockNumber, Hash

A, B = ParaId(1000), ParaId(2000)


def down(*heights: int) -> list[InboundDownwardMessage]:
    return [InboundDownwardMessage(BlockNumber(height), bytes([height])) for height in heights]


def across(*heights: int) -> tuple[InboundHrmpMessage, ...]:
    return tuple(InboundHrmpMessage(BlockNumber(height), bytes([height])) for height in heights)


def channel(head: Hash | None) -> AbridgedHrmpChannel:
    return AbridgedHrmpChannel(8, 1024, 1024, 0, 0, head)


@given(st.lists(st.integers(0, 200), max_size=8), st.integers(0, 8))
def test_only_the_whole_queue_leads_to_its_head(heights: list[int], kept: int) -> None:
    queue = down(*heights)
    head = mqc_head(queue)

    assert check_downward(queue, last_head=ZERO_HASH, expected=head) == head
    if kept < len(queue):
        with pytest.raises(InboundError, match="DmqMqcHeadMismatch"):
            check_downward(queue[:kept], last_head=ZERO_HASH, expected=head)


def test_messages_go_by_block_then_sender_and_the_last_sets_the_watermark() -> None:
    submitted = {B: across(3, 5), A: across(3, 4)}
    channels = [(para, channel(mqc_head(queue))) for para, queue in sorted(submitted.items())]

    inbound = check_horizontal(submitted, channels=channels, last_heads={}, relay_parent_number=BlockNumber(9))

    assert [(sender, message.sent_at) for sender, message in inbound.messages] == [(A, 3), (B, 3), (A, 4), (B, 5)]
    assert inbound.watermark == 5


def test_without_messages_the_watermark_is_the_relay_parent() -> None:
    inbound = check_horizontal({}, channels=[(A, channel(None))], last_heads={}, relay_parent_number=BlockNumber(9))

    assert inbound == InboundHorizontal((), {A: ZERO_HASH}, BlockNumber(9))


def test_a_message_from_a_stranger_is_refused() -> None:
    with pytest.raises(InboundError) as rejection:
        check_horizontal({A: across(1)}, channels=[], last_heads={}, relay_parent_number=BlockNumber(9))

    assert str(rejection.value) == "HrmpNoSuchChannel (sender=1000)"


def test_a_closed_channels_head_is_forgotten() -> None:
    last = {A: Hash(b"\x01" * 32), B: Hash(b"\x02" * 32)}
    channels = [(B, channel(last[B]))]

    inbound = check_horizontal({}, channels=channels, last_heads=last, relay_parent_number=BlockNumber(9))

    assert inbound.heads == {B: last[B]}
