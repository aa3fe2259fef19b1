"""Adder: the smallest parachain: a number that grows. Level 0: no runtime, no state trie.

Source: polkadot-sdk, `polkadot/parachain/test-parachains/adder/src/lib.rs`.

It has no use for messages. Unlike upstream's it says that it processed one where any waits: the relay chain, which
checks that, would otherwise take no more of its blocks.
"""

from enum import StrEnum
from typing import Annotated

from parachains.sdk.contract import Collated, CollationContext, GenesisBlock, ParaConfig
from relaychain.primitives.types import HeadData
from relaychain.primitives.validation import ValidationParams, ValidationResult
from substrate.crypto.hashing import blake2_256
from substrate.errors import RuleError
from substrate.scale.codec import decode
from substrate.scale.types import Fixed, Struct, u32, u64

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
    """The block: the state it begins with, what it adds, and how many downward messages it has done with."""

    state: u64
    add: u64
    processed: u32 = 0


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
        """Execute the block; it has read whatever its siblings sent, so the watermark is the relay parent."""
        parent, block = decode(AdderHead, params.parent_head), decode(AdderBlock, params.block_data)
        head = executed(blake2_256(params.parent_head), parent, block)
        return ValidationResult(HeadData(head.encode()), None, (), (), block.processed, params.relay_parent_number)

    @staticmethod
    def collate(head: HeadData, state: int, context: CollationContext) -> Collated[int]:
        """The next block."""
        numbers = tuple(raw for raw in context.extrinsics if len(raw) == 8)
        add = sum(int.from_bytes(raw, "little") for raw in numbers) % _MODULUS if numbers else 1
        processed = min(len(context.downward_messages), 1)
        block = AdderBlock(state, add, processed)
        after = executed(blake2_256(head), decode(AdderHead, head), block)
        number = context.validation_data.relay_parent_number
        result = ValidationResult(HeadData(after.encode()), None, (), (), processed, number)
        return Collated(block.encode(), result, (state + add) % _MODULUS, numbers)
