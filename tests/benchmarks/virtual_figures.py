"""The virtual clock: how many relay rounds a second of the machine does."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from bench import Figure

from parachains.collator.node import RuntimeParaNode
from substrate.client.rpc.client import LocalClient
from testnet.audit import Audit
from testnet.clock import run_virtual
from testnet.manifest import HrmpChannels, Manifest, Node, Parachain, Relaychain, Settings
from testnet.network import Network, running
from testnet.places import Place
from testnet.record import Record
from testnet.users import ChainClient, dev_users, transfer_call
from xcm.junction import Parachain as ParachainJunction

ROUNDS, WARM_UP, PER_BLOCK = 120, 10, 5
PARAS = (1000, 2000, 2001)
ROUTES: dict[int, tuple[int | None, Place]] = {
    1000: (None, ()),
    2000: (2001, (ParachainJunction(2000),)),
    2001: (2000, (ParachainJunction(2001),)),
}
"""Where each para's users send what: a teleport of the relay chain's token, reserve transfers of native ones."""
RUNTIMES = {1000: "assets"}
EXAMPLES = Path(__file__).parents[2] / "testnet" / "examples"


def network_file(clock: Literal["real", "virtual"] = "virtual") -> Manifest:
    return Manifest(
        settings=Settings(seed=7, name="bench", clock=clock),
        directory=EXAMPLES,
        relaychain=Relaychain(nodes=tuple(Node(name=name) for name in ("alice", "bob", "charlie", "dave"))),
        parachains=tuple(
            Parachain(id=para, runtime="assets" if para == 1000 else "./bazaar.py:Bazaar") for para in PARAS
        ),
        hrmp_channels=(HrmpChannels(all=True, max_capacity=1_000, max_message_size=102_400),),
    )


async def play(record: Record) -> float:
    """Seconds of the machine for `ROUNDS`."""
    async with running(network_file(), record) as network:
        Audit(network)
        clients = {para: client_of(network, para) for para in PARAS}
        started = 0.0
        for number in range(WARM_UP + ROUNDS):
            if number == WARM_UP:
                started = time.perf_counter()
            if number % 2:  # a para has a block for every two of the relay chain
                for para, client in clients.items():
                    await send_some(client, para)
            await network.clock.sleep_until_us(network.clock.now_us() + network.manifest.block_time_us)
        return time.perf_counter() - started


def client_of(network: Network, para: int) -> ChainClient:
    node = next(nodes[0] for id, nodes in network.para_nodes.items() if id == para)
    assert isinstance(node, RuntimeParaNode)
    return ChainClient(str(para), LocalClient(node.rpc), type(node.chain.runtime(node.chain.genesis)))


async def send_some(client: ChainClient, para: int) -> None:
    users, (dest, asset) = dev_users("ed25519"), ROUTES[para]
    for number in range(PER_BLOCK):
        call = transfer_call(client.runtime, source=para, dest=dest, asset=asset, amount=10**10, to=users[number])
        await client.submit(users[number], call)


def measure() -> Iterator[Figure]:
    with TemporaryDirectory() as directory:
        record = Record(Path(directory) / "run.sqlite")
        seconds = run_virtual(play(record))
        record.close()
    what = f"virtual clock, relay rounds, 3 paras, {PER_BLOCK} transfers per block"
    yield Figure(what, "/s", 15, 30, ROUNDS / seconds, more_is_better=True)
