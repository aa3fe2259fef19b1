"""Runtime API: typed access to `ParachainHost` at a block, with a bounded memory of answers.

Source: polkadot-sdk, `polkadot/node/core/runtime-api/src/{lib,cache}.rs`.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

from relaychain.primitives.availability import SignedAvailabilityBitfield
from relaychain.primitives.candidate import CommittedCandidateReceipt
from relaychain.primitives.core_state import CandidateEvent, CoreState, GroupRotationInfo
from relaychain.primitives.inherent import ScrapedOnChainVotes
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import (
    CoreIndex,
    OccupiedCoreAssumption,
    ParaId,
    SessionIndex,
    ValidationCode,
    ValidationCodeHash,
    ValidatorId,
    ValidatorIndex,
    ValidatorSignature,
)
from relaychain.runtime.inclusion import ParaInclusion
from substrate.client.chain import Chain
from substrate.runtime.assembly import Runtime
from substrate.scale.bits import BitVec
from substrate.scale.codec import Codec, codec_of, encode
from substrate.scale.types import u32
from substrate.types import Hash

T = TypeVar("T")
ClaimQueue: TypeAlias = Mapping[CoreIndex, tuple[ParaId, ...]]
Groups: TypeAlias = tuple[tuple[ValidatorIndex, ...], ...]

CACHED_BLOCKS = 64

_SESSION: Codec[SessionIndex] = codec_of(SessionIndex)
_VALIDATORS: Codec[tuple[ValidatorId, ...]] = codec_of(tuple[ValidatorId, ...])
_INDICES: Codec[tuple[ValidatorIndex, ...]] = codec_of(tuple[ValidatorIndex, ...])
_GROUPS: Codec[tuple[Groups, GroupRotationInfo]] = codec_of(
    tuple[tuple[tuple[ValidatorIndex, ...], ...], GroupRotationInfo]
)
_CORES: Codec[tuple[CoreState, ...]] = codec_of(tuple[CoreState, ...])
_CLAIMS: Codec[ClaimQueue] = codec_of(Mapping[CoreIndex, tuple[ParaId, ...]])
_DATA: Codec[PersistedValidationData | None] = codec_of(PersistedValidationData | None)
_CODE: Codec[ValidationCode | None] = codec_of(ValidationCode | None)
_CODE_HASH: Codec[ValidationCodeHash | None] = codec_of(ValidationCodeHash | None)
_EVENTS: Codec[tuple[CandidateEvent, ...]] = codec_of(tuple[CandidateEvent, ...])
_PENDING: Codec[tuple[CommittedCandidateReceipt, ...]] = codec_of(tuple[CommittedCandidateReceipt, ...])
_VOTES: Codec[ScrapedOnChainVotes | None] = codec_of(ScrapedOnChainVotes | None)
_U32: Codec[int] = codec_of(u32)
_BITS: Codec[BitVec] = codec_of(BitVec)


class RuntimeApiCache:
    """Answers by block and call. They follow from the block's state, so the nodes of one process may share one."""

    def __init__(self, limit: int = CACHED_BLOCKS) -> None:
        self._limit = limit
        self._blocks: OrderedDict[Hash, dict[tuple[str, bytes], Any]] = OrderedDict()

    def at(self, block: Hash) -> dict[tuple[str, bytes], Any]:
        """Answers known for a block; the caller adds its own."""
        answers = self._blocks.setdefault(block, {})
        self._blocks.move_to_end(block)
        if len(self._blocks) > self._limit:
            self._blocks.popitem(last=False)
        return answers


class ParachainHostApi:
    """Every method asks the runtime at block `at`, about its child; an unknown or pruned block raises `ChainError`."""

    def __init__(self, chain: Chain[Runtime], cache: RuntimeApiCache | None = None) -> None:
        self._chain = chain
        self._cache = cache or RuntimeApiCache()

    def _ask(self, at: Hash, name: str, codec: Codec[T], arguments: bytes = b"") -> T:
        answers = self._cache.at(at)
        key = (name, arguments)
        if key not in answers:
            answers[key] = codec.decode(self._chain.runtime(at).api(f"ParachainHost_{name}", arguments))
        return answers[key]

    def session_index_for_child(self, at: Hash) -> SessionIndex:
        """Session of a child of the block."""
        return self._ask(at, "session_index_for_child", _SESSION)

    def validators(self, at: Hash) -> tuple[ValidatorId, ...]:
        """Para validators of the session."""
        return self._ask(at, "validators", _VALIDATORS)

    def disabled_validators(self, at: Hash) -> tuple[ValidatorIndex, ...]:
        """Para validators whose votes do not count."""
        return self._ask(at, "disabled_validators", _INDICES)

    def validator_groups(self, at: Hash) -> tuple[Groups, GroupRotationInfo]:
        """Groups, and their rotation at the child."""
        return self._ask(at, "validator_groups", _GROUPS)

    def availability_cores(self, at: Hash) -> tuple[CoreState, ...]:
        """What each core does."""
        return self._ask(at, "availability_cores", _CORES)

    def claim_queue(self, at: Hash) -> ClaimQueue:
        """What each core serves next."""
        return self._ask(at, "claim_queue", _CLAIMS)

    def minimum_backing_votes(self, at: Hash) -> int:
        """Votes that a candidate needs, unless its group is smaller."""
        return self._ask(at, "minimum_backing_votes", _U32)

    def scheduling_lookahead(self, at: Hash) -> int:
        """How many relay parents a block accepts."""
        return self._ask(at, "scheduling_lookahead", _U32)

    def node_features(self, at: Hash) -> BitVec:
        """Switches of the node side."""
        return self._ask(at, "node_features", _BITS)

    def persisted_validation_data(
        self, at: Hash, para: ParaId, assumption: OccupiedCoreAssumption
    ) -> PersistedValidationData | None:
        """Validation data of a candidate with this relay parent."""
        return self._ask(at, "persisted_validation_data", _DATA, _assumed(para, assumption))

    def validation_code(self, at: Hash, para: ParaId, assumption: OccupiedCoreAssumption) -> ValidationCode | None:
        """Code of a candidate with this relay parent."""
        return self._ask(at, "validation_code", _CODE, _assumed(para, assumption))

    def validation_code_hash(
        self, at: Hash, para: ParaId, assumption: OccupiedCoreAssumption
    ) -> ValidationCodeHash | None:
        """Hash of `validation_code`."""
        return self._ask(at, "validation_code_hash", _CODE_HASH, _assumed(para, assumption))

    def candidate_events(self, at: Hash) -> tuple[CandidateEvent, ...]:
        """What happened to candidates in the block."""
        return self._ask(at, "candidate_events", _EVENTS)

    def candidates_pending_availability(self, at: Hash, para: ParaId) -> tuple[CommittedCandidateReceipt, ...]:
        """The para's queue, oldest first."""
        return self._ask(at, "candidates_pending_availability", _PENDING, encode(ParaId, para))

    def on_chain_votes(self, at: Hash) -> ScrapedOnChainVotes | None:
        """Backing votes that the block put on chain."""
        return self._ask(at, "on_chain_votes", _VOTES)

    def check_validation_outputs(
        self, at: Hash, candidate: CommittedCandidateReceipt, assumption: OccupiedCoreAssumption
    ) -> None:
        """Check a candidate's commitments by the relay chain's own acceptance rules, at its relay parent.

        Upstream's API of this name says yes or no; this one says which rule was broken.

        Raises:
            InclusionError, DmpError, UmpError, HrmpError: the first rule that is broken.
        """
        runtime = self._chain.runtime(at)
        inclusion = runtime.pallet(ParaInclusion)
        if assumption is OccupiedCoreAssumption.INCLUDED:
            self._include_pending(at, inclusion, candidate.descriptor.para_id)
        inclusion.check_validation_outputs(candidate, runtime.block_number())

    def _include_pending(self, at: Hash, inclusion: ParaInclusion, para: ParaId) -> None:
        """Include what the para has pending, in the runtime's overlay only: every validator says it is available."""
        cores = {pending.core for pending in inclusion.pending_availability[para]}
        if cores:
            bits = BitVec(core in cores for core in range(len(self.availability_cores(at))))
            unsigned = ValidatorSignature(bytes(64))
            inclusion.update_pending_availability(
                tuple(
                    SignedAvailabilityBitfield(bits, ValidatorIndex(index), unsigned)
                    for index in range(len(self.validators(at)))
                )
            )


def _assumed(para: ParaId, assumption: OccupiedCoreAssumption) -> bytes:
    return encode(ParaId, para) + encode(OccupiedCoreAssumption, assumption)


class ValidationContext:
    """Validation data at a relay parent, with the assumption that gives it."""

    def __init__(self, data: PersistedValidationData, assumption: OccupiedCoreAssumption) -> None:
        self.data = data
        self.assumption = assumption


def validation_contexts(api: ParachainHostApi, at: Hash, para: ParaId) -> tuple[ValidationContext, ...]:
    """What a candidate may build on at a relay parent: the para's pending head, then its included one."""
    found: list[ValidationContext] = []
    for assumption in (OccupiedCoreAssumption.INCLUDED, OccupiedCoreAssumption.TIMED_OUT):
        data = api.persisted_validation_data(at, para, assumption)
        if data is not None and all(data != other.data for other in found):
            found.append(ValidationContext(data, assumption))
    return tuple(found)
