"""Session info: how long it is kept."""

from typing import Any

from relaychain.primitives.types import SessionIndex


def test_sessions_are_kept_for_the_dispute_period(make_relay: Any) -> None:
    relay = make_relay(dispute_period=2)
    for session in range(1, 5):
        relay.new_session(session)

    info = relay.runtime.para_session_info
    kept = [session for session in range(6) if info.session_info(SessionIndex(session)) is not None]
    assert (info.earliest_stored_session.get(), kept) == (2, [2, 3, 4])
