"""The import pipeline: verify, execute, compare roots, apply changes of epoch and set, commit, choose the fork.

Source: polkadot-sdk, `substrate/client/consensus/common/src/block_import.rs`,
`substrate/client/service/src/client/client.rs`.
"""

from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from substrate.block import Block, Header, Justification, extrinsics_root
from substrate.client.chain import Chain
from substrate.client.protocols import Aux, Consensus, Verified
from substrate.errors import ChainError, RuleError
from substrate.trie.trie import Trie
from substrate.types import Hash

CACHED_EXECUTIONS = 512

T = TypeVar("T")


class ImportReason(StrEnum):
    """Why a block is refused."""

    UNKNOWN_PARENT = "UnknownParent"
    NOT_IN_FINALIZED_CHAIN = "NotInFinalizedChain"
    KNOWN_BAD = "KnownBad"
    BAD_NUMBER = "BadNumber"
    BAD_EXTRINSICS_ROOT = "BadExtrinsicsRoot"
    BAD_STATE_ROOT = "BadStateRoot"
    VERIFICATION_FAILED = "VerificationFailed"
    EXECUTION_FAILED = "ExecutionFailed"
    BAD_JUSTIFICATION = "BadJustification"


class BlockImportError(RuleError):
    """A block broke a rule of import."""


class Execution(msgspec.Struct, frozen=True):
    """What executing a block gave."""

    state: Trie
    runtime: Any
    """The runtime class that executed it: the one of the parent's state, whatever code the block brings."""
    events: tuple[Any, ...] = ()
    """Event records, as the runtime types them."""
    facts: tuple[Any, ...] = ()
    """What the observer saw, in order."""


_FINAL_VERDICTS = (ImportReason.BAD_NUMBER, ImportReason.EXECUTION_FAILED, ImportReason.BAD_STATE_ROOT)
"""Failures that the block hash alone decides: a body or a clock may differ next time."""

Execute = Callable[[Trie, Block], Execution]
"""Runs a block (its header unsealed) over the parent's state; raises a ChainError if the block is bad."""


class ExecutionCache:
    """Executions by block hash, shared by the nodes of one process, so that each block is executed once.

    Nodes with a fault or an altered behaviour get a cache of their own. Listeners hear of every block once.
    """

    def __init__(self, limit: int = CACHED_EXECUTIONS) -> None:
        self._limit = limit
        self._executions: OrderedDict[Hash, Execution] = OrderedDict()
        self._listeners: list[Callable[[Block, Execution], None]] = []

    def on_executed(self, listener: Callable[[Block, Execution], None]) -> None:
        """Hear of each newly executed block (sealed) and its facts."""
        self._listeners.append(listener)

    def get(self, block: Hash) -> Execution | None:
        """The execution of a block, if still remembered."""
        return self._executions.get(block)

    def put(self, block: Block, execution: Execution) -> None:
        """Remember an execution; a block author puts its own."""
        hash_ = block.hash
        if hash_ in self._executions:
            return
        self._executions[hash_] = execution
        if len(self._executions) > self._limit:
            self._executions.popitem(last=False)
        for listener in self._listeners:
            listener(block, execution)


class BlockImport:
    """Imports blocks into one chain.

    Every failure is a BlockImportError; the chain is unchanged by it.
    """

    def __init__(self, chain: Chain[Any], consensus: Consensus, execute: Execute, cache: ExecutionCache) -> None:
        self.chain = chain
        self.consensus = consensus
        self.cache = cache
        self._execute = execute
        self._bad: OrderedDict[Hash, str] = OrderedDict()

    def import_block(self, block: Block, justifications: tuple[Justification, ...] = ()) -> Hash:
        """Import a block, then any finality proofs that came with it. Importing twice changes nothing.

        Raises:
            BlockImportError: any ImportReason; UNKNOWN_PARENT may be tried again once the parent is there.
        """
        hash_ = block.hash
        if hash_ not in self.chain:
            self._import_new(hash_, block)
        for justification in justifications:
            self.import_justification(hash_, justification)
        return hash_

    def import_justification(self, block: Hash, justification: Justification) -> None:
        """Check a finality proof and finalise its block. Raises BAD_JUSTIFICATION."""
        if self.chain.is_ancestor(block, self.chain.finalized):
            return
        try:
            self.consensus.check_justification(self.chain.header(block), justification)
        except ChainError as error:
            raise BlockImportError(ImportReason.BAD_JUSTIFICATION, block=block.hex(), error=str(error)) from error
        self.chain.finalize(block, justification)

    def _import_new(self, hash_: Hash, block: Block) -> None:
        if hash_ in self._bad:
            raise BlockImportError(ImportReason.KNOWN_BAD, block=hash_.hex(), error=self._bad[hash_])
        if block.header.parent_hash not in self.chain:
            raise BlockImportError(
                ImportReason.UNKNOWN_PARENT, block=hash_.hex(), parent=block.header.parent_hash.hex()
            )
        if not self.chain.is_ancestor(self.chain.finalized, block.header.parent_hash):
            raise BlockImportError(
                ImportReason.NOT_IN_FINALIZED_CHAIN, block=hash_.hex(), finalized=self.chain.finalized.hex()
            )
        try:
            verified = self._verify(hash_, block)
            execution = self._run(hash_, block, verified)
            aux: Aux = {**verified.aux, **self._changes(hash_, block.header, verified, execution)}
        except BlockImportError as error:
            self._remember_bad(hash_, error)
            raise
        self.chain.insert(block, execution.state, aux=aux)

    def _verify(self, hash_: Hash, block: Block) -> Verified:
        header, parent = block.header, self.chain.header(block.header.parent_hash)
        if header.number != parent.number + 1:
            raise BlockImportError(ImportReason.BAD_NUMBER, number=int(header.number), parent=int(parent.number))
        if header.extrinsics_root != extrinsics_root(block.extrinsics):
            raise BlockImportError(ImportReason.BAD_EXTRINSICS_ROOT, block=hash_.hex())
        return _checked(ImportReason.VERIFICATION_FAILED, hash_, lambda: self.consensus.verify(header, parent))

    def _run(self, hash_: Hash, block: Block, verified: Verified) -> Execution:
        known = self.cache.get(hash_)
        if known is not None:
            return known
        parent = self.chain.state(block.header.parent_hash)
        unsealed = Block(verified.header, block.extrinsics)
        execution = _checked(ImportReason.EXECUTION_FAILED, hash_, lambda: self._execute(parent, unsealed))
        root = execution.state.root
        if root != block.header.state_root:
            raise BlockImportError(
                ImportReason.BAD_STATE_ROOT, block=hash_.hex(), header=block.header.state_root.hex(), state=root.hex()
            )
        self.cache.put(block, execution)
        return execution

    def _changes(self, hash_: Hash, header: Header, verified: Verified, execution: Execution) -> Aux:
        return _checked(
            ImportReason.VERIFICATION_FAILED,
            hash_,
            lambda: self.consensus.on_imported(hash_, header, verified, execution.state),
        )

    def _remember_bad(self, hash_: Hash, error: BlockImportError) -> None:
        if error.reason not in _FINAL_VERDICTS:
            return
        self._bad[hash_] = str(error)
        if len(self._bad) > CACHED_EXECUTIONS:
            self._bad.popitem(last=False)


def _checked(reason: ImportReason, block: Hash, step: Callable[[], T]) -> T:
    try:
        return step()
    except BlockImportError:
        raise
    except ChainError as error:
        raise BlockImportError(_reason_of(error, reason), block=block.hex(), error=str(error)) from error


def _reason_of(error: ChainError, step: ImportReason) -> ImportReason:
    """The executive's own reason where import has the same, else the step that failed."""
    known = str(error.reason) if isinstance(error, RuleError) else ""
    return ImportReason(known) if known in {each.value for each in ImportReason} else step
