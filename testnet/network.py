"""A network in one process: nodes on one loop, a memory transport between them, one record.

`open_run` is what the command line calls; `running` is what scripts, tests and notebooks use.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from relaychain.node.validator import RelayNode, Surroundings
from relaychain.runtime.loader import load_relay_runtime
from substrate.client.importing import ExecutionCache
from substrate.client.protocols import Clock, Recorder
from substrate.client.rpc.methods_system import NodeInfo
from substrate.client.rpc.server import PortInUse, RpcServer
from substrate.trie.trie import Trie
from testnet.clock import VirtualLoop, clock_of
from testnet.errors import UsageError
from testnet.faults import LinkSettings
from testnet.genesis import relay_genesis
from testnet.keys import session_keys
from testnet.launch import ChainStatus
from testnet.manifest import Manifest, Node
from testnet.observing import BlockObserver
from testnet.relay_facts import RelayFacts
from testnet.transports.memory import MemoryHub

VERSION = "0.1.0"
SYMBOL, DECIMALS, SS58 = "UNIT", 12, 42


class Network:
    """The nodes of one network file, running."""

    def __init__(self, manifest: Manifest, hub: MemoryHub, recorder: Recorder) -> None:
        self.manifest = manifest
        self.hub = hub
        self.recorder = recorder
        self.loop = asyncio.get_running_loop()
        self.clock: Clock = clock_of(self.loop)
        self.servers: dict[str, RpcServer] = {}
        self.relay_cache = ExecutionCache()
        self.relay_nodes = self._relay_nodes()
        self.relay = next(iter(self.relay_nodes.values()))
        """The relay node whose view the network reports: the file's first."""
        facts = RelayFacts(tuple(node.name for node in manifest.relaychain.validators))
        observer = BlockObserver("relay", None, load_relay_runtime, self.clock, recorder, facts.about)
        self.relay_cache.on_executed(observer.on_executed)

    def _relay_nodes(self) -> dict[str, RelayNode]:
        genesis = relay_genesis(self.manifest)
        return {node.name: self._relay_node(node, genesis) for node in self.manifest.relaychain.all_nodes}

    def _relay_node(self, node: Node, genesis: Trie) -> RelayNode:
        info = NodeInfo(
            chain=self.manifest.relaychain.chain,
            implementation="relayloom",
            version=VERSION,
            properties={"ss58Format": SS58, "tokenDecimals": DECIMALS, "tokenSymbol": SYMBOL},
            roles=("Authority",) if node.validator else ("Full",),
        )
        surroundings = Surroundings(self.hub.join(node.name), self.clock, self.recorder, self.relay_cache)
        keys = session_keys(node) if node.validator else None
        return RelayNode(genesis, load_relay_runtime, info, surroundings, keys)

    async def run(self, ready: asyncio.Event) -> None:
        """Run every node until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for node in self.relay_nodes.values():
                node.start(tasks)
            ready.set()

    async def open_ports(self) -> None:
        """Serve JSON-RPC for every node of the file. Raises UsageError if a port is taken."""
        for node in self.manifest.relaychain.all_nodes:
            await self._serve(node, self.relay_nodes[node.name])

    async def _serve(self, node: Node, running: RelayNode) -> None:
        server = RpcServer(running.rpc, host=self.manifest.settings.local_ip, port=node.rpc_port)
        try:
            await server.start()
        except PortInUse as failure:
            raise UsageError(
                f"{failure}; stop it, or give node {node.name!r} another rpc_port (0 picks a free one)"
            ) from failure
        self.servers[node.name] = server

    async def close_ports(self) -> None:
        """Stop serving."""
        for server in self.servers.values():
            await server.stop()

    def status(self) -> tuple[ChainStatus, ...]:
        """Where every chain is now."""
        chain = self.relay.chain
        server = self.servers.get(self.relay.name)
        return (ChainStatus("relay", chain.best_number, chain.finalized_number, server.url if server else None),)


@asynccontextmanager
async def running(manifest: Manifest, recorder: Recorder) -> AsyncGenerator[Network]:
    """A running network; on the virtual clock it has no ports.

    Raises:
        UsageError: A port is taken, a plugin does not load.
    """
    delay = manifest.relaychain.default_delay_network_settings
    link = LinkSettings(latency_us=delay.latency.amount, jitter_us=delay.jitter.amount)
    async with MemoryHub(seed=manifest.settings.seed, default=link) as hub:
        network = Network(manifest, hub, recorder)
        ready = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            nodes = tasks.create_task(network.run(ready), name="nodes")
            try:
                await ready.wait()
                if not isinstance(network.loop, VirtualLoop):
                    await network.open_ports()
                yield network
            finally:
                hub.close()
                await network.close_ports()
                nodes.cancel()
