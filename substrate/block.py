"""Headers, digests, blocks and justifications.

Source: polkadot-sdk, `substrate/primitives/runtime/src/generic/{header,digest,block}.rs`.
"""

from functools import lru_cache
from typing import Annotated, TypeAlias

from substrate.crypto.hashing import blake2_256
from substrate.scale.codec import encode
from substrate.scale.types import Compact, Fixed, Struct, enum_path, path, variant
from substrate.trie.proofs import ordered_root
from substrate.types import BlockNumber, Hash

EngineId: TypeAlias = Annotated[bytes, Fixed(4)]
"""Consensus engine: `BABE`, `FRNK`, `aura`, ..."""

ZERO_HASH = Hash(bytes(32))


@variant(0, unnamed=True)
class Other(Struct):
    """Data no engine owns."""

    data: bytes


@variant(4, unnamed=True)
class Consensus(Struct):
    """A message from the runtime to a consensus engine."""

    engine: EngineId
    data: bytes


@variant(5, unnamed=True)
class Seal(Struct):
    """The author's signature; not part of the header that is executed."""

    engine: EngineId
    data: bytes


@variant(6, unnamed=True)
class PreRuntime(Struct):
    """A message from a consensus engine to the runtime."""

    engine: EngineId
    data: bytes


@variant(8)
class RuntimeEnvironmentUpdated(Struct):
    """`:code` or `:heappages` changed in this block."""


DigestItem: TypeAlias = Other | Consensus | Seal | PreRuntime | RuntimeEnvironmentUpdated
enum_path(DigestItem, "sp_runtime::generic::digest::DigestItem")


@path("sp_runtime::generic::digest::Digest")
class Digest(Struct):
    """What consensus and runtime tell each other, in order."""

    logs: tuple[DigestItem, ...] = ()


@path("sp_runtime::generic::header::Header")
class Header(Struct, cache_hash=True):
    """A block header. Fields are in SCALE order."""

    parent_hash: Hash
    number: Compact[BlockNumber]
    state_root: Hash
    extrinsics_root: Hash
    digest: Digest

    @property
    def hash(self) -> Hash:
        """The block hash: blake2-256 of the encoding, seal included."""
        return header_hash(self)


@path("sp_runtime::generic::block::Block")
class Block(Struct):
    """A header and its extrinsics, each as opaque bytes without length prefix."""

    header: Header
    extrinsics: tuple[bytes, ...]

    @property
    def hash(self) -> Hash:
        """The hash of the header."""
        return header_hash(self.header)


class Justification(Struct):
    """A finality proof of one engine, opaque here."""

    engine: EngineId
    data: bytes


@lru_cache(maxsize=4096)
def header_hash(header: Header) -> Hash:
    """Compute the block hash, memoised by header value."""
    return Hash(blake2_256(header.encode()))


def extrinsic_hash(extrinsic: bytes) -> Hash:
    """Hash an opaque extrinsic as clients do: with its length prefix."""
    return Hash(blake2_256(encode(bytes, extrinsic)))


@lru_cache(maxsize=64)
def extrinsics_root(extrinsics: tuple[bytes, ...]) -> Hash:
    """Root of a block body: layout V0 over length-prefixed extrinsics. Memoised: each node of a process asks."""
    return Hash(ordered_root([encode(bytes, extrinsic) for extrinsic in extrinsics]))


def genesis_header(state_root: Hash) -> Header:
    """Header of block zero over a genesis state."""
    return Header(ZERO_HASH, BlockNumber(0), state_root, extrinsics_root(()), Digest())


def without_seal(header: Header) -> tuple[Header, Seal | None]:
    """Split the trailing seal off: the executed header, and the seal."""
    logs = header.digest.logs
    if not logs or not isinstance(logs[-1], Seal):
        return header, None
    seal = logs[-1]
    return header_with_digest(header, logs[:-1]), seal


def header_with_digest(header: Header, logs: tuple[DigestItem, ...]) -> Header:
    """The same header with other digest items."""
    return Header(header.parent_hash, header.number, header.state_root, header.extrinsics_root, Digest(logs))


def pre_runtime(header: Header, engine: bytes) -> bytes | None:
    """First pre-runtime payload of an engine, if any."""
    return next((log.data for log in header.digest.logs if isinstance(log, PreRuntime) and log.engine == engine), None)


def consensus_logs(header: Header, engine: bytes) -> tuple[bytes, ...]:
    """All consensus payloads of an engine, in order."""
    return tuple(log.data for log in header.digest.logs if isinstance(log, Consensus) and log.engine == engine)
