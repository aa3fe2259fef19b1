"""A node over MiniRuntime whose blocks are made by the test: real chain, import, pool and RPC."""

from collections.abc import Iterable

from substrate.block import (
    Block,
    Header,
    Justification,
    PreRuntime,
    Seal,
    header_with_digest,
    pre_runtime,
    without_seal,
)
from substrate.client.chain import Chain
from substrate.client.execution import executor
from substrate.client.importing import BlockImport, Execution, ExecutionCache
from substrate.client.pool import PoolLimits, TransactionPool
from substrate.client.protocols import Aux, Store, Verified
from substrate.client.rpc.methods_system import NodeInfo
from substrate.client.rpc.node import node_rpc
from substrate.client.validation import pool_validator
from substrate.crypto.keys import Pair
from substrate.errors import ChainError
from substrate.runtime.era import IMMORTAL, Era
from substrate.runtime.executive import BlockBuilder
from substrate.runtime.extrinsic import Signing, sign_extrinsic
from substrate.runtime.outer_enums import RuntimeCall
from substrate.trie.trie import Trie
from substrate.types import Hash
from tests.substrate.runtime.mini import MiniRuntime, genesis_state

ENGINE = b"TEST"
INFO = NodeInfo("Mini Local", "mini-node", "0.1.0", {"ss58Format": 42, "tokenDecimals": 12, "tokenSymbol": "UNIT"})


def weight_of(header: Header) -> int:
    return (pre_runtime(header, ENGINE) or b"\0")[0]


def load_mini(_: bytes) -> type[MiniRuntime]:
    return MiniRuntime


class SealConsensus:
    """Wants the last digest to be a seal that says `good`; keeps each block's height as aux."""

    def verify(self, header: Header, parent: Header) -> Verified:
        executed, seal = without_seal(header)
        if seal is None or seal.data != b"good":
            raise ChainError("bad seal")
        return Verified(executed)

    def on_imported(self, block: Hash, header: Header, verified: Verified, state: Trie) -> Aux:
        return {b"height" + block: bytes([header.number])}

    def check_justification(self, header: Header, justification: Justification) -> None:
        if justification.data != header.hash:
            raise ChainError("bad proof")


class MiniNode:
    """One node; several share a cache to execute each block once."""

    def __init__(
        self, store: Store | None = None, cache: ExecutionCache | None = None, limits: PoolLimits | None = None
    ) -> None:
        self.executed = 0
        self.chain: Chain[MiniRuntime] = Chain(genesis_state(), load_mini, store=store, weight=weight_of)
        self.importer = BlockImport(self.chain, SealConsensus(), self._execute, cache or ExecutionCache())
        self.pool = TransactionPool(self.chain, pool_validator(self.chain), limits)
        self.rpc = node_rpc(INFO, self.chain, self.pool)

    def _execute(self, parent: Trie, block: Block) -> Execution:
        self.executed += 1
        return executor(load_mini)(parent, block)

    def make(self, *extrinsics: bytes, parent: Hash | None = None, weight: int = 0, salt: int = 0) -> Block:
        """Build and seal a block without importing it."""
        at = self.chain.best if parent is None else parent
        digest = (PreRuntime(ENGINE, bytes([weight, salt])),)
        builder = BlockBuilder(MiniRuntime, self.chain.state(at), self.chain.header(at), digest)
        builder.inherents({b"timstap0": ((self.chain.number(at) + 1) * 6000).to_bytes(8, "little")})
        for raw in extrinsics:
            builder.push(raw)
        return seal(builder.build().block)

    def grow(self, *extrinsics: bytes, parent: Hash | None = None, weight: int = 0, salt: int = 0) -> Hash:
        """Build and import a block."""
        return self.importer.import_block(self.make(*extrinsics, parent=parent, weight=weight, salt=salt))

    def author(self) -> Hash:
        """A block of everything that is ready."""
        return self.grow(*(pooled.raw for pooled in tuple(self.pool.ready())))

    def sign(self, pair: Pair, call: RuntimeCall, nonce: int, tip: int = 0, era: Era = IMMORTAL) -> bytes:
        signing = Signing(3, 2, self.chain.genesis, self.chain.genesis)
        return sign_extrinsic(MiniRuntime.encode_call(call), pair, nonce=nonce, signing=signing, tip=tip, era=era)


def seal(block: Block, data: bytes = b"good") -> Block:
    logs = (*block.header.digest.logs, Seal(ENGINE, data))
    return Block(header_with_digest(block.header, logs), block.extrinsics)


def names(blocks: Iterable[Hash]) -> list[str]:
    return [block.hex()[:6] for block in blocks]
