"""Identifiers of the relay chain, and its thresholds.

Source: polkadot-sdk, `polkadot/primitives/src/v9/mod.rs`, `polkadot/parachain/src/primitives.rs`.
"""

from enum import IntEnum
from typing import Annotated, NewType

from substrate.crypto.hashing import blake2_256
from substrate.scale.types import Fixed, path, u8, u32, wire
from substrate.types import BlockNumber, Hash

__all__ = ["BlockNumber", "Hash"]

PRIMITIVES = "polkadot_primitives::v9"
PARACHAIN = "polkadot_parachain_primitives::primitives"

ParaId = NewType("ParaId", int)
wire(ParaId, u32, path=f"{PARACHAIN}::Id")
CoreIndex = NewType("CoreIndex", int)
wire(CoreIndex, u32, path=f"{PRIMITIVES}::CoreIndex")
GroupIndex = NewType("GroupIndex", int)
wire(GroupIndex, u32, path=f"{PRIMITIVES}::GroupIndex")
ValidatorIndex = NewType("ValidatorIndex", int)
wire(ValidatorIndex, u32, path=f"{PRIMITIVES}::ValidatorIndex")
ChunkIndex = NewType("ChunkIndex", int)
wire(ChunkIndex, u32, path=f"{PRIMITIVES}::ChunkIndex")
SessionIndex = NewType("SessionIndex", int)
wire(SessionIndex, u32)
CoreSelector = NewType("CoreSelector", int)
wire(CoreSelector, u8, path=f"{PRIMITIVES}::CoreSelector")
ClaimQueueOffset = NewType("ClaimQueueOffset", int)
wire(ClaimQueueOffset, u8, path=f"{PRIMITIVES}::ClaimQueueOffset")

CandidateHash = NewType("CandidateHash", bytes)
wire(CandidateHash, Annotated[bytes, Fixed(32)], path="polkadot_core_primitives::CandidateHash")
ValidationCodeHash = NewType("ValidationCodeHash", bytes)
wire(ValidationCodeHash, Annotated[bytes, Fixed(32)], path=f"{PARACHAIN}::ValidationCodeHash")
HeadData = NewType("HeadData", bytes)
wire(HeadData, bytes, path=f"{PARACHAIN}::HeadData")
ValidationCode = NewType("ValidationCode", bytes)
wire(ValidationCode, bytes, path=f"{PARACHAIN}::ValidationCode")

ValidatorId = NewType("ValidatorId", bytes)
wire(ValidatorId, Annotated[bytes, Fixed(32)], path=f"{PRIMITIVES}::validator_app::Public")
ValidatorSignature = NewType("ValidatorSignature", bytes)
wire(ValidatorSignature, Annotated[bytes, Fixed(64)], path=f"{PRIMITIVES}::validator_app::Signature")
AssignmentId = NewType("AssignmentId", bytes)
wire(AssignmentId, Annotated[bytes, Fixed(32)], path=f"{PRIMITIVES}::assignment_app::Public")
AuthorityDiscoveryId = NewType("AuthorityDiscoveryId", bytes)
wire(AuthorityDiscoveryId, Annotated[bytes, Fixed(32)], path="sp_authority_discovery::app::Public")
CollatorId = NewType("CollatorId", bytes)
wire(CollatorId, Annotated[bytes, Fixed(32)], path=f"{PRIMITIVES}::collator_app::Public")
CollatorSignature = NewType("CollatorSignature", bytes)
wire(CollatorSignature, Annotated[bytes, Fixed(64)], path=f"{PRIMITIVES}::collator_app::Signature")

LOWEST_PUBLIC_ID = ParaId(2000)
"""Ids below are system paras: no channel deposits, ids from genesis."""
ZERO_HASH = Hash(bytes(32))


@path(f"{PRIMITIVES}::UpgradeGoAhead")
class UpgradeGoAhead(IntEnum):
    """What a para that scheduled an upgrade is told."""

    ABORT = 0
    GO_AHEAD = 1


@path(f"{PRIMITIVES}::UpgradeRestriction")
class UpgradeRestriction(IntEnum):
    """Why a para may not schedule an upgrade now."""

    PRESENT = 0


@path(f"{PRIMITIVES}::OccupiedCoreAssumption")
class OccupiedCoreAssumption(IntEnum):
    """What to assume of the candidate that occupies a para's core."""

    INCLUDED = 0
    TIMED_OUT = 1
    FREE = 2


class NodeFeature(IntEnum):
    """Bit positions in `node_features`."""

    ENABLE_ASSIGNMENTS_V2 = 0
    ELASTIC_SCALING_MVP = 1
    AVAILABILITY_CHUNK_MAPPING = 2
    CANDIDATE_RECEIPT_V2 = 3
    CANDIDATE_RECEIPT_V3 = 4


def byzantine_threshold(n: int) -> int:
    """f: how many of n validators may be byzantine."""
    return max(n - 1, 0) // 3


def supermajority_threshold(n: int) -> int:
    """Votes that conclude: n - f."""
    return n - byzantine_threshold(n)


def effective_minimum_backing_votes(group_len: int, configured: int) -> int:
    """Backing votes that a group of this size owes."""
    return min(group_len, configured)


def is_system(para: ParaId) -> bool:
    """Whether a para is a system chain."""
    return para < LOWEST_PUBLIC_ID


def head_hash(head: HeadData) -> Hash:
    """`para_head` of a descriptor: the raw bytes hashed, no length prefix."""
    return Hash(blake2_256(head))


def validation_code_hash(code: ValidationCode) -> ValidationCodeHash:
    """Hash of raw code bytes, no length prefix."""
    return ValidationCodeHash(blake2_256(code))
