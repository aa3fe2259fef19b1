"""Consensus log: what the parachain pallets write into a relay block's digest.

Source: polkadot-sdk, `polkadot/primitives/src/v9/mod.rs` (`ConsensusLog`).
"""

from typing import TypeAlias

from relaychain.primitives.types import PRIMITIVES, ParaId, ValidationCodeHash
from substrate.block import Consensus
from substrate.scale.codec import encode
from substrate.scale.types import Struct, enum_path, variant
from substrate.types import BlockNumber

ENGINE_ID = b"POL1"


@variant(1, unnamed=True)
class ParaUpgradeCode(Struct):
    """A para runs under this code from now on."""

    para_id: ParaId
    code_hash: ValidationCodeHash


@variant(2, unnamed=True)
class ParaScheduleUpgradeCode(Struct):
    """A para may switch to this code from that block on."""

    para_id: ParaId
    code_hash: ValidationCodeHash
    expected_at: BlockNumber


@variant(3, unnamed=True)
class ForceApprove(Struct):
    """All blocks up to this one count as approved."""

    up_to: BlockNumber


@variant(4, unnamed=True)
class Revert(Struct):
    """The chain is to be reverted to this block."""

    to: BlockNumber


ConsensusLog: TypeAlias = ParaUpgradeCode | ParaScheduleUpgradeCode | ForceApprove | Revert
enum_path(ConsensusLog, f"{PRIMITIVES}::ConsensusLog")


def digest_item(log: ConsensusLog) -> Consensus:
    """A log as a digest item."""
    return Consensus(ENGINE_ID, encode(ConsensusLog, log))
