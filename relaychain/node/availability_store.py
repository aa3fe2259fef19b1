"""Availability store: available data and chunks by candidate, dropped some time after finality.

Source: polkadot-sdk, `polkadot/node/core/av-store/src/lib.rs`.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple

from relaychain.erasure.coding import obtain_chunks
from relaychain.erasure.proofs import branches
from relaychain.primitives.availability import AvailableData, ErasureChunk
from relaychain.primitives.types import CandidateHash, ChunkIndex
from substrate.crypto.hashing import blake2_256
from substrate.types import Hash

KEPT_BLOCKS = 64
"""How long data stays after the block that last needed it became final; stands for upstream's 25 hours."""
_REMEMBERED = 16


class Coded(NamedTuple):
    """Data coded for all validators."""

    root: Hash
    chunks: tuple[ErasureChunk, ...]


class ErasureCoder:
    """Codes available data; remembers the last results, and may be shared by the nodes of one process."""

    def __init__(self) -> None:
        self._coded: OrderedDict[bytes, Coded] = OrderedDict()

    def coded(self, n_validators: int, data: AvailableData) -> Coded:
        """Erasure root and chunks of the data.

        Raises:
            ErasureError: there are too few or too many validators.
        """
        encoded = data.encode()
        key = n_validators.to_bytes(4, "little") + blake2_256(encoded)
        if key not in self._coded:
            chunks = obtain_chunks(n_validators, encoded)
            root, proofs = branches(chunks)
            proven = (
                ErasureChunk(chunk, ChunkIndex(index), proof)
                for index, (chunk, proof) in enumerate(zip(chunks, proofs, strict=True))
            )
            self._coded[key] = Coded(root, tuple(proven))
            if len(self._coded) > _REMEMBERED:
                self._coded.popitem(last=False)
        return self._coded[key]


@dataclass
class _Entry:
    number: int
    """Highest relay block that needed it."""
    data: AvailableData | None = None
    chunks: dict[ChunkIndex, ErasureChunk] = field(default_factory=dict[ChunkIndex, ErasureChunk])


class AvailabilityStore:
    """What this node holds of candidates' data."""

    def __init__(self, kept_blocks: int = KEPT_BLOCKS) -> None:
        self._kept_blocks = kept_blocks
        self._entries: dict[CandidateHash, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def _entry(self, candidate: CandidateHash, number: int) -> _Entry:
        entry = self._entries.setdefault(candidate, _Entry(number))
        entry.number = max(entry.number, number)
        return entry

    def put_available_data(
        self, candidate: CandidateHash, data: AvailableData, chunks: tuple[ErasureChunk, ...], number: int
    ) -> None:
        """Keep a candidate's data with all its chunks; `number` is the relay block that it is for."""
        entry = self._entry(candidate, number)
        entry.data = data
        entry.chunks = {chunk.index: chunk for chunk in chunks}

    def put_chunk(self, candidate: CandidateHash, chunk: ErasureChunk, number: int) -> None:
        """Keep one chunk that was checked."""
        self._entry(candidate, number).chunks[chunk.index] = chunk

    def note_needed(self, candidate: CandidateHash, number: int) -> None:
        """Keep what is held of a candidate past relay block `number`, which backed or included it."""
        if candidate in self._entries:
            self._entry(candidate, number)

    def available_data(self, candidate: CandidateHash) -> AvailableData | None:
        """A candidate's data, if this node validated or recovered it."""
        entry = self._entries.get(candidate)
        return entry.data if entry else None

    def chunk(self, candidate: CandidateHash, index: ChunkIndex) -> ErasureChunk | None:
        """One chunk, if it is held."""
        entry = self._entries.get(candidate)
        return entry.chunks.get(index) if entry else None

    def on_finalized(self, number: int) -> None:
        """Drop what no block within reach needs."""
        oldest = number - self._kept_blocks
        for candidate in [each for each, entry in self._entries.items() if entry.number < oldest]:
            del self._entries[candidate]
