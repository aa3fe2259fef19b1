"""A network in one process: nodes on one loop, a memory transport between them, one record.

`open_run` is what the command line calls; `running` is what scripts, tests and notebooks use.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from parachains.collator.collator import CollatorSetup
from parachains.collator.node import ParaNode, ParaSurroundings, PlainParaNode, RuntimeParaNode
from relaychain.node.parachains import SharedWork
from relaychain.node.relay_interface import InProcessRelay
from relaychain.node.validator import RelayNode, Surroundings
from relaychain.pvf.host import InlineHost
from relaychain.runtime.loader import load_relay_runtime
from substrate.client.importing import ExecutionCache
from substrate.client.protocols import Clock, Recorder
from substrate.client.rpc.dispatch import RpcDispatcher
from substrate.client.rpc.methods_system import NodeInfo
from substrate.client.rpc.server import PortInUse, RpcServer
from substrate.trie.trie import Trie
from testnet.bundler import NodeBundler
from testnet.clock import VirtualLoop, clock_of
from testnet.errors import UsageError
from testnet.faults import LinkSettings
from testnet.genesis import relay_genesis
from testnet.keys import collator_key, session_keys
from testnet.launch import ChainStatus
from testnet.manifest import Manifest, Node
from testnet.manifest_reader import located
from testnet.observing import BlockObserver
from testnet.paras import RELAY_DECIMALS, RELAY_SYMBOL, Para, load_paras
from testnet.relay_facts import ParaFacts, RelayFacts
from testnet.transports.memory import MemoryHub

VERSION = "0.1.0"
SS58 = 42


class Network:
    """The nodes of one network file, running."""

    def __init__(self, manifest: Manifest, hub: MemoryHub, recorder: Recorder) -> None:
        self.manifest = manifest
        self.hub = hub
        self.recorder = recorder
        self.loop = asyncio.get_running_loop()
        self.clock: Clock = clock_of(self.loop)
        self.servers: dict[str, RpcServer] = {}
        """RPC servers by node."""
        host = InlineHost()
        self.bundler = NodeBundler(host)
        self.paras = load_paras(manifest, self.bundler)
        self.shared = SharedWork(host)
        self.observers = {"relay": self._relay_observer()}
        """Who writes down each chain's blocks, by the chain's name."""
        self.relay_nodes = self._relay_nodes()
        self.relay = next(iter(self.relay_nodes.values()))
        """The relay node whose view the network reports: the file's first."""
        self.para_nodes = {para.id: self._para_nodes(para) for para in self.paras}
        """Nodes of each parachain, collators all."""

    # --- making nodes ---

    def _relay_observer(self) -> BlockObserver:
        facts = RelayFacts(tuple(node.name for node in self.manifest.relaychain.validators))
        return BlockObserver("relay", None, self.clock, self.recorder, facts.about)

    def _relay_nodes(self) -> dict[str, RelayNode]:
        genesis = relay_genesis(self.manifest, self.paras)
        cache = ExecutionCache()
        cache.on_executed(self.observers["relay"].on_executed)
        return {node.name: self._relay_node(node, genesis, cache) for node in self.manifest.relaychain.all_nodes}

    def _relay_node(self, node: Node, genesis: Trie, cache: ExecutionCache) -> RelayNode:
        relay = self.manifest.relaychain
        info = node_info(relay.chain, RELAY_SYMBOL, RELAY_DECIMALS, node, relay.all_nodes)
        kept = self.manifest.settings.keep_states
        surroundings = Surroundings(self.hub.join(node.name), self.clock, self.recorder, cache, self.shared, kept)
        keys = session_keys(node) if node.validator else None
        return RelayNode(genesis, load_relay_runtime, info, surroundings, keys)

    def _para_nodes(self, para: Para) -> tuple[ParaNode, ...]:
        cache = ExecutionCache()
        if para.level_one is not None:
            facts = ParaFacts(tuple(node.name for node in para.settings.all_collators))
            observer = BlockObserver(para.name, para.id, self.clock, self.recorder, facts.about)
            self.observers[para.name] = observer
            cache.on_executed(observer.on_executed)
        return tuple(self._para_node(para, node, cache) for node in para.settings.all_collators)

    def _para_node(self, para: Para, node: Node, cache: ExecutionCache) -> ParaNode:
        validators = self.manifest.relaychain.validators
        names = {session_keys(each).para_validator.public: each.name for each in validators}
        surroundings = ParaSurroundings(
            chain=para.name,
            para=para.id,
            members=tuple(each.name for each in para.settings.all_collators),
            relay=InProcessRelay(self.relay.chain),
            directory=names.get,
            network=self.hub.join(node.name),
            clock=self.clock,
            recorder=self.recorder,
            authoring_us=self.manifest.block_time_us // 3,
            kept_states=self.manifest.settings.keep_states,
        )
        setup = CollatorSetup(collator_key(node), lambda count, data: self.shared.coder.coded(count, data).root)
        kind = para.level_one
        if kind is None:
            return PlainParaNode(surroundings, para.plugin.chain, para.genesis, setup)
        name = f"{self.manifest.relaychain.chain}-{para.name}"
        info = node_info(name, kind.symbol, kind.decimals, node, para.settings.all_collators)
        return RuntimeParaNode(surroundings, para.genesis.state, self.bundler.load, info, cache, setup)

    # --- running ---

    async def run(self, ready: asyncio.Event) -> None:
        """Run every node until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for node in self.relay_nodes.values():
                node.start(tasks)
            for nodes in self.para_nodes.values():
                for para_node in nodes:
                    para_node.start(tasks)
            ready.set()

    async def open_ports(self) -> None:
        """Serve JSON-RPC for every node of the file. Raises UsageError if a port is taken."""
        for node in self.manifest.relaychain.all_nodes:
            await self._serve(node, self.relay_nodes[node.name].rpc)
        for para in self.paras:
            for node, running_node in zip(para.settings.all_collators, self.para_nodes[para.id], strict=True):
                if isinstance(running_node, RuntimeParaNode):
                    await self._serve(node, running_node.rpc)

    async def _serve(self, node: Node, dispatcher: RpcDispatcher) -> None:
        server = RpcServer(dispatcher, host=self.manifest.settings.local_ip, port=node.rpc_port)
        try:
            await server.start()
        except PortInUse as failure:
            raise UsageError(
                f"{failure}; stop it, or give node {node.name!r} another rpc_port (0 picks a free one)"
            ) from failure
        except OSError as failure:
            raise UsageError(
                f"node {node.name!r} cannot listen on port {node.rpc_port} of {server.host!r}: {failure.strerror}; "
                "set rpc_port above 1023 and local_ip to an address of this machine"
            ) from failure
        self.servers[node.name] = server

    async def close_ports(self) -> None:
        """Stop serving."""
        for server in self.servers.values():
            await server.stop()

    # --- what it does ---

    def rpc(self, chain: str) -> RpcDispatcher:
        """The RPC of a chain's first node, in process.

        Args:
            chain: `"relay"` or a parachain's name.

        Raises:
            UsageError: There is no such chain, or it has no RPC.
        """
        if chain == "relay":
            return self.relay.rpc
        for para in self.paras:
            node = self.para_nodes[para.id][0]
            if para.name == chain and isinstance(node, RuntimeParaNode):
                return node.rpc
        raise UsageError(f"no chain {chain!r} with RPC here; there are relay, {', '.join(p.name for p in self.paras)}")

    def status(self) -> tuple[ChainStatus, ...]:
        """Where every chain is now."""
        chain = self.relay.chain
        lines = [ChainStatus("relay", chain.best_number, chain.finalized_number, self._url(self.relay.name))]
        for para in self.paras:
            node = self.para_nodes[para.id][0]
            best, final = heights(node)
            lines.append(ChainStatus(para.name, best, final, self._url(node.name), int(para.id)))
        return tuple(lines)

    def _url(self, node: str) -> str | None:
        server = self.servers.get(node)
        return server.url if server else None


def heights(node: ParaNode) -> tuple[int, int]:
    """Best and final height of a parachain at one of its nodes."""
    if isinstance(node, RuntimeParaNode):
        return node.chain.best_number, node.chain.finalized_number
    assert isinstance(node, PlainParaNode), "para nodes are of one kind or the other"
    return node.ledger.number(node.ledger.best), node.ledger.number(node.ledger.finalized)


def node_info(chain: str, symbol: str, decimals: int, node: Node, nodes: tuple[Node, ...]) -> NodeInfo:
    """What a node says of itself, as one of the nodes of its chain."""
    return NodeInfo(
        chain=chain,
        implementation="relayloom",
        version=VERSION,
        properties={"ss58Format": SS58, "tokenDecimals": decimals, "tokenSymbol": symbol},
        roles=("Authority",) if node.validator else ("Full",),
        authorities=tuple(each.name for each in nodes if each.validator),
        is_alone=len(nodes) == 1,
    )


@asynccontextmanager
async def running(manifest: Manifest, recorder: Recorder) -> AsyncGenerator[Network]:
    """A running network; on the virtual clock it has no ports.

    Raises:
        UsageError: A port is taken, a plugin does not load.
    """
    delay = manifest.relaychain.default_delay_network_settings
    link = LinkSettings(
        latency_us=delay.latency.amount,
        jitter_us=delay.jitter.amount,
        loss=delay.loss,
        rate_bytes_per_s=delay.rate,
    )
    async with MemoryHub(seed=manifest.settings.seed, default=link) as hub:
        with located(manifest):
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
