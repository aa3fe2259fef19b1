"""A relay chain of the parachain pallets alone, driven block by block."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from relaychain.primitives.availability import SignedAvailabilityBitfield, bitfield_payload
from relaychain.primitives.candidate import (
    BackedCandidate,
    CandidateCommitments,
    CommittedCandidateReceipt,
    Implicit,
    backed_candidate,
    candidate_hash,
    descriptor_v2,
)
from relaychain.primitives.inherent import PARACHAINS_INHERENT_IDENTIFIER, ParachainsInherentData
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.statements import SecondedHash, SigningContext, statement_payload
from relaychain.primitives.types import (
    ZERO_HASH,
    AssignmentId,
    AuthorityDiscoveryId,
    CoreIndex,
    HeadData,
    OccupiedCoreAssumption,
    ParaId,
    SessionIndex,
    ValidationCode,
    ValidatorId,
    ValidatorIndex,
    ValidatorSignature,
    head_hash,
)
from relaychain.runtime.assigner_coretime import CoretimeAssignmentProvider
from relaychain.runtime.configuration import Configuration
from relaychain.runtime.dmp import Dmp
from relaychain.runtime.hrmp import Hrmp
from relaychain.runtime.inclusion import ParaInclusion
from relaychain.runtime.initializer import Initializer, ValidatorKeys
from relaychain.runtime.origin import ParachainsOrigin
from relaychain.runtime.paras import Paras
from relaychain.runtime.paras_inherent import ParaInherent
from relaychain.runtime.runtime_api_impl import ParachainHost
from relaychain.runtime.scheduler import Scheduler
from relaychain.runtime.session_info import ParaSessionInfo
from relaychain.runtime.shared import Shared
from relaychain.runtime.ump import QueueSize, Ump
from substrate.block import Digest, Header, header_hash
from substrate.crypto.keys import Ed25519Pair
from substrate.pallets.balances import Balances
from substrate.pallets.system import System
from substrate.runtime.assembly import Runtime, mount
from substrate.runtime.executive import finalize_block, initialize_block
from substrate.runtime.origin import RawNone
from substrate.runtime.version import RuntimeVersion
from substrate.scale.bits import BitVec
from substrate.scale.codec import decode, encode
from substrate.state import Overlay
from substrate.trie.trie import Trie
from substrate.types import AccountId, BlockNumber, Hash

CODE = ValidationCode(b"validation code")


class UpwardMessages:
    """Keeps upward messages in the state, as the message queue does."""

    KEY = b"upward messages"

    def __init__(self, runtime: Runtime) -> None:
        self.state = runtime.state

    @property
    def received(self) -> tuple[tuple[ParaId, bytes], ...]:
        return decode(tuple[tuple[ParaId, bytes], ...], self.state.get(self.KEY) or b"\0")

    def enqueue(self, messages: Sequence[bytes], origin: Ump) -> None:
        queue = (*self.received, *((origin.queue.para, message) for message in messages))
        self.state.put(self.KEY, encode(tuple[tuple[ParaId, bytes], ...], queue))

    def size(self, origin: Ump) -> QueueSize:
        mine = [message for para, message in self.received if para == origin.queue.para]
        return QueueSize(len(mine), sum(map(len, mine)))


class TestRelay(ParachainHost):
    __test__ = False
    version = RuntimeVersion("test-relay", "test-relay", 1, 1, 1, (), 1, 1)
    crate = "test_relay_runtime"
    system: System = mount(0)
    balances: Balances = mount(4)
    origin: ParachainsOrigin = mount(50)
    configuration: Configuration = mount(51)
    paras_shared: Shared = mount(52)
    para_inclusion: ParaInclusion = mount(53, upward_queue=UpwardMessages)
    para_inherent: ParaInherent = mount(54)
    para_scheduler: Scheduler = mount(55)
    paras: Paras = mount(56)
    initializer: Initializer = mount(57)
    dmp: Dmp = mount(58)
    hrmp: Hrmp = mount(60)
    para_session_info: ParaSessionInfo = mount(61)
    coretime_assignment_provider: CoretimeAssignmentProvider = mount(65)


class Relay:
    """A chain of blocks with candidates of its paras; all validators are honest."""

    def __init__(
        self, paras: Sequence[int], validators: int = 4, cores: Sequence[int] | None = None, **configuration: Any
    ) -> None:
        self.paras = [ParaId(para) for para in paras]
        self.keys = [Ed25519Pair.from_seed(bytes([index + 1] * 32)) for index in range(validators)]
        self.state: Trie = TestRelay.genesis(
            {
                "configuration": configuration,
                "paras": {"paras": {para: {"head": b"genesis", "code": CODE} for para in self.paras}},
                "initializer": {
                    "validators": [self._keys_of(pair) for pair in self.keys],
                    "cores": cores or self.paras,
                },
            },
            code=b"test",
        )
        self.header = Header(ZERO_HASH, BlockNumber(0), Hash(self.state.root), ZERO_HASH, Digest(()))
        self.parents = [self.header]
        self.states = [self.state]

    @staticmethod
    def _keys_of(pair: Ed25519Pair) -> ValidatorKeys:
        public = pair.public
        return ValidatorKeys(AccountId(public), ValidatorId(public), AssignmentId(public), AuthorityDiscoveryId(public))

    @property
    def runtime(self) -> TestRelay:
        """The runtime over the state of the last block."""
        return TestRelay(Overlay(self.state))

    def at(self, number: int) -> TestRelay:
        """The runtime over the state of an earlier block."""
        return TestRelay(Overlay(self.states[number]))

    def genesis_edit(self, edit: Any) -> None:
        """Change the state before the first block."""
        overlay = Overlay(self.state)
        edit(TestRelay(overlay))
        self.state = overlay.finish()
        self.states[-1] = self.state
        self.header = msgspec.structs.replace(self.header, state_root=Hash(self.state.root))
        self.parents[-1] = self.header

    # --- what validators sign ---

    def _context(self, parent: Header, runtime: TestRelay) -> SigningContext:
        return SigningContext(runtime.paras_shared.current_session_index.get(), header_hash(parent))

    def _pair(self, runtime: TestRelay, index: int) -> Ed25519Pair:
        public = runtime.paras_shared.active_validator_keys.get()[index]
        return next(pair for pair in self.keys if pair.public == public)

    def bitfield(self, index: int, cores: Sequence[int]) -> SignedAvailabilityBitfield:
        runtime = self.runtime
        n_cores = runtime.para_scheduler.availability_core_count()
        bits = BitVec(core in cores for core in range(n_cores))
        payload = bitfield_payload(bits, self._context(self.header, runtime))
        signature = self._pair(runtime, index).sign(payload)
        return SignedAvailabilityBitfield(bits, ValidatorIndex(index), ValidatorSignature(signature))

    def bitfields(self, cores: Sequence[int], voters: Sequence[int] = ()) -> tuple[SignedAvailabilityBitfield, ...]:
        return tuple(self.bitfield(index, cores) for index in voters or range(len(self.keys)))

    def candidate(
        self,
        para: int,
        head: bytes,
        *,
        core: int = 0,
        parent: int | None = None,
        parent_head: bytes | None = None,
        **commitments: Any,
    ) -> CommittedCandidateReceipt:
        """A candidate whose relay parent is block `parent`, by default the last one, on the para's latest head."""
        number = len(self.parents) - 1 if parent is None else parent
        relay_parent, runtime = self.parents[number], self.at(number)
        data = self.runtime.persisted_validation_data(ParaId(para), OccupiedCoreAssumption.INCLUDED)
        assert data is not None
        before = data.parent_head if parent_head is None else HeadData(parent_head)
        pvd = PersistedValidationData(before, BlockNumber(number), relay_parent.state_root, data.max_pov_size)
        outputs = {
            "upward_messages": (),
            "horizontal_messages": (),
            "new_validation_code": None,
            "head_data": HeadData(head),
            "processed_downward_messages": 0,
            "hrmp_watermark": BlockNumber(number),
        }
        descriptor = descriptor_v2(
            para_id=ParaId(para),
            relay_parent=header_hash(relay_parent),
            core_index=CoreIndex(core),
            session_index=self._session(runtime),
            persisted_validation_data_hash=pvd.hash,
            pov_hash=ZERO_HASH,
            erasure_root=ZERO_HASH,
            para_head=head_hash(HeadData(head)),
            validation_code_hash=runtime.paras.current_code_hash[ParaId(para)],
        )
        return CommittedCandidateReceipt(descriptor, CandidateCommitments(**{**outputs, **commitments}))

    @staticmethod
    def _session(runtime: TestRelay) -> SessionIndex:
        return runtime.paras_shared.current_session_index.get()

    def backed(self, candidate: CommittedCandidateReceipt, votes: int | None = None) -> BackedCandidate:
        """A candidate with votes of the first members of its group, by default of all."""
        runtime = self.runtime
        core = CoreIndex(candidate.descriptor.core_index)
        parent = next(item for item in self.parents if header_hash(item) == candidate.descriptor.relay_parent)
        group_index = runtime.para_scheduler.group_assigned_to_core(core, BlockNumber(parent.number + 1))
        assert group_index is not None
        group = runtime.para_scheduler.validator_groups.get()[group_index]
        count = len(group) if votes is None else votes
        payload = statement_payload(SecondedHash(candidate_hash(candidate)), self._context(parent, runtime))
        signed = tuple(
            Implicit(ValidatorSignature(self._pair(runtime, index).sign(payload))) for index in group[:count]
        )
        return backed_candidate(candidate, signed, BitVec(place < count for place in range(len(group))), core)

    # --- blocks ---

    def data(
        self, candidates: Sequence[BackedCandidate] = (), bitfields: Sequence[SignedAvailabilityBitfield] = ()
    ) -> ParachainsInherentData:
        return ParachainsInherentData(tuple(bitfields), tuple(candidates), (), self.header)

    def opened(self) -> TestRelay:
        """The runtime in a new block, before its inherent."""
        runtime = self.runtime
        header = Header(header_hash(self.header), BlockNumber(self.header.number + 1), ZERO_HASH, ZERO_HASH, Digest(()))
        initialize_block(runtime, header)
        return runtime

    def block(
        self,
        candidates: Sequence[BackedCandidate] = (),
        bitfields: Sequence[SignedAvailabilityBitfield] = (),
        before: Any = None,
    ) -> TestRelay:
        """Build a block as an author does; returns the runtime over its state."""
        runtime = self.opened()
        if before is not None:
            before(runtime)
        provided = {PARACHAINS_INHERENT_IDENTIFIER: self.data(candidates, bitfields).encode()}
        runtime.dispatch(runtime.para_inherent.inherent(provided), RawNone())
        return self.close(runtime)

    def close(self, runtime: TestRelay) -> TestRelay:
        header = finalize_block(runtime)
        self.state = runtime.state.finish()
        self.header = msgspec.structs.replace(header, state_root=Hash(self.state.root))
        self.parents.append(self.header)
        self.states.append(self.state)
        return self.runtime

    def include(self, para: int, head: bytes, *, core: int = 0, **commitments: Any) -> TestRelay:
        """Back a candidate in one block and make it available in the next."""
        self.block([self.backed(self.candidate(para, head, core=core, **commitments))])
        return self.block(bitfields=self.bitfields([core]))

    def new_session(self, session: int, keys: Sequence[Ed25519Pair] | None = None) -> TestRelay:
        """A block that ends a session."""
        chosen = [self._keys_of(pair) for pair in keys or self.keys]
        return self.block(
            before=lambda runtime: runtime.initializer.note_session(SessionIndex(session), chosen, chosen)
        )


def relay_of(
    paras: Sequence[int] = (2000,), validators: int = 4, cores: Sequence[int] | None = None, **configuration: Any
) -> Relay:
    return Relay(paras, validators, cores, **configuration)


@pytest.fixture
def make_relay() -> Any:
    """Builds a `Relay`: paras, validators, the para of each core, configuration overrides."""
    return relay_of
