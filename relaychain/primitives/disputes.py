"""Dispute statements as blocks carry them.

Source: polkadot-sdk, `polkadot/primitives/src/v9/mod.rs`.
"""

from typing import Annotated, TypeAlias

from relaychain.primitives.types import (
    PRIMITIVES,
    CandidateHash,
    SessionIndex,
    ValidatorIndex,
    ValidatorSignature,
)
from substrate.scale.types import EnumOf, Struct, enum_path, path, variant
from substrate.types import Hash


@variant(0, "Explicit")
class ValidExplicit(Struct):
    """Cast for the dispute."""


@variant(1, unnamed=True)
class BackingSeconded(Struct):
    """A `Seconded` statement at this relay parent."""

    relay_parent: Hash


@variant(2, unnamed=True)
class BackingValid(Struct):
    """A `Valid` statement at this relay parent."""

    relay_parent: Hash


@variant(3)
class ApprovalChecking(Struct):
    """An approval vote."""


@variant(4, unnamed=True)
class ApprovalCheckingMultipleCandidates(Struct):
    """A coalesced approval vote."""

    candidates: tuple[CandidateHash, ...]


ValidDisputeStatementKind = (
    ValidExplicit | BackingSeconded | BackingValid | ApprovalChecking | ApprovalCheckingMultipleCandidates
)
enum_path(ValidDisputeStatementKind, f"{PRIMITIVES}::ValidDisputeStatementKind")


@variant(0, "Explicit")
class InvalidExplicit(Struct):
    """Cast for the dispute."""


InvalidDisputeStatementKind: TypeAlias = Annotated[
    InvalidExplicit, EnumOf(f"{PRIMITIVES}::InvalidDisputeStatementKind", variants=(InvalidExplicit,))
]


@variant(0, "Valid", unnamed=True)
class ValidDispute(Struct):
    """The candidate is valid."""

    kind: ValidDisputeStatementKind


@variant(1, "Invalid", unnamed=True)
class InvalidDispute(Struct):
    """The candidate is invalid."""

    kind: InvalidDisputeStatementKind


DisputeStatement = ValidDispute | InvalidDispute
enum_path(DisputeStatement, f"{PRIMITIVES}::DisputeStatement")


@path(f"{PRIMITIVES}::DisputeStatementSet")
class DisputeStatementSet(Struct):
    """Votes on one candidate of one session."""

    candidate_hash: CandidateHash
    session: SessionIndex
    statements: tuple[tuple[DisputeStatement, ValidatorIndex, ValidatorSignature], ...]
