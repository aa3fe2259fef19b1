"""A node's chain: every block it knows, their states, the best and the finalised one.

Source: polkadot-sdk, `substrate/client/api/src/backend.rs`, `substrate/primitives/blockchain/src/backend.rs`.
"""

from collections import deque
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Generic, TypeVar

from substrate.block import Block, Header, Justification, genesis_header
from substrate.client.memory_store import MemoryStore
from substrate.client.protocols import Aux, Batch, Loader, RuntimeT, Store, StoredBlock
from substrate.client.tree import BlockTree, Node
from substrate.errors import RuleError
from substrate.state import Overlay
from substrate.trie.trie import Trie
from substrate.types import BlockNumber, Hash

KEPT_STATES = 256
CODE_KEY = b":code"


class ChainReason(StrEnum):
    """Why the chain cannot answer or accept."""

    UNKNOWN_BLOCK = "UnknownBlock"
    UNKNOWN_PARENT = "UnknownParent"
    STATE_DISCARDED = "StateDiscarded"
    NOT_IN_FINALIZED_CHAIN = "NotInFinalizedChain"
    GENESIS_MISMATCH = "GenesisMismatch"
    NO_CODE = "NoCode"


class BlockchainError(RuleError):
    """A question or change that the block tree refuses."""


Callback = Callable[[Hash], None]


class Follower:
    """A subscriber to the best or the finalised block, and the block it was told of last."""

    def __init__(self, callback: Callback, told: Hash) -> None:
        self.callback = callback
        self.told = told


SubscriberT = TypeVar("SubscriberT")


class Chain(Generic[RuntimeT]):
    """Fork-aware block tree over a store.

    Fork choice: highest summed weight, then height, then lowest hash, among viable blocks above the finalised one.
    Finalised states are kept for `kept_states` blocks (longer if the store keeps trie nodes), unfinalised ones always.
    """

    def __init__(
        self,
        genesis: Trie,
        loader: Loader[RuntimeT],
        *,
        store: Store | None = None,
        weight: Callable[[Header], int] = lambda _: 0,
        is_viable: Callable[[Hash], bool] | None = None,
        kept_states: int = KEPT_STATES,
    ) -> None:
        self.loader = loader
        self.store: Store = store if store is not None else MemoryStore()
        self.is_viable = is_viable
        """Chain selection of the node; call `reconsider` when its answers change."""
        self._weight = weight
        self._kept_states = kept_states
        self._states: dict[Hash, Trie] = {}
        self._finalized_states: deque[Hash] = deque()
        self._imported_callbacks: list[Callback] = []
        self._best_followers: list[Follower] = []
        self._finalized_followers: list[Follower] = []
        self.genesis = self._open_genesis(genesis)
        self._tree = self._load_tree()
        self.best: Hash = self._find_best()

    # -- opening -----------------------------------------------------------------------------------------------

    def _open_genesis(self, state: Trie) -> Hash:
        header = genesis_header(Hash(state.root))
        block = header.hash
        known = self.store.canonical(0)
        if known is None:
            nodes = () if self.store.nodes is None else state.new_nodes(Trie.empty())
            stored = StoredBlock(block, header, (), 0)
            self.store.commit(Batch(blocks=(stored,), nodes=nodes, canonical=((BlockNumber(0), block),)))
        elif known != block:
            raise BlockchainError(ChainReason.GENESIS_MISMATCH, stored=known.hex(), given=block.hex())
        self._states[block] = state
        self._finalized_states.append(block)
        return block

    def _load_tree(self) -> BlockTree:
        finalized = self.store.finalized()
        assert finalized is not None, "genesis was just committed"
        root = self._stored(finalized)
        tree = BlockTree(Node(root.hash, root.header, root.weight))
        for block in self.store.unfinalized():
            if block.header.parent_hash in tree:
                tree.add(Node(block.hash, block.header, block.weight))
        return tree

    # -- reading -----------------------------------------------------------------------------------------------

    @property
    def finalized(self) -> Hash:
        """The highest finalised block."""
        return self._tree.root.hash

    @property
    def finalized_number(self) -> int:
        """Height of the highest finalised block."""
        return self._tree.root.number

    @property
    def best_number(self) -> int:
        """Height of the best block."""
        return self.number(self.best)

    def __contains__(self, block: Hash) -> bool:
        return block in self._tree or self.store.block(block) is not None

    def header(self, block: Hash) -> Header:
        """Header of a known block; raises UNKNOWN_BLOCK."""
        node = self._tree.get(block)
        return node.header if node is not None else self._stored(block).header

    def number(self, block: Hash) -> int:
        """Height of a known block."""
        return int(self.header(block).number)

    def block(self, block: Hash) -> Block:
        """Header and body of a known block."""
        stored = self._stored(block)
        return Block(stored.header, stored.extrinsics)

    def weight(self, block: Hash) -> int:
        """Fork-choice weight of a known block, summed from genesis."""
        node = self._tree.get(block)
        return node.weight if node is not None else self._stored(block).weight

    def justifications(self, block: Hash) -> tuple[Justification, ...]:
        """Finality proofs kept for a block."""
        return self.store.justifications(block)

    def aux(self, key: bytes) -> bytes | None:
        """A value that consensus or the node keeps beside the blocks."""
        return self.store.aux(key)

    def state(self, block: Hash) -> Trie:
        """State after a block; raises UNKNOWN_BLOCK or STATE_DISCARDED."""
        state = self._states.get(block)
        if state is not None:
            return state
        header, nodes = self.header(block), self.store.nodes
        if nodes is None or nodes.get(header.state_root) is None:
            raise BlockchainError(ChainReason.STATE_DISCARDED, block=block.hex(), number=int(header.number))
        state = Trie.load(header.state_root, nodes)
        if block in self._tree:
            self._states[block] = state
        return state

    def runtime(self, block: Hash) -> RuntimeT:
        """A fresh runtime over the state after a block."""
        state = self.state(block)
        code = state.get(CODE_KEY)
        if code is None:
            raise BlockchainError(ChainReason.NO_CODE, block=block.hex())
        return self.loader(code)(Overlay(state))

    # -- relations ---------------------------------------------------------------------------------------------

    def number_to_hash(self, number: int, fork: Hash | None = None) -> Hash | None:
        """The block at a height on the chain that ends in `fork` (default: best); None above it."""
        if number <= self.finalized_number:
            return self.store.canonical(number)
        return self._tree.ancestor_at(self.best if fork is None else fork, number)

    def children(self, block: Hash) -> tuple[Hash, ...]:
        """Known children, in order of arrival."""
        node = self._tree.get(block)
        if node is not None:
            return tuple(node.children)
        child = self.store.canonical(self.number(block) + 1)
        return () if child is None else (child,)

    def leaves(self) -> tuple[Hash, ...]:
        """Blocks without children, best first."""
        return tuple(node.hash for node in self._tree.leaves())

    def ancestry(self, block: Hash) -> Iterator[Hash]:
        """The ancestors of a block, parent first, down to genesis."""
        while block != self.genesis:
            block = self.header(block).parent_hash
            yield block

    def is_ancestor(self, ancestor: Hash, block: Hash) -> bool:
        """Whether `block` is `ancestor` or descends from it."""
        number = self.number(ancestor)
        if number > self.number(block):
            return False
        return self.number_to_hash(number, block) == ancestor

    def best_containing(self, block: Hash) -> Hash:
        """The block that fork choice prefers among a known block and its descendants."""
        return self._find_best(block) if block in self._tree else self.best

    def common_ancestor(self, first: Hash, second: Hash) -> Hash:
        """Highest block that both descend from (or are)."""
        if first in self._tree and second in self._tree:
            return self._tree.common_ancestor(first, second)
        return min((first, second), key=self.number)

    def route(self, old: Hash, new: Hash) -> tuple[tuple[Hash, ...], tuple[Hash, ...]]:
        """The way between two blocks: retracted (newest first) and enacted (oldest first)."""
        common = self.common_ancestor(old, new)
        return self._down_to(common, old), self._down_to(common, new)[::-1]

    def _down_to(self, ancestor: Hash, block: Hash) -> tuple[Hash, ...]:
        blocks: list[Hash] = []
        while block != ancestor:
            blocks.append(block)
            block = self.header(block).parent_hash
        return tuple(blocks)

    # -- changing ----------------------------------------------------------------------------------------------

    def insert(self, block: Block, state: Trie, *, aux: Aux | None = None) -> Hash:
        """Commit a checked block with its post-state, then choose the best block.

        Raises:
            BlockchainError: UNKNOWN_PARENT; NOT_IN_FINALIZED_CHAIN if the parent is below the finalised block.
        """
        hash_, header = block.hash, block.header
        parent = self._tree.get(header.parent_hash)
        if parent is None:
            known = header.parent_hash in self
            reason = ChainReason.NOT_IN_FINALIZED_CHAIN if known else ChainReason.UNKNOWN_PARENT
            raise BlockchainError(reason, block=hash_.hex(), parent=header.parent_hash.hex())
        if hash_ in self._tree:
            return hash_
        stored = StoredBlock(hash_, header, block.extrinsics, parent.weight + self._weight(header))
        nodes = () if self.store.nodes is None else state.new_nodes(self.state(parent.hash))
        self.store.commit(Batch(blocks=(stored,), nodes=nodes, aux=aux or {}))
        node = Node(hash_, header, stored.weight)
        self._tree.add(node)
        self._states[hash_] = state
        self.best = self._find_best() if self.is_viable is not None else self._better(node)
        for callback in tuple(self._imported_callbacks):
            if hash_ in self:  # a callback may have finalised a rival
                callback(hash_)
        self._tell_best()
        return hash_

    def finalize(self, block: Hash, justification: Justification | None = None, *, aux: Aux | None = None) -> None:
        """Make a block and its ancestors final, drop the forks that this rules out.

        Raises:
            BlockchainError: UNKNOWN_BLOCK; NOT_IN_FINALIZED_CHAIN if the block does not descend from the finalised one.
        """
        if block not in self._tree:
            reason = ChainReason.NOT_IN_FINALIZED_CHAIN if block in self else ChainReason.UNKNOWN_BLOCK
            raise BlockchainError(reason, block=block.hex(), finalized=self.finalized.hex())
        proofs = () if justification is None else ((block, justification),)
        enacted = self._tree.path(self.finalized, block)
        if not enacted:
            self.store.commit(Batch(justifications=proofs, aux=aux or {}))
            return
        if not self.is_ancestor(block, self.best):
            self.best = self._find_best(block)
        if any(follower.told != self.best for follower in self._best_followers):
            self._tell_best()  # while the fork that they were told of can still be read
            self.finalize(block, justification, aux=aux)  # afresh: a follower may have imported or finalised
            return
        abandoned = self._tree.abandoned_by(block)
        canonical = tuple((self.header(each).number, each) for each in enacted)
        batch = Batch(justifications=proofs, aux=aux or {}, removed=tuple(abandoned), canonical=canonical)
        self.store.commit(batch)
        self._tree.reroot(block)
        self._prune_states(enacted, abandoned)
        self._tell_finalized()

    def put_aux(self, aux: Aux) -> None:
        """Write auxiliary values in a commit of their own."""
        self.store.commit(Batch(aux=aux))

    def add_justification(self, block: Hash, justification: Justification) -> None:
        """Keep a finality proof for a block that is already final."""
        self.store.commit(Batch(justifications=((block, justification),)))

    def reconsider(self) -> None:
        """Choose the best block again, after `is_viable` changed its mind."""
        self.best = self._find_best()
        self._tell_best()

    # -- subscriptions: each returns its own cancellation ---------------------------------------------------------

    def on_imported(self, callback: Callback) -> Callable[[], None]:
        """Call back for each new block, best or not."""
        return _subscribe(self._imported_callbacks, callback)

    def on_best(self, callback: Callback) -> Callable[[], None]:
        """Call back when the best block changes; `route` from the last one tells of reorganisations."""
        return _subscribe(self._best_followers, Follower(callback, self.best))

    def on_finalized(self, callback: Callback) -> Callable[[], None]:
        """Call back when the finalised block advances, possibly by many heights."""
        return _subscribe(self._finalized_followers, Follower(callback, self.finalized))

    # -- details -----------------------------------------------------------------------------------------------

    def _stored(self, block: Hash) -> StoredBlock:
        stored = self.store.block(block)
        if stored is None:
            raise BlockchainError(ChainReason.UNKNOWN_BLOCK, block=block.hex())
        return stored

    def _better(self, node: Node) -> Hash:
        best = self._tree.get(self.best)
        return node.hash if best is None or node.order > best.order else best.hash

    def _find_best(self, above: Hash | None = None) -> Hash:
        best, stack = None, [self.finalized if above is None else above]
        while stack:
            node = self._tree.get(stack.pop())
            assert node is not None, "children are in the tree"
            best = node if best is None or node.order > best.order else best
            stack.extend(child for child in node.children if self.is_viable is None or self.is_viable(child))
        assert best is not None, "the start is a candidate"
        return best.hash

    # A callback may itself import, finalise or reconsider. Each follower is therefore told of the block that is best
    # (or final) when its turn comes, unless it knows: nobody hears of blocks that are gone, or of newer ones first.

    def _tell_best(self) -> None:
        for follower in tuple(self._best_followers):
            if follower.told != self.best:
                follower.told = self.best
                follower.callback(self.best)

    def _tell_finalized(self) -> None:
        for follower in tuple(self._finalized_followers):
            if follower.told != self.finalized:
                follower.told = self.finalized
                follower.callback(self.finalized)

    def _prune_states(self, enacted: list[Hash], abandoned: list[Hash]) -> None:
        for block in abandoned:
            self._states.pop(block, None)
        self._finalized_states.extend(enacted)
        while len(self._finalized_states) > self._kept_states:
            self._states.pop(self._finalized_states.popleft(), None)


def _subscribe(subscribers: list[SubscriberT], subscriber: SubscriberT) -> Callable[[], None]:
    subscribers.append(subscriber)

    def cancel() -> None:
        if subscriber in subscribers:
            subscribers.remove(subscriber)

    return cancel
