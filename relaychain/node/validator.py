"""A relay chain node, assembled: chain, pool, import, sync, authoring, finality, RPC.

Source: polkadot-sdk, `polkadot/node/service/src/lib.rs`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from relaychain.node.authoring import Authoring
from relaychain.node.engine import RelayConsensus, fork_choice_weight
from relaychain.node.finality import Grandpa
from relaychain.node.parachains import ParachainSubsystems, SharedWork
from relaychain.node.reports import Reports
from substrate.client.block_sync import BlockSync
from substrate.client.chain import KEPT_STATES, Chain
from substrate.client.execution import RuntimeLoader, executor
from substrate.client.importing import BlockImport, ExecutionCache
from substrate.client.pool import TransactionPool
from substrate.client.protocols import Clock, Network, Recorder
from substrate.client.rpc.dispatch import RpcDispatcher
from substrate.client.rpc.methods_system import NodeInfo
from substrate.client.rpc.node import node_rpc
from substrate.client.validation import pool_validator
from substrate.consensus.babe.types import AuthorityId, BabeConfiguration, EquivocationProof
from substrate.consensus.grandpa.types import AuthorityList
from substrate.crypto.keys import Ed25519Pair
from substrate.runtime.assembly import Runtime
from substrate.scale.codec import codec_of
from substrate.trie.trie import Trie
from substrate.types import Hash, Slot

_AUTHORITIES = codec_of(AuthorityList)


@dataclass(frozen=True)
class SessionKeyPairs:
    """A validator's consensus keys."""

    babe: Ed25519Pair
    grandpa: Ed25519Pair
    para_validator: Ed25519Pair


@dataclass(frozen=True)
class Surroundings:
    """What a node is given by whoever runs it."""

    network: Network
    clock: Clock
    recorder: Recorder
    cache: ExecutionCache
    shared: SharedWork
    kept_states: int = KEPT_STATES
    """Finalised blocks whose states can be read."""


class RelayNode:
    """One relay node; it authors and votes if it has keys."""

    def __init__(
        self,
        genesis: Trie,
        loader: RuntimeLoader,
        info: NodeInfo,
        surroundings: Surroundings,
        keys: SessionKeyPairs | None = None,
    ) -> None:
        self.name = surroundings.network.name
        self.keys = keys
        self.surroundings = surroundings
        self.chain: Chain[Runtime] = Chain(
            genesis, loader, weight=fork_choice_weight, kept_states=surroundings.kept_states
        )
        clock, network, recorder = surroundings.clock, surroundings.network, surroundings.recorder
        self.reports = Reports(self.name, recorder, clock)
        config = BabeConfiguration.decode(self._genesis_api("BabeApi_configuration"))
        voters = _AUTHORITIES.decode(self._genesis_api("GrandpaApi_grandpa_authorities"))
        self.consensus = RelayConsensus(self.chain, config, voters, clock, self._on_equivocation)
        self.importer = BlockImport(self.chain, self.consensus, executor(loader), surroundings.cache)
        self.pool = TransactionPool(self.chain, pool_validator(self.chain))
        self.sync = BlockSync(self.importer, self.pool, network, clock, recorder)
        self.finality = self._finality()
        self.parachains = ParachainSubsystems(
            self.chain,
            key=keys.para_validator if keys else None,
            network=network,
            clock=clock,
            reports=self.reports,
            shared=surroundings.shared,
            slot_us=config.slot_duration * 1000,
        )
        self.authoring = self._authoring(loader)
        self.rpc: RpcDispatcher = node_rpc(info, self.chain, self.pool, network=network, heads=self.sync.heads)

    def _finality(self) -> Grandpa:
        around = self.surroundings
        return Grandpa(
            self.consensus,
            key=self.keys.grandpa if self.keys else None,
            gossip_us=self.consensus.config.slot_duration * 1000 // 6,
            network=around.network,
            clock=around.clock,
            recorder=around.recorder,
            reports=self.reports,
            fetch=self.sync.fetch,
        )

    def _authoring(self, loader: RuntimeLoader) -> Authoring:
        return Authoring(
            self.consensus,
            self.importer,
            self.pool,
            self.sync,
            loader,
            keys={AuthorityId(self.keys.babe.public): self.keys.babe} if self.keys else {},
            clock=self.surroundings.clock,
            reports=self.reports,
            inherents=self._inherents,
        )

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Take part: listen, vote, author."""
        self.sync.start(tasks)
        self.finality.start(tasks)
        self.parachains.start(tasks)
        if self.keys is not None:
            tasks.create_task(self.authoring.run(), name=f"{self.name} authoring")

    def _on_equivocation(self, proof: EquivocationProof) -> None:
        blocks = " and ".join(f"0x{header.hash.hex()}" for header in (proof.first_header, proof.second_header))
        self.reports.fault("Equivocation", f"0x{proof.offender.hex()} made {blocks} in slot {proof.slot}")

    def _genesis_api(self, name: str) -> bytes:
        return self.chain.runtime(self.chain.genesis).api(name, b"")

    def _inherents(self, parent: Hash, slot: Slot) -> Mapping[bytes, bytes]:
        return self.parachains.inherent_data(parent)
