"""Networks that lose packets and fall apart for a while, with users at work: all goes on, and adds up, in the end."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import msgspec
import pytest

from parachains.collator.node import RuntimeParaNode
from relaychain.primitives.types import ParaId
from substrate.client.rpc.client import LocalClient
from substrate.types import Hash
from testnet.audit import Audit
from testnet.clock import run_virtual
from testnet.conservation import differences
from testnet.journeys import Journeys
from testnet.manifest import DelaySettings, Duration, Manifest, demo_manifest_path
from testnet.manifest_reader import load_manifest
from testnet.network import Network, heights, running
from testnet.record import Record
from testnet.transports.memory import heal, partition
from testnet.users import ChainClient, dev_users, transfer_call

USERS = dev_users("ed25519")[:4]
ROUTES: tuple[tuple[int | None, int | None, str, int], ...] = (
    (None, 1000, "UNIT", 10**10),
    (1000, None, "UNIT", 10**10),
    (None, 2000, "UNIT", 10**10),
    (1000, 2000, "USDX", 10**6),
    (2000, 1000, "BZR", 10**10),
)
"""From where to where, what, and the unit of its amounts."""
BUSY_SLOTS, APART_SLOTS = 60, 15
ARRIVAL_S = 60.0


def lossy(seed: int, loss: float) -> Manifest:
    link = DelaySettings(latency=Duration.parse("30ms"), jitter=Duration.parse("20ms"), loss=loss)
    whole = load_manifest(demo_manifest_path())
    return msgspec.structs.replace(
        whole,
        settings=msgspec.structs.replace(whole.settings, clock="virtual", seed=seed),
        relaychain=msgspec.structs.replace(whole.relaychain, default_delay_network_settings=link),
    )


class Campaign:
    """A network, its users, and the troubles that a seed has in store."""

    def __init__(self, network: Network, record: Record, seed: int) -> None:
        self._network = network
        self._random = Random(seed)
        self._audit = Audit(network)
        self._journeys = Journeys(record)
        self._places = {token.symbol: place for place, token in self._audit.naming.tokens.items()}
        self._clients = {chain: self._client(chain) for chain in (None, 1000, 2000)}

    def _client(self, chain: int | None) -> ChainClient:
        if chain is None:
            relay = self._network.relay
            return ChainClient("relay", LocalClient(relay.rpc), type(relay.chain.runtime(relay.chain.genesis)))
        node = self._network.para_nodes[ParaId(chain)][0]
        assert isinstance(node, RuntimeParaNode)
        return ChainClient(str(chain), LocalClient(node.rpc), type(node.chain.runtime(node.chain.genesis)))

    async def run(self) -> None:
        """Troubles while users send; then quiet, until everything has arrived and is final."""
        sent: list[Hash] = []
        for _ in self._troubles():
            if self._random.random() < 0.6:
                sent.append(await self._send())
            await self._slots(1)
        before = [heights(nodes[0])[1] for nodes in self._network.para_nodes.values()]
        journeys = await self._journeys.until_final(sent, seconds=ARRIVAL_S)
        assert [end["ok"] for journey in journeys if (end := self._journeys.end_of(journey))] == [True] * len(sent)
        await self._slots(20)
        assert differences(self._audit.check()) == ()
        self._check_agreement()
        after = [heights(nodes[0])[1] for nodes in self._network.para_nodes.values()]
        assert all(new > old for old, new in zip(before, after, strict=True))

    def _troubles(self) -> Iterator[None]:
        names = self._network.hub.names()
        begins = self._random.randrange(10, 40)
        for slot in range(BUSY_SLOTS):
            if slot == begins:
                apart = self._random.sample(names, self._random.randrange(1, len(names)))
                partition(self._network.hub, [apart, [name for name in names if name not in apart]])
            elif slot == begins + APART_SLOTS:
                heal(self._network.hub)
            yield

    async def _send(self) -> Hash:
        source, dest, symbol, unit = self._random.choice(ROUTES)
        sender, receiver = self._random.choice(USERS), self._random.choice(USERS)
        client, amount = self._clients[source], unit * self._random.randrange(5, 90)
        call = transfer_call(
            client.runtime, source=source, dest=dest, asset=self._places[symbol], amount=amount, to=receiver
        )
        return await client.submit(sender, call)

    async def _slots(self, count: int) -> None:
        await self._network.clock.sleep_until_us(
            self._network.clock.now_us() + count * self._network.manifest.block_time_us
        )

    def _check_agreement(self) -> None:
        """No two validators have different blocks at the height that all have final, and none is far behind."""
        chains = [node.chain for node in self._network.relay_nodes.values()]
        common = min(chain.finalized_number for chain in chains)
        assert len({chain.number_to_hash(common) for chain in chains}) == 1
        assert max(chain.best_number for chain in chains) - common <= 12


LONG = [pytest.param(loss, seed, marks=pytest.mark.soak) for loss in (0.05, 0.1, 0.2) for seed in range(200, 212)]


@pytest.mark.parametrize(("loss", "seed"), [(0.05, 1), (0.1, 104), *LONG])
def test_everything_arrives_and_adds_up_when_the_network_is_whole_again(tmp_path: Path, loss: float, seed: int) -> None:
    """Given links that lose packets, and a partition. When they heal. Then all messages arrive, finality goes on."""

    async def main() -> None:
        with closing(Record(tmp_path / "run.sqlite")) as record:
            async with running(lossy(seed, loss), record) as network:
                await Campaign(network, record, seed).run()

    run_virtual(main())
