"""The ledger of a Level 0 chain: heads, and whatever state its plugin keeps behind them.

A plugin's state comes from its own `collate` alone, so such a chain has one collator, which knows only its own blocks.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from parachains.collator.behaviour import ParentState
from parachains.collator.ledger import AUTHORING_US, plugin_code
from parachains.sdk.contract import Collated, CollationContext, GenesisBlock, ParachainPlugin
from relaychain.primitives.types import HeadData, ParaId, head_hash
from substrate.client.protocols import Clock, Recorder
from substrate.client.time_limit import TimeLimit
from substrate.crypto.keys import Ed25519Pair
from substrate.types import Slot


@dataclass(frozen=True)
class _Block:
    parent: HeadData | None
    number: int
    state: Any
    included: tuple[bytes, ...] = ()


class PlainLedger:
    """See `Ledger`."""

    def __init__(
        self,
        plugin: ParachainPlugin[Any],
        genesis: GenesisBlock[Any],
        *,
        chain: str,
        para: ParaId,
        clock: Clock,
        recorder: Recorder,
        authoring_us: int = AUTHORING_US,
    ) -> None:
        self.best: HeadData = genesis.head
        """The head included at the relay chain's best block."""
        self.finalized: HeadData = genesis.head
        """The head included at the final relay block."""
        self._plugin = plugin
        self._chain = chain
        self._para = para
        self._clock = clock
        self._recorder = recorder
        self._authoring_us = authoring_us
        self._blocks: dict[HeadData, _Block] = {genesis.head: _Block(None, 0, genesis.state)}
        self._waiting: list[bytes] = []

    def number(self, head: HeadData) -> int:
        """How many blocks above genesis a known head is."""
        return self._blocks[head].number

    def state(self, head: HeadData) -> Any:
        """The plugin's state behind a known head."""
        return self._blocks[head].state

    def submit(self, extrinsic: bytes) -> None:
        """Put something into a coming block; what it may be is the plugin's to say."""
        self._waiting.append(extrinsic)

    def knows(self, head: HeadData) -> bool:
        return head in self._blocks

    def may_author(self, head: HeadData, slot: Slot, key: Ed25519Pair | None) -> bool:
        return True

    def extrinsics(self) -> tuple[bytes, ...]:
        blocks = self._back_to(self.finalized, self.best)
        return tuple(_left(self._waiting, (each for head in blocks for each in self._blocks[head].included)))

    def parent_at(self, head: HeadData) -> ParentState | None:
        return None

    def collate(self, head: HeadData, context: CollationContext) -> Collated[Any]:
        with plugin_code():
            timely = replace(context, has_time=TimeLimit(self._clock, self._authoring_us))
            made = self._plugin.collate(head, self._blocks[head].state, timely)
        self._waiting = _left(self._waiting, (each.extrinsic for each in made.rejected if not each.retry))
        return made

    def keep(self, parent: HeadData, made: Collated[Any]) -> None:
        head = made.result.head_data
        if head in self._blocks:
            return
        number = self._blocks[parent].number + 1
        self._blocks[head] = _Block(parent, number, made.state, made.included)
        self._recorder.row(
            "blocks",
            chain=self._chain,
            para_id=self._para,
            block=number,
            hash=head_hash(head),
            parent=head_hash(parent),
            extrinsics=len(made.included),
            at=self._clock.now_us(),
        )

    def set_best(self, head: HeadData) -> None:
        if head in self._blocks:
            self.best = head

    def set_final(self, head: HeadData) -> None:
        if head not in self._blocks or self.number(head) <= self.number(self.finalized):
            return
        if head not in self._back_to(self.finalized, self.best):  # finality was heard of first
            self.best = head
        enacted = tuple(self._back_to(self.finalized, head))[::-1]
        self._waiting = _left(
            self._waiting, (extrinsic for each in enacted for extrinsic in self._blocks[each].included)
        )
        for each in enacted:
            self._recorder.row(
                "finality",
                chain=self._chain,
                block=self.number(each),
                hash=head_hash(each),
                lag=self.number(self.best) - self.number(each),
                at=self._clock.now_us(),
            )
        self.finalized = head
        self._prune()

    def _prune(self) -> None:
        """Keep the final block and what descends from it; a parent stands before its children."""
        kept = {self.finalized: self._blocks[self.finalized]}
        for head, block in self._blocks.items():
            if block.parent in kept:
                kept[head] = block
        self._blocks = kept

    def _back_to(self, end: HeadData, head: HeadData) -> Iterator[HeadData]:
        at: HeadData | None = head
        while at is not None and at != end:
            yield at
            at = self._blocks[at].parent


def _left(waiting: Iterable[bytes], taken: Iterable[bytes]) -> list[bytes]:
    """What waits still: one is gone for each that was taken, the oldest of its equals."""
    gone, left = Counter(taken), list[bytes]()
    for each in waiting:
        if gone[each]:
            gone[each] -= 1
        else:
            left.append(each)
    return left
