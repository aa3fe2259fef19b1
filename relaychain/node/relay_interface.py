"""The relay chain for a collator in the same process: `RelayChainInterface` over a full node's chain.

Source: polkadot-sdk, `cumulus/client/relay-chain-inprocess-interface/src/lib.rs`.
"""

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

from relaychain.primitives.candidate import CommittedCandidateReceipt
from relaychain.primitives.messages import InboundDownwardMessage, InboundHrmpMessage
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.relay_interface import FinalizedHead
from relaychain.primitives.types import (
    CoreIndex,
    OccupiedCoreAssumption,
    ParaId,
    SessionIndex,
    ValidationCodeHash,
    ValidatorId,
)
from substrate.block import Header
from substrate.client.chain import Chain
from substrate.scale.codec import codec_of
from substrate.scale.types import u32
from substrate.trie.proofs import read_proof
from substrate.types import Hash

WAITING = 256
"""Heads that a slow reader may leave unread; then the oldest are dropped, as newer ones stand for them."""

T = TypeVar("T")

_SESSION = codec_of(SessionIndex)
_LOOKAHEAD = codec_of(u32)
_VALIDATORS = codec_of(tuple[ValidatorId, ...])
_CODE_HASH = codec_of(ValidationCodeHash | None)
_VALIDATION_DATA = codec_of(PersistedValidationData | None)
_PENDING = codec_of(tuple[CommittedCandidateReceipt, ...])
_CLAIMS = codec_of(Mapping[CoreIndex, tuple[ParaId, ...]])
_DOWNWARD = codec_of(tuple[InboundDownwardMessage, ...])
_HORIZONTAL = codec_of(Mapping[ParaId, tuple[InboundHrmpMessage, ...]])
_PARA = codec_of(ParaId)
_PARA_ASSUMING = codec_of(tuple[ParaId, OccupiedCoreAssumption])


class Stream(Generic[T]):
    """What one subscriber has yet to read; bounded."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[T] = asyncio.Queue(WAITING)

    def push(self, item: T) -> None:
        """Add an item; a full stream drops its oldest."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(item)

    def __aiter__(self) -> "Stream[T]":
        return self

    async def __anext__(self) -> T:
        return await self._waiting.get()


class InProcessRelay:
    """See `RelayChainInterface` for each question."""

    def __init__(self, chain: Chain[Any]) -> None:
        self._chain = chain

    # --- heads ---

    async def best_block_hash(self) -> Hash:
        return self._chain.best

    async def finalized_block_hash(self) -> Hash:
        return self._chain.finalized

    async def header(self, block: Hash) -> Header | None:
        return self._chain.header(block) if block in self._chain else None

    def imported(self) -> AsyncIterator[Header]:
        return _stream(self._chain.on_imported, self._chain.header)

    def best(self) -> AsyncIterator[Header]:
        return _stream(self._chain.on_best, self._chain.header)

    def finalized(self) -> AsyncIterator[FinalizedHead]:
        return _stream(self._chain.on_finalized, self._finalized_head)

    def _finalized_head(self, block: Hash) -> FinalizedHead:
        proofs = self._chain.justifications(block)
        return FinalizedHead(self._chain.header(block), proofs[0].data if proofs else None)

    # --- state ---

    async def storage(self, block: Hash, key: bytes) -> bytes | None:
        return self._chain.state(block).get(key)

    async def prove_read(self, block: Hash, keys: Sequence[bytes]) -> tuple[bytes, ...]:
        return read_proof(self._chain.state(block), keys)

    async def call(self, block: Hash, method: str, arguments: bytes) -> bytes:
        return self._call(block, method, arguments)

    def _call(self, block: Hash, method: str, arguments: bytes = b"") -> bytes:
        return cast("bytes", self._chain.runtime(block).api(method, arguments))

    # --- parachains ---

    async def persisted_validation_data(
        self, block: Hash, para: ParaId, assumption: OccupiedCoreAssumption
    ) -> PersistedValidationData | None:
        arguments = _PARA_ASSUMING.encode((para, assumption))
        return _VALIDATION_DATA.decode(self._call(block, "ParachainHost_persisted_validation_data", arguments))

    async def validation_code_hash(
        self, block: Hash, para: ParaId, assumption: OccupiedCoreAssumption
    ) -> ValidationCodeHash | None:
        arguments = _PARA_ASSUMING.encode((para, assumption))
        return _CODE_HASH.decode(self._call(block, "ParachainHost_validation_code_hash", arguments))

    async def candidates_pending_availability(self, block: Hash, para: ParaId) -> tuple[CommittedCandidateReceipt, ...]:
        arguments = _PARA.encode(para)
        return _PENDING.decode(self._call(block, "ParachainHost_candidates_pending_availability", arguments))

    async def claim_queue(self, block: Hash) -> Mapping[CoreIndex, tuple[ParaId, ...]]:
        return _CLAIMS.decode(self._call(block, "ParachainHost_claim_queue"))

    async def scheduling_lookahead(self, block: Hash) -> int:
        return _LOOKAHEAD.decode(self._call(block, "ParachainHost_scheduling_lookahead"))

    async def session_index_for_child(self, block: Hash) -> SessionIndex:
        return _SESSION.decode(self._call(block, "ParachainHost_session_index_for_child"))

    async def validators(self, block: Hash) -> tuple[ValidatorId, ...]:
        return _VALIDATORS.decode(self._call(block, "ParachainHost_validators"))

    async def dmq_contents(self, block: Hash, para: ParaId) -> tuple[InboundDownwardMessage, ...]:
        return _DOWNWARD.decode(self._call(block, "ParachainHost_dmq_contents", _PARA.encode(para)))

    async def inbound_hrmp_channels_contents(
        self, block: Hash, para: ParaId
    ) -> Mapping[ParaId, tuple[InboundHrmpMessage, ...]]:
        arguments = _PARA.encode(para)
        return _HORIZONTAL.decode(self._call(block, "ParachainHost_inbound_hrmp_channels_contents", arguments))


def _stream(
    subscribe: Callable[[Callable[[Hash], None]], Callable[[], None]], read: Callable[[Hash], T]
) -> AsyncIterator[T]:
    """What a subscription brings from now on, as long as the reader holds the stream."""
    stream = Stream[T]()
    reader = weakref.ref(stream)

    def push(block: Hash) -> None:
        live = reader()
        if live is None:
            cancel()
        else:
            live.push(read(block))

    cancel = subscribe(push)
    return stream
