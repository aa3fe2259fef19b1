"""UMP: limits of upward messages, and what paras are told of them."""

from typing import Any

import pytest

from relaychain.primitives import well_known_keys
from relaychain.primitives.messages import UMP_SEPARATOR, UpwardMessage
from relaychain.primitives.types import ParaId
from relaychain.runtime.configuration import default_configuration, with_overrides
from relaychain.runtime.ump import (
    QueueSize,
    UmpError,
    UmpReason,
    check_upward_messages,
    encode_remaining_capacity,
    remaining_capacity,
)

PARA = ParaId(2000)
CONFIG = with_overrides(
    default_configuration(),
    {
        "max_upward_message_num_per_candidate": 2,
        "max_upward_queue_count": 4,
        "max_upward_queue_size": 20,
        "max_upward_message_size": 8,
    },
)


def messages(*sizes: int) -> tuple[UpwardMessage, ...]:
    return tuple(UpwardMessage(b"m" * size) for size in sizes)


@pytest.mark.parametrize(
    ("sent", "queued"),
    [
        (messages(8, 8), QueueSize()),
        (messages(1, 1), QueueSize(2, 0)),
        (messages(8), QueueSize(0, 12)),
        ((*messages(1, 1), UMP_SEPARATOR, UpwardMessage(b"\0\0\0")), QueueSize(2, 18)),
    ],
)
def test_messages_within_all_limits_pass(sent: tuple[UpwardMessage, ...], queued: QueueSize) -> None:
    check_upward_messages(CONFIG, sent, queued=queued, is_offboarding=False)


@pytest.mark.parametrize(
    ("sent", "queued", "is_offboarding", "reason"),
    [
        (messages(1, 1, 1), QueueSize(), False, UmpReason.MORE_MESSAGES_THAN_PERMITTED),
        (messages(9), QueueSize(), False, UmpReason.MESSAGE_SIZE),
        (messages(1, 1), QueueSize(3, 0), False, UmpReason.CAPACITY_EXCEEDED),
        (messages(8), QueueSize(0, 13), False, UmpReason.TOTAL_SIZE_EXCEEDED),
        (messages(1), QueueSize(), True, UmpReason.IS_OFFBOARDING),
    ],
)
def test_each_limit_has_its_reason(
    sent: tuple[UpwardMessage, ...], queued: QueueSize, is_offboarding: bool, reason: UmpReason
) -> None:
    with pytest.raises(UmpError) as rejection:
        check_upward_messages(CONFIG, sent, queued=queued, is_offboarding=is_offboarding)

    assert rejection.value.reason is reason


def test_remaining_capacity_is_what_paras_read() -> None:
    assert remaining_capacity(CONFIG, QueueSize(1, 5)) == (3, 15)
    assert remaining_capacity(CONFIG, QueueSize(9, 99)) == (0, 0)
    assert encode_remaining_capacity(CONFIG, QueueSize(1, 5)) == b"\3\0\0\0\x0f\0\0\0"


def test_an_included_candidate_fills_the_queue(make_relay: Any) -> None:
    relay = make_relay()

    state = relay.include(2000, b"one", upward_messages=(*messages(3), UMP_SEPARATOR))

    assert state.para_inclusion.upward_queue(state).received == ((PARA, b"mmm"),)


def test_the_queue_tells_paras_through_the_well_known_key(make_relay: Any) -> None:
    runtime = make_relay().runtime
    runtime.para_inclusion.on_queue_changed(PARA, QueueSize(2, 10))

    raw = runtime.state.get(well_known_keys.relay_dispatch_queue_remaining_capacity(PARA))

    assert raw == (174_760).to_bytes(4, "little") + (8 * 1024 * 1024 - 10).to_bytes(4, "little")
