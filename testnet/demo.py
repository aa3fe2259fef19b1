"""The demo: users move assets between all chains of a small network, one message fails, and everything adds up."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from parachains.collator.node import RuntimeParaNode
from relaychain.primitives.types import ParaId
from substrate.client.rpc.client import LocalClient, RpcClient, WebSocketClient
from substrate.crypto.multi import Id
from substrate.pallets.balances import Balances
from substrate.runtime.assembly import Runtime
from substrate.types import Hash
from testnet.audit import Audit
from testnet.clock import VirtualLoop
from testnet.errors import RunFailed
from testnet.journeys import Journey, Journeys, Row
from testnet.launch import View
from testnet.network import Network
from testnet.places import Place, Token, decimal
from testnet.record import Record
from testnet.users import (
    ChainClient,
    User,
    claim_program,
    dev_users,
    remote_account,
    send_call,
    transfer_call,
    underpaid_program,
)
from xcm.asset import AssetId, Assets, assets, fungible
from xcm.location import HERE

ASSETS_PARA, BAZAAR_PARA = 1000, 2000
PER_ROUTE = 7
WAIT_S = 60.0
"""Chain time for one step; far more than it takes."""


class Route(NamedTuple):
    """Transfers of one asset from chain to chain."""

    source: int | None
    dest: int | None
    symbol: str
    tenths: int
    """Amount of one transfer, in tenths of a token."""
    how: str


FIRST = (
    Route(None, ASSETS_PARA, "UNIT", 30, "teleports"),
    Route(ASSETS_PARA, None, "UNIT", 5, "teleports"),
    Route(None, BAZAAR_PARA, "UNIT", 20, "reserve-transfers"),
    Route(ASSETS_PARA, BAZAAR_PARA, "USDX", 250, "reserve-transfers"),
    Route(BAZAAR_PARA, ASSETS_PARA, "BZR", 70, "reserve-transfers"),
)
SECOND = (
    Route(BAZAAR_PARA, None, "UNIT", 4, "sends back"),
    Route(ASSETS_PARA, BAZAAR_PARA, "BZR", 20, "sends back"),
    Route(BAZAAR_PARA, ASSETS_PARA, "USDX", 100, "sends back"),
)
"""Possible once the first ones have arrived."""


class Demo:
    """The steps, over a running network."""

    def __init__(self, network: Network, audit: Audit, record: Record, view: View) -> None:
        self._network = network
        self._naming = audit.naming
        self._view = view
        self._journeys = Journeys(record)
        self._clients: dict[int | None, ChainClient] = {}
        self._users = dev_users("ed25519" if isinstance(network.loop, VirtualLoop) else "sr25519")
        self._assets = {token.symbol: (place, token) for place, token in self._naming.tokens.items()}

    async def run(self) -> None:
        """All steps. Raises RunFailed if one does not end as it must."""
        async with self._connected():
            alice = self._users[0]
            remote = await self._fund_remote_account(alice)
            first = [digest for route in FIRST for digest in [d async for d in self._transfers(route)]]
            failing = await self._underpay(alice, remote)
            await self._all_arrive(first)
            second = [digest for route in SECOND for digest in [d async for d in self._transfers(route)]]
            trapped = await self._trapped(failing)
            claim = await self._claim(alice, trapped)
            await self._all_arrive([*second, claim])
            self._view.step("the trapped assets are claimed", by=alice.name)

    # --- connections ---

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            for chain in (None, ASSETS_PARA, BAZAAR_PARA):
                name, rpc = self._naming.chain(chain), await self._rpc(chain, stack)
                self._clients[chain] = ChainClient(name, rpc, type(self._runtime(chain)))
            yield

    async def _rpc(self, chain: int | None, stack: AsyncExitStack) -> RpcClient:
        name = self._naming.chain(chain)
        node = self._network.relay.name if chain is None else self._network.para_nodes[ParaId(chain)][0].name
        if node in self._network.servers:
            return await stack.enter_async_context(WebSocketClient(self._network.servers[node].url))
        return LocalClient(self._network.rpc(name))

    def _runtime(self, chain: int | None) -> Runtime:
        if chain is None:
            return self._network.relay.chain.runtime(self._network.relay.chain.genesis)
        node = self._network.para_nodes[ParaId(chain)][0]
        assert isinstance(node, RuntimeParaNode), "the demo's chains have runtimes"
        return node.chain.runtime(node.chain.genesis)

    # --- transfers ---

    async def _transfers(self, route: Route) -> AsyncGenerator[Hash]:
        place, token = self._assets[route.symbol]
        amount = route.tenths * 10**token.decimals // 10
        client = self._clients[route.source]
        for sender, receiver in self._pairs():
            call = transfer_call(
                client.runtime, source=route.source, dest=route.dest, asset=place, amount=amount, to=receiver
            )
            yield await client.submit(sender, call)
        self._view.step(
            f"{PER_ROUTE} users: {client.name} {route.how} {_text(amount, token)} each to "
            f"{self._naming.chain(route.dest)}"
        )

    def _pairs(self) -> Iterator[tuple[User, User]]:
        count = len(self._users)
        for number in range(PER_ROUTE):
            yield self._users[number % count], self._users[(number + 1) % count]

    async def _all_arrive(self, extrinsics: list[Hash]) -> None:
        journeys = await self._journeys.until_final(extrinsics, seconds=WAIT_S)
        for journey in journeys:
            end = self._journeys.end_of(journey)
            if end is None or not end["ok"]:
                raise RunFailed(f"message {journey.id} {journey.way} failed: {_why(end)}")
        self._view.step(f"{len(journeys)} messages executed and final")

    # --- the one that fails ---

    async def _fund_remote_account(self, user: User) -> Hash:
        """Give a user's account of 1000 on 2000 something to spend; wait until it has it."""
        client = self._clients[BAZAAR_PARA]
        account = remote_account(user, home=ASSETS_PARA, on=BAZAAR_PARA)
        _, amount, token = self._stake()
        call = client.runtime.call(Balances.transfer_keep_alive, dest=Id(account), value=2 * amount)
        digest = await client.submit(user, call)
        self._view.step(f"{user.name} gives her account of {ASSETS_PARA} on {BAZAAR_PARA} {_text(2 * amount, token)}")
        return digest

    async def _underpay(self, user: User, funded: Hash) -> Hash:
        await self._journeys.until_included([funded], seconds=WAIT_S)
        client = self._clients[ASSETS_PARA]
        _, amount, token = self._stake()
        program = underpaid_program(amount, fee=1, to=user)
        call = send_call(client.runtime, source=ASSETS_PARA, dest=BAZAAR_PARA, program=program)
        digest = await client.submit(user, call)
        self._view.step(
            f"{user.name} sends {_text(amount, token)} from {ASSETS_PARA} on {BAZAAR_PARA} "
            f"with a fee of 1 planck, {_text(1, token)}"
        )
        return digest

    def _stake(self) -> tuple[Place, int, Token]:
        place, token = self._assets["BZR"]
        return place, 10**token.decimals // 2, token

    async def _trapped(self, failing: Hash) -> Journey:
        """Wait for the failure, and show it."""
        [journey] = await self._journeys.until_final([failing], seconds=WAIT_S)
        end = self._journeys.end_of(journey)
        if end is None or end["ok"] or end.get("error") != "TooExpensive":
            raise RunFailed(f"message {journey.id} should have failed with TooExpensive, and ended as {end}")
        _, amount, token = self._stake()
        self._view.step(
            f"message {journey.id[:10]} {journey.way} failed: {_why(end)}; "
            f"{_text(amount, token)} trapped on {end['chain']} for alice of {journey.sent['origin']}"
        )
        return journey

    async def _claim(self, user: User, failed: Journey) -> Hash:
        client = self._clients[ASSETS_PARA]
        program = claim_program(self._stranded(), to=user)
        call = send_call(client.runtime, source=ASSETS_PARA, dest=BAZAAR_PARA, program=program)
        digest = await client.submit(user, call)
        self._view.step(
            f"claim: on {client.name}, signed by {user.name}: polkadotXcm.send(dest {BAZAAR_PARA}, "
            "[ClaimAsset, BuyExecution, DepositAsset])",
            call="0x" + client.runtime.encode_call(call).hex(),
        )
        return digest

    def _stranded(self) -> Assets:
        return assets(fungible(AssetId(HERE), self._stake()[1]))


def _why(end: Row | None) -> str:
    if end is None:
        return "it never ended"
    return f"instruction {end['error_index']} {end.get('error_instruction')} {end['error']} ({end.get('reason')})"


def _text(amount: int, token: Token) -> str:
    return f"{decimal(amount, token.decimals)} {token.symbol}"
