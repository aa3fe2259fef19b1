"""A relay parent and candidates for tests of backing."""

from typing import Any

from relaychain.node.scheduling import RelayParent
from relaychain.primitives.candidate import (
    CandidateCommitments,
    CommittedCandidateReceipt,
    candidate_hash,
    descriptor_v2,
)
from relaychain.primitives.core_state import GroupRotationInfo
from relaychain.primitives.statements import (
    Seconded,
    SignedFullStatement,
    Statement,
    Valid,
    compact_statement,
    statement_payload,
)
from relaychain.primitives.types import (
    ZERO_HASH,
    CoreIndex,
    HeadData,
    ParaId,
    SessionIndex,
    ValidationCodeHash,
    ValidatorId,
    ValidatorIndex,
    ValidatorSignature,
    head_hash,
)
from substrate.crypto.keys import Ed25519Pair
from substrate.scale.bits import BitVec
from substrate.types import BlockNumber, Hash

RELAY_PARENT = Hash(b"r" * 32)
PAIRS = [Ed25519Pair.from_seed(bytes([place + 1] * 32)) for place in range(5)]


def relay_parent(**changes: Any) -> RelayParent:
    """Validators 0-2 back for core 0 and para 1000, 3 and 4 for core 1 and para 2000."""
    groups = ((ValidatorIndex(0), ValidatorIndex(1), ValidatorIndex(2)), (ValidatorIndex(3), ValidatorIndex(4)))
    fields: dict[str, Any] = {
        "hash": RELAY_PARENT,
        "number": BlockNumber(10),
        "session": SessionIndex(1),
        "validators": tuple(ValidatorId(pair.public) for pair in PAIRS),
        "groups": groups,
        "rotation": GroupRotationInfo(BlockNumber(0), BlockNumber(0), BlockNumber(11)),
        "claim_queue": {CoreIndex(0): (ParaId(1000),) * 3, CoreIndex(1): (ParaId(2000),) * 3},
        "minimum_backing_votes": 2,
        "lookahead": 3,
        "disabled": (),
        "node_features": BitVec(),
    }
    return RelayParent(**{**fields, **changes})


def candidate(height: int = 1, para: int = 1000, core: int = 0, **fields: Any) -> CommittedCandidateReceipt:
    head = HeadData(b"head %d" % height)
    given: dict[str, Any] = {
        "para_id": ParaId(para),
        "relay_parent": RELAY_PARENT,
        "core_index": CoreIndex(core),
        "session_index": SessionIndex(1),
        "persisted_validation_data_hash": ZERO_HASH,
        "pov_hash": ZERO_HASH,
        "erasure_root": ZERO_HASH,
        "para_head": head_hash(head),
        "validation_code_hash": ValidationCodeHash(ZERO_HASH),
    }
    commitments = CandidateCommitments((), (), None, head, 0, BlockNumber(10))
    return CommittedCandidateReceipt(descriptor_v2(**{**given, **fields}), commitments)


def signed(statement: Statement, validator: int, parent: RelayParent, pair: int | None = None) -> SignedFullStatement:
    payload = statement_payload(compact_statement(statement), parent.context)
    signature = ValidatorSignature(PAIRS[validator if pair is None else pair].sign(payload))
    return SignedFullStatement(statement, ValidatorIndex(validator), signature)


def seconded(receipt: CommittedCandidateReceipt, validator: int, parent: RelayParent) -> SignedFullStatement:
    return signed(Seconded(receipt), validator, parent)


def valid(receipt: CommittedCandidateReceipt, validator: int, parent: RelayParent) -> SignedFullStatement:
    return signed(Valid(candidate_hash(receipt)), validator, parent)
