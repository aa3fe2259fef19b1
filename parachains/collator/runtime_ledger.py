"""The ledger of a Level 1 chain: a block tree whose best and final blocks are those that the relay chain includes.

Source: polkadot-sdk, `cumulus/client/consensus/common/src/parachain_consensus.rs`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, cast

from parachains.collator.behaviour import ParentState
from parachains.collator.consensus import ParaConsensus
from parachains.collator.ledger import AUTHORING_US, plugin_code
from parachains.sdk.build_block import BuiltBlock
from parachains.sdk.contract import Collated, CollationContext
from relaychain.primitives.types import HeadData, head_hash
from substrate.block import Block, extrinsic_hash
from substrate.client.chain import KEPT_STATES, Chain
from substrate.client.execution import Facts, executor
from substrate.client.importing import BlockImport, Execution, ExecutionCache
from substrate.client.pool import TransactionPool
from substrate.client.protocols import Clock, Recorder
from substrate.client.time_limit import TimeLimit
from substrate.client.validation import pool_validator
from substrate.consensus.aura.verification import slot_author
from substrate.crypto.keys import Ed25519Pair
from substrate.errors import ChainError
from substrate.runtime.assembly import CODE_KEY, Runtime
from substrate.trie.trie import Trie
from substrate.types import Hash, Slot


class RuntimePlugin(Protocol):
    """A Level 1 chain as its node uses it: usually a `Parachain` class."""

    def runtime(self) -> type[Runtime]:
        """The runtime around it."""
        ...

    def collate(self, head: HeadData, state: Trie, context: CollationContext) -> Collated[Trie]:
        """The next block; its `block` is a `BuiltBlock`. Raises a ChainError."""
        ...


LoadPlugin = Callable[[bytes], RuntimePlugin]
"""Gives the chain in a bundle, with its steps counted anew; given by whoever runs the node. Raises a ChainError."""


class RuntimeLedger:
    """See `Ledger`."""

    def __init__(
        self,
        genesis: Trie,
        load: LoadPlugin,
        cache: ExecutionCache,
        *,
        name: str,
        clock: Clock,
        recorder: Recorder,
        kept_states: int = KEPT_STATES,
        authoring_us: int = AUTHORING_US,
    ) -> None:
        self._load = load
        self.chain: Chain[Runtime] = Chain(genesis, self._runtime, kept_states=kept_states)
        self.consensus = ParaConsensus(self.chain, clock)
        self.importer = BlockImport(self.chain, self.consensus, self._execute, cache)
        self.pool = TransactionPool(self.chain, pool_validator(self.chain))
        self.announce: Callable[[Block], None] = lambda _: None
        """Gives an own block to the para's other nodes."""
        self.fetch: Callable[[Hash], None] = lambda _: None
        """Asks them for a block and its ancestors."""
        self._name = name
        self._clock = clock
        self._recorder = recorder
        self._authoring_us = authoring_us
        self._made: tuple[Hash, Execution] | None = None
        self._best: Hash = self.chain.genesis
        self._final: Hash = self.chain.genesis
        self._included: frozenset[Hash] = frozenset()
        """The unfinalised blocks up to the best included one that is known."""
        self.chain.is_viable = self._is_included
        self.chain.on_imported(self._on_imported)

    # --- building ---

    def knows(self, head: HeadData) -> bool:
        return head_hash(head) in self.chain

    def may_author(self, head: HeadData, slot: Slot, key: Ed25519Pair | None) -> bool:
        author = slot_author(slot, self.consensus.authorities(head_hash(head)))
        return author is None or (key is not None and key.public == author)

    def extrinsics(self) -> tuple[bytes, ...]:
        return tuple(pooled.raw for pooled in self.pool.ready())

    def parent_at(self, head: HeadData) -> ParentState | None:
        state = self.chain.state(head_hash(head))
        return ParentState(self._plugin(state).runtime(), state)

    def collate(self, head: HeadData, context: CollationContext) -> Collated[Any]:
        """See `Ledger`. An extrinsic that no block can be built with is thrown out: halving finds it."""
        count = len(context.extrinsics)
        while True:
            has_time = TimeLimit(self._clock, self._authoring_us)
            try:
                return self._built(head, replace(context, extrinsics=context.extrinsics[:count], has_time=has_time))
            except ChainError as failure:
                if count == 0:
                    raise
                tried = min(count, has_time.granted or count)
                if tried == 1:
                    self._built(head, replace(context, extrinsics=()))  # raises where that is no extrinsic's fault
                    self._throw_out(extrinsic_hash(context.extrinsics[0]), failure)
                count = tried // 2

    def _throw_out(self, extrinsic: Hash, failure: ChainError) -> None:
        self.pool.remove_invalid(extrinsic)
        detail = f"no block can be built with extrinsic 0x{extrinsic.hex()}, which is thrown out: {failure}"
        now = self._clock.now_us()
        self._recorder.row("faults", node=self._name, kind=type(failure).__name__, detail=detail, at=now)

    def _built(self, head: HeadData, context: CollationContext) -> Collated[Any]:
        parent, facts = head_hash(head), Facts()
        state = self.chain.state(parent)
        with plugin_code():
            plugin = self._plugin(state)
            made: Collated[Any] = plugin.collate(head, state, replace(context, observer=facts))
            runtime = plugin.runtime()
        built = cast("BuiltBlock", made.block)
        self._made = built.block.hash, Execution(built.state, runtime, built.events, tuple(facts.seen))
        if parent == self.chain.best:  # on a pending block, what that one holds is stale but not invalid
            self.pool.remove_invalid(*(extrinsic_hash(each.extrinsic) for each in made.rejected if not each.retry))
        return made

    def _runtime(self, code: bytes) -> type[Runtime]:
        with plugin_code():
            runtime = self._load(code).runtime()
            runtime.assembly()  # here, where what a plugin raises is caught
            return runtime

    def _execute(self, parent: Trie, block: Block) -> Execution:
        with plugin_code():
            return executor(self._runtime)(parent, block)

    def _plugin(self, state: Trie) -> RuntimePlugin:
        code = state.get(CODE_KEY)
        if code is None:
            raise ChainError("the para's state holds no :code")
        return self._load(code)

    def keep(self, parent: HeadData, made: Collated[Any]) -> None:
        """Take the block in without executing it again, and give it to the para's other nodes.

        Raises:
            BlockImportError: Its header is no good.
        """
        built = cast("BuiltBlock", made.block)
        block = built.block
        if self._made is not None and self._made[0] == block.hash:
            self.importer.cache.put(block, self._made[1])
        self._made = None
        self.importer.import_block(block)
        self.announce(block)

    # --- following the relay chain ---

    def set_best(self, head: HeadData) -> None:
        self._best = head_hash(head)
        if self._best in self.chain:
            self._follow()
            self.chain.reconsider()
        else:
            self.consensus.forget_equivocations()
            self.fetch(self._best)

    def set_final(self, head: HeadData) -> None:
        self._final = head_hash(head)
        self._finalize()

    def _is_included(self, block: Hash) -> bool:
        if self._best not in self._included and self._best in self.chain:
            self._follow()  # it arrives after the relay block that includes it
        return block in self._included

    def _follow(self) -> None:
        path, at = set[Hash](), self._best
        while self.chain.number(at) > self.chain.finalized_number:
            path.add(at)
            at = self.chain.header(at).parent_hash
        self._included = frozenset(path)

    def _on_imported(self, block: Hash) -> None:
        if block == self._final:
            self._finalize()

    def _finalize(self) -> None:
        chain, target = self.chain, self._final
        if target not in chain or chain.is_ancestor(target, chain.finalized):
            return
        before = chain.finalized_number
        chain.finalize(target)  # which takes the best block along where finality was heard of first
        for number in range(before + 1, chain.finalized_number + 1):
            self._recorder.row(
                "finality",
                chain=self._name,
                block=number,
                hash=chain.number_to_hash(number),
                lag=chain.best_number - number,
                at=self._clock.now_us(),
            )
