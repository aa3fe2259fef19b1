"""Reads of relay state by proof."""

import pytest

from parachains.sdk.relay_state_snapshot import ProofError, RelayChainStateProof, channel_keys, para_keys
from relaychain.primitives import well_known_keys as keys
from relaychain.primitives.messages import HrmpChannelId
from relaychain.primitives.types import HeadData, ParaId, UpgradeGoAhead
from substrate.trie.proofs import read_proof
from substrate.types import Hash
from tests.parachains.sdk.fake_relay import CHANNEL, CONFIG, FakeRelay

A, PARA, C = ParaId(1000), ParaId(2000), ParaId(2001)


def relay() -> FakeRelay:
    made = FakeRelay(PARA, HeadData(b"head"), outbound=(A, C), go_ahead=UpgradeGoAhead.ABORT)
    made.open_inbound(A)
    return made


def proof(*, without: bytes | None = None) -> RelayChainStateProof:
    state = relay().state()
    wanted = para_keys(PARA) + channel_keys(PARA, senders=[A], recipients=[A, C])
    shown = [key for key in wanted if key != without]
    return RelayChainStateProof(PARA, Hash(state.root), read_proof(state, shown))


def test_a_proof_shows_all_that_a_block_needs() -> None:
    shown = proof()

    assert shown.read_slot() == 1_000
    assert shown.read_abridged_host_configuration() == CONFIG
    assert shown.read_included_para_head() == b"head"
    assert shown.read_upgrade_go_ahead_signal() == UpgradeGoAhead.ABORT
    assert shown.read_upgrade_restriction_signal() is None
    snapshot = shown.read_messaging_state_snapshot(CONFIG)
    assert [sender for sender, _ in snapshot.ingress_channels] == [A]
    assert snapshot.egress_channels == ((A, CHANNEL), (C, CHANNEL))
    assert snapshot.egress(ParaId(9)) is None


def test_an_unproven_channel_is_an_error_and_not_an_absence() -> None:
    hidden = keys.hrmp_channels(HrmpChannelId(PARA, C))

    with pytest.raises(ProofError, match="ReadEntryErr"):
        proof(without=hidden).read_messaging_state_snapshot(CONFIG)


def test_nodes_of_another_root_show_nothing() -> None:
    state = relay().state()
    nodes = read_proof(state, para_keys(PARA))

    with pytest.raises(ProofError, match="ReadEntryErr"):
        RelayChainStateProof(PARA, Hash(bytes(32)), nodes).read_slot()
