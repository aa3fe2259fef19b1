"""Judging a header: slot, author, VRF, seal; its weight in fork choice; equivocations.

Source: polkadot-sdk, `substrate/client/consensus/babe/src/verification.rs`,
`substrate/primitives/consensus/babe/src/lib.rs`.
"""

from enum import StrEnum
from typing import NamedTuple

from substrate.block import Header, PreRuntime, Seal, header_with_digest, without_seal
from substrate.consensus.babe.lottery import secondary_author, vrf_input, wins_primary
from substrate.consensus.babe.types import (
    ENGINE_ID,
    AllowedSlots,
    AuthorityId,
    Epoch,
    EquivocationProof,
    PreDigest,
    Primary,
    SecondaryPlain,
    SecondaryVRF,
    VrfSignature,
)
from substrate.crypto import vrf
from substrate.crypto.keys import Ed25519Pair, verify_ed25519
from substrate.errors import RuleError
from substrate.scale.codec import decode
from substrate.types import BlockNumber, Slot

FUTURE_SLOTS = 1
"""Tolerated drift of clocks."""


class BabeReason(StrEnum):
    """Why a header is rejected."""

    NO_PRE_RUNTIME_DIGEST = "NoPreRuntimeDigest"
    MULTIPLE_PRE_RUNTIME_DIGESTS = "MultiplePreRuntimeDigests"
    TOO_FAR_IN_FUTURE = "TooFarInFuture"
    SLOT_MUST_INCREASE = "SlotMustIncrease"
    HEADER_UNSEALED = "HeaderUnsealed"
    HEADER_BAD_SEAL = "HeaderBadSeal"
    SLOT_AUTHOR_NOT_FOUND = "SlotAuthorNotFound"
    SECONDARY_SLOT_ASSIGNMENTS_DISABLED = "SecondarySlotAssignmentsDisabled"
    INVALID_AUTHOR = "InvalidAuthor"
    VRF_VERIFICATION_FAILED = "VrfVerificationFailed"
    VRF_THRESHOLD_EXCEEDED = "VrfThresholdExceeded"
    BAD_SIGNATURE = "BadSignature"
    PARENT_UNAVAILABLE = "ParentUnavailable"
    EXPECTED_EPOCH_CHANGE = "ExpectedEpochChange"
    UNEXPECTED_EPOCH_CHANGE = "UnexpectedEpochChange"
    MULTIPLE_EPOCH_CHANGES = "MultipleEpochChangeDigests"
    INVALID_EQUIVOCATION = "InvalidEquivocation"


class BabeError(RuleError):
    """A BABE rule was broken."""


def find_pre_digest(header: Header) -> PreDigest:
    """The header's one BABE pre-digest.

    Raises:
        BabeError: `NO_PRE_RUNTIME_DIGEST`, `MULTIPLE_PRE_RUNTIME_DIGESTS`.
        DecodeError: It is none.
    """
    found = [log.data for log in header.digest.logs if isinstance(log, PreRuntime) and log.engine == ENGINE_ID]
    if not found:
        raise BabeError(BabeReason.NO_PRE_RUNTIME_DIGEST, number=header.number)
    if len(found) > 1:
        raise BabeError(BabeReason.MULTIPLE_PRE_RUNTIME_DIGESTS, number=header.number)
    return decode(PreDigest, found[0])


def header_slot(header: Header) -> Slot:
    """The slot of a block; the genesis block has slot 0."""
    return find_pre_digest(header).slot if header.number else Slot(0)


def seal_header(header: Header, pair: Ed25519Pair) -> Header:
    """Sign a header."""
    return header_with_digest(header, (*header.digest.logs, Seal(ENGINE_ID, pair.sign(header.hash))))


def check_header(header: Header, *, parent_slot: Slot, slot_now: Slot, epoch: Epoch) -> PreDigest:
    """Raise unless the header is validly authored; returns its pre-digest.

    Args:
        header: With its seal.
        parent_slot: Slot of the parent.
        slot_now: The importer's current slot.
        epoch: The epoch of this block on its fork.

    Raises:
        BabeError: Every reason that is not about epoch changes or equivocations.
    """
    digest = find_pre_digest(header)
    if digest.slot > slot_now + FUTURE_SLOTS:
        raise BabeError(BabeReason.TOO_FAR_IN_FUTURE, slot=digest.slot, now=slot_now)
    if digest.slot <= parent_slot:
        raise BabeError(BabeReason.SLOT_MUST_INCREASE, slot=digest.slot, parent=parent_slot)
    if digest.authority_index >= len(epoch.authorities):
        raise BabeError(BabeReason.SLOT_AUTHOR_NOT_FOUND, index=digest.authority_index)
    author = epoch.authorities[digest.authority_index][0]
    check_seal(header, author)
    match digest:
        case Primary():
            _check_vrf(digest.vrf_signature, digest.slot, author, epoch)
            if not wins_primary(epoch, digest.authority_index, digest.vrf_signature.pre_output):
                raise BabeError(BabeReason.VRF_THRESHOLD_EXCEEDED, slot=digest.slot)
        case SecondaryPlain():
            _check_turn(digest, epoch, AllowedSlots.PrimaryAndSecondaryPlainSlots)
        case SecondaryVRF():
            _check_turn(digest, epoch, AllowedSlots.PrimaryAndSecondaryVRFSlots)
            _check_vrf(digest.vrf_signature, digest.slot, author, epoch)
    return digest


def check_seal(header: Header, author: AuthorityId) -> None:
    """Raise unless the last digest item is the author's signature of the header before it.

    Raises:
        BabeError: `HEADER_UNSEALED`, `HEADER_BAD_SEAL`, `BAD_SIGNATURE`.
    """
    unsealed, seal = without_seal(header)
    if seal is None:
        raise BabeError(BabeReason.HEADER_UNSEALED, number=header.number)
    if seal.engine != ENGINE_ID or len(seal.data) != 64:
        raise BabeError(BabeReason.HEADER_BAD_SEAL, number=header.number)
    if not verify_ed25519(seal.data, unsealed.hash, author):
        raise BabeError(BabeReason.BAD_SIGNATURE, number=header.number, author=author.hex())


def _check_turn(digest: SecondaryPlain | SecondaryVRF, epoch: Epoch, needed: AllowedSlots) -> None:
    if epoch.config.allowed_slots != needed:
        raise BabeError(BabeReason.SECONDARY_SLOT_ASSIGNMENTS_DISABLED, slot=digest.slot)
    expected = secondary_author(digest.slot, authority_count=len(epoch.authorities), randomness=epoch.randomness)
    if digest.authority_index != expected:
        raise BabeError(BabeReason.INVALID_AUTHOR, slot=digest.slot, index=digest.authority_index)


def _check_vrf(signature: VrfSignature, slot: Slot, author: AuthorityId, epoch: Epoch) -> None:
    if vrf.verify(author, vrf_input(slot, epoch), signature.pre_output, signature.proof) is None:
        raise BabeError(BabeReason.VRF_VERIFICATION_FAILED, slot=slot)


class ChainWeight(NamedTuple):
    """What fork choice compares: primary blocks on the chain, then height."""

    primary_blocks: int
    number: BlockNumber

    def with_block(self, digest: PreDigest) -> "ChainWeight":
        """The weight with one more block on top."""
        return ChainWeight(self.primary_blocks + added_weight(digest), BlockNumber(self.number + 1))


def added_weight(digest: PreDigest) -> int:
    """What a block adds to its chain's weight."""
    return 1 if isinstance(digest, Primary) else 0


def find_equivocation(first: Header, second: Header, author: AuthorityId) -> EquivocationProof | None:
    """A proof, if two headers of `author` (both checked) are distinct blocks of one slot."""
    slot = header_slot(first)
    if slot != header_slot(second) or first.hash == second.hash:
        return None
    return EquivocationProof(author, slot, first, second)


def check_equivocation(proof: EquivocationProof) -> None:
    """Raise unless the proof holds two distinct headers that the offender sealed for one slot.

    Raises:
        BabeError: `INVALID_EQUIVOCATION`, and those of `check_seal`.
    """
    first, second = (find_pre_digest(header) for header in (proof.first_header, proof.second_header))
    same_slot = first.slot == second.slot == proof.slot
    same_author = first.authority_index == second.authority_index
    if not same_slot or not same_author or proof.first_header.hash == proof.second_header.hash:
        raise BabeError(BabeReason.INVALID_EQUIVOCATION, slot=proof.slot, offender=proof.offender.hex())
    for header in (proof.first_header, proof.second_header):
        check_seal(header, proof.offender)
