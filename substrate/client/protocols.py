"""What a node's parts ask of their surroundings, and of each other.

The clock, network and recorder are given by whoever runs the node; the consensus engine plugs into block import.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol, TypeVar

import msgspec

from substrate.block import Header, Justification
from substrate.errors import ChainError
from substrate.state import Overlay
from substrate.trie.nodes import NodeSource
from substrate.trie.trie import Trie
from substrate.types import BlockNumber, Hash


class RequestFailed(ChainError):
    """A request was not answered: unknown peer, refusal, or the deadline passed."""


class Clock(Protocol):
    """Chain time of one node."""

    def now_us(self) -> int:
        """Microseconds since the unix epoch."""
        ...

    async def sleep_until_us(self, at: int) -> None:
        """Return at or after the given time."""
        ...


class Network(Protocol):
    """One node's view of its peers. Handlers are called from the loop."""

    name: str
    """Own node name."""

    def peers(self) -> tuple[str, ...]:
        """Names of connected peers, sorted."""
        ...

    def send(self, peer: str, kind: str, payload: bytes) -> None:
        """Send without waiting; delivery is not promised."""
        ...

    def broadcast(self, kind: str, payload: bytes) -> None:
        """Send to every peer."""
        ...

    async def request(self, peer: str, kind: str, payload: bytes, *, timeout_us: int) -> bytes:
        """Ask one peer. Raises RequestFailed."""
        ...

    def on(self, kind: str, handler: Callable[[str, bytes], None]) -> None:
        """Call `handler(sender, payload)` for each message of a kind."""
        ...

    def serve(self, kind: str, handler: Callable[[str, bytes], Awaitable[bytes]]) -> None:
        """Answer requests of a kind."""
        ...


class Recorder(Protocol):
    """Takes facts for the run record."""

    def row(self, table: str, /, **columns: object) -> None:
        """Keep one fact; a second one with the same key is ignored."""
        ...


class RuntimeApi(Protocol):
    """A runtime instantiated over a state, seen from outside."""

    def api(self, name: str, args: bytes) -> bytes:
        """Call a runtime API with SCALE arguments; the state may be changed, so use a fresh one."""
        ...


RuntimeT = TypeVar("RuntimeT", bound=RuntimeApi)
RuntimeFactory = Callable[[Overlay], RuntimeT]
"""Usually a `Runtime` class."""
Loader = Callable[[bytes], RuntimeFactory[RuntimeT]]
"""Turns `:code` into a runtime."""

Aux = Mapping[bytes, bytes | None]
"""Key-value writes of consensus or node parts that belong to a commit; None deletes."""


class StoredBlock(msgspec.Struct, frozen=True):
    """A block as the chain keeps it."""

    hash: Hash
    header: Header
    extrinsics: tuple[bytes, ...]
    weight: int
    """Fork-choice weight summed from genesis."""


class Batch(msgspec.Struct, frozen=True):
    """Everything one import or finalisation writes, committed at once."""

    blocks: tuple[StoredBlock, ...] = ()
    nodes: Iterable[tuple[bytes, bytes]] = ()
    """Trie nodes new in this batch."""
    justifications: tuple[tuple[Hash, Justification], ...] = ()
    aux: Aux = {}
    removed: tuple[Hash, ...] = ()
    """Blocks of abandoned forks."""
    canonical: tuple[tuple[BlockNumber, Hash], ...] = ()
    """Newly finalised blocks, oldest first."""


class Store(Protocol):
    """Where a chain keeps what it must not forget."""

    nodes: NodeSource | None
    """Trie nodes, if states are persisted."""

    def commit(self, batch: Batch) -> None:
        """Write a batch: all of it or nothing."""
        ...

    def block(self, block: Hash) -> StoredBlock | None:
        """A block by hash."""
        ...

    def justifications(self, block: Hash) -> tuple[Justification, ...]:
        """Finality proofs kept for a block."""
        ...

    def canonical(self, number: int) -> Hash | None:
        """The finalised block at a height."""
        ...

    def finalized(self) -> Hash | None:
        """The highest finalised block; None in an empty store."""
        ...

    def unfinalized(self) -> tuple[StoredBlock, ...]:
        """All blocks above the finalised height, by number, then in order of arrival."""
        ...

    def aux(self, key: bytes) -> bytes | None:
        """An auxiliary value."""
        ...


class Verified(msgspec.Struct, frozen=True):
    """What the consensus engine found in a header."""

    header: Header
    """The header to execute: seal stripped."""
    aux: Aux = {}
    """Writes to commit with the block."""


class Consensus(Protocol):
    """A block engine's part in the import pipeline. It never executes."""

    def verify(self, header: Header, parent: Header) -> Verified:
        """Check slot, seal and digests. Raises a ChainError."""
        ...

    def on_imported(self, block: Hash, header: Header, verified: Verified, state: Trie) -> Aux:
        """Apply epoch and set changes to this fork, before the commit; returns writes to commit with the block."""
        ...

    def check_justification(self, header: Header, justification: Justification) -> None:
        """Check a finality proof. Raises a ChainError."""
        ...
