"""A para block's slot at import."""

from typing import cast

import pytest

from parachains.collator.consensus import EQUIVOCATION_LIMIT, ParaBlockError, ParaConsensus
from parachains.collator.runtime_ledger import RuntimeLedger
from parachains.sdk.contract import ParaConfig
from parachains.sdk.parachain_system import RPSR_ENGINE
from relaychain.primitives.types import HeadData, ParaId
from substrate.block import Consensus, Digest, DigestItem, Header
from substrate.client.chain import Chain
from substrate.consensus.aura.types import pre_digest_item
from substrate.consensus.aura.verification import seal_header
from substrate.crypto.keys import dev_pair
from substrate.types import BlockNumber, Hash, Slot
from testnet.examples.bazaar import Bazaar
from tests.parachains.collator.test_node import World, play

AUTHOR = dev_pair("Collator", "ed25519")
RELAY_SLOT_MS = 6_000
NOW = 10
ZERO = Hash(bytes(32))


class Clock:
    def now_us(self) -> int:
        return NOW * 2 * RELAY_SLOT_MS * 1_000

    async def sleep_until_us(self, at: int) -> None:
        raise AssertionError(at)


def header(parent: Hash, number: int, slot: int, *logs: DigestItem, root: int = 0) -> Header:
    state_root = Hash(root.to_bytes(32, "big"))
    return Header(parent, BlockNumber(number), state_root, ZERO, Digest((pre_digest_item(Slot(slot)), *logs)))


def consensus() -> tuple[ParaConsensus, Hash]:
    """A chain's, and its genesis block."""
    genesis = Bazaar.genesis_state(
        ParaConfig(ParaId(2000), authorities=(AUTHOR.public,), slot_duration_ms=RELAY_SLOT_MS)
    )
    chain = Chain(genesis, lambda _: Bazaar.runtime())
    return ParaConsensus(chain, Clock()), chain.genesis


def verify(slot: int, *, parent_slot: int) -> Header:
    rules, genesis = consensus()
    parent = header(ZERO, 1, parent_slot)
    return rules.verify(seal_header(header(genesis, 2, slot), AUTHOR), parent).header


@pytest.mark.parametrize(
    ("slot", "parent_slot", "reason"),
    [(12, 9, "TooFarInFuture (slot=12, now=10)"), (8, 9, "SlotDecreases (slot=8, parent=9)")],
)
def test_a_block_of_a_wrong_slot_is_not_imported(slot: int, parent_slot: int, reason: str) -> None:
    with pytest.raises(ParaBlockError) as refusal:
        verify(slot, parent_slot=parent_slot)

    assert str(refusal.value) == reason


@pytest.mark.parametrize(("slot", "parent_slot"), [(11, 9), (9, 9)])
def test_slots_may_repeat_and_be_one_ahead(slot: int, parent_slot: int) -> None:
    assert verify(slot, parent_slot=parent_slot).digest.logs == (pre_digest_item(Slot(slot)),)


def relay_parent(mark: bytes) -> Consensus:
    return Consensus(RPSR_ENGINE, mark)


def test_so_many_blocks_of_one_slot_height_and_relay_parent_are_taken_in() -> None:
    rules, genesis = consensus()

    def see(mark: int, *, number: int = 2, slot: int = 9, relay: bytes = b"one") -> None:
        block = header(genesis, number, slot, relay_parent(relay), root=mark)
        rules.verify(seal_header(block, AUTHOR), header(ZERO, number - 1, 9))

    for mark in range(EQUIVOCATION_LIMIT):
        see(mark)
    for mark in (0, EQUIVOCATION_LIMIT):
        with pytest.raises(ParaBlockError) as refusal:
            see(mark)
        assert str(refusal.value) == "ExcessiveEquivocations (slot=9, number=2)"
    see(0, number=3)
    see(0, slot=10)
    see(0, relay=b"two")
    rules.forget_equivocations()
    see(EQUIVOCATION_LIMIT)


def test_equivocations_are_counted_anew_where_the_relay_chain_includes_a_block_that_is_missing() -> None:
    async def story(world: World) -> None:
        await world.slot()
        ledger = cast(RuntimeLedger, world.nodes["dan"].ledger)
        chain, rules = ledger.chain, ledger.consensus
        (made,) = [chain.header(block) for block in chain.children(chain.genesis)]
        parent = chain.header(chain.genesis)
        for _ in range(EQUIVOCATION_LIMIT - 1):
            rules.verify(made, parent)
        with pytest.raises(ParaBlockError):
            rules.verify(made, parent)

        ledger.set_best(HeadData(header(chain.genesis, 1, 9).encode()))

        assert rules.verify(made, parent)

    play(story, "carol", "dan")
