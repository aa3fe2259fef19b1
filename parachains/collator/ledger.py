"""What a collator keeps of its para's chain, whatever the chain is made of."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Protocol

from parachains.collator.behaviour import ParentState
from parachains.sdk.contract import Collated, CollationContext
from relaychain.primitives.types import HeadData
from substrate.crypto.keys import Ed25519Pair
from substrate.errors import ChainError
from substrate.runtime.panics import described
from substrate.types import Slot

AUTHORING_US = 2_000_000
"""How long extrinsics are taken into one block: upstream's authoring time, a third of a relay slot of six seconds."""


@contextmanager
def plugin_code() -> Generator[None]:
    """A plugin is someone else's code: whatever it raises becomes a ChainError, and the node goes on."""
    try:
        yield
    except (ChainError, KeyboardInterrupt):
        raise
    except BaseException as failure:
        raise ChainError(f"the plugin failed: {described(failure)}") from failure


class Ledger(Protocol):
    """Blocks and states by head; the relay chain decides which of them count."""

    def knows(self, head: HeadData) -> bool:
        """Whether a block can be built on the head."""
        ...

    def may_author(self, head: HeadData, slot: Slot, key: Ed25519Pair | None) -> bool:
        """Whether the slot after the head is this key's turn."""
        ...

    def extrinsics(self) -> tuple[bytes, ...]:
        """What waits for a block, best first."""
        ...

    def parent_at(self, head: HeadData) -> ParentState | None:
        """What a behaviour may need of the head that is built on; None at Level 0."""
        ...

    def collate(self, head: HeadData, context: CollationContext) -> Collated[Any]:
        """The next block; the ledger does not keep it yet. Raises a ChainError."""
        ...

    def keep(self, parent: HeadData, made: Collated[Any]) -> None:
        """Take in a block of one's own, and give it to the para's other nodes."""
        ...

    def set_best(self, head: HeadData) -> None:
        """The relay chain's best block includes this head."""
        ...

    def set_final(self, head: HeadData) -> None:
        """The final relay chain includes this head."""
        ...
