"""A para block's slot at import."""

import pytest

from parachains.collator.consensus import ParaBlockError, ParaConsensus
from parachains.sdk.contract import ParaConfig
from relaychain.primitives.types import ParaId
from substrate.block import Digest, Header
from substrate.client.chain import Chain
from substrate.consensus.aura.types import pre_digest_item
from substrate.consensus.aura.verification import seal_header
from substrate.crypto.keys import dev_pair
from substrate.types import BlockNumber, Hash, Slot
from testnet.examples.bazaar import Bazaar

AUTHOR = dev_pair("Collator", "ed25519")
RELAY_SLOT_MS = 6_000
NOW = 10
ZERO = Hash(bytes(32))


class Clock:
    def now_us(self) -> int:
        return NOW * 2 * RELAY_SLOT_MS * 1_000

    async def sleep_until_us(self, at: int) -> None:
        raise AssertionError(at)


def header(parent: Hash, number: int, slot: int) -> Header:
    return Header(parent, BlockNumber(number), ZERO, ZERO, Digest((pre_digest_item(Slot(slot)),)))


def verify(slot: int, *, parent_slot: int) -> Header:
    genesis = Bazaar.genesis_state(
        ParaConfig(ParaId(2000), authorities=(AUTHOR.public,), slot_duration_ms=RELAY_SLOT_MS)
    )
    chain = Chain(genesis, lambda _: Bazaar.runtime())
    parent = header(ZERO, 1, parent_slot)
    return ParaConsensus(chain, Clock()).verify(seal_header(header(chain.genesis, 2, slot), AUTHOR), parent).header


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
