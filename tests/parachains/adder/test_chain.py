"""Adder: the smallest chain, through the validation host."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parachains.adder.chain import Adder, AdderBlock, AdderHead, hash_state
from parachains.collator.registry import load_plugin
from parachains.sdk.contract import ParaConfig
from relaychain.primitives.types import HeadData, ParaId
from relaychain.pvf.host import InlineHost, InvalidCandidate
from substrate.crypto.hashing import blake2_256
from substrate.scale.codec import decode
from tests.parachains.collator.test_registry import DIRECTORY, NodeBundler
from tests.parachains.sdk.fake_relay import FakeRelay

PARA = ParaId(3000)
GENESIS = Adder.genesis_block(ParaConfig(PARA, pallets={"adder": {"state": 7}}))


def code() -> bytes:
    return load_plugin("parachains.adder.chain:Adder", DIRECTORY, NodeBundler()).code


def test_blocks_follow_from_their_parent() -> None:
    relay, host, validation_code = FakeRelay(PARA, GENESIS.head), InlineHost(), code()
    head, state = GENESIS.head, GENESIS.state
    for add in (1, 5):
        made = Adder.collate(head, state, relay.context(add.to_bytes(8, "little"), parent=head))
        assert host.validate(validation_code, relay.params(made.block_data, head), steps=100) == made.result
        parent, head, state = head, made.result.head_data, made.state
        assert decode(AdderHead, head).parent_hash == blake2_256(parent)

    assert (state, decode(AdderHead, head).number) == (13, 2)


def test_messages_that_nobody_reads_do_not_stop_it() -> None:
    relay, host, validation_code = FakeRelay(PARA, GENESIS.head), InlineHost(), code()
    for msg in (b"one", b"two"):
        relay.send_down(msg)
    head, state = GENESIS.head, GENESIS.state
    counts = []
    for _ in range(3):
        made = Adder.collate(head, state, relay.context(parent=head))
        assert host.validate(validation_code, relay.params(made.block_data, head), steps=100) == made.result
        counts.append(made.result.processed_downward_messages)
        head, state = made.result.head_data, made.state
        relay.include(made)

    assert counts == [1, 1, 0]


def test_a_wrong_state_is_refused() -> None:
    relay = FakeRelay(PARA, GENESIS.head)

    with pytest.raises(InvalidCandidate) as verdict:
        InlineHost().validate(code(), relay.params(AdderBlock(8, 1).encode(), GENESIS.head), steps=100)

    assert "StateMismatch (state=8)" in str(verdict.value)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_the_sum_wraps(state: int, add: int) -> None:
    head = HeadData(AdderHead(0, bytes(32), hash_state(state)).encode())
    made = Adder.collate(head, state, FakeRelay(PARA, head).context(add.to_bytes(8, "little")))

    assert made.state == (state + add) % 2**64
    assert decode(AdderHead, made.result.head_data).post_state == hash_state(made.state)


def test_the_bundle_holds_the_plugin_alone() -> None:
    assert len(code()) < 6_000
