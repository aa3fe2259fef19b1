"""BABE authoring: at each slot of ours, build a block on the best chain.

Source: polkadot-sdk, `substrate/client/consensus/slots/src/lib.rs`, `substrate/client/basic-authorship/src`.
"""

from collections.abc import Callable, Mapping
from itertools import takewhile

from relaychain.node.engine import RelayConsensus
from relaychain.node.reports import Reports
from substrate.block import Block, Header
from substrate.client.block_sync import BlockSync
from substrate.client.execution import Facts, RuntimeLoader, as_execution, runtime_class_at
from substrate.client.importing import BlockImport
from substrate.client.pool import TransactionPool
from substrate.client.protocols import Clock
from substrate.client.time_limit import TimeLimit
from substrate.consensus.babe.epochs import slot_start_us
from substrate.consensus.babe.lottery import Keys, claim_slot
from substrate.consensus.babe.types import pre_digest_item
from substrate.consensus.babe.verification import header_slot, seal_header
from substrate.crypto.keys import Ed25519Pair
from substrate.runtime.executive import BlockBuilder
from substrate.runtime.validity import ExhaustsResources, TransactionInvalid
from substrate.types import Hash, Slot

BABE_INHERENT = b"babeslot"
TIMESTAMP_INHERENT = b"timstap0"

InherentSource = Callable[[Hash, Slot], Mapping[bytes, bytes]]
"""Further inherent data for a block on a parent."""


class Authoring:
    """One author."""

    def __init__(
        self,
        consensus: RelayConsensus,
        importer: BlockImport,
        pool: TransactionPool,
        sync: BlockSync,
        loader: RuntimeLoader,
        *,
        keys: Keys,
        clock: Clock,
        reports: Reports,
        inherents: InherentSource,
    ) -> None:
        self._consensus = consensus
        self._importer = importer
        self._chain = importer.chain
        self._pool = pool
        self._sync = sync
        self._loader = loader
        self._keys = keys
        self._clock = clock
        self._reports = reports
        self._inherents = inherents

    async def run(self) -> None:
        """Try every slot from the next one on. One that was slept through is lost."""
        duration = self._consensus.config.slot_duration
        while True:
            upcoming = Slot(self._consensus.slot_now() + 1)
            await self._clock.sleep_until_us(slot_start_us(upcoming, slot_duration_ms=duration))
            slot = self._consensus.slot_now()
            with self._reports.survived(f"no block in slot {slot}"):
                self.on_slot(slot)

    def on_slot(self, slot: Slot) -> Block | None:
        """Build, import and announce a block, if the slot is ours.

        Raises:
            ChainError: An inherent or a hook failed: no block can be built on the best chain now.
        """
        parent_hash = self._chain.best
        parent = self._chain.header(parent_hash)
        if header_slot(parent) >= slot:
            return None
        epoch = self._consensus.epochs.epoch_for(parent_hash, slot).epoch
        claim = claim_slot(slot, epoch, self._keys)
        if claim is None:
            return None
        digest, pair = claim
        facts = Facts()
        state = self._chain.state(parent_hash)
        builder = BlockBuilder(runtime_class_at(state, self._loader), state, parent, (pre_digest_item(digest),), facts)
        block = self._fill(builder, parent_hash, parent, slot, pair, facts)
        self._importer.import_block(block)
        self._sync.announce(block)
        return block

    def _fill(
        self, builder: BlockBuilder, parent_hash: Hash, parent: Header, slot: Slot, pair: Ed25519Pair, facts: Facts
    ) -> Block:
        duration = self._consensus.config.slot_duration
        moment = slot * duration
        own = {TIMESTAMP_INHERENT: moment.to_bytes(8, "little"), BABE_INHERENT: slot.to_bytes(8, "little")}
        builder.inherents({**own, **self._inherents(parent_hash, slot)})
        share_us = authoring_us(slot, now_us=self._clock.now_us(), slot_duration_ms=duration)
        push_ready(builder, self._pool, TimeLimit(self._clock, share_us))
        built = builder.build()
        block = Block(seal_header(built.block.header, pair), built.block.extrinsics)
        self._importer.cache.put(block, as_execution(built.executed, type(builder.runtime), facts))
        return block


def authoring_us(slot: Slot, *, now_us: int, slot_duration_ms: int) -> int:
    """How long to take transactions: two thirds of a slot, and not beyond its end."""
    end_us = slot_start_us(Slot(slot + 1), slot_duration_ms=slot_duration_ms)
    return min(slot_duration_ms * 1_000 * 2 // 3, end_us - now_us)


def push_ready(builder: BlockBuilder, pool: TransactionPool, has_time: Callable[[], bool]) -> None:
    """Fill a block from a pool until there is no room or time; drops from the pool what turned out invalid."""
    for transaction in takewhile(lambda _: has_time(), pool.ready()):
        try:
            builder.push(transaction.raw)
        except TransactionInvalid as failure:
            if isinstance(failure.variant, ExhaustsResources):
                return
            pool.remove_invalid(transaction.hash)
