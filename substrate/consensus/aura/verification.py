"""Aura: authors take turns by slot.

Source: polkadot-sdk, `substrate/client/consensus/aura/src/standalone.rs`.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from substrate.block import Header, PreRuntime, Seal, header_with_digest, without_seal
from substrate.consensus.aura.types import ENGINE_ID, AuthorityId
from substrate.crypto.keys import Ed25519Pair, verify_ed25519
from substrate.errors import RuleError
from substrate.scale.codec import decode
from substrate.types import Slot


class AuraReason(StrEnum):
    """Why a header is rejected."""

    NO_DIGEST_FOUND = "NoDigestFound"
    MULTIPLE_HEADERS = "MultipleHeaders"
    TOO_FAR_IN_FUTURE = "TooFarInFuture"
    SLOT_MUST_INCREASE = "SlotMustIncrease"
    SLOT_AUTHOR_NOT_FOUND = "SlotAuthorNotFound"
    HEADER_UNSEALED = "HeaderUnsealed"
    HEADER_BAD_SEAL = "HeaderBadSeal"
    BAD_SIGNATURE = "BadSignature"


class AuraError(RuleError):
    """An Aura rule was broken."""


def slot_author(slot: Slot, authorities: Sequence[AuthorityId]) -> AuthorityId | None:
    """Whose turn a slot is; None without authorities."""
    return authorities[slot % len(authorities)] if authorities else None


def claim_slot(
    slot: Slot, authorities: Sequence[AuthorityId], keys: Mapping[AuthorityId, Ed25519Pair]
) -> Ed25519Pair | None:
    """The key that may author in the slot, if we have it."""
    author = slot_author(slot, authorities)
    return None if author is None else keys.get(author)


def header_slot(header: Header) -> Slot:
    """The header's one Aura pre-digest; the genesis block has slot 0.

    Raises:
        AuraError: `NO_DIGEST_FOUND`, `MULTIPLE_HEADERS`.
        DecodeError: It is none.
    """
    if not header.number:
        return Slot(0)
    found = [log.data for log in header.digest.logs if isinstance(log, PreRuntime) and log.engine == ENGINE_ID]
    if len(found) != 1:
        reason = AuraReason.MULTIPLE_HEADERS if found else AuraReason.NO_DIGEST_FOUND
        raise AuraError(reason, number=header.number)
    return decode(Slot, found[0])


def seal_header(header: Header, pair: Ed25519Pair) -> Header:
    """Sign a header."""
    return header_with_digest(header, (*header.digest.logs, Seal(ENGINE_ID, pair.sign(header.hash))))


def check_header(
    header: Header,
    authorities: Sequence[AuthorityId],
    *,
    slot_now: Slot,
    parent_slot: Slot | None = None,
) -> Slot:
    """Raise unless the header is validly authored; returns its slot.

    Args:
        header: With its seal.
        authorities: Those of the parent's state.
        slot_now: The importer's current slot.
        parent_slot: If given, the slot must be later; a parachain may have several blocks in one slot.

    Raises:
        AuraError: Any reason.
    """
    slot = header_slot(header)
    if slot > slot_now:
        raise AuraError(AuraReason.TOO_FAR_IN_FUTURE, slot=slot, now=slot_now)
    if parent_slot is not None and slot <= parent_slot:
        raise AuraError(AuraReason.SLOT_MUST_INCREASE, slot=slot, parent=parent_slot)
    author = slot_author(slot, authorities)
    if author is None:
        raise AuraError(AuraReason.SLOT_AUTHOR_NOT_FOUND, slot=slot)
    unsealed, seal = without_seal(header)
    if seal is None:
        raise AuraError(AuraReason.HEADER_UNSEALED, number=header.number)
    if seal.engine != ENGINE_ID or len(seal.data) != 64:
        raise AuraError(AuraReason.HEADER_BAD_SEAL, number=header.number)
    if not verify_ed25519(seal.data, unsealed.hash, author):
        raise AuraError(AuraReason.BAD_SIGNATURE, number=header.number, author=author.hex())
    return slot
