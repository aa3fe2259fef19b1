"""Requests to validators: an answer that does not come, or is none, becomes a fault of record and None."""

from typing import TypeVar

from relaychain.erasure.coding import ErasureError
from relaychain.erasure.proofs import check_chunk
from relaychain.node.authority_discovery import AuthorityDiscovery
from relaychain.node.reports import Reports
from relaychain.node.requests import CHUNK, ChunkFetchingRequest, Exchange, FoundChunk
from relaychain.node.scheduling import RelayParent
from relaychain.primitives.availability import ErasureChunk
from relaychain.primitives.types import CandidateHash, ChunkIndex, ValidatorIndex
from substrate.client.protocols import Network, RequestFailed
from substrate.errors import DecodeError
from substrate.types import Hash

T = TypeVar("T")


class Fetcher:
    """One node's requests."""

    def __init__(self, network: Network, discovery: AuthorityDiscovery, reports: Reports, *, timeout_us: int) -> None:
        self._network = network
        self._discovery = discovery
        self._reports = reports
        self._timeout_us = timeout_us

    def peer_of(self, parent: RelayParent, validator: ValidatorIndex) -> str | None:
        """The peer that a validator is; None for this node itself, or where it is not known."""
        peer = self._discovery.peer_of(parent.validators[validator])
        return None if peer == self._network.name else peer

    async def ask(self, peer: str, exchange: Exchange[T], payload: bytes) -> T | None:
        """A peer's answer."""
        try:
            answer = await self._network.request(peer, exchange.kind, payload, timeout_us=self._timeout_us)
            return exchange.response.decode(answer)
        except (RequestFailed, DecodeError) as failure:
            self._reports.fault(exchange.fault, f"{peer}: {failure}")
            return None

    async def chunk(
        self, parent: RelayParent, validator: ValidatorIndex, candidate: CandidateHash, index: ChunkIndex, *, root: Hash
    ) -> ErasureChunk | None:
        """A chunk from a validator, checked against the erasure root."""
        peer = self.peer_of(parent, validator)
        if peer is None:
            return None
        found = await self.ask(peer, CHUNK, ChunkFetchingRequest(candidate, index).encode())
        if not isinstance(found, FoundChunk):
            return None
        try:
            check_chunk(root, index, found.chunk.chunk, found.chunk.proof)
        except ErasureError as failure:
            self._reports.fault(CHUNK.fault, f"{peer}: {failure}")
            return None
        return ErasureChunk(found.chunk.chunk, index, found.chunk.proof)
