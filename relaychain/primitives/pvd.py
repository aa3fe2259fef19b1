"""What the relay chain promises about a candidate's context.

Source: polkadot-sdk, `polkadot/primitives/src/v9/mod.rs`.
"""

from relaychain.primitives.types import PRIMITIVES, HeadData
from substrate.crypto.hashing import blake2_256
from substrate.scale.types import Struct, path, u32
from substrate.types import BlockNumber, Hash


@path(f"{PRIMITIVES}::PersistedValidationData")
class PersistedValidationData(Struct):
    """Inputs of validation that the relay chain fixes; a candidate commits to their hash."""

    parent_head: HeadData
    relay_parent_number: BlockNumber
    relay_parent_storage_root: Hash
    max_pov_size: u32

    @property
    def hash(self) -> Hash:
        """`persisted_validation_data_hash` of a descriptor."""
        return Hash(blake2_256(self.encode()))
