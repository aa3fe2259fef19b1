"""What GRANDPA sees of the chain: block references and a read-only view.

Source: finality-grandpa, `src/lib.rs` (`Chain`); polkadot-sdk, `substrate/client/consensus/grandpa/src/environment.rs`.
"""

from enum import StrEnum
from typing import NamedTuple, Protocol

from substrate.block import Header
from substrate.errors import RuleError
from substrate.types import BlockNumber, Hash


class BlockRef(NamedTuple):
    """A block by hash and number."""

    hash: Hash
    number: BlockNumber


class GrandpaReason(StrEnum):
    """Why a vote, commit, justification or proof is rejected."""

    NOT_DESCENDENT = "NotDescendent"
    UNKNOWN_VOTER = "UnknownVoter"
    BAD_SIGNATURE = "BadSignature"
    BAD_TARGET = "BadTarget"
    INVALID_COMMIT = "InvalidCommit"
    MALFORMED_COMMIT = "MalformedCommit"
    WRONG_TARGET = "WrongTarget"
    BAD_ANCESTRY = "BadAncestry"
    UNUSED_HEADERS = "UnusedHeaders"
    INVALID_CATCH_UP = "InvalidCatchUp"
    INVALID_EQUIVOCATION = "InvalidEquivocation"
    NOT_CONFLICTING = "NotConflicting"


class GrandpaError(RuleError):
    """A GRANDPA rule was broken."""


class Ancestry(Protocol):
    """The ancestry relation, all that counting votes needs."""

    def ancestry(self, base: Hash, block: Hash) -> tuple[Hash, ...] | None:
        """Hashes strictly between, from `block`'s parent down; None unless `block` is a proper descendant of `base`."""
        ...

    def is_equal_or_descendant(self, base: Hash, block: Hash) -> bool:
        """Whether `base` is `block` or one of its ancestors."""
        ...


class ChainView(Ancestry, Protocol):
    """One node's current view of the chain."""

    @property
    def finalized(self) -> BlockRef:
        """The last finalised block."""
        ...

    def number_of(self, block: Hash) -> BlockNumber | None:
        """Number of a known block."""
        ...

    def header(self, block: Hash) -> Header | None:
        """Header of a known block."""
        ...

    def best_containing(self, block: Hash) -> BlockRef | None:
        """Best head among the chains that contain `block`."""
        ...


def ancestor_at(chain: Ancestry, base: BlockRef, head: BlockRef, number: int) -> BlockRef:
    """The block at height `number` on the chain from `base` to its descendant `head`, clamped to the two ends."""
    if number >= head.number:
        return head
    if number <= base.number:
        return base
    route = chain.ancestry(base.hash, head.hash)
    if route is None:
        raise GrandpaError(GrandpaReason.NOT_DESCENDENT, base=base.hash.hex(), block=head.hash.hex())
    return BlockRef(route[head.number - number - 1], BlockNumber(number))
