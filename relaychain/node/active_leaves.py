"""Active leaves: tells subsystems of each new head, and which relay parents candidates may build on there.

Source: polkadot-sdk, `polkadot/node/overseer/src/lib.rs` (`ActiveLeavesUpdate`),
`polkadot/node/subsystem-util/src/backing_implicit_view.rs`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from relaychain.node.reports import Reports
from relaychain.node.runtime_api import ParachainHostApi
from relaychain.node.scheduling import RelayParent, relay_parent_at
from substrate.client.chain import Chain
from substrate.runtime.assembly import Runtime
from substrate.types import BlockNumber, Hash

MAX_LAG_BLOCKS = 3
"""A leaf further behind the best block is not worth work."""


@dataclass(frozen=True)
class Leaf:
    """A head of the relay chain. A candidate in its child may have any of `allowed` as relay parent."""

    hash: Hash
    number: BlockNumber
    allowed: tuple[Hash, ...]
    """Itself and ancestors of the same session, newest first."""


def implicit_view(api: ParachainHostApi, chain: Chain[Runtime], leaf: Hash) -> tuple[Hash, ...]:
    """The relay parents allowed in a child of `leaf`, newest first."""
    session, length = api.session_index_for_child(leaf), max(api.scheduling_lookahead(leaf), 1)
    allowed = [leaf]
    for ancestor in chain.ancestry(leaf):
        if len(allowed) == length or api.session_index_for_child(ancestor) != session:
            break
        allowed.append(ancestor)
    return tuple(allowed)


class ActiveLeaves:
    """Heads of the chain near the best one. Blocks imported in one go activate their last ones only."""

    def __init__(self, chain: Chain[Runtime], api: ParachainHostApi, reports: Reports) -> None:
        self.leaves: dict[Hash, Leaf] = {}
        self._chain = chain
        self._api = api
        self._reports = reports
        self._listeners: list[Callable[[Leaf], None]] = []
        self._parents: dict[Hash, RelayParent] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._is_scheduled = False

    def on_active(self, listener: Callable[[Leaf], None]) -> None:
        """Call back for each leaf that becomes active. Listeners hear in the order in which they subscribed."""
        self._listeners.append(listener)

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Activate the heads that there are, and those to come."""
        self._tasks = tasks
        self._chain.on_imported(self._schedule)
        self._chain.on_finalized(self._schedule)
        self._schedule(self._chain.best)

    def relay_parent(self, block: Hash) -> RelayParent | None:
        """A relay parent in view; None if it is no relay parent of any leaf."""
        return self._parents.get(block)

    def is_early(self, block: Hash) -> bool:
        """Whether a block that is not in view may still come into it: unknown, or imported a moment ago."""
        return block not in self._chain or self._is_scheduled

    def _schedule(self, _: Hash) -> None:
        if not self._is_scheduled:
            assert self._tasks is not None, "the chain is followed from start on"
            self._is_scheduled = True
            self._tasks.create_task(self._run(), name="active leaves")

    async def _run(self) -> None:
        await asyncio.sleep(0)
        self._is_scheduled = False
        with self._reports.survived("active leaves"):
            self.update()

    def update(self) -> None:
        """Follow the chain: drop stale leaves, then announce new ones, best first."""
        oldest = self._chain.best_number - MAX_LAG_BLOCKS
        heads = [head for head in self._chain.leaves() if self._chain.number(head) >= oldest]
        new = [head for head in heads if head not in self.leaves]
        self.leaves = {head: self.leaves.get(head) or self._leaf(head) for head in heads}
        view = dict.fromkeys(block for leaf in self.leaves.values() for block in leaf.allowed)
        self._parents = {block: self._parents.get(block) or self._relay_parent(block) for block in view}
        for head in new:
            for listener in tuple(self._listeners):
                with self._reports.survived(f"leaf 0x{head.hex()}"):
                    listener(self.leaves[head])

    def _leaf(self, head: Hash) -> Leaf:
        number = BlockNumber(self._chain.number(head))
        return Leaf(head, number, implicit_view(self._api, self._chain, head))

    def _relay_parent(self, block: Hash) -> RelayParent:
        return relay_parent_at(self._api, block, BlockNumber(self._chain.number(block)))
