"""The proof of validity of a runtime's block: the block and the trie nodes that it touches.

Source: polkadot-sdk, `cumulus/primitives/core/src/lib.rs` (`ParachainBlockData`), one block, nodes as they are.
"""

from substrate.block import Block, Header
from substrate.scale.codec import encode
from substrate.scale.types import Struct, path


@path("sp_trie::storage_proof::CompactProof")
class CompactProof(Struct):
    """Trie nodes, sorted."""

    encoded_nodes: tuple[bytes, ...]


@path("cumulus_primitives_core::ParachainBlockData")
class ParachainBlockData(Struct):
    """A block with its witness."""

    header: Header
    extrinsics: tuple[bytes, ...]
    storage_proof: CompactProof

    @property
    def block(self) -> Block:
        """The block."""
        return Block(self.header, self.extrinsics)


def extrinsic_size(extrinsic: bytes) -> int:
    """Bytes that an extrinsic takes in a block."""
    return len(encode(bytes, extrinsic))
