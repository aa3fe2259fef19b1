"""A para node, assembled: the para's chain, its pool and RPC, gossip with its peers, and a collator if it has a key.

The relay chain is seen through `RelayChainInterface` alone. Source: polkadot-sdk, `cumulus/client/service/src/lib.rs`.
"""

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from parachains.collator.advertising import Advertiser, Directory
from parachains.collator.collator import Collator, CollatorSetup
from parachains.collator.context import included_head
from parachains.collator.ledger import AUTHORING_US, Ledger
from parachains.collator.plain_ledger import PlainLedger
from parachains.collator.runtime_ledger import LoadPlugin, RuntimeLedger
from parachains.collator.scoped_network import ScopedNetwork
from parachains.sdk.contract import GenesisBlock, ParachainPlugin
from relaychain.primitives.relay_interface import FinalizedHead, RelayChainInterface
from relaychain.primitives.types import ParaId
from substrate.block import Header
from substrate.client.block_sync import BlockSync
from substrate.client.chain import KEPT_STATES
from substrate.client.importing import ExecutionCache
from substrate.client.protocols import Clock, Network, Recorder
from substrate.client.rpc.dispatch import RpcDispatcher
from substrate.client.rpc.methods_system import NodeInfo
from substrate.client.rpc.node import node_rpc
from substrate.errors import ChainError
from substrate.trie.trie import Trie


@dataclass(frozen=True)
class ParaSurroundings:
    """What a para node is given by whoever runs it."""

    chain: str
    """The para's name in the record."""
    para: ParaId
    members: tuple[str, ...]
    """Names of all nodes of the para."""
    relay: RelayChainInterface
    directory: Directory
    network: Network
    clock: Clock
    recorder: Recorder
    authoring_us: int = AUTHORING_US
    """How long extrinsics are taken into one block, in microseconds."""
    kept_states: int = KEPT_STATES
    """Finalised blocks whose states can be read."""


class ParaNode:
    """One node of a para: follows the relay chain, and collates if it has a setup for it."""

    def __init__(self, surroundings: ParaSurroundings, ledger: Ledger, collator: CollatorSetup | None = None) -> None:
        self.name = surroundings.network.name
        self.para = surroundings.para
        self.ledger = ledger
        self._relay = surroundings.relay
        self._clock = surroundings.clock
        self._recorder = surroundings.recorder
        self.collator: Collator | None = None
        self._advertiser: Advertiser | None = None
        if collator is not None:
            self._advertiser = Advertiser(surroundings.network, collator.key, self.para, surroundings.directory)
            self.collator = Collator(
                self.name,
                self.para,
                collator,
                self._relay,
                ledger,
                self._advertiser,
                clock=self._clock,
                recorder=self._recorder,
            )

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Follow the relay chain from now on."""
        if self._advertiser is not None:
            self._advertiser.start()
        tasks.create_task(self._follow_best(self._relay.best()), name=f"{self.name} relay best")
        tasks.create_task(self._follow_final(self._relay.finalized()), name=f"{self.name} relay final")

    async def _follow_best(self, heads: AsyncIterator[Header]) -> None:
        async for head in heads:
            with self._survived():
                included = await included_head(self._relay, head.hash, self.para)
                if included is not None:
                    self.ledger.set_best(included)
            if self.collator is not None:
                await self.collator.on_relay_head(head)

    async def _follow_final(self, heads: AsyncIterator[FinalizedHead]) -> None:
        async for head in heads:
            with self._survived():
                included = await included_head(self._relay, head.header.hash, self.para)
                if included is not None:
                    self.ledger.set_final(included)

    @contextmanager
    def _survived(self) -> Generator[None]:
        """A relay block that cannot be read, or a plugin that fails on it, is written down; the next one may do."""
        try:
            yield
        except ChainError as failure:
            kind, now = type(failure).__name__, self._clock.now_us()
            self._recorder.row("faults", node=self.name, kind=kind, detail=str(failure), at=now)


class PlainParaNode(ParaNode):
    """A node of a Level 0 chain."""

    ledger: PlainLedger

    def __init__(
        self,
        surroundings: ParaSurroundings,
        plugin: ParachainPlugin[Any],
        genesis: GenesisBlock[Any],
        collator: CollatorSetup | None = None,
    ) -> None:
        ledger = PlainLedger(
            plugin,
            genesis,
            chain=surroundings.chain,
            para=surroundings.para,
            clock=surroundings.clock,
            recorder=surroundings.recorder,
            authoring_us=surroundings.authoring_us,
        )
        super().__init__(surroundings, ledger, collator)


class RuntimeParaNode(ParaNode):
    """A node of a Level 1 chain."""

    ledger: RuntimeLedger

    def __init__(
        self,
        surroundings: ParaSurroundings,
        genesis: Trie,
        load: LoadPlugin,
        info: NodeInfo,
        cache: ExecutionCache,
        collator: CollatorSetup | None = None,
    ) -> None:
        clock, recorder = surroundings.clock, surroundings.recorder
        ledger = RuntimeLedger(
            genesis,
            load,
            cache,
            name=surroundings.chain,
            clock=clock,
            recorder=recorder,
            kept_states=surroundings.kept_states,
            authoring_us=surroundings.authoring_us,
        )
        super().__init__(surroundings, ledger, collator)
        self.chain = ledger.chain
        self.pool = ledger.pool
        network = ScopedNetwork(surroundings.network, surroundings.para, surroundings.members)
        self.sync = BlockSync(ledger.importer, ledger.pool, network, clock, recorder)
        ledger.announce = self.sync.announce
        ledger.fetch = self.sync.fetch
        self.rpc: RpcDispatcher = node_rpc(info, ledger.chain, ledger.pool, network=network, heads=self.sync.heads)

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """See `ParaNode`; gossip with the para's other nodes."""
        self.sync.start(tasks)
        super().start(tasks)
