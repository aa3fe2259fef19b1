"""Paras inherent: what may not enter because of when it comes, on what it builds, or who voted."""

from typing import Any

import pytest

from relaychain.primitives.types import SessionIndex
from substrate.runtime.dispatch import DispatchFailure
from substrate.runtime.origin import RawNone

BEGIN_SESSION = SessionIndex(1)


def ending_session(relay: Any) -> Any:
    """The runtime in a block that ends a session, before its inherent."""
    runtime, keys = relay.opened(), [relay._keys_of(pair) for pair in relay.keys]
    runtime.initializer.note_session(BEGIN_SESSION, keys, keys)
    return runtime


def test_no_candidate_is_backed_in_the_block_that_ends_a_session(make_relay: Any) -> None:
    relay = make_relay()
    backed, keys = relay.backed(relay.candidate(2000, b"one")), [relay._keys_of(pair) for pair in relay.keys]

    state = relay.block([backed], before=lambda runtime: runtime.initializer.note_session(BEGIN_SESSION, keys, keys))

    assert state.candidate_events() == ()


def test_an_author_who_enters_candidates_in_the_block_that_ends_a_session_is_refused(make_relay: Any) -> None:
    relay = make_relay()
    data = relay.data([relay.backed(relay.candidate(2000, b"one"))])
    runtime = ending_session(relay)

    with pytest.raises(DispatchFailure) as refusal:
        runtime.dispatch(type(runtime).call(type(runtime.para_inherent).enter, data=data), RawNone())

    assert "InherentDataFilteredDuringExecution" in str(refusal.value.__cause__)


@pytest.mark.parametrize(("parents", "heads"), [((3, 3), [b"one", b"two"]), ((3, 2), [b"one"])])
def test_relay_parents_of_a_chain_do_not_go_back_within_a_block(
    make_relay: Any, parents: tuple[int, int], heads: list[bytes]
) -> None:
    relay = make_relay([2000], cores=[2000, 2000])
    for _ in range(4):
        relay.block()
    one = relay.backed(relay.candidate(2000, b"one", core=0, parent=parents[0]))
    two = relay.backed(relay.candidate(2000, b"two", core=1, parent=parents[1], parent_head=b"one"))

    assert [event.head for event in relay.block([one, two]).candidate_events()] == heads


def test_votes_of_disabled_validators_do_not_count(make_relay: Any) -> None:
    relay = make_relay()
    backed = relay.backed(relay.candidate(2000, b"one"))
    runtime = relay.opened()
    places = runtime.paras_shared.active_validator_indices.get()
    runtime.paras_shared.disabled_source = lambda _runtime: [places[index] for index in (0, 1, 2)]
    assert (
        runtime.para_inherent._sane_candidates(  # the mount would give the policy
            [backed], runtime.paras_shared.allowed_relay_parents.get(), ()
        )
        == {}
    )


@pytest.mark.parametrize(("disabled_group", "kept"), [(0, 1), (1, 0)])
def test_votes_are_stripped_by_the_group_of_the_block_after_the_relay_parent(
    make_relay: Any, disabled_group: int, kept: int
) -> None:
    relay = make_relay([2000, 2001], scheduler_params={"group_rotation_frequency": 3})
    for _ in range(3):
        relay.block()
    # Groups rotate in block 4: candidates on block 3 are backed by the groups of block 4.
    backed = relay.backed(relay.candidate(2000, b"one"))
    runtime = relay.opened()
    shared, groups = runtime.paras_shared, runtime.para_scheduler.validator_groups.get()
    places = shared.active_validator_indices.get()
    shared.disabled_source = lambda _runtime: [places[index] for index in groups[disabled_group]]
    runtime.para_inherent._allow_parent(relay.data())

    sane = runtime.para_inherent._sane_candidates([backed], shared.allowed_relay_parents.get(), ())

    assert len(sane) == kept
