"""Primitives: wire forms, hashes and signing payloads are Polkadot's."""

import json
from pathlib import Path
from typing import Any

import pytest

from relaychain.primitives.availability import AvailableData, PoV, bitfield_payload, decode_padded
from relaychain.primitives.candidate import (
    CandidateCommitments,
    CandidateDescriptor,
    CandidateDescriptorVersion,
    CandidateReceipt,
    CommittedCandidateReceipt,
    Implicit,
    backed_candidate,
    candidate_hash,
    descriptor_v2,
    descriptor_version,
)
from relaychain.primitives.configuration import HostConfiguration
from relaychain.primitives.messages import OutboundHrmpMessage, UpwardMessage
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.statements import (
    PvfCheckStatement,
    SecondedHash,
    SigningContext,
    ValidHash,
    approval_payload,
    explicit_dispute_payload,
    pvf_check_payload,
    statement_payload,
)
from relaychain.primitives.types import (
    CandidateHash,
    CoreIndex,
    HeadData,
    ParaId,
    SessionIndex,
    ValidationCode,
    ValidationCodeHash,
    ValidatorIndex,
    ValidatorSignature,
    byzantine_threshold,
    head_hash,
    supermajority_threshold,
    validation_code_hash,
)
from substrate.scale.bits import BitVec
from substrate.types import BlockNumber, Hash

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "relay_primitives.json").read_text())
EXAMPLE = VECTORS["candidate_example"]
PAYLOADS = VECTORS["signing_payloads"]
CANDIDATE = CandidateHash(b"\x11" * 32)
SESSION = SessionIndex(7)
CONTEXT = SigningContext(SESSION, Hash(b"\x22" * 32))


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def validation_data() -> PersistedValidationData:
    return PersistedValidationData(HeadData(b"\1\2\3"), BlockNumber(9), Hash(b"\x44" * 32), 5 * 1024 * 1024)


def commitments() -> CandidateCommitments:
    return CandidateCommitments(
        upward_messages=(UpwardMessage(b"ump"),),
        horizontal_messages=(OutboundHrmpMessage(ParaId(2001), b"hrmp"),),
        new_validation_code=None,
        head_data=HeadData(b"head"),
        processed_downward_messages=1,
        hrmp_watermark=BlockNumber(9),
    )


def test_thresholds() -> None:
    assert [[n, byzantine_threshold(n)] for n in range(31)] == VECTORS["byzantine_threshold"]
    assert [[n, supermajority_threshold(n)] for n in range(31)] == VECTORS["supermajority_threshold"]


def test_validation_data() -> None:
    vector = EXAMPLE["persisted_validation_data"]

    assert validation_data().encode() == unhex(vector["scale"])
    assert validation_data().hash == unhex(vector["hash"])


def test_commitments() -> None:
    vector = EXAMPLE["commitments"]

    assert commitments().encode() == unhex(vector["scale"])
    assert commitments().hash == unhex(vector["hash"])
    assert CandidateCommitments.decode(unhex(vector["scale"])) == commitments()


def test_a_v2_receipt_and_its_hash() -> None:
    descriptor = CandidateDescriptor.decode(unhex(EXAMPLE["descriptor_v2"]["scale"]))
    rebuilt = descriptor_v2(
        para_id=ParaId(2000),
        relay_parent=Hash(b"\x22" * 32),
        core_index=CoreIndex(1),
        session_index=SESSION,
        persisted_validation_data_hash=validation_data().hash,
        pov_hash=descriptor.pov_hash,
        erasure_root=Hash(b"\x55" * 32),
        para_head=head_hash(HeadData(b"head")),
        validation_code_hash=descriptor.validation_code_hash,
    )
    committed = CommittedCandidateReceipt(descriptor, commitments())

    assert rebuilt == descriptor
    assert len(descriptor.encode()) == 292
    assert descriptor_version(descriptor) is CandidateDescriptorVersion.V2
    assert committed.receipt.encode() == unhex(EXAMPLE["receipt_scale"])
    assert CandidateReceipt.decode(unhex(EXAMPLE["receipt_scale"])) == committed.receipt
    assert candidate_hash(committed) == candidate_hash(committed.receipt) == unhex(EXAMPLE["candidate_hash"])


def test_the_version_switch() -> None:
    raw = bytearray(unhex(EXAMPLE["descriptor_v2"]["scale"]))
    raw[36] = 1
    assert descriptor_version(CandidateDescriptor.decode(bytes(raw))) is CandidateDescriptorVersion.UNKNOWN
    raw[50] = 1
    assert descriptor_version(CandidateDescriptor.decode(bytes(raw))) is CandidateDescriptorVersion.V1


def test_host_configuration_reads_real_state() -> None:
    vector = VECTORS["host_configuration_v12"]
    raw = unhex(vector["scale"])

    config = HostConfiguration.decode(raw)

    assert config.encode() == raw
    assert raw.startswith(config.abridged.encode())
    for name, expected in vector["checked_fields"].items():
        value: Any = config
        for part in name.removesuffix("_percent").split("."):
            value = getattr(value, part)
        assert value == (expected * 10_000_000 if name.endswith("_percent") else expected), name


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("seconded", statement_payload(SecondedHash(CANDIDATE), CONTEXT)),
        ("valid", statement_payload(ValidHash(CANDIDATE), CONTEXT)),
        ("approval_single", approval_payload([CANDIDATE], SESSION)),
        ("approval_multi_two", approval_payload([CANDIDATE, CandidateHash(b"\x33" * 32)], SESSION)),
        ("dispute_valid", explicit_dispute_payload(CANDIDATE, SESSION, is_valid=True)),
        ("dispute_invalid", explicit_dispute_payload(CANDIDATE, SESSION, is_valid=False)),
        (
            "pvf_check_accept",
            pvf_check_payload(PvfCheckStatement(True, ValidationCodeHash(CANDIDATE), SESSION, ValidatorIndex(3))),
        ),
        ("availability_bitfield_10110", bitfield_payload(BitVec((True, False, True, True, False)), CONTEXT)),
    ],
)
def test_signing_payloads(name: str, payload: bytes) -> None:
    assert payload == unhex(PAYLOADS[name])


def test_a_backed_candidate_carries_its_core_behind_the_votes() -> None:
    committed = CommittedCandidateReceipt(
        CandidateDescriptor.decode(unhex(EXAMPLE["descriptor_v2"]["scale"])), commitments()
    )
    votes = (Implicit(ValidatorSignature(bytes(64))),)

    backed = backed_candidate(committed, votes, BitVec((True, False)), CoreIndex(5))

    assert tuple(backed.voters) == (True, False)
    assert backed.core_index == 5
    assert len(backed.validator_indices) == 10


def test_hashes_cover_raw_bytes_or_the_length_as_upstream_has_it() -> None:
    # Raw for code, SCALE for the PoV: the PoV of the same bytes hashes otherwise.
    code = ValidationCode(b"same")
    assert validation_code_hash(code) != PoV(code).hash
    assert PoV(b"same").encode() == b"\x10same"


def test_available_data_is_read_back_from_a_padded_payload() -> None:
    data = AvailableData(PoV(b"block"), validation_data())

    assert decode_padded(data.encode() + bytes(7)) == data
