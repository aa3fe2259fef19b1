"""The authority set and the changes that wait for finality, per fork.

Source: polkadot-sdk, `substrate/client/consensus/grandpa/src/authorities.rs`; forced changes are not applied.
"""

from substrate.block import Header
from substrate.consensus.grandpa.blocks import Ancestry, BlockRef
from substrate.consensus.grandpa.types import AuthorityList, ScheduledChange, header_logs
from substrate.scale.types import Struct, u64
from substrate.types import BlockNumber, Hash


class PendingChange(Struct):
    """A scheduled change, signalled in the block it names."""

    next_authorities: AuthorityList
    delay: BlockNumber
    canon_height: BlockNumber
    canon_hash: Hash

    @property
    def effective_number(self) -> BlockNumber:
        """Finalising a block at this height or above puts the change in force."""
        return BlockNumber(self.canon_height + self.delay)


class AuthoritySet(Struct):
    """The set in force and the pending changes, in order of their height."""

    current_authorities: AuthorityList
    set_id: u64 = 0
    pending: tuple[PendingChange, ...] = ()

    def with_header(self, header: Header) -> "AuthoritySet":
        """The set after importing a header, which may signal a change."""
        for log in header_logs(header):
            if isinstance(log, ScheduledChange):
                change = PendingChange(log.next_authorities, log.delay, header.number, header.hash)
                if change in self.pending:
                    return self
                pending = sorted((*self.pending, change), key=lambda change: change.effective_number)
                return AuthoritySet(self.current_authorities, self.set_id, tuple(pending))
        return self

    def limit(self, head: BlockRef, chain: Ancestry) -> int | None:
        """Height of the next change on the chain ending in `head`: nobody votes past it."""
        return next(
            (
                change.effective_number
                for change in self.pending
                if chain.is_equal_or_descendant(change.canon_hash, head.hash)
            ),
            None,
        )

    def finalize(self, block: BlockRef, chain: Ancestry) -> "AuthoritySet":
        """The set after a block became final: its change is in force, changes on dead forks are gone.

        The next set has a new id if a change came into force; a step applies one change at most, since nobody votes
        past it.
        """
        alive = tuple(
            change
            for change in self.pending
            if chain.is_equal_or_descendant(block.hash, change.canon_hash)
            or chain.is_equal_or_descendant(change.canon_hash, block.hash)
        )
        for change in alive:
            due = change.effective_number <= block.number
            if due and chain.is_equal_or_descendant(change.canon_hash, block.hash):
                rest = tuple(other for other in alive if other is not change)
                return AuthoritySet(change.next_authorities, self.set_id + 1, rest)
        return self if len(alive) == len(self.pending) else AuthoritySet(self.current_authorities, self.set_id, alive)
