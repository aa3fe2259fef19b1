"""Availability recovery: a candidate's data from whoever has it, or from any f+1 chunks.

Source: polkadot-sdk, `polkadot/node/network/availability-recovery` (`availability-recovery/src/task/strategy`).
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from relaychain.erasure.coding import ErasureError, reconstruct, recovery_threshold
from relaychain.node.availability_distribution import chunk_of
from relaychain.node.availability_store import AvailabilityStore, ErasureCoder
from relaychain.node.fetching import Fetcher
from relaychain.node.reports import Reports
from relaychain.node.requests import AVAILABLE_DATA, AvailableDataFetchingRequest, FoundData
from relaychain.node.scheduling import RelayParent
from relaychain.primitives.availability import AvailableData, ErasureChunk, decode_padded
from relaychain.primitives.candidate import CandidateReceipt, candidate_hash
from relaychain.primitives.types import CandidateHash, ChunkIndex, CoreIndex, ValidatorIndex
from substrate.errors import DecodeError, RuleError
from substrate.types import Hash


class RecoveryReason(StrEnum):
    """Why data is not recovered."""

    INVALID = "Invalid"
    """The chunks do not give data with that root: the candidate is invalid."""
    UNAVAILABLE = "Unavailable"
    """Too few chunks were found."""


class RecoveryError(RuleError):
    """Data cannot be recovered."""


def recovered(
    n_validators: int, chunks: Mapping[ChunkIndex, ErasureChunk], root: Hash, coder: ErasureCoder
) -> AvailableData:
    """Data from f+1 chunks, each of which was checked against the root.

    Raises:
        RecoveryError: `UNAVAILABLE`, `INVALID`.
    """
    if len(chunks) < recovery_threshold(n_validators):
        raise RecoveryError(RecoveryReason.UNAVAILABLE, chunks=len(chunks), needed=recovery_threshold(n_validators))
    try:
        payload = reconstruct(n_validators, {index: chunks[index].chunk for index in sorted(chunks)})
        data = decode_padded(payload)
    except (ErasureError, DecodeError) as failure:
        raise RecoveryError(RecoveryReason.INVALID, cause=str(failure)) from failure
    if coder.coded(n_validators, data).root != root:
        raise RecoveryError(RecoveryReason.INVALID, cause="the data has another erasure root")
    return data


class AvailabilityRecovery:
    """Recovers data for approval checkers, disputes, and collators that miss a block of their chain."""

    def __init__(self, store: AvailabilityStore, coder: ErasureCoder, fetcher: Fetcher, reports: Reports) -> None:
        self._store = store
        self._coder = coder
        self._fetcher = fetcher
        self._reports = reports

    async def recover(
        self,
        parent: RelayParent,
        receipt: CandidateReceipt,
        core: CoreIndex,
        *,
        backers: Sequence[ValidatorIndex] = (),
    ) -> AvailableData:
        """A candidate's data: held here, else from a backer, else from chunks of all validators.

        Args:
            parent: A relay parent of the candidate's session.
            receipt: The candidate.
            core: The core that it was backed on.
            backers: Validators who should have all of the data, in the order in which to ask.

        Raises:
            RecoveryError: `UNAVAILABLE`, `INVALID`.
        """
        candidate = candidate_hash(receipt)
        held = self._store.available_data(candidate)
        if held is not None:
            return held
        root = receipt.descriptor.erasure_root
        for backer in backers:
            data = await self._from_backer(parent, backer, candidate, root)
            if data is not None:
                return data
        return recovered(len(parent.validators), await self._chunks(parent, candidate, core, root), root, self._coder)

    async def _from_backer(
        self, parent: RelayParent, backer: ValidatorIndex, candidate: CandidateHash, root: Hash
    ) -> AvailableData | None:
        peer = self._fetcher.peer_of(parent, backer)
        if peer is None:
            return None
        found = await self._fetcher.ask(peer, AVAILABLE_DATA, AvailableDataFetchingRequest(candidate).encode())
        if not isinstance(found, FoundData):
            return None
        if self._coder.coded(len(parent.validators), found.data).root != root:
            self._reports.fault(AVAILABLE_DATA.fault, f"{peer}: data of another erasure root")
            return None
        return found.data

    async def _chunks(
        self, parent: RelayParent, candidate: CandidateHash, core: CoreIndex, root: Hash
    ) -> dict[ChunkIndex, ErasureChunk]:
        """Chunks held here and asked of the validators in turn, until there are enough."""
        needed = recovery_threshold(len(parent.validators))
        found: dict[ChunkIndex, ErasureChunk] = {}
        for place in range(len(parent.validators)):
            if len(found) >= needed:
                break
            index = chunk_of(parent, ValidatorIndex(place), core)
            chunk = self._store.chunk(candidate, index) or await self._fetcher.chunk(
                parent, ValidatorIndex(place), candidate, index, root=root
            )
            if chunk is not None:
                found[index] = chunk
        return found
