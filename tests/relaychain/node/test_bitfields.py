"""Bitfields: which one of a validator counts, and for which leaf one is signed."""

import asyncio
from typing import Any

import pytest

from relaychain.node.bitfield_distribution import BITFIELD, BitfieldDistribution, BitfieldMessage
from relaychain.node.bitfield_signing import BitfieldSigning
from relaychain.primitives.availability import SignedAvailabilityBitfield, bitfield_payload
from relaychain.primitives.core_state import Free
from relaychain.primitives.types import ValidatorIndex, ValidatorSignature
from substrate.scale.bits import BitVec
from tests.relaychain.node.backing_parts import PAIRS, RELAY_PARENT, relay_parent
from tests.relaychain.node.para_network import Rows
from tests.relaychain.node.surroundings import Peers, StillClock, Unused, View, reports


def bitfield(validator: int, *bits: bool) -> SignedAvailabilityBitfield:
    payload = bitfield_payload(BitVec(bits), relay_parent().context)
    return SignedAvailabilityBitfield(
        BitVec(bits), ValidatorIndex(validator), ValidatorSignature(PAIRS[validator].sign(payload))
    )


def test_the_first_bitfield_of_a_validator_counts() -> None:
    view, peers = View(), Peers()
    distribution: Any = BitfieldDistribution(view, peers, reports(Rows()))
    distribution.start()

    for each in (bitfield(1, True, False), bitfield(1, False, True), bitfield(0, False, True)):
        peers.handlers[BITFIELD]("peer", BitfieldMessage(RELAY_PARENT, each).encode())

    assert distribution.known(RELAY_PARENT) == (bitfield(0, False, True), bitfield(1, True, False))


class EmptyCores:
    """The runtime API of a relay parent where no core is taken."""

    def availability_cores(self, _at: object) -> tuple[Free, Free]:
        return Free(), Free()


@pytest.mark.parametrize("stays_a_leaf", [True, False])
def test_a_bitfield_is_signed_only_while_its_block_is_a_leaf(stays_a_leaf: bool) -> None:
    class LeavesThenParent(View):
        """Keeps the relay parent in view when the leaf is gone: a child has come."""

        is_leaf = True

        @property
        def leaves(self) -> Any:
            return super().leaves if self.is_leaf else {}

    view, peers, rows = LeavesThenParent(), Peers(), Rows()

    def grow() -> None:
        view.is_leaf = stays_a_leaf

    distribution: Any = BitfieldDistribution(view, peers, reports(rows))
    parts: dict[str, Any] = {"key": PAIRS[0], "clock": StillClock(grow), "reports": reports(rows), "delay_us": 1}
    subject = BitfieldSigning(view, EmptyCores(), Unused(), distribution, **parts)

    async def one_leaf() -> None:
        async with asyncio.TaskGroup() as tasks:
            subject.start(tasks)
            view.listeners[0](view.leaf)

    asyncio.run(one_leaf())

    expected = [BitfieldMessage(RELAY_PARENT, bitfield(0, False, False)).encode()]
    assert peers.sent == (expected if stays_a_leaf else [])
