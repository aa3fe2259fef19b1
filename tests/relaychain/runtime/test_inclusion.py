"""Inclusion: the pallet's order of things."""

from typing import Any

from relaychain.primitives.core_state import CandidateTimedOut


def test_candidates_time_out_in_the_order_of_their_paras(make_relay: Any) -> None:
    paras = range(2000, 2006)
    relay = make_relay(
        paras, validators=12, scheduler_params={"group_rotation_frequency": 10, "paras_availability_period": 4}
    )
    relay.block([relay.backed(relay.candidate(para, b"one", core=core)) for core, para in enumerate(paras)])
    timed_out: list[int] = []
    while not timed_out:
        events = relay.block().candidate_events()
        timed_out = [event.receipt.descriptor.para_id for event in events if isinstance(event, CandidateTimedOut)]

    assert timed_out == list(paras)
