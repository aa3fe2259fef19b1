"""DMP: filling and consuming the downward queue."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaychain.primitives.messages import InboundDownwardMessage, mqc_head
from relaychain.primitives.types import BlockNumber, ParaId
from relaychain.runtime.configuration import default_configuration, with_overrides
from relaychain.runtime.dmp import (
    FIXED_ONE,
    DmpError,
    DmpReason,
    FixedU128,
    check_can_queue,
    decreased_fee_factor,
    increased_fee_factor,
    max_queue_length,
    prune_downward_queue,
)

PARA = ParaId(2000)
CONFIG = with_overrides(default_configuration(), {"max_downward_message_size": 1024})


def queue_sent_at(*heights: int) -> list[InboundDownwardMessage]:
    return [InboundDownwardMessage(BlockNumber(height), b"") for height in heights]


def test_ignoring_a_visible_message_breaks_the_advancement_rule() -> None:
    queue, parent = queue_sent_at(5), BlockNumber(5)

    with pytest.raises(DmpError) as rejection:
        prune_downward_queue(queue, processed_count=0, relay_parent_number=parent)

    assert str(rejection.value) == "AdvancementRule (oldest_sent_at=5)"
    assert prune_downward_queue(queue, processed_count=0, relay_parent_number=BlockNumber(4)) == queue


def test_more_than_there_is_cannot_be_processed() -> None:
    with pytest.raises(DmpError) as rejection:
        prune_downward_queue(queue_sent_at(1), processed_count=2, relay_parent_number=BlockNumber(1))

    assert rejection.value.reason is DmpReason.UNDERFLOW


@given(first=st.integers(0, 4), second=st.integers(0, 4))
def test_pruning_twice_equals_pruning_the_sum(first: int, second: int) -> None:
    queue, parent = queue_sent_at(*range(1, 9)), BlockNumber(0)

    halfway = prune_downward_queue(queue, processed_count=first, relay_parent_number=parent)
    after = prune_downward_queue(halfway, processed_count=second, relay_parent_number=parent)

    assert after == queue[first + second :]


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


def test_the_fee_factor_grows_by_upstreams_steps_and_never_falls_below_one() -> None:
    one = FixedU128(FIXED_ONE)

    assert increased_fee_factor(one, message_size_bytes=1023) == 105 * FIXED_ONE // 100
    assert increased_fee_factor(one, message_size_bytes=2048) == 1052 * FIXED_ONE // 1000
    assert decreased_fee_factor(increased_fee_factor(one, message_size_bytes=0)) == one
    assert decreased_fee_factor(one) == one


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
