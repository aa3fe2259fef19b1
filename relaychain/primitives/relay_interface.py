"""The relay chain as collators, operators and watchers see it: in process, or through RPC.

Source: polkadot-sdk, `cumulus/client/relay-chain-interface/src/lib.rs`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from relaychain.primitives.candidate import CommittedCandidateReceipt
from relaychain.primitives.messages import InboundDownwardMessage, InboundHrmpMessage
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import (
    CoreIndex,
    OccupiedCoreAssumption,
    ParaId,
    SessionIndex,
    ValidationCodeHash,
    ValidatorId,
)
from substrate.block import Header
from substrate.scale.types import Struct
from substrate.types import Hash


class FinalizedHead(Struct):
    """A finalised relay block with the proof of its finality, where there is one."""

    header: Header
    justification: bytes | None


class RelayChainInterface(Protocol):
    """Everything is asked at a relay block, by hash; an unknown or pruned block raises `ChainError`."""

    async def best_block_hash(self) -> Hash:
        """Head of the best relay chain."""
        ...

    async def finalized_block_hash(self) -> Hash:
        """The last finalised relay block."""
        ...

    async def header(self, block: Hash) -> Header | None:
        """Header of a relay block; None if unknown."""
        ...

    def imported(self) -> AsyncIterator[Header]:
        """Each relay block imported from now on, forks too."""
        ...

    def best(self) -> AsyncIterator[Header]:
        """Each new best relay block from now on."""
        ...

    def finalized(self) -> AsyncIterator[FinalizedHead]:
        """Each finality step from now on, its last block."""
        ...

    async def storage(self, block: Hash, key: bytes) -> bytes | None:
        """One value of relay state."""
        ...

    async def prove_read(self, block: Hash, keys: Sequence[bytes]) -> tuple[bytes, ...]:
        """Trie nodes that prove `keys` (absence too) under the block's state root."""
        ...

    async def call(self, block: Hash, method: str, arguments: bytes) -> bytes:
        """A runtime API call, SCALE in and out."""
        ...

    async def persisted_validation_data(
        self, block: Hash, para: ParaId, assumption: OccupiedCoreAssumption
    ) -> PersistedValidationData | None:
        """Validation data of a candidate on `block`; None if the para is unknown or the assumption does not hold."""
        ...

    async def validation_code_hash(
        self, block: Hash, para: ParaId, assumption: OccupiedCoreAssumption
    ) -> ValidationCodeHash | None:
        """Code that a candidate on `block` runs under."""
        ...

    async def candidates_pending_availability(self, block: Hash, para: ParaId) -> tuple[CommittedCandidateReceipt, ...]:
        """The para's queue of backed, not yet included candidates, oldest first."""
        ...

    async def claim_queue(self, block: Hash) -> Mapping[CoreIndex, tuple[ParaId, ...]]:
        """Paras that each core serves next."""
        ...

    async def scheduling_lookahead(self, block: Hash) -> int:
        """How many relay parents back a candidate may build; also the claim queue's depth."""
        ...

    async def session_index_for_child(self, block: Hash) -> SessionIndex:
        """Session of a child of `block`."""
        ...

    async def validators(self, block: Hash) -> tuple[ValidatorId, ...]:
        """Para validators of the current session."""
        ...

    async def dmq_contents(self, block: Hash, para: ParaId) -> tuple[InboundDownwardMessage, ...]:
        """Downward messages that wait for the para, oldest first."""
        ...

    async def inbound_hrmp_channels_contents(
        self, block: Hash, para: ParaId
    ) -> Mapping[ParaId, tuple[InboundHrmpMessage, ...]]:
        """Horizontal messages that wait for the para, by sender; channels without messages too."""
        ...
