"""A relay chain for one para, moved by hand: each block is a snapshot of what paras read of it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

from relaychain.node.relay_interface import Stream
from relaychain.primitives.candidate import CommittedCandidateReceipt, candidate_hash
from relaychain.primitives.collation import (
    COLLATION_FETCHING,
    COLLATOR_PROTOCOL,
    AdvertiseCollation,
    CollationFetchingRequest,
    CollationFetchingResponse,
    CollationWithParentHeadData,
    CollatorProtocolMessage,
    Declare,
)
from relaychain.primitives.core_state import GroupRotationInfo
from relaychain.primitives.messages import InboundDownwardMessage, InboundHrmpMessage
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.relay_interface import FinalizedHead
from relaychain.primitives.types import (
    CoreIndex,
    HeadData,
    OccupiedCoreAssumption,
    ParaId,
    SessionIndex,
    ValidationCodeHash,
    ValidatorId,
    ValidatorIndex,
    validation_code_hash,
)
from relaychain.primitives.validation import ValidationParams, ValidationResult
from relaychain.pvf.host import BACKING_STEPS, InlineHost, InvalidCandidate
from substrate.block import Digest, Header
from substrate.client.protocols import Network
from substrate.errors import ChainError
from substrate.scale.codec import codec_of, encode
from substrate.trie.proofs import read_proof
from substrate.trie.trie import Trie
from substrate.types import BlockNumber, Hash
from tests.parachains.sdk.fake_relay import FakeRelay

LOOKAHEAD = 3
VALIDATOR = ValidatorId(b"v" * 32)
GROUPS = tuple[tuple[tuple[ValidatorIndex, ...], ...], GroupRotationInfo]


@dataclass
class Block:
    header: Header
    relay: FakeRelay
    pending: tuple[CommittedCandidateReceipt, ...]
    state: Trie
    session: SessionIndex


class RelayDouble:
    """See `RelayChainInterface`. `fork` is what the next block will show."""

    def __init__(self, para: ParaId, head: HeadData, code: bytes, slot: int = 1_000) -> None:
        self.para = para
        self.code = code
        self.fork = FakeRelay(para, head, number=0, slot=slot)
        self.pending: tuple[CommittedCandidateReceipt, ...] = ()
        self.session = SessionIndex(0)
        self.core = CoreIndex(0)
        self.blocks: dict[Hash, Block] = {}
        self.streams: dict[str, list[Stream[object]]] = {"best": [], "final": []}
        self.head = self.final = Hash(bytes(32))

    # --- what tests do with it ---

    def advance(self, blocks: int = 1) -> Header:
        """Blocks on the best one, which becomes the last of them."""
        for _ in range(blocks):
            self.fork.advance()
            state = self.fork.state()
            root, number = Hash(state.root), BlockNumber(self.fork.number)
            header = Header(self.head, number, root, Hash(bytes(32)), Digest())
            self.head = header.hash
            self.blocks[self.head] = Block(header, deepcopy(self.fork), self.pending, state, self.session)
        for stream in self.streams["best"]:
            stream.push(self.blocks[self.head].header)
        return self.blocks[self.head].header

    def go_back(self, to: Header) -> None:
        """The next block forks off here."""
        block = self.blocks[to.hash]
        self.head, self.fork, self.pending = to.hash, deepcopy(block.relay), block.pending
        self.fork.slot += 2

    def back(self, candidate: CommittedCandidateReceipt) -> None:
        self.pending = (*self.pending, candidate)

    def include(self) -> None:
        candidate, *rest = self.pending
        self.pending = tuple(rest)
        commitments = candidate.commitments
        self.fork.head = commitments.head_data
        del self.fork.downward[: commitments.processed_downward_messages]

    def finalize(self, header: Header) -> None:
        self.final = header.hash
        for stream in self.streams["final"]:
            stream.push(FinalizedHead(header, None))

    # --- the interface ---

    def _stream(self, name: str) -> Stream[object]:
        self.streams[name].append(Stream())
        return self.streams[name][-1]

    async def best_block_hash(self) -> Hash:
        return self.head

    async def finalized_block_hash(self) -> Hash:
        return self.final

    async def header(self, block: Hash) -> Header | None:
        found = self.blocks.get(block)
        return found.header if found else None

    def imported(self) -> AsyncIterator[Header]:
        return self._stream("best")  # type: ignore[return-value]

    def best(self) -> AsyncIterator[Header]:
        return self._stream("best")  # type: ignore[return-value]

    def finalized(self) -> AsyncIterator[FinalizedHead]:
        return self._stream("final")  # type: ignore[return-value]

    async def storage(self, block: Hash, key: bytes) -> bytes | None:
        return self.blocks[block].state.get(key)

    async def prove_read(self, block: Hash, keys: Sequence[bytes]) -> tuple[bytes, ...]:
        return read_proof(self.blocks[block].state, keys)

    async def call(self, block: Hash, method: str, arguments: bytes) -> bytes:
        if method != "ParachainHost_validator_groups":
            raise ChainError(f"no {method}")
        rotation = GroupRotationInfo(BlockNumber(0), BlockNumber(10), BlockNumber(1))
        return encode(GROUPS, (((ValidatorIndex(0),),), rotation))

    async def persisted_validation_data(
        self, block: Hash, para: ParaId, assumption: OccupiedCoreAssumption
    ) -> PersistedValidationData | None:
        found = self.blocks[block]
        parent = found.pending[-1].commitments.head_data if found.pending else None
        return found.relay.promise(found.state, parent) if para == self.para else None

    async def validation_code_hash(
        self, block: Hash, para: ParaId, assumption: OccupiedCoreAssumption
    ) -> ValidationCodeHash | None:
        return validation_code_hash(self.code)  # type: ignore[arg-type]

    async def candidates_pending_availability(self, block: Hash, para: ParaId) -> tuple[CommittedCandidateReceipt, ...]:
        return self.blocks[block].pending

    async def claim_queue(self, block: Hash) -> Mapping[CoreIndex, tuple[ParaId, ...]]:
        return {self.core: (self.para,) * LOOKAHEAD}

    async def scheduling_lookahead(self, block: Hash) -> int:
        return LOOKAHEAD

    async def session_index_for_child(self, block: Hash) -> SessionIndex:
        return self.blocks[block].session

    async def validators(self, block: Hash) -> tuple[ValidatorId, ...]:
        return (VALIDATOR,)

    async def dmq_contents(self, block: Hash, para: ParaId) -> tuple[InboundDownwardMessage, ...]:
        return tuple(self.blocks[block].relay.downward)

    async def inbound_hrmp_channels_contents(
        self, block: Hash, para: ParaId
    ) -> Mapping[ParaId, tuple[InboundHrmpMessage, ...]]:
        return {sender: tuple(queue) for sender, queue in self.blocks[block].relay.inbound.items()}


class FetchingValidator:
    """Fetches what is advertised to it, and says what it thinks of it."""

    def __init__(self, network: Network, relay: RelayDouble) -> None:
        self.network = network
        self.relay = relay
        self.host = InlineHost()
        self.declared: dict[str, Declare] = {}
        self.advertised: list[AdvertiseCollation] = []
        network.on(COLLATOR_PROTOCOL, self._on_message)

    def _on_message(self, sender: str, payload: bytes) -> None:
        match codec_of(CollatorProtocolMessage).decode(payload):
            case Declare() as declared:
                self.declared[sender] = declared
            case AdvertiseCollation() as advertised:
                assert sender in self.declared
                self.advertised.append(advertised)
            case other:
                raise AssertionError(other)

    async def fetch(self, collator: str) -> CollationWithParentHeadData:
        """The collation advertised last."""
        last = self.advertised[-1]
        request = CollationFetchingRequest(last.relay_parent, self.relay.para, last.candidate_hash).encode()
        answer = await self.network.request(collator, COLLATION_FETCHING, request, timeout_us=1_000_000)
        response = codec_of(CollationFetchingResponse).decode(answer)
        assert isinstance(response, CollationWithParentHeadData)
        assert candidate_hash(response.receipt) == last.candidate_hash
        return response

    def validate(self, response: CollationWithParentHeadData) -> CommittedCandidateReceipt:
        """The candidate with its commitments. Raises InvalidCandidate, AssertionError for other commitments."""
        block = self.relay.blocks[response.receipt.descriptor.relay_parent]
        promise = block.relay.promise(block.state, response.parent_head_data)
        assert response.receipt.descriptor.persisted_validation_data_hash == promise.hash
        assert response.receipt.descriptor.pov_hash == response.pov.hash
        params = ValidationParams(
            promise.parent_head,
            response.pov.block_data,
            promise.relay_parent_number,
            promise.relay_parent_storage_root,
        )
        result = self.host.validate(self.relay.code, params, steps=BACKING_STEPS)
        return committed(response, result)


def committed(response: CollationWithParentHeadData, result: ValidationResult) -> CommittedCandidateReceipt:
    if response.receipt.commitments_hash != result.commitments.hash:
        raise CommitmentsMismatch("CommitmentsHashMismatch")
    return CommittedCandidateReceipt(response.receipt.descriptor, result.commitments)


class CommitmentsMismatch(ChainError):
    """The collator committed to something else than validation found."""


REFUSALS = (InvalidCandidate, CommitmentsMismatch)
