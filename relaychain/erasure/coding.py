"""Erasure coding of available data: chunks for n validators, recovery from any f+1.

Source: polkadot-sdk, `polkadot/erasure-coding/src/lib.rs`; paritytech/reed-solomon-novelpoly, `src/novel_poly_basis`.

Systematic Reed-Solomon over GF(2^16): column c of the payload is its symbols 2kc..2k(c+1) (2 bytes, big-endian), the
values of a polynomial of degree < k at points 0..k; chunk v holds the value at point v, one symbol per column.
Interpolation is Lagrange's with cached coefficients: for the validator counts here it needs no FFT.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

import numpy as np

from relaychain.erasure.field import Symbols, interpolate, lagrange_logs, tables
from substrate.errors import RuleError

MAX_VALIDATORS = 65536


class ErasureReason(StrEnum):
    """Why data cannot be coded, recovered or checked."""

    TOO_MANY_VALIDATORS = "TooManyValidators"
    NOT_ENOUGH_VALIDATORS = "NotEnoughValidators"
    NOT_ENOUGH_CHUNKS = "NotEnoughChunks"
    NON_UNIFORM_CHUNKS = "NonUniformChunks"
    UNEVEN_LENGTH = "UnevenLength"
    BAD_PAYLOAD = "BadPayload"
    CHUNK_INDEX_OUT_OF_BOUNDS = "ChunkIndexOutOfBounds"
    INVALID_BRANCH_PROOF = "InvalidBranchProof"


class ErasureError(RuleError):
    """Chunks or payload break a rule of the code."""


def recovery_threshold(n_validators: int) -> int:
    """f+1: chunks that suffice to recover the data."""
    if n_validators > MAX_VALIDATORS:
        raise ErasureError(ErasureReason.TOO_MANY_VALIDATORS, n_validators=n_validators)
    if n_validators <= 1:
        raise ErasureError(ErasureReason.NOT_ENOUGH_VALIDATORS, n_validators=n_validators)
    return (n_validators - 1) // 3 + 1


def systematic_recovery_threshold(n_validators: int) -> int:
    """k: the largest power of two <= f+1. The first k chunks are the data itself."""
    return 1 << (recovery_threshold(n_validators).bit_length() - 1)


def chunk_index(n_validators: int, validator: int, core: int, *, is_mapped: bool) -> int:
    """Chunk that a validator holds (RFC-47). `is_mapped`: node feature `AvailabilityChunkMapping`."""
    if not is_mapped:
        return validator
    return (core * systematic_recovery_threshold(n_validators) + validator) % n_validators


@lru_cache(maxsize=4096)
def _coefficients(points: tuple[int, ...], at: int) -> tuple[int, ...]:
    return lagrange_logs(points, at)


def obtain_chunks(n_validators: int, data: bytes) -> list[bytes]:
    """Code `data` into one chunk per validator.

    Raises:
        ErasureError: `TOO_MANY_VALIDATORS`, `NOT_ENOUGH_VALIDATORS`, `BAD_PAYLOAD` for no data.
    """
    k = systematic_recovery_threshold(n_validators)
    if not data:
        raise ErasureError(ErasureReason.BAD_PAYLOAD)
    columns = -(-len(data) // (2 * k))
    padded = data.ljust(2 * k * columns, b"\0")
    rows = np.frombuffer(padded, ">u2").reshape(columns, k).T.astype(np.uint16)
    chunks = [row.astype(">u2").tobytes() for row in rows]
    log = tables()[0]
    logs = [log[row] for row in rows]
    points = tuple(range(k))
    for at in range(k, n_validators):
        chunks.append(interpolate(logs, _coefficients(points, at)).astype(">u2").tobytes())
    return chunks


def _check_chunks(n_validators: int, chunks: Mapping[int, bytes]) -> None:
    threshold = recovery_threshold(n_validators)
    for index in chunks:
        if not 0 <= index < n_validators:
            raise ErasureError(ErasureReason.CHUNK_INDEX_OUT_OF_BOUNDS, index=index, n_validators=n_validators)
    if len(chunks) < threshold:
        raise ErasureError(ErasureReason.NOT_ENOUGH_CHUNKS, have=len(chunks), need=threshold)
    lengths = {len(chunk) for chunk in chunks.values()}
    if len(lengths) != 1:
        raise ErasureError(ErasureReason.NON_UNIFORM_CHUNKS)
    length = lengths.pop()
    if length % 2:
        raise ErasureError(ErasureReason.UNEVEN_LENGTH, length=length)
    if not length:
        raise ErasureError(ErasureReason.BAD_PAYLOAD)


def _joined(rows: Sequence[Symbols]) -> bytes:
    return np.stack(rows).T.astype(">u2").tobytes()


def reconstruct(n_validators: int, chunks: Mapping[int, bytes]) -> bytes:
    """Recover the payload from any f+1 chunks, by chunk index.

    Returns:
        The payload, still zero-padded to whole columns: decode it as a prefix, then code it again and compare the root
        (only the root says whether the chunks belonged together).

    Raises:
        ErasureError: `NOT_ENOUGH_CHUNKS`, `NON_UNIFORM_CHUNKS`, `UNEVEN_LENGTH`, `BAD_PAYLOAD`,
            `CHUNK_INDEX_OUT_OF_BOUNDS`, and those of `obtain_chunks`.
    """
    _check_chunks(n_validators, chunks)
    k = systematic_recovery_threshold(n_validators)
    points = tuple(sorted(chunks)[:k])
    rows = {index: np.frombuffer(chunks[index], ">u2").astype(np.uint16) for index in points}
    missing = [index for index in range(k) if index not in rows]
    if missing:
        log = tables()[0]
        logs = [log[rows[index]] for index in points]
        for index in missing:
            rows[index] = interpolate(logs, _coefficients(points, index))
    return _joined([rows[index] for index in range(k)])
