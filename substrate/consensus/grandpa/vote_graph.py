"""The vote graph: a compressed DAG of the blocks that were voted on, with votes accumulated towards the base.

Only vote targets and the points where they merge are nodes; the blocks between two nodes hang on the edge.

Source: finality-grandpa, `src/vote_graph.rs`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from substrate.consensus.grandpa.blocks import Ancestry, BlockRef, GrandpaError, GrandpaReason
from substrate.types import BlockNumber, Hash

Condition: TypeAlias = Callable[[int], bool]
"""Judges a node's accumulated vote."""


def _union(one: int, other: int) -> int:
    return one | other


@dataclass(slots=True)
class Entry:
    """A node: its edge to the ancestor node, and the votes on it and above it."""

    number: int
    ancestors: list[Hash]
    """From the parent down to (and including) the ancestor node."""
    descendents: list[Hash] = field(default_factory=list[Hash])
    cumulative: int = 0

    def ancestor_at(self, number: int) -> Hash | None:
        """The block at `number` on the edge below this node, None beyond it."""
        offset = self.number - number - 1
        return self.ancestors[offset] if 0 <= offset < len(self.ancestors) else None

    @property
    def ancestor_node(self) -> Hash | None:
        """The node this edge ends at."""
        return self.ancestors[-1] if self.ancestors else None


class VoteGraph:
    """Votes over blocks that descend from `base`; a vote is an int joined with `merge`, 0 being no vote.

    Rounds merge bit fields with `or`, so an equivocator's two votes count once where they meet.
    """

    def __init__(self, base: BlockRef, *, merge: Callable[[int, int], int] = _union) -> None:
        self.base = base
        self.entries: dict[Hash, Entry] = {base.hash: Entry(base.number, [])}
        self.heads: dict[Hash, None] = {base.hash: None}
        self._merge = merge

    def insert(self, target: BlockRef, vote: int, chain: Ancestry) -> None:
        """Add a vote for `target`.

        Raises:
            GrandpaError: `NOT_DESCENDENT`, the target does not descend from the base.
        """
        if target.hash not in self.entries:
            containing = self._containing(target)
            if containing:
                self._split(target, containing)
            else:
                self._append(target, chain)
        node: Hash | None = target.hash
        while node is not None:
            entry = self.entries[node]
            entry.cumulative = self._merge(entry.cumulative, vote)
            node = entry.ancestor_node

    def cumulative_vote(self, block: BlockRef) -> int:
        """All votes on `block` and its descendants."""
        entry = self.entries.get(block.hash)
        return entry.cumulative if entry else self._sum(self._containing(block))

    def find_ancestor(self, head: BlockRef, condition: Condition) -> BlockRef | None:
        """The highest block on the chain ending in `head` that meets `condition`; None if none does."""
        block, number = head
        while True:
            entry = self.entries.get(block)
            if entry is not None:
                vote, edge, offset = entry.cumulative, entry, 0
            else:
                children = self._containing(BlockRef(block, number))
                if not children:
                    return None
                edge = self.entries[children[-1]]
                vote, offset = self._sum(children), edge.number - number
            if condition(vote):
                return BlockRef(block, number)
            if offset >= len(edge.ancestors):
                return None
            block, number = edge.ancestors[offset], BlockNumber(number - 1)

    def find_ghost(self, current: BlockRef | None, condition: Condition) -> BlockRef | None:
        """The highest block whose votes meet `condition`, searched upwards from `current` or the base.

        At most one child of a block is expected to meet it. None if the starting node does not.
        """
        node, constraint = self.base.hash, None
        if current is not None:
            if current.hash in self.entries:
                node = current.hash
            elif containing := self._containing(current):
                below = self.entries[containing[0]].ancestor_node
                assert below is not None, "an edge that holds a block ends at a node"
                node, constraint = below, current
        if not condition(self.entries[node].cumulative):
            return None
        while True:
            above = self._descendents(node, constraint)
            heavy = next((child for child in above if condition(self.entries[child].cumulative)), None)
            if heavy is None:
                return self._merge_point(node, above, condition)
            node, constraint = heavy, None  # one hop up, the constraint is met

    def _descendents(self, node: Hash, through: BlockRef | None) -> list[Hash]:
        found = self.entries[node].descendents
        if through is None:
            return found
        return [child for child in found if self.entries[child].ancestor_at(through.number) == through.hash]

    def _merge_point(self, node: Hash, above: Iterable[Hash], condition: Condition) -> BlockRef:
        """The highest block where edges above `node` meet with enough votes together; `node` itself if none."""
        children = [self.entries[child] for child in above]
        best = BlockRef(node, BlockNumber(self.entries[node].number))
        while True:
            number = best.number + 1
            votes: dict[Hash, int] = {}
            for child in children:
                if (block := child.ancestor_at(number)) is not None:
                    votes[block] = self._merge(votes.get(block, 0), child.cumulative)
            heavy = next((block for block, vote in votes.items() if condition(vote)), None)
            if heavy is None:
                return best
            best = BlockRef(heavy, BlockNumber(number))
            children = [child for child in children if child.ancestor_at(number) == heavy]

    def _sum(self, nodes: Iterable[Hash]) -> int:
        total = 0
        for node in nodes:
            total = self._merge(total, self.entries[node].cumulative)
        return total

    def _containing(self, block: BlockRef) -> list[Hash]:
        """The nodes whose edge passes through `block`, which is no node itself."""
        found: list[Hash] = []
        visited: set[Hash] = set()
        for head in self.heads:
            node: Hash | None = head
            while node is not None and node not in visited:
                visited.add(node)
                entry = self.entries[node]
                at = entry.ancestor_at(block.number)
                if at is not None:
                    if at == block.hash:
                        found.append(node)
                    break
                node = entry.ancestor_node
        return found

    def _split(self, target: BlockRef, children: list[Hash]) -> None:
        """Make `target` a node on the edges below `children`, which all pass through it."""
        first = self.entries[children[0]]
        offset = first.number - target.number
        below = first.ancestor_node
        assert below is not None, "an edge that holds a block ends at a node"
        node = Entry(target.number, first.ancestors[offset:], list(children), self._sum(children))
        for child in children:
            entry = self.entries[child]
            del entry.ancestors[entry.number - target.number :]
        parent = self.entries[below]
        parent.descendents = [child for child in parent.descendents if child not in children]
        parent.descendents.append(target.hash)
        self.entries[target.hash] = node

    def _append(self, target: BlockRef, chain: Ancestry) -> None:
        route = chain.ancestry(self.base.hash, target.hash)
        if route is None:
            raise GrandpaError(GrandpaReason.NOT_DESCENDENT, base=self.base.hash.hex(), block=target.hash.hex())
        ancestors = [*route, self.base.hash]
        end = next(index for index, block in enumerate(ancestors) if block in self.entries)
        self.entries[ancestors[end]].descendents.append(target.hash)
        self.entries[target.hash] = Entry(target.number, ancestors[: end + 1])
        self.heads.pop(ancestors[end], None)
        self.heads[target.hash] = None
