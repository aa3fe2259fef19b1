"""A para's way through the relay chain: backed, included, or timed out."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relaychain.primitives.core_state import (
    CandidateBacked,
    CandidateIncluded,
    CandidateTimedOut,
    Free,
    Occupied,
    Scheduled,
    ScheduledCore,
)
from relaychain.primitives.disputes import DisputeStatementSet
from relaychain.primitives.inherent import PARACHAINS_INHERENT_IDENTIFIER, ParachainsInherentData
from relaychain.primitives.types import CandidateHash, OccupiedCoreAssumption, ParaId, SessionIndex, ValidationCode
from relaychain.runtime import sanitize
from substrate.runtime.dispatch import DispatchFailure
from substrate.runtime.executive import BlockBuilder, BlockError, BlockReason, execute_block
from substrate.runtime.origin import RawNone
from substrate.runtime.steps import StepLimit
from substrate.scale.codec import encode

PARA = ParaId(2000)


def events(state: Any) -> list[type]:
    return [type(event) for event in state.candidate_events()]


def enter(relay: Any, data: ParachainsInherentData) -> Any:
    """Enter data as it is, as a careless author would."""
    runtime = relay.opened()
    runtime.dispatch(type(runtime).call(type(runtime.para_inherent).enter, data=data), RawNone())
    return relay.close(runtime)


def refused(relay: Any, data: ParachainsInherentData) -> str:
    with pytest.raises(DispatchFailure) as failure:
        enter(relay, data)
    return str(failure.value.__cause__)


def test_a_candidate_is_backed_then_included(make_relay: Any) -> None:
    relay = make_relay()

    state = relay.block([relay.backed(relay.candidate(2000, b"one"))])
    assert events(state) == [CandidateBacked]
    assert isinstance(state.availability_cores()[0], Occupied)
    assert state.paras.heads[PARA] == b"genesis"

    state = relay.block(bitfields=relay.bitfields([0]))
    assert events(state) == [CandidateIncluded]
    assert state.availability_cores() == (Scheduled(ScheduledCore(PARA)),)
    assert state.paras.heads[PARA] == b"one"
    assert state.paras.most_recent_context[PARA] == 0


def test_one_candidate_is_in_flight_and_the_next_is_backed_as_it_is_included(make_relay: Any) -> None:
    relay = make_relay()
    relay.block([relay.backed(relay.candidate(2000, b"one"))])

    state = relay.block([relay.backed(relay.candidate(2000, b"two"))])
    assert events(state) == []

    state = relay.block([relay.backed(relay.candidate(2000, b"two"))], relay.bitfields([0]))
    assert events(state) == [CandidateIncluded, CandidateBacked]


@pytest.mark.parametrize(("voters", "is_included"), [([0, 1], False), ([0, 1, 2], True)])
def test_inclusion_takes_a_supermajority(make_relay: Any, voters: Sequence[int], is_included: bool) -> None:
    relay = make_relay()
    relay.block([relay.backed(relay.candidate(2000, b"one"))])

    state = relay.block(bitfields=relay.bitfields([0], voters))

    assert (state.paras.heads[PARA] == b"one") is is_included


def test_votes_of_several_blocks_add_up(make_relay: Any) -> None:
    relay = make_relay()
    relay.block([relay.backed(relay.candidate(2000, b"one"))])

    relay.block(bitfields=relay.bitfields([0], [0, 1]))
    state = relay.block(bitfields=relay.bitfields([0], [1, 3]))

    assert state.paras.heads[PARA] == b"one"


@pytest.mark.parametrize(("age", "is_backed"), [(0, True), (2, True), (3, False)])
def test_relay_parents_up_to_the_lookahead_are_allowed(make_relay: Any, age: int, is_backed: bool) -> None:
    relay = make_relay()
    for _ in range(5):
        relay.block()

    state = relay.block([relay.backed(relay.candidate(2000, b"one", parent=5 - age))])

    assert events(state) == ([CandidateBacked] if is_backed else [])


def test_a_candidate_may_not_build_on_an_older_relay_parent_than_the_one_before(make_relay: Any) -> None:
    relay = make_relay()
    relay.block()
    relay.include(2000, b"one")

    state = relay.block([relay.backed(relay.candidate(2000, b"two", parent=1))])
    assert events(state) == [CandidateBacked]

    relay.block(bitfields=relay.bitfields([0]))
    state = relay.block([relay.backed(relay.candidate(2000, b"three", parent=4))])
    assert events(state) == [CandidateBacked]
    relay.block(bitfields=relay.bitfields([0]))
    assert events(relay.block([relay.backed(relay.candidate(2000, b"four", parent=3))])) == []


def test_unavailable_candidates_time_out_in_the_head_of_a_rotation(make_relay: Any) -> None:
    relay = make_relay(scheduler_params={"group_rotation_frequency": 10, "paras_availability_period": 4})
    for _ in range(4):
        relay.block()
    relay.block([relay.backed(relay.candidate(2000, b"one"))])
    seen = []
    while relay.header.number < 12:
        if CandidateTimedOut in events(relay.block()):
            seen.append(relay.header.number)

    # The session starts at block 1, so the rotation at block 11; the check runs one block ahead.
    assert seen == [10]
    assert relay.runtime.paras.heads[PARA] == b"genesis"


@pytest.mark.parametrize(
    "change",
    [
        {"session_index": SessionIndex(1)},
        {"version": 1},
        {"core_index": 1},
        {"relay_parent": b"\1" * 32},
        {"persisted_validation_data_hash": b"\1" * 32},
        {"para_head": b"\1" * 32},
        {"validation_code_hash": b"\1" * 32},
    ],
)
def test_a_candidate_with_a_wrong_descriptor_is_left_out(make_relay: Any, change: dict[str, Any]) -> None:
    relay = make_relay()
    backed = relay.backed(relay.candidate(2000, b"one"))
    candidate = backed.candidate
    wrong = msgspec.structs.replace(candidate, descriptor=msgspec.structs.replace(candidate.descriptor, **change))
    wrong_backed = msgspec.structs.replace(backed, candidate=wrong)

    assert events(relay.block([wrong_backed])) == []
    assert refused(relay, relay.data([wrong_backed])).startswith("ParaInherent.InherentDataFilteredDuringExecution")


def test_outputs_over_the_limits_are_left_out(make_relay: Any) -> None:
    relay = make_relay(max_head_data_size=8)

    assert events(relay.block([relay.backed(relay.candidate(2000, b"123456789"))])) == []
    assert events(relay.block([relay.backed(relay.candidate(2000, b"12345678"))])) == [CandidateBacked]


def test_too_few_or_forged_votes_make_the_block_invalid(make_relay: Any) -> None:
    relay = make_relay()
    candidate = relay.candidate(2000, b"one")
    assert refused(relay, relay.data([relay.backed(candidate, votes=1)])).startswith("InsufficientBacking")

    backed = relay.backed(candidate)
    other = msgspec.structs.replace(
        candidate, commitments=msgspec.structs.replace(candidate.commitments, hrmp_watermark=0, upward_messages=(b"x",))
    )
    assert refused(relay, relay.data([msgspec.structs.replace(backed, candidate=other)])).startswith("InvalidBacking")


def test_candidates_that_make_a_block_too_long_wait_without_stopping_it(make_relay: Any) -> None:
    relay = make_relay([2000, 2001, 2002], validators=6)
    code = ValidationCode(bytes(3 * 1024 * 1024))
    big = [
        relay.backed(relay.candidate(para, b"big", core=core, new_validation_code=code))
        for core, para in enumerate((2000, 2001))
    ]
    small = relay.backed(relay.candidate(2002, b"small", core=2))
    builder = BlockBuilder(type(relay.runtime), relay.state, relay.header, ())
    builder.inherents({PARACHAINS_INHERENT_IDENTIFIER: relay.data([*big, small]).encode()})

    pending = builder.runtime.para_inclusion.pending_availability
    assert [len(pending[ParaId(para)]) for para in (2000, 2001, 2002)] == [1, 0, 1]


@pytest.mark.parametrize("failure", [StepLimit(), KeyboardInterrupt()])
def test_what_is_no_matter_of_the_data_is_not_answered_with_an_empty_inherent(
    make_relay: Any, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    relay = make_relay()
    builder = BlockBuilder(type(relay.runtime), relay.state, relay.header, ())

    def fail(*_args: object, **_facts: object) -> None:
        monkeypatch.undo()
        raise failure

    monkeypatch.setattr(sanitize, "sanitized_bitfields", fail)
    with pytest.raises(type(failure)):
        builder.inherents({PARACHAINS_INHERENT_IDENTIFIER: relay.data([]).encode()})


def test_bitfields_that_do_not_count_drop_silently(make_relay: Any) -> None:
    relay = make_relay()
    relay.block([relay.backed(relay.candidate(2000, b"one"))])
    good = relay.bitfields([0])
    forged = msgspec.structs.replace(good[1], signature=good[2].signature)

    relay.block(bitfields=[good[0], good[0], forged, good[1], good[2]])

    # As upstream, a validator whose first bitfield is forged gets no second one.
    votes = relay.runtime.para_inclusion.pending_availability[PARA][0].availability_votes
    assert votes.indices() == (0, 2)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    voters=st.lists(st.integers(0, 6), max_size=7),
    cores=st.sets(st.integers(0, 2)),
    flips=st.lists(st.booleans(), min_size=7, max_size=7),
)
def test_no_candidate_is_included_without_a_supermajority_of_true_bitfields(
    make_relay: Any, voters: list[int], cores: set[int], flips: list[bool]
) -> None:
    relay = make_relay([2000, 2001, 2002], validators=7)
    relay.block([relay.backed(relay.candidate(2000 + core, b"one", core=core)) for core in range(3)])
    bitfields = []
    for index in voters:
        bitfield = relay.bitfield(index, sorted(cores))
        if flips[index]:
            signature = bytes([bitfield.signature[0] ^ 1]) + bitfield.signature[1:]
            bitfield = msgspec.structs.replace(bitfield, signature=signature)
        bitfields.append(bitfield)

    state = relay.block(bitfields=bitfields)

    counted, last = set[int](), -1
    for index in voters:
        if index > last:
            last = index
            counted |= set() if flips[index] else {index}
    for core in range(3):
        is_included = state.paras.heads[ParaId(2000 + core)] == b"one"
        assert is_included == (core in cores and len(counted) >= 5)


def test_the_inherent_is_owed_once_and_for_its_parent(make_relay: Any) -> None:
    relay = make_relay()
    runtime = relay.opened()
    assert runtime.para_inherent.inherent_required()
    call = type(runtime).call(type(runtime.para_inherent).enter, data=relay.data())
    runtime.dispatch(call, RawNone())
    assert not runtime.para_inherent.inherent_required()
    with pytest.raises(DispatchFailure) as failure:
        runtime.dispatch(call, RawNone())
    assert "TooManyInclusionInherents" in str(failure.value.__cause__)

    stale = relay.data()
    relay.block()
    assert "InvalidParentHeader" in refused(relay, stale)


def test_disputes_are_refused(make_relay: Any) -> None:
    relay = make_relay()
    dispute = DisputeStatementSet(CandidateHash(bytes(32)), SessionIndex(0), ())

    assert "DisputesRefused" in refused(relay, msgspec.structs.replace(relay.data(), disputes=(dispute,)))


def test_a_session_change_drops_what_is_pending_and_takes_effect_with_the_next_block(make_relay: Any) -> None:
    relay = make_relay()
    relay.block([relay.backed(relay.candidate(2000, b"one"))])

    state = relay.new_session(1)

    assert state.paras_shared.session_index_for_child() == 1
    assert state.para_inclusion.candidates_pending_availability(PARA) == ()
    assert state.paras_shared.allowed_relay_parents.get().buffer == ()
    assert state.para_scheduler.session_start_block.get() == relay.header.number + 1
    info = state.para_session_info.session_info(SessionIndex(1))
    assert info is not None
    assert info.validators == state.paras_shared.validators()
    assert events(relay.include(2000, b"two")) == [CandidateIncluded]


def test_validation_data_follow_the_assumption(make_relay: Any) -> None:
    relay = make_relay()
    state = relay.block([relay.backed(relay.candidate(2000, b"one"))])

    heads = {
        assumption.name: data.parent_head if (data := state.persisted_validation_data(PARA, assumption)) else None
        for assumption in OccupiedCoreAssumption
    }

    assert heads == {"INCLUDED": b"one", "TIMED_OUT": b"genesis", "FREE": None}


def test_runtime_apis_answer_in_scale(make_relay: Any) -> None:
    state = make_relay().block()

    assert state.api("ParachainHost_session_index_for_child", b"") == encode(SessionIndex, SessionIndex(0))
    claims = state.api("ParachainHost_claim_queue", b"")
    assert claims == b"\x04" + bytes(4) + b"\x0c" + 3 * PARA.to_bytes(4, "little")
    assert state.api("ParachainHost_dmq_contents", PARA.to_bytes(4, "little")) == b"\0"


def test_a_core_without_a_para_is_free(make_relay: Any) -> None:
    relay = make_relay(scheduler_params={"num_cores": 2})

    assert relay.block().availability_cores() == (Scheduled(ScheduledCore(PARA)), Free())


def test_a_block_that_an_author_built_executes_to_the_same_state(make_relay: Any) -> None:
    relay = make_relay()
    data = relay.data([relay.backed(relay.candidate(2000, b"one"))])
    builder = BlockBuilder(type(relay.runtime), relay.state, relay.header, ())
    builder.inherents({PARACHAINS_INHERENT_IDENTIFIER: data.encode()})
    built = builder.build()

    executed = execute_block(type(relay.runtime), relay.state, built.block)

    assert executed.state.root == built.executed.state.root
    assert [result.error for result in executed.results] == [None]


def test_a_block_without_its_inherent_is_invalid(make_relay: Any) -> None:
    relay = make_relay()
    built = BlockBuilder(type(relay.runtime), relay.state, relay.header, ()).build()

    with pytest.raises(BlockError) as rejection:
        execute_block(type(relay.runtime), relay.state, built.block)

    assert rejection.value.reason is BlockReason.INHERENT_MISSING


def chain_on_cores(relay: Any, *heads: bytes) -> list[Any]:
    """Candidates of one para, each on the next core and on the head before."""
    parents = [relay.runtime.para_inclusion.para_latest_head_data(PARA), *heads]
    return [
        relay.backed(relay.candidate(2000, head, core=core, parent_head=before))
        for core, (before, head) in enumerate(zip(parents, heads, strict=False))
    ]


def test_a_para_on_two_cores_backs_a_chain_and_a_later_candidate_waits_for_the_one_before(make_relay: Any) -> None:
    relay = make_relay([2000], cores=[2000, 2000])

    state = relay.block(chain_on_cores(relay, b"one", b"two"))
    assert events(state) == [CandidateBacked, CandidateBacked]

    state = relay.block(bitfields=relay.bitfields([1]))
    assert events(state) == []
    assert len(state.para_inclusion.pending_availability[PARA]) == 2

    state = relay.block(bitfields=relay.bitfields([0]))
    assert events(state) == [CandidateIncluded, CandidateIncluded]
    assert state.paras.heads[PARA] == b"two"


def test_a_chain_ends_before_the_candidate_that_does_not_fit_on_it(make_relay: Any) -> None:
    relay = make_relay([2000], cores=[2000, 2000, 2000], validators=6)
    first, second, third = chain_on_cores(relay, b"one", b"two", b"three")

    state = relay.block([first, third, second])

    assert [event.head for event in state.candidate_events()] == [b"one"]


def test_a_candidate_that_times_out_takes_those_behind_it(make_relay: Any) -> None:
    relay = make_relay(
        [2000],
        cores=[2000, 2000],
        scheduler_params={"group_rotation_frequency": 10, "paras_availability_period": 4},
    )
    relay.block(chain_on_cores(relay, b"one", b"two"))
    relay.block(bitfields=relay.bitfields([1]))
    dropped: list[Any] = []
    while relay.header.number < 12:
        dropped += [event.head for event in relay.block().candidate_events()]

    assert dropped == [b"one", b"two"]
    assert relay.runtime.para_inclusion.pending_availability[PARA] == ()
    assert relay.runtime.paras.heads[PARA] == b"genesis"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 3))), min_size=1, max_size=8))
def test_included_heads_form_a_line_whatever_is_backed_and_voted(
    make_relay: Any, steps: list[tuple[int, set[int]]]
) -> None:
    relay = make_relay(scheduler_params={"group_rotation_frequency": 3, "paras_availability_period": 2})
    line = [b"genesis"]
    parents: dict[bytes, bytes] = {}
    for count, (age, voters) in enumerate(steps):
        parent = max(len(relay.parents) - 1 - age, 0)
        candidate = relay.candidate(2000, b"head %d" % count, parent=parent)
        data = relay.runtime.persisted_validation_data(PARA, OccupiedCoreAssumption.INCLUDED)
        parents[b"head %d" % count] = data.parent_head
        bitfields = [relay.bitfield(index, [0]) for index in sorted(voters)]
        head = relay.block([relay.backed(candidate)], bitfields).paras.heads[PARA]
        if head != line[-1]:
            assert parents[head] == line[-1]
            line.append(head)
        assert len(relay.runtime.para_inclusion.pending_availability[PARA]) <= 1
