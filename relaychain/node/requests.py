"""Requests to validators and collators: kinds and wire forms.

Source: polkadot-sdk, `polkadot/node/network/protocol/src/request_response/v1.rs`.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from relaychain.primitives.availability import AvailableData, ErasureChunk, PoV
from relaychain.primitives.collation import COLLATION_FETCHING, CollationFetchingResponse
from relaychain.primitives.types import CandidateHash, ChunkIndex
from substrate.scale.codec import Codec, codec_of
from substrate.scale.types import Struct, enum_path, variant

T = TypeVar("T")

_CRATE = "polkadot_node_network_protocol::request_response::v1"

POV_FETCHING = "pov_fetching"
CHUNK_FETCHING = "chunk_fetching"
AVAILABLE_DATA_FETCHING = "available_data_fetching"


class PoVFetchingRequest(Struct):
    """Asks a backer for a candidate's PoV."""

    candidate_hash: CandidateHash


@variant(0, "PoV", unnamed=True)
class FoundPoV(Struct):
    """Here it is."""

    pov: PoV


@variant(1)
class NoSuchPoV(Struct):
    """Not held here."""


PoVFetchingResponse = FoundPoV | NoSuchPoV
enum_path(PoVFetchingResponse, f"{_CRATE}::PoVFetchingResponse")


class ChunkFetchingRequest(Struct):
    """Asks for one erasure chunk."""

    candidate_hash: CandidateHash
    index: ChunkIndex


@variant(0, "Chunk", unnamed=True)
class FoundChunk(Struct):
    """Here it is."""

    chunk: ErasureChunk


@variant(1)
class NoSuchChunk(Struct):
    """Not held here."""


ChunkFetchingResponse = FoundChunk | NoSuchChunk
enum_path(ChunkFetchingResponse, f"{_CRATE}::ChunkFetchingResponse")


class AvailableDataFetchingRequest(Struct):
    """Asks for all of a candidate's data."""

    candidate_hash: CandidateHash


@variant(0, "AvailableData", unnamed=True)
class FoundData(Struct):
    """Here it is."""

    data: AvailableData


@variant(1)
class NoSuchData(Struct):
    """Not held here."""


AvailableDataFetchingResponse = FoundData | NoSuchData
enum_path(AvailableDataFetchingResponse, f"{_CRATE}::AvailableDataFetchingResponse")


@dataclass(frozen=True)
class Exchange(Generic[T]):
    """A kind of request with the form of its answer."""

    kind: str
    """On the wire."""
    fault: str
    """In the record, where it fails."""
    response: Codec[T]


POV = Exchange(POV_FETCHING, "PoVFetching", codec_of(PoVFetchingResponse))
CHUNK = Exchange(CHUNK_FETCHING, "ChunkFetching", codec_of(ChunkFetchingResponse))
AVAILABLE_DATA = Exchange(AVAILABLE_DATA_FETCHING, "AvailableDataFetching", codec_of(AvailableDataFetchingResponse))
COLLATION = Exchange(COLLATION_FETCHING, "CollationFetching", codec_of(CollationFetchingResponse))
