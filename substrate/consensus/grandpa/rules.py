"""Voting rules: how far below the best block a voter stays.

Source: polkadot-sdk, `substrate/client/consensus/grandpa/src/voting_rule.rs`.
"""

from collections.abc import Callable
from typing import Protocol

from substrate.consensus.grandpa.blocks import Ancestry, BlockRef, ChainView, ancestor_at


class VotingRule(Protocol):
    """Restricts a prevote: given the lowest allowed block, the best block and the target so far, the new target."""

    def __call__(self, chain: ChainView, *, base: BlockRef, best: BlockRef, current: BlockRef) -> BlockRef: ...


def before_best_by(depth: int) -> VotingRule:
    """Stay `depth` blocks below the best."""

    def rule(chain: ChainView, *, base: BlockRef, best: BlockRef, current: BlockRef) -> BlockRef:
        return ancestor_at(chain, base, current, best.number - depth)

    return rule


def three_quarters(chain: ChainView, *, base: BlockRef, best: BlockRef, current: BlockRef) -> BlockRef:
    """Vote for at most three quarters of the chain above the base."""
    return ancestor_at(chain, base, current, base.number + (3 * (best.number - base.number) + 2) // 4)


def unrestricted(chain: ChainView, *, base: BlockRef, best: BlockRef, current: BlockRef) -> BlockRef:
    """Vote for the best block."""
    return current


def not_past(limit: Callable[[BlockRef, BlockRef], int | None]) -> VotingRule:
    """Never vote past the height that `limit(base, best)` names: the next authority set change on this chain."""

    def rule(chain: ChainView, *, base: BlockRef, best: BlockRef, current: BlockRef) -> BlockRef:
        height = limit(base, best)
        return current if height is None else ancestor_at(chain, base, current, height)

    return rule


def all_of(*rules: VotingRule) -> VotingRule:
    """Apply rules one after the other; each can only lower the target."""

    def rule(chain: ChainView, *, base: BlockRef, best: BlockRef, current: BlockRef) -> BlockRef:
        for restrict in rules:
            current = restrict(chain, base=base, best=best, current=current)
        return current

    return rule


DEFAULT_RULE = all_of(before_best_by(2), three_quarters)
"""Upstream's default builder."""


def prevote_target(chain: ChainView, containing: BlockRef, rule: VotingRule) -> BlockRef | None:
    """What to prevote for: the best chain that contains a block, restricted, never below that block."""
    best = chain.best_containing(containing.hash)
    if best is None:
        return None
    return rule(chain, base=containing, best=best, current=best)


def find_hinted(chain: Ancestry, *, estimate: BlockRef, ghost: BlockRef, hint: BlockRef | None) -> BlockRef:
    """The block whose chain to prevote for: the last estimate, or the primary's hint.

    The hint counts if it lies on the chain from the last estimate to the last prevote ghost.
    """
    if hint is None or not chain.is_equal_or_descendant(estimate.hash, hint.hash):
        return estimate
    return hint if chain.is_equal_or_descendant(hint.hash, ghost.hash) else estimate
