"""Availability distribution: get the own chunk of each candidate that a block backed, and serve PoVs, data and chunks.

Source: polkadot-sdk, `polkadot/node/network/availability-distribution/src/{requester,responder,pov_requester}.rs`.
"""

import asyncio
from collections.abc import Sequence

from relaychain.erasure.coding import chunk_index
from relaychain.node.active_leaves import ActiveLeaves, Leaf
from relaychain.node.availability_store import AvailabilityStore
from relaychain.node.fetching import Fetcher
from relaychain.node.reports import Reports
from relaychain.node.requests import (
    AVAILABLE_DATA,
    CHUNK,
    POV,
    AvailableDataFetchingRequest,
    ChunkFetchingRequest,
    FoundChunk,
    FoundData,
    FoundPoV,
    NoSuchChunk,
    NoSuchData,
    NoSuchPoV,
    PoVFetchingRequest,
)
from relaychain.node.runtime_api import ParachainHostApi
from relaychain.node.scheduling import RelayParent
from relaychain.primitives.core_state import Occupied, OccupiedCore
from relaychain.primitives.types import CandidateHash, ChunkIndex, CoreIndex, ValidatorId, ValidatorIndex
from substrate.client.protocols import Network


def chunk_of(parent: RelayParent, validator: ValidatorIndex, core: CoreIndex) -> ChunkIndex:
    """Index of the chunk that a validator holds of the candidate on a core."""
    n_validators = len(parent.validators)
    if n_validators <= 1:
        return ChunkIndex(0)
    return ChunkIndex(chunk_index(n_validators, validator, core, is_mapped=parent.is_chunk_mapped))


def sources(group: Sequence[ValidatorIndex], own: ValidatorIndex) -> tuple[ValidatorIndex, ...]:
    """Backers to ask, in an order of this validator's own, so that not all ask the same one first."""
    others = [member for member in group if member != own]
    start = own % len(others) if others else 0
    return tuple(others[start:] + others[:start])


class AvailabilityDistribution:
    """Fetches the own chunks, and answers requests from what is stored."""

    def __init__(
        self,
        leaves: ActiveLeaves,
        api: ParachainHostApi,
        store: AvailabilityStore,
        *,
        key: ValidatorId | None,
        network: Network,
        fetcher: Fetcher,
        reports: Reports,
    ) -> None:
        self._leaves = leaves
        self._api = api
        self._store = store
        self._key = key
        self._network = network
        self._fetcher = fetcher
        self._reports = reports
        self._fetching: set[CandidateHash] = set()
        self._tasks: asyncio.TaskGroup | None = None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to serve and to fetch."""
        self._tasks = tasks
        self._network.serve(POV.kind, self._serve_pov)
        self._network.serve(CHUNK.kind, self._serve_chunk)
        self._network.serve(AVAILABLE_DATA.kind, self._serve_data)
        self._leaves.on_active(self._on_leaf)

    def _on_leaf(self, leaf: Leaf) -> None:
        parent = self._leaves.relay_parent(leaf.hash)
        own = None if parent is None or self._key is None else parent.index_of(self._key)
        if parent is None or own is None:
            return
        for core, state in enumerate(self._api.availability_cores(leaf.hash)):
            if isinstance(state, Occupied):
                self._want(parent, own, CoreIndex(core), state.core)

    def _want(self, parent: RelayParent, own: ValidatorIndex, core: CoreIndex, occupied: OccupiedCore) -> None:
        candidate = occupied.candidate_hash
        self._store.note_needed(candidate, parent.number)
        index = chunk_of(parent, own, core)
        if candidate in self._fetching or self._store.chunk(candidate, index) is not None:
            return
        assert self._tasks is not None, "leaves come after start"
        self._fetching.add(candidate)
        name = f"{self._network.name} chunk {index}"
        self._tasks.create_task(self._fetch(parent, own, index, occupied), name=name)

    async def _fetch(self, parent: RelayParent, own: ValidatorIndex, index: ChunkIndex, occupied: OccupiedCore) -> None:
        candidate, root = occupied.candidate_hash, occupied.candidate_descriptor.erasure_root
        try:
            for member in sources(parent.groups[occupied.group_responsible], own):
                chunk = await self._fetcher.chunk(parent, member, candidate, index, root=root)
                if chunk is not None:
                    self._store.put_chunk(candidate, chunk, parent.number)
                    return
            self._reports.fault("ChunkFetching", f"no backer gives chunk {index} of candidate 0x{candidate.hex()}")
        finally:
            self._fetching.discard(candidate)  # the next leaf asks again

    # --- serving ---

    async def _serve_pov(self, _sender: str, payload: bytes) -> bytes:
        data = self._store.available_data(PoVFetchingRequest.decode(payload).candidate_hash)
        return POV.response.encode(NoSuchPoV() if data is None else FoundPoV(data.pov))

    async def _serve_chunk(self, _sender: str, payload: bytes) -> bytes:
        request = ChunkFetchingRequest.decode(payload)
        chunk = self._store.chunk(request.candidate_hash, request.index)
        return CHUNK.response.encode(NoSuchChunk() if chunk is None else FoundChunk(chunk))

    async def _serve_data(self, _sender: str, payload: bytes) -> bytes:
        data = self._store.available_data(AvailableDataFetchingRequest.decode(payload).candidate_hash)
        return AVAILABLE_DATA.response.encode(NoSuchData() if data is None else FoundData(data))
