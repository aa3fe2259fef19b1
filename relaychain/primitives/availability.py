"""Availability: the data behind a candidate, its chunks, and the validators' bitfields.

Source: polkadot-sdk, `polkadot/node/primitives/src/lib.rs`, `polkadot/primitives/src/v9/mod.rs`.
"""

from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.statements import SigningContext
from relaychain.primitives.types import PRIMITIVES, ChunkIndex, ValidatorIndex, ValidatorSignature
from substrate.crypto.hashing import blake2_256
from substrate.scale.bits import BitVec
from substrate.scale.codec import codec_of, encode
from substrate.scale.types import Struct, path
from substrate.types import Hash


@path("polkadot_node_primitives::PoV")
class PoV(Struct):
    """Proof of validity: the para block with the state it touches."""

    block_data: bytes

    @property
    def hash(self) -> Hash:
        """`pov_hash` of a descriptor."""
        return Hash(blake2_256(self.encode()))


@path("polkadot_node_primitives::AvailableData")
class AvailableData(Struct):
    """What must stay available so that any validator can check a candidate."""

    pov: PoV
    validation_data: PersistedValidationData


def decode_padded(payload: bytes) -> AvailableData:
    """Available data from a reconstructed payload, whose zero padding is dropped.

    Raises:
        DecodeError: the payload does not start with available data.
    """
    return codec_of(AvailableData).decode_from(payload, 0)[0]


@path("polkadot_node_primitives::ErasureChunk")
class ErasureChunk(Struct):
    """One chunk with its proof under the erasure root."""

    chunk: bytes
    index: ChunkIndex
    proof: tuple[bytes, ...]


@path(f"{PRIMITIVES}::signed::UncheckedSigned")
class SignedAvailabilityBitfield(Struct):
    """One validator's word on which cores' data it holds a chunk of."""

    payload: BitVec
    """One bit per core."""
    validator_index: ValidatorIndex
    signature: ValidatorSignature


def bitfield_payload(bits: BitVec, context: SigningContext) -> bytes:
    """Bytes that a bitfield's signature covers. Unlike statements they carry no magic."""
    return encode(BitVec, bits) + context.encode()
