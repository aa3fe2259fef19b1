"""`validate_block` of a runtime: execute the block on its witness, and say what it leads to.

Source: polkadot-sdk, `cumulus/pallets/parachain-system/src/validate_block/implementation.rs`.
"""

from enum import StrEnum
from typing import Any, cast

from parachains.sdk.aura import Aura, check_seal
from parachains.sdk.block_data import ParachainBlockData
from parachains.sdk.parachain_inherent import ParachainInherentData
from parachains.sdk.parachain_system import ParachainSystem
from relaychain.primitives.types import HeadData
from relaychain.primitives.validation import ValidationParams, ValidationResult
from substrate.block import Block, Header, header_hash
from substrate.errors import RuleError
from substrate.runtime.assembly import Runtime
from substrate.runtime.checks import decode_checked
from substrate.runtime.executive import execute_block
from substrate.scale.codec import decode
from substrate.state import Overlay
from substrate.trie.proofs import trie_from_proof
from substrate.trie.trie import Trie


class BlockReason(StrEnum):
    """Why a block does not belong to the parameters it came with."""

    PARENT = "ParentHeadMismatch"
    RELAY_PARENT_NUMBER = "RelayParentNumberMismatch"
    RELAY_STORAGE_ROOT = "RelayParentStorageRootMismatch"
    PROMISED_PARENT = "ValidationDataParentMismatch"
    NO_INHERENT = "NoValidationData"


class BlockInvalid(RuleError):
    """A block that is valid nowhere, or not here."""


def validate_block(runtime: type[Runtime], params: ValidationParams) -> ValidationResult:
    """Execute the block in `params` on its witness.

    Raises:
        BlockInvalid: It is another parent's or another relay parent's.
        BlockError, AuraError: It breaks a rule of the chain.
        MissingNode: The witness lacks something that it touches.
        DecodeError: The bytes are no block.
    """
    data = decode(ParachainBlockData, params.block_data)
    parent = decode(Header, params.parent_head)
    block = data.block
    if block.header.parent_hash != header_hash(parent):
        raise BlockInvalid(BlockReason.PARENT, claimed=f"0x{block.header.parent_hash.hex()}")
    _check_promises(runtime, block, params)
    state = trie_from_proof(parent.state_root, data.storage_proof.encoded_nodes)
    bare = check_seal(block.header, runtime(Overlay(state)).pallet(Aura).authorities.get())
    executed = execute_block(runtime, state, Block(bare, block.extrinsics))
    return collect_result(runtime, executed.state, block.header)


def _check_promises(runtime: type[Runtime], block: Block, params: ValidationParams) -> None:
    """The inherent repeats what the relay chain promised; here the relay chain says what that was."""
    promised = inherent_of(runtime, block).validation_data
    if promised.relay_parent_number != params.relay_parent_number:
        raise BlockInvalid(BlockReason.RELAY_PARENT_NUMBER, claimed=promised.relay_parent_number)
    if promised.relay_parent_storage_root != params.relay_parent_storage_root:
        raise BlockInvalid(BlockReason.RELAY_STORAGE_ROOT, claimed=f"0x{promised.relay_parent_storage_root.hex()}")
    if promised.parent_head != params.parent_head:
        raise BlockInvalid(BlockReason.PROMISED_PARENT)


def inherent_of(runtime: type[Runtime], block: Block) -> ParachainInherentData:
    """What a block says of its relay parent.

    Raises:
        BlockInvalid: `NO_INHERENT`.
    """
    for raw in block.extrinsics:
        extrinsic = decode_checked(runtime, raw)
        if extrinsic.signed is not None:
            break  # inherents come first
        entry, value = runtime.assembly().resolve(extrinsic.call)
        if entry.method == "set_validation_data":
            return cast("ParachainInherentData", cast(Any, value).data)
    raise BlockInvalid(BlockReason.NO_INHERENT)


def collect_result(runtime: type[Runtime], state: Trie, header: Header) -> ValidationResult:
    """What a block with this state and (sealed) header commits to."""
    system = runtime(Overlay(state)).pallet(ParachainSystem)
    return ValidationResult(
        head_data=system.custom_validation_head_data.get() or HeadData(header.encode()),
        new_validation_code=system.new_validation_code.get(),
        upward_messages=system.upward_messages.get(),
        horizontal_messages=system.hrmp_outbound_messages.get(),
        processed_downward_messages=system.processed_downward_messages.get(),
        hrmp_watermark=system.hrmp_watermark.get(),
    )
