"""DMP: filling and consuming the downward queue."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relaychain.primitives.messages import InboundDownwardMessage, mqc_head
from relaychain.primitives.types import BlockNumber, ParaId
from relaychain.runtime.configuration import default_configuration, with_overrides
from relaychain.runtime.dmp import (
    MAX_FACTOR,
    DmpError,
    DmpReason,
    check_can_queue,
    check_processed_downward_messages,
    max_queue_length,
)
from substrate.pallets.fees import FIXED_ONE

PARA = ParaId(2000)
CONFIG = with_overrides(default_configuration(), {"max_downward_message_size": 1024})


def queue_sent_at(*heights: int) -> list[InboundDownwardMessage]:
    return [InboundDownwardMessage(BlockNumber(height), b"") for height in heights]


def test_ignoring_a_visible_message_breaks_the_advancement_rule() -> None:
    queue, parent = queue_sent_at(5), BlockNumber(5)

    with pytest.raises(DmpError) as rejection:
        check_processed_downward_messages(queue, processed_count=0, relay_parent_number=parent)

    assert str(rejection.value) == "AdvancementRule (oldest_sent_at=5)"
    check_processed_downward_messages(queue, processed_count=1, relay_parent_number=parent)
    check_processed_downward_messages(queue, processed_count=0, relay_parent_number=BlockNumber(4))
    check_processed_downward_messages((), processed_count=0, relay_parent_number=parent)


def test_more_than_there_is_cannot_be_processed() -> None:
    with pytest.raises(DmpError) as rejection:
        check_processed_downward_messages(queue_sent_at(1), processed_count=2, relay_parent_number=BlockNumber(1))

    assert rejection.value.reason is DmpReason.UNDERFLOW


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.lists(st.binary(max_size=4), max_size=3), st.integers(0, 3)), max_size=12))
def test_messages_are_received_once_and_in_order(make_relay: Any, steps: list[tuple[list[bytes], int]]) -> None:
    dmp = make_relay().opened().dmp
    sent: list[bytes] = []
    received: list[bytes] = []
    for messages, processed in steps:
        for msg in messages:
            dmp.queue_downward_message(PARA, msg)
        sent += messages
        received += [message.msg for message in dmp.dmq_contents(PARA)[:processed]]
        dmp.prune_dmq(PARA, processed)

    assert [*received, *(message.msg for message in dmp.dmq_contents(PARA))] == sent
    everything = [InboundDownwardMessage(BlockNumber(1), msg) for msg in sent]
    assert dmp.downward_message_queue_heads[PARA] == mqc_head(everything)


def test_a_queue_takes_messages_up_to_its_limits() -> None:
    longest = max_queue_length(1024)
    check_can_queue(CONFIG, queue_length=longest - 1, message_size_bytes=1024)
    for length, size, reason in (
        (longest, 1, DmpReason.EXCEEDS_MAX_QUEUE_LENGTH),
        (0, 1025, DmpReason.EXCEEDS_MAX_MESSAGE_SIZE),
    ):
        with pytest.raises(DmpError) as rejection:
            check_can_queue(CONFIG, queue_length=length, message_size_bytes=size)
        assert rejection.value.reason is reason


def test_the_fee_factor_grows_by_upstreams_steps_above_half_full_and_never_falls_below_one(make_relay: Any) -> None:
    dmp = make_relay(max_downward_message_size=8 * 1024 * 1024).opened().dmp  # room for four messages

    factors = []
    for size in (0, 0, 1023, 2048):
        dmp.queue_downward_message(PARA, bytes(size))
        factors.append(dmp.delivery_fee_factor[PARA])
    assert factors == [FIXED_ONE, FIXED_ONE, 105 * FIXED_ONE // 100, 105 * FIXED_ONE // 100 * 1052 // 1000]

    dmp.prune_dmq(PARA, 1)
    assert dmp.delivery_fee_factor[PARA] == factors[-1]
    dmp.prune_dmq(PARA, 1)
    assert dmp.delivery_fee_factor[PARA] == 1052 * FIXED_ONE // 1000
    for _ in range(3):
        dmp.prune_dmq(PARA, 0)
    assert dmp.delivery_fee_factor[PARA] == FIXED_ONE


def test_the_fee_factor_has_an_end(make_relay: Any) -> None:
    dmp = make_relay(max_downward_message_size=32 * 1024 * 1024).opened().dmp
    dmp.delivery_fee_factor[PARA] = MAX_FACTOR

    dmp.queue_downward_message(PARA, b"")

    assert dmp.delivery_fee_factor[PARA] == MAX_FACTOR


def test_messages_reach_the_para_and_their_chain_of_hashes_is_kept(make_relay: Any) -> None:
    relay = make_relay()
    relay.block(before=lambda runtime: runtime.dmp.queue_downward_message(PARA, b"hello"))
    relay.block(before=lambda runtime: runtime.dmp.queue_downward_message(PARA, b"again"))
    sent = (InboundDownwardMessage(BlockNumber(1), b"hello"), InboundDownwardMessage(BlockNumber(2), b"again"))
    assert relay.runtime.dmp.dmq_contents(PARA) == sent
    assert relay.runtime.dmp.downward_message_queue_heads[PARA] == mqc_head(sent)

    # A candidate that ignores them is left out; one that processes them is included.
    state = relay.block([relay.backed(relay.candidate(2000, b"one"))])
    assert state.candidate_events() == ()
    state = relay.include(2000, b"one", processed_downward_messages=1)
    assert state.dmp.dmq_contents(PARA) == sent[1:]
    assert state.dmp.downward_message_queue_heads[PARA] == mqc_head(sent)


def test_an_unknown_para_cannot_be_reached(make_relay: Any) -> None:
    with pytest.raises(DmpError) as rejection:
        make_relay().runtime.dmp.queue_downward_message(ParaId(1), b"")

    assert rejection.value.reason is DmpReason.UNROUTABLE
