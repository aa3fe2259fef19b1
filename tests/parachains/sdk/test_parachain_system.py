"""ParachainSystem: a block keeps to its relay parent, and lets out what the relay chain will take."""

import pytest
from msgspec.structs import replace

from parachains.sdk.parachain_system import MessageSendError, ParachainSystem
from parachains.sdk.xcmp_pages import XcmpMessageFormat
from parachains.sdk.xcmp_queue import XcmpQueue
from relaychain.primitives.messages import UpwardMessage
from relaychain.primitives.types import HeadData, ParaId, UpgradeGoAhead, head_hash
from substrate.crypto.hashing import blake2_256
from substrate.pallets.fees import FIXED_ONE, FixedU128
from substrate.runtime.validity import TransactionInvalid
from substrate.state import Overlay
from substrate.trie.trie import Trie
from testnet.examples.bazaar import Bazaar
from tests.parachains.sdk.fake_relay import CONFIG
from tests.parachains.sdk.test_plugin import Para, upgrade

A, B = ParaId(1000), ParaId(3000)


@pytest.fixture
def para() -> Para:
    return Para()


def refused(para: Para) -> str:
    with pytest.raises(TransactionInvalid) as refusal:
        para.collate()
    return str(refusal.value)


def test_a_relay_parent_is_no_older_than_the_last_blocks(para: Para) -> None:
    para.relay.advance(4)
    para.block()
    para.block(include=False)
    para.relay.number = 5

    assert "RelayNumberDecreases (submitted=5, last=6)" in refused(para)
    para.relay.number = 6
    para.collate()


def test_a_first_block_stands_on_the_included_head(para: Para) -> None:
    para.relay.head = HeadData(b"other")

    assert f"ParentHeadMismatch (included=0x{head_hash(para.relay.head).hex()})" in refused(para)


@pytest.mark.parametrize("signal", [None, UpgradeGoAhead.ABORT])
def test_a_signal_that_was_obeyed_stays_until_that_block_is_included(para: Para, signal: UpgradeGoAhead | None) -> None:
    upgrade(para)
    para.relay.go_ahead = UpgradeGoAhead.GO_AHEAD
    obeyed = para.block(include=False)
    para.relay.go_ahead = signal

    assert "UpgradeSignalChanged" in refused(para)
    para.relay.include(obeyed)
    para.relay.go_ahead = None
    para.collate()


def test_horizontal_messages_are_no_more_than_the_block_before_announced(para: Para) -> None:
    para.relay.outbound = (A, B)
    para.relay.config = replace(CONFIG, hrmp_max_message_num_per_candidate=1)
    para.block()
    queue = Bazaar.runtime()(overlay := Overlay(para.state)).pallet(XcmpQueue)
    for recipient in (A, B):
        queue.send_fragment(recipient, XcmpMessageFormat.CONCATENATED_VERSIONED_XCM, b"x")
    para.state, para.relay.config = overlay.finish(), CONFIG

    first = para.collate()
    assert [message.recipient for message in first.result.horizontal_messages] == [A]
    para.head, para.state = first.result.head_data, first.state
    assert [message.recipient for message in para.collate().result.horizontal_messages] == [B]


def test_an_upward_message_is_no_longer_than_the_relay_chain_takes() -> None:
    system = Bazaar.runtime()(Overlay(Trie.empty())).pallet(ParachainSystem)
    system.host_configuration.put(CONFIG)
    longest = UpwardMessage(bytes(CONFIG.max_upward_message_size))

    assert system.send_upward_message(longest) == blake2_256(longest)
    with pytest.raises(MessageSendError) as refusal:
        system.send_upward_message(UpwardMessage(longest + b"\0"))

    assert str(refusal.value) == "TooBig (size=65532, limit=65531)"
    assert system.pending_upward_messages.get() == (longest,)


@pytest.mark.parametrize(("waiting", "after"), [(0, FIXED_ONE), (10, FIXED_ONE * 105 // 100)])
def test_going_up_gets_cheaper_once_the_queue_is_short(para: Para, waiting: int, after: int) -> None:
    system = Bazaar.runtime()(overlay := Overlay(para.state)).pallet(ParachainSystem)
    system.upward_delivery_fee_factor.put(FixedU128(FIXED_ONE * 105 // 100))
    system.pending_upward_messages.put((UpwardMessage(bytes(65_000)),) * waiting)
    para.state = overlay.finish()

    para.state = para.collate().state

    assert para.bazaar().pallet(ParachainSystem).upward_delivery_fee_factor.get() == after
