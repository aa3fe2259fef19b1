"""Signed words of validators about candidates: the statements, and the exact bytes each signature covers.

Source: polkadot-sdk, `polkadot/primitives/src/v9/{mod,signed}.rs`, `polkadot/node/primitives/src/lib.rs`.
"""

from collections.abc import Sequence

from relaychain.primitives.candidate import CommittedCandidateReceipt, Explicit, Implicit, candidate_hash
from relaychain.primitives.types import (
    PRIMITIVES,
    CandidateHash,
    SessionIndex,
    ValidationCodeHash,
    ValidatorIndex,
    ValidatorSignature,
)
from substrate.scale.codec import encode
from substrate.scale.types import Struct, enum_path, path, u32, variant
from substrate.types import Hash

BACKING_STATEMENT_MAGIC = b"BKNG"
APPROVAL_MAGIC = b"APPR"
DISPUTE_MAGIC = b"DISP"
PVF_CHECK_MAGIC = b"VCPC"


@path(f"{PRIMITIVES}::SigningContext")
class SigningContext(Struct):
    """Binds a statement or bitfield to its session and relay parent, against replay."""

    session_index: SessionIndex
    parent_hash: Hash


@variant(1, "Seconded", unnamed=True)
class SecondedHash(Struct):
    """I checked it, and propose it."""

    candidate_hash: CandidateHash


@variant(2, "Valid", unnamed=True)
class ValidHash(Struct):
    """I checked it too."""

    candidate_hash: CandidateHash


CompactStatement = SecondedHash | ValidHash
enum_path(CompactStatement, f"{PRIMITIVES}::CompactStatement")


@variant(1, unnamed=True)
class Seconded(Struct):
    """`SecondedHash` with the receipt, for those who have not seen it."""

    receipt: CommittedCandidateReceipt


@variant(2, unnamed=True)
class Valid(Struct):
    """A vote for a candidate that someone else seconded."""

    candidate_hash: CandidateHash


Statement = Seconded | Valid
enum_path(Statement, "polkadot_node_primitives::Statement")


@path(f"{PRIMITIVES}::signed::UncheckedSigned")
class SignedCompactStatement(Struct):
    """A compact statement on the wire."""

    payload: CompactStatement
    validator_index: ValidatorIndex
    signature: ValidatorSignature


@path("polkadot_node_primitives::SignedFullStatement")
class SignedFullStatement(Struct):
    """A full statement on the wire. The signature covers its compact form."""

    payload: Statement
    validator_index: ValidatorIndex
    signature: ValidatorSignature


def compact_statement(statement: Statement) -> CompactStatement:
    """The form that is signed."""
    if isinstance(statement, Seconded):
        return SecondedHash(candidate_hash(statement.receipt))
    return ValidHash(statement.candidate_hash)


def statement_payload(statement: CompactStatement, context: SigningContext) -> bytes:
    """Bytes that a backing statement's signature covers."""
    return BACKING_STATEMENT_MAGIC + encode(CompactStatement, statement) + context.encode()


def attestation_payload(vote: Implicit | Explicit, candidate: CandidateHash, context: SigningContext) -> bytes:
    """Bytes that an on-chain validity vote's signature covers."""
    statement = SecondedHash(candidate) if isinstance(vote, Implicit) else ValidHash(candidate)
    return statement_payload(statement, context)


def approval_payload(candidates: Sequence[CandidateHash], session: SessionIndex) -> bytes:
    """Bytes that an approval vote covers; several candidates make a coalesced vote."""
    assert candidates, "an approval names at least one candidate"
    body = candidates[0] if len(candidates) == 1 else encode(tuple[CandidateHash, ...], tuple(candidates))
    return APPROVAL_MAGIC + body + encode(u32, session)


def explicit_dispute_payload(candidate: CandidateHash, session: SessionIndex, *, is_valid: bool) -> bytes:
    """Bytes that an explicit dispute vote covers."""
    return DISPUTE_MAGIC + bytes([is_valid]) + candidate + encode(u32, session)


@path(f"{PRIMITIVES}::PvfCheckStatement")
class PvfCheckStatement(Struct):
    """A validator's vote on new validation code."""

    accept: bool
    subject: ValidationCodeHash
    session_index: SessionIndex
    validator_index: ValidatorIndex


def pvf_check_payload(statement: PvfCheckStatement) -> bytes:
    """Bytes that a PVF vote covers."""
    return PVF_CHECK_MAGIC + statement.encode()
