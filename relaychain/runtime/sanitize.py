"""What of the parachains inherent may enter a block. The rules that need no storage.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/paras_inherent/mod.rs` (`sanitize_*`, `map_candidates_to_cores`,
`filter_backed_statements_from_disabled_validators`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from relaychain.primitives.availability import SignedAvailabilityBitfield, bitfield_payload
from relaychain.primitives.candidate import (
    BackedCandidate,
    CandidateDescriptorVersion,
    CandidateError,
    check_ump_signals,
    descriptor_version,
)
from relaychain.primitives.messages import UmpSignalError
from relaychain.primitives.statements import SigningContext
from relaychain.primitives.types import CoreIndex, ParaId, SessionIndex, ValidatorId, ValidatorIndex
from relaychain.runtime.shared import AllowedRelayParents
from substrate.crypto.keys import verify_ed25519
from substrate.scale.bits import BitVec

T = TypeVar("T")
Chains = Mapping[ParaId, Sequence[T]]


def sanitized_bitfields(
    bitfields: Iterable[SignedAvailabilityBitfield],
    *,
    n_cores: int,
    context: SigningContext,
    validators: Sequence[ValidatorId],
) -> tuple[SignedAvailabilityBitfield, ...]:
    """The bitfields that count: right length, ascending validators, good signature. Others drop silently."""
    kept: list[SignedAvailabilityBitfield] = []
    last = -1
    for bitfield in bitfields:
        index = bitfield.validator_index
        if len(bitfield.payload) != n_cores or not last < index < len(validators):
            continue
        last = index
        if verify_ed25519(bitfield.signature, bitfield_payload(bitfield.payload, context), validators[index]):
            kept.append(bitfield)
    return tuple(kept)


def is_sane(backed: BackedCandidate, *, allowed: AllowedRelayParents, session: SessionIndex) -> bool:
    """Whether a candidate's descriptor is of a known version, of this session, and of the core that it selects."""
    descriptor = backed.candidate.descriptor
    version = descriptor_version(descriptor)
    if version is CandidateDescriptorVersion.UNKNOWN:
        return False
    if version is CandidateDescriptorVersion.V2 and descriptor.session_index != session:
        return False
    acquired = allowed.acquire(descriptor.relay_parent)
    if acquired is None:
        return False
    try:
        check_ump_signals(backed.candidate, acquired[0].claim_queue)
    except (CandidateError, UmpSignalError):
        return False
    return True


def by_para(candidates: Iterable[BackedCandidate]) -> dict[ParaId, list[BackedCandidate]]:
    """Candidates by para, in their order; paras ascend."""
    chains: dict[ParaId, list[BackedCandidate]] = {}
    for backed in candidates:
        chains.setdefault(backed.candidate.descriptor.para_id, []).append(backed)
    return {para: chains[para] for para in sorted(chains)}


def fitting(candidates: Iterable[BackedCandidate], limit_bytes: int) -> tuple[BackedCandidate, ...]:
    """The candidates that fit, in their order; of a para none behind one that does not."""
    kept: list[BackedCandidate] = []
    full: set[ParaId] = set()
    for backed in candidates:
        para, size = backed.candidate.descriptor.para_id, len(backed.encode())
        if size > limit_bytes:
            full.add(para)
        if para not in full:
            kept.append(backed)
            limit_bytes -= size
    return tuple(kept)


def retained(chains: Chains[T], keep: Callable[[ParaId, T], bool]) -> dict[ParaId, list[T]]:
    """Each para's candidates up to the first that is not kept: those behind it build on it."""
    kept: dict[ParaId, list[T]] = {}
    for para, chain in chains.items():
        for candidate in chain:
            if not keep(para, candidate):
                break
            kept.setdefault(para, []).append(candidate)
    return kept


def core_of(backed: BackedCandidate, scheduled: Iterable[CoreIndex]) -> CoreIndex | None:
    """The core a candidate is for: its descriptor's; a V1 candidate says it with its votes, or has only one to take."""
    if descriptor_version(backed.candidate.descriptor) is CandidateDescriptorVersion.V2:
        return CoreIndex(backed.candidate.descriptor.core_index)
    cores = tuple(scheduled)
    if backed.core_index in cores:
        return backed.core_index
    return cores[0] if len(cores) == 1 else None


def with_cores(
    chains: Chains[BackedCandidate], scheduled: Mapping[ParaId, Sequence[CoreIndex]]
) -> dict[ParaId, list[tuple[BackedCandidate, CoreIndex]]]:
    """Candidates with their cores; each core takes one, and the first that has none ends its para's chain."""
    mapped: dict[ParaId, list[tuple[BackedCandidate, CoreIndex]]] = {}
    for para, chain in chains.items():
        free = list(scheduled.get(para, ()))
        for backed in chain:
            core = core_of(backed, free)
            if core is None or core not in free:
                break
            free.remove(core)
            mapped.setdefault(para, []).append((backed, core))
    return mapped


def without_votes_of(
    backed: BackedCandidate, group: Sequence[ValidatorIndex], disabled: frozenset[ValidatorIndex]
) -> BackedCandidate:
    """A candidate without the votes of disabled validators."""
    voters = backed.voters
    places = voters.indices()
    drop = {place for place in places if place < len(group) and group[place] in disabled}
    if not drop or len(places) != len(backed.validity_votes):
        return backed
    bits = (bit and place not in drop for place, bit in enumerate(backed.validator_indices))
    core_bits = tuple(backed.validator_indices)[len(voters) :]
    return msgspec.structs.replace(
        backed,
        validity_votes=tuple(
            vote for place, vote in zip(places, backed.validity_votes, strict=True) if place not in drop
        ),
        validator_indices=BitVec((*tuple(bits)[: len(voters)], *core_bits)),
    )
