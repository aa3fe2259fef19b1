"""Bitfield signing: some time into each leaf, say of which pending candidates this validator holds its chunk.

Source: polkadot-sdk, `polkadot/node/core/bitfield-signing/src/lib.rs`.
"""

import asyncio
from collections.abc import Callable

from relaychain.node.active_leaves import ActiveLeaves, Leaf
from relaychain.node.availability_distribution import chunk_of
from relaychain.node.availability_store import AvailabilityStore
from relaychain.node.bitfield_distribution import BitfieldDistribution
from relaychain.node.reports import Reports
from relaychain.node.runtime_api import ParachainHostApi
from relaychain.primitives.availability import SignedAvailabilityBitfield, bitfield_payload
from relaychain.primitives.core_state import CoreState, Occupied
from relaychain.primitives.types import CandidateHash, CoreIndex, ValidatorId, ValidatorSignature
from substrate.client.protocols import Clock
from substrate.crypto.keys import Ed25519Pair
from substrate.scale.bits import BitVec


def availability_bits(cores: tuple[CoreState, ...], is_held: Callable[[CandidateHash, CoreIndex], bool]) -> BitVec:
    """One bit per core: whether the own chunk of the candidate on it is held."""
    return BitVec(
        isinstance(state, Occupied) and is_held(state.core.candidate_hash, CoreIndex(core))
        for core, state in enumerate(cores)
    )


class BitfieldSigning:
    """Signs one bitfield per leaf."""

    def __init__(
        self,
        leaves: ActiveLeaves,
        api: ParachainHostApi,
        store: AvailabilityStore,
        distribution: BitfieldDistribution,
        *,
        key: Ed25519Pair,
        clock: Clock,
        reports: Reports,
        delay_us: int,
    ) -> None:
        self._leaves = leaves
        self._api = api
        self._store = store
        self._distribution = distribution
        self._key = key
        self._clock = clock
        self._reports = reports
        self._delay_us = delay_us
        self._tasks: asyncio.TaskGroup | None = None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to sign."""
        self._tasks = tasks
        self._leaves.on_active(self._on_leaf)

    def _on_leaf(self, leaf: Leaf) -> None:
        assert self._tasks is not None, "leaves come after start"
        self._tasks.create_task(self._sign_later(leaf), name=f"{self._reports.node} bitfield")

    async def _sign_later(self, leaf: Leaf) -> None:
        await self._clock.sleep_until_us(self._clock.now_us() + self._delay_us)
        if leaf.hash in self._leaves.leaves:
            with self._reports.survived("bitfield"):
                self.sign(leaf)

    def sign(self, leaf: Leaf) -> SignedAvailabilityBitfield | None:
        """Sign and distribute the bitfield for a leaf; None if this node is no validator there."""
        parent = self._leaves.relay_parent(leaf.hash)
        own = None if parent is None else parent.index_of(ValidatorId(self._key.public))
        if parent is None or own is None:
            return None

        def is_held(candidate: CandidateHash, core: CoreIndex) -> bool:
            return self._store.chunk(candidate, chunk_of(parent, own, core)) is not None

        bits = availability_bits(self._api.availability_cores(leaf.hash), is_held)
        signature = ValidatorSignature(self._key.sign(bitfield_payload(bits, parent.context)))
        signed = SignedAvailabilityBitfield(bits, own, signature)
        self._reports.vote("bitfield", leaf.hash, parent.session, parent.number)
        self._distribution.distribute(leaf.hash, signed)
        return signed
