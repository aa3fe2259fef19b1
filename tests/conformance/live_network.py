"""A relay chain and two parachains on the real clock, in a thread, with ports of their own."""

import asyncio
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from testnet.manifest import Duration, HrmpChannels, IssuedAsset, Manifest, Node, Parachain, Relaychain, Settings
from testnet.network import Network, running

BAZAAR = Path(__file__).parents[2] / "testnet/examples/bazaar.py"
USDX = IssuedAsset(id=1984, symbol="USDX", decimals=6, balance=10**12)
NETWORK = Manifest(
    settings=Settings(seed=42, block_time=Duration(200_000, "us")),
    relaychain=Relaychain(chain="relayloom-clients", nodes=tuple(Node(name=name) for name in ("alice", "bob"))),
    parachains=(
        Parachain(id=1000, runtime="assets", collators=(Node(name="carol"), Node(name="caren")), assets=(USDX,)),
        Parachain(id=2000, runtime=f"{BAZAAR}:Bazaar", collators=(Node(name="dora"),)),
    ),
    hrmp_channels=(HrmpChannels(sender=1000, recipient=2000, bidirectional=True),),
)
FRONT = {"relay": "alice", "assets": "carol", "bazaar": "dora"}
"""Whose port each chain is used through."""

START_S, POLL_US = 60, 50_000


class Forgetful:
    """A recorder that keeps nothing."""

    def row(self, table: str, /, **columns: object) -> None:
        """Forget a row."""


@contextmanager
def live() -> Generator[Mapping[str, str]]:
    """Where each chain is served, once it has blocks that are final."""
    made, failure = threading.Event(), list[Exception]()
    urls: dict[str, str] = {}
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with running(NETWORK, Forgetful()) as network:
            while not _is_final(network):
                await network.clock.sleep_until_us(network.clock.now_us() + POLL_US)
            urls.update({chain: network.servers[node].url for chain, node in FRONT.items()})
            made.set()
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except Exception as cause:  # noqa: BLE001 (handed to the test's thread)
            failure.append(cause)
        finally:
            loop.close()
            made.set()

    thread = threading.Thread(target=run, name="network", daemon=True)
    thread.start()
    in_time = made.wait(START_S)
    if failure:
        raise failure[0]
    assert in_time, "the network has no final parachain blocks"
    try:
        yield urls
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
    if failure:
        raise failure[0]


def _is_final(network: Network) -> bool:
    return all(chain.final > 1 for chain in network.status())
