"""Candidates: descriptor, commitments, receipts, and which core a candidate names.

Source: polkadot-sdk, `polkadot/primitives/src/v9/mod.rs` (RFC-103 descriptors).
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Annotated, TypeAlias

from relaychain.primitives.messages import OutboundHrmpMessage, UmpSignals, UpwardMessage, ump_signals
from relaychain.primitives.types import (
    PRIMITIVES,
    CandidateHash,
    CoreIndex,
    HeadData,
    ParaId,
    SessionIndex,
    ValidationCode,
    ValidationCodeHash,
    ValidatorSignature,
)
from substrate.crypto.hashing import blake2_256
from substrate.errors import RuleError
from substrate.scale.bits import BitVec
from substrate.scale.types import Ascending, Fixed, MaxLen, Struct, enum_path, path, u8, u16, u32, variant
from substrate.types import BlockNumber, Hash

CORE_INDEX_BITS = 8
"""Bits behind the group's bits in `validator_indices`: the core, so that one para can use several."""
MAX_UPWARD_MESSAGE_NUM = 16 * 1024
MAX_HORIZONTAL_MESSAGE_NUM = 16 * 1024

TransposedClaimQueue: TypeAlias = Mapping[ParaId, Mapping[u8, Annotated[tuple[CoreIndex, ...], Ascending()]]]
"""Cores of each para by depth in the claim queue; cores ascend."""


class CandidateDescriptorVersion(Enum):
    """What a descriptor's bytes mean."""

    V1 = 1
    V2 = 2
    UNKNOWN = 0


@path(f"{PRIMITIVES}::CandidateDescriptorV2")
class CandidateDescriptor(Struct):
    """A candidate's identity, 292 bytes. V1 kept collator and signature where the reserved fields are."""

    para_id: ParaId
    relay_parent: Hash
    version: u8
    """0 for V2; use `descriptor_version`, which also looks at the reserved bytes."""
    core_index: u16
    session_index: SessionIndex
    reserved1: Annotated[bytes, Fixed(25)]
    persisted_validation_data_hash: Hash
    pov_hash: Hash
    erasure_root: Hash
    reserved2: Annotated[bytes, Fixed(64)]
    para_head: Hash
    """Hash of the raw new head data."""
    validation_code_hash: ValidationCodeHash


def descriptor_v2(
    *,
    para_id: ParaId,
    relay_parent: Hash,
    core_index: CoreIndex,
    session_index: SessionIndex,
    persisted_validation_data_hash: Hash,
    pov_hash: Hash,
    erasure_root: Hash,
    para_head: Hash,
    validation_code_hash: ValidationCodeHash,
) -> CandidateDescriptor:
    """A V2 descriptor, its reserved bytes zero."""
    return CandidateDescriptor(
        para_id,
        relay_parent,
        0,
        core_index,
        session_index,
        bytes(25),
        persisted_validation_data_hash,
        pov_hash,
        erasure_root,
        bytes(64),
        para_head,
        validation_code_hash,
    )


def descriptor_version(descriptor: CandidateDescriptor) -> CandidateDescriptorVersion:
    """Version of a descriptor: V1 has a collator key in the bytes that later versions keep zero."""
    if any(descriptor.reserved1) or any(descriptor.reserved2):
        return CandidateDescriptorVersion.V1
    return CandidateDescriptorVersion.V2 if descriptor.version == 0 else CandidateDescriptorVersion.UNKNOWN


@path(f"{PRIMITIVES}::CandidateCommitments")
class CandidateCommitments(Struct):
    """What a candidate does to the relay chain when it is included."""

    upward_messages: Annotated[tuple[UpwardMessage, ...], MaxLen(MAX_UPWARD_MESSAGE_NUM)]
    horizontal_messages: Annotated[tuple[OutboundHrmpMessage, ...], MaxLen(MAX_HORIZONTAL_MESSAGE_NUM)]
    new_validation_code: ValidationCode | None
    head_data: HeadData
    processed_downward_messages: u32
    hrmp_watermark: BlockNumber

    @property
    def hash(self) -> Hash:
        """`commitments_hash` of a receipt."""
        return Hash(blake2_256(self.encode()))


@path(f"{PRIMITIVES}::CandidateReceiptV2")
class CandidateReceipt(Struct):
    """A candidate by its descriptor and the hash of its commitments."""

    descriptor: CandidateDescriptor
    commitments_hash: Hash


@path(f"{PRIMITIVES}::CommittedCandidateReceiptV2")
class CommittedCandidateReceipt(Struct):
    """A candidate with its commitments in full."""

    descriptor: CandidateDescriptor
    commitments: CandidateCommitments

    @property
    def receipt(self) -> CandidateReceipt:
        """The receipt without commitments."""
        return CandidateReceipt(self.descriptor, self.commitments.hash)


def candidate_hash(receipt: CandidateReceipt | CommittedCandidateReceipt) -> CandidateHash:
    """Identity of a candidate: the hash of its receipt without commitments."""
    plain = receipt if isinstance(receipt, CandidateReceipt) else receipt.receipt
    return CandidateHash(blake2_256(plain.encode()))


@variant(1, unnamed=True)
class Implicit(Struct):
    """The signature of a `Seconded` statement."""

    signature: ValidatorSignature


@variant(2, unnamed=True)
class Explicit(Struct):
    """The signature of a `Valid` statement."""

    signature: ValidatorSignature


ValidityAttestation = Implicit | Explicit
enum_path(ValidityAttestation, f"{PRIMITIVES}::ValidityAttestation")


@path(f"{PRIMITIVES}::BackedCandidate")
class BackedCandidate(Struct):
    """A candidate with enough votes of its group."""

    candidate: CommittedCandidateReceipt
    validity_votes: tuple[ValidityAttestation, ...]
    """One vote per set bit, in the group's order."""
    validator_indices: BitVec
    """Positions in the group that voted, then `CORE_INDEX_BITS` bits of the core index."""

    @property
    def voters(self) -> BitVec:
        """The group's bits alone."""
        bits = tuple(self.validator_indices)
        return BitVec(bits[:-CORE_INDEX_BITS])

    @property
    def core_index(self) -> CoreIndex | None:
        """The core that the backers assumed; None if the bits do not hold one."""
        bits = tuple(self.validator_indices)[-CORE_INDEX_BITS:]
        if len(bits) < CORE_INDEX_BITS:
            return None
        return CoreIndex(sum(1 << place for place, bit in enumerate(bits) if bit))


def backed_candidate(
    candidate: CommittedCandidateReceipt, votes: tuple[ValidityAttestation, ...], voters: BitVec, core: CoreIndex
) -> BackedCandidate:
    """A backed candidate with its core behind the group's bits."""
    core_bits = tuple(bool(core >> place & 1) for place in range(CORE_INDEX_BITS))
    return BackedCandidate(candidate, votes, BitVec(tuple(voters) + core_bits))


class CandidateReason(StrEnum):
    """Why a committed receipt contradicts itself or the claim queue."""

    UMP_SIGNAL_WITH_V1_DESCRIPTOR = "UMPSignalWithV1Decriptor"
    UNKNOWN_VERSION = "UnknownVersion"
    NO_ASSIGNMENT = "NoAssignment"
    INVALID_CORE_INDEX = "InvalidCoreIndex"
    CORE_INDEX_MISMATCH = "CoreIndexMismatch"


class CandidateError(RuleError):
    """A committed receipt breaks a rule of RFC-103."""


def check_ump_signals(receipt: CommittedCandidateReceipt, cores_per_para: TransposedClaimQueue) -> UmpSignals:
    """The candidate's signals, once its core is the one they select.

    Raises:
        CandidateError: any reason. UmpSignalError: malformed signals.
    """
    signals = ump_signals(receipt.commitments.upward_messages)
    version = descriptor_version(receipt.descriptor)
    if version is CandidateDescriptorVersion.UNKNOWN:
        raise CandidateError(CandidateReason.UNKNOWN_VERSION, version=receipt.descriptor.version)
    if version is CandidateDescriptorVersion.V1:
        if signals != UmpSignals():
            raise CandidateError(CandidateReason.UMP_SIGNAL_WITH_V1_DESCRIPTOR)
        return signals
    _check_core_index(receipt.descriptor, signals, cores_per_para)
    return signals


def _check_core_index(
    descriptor: CandidateDescriptor, signals: UmpSignals, cores_per_para: TransposedClaimQueue
) -> None:
    select, core = signals.select_core, descriptor.core_index
    assigned = cores_per_para.get(descriptor.para_id, {}).get(select.offset if select else 0, ())
    if not assigned:
        raise CandidateError(CandidateReason.NO_ASSIGNMENT, para=descriptor.para_id)
    if select is None and len(assigned) > 1:
        if core not in assigned:
            raise CandidateError(CandidateReason.INVALID_CORE_INDEX, core=core)
        return
    selected = assigned[(select.selector if select else 0) % len(assigned)]
    if selected != core:
        raise CandidateError(CandidateReason.CORE_INDEX_MISMATCH, descriptor=core, commitments=selected)
