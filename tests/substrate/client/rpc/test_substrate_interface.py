"""The real substrate-interface against a real server: nothing is registered by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from substrateinterface import Keypair, KeypairType, SubstrateInterface
from substrateinterface.exceptions import SubstrateRequestException

from substrate.block import Block
from substrate.client.rpc.json_forms import to_hex
from substrate.client.rpc.server import RpcServer
from tests.substrate.client.mini_node import MiniNode
from tests.substrate.runtime.mini import ALICE, FERDIE, UNIT, account

T = TypeVar("T")
pytestmark = pytest.mark.filterwarnings("default")


class LiveNode:
    """A node that makes a block of each new transaction at once, and a client talking to it from a thread."""

    def __init__(self) -> None:
        self.node = MiniNode()
        self.server = RpcServer(self.node.rpc)
        self.node.pool.on_ready(lambda _: asyncio.get_running_loop().call_soon(self._author))
        self.is_authoring = True

    def _author(self) -> None:
        if self.is_authoring and any(True for _ in self.node.pool.ready()):
            block = self.node.author()
            self.node.chain.finalize(block)

    async def use(self, program: Callable[[SubstrateInterface], T]) -> T:
        def run() -> T:
            with SubstrateInterface(url=self.server.url) as client:
                return program(client)

        return await asyncio.to_thread(run)


@pytest_asyncio.fixture
async def live() -> AsyncIterator[LiveNode]:
    made = LiveNode()
    await made.server.start()
    yield made
    await made.server.stop()


def sent(client: SubstrateInterface, pair: Keypair, value: int, **options: Any) -> Any:
    call = client.compose_call("Balances", "transfer_keep_alive", {"dest": to_hex(account(FERDIE)), "value": value})
    era = options.pop("era", None)
    extrinsic = client.create_signed_extrinsic(call, pair, era=era, tip=options.pop("tip", 0))
    return client.submit_extrinsic(extrinsic, wait_for_inclusion=True, **options)


async def test_connecting_and_reading(live: LiveNode) -> None:
    live.node.grow()

    def program(client: SubstrateInterface) -> tuple[Any, ...]:
        alice = to_hex(ALICE.public)
        return (
            client.chain,
            client.ss58_format,
            client.get_chain_head(),
            client.query("System", "Account", [alice]).value["data"]["free"],
            client.get_constant("Balances", "ExistentialDeposit").value,
            client.get_block_number(client.get_chain_head()),
            [who.value for who, _ in client.query_map("System", "Account", page_size=1)],
            client.runtime_call("AccountNonceApi", "account_nonce", [alice]).value,
        )

    chain, ss58, head, free, deposit, number, who, nonce = await live.use(program)

    assert (chain, ss58, head, number) == ("Mini Local", 42, to_hex(live.node.chain.best), 1)
    assert (free, deposit, nonce) == (10 * UNIT, UNIT // 1000, 0)
    assert len(who) == 2


@pytest.mark.parametrize("era", [None, {"period": 8}])
async def test_a_signed_transfer_its_receipt_and_fee(live: LiveNode, era: dict[str, int] | None) -> None:
    def program(client: SubstrateInterface) -> tuple[Any, ...]:
        alice = Keypair.create_from_uri("//Alice")
        call = client.compose_call("Balances", "transfer_keep_alive", {"dest": to_hex(account(FERDIE)), "value": UNIT})
        fee = client.get_payment_info(call, alice)["partialFee"]
        receipts = [sent(client, alice, UNIT, era=era) for _ in range(2)]
        final = sent(client, alice, UNIT, wait_for_finalization=True)
        events = [event.value["event_id"] for event in receipts[1].triggered_events]
        return (
            [receipt.is_success for receipt in (*receipts, final)],
            fee,
            receipts[1].total_fee_amount,
            events,
            client.query("System", "Account", [to_hex(account(FERDIE))]).value["data"]["free"],
            client.get_block(receipts[0].block_hash)["extrinsics"][-1].value["call"]["call_function"],
        )

    successes, fee, paid, events, free, function = await live.use(program)

    assert successes == [True] * 3
    assert paid == fee + (1_000 if era else 0)  # the client estimates with an immortal era, a byte shorter
    assert "Transfer" in events
    assert events[-1] == "ExtrinsicSuccess"
    assert free == 3 * UNIT
    assert function == "transfer_keep_alive"


async def test_a_failed_call_shows_its_module_error(live: LiveNode) -> None:
    def program(client: SubstrateInterface) -> Any:
        eve = Keypair.create_from_uri("//Eve")
        call = client.compose_call("Balances", "transfer_keep_alive", {"dest": eve.ss58_address, "value": UNIT})
        alice = Keypair.create_from_uri("//Alice")
        client.submit_extrinsic(client.create_signed_extrinsic(call, alice), wait_for_inclusion=True)
        remark = client.compose_call("System", "remark", {"remark": "0x"})
        sudo = client.compose_call("Sudo", "sudo", {"call": remark})
        receipt = client.submit_extrinsic(client.create_signed_extrinsic(sudo, eve), wait_for_inclusion=True)
        return receipt.is_success, receipt.error_message["name"]

    assert await live.use(program) == (False, "RequireSudo")


async def test_an_ed25519_signer_and_a_long_payload(live: LiveNode) -> None:
    def program(client: SubstrateInterface) -> tuple[bool, Any]:
        pair = Keypair.create_from_seed("0x" + "07" * 32, crypto_type=KeypairType.ED25519)
        call = client.compose_call("Balances", "transfer_keep_alive", {"dest": pair.ss58_address, "value": 2 * UNIT})
        alice = Keypair.create_from_uri("//Alice")
        client.submit_extrinsic(client.create_signed_extrinsic(call, alice), wait_for_inclusion=True)
        back = sent(client, pair, UNIT)
        remark = client.compose_call("System", "remark", {"remark": "0x" + "ab" * 400})
        return back.is_success, client.submit_extrinsic(
            client.create_signed_extrinsic(remark, alice), wait_for_inclusion=True
        ).is_success

    assert await live.use(program) == (True, True)


async def test_an_invalid_transaction_is_refused_in_words(live: LiveNode) -> None:
    def program(client: SubstrateInterface) -> None:
        alice = Keypair.create_from_uri("//Alice")
        sent(client, alice, UNIT)
        call = client.compose_call("System", "remark", {"remark": "0x"})
        client.submit_extrinsic(client.create_signed_extrinsic(call, alice, nonce=0), wait_for_inclusion=True)

    with pytest.raises(SubstrateRequestException, match="Transaction is outdated"):
        await live.use(program)


async def test_an_evicted_transaction_ends_its_wait(live: LiveNode) -> None:
    live.is_authoring = False
    loop = asyncio.get_running_loop()
    live.node.pool.on_ready(lambda pooled: loop.call_soon(live.node.pool.remove_invalid, pooled.hash))

    def program(client: SubstrateInterface) -> None:
        sent(client, Keypair.create_from_uri("//Alice"), UNIT)

    with pytest.raises(ValueError, match="dropped"):
        await live.use(program)


async def test_subscriptions_to_heads_and_storage(live: LiveNode) -> None:
    loop = asyncio.get_running_loop()

    def program(client: SubstrateInterface) -> tuple[Any, Any]:
        def on_head(obj: Any, update: int, _: str) -> Any:
            if update == 2:
                return obj["header"]["number"]
            loop.call_soon_threadsafe(live.node.grow)
            return None

        def on_number(obj: Any, update: int, _: str) -> Any:
            if update == 1:
                return obj.value
            loop.call_soon_threadsafe(live.node.grow)
            return None

        head = client.subscribe_block_headers(on_head)
        return head, client.query("System", "Number", [], subscription_handler=on_number)

    head, number = await live.use(program)
    assert head == 2
    assert number == 3


async def test_reads_at_old_blocks_and_of_bad_hashes(live: LiveNode) -> None:
    blocks: list[Block] = [live.node.chain.block(live.node.grow()) for _ in range(3)]

    def program(client: SubstrateInterface) -> list[Any]:
        return [client.query("System", "Number", block_hash=to_hex(block.hash)).value for block in blocks]

    assert await live.use(program) == [1, 2, 3]

    with pytest.raises(SubstrateRequestException, match="32 bytes"):
        await live.use(lambda client: client.get_block(block_hash="0x1234"))


async def test_keys_beyond_a_page_are_refused(live: LiveNode) -> None:
    with pytest.raises(SubstrateRequestException):
        await live.use(lambda client: client.query_map("System", "Account", page_size=9999))
