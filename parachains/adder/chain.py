"""Adder: the smallest parachain: a number that grows. Level 0: no runtime, no state trie, no messages.

Source: polkadot-sdk, `polkadot/parachain/test-parachains/adder/src/lib.rs`.
"""

from enum import StrEnum
from typing import Annotated

from parachains.sdk.contract import Collated, CollationContext, GenesisBlock, ParaConfig
from relaychain.primitives.types import HeadData
from relaychain.primitives.validation import ValidationParams, ValidationResult
from substrate.crypto.hashing import blake2_256
from substrate.errors import RuleError
from substrate.scale.codec import decode
from substrate.scale.types import Fixed, Struct, u64

_MODULUS = 1 << 64
_NO_PARENT = bytes(32)


class AdderReason(StrEnum):
    """Why a block is refused."""

    STATE_MISMATCH = "StateMismatch"


class AdderError(RuleError):
    """A block that does not follow from its parent."""


class AdderHead(Struct):
    """The head data of a block."""

    number: u64
    parent_hash: Annotated[bytes, Fixed(32)]
    """Hash of the encoded parent head."""
    post_state: Annotated[bytes, Fixed(32)]
    """Hash of the encoded state."""


class AdderBlock(Struct):
    """The block: the state it begins with, and what it adds."""

    state: u64
    add: u64


def hash_state(state: int) -> bytes:
    """Hash of the state."""
    return blake2_256(state.to_bytes(8, "little"))


def executed(parent_hash: bytes, parent: AdderHead, block: AdderBlock) -> AdderHead:
    """The head after a block.

    Raises:
        AdderError: `STATE_MISMATCH`.
    """
    if hash_state(block.state) != parent.post_state:
        raise AdderError(AdderReason.STATE_MISMATCH, state=block.state)
    return AdderHead(parent.number + 1, parent_hash, hash_state((block.state + block.add) % _MODULUS))


class Adder:
    """The plugin. A collator adds what each extrinsic says (u64, little endian), or 1 where none waits."""

    @staticmethod
    def genesis_block(config: ParaConfig) -> GenesisBlock[int]:
        """Takes `{"adder": {"state": 0}}` in the configuration's pallets."""
        state = int(config.pallets.get("adder", {}).get("state", 0))
        return GenesisBlock(HeadData(AdderHead(0, _NO_PARENT, hash_state(state)).encode()), state)

    @staticmethod
    def validate_block(params: ValidationParams) -> ValidationResult:
        """Execute the block; there are no messages to process, so the watermark is the relay parent."""
        parent = decode(AdderHead, params.parent_head)
        head = executed(blake2_256(params.parent_head), parent, decode(AdderBlock, params.block_data))
        return ValidationResult(HeadData(head.encode()), None, (), (), 0, params.relay_parent_number)

    @staticmethod
    def collate(head: HeadData, state: int, context: CollationContext) -> Collated[int]:
        """The next block."""
        numbers = tuple(raw for raw in context.extrinsics if len(raw) == 8)
        add = sum(int.from_bytes(raw, "little") for raw in numbers) % _MODULUS if numbers else 1
        block = AdderBlock(state, add)
        after = executed(blake2_256(head), decode(AdderHead, head), block)
        number = context.validation_data.relay_parent_number
        result = ValidationResult(HeadData(after.encode()), None, (), (), 0, number)
        return Collated(block.encode(), result, (state + add) % _MODULUS, numbers)
