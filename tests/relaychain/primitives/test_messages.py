"""Messages: queue chains, upward signals, and the core a candidate selects."""

import json
from pathlib import Path
from typing import Any

import pytest

from relaychain.primitives.candidate import (
    CandidateCommitments,
    CandidateDescriptor,
    CandidateError,
    CandidateReason,
    CommittedCandidateReceipt,
    check_ump_signals,
)
from relaychain.primitives.messages import (
    UMP_SEPARATOR,
    ApprovedPeer,
    InboundDownwardMessage,
    SelectCore,
    UMPSignal,
    UmpSignalError,
    UmpSignalReason,
    UmpSignals,
    UpwardMessage,
    mqc_head,
    mqc_link,
    skip_ump_signals,
    ump_signals,
)
from relaychain.primitives.types import (
    ZERO_HASH,
    ClaimQueueOffset,
    CoreIndex,
    CoreSelector,
    HeadData,
    ParaId,
)
from substrate.scale.codec import encode
from substrate.types import BlockNumber

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "vectors" / "relay_mqc.json").read_text())[
    "cases"
]
PARA = ParaId(2000)


def select(selector: int, offset: int = 0) -> UpwardMessage:
    return UpwardMessage(encode(UMPSignal, SelectCore(CoreSelector(selector), ClaimQueueOffset(offset))))


PEER = UpwardMessage(encode(UMPSignal, ApprovedPeer(b"peer")))


@pytest.mark.parametrize("case", VECTORS)
def test_heads_of_queue_chains_are_polkadots(case: dict[str, Any]) -> None:
    head, heads = ZERO_HASH, []
    messages = [
        InboundDownwardMessage(BlockNumber(message["sent_at"]), bytes.fromhex(message["msg"][2:]))
        for message in case["messages"]
    ]
    for message in messages:
        head = mqc_link(head, sent_at=message.sent_at, msg=message.msg)
        heads.append("0x" + head.hex())

    assert heads == case["heads"]
    assert mqc_head(messages) == head


def test_signals_follow_the_separator_and_do_not_count_as_messages() -> None:
    messages = [UpwardMessage(b"xcm"), UMP_SEPARATOR, select(3, 1), PEER]

    assert skip_ump_signals(messages) == [b"xcm"]
    assert ump_signals(messages) == UmpSignals(SelectCore(CoreSelector(3), ClaimQueueOffset(1)), ApprovedPeer(b"peer"))
    assert ump_signals([UpwardMessage(b"xcm")]) == UmpSignals()


@pytest.mark.parametrize(
    ("signals", "reason"),
    [
        ([select(0), PEER, PEER], UmpSignalReason.TOO_MANY),
        ([select(0), select(1)], UmpSignalReason.DUPLICATE),
        ([PEER, PEER], UmpSignalReason.DUPLICATE),
        ([UpwardMessage(b"\x09")], UmpSignalReason.DECODE),
    ],
)
def test_malformed_signals_have_reasons(signals: list[UpwardMessage], reason: UmpSignalReason) -> None:
    with pytest.raises(UmpSignalError) as rejection:
        ump_signals([UMP_SEPARATOR, *signals])

    assert rejection.value.reason is reason


def candidate(core: int, *signals: UpwardMessage, version: int = 0, reserved: int = 0) -> CommittedCandidateReceipt:
    hash_ = ZERO_HASH
    descriptor = CandidateDescriptor.decode(
        PARA.to_bytes(4, "little")
        + hash_
        + bytes([version])
        + core.to_bytes(2, "little")
        + bytes(4)
        + bytes([reserved] * 25)
        + bytes(32 * 3 + 64 + 32 * 2)
    )
    messages = (UMP_SEPARATOR, *signals) if signals else ()
    return CommittedCandidateReceipt(
        descriptor, CandidateCommitments(messages, (), None, HeadData(b""), 0, BlockNumber(0))
    )


CORES = {PARA: {0: (CoreIndex(1), CoreIndex(4)), 1: (CoreIndex(2),)}}


@pytest.mark.parametrize(
    "accepted",
    [candidate(4), candidate(4, select(1)), candidate(1, select(2)), candidate(2, select(9, 1)), candidate(1, PEER)],
)
def test_a_candidate_names_the_core_it_selects(accepted: CommittedCandidateReceipt) -> None:
    check_ump_signals(accepted, CORES)


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (candidate(4, select(0)), CandidateReason.CORE_INDEX_MISMATCH),
        (candidate(2), CandidateReason.INVALID_CORE_INDEX),
        (candidate(1, select(0, 2)), CandidateReason.NO_ASSIGNMENT),
        (candidate(1, version=3), CandidateReason.UNKNOWN_VERSION),
        (candidate(1, select(0), reserved=1), CandidateReason.UMP_SIGNAL_WITH_V1_DESCRIPTOR),
    ],
)
def test_a_wrong_core_has_its_reason(refused: CommittedCandidateReceipt, reason: CandidateReason) -> None:
    with pytest.raises(CandidateError) as rejection:
        check_ump_signals(refused, CORES)

    assert rejection.value.reason is reason
