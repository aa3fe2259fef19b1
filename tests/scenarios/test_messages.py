"""Messages that go wrong, each in its way: the record tells how, and no asset is lost without being missed."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

import testnet
from parachains.collator.node import RuntimeParaNode
from parachains.sdk.parachain_system import ParachainSystem
from relaychain.primitives.messages import UpwardMessage
from relaychain.primitives.types import ParaId
from substrate.client.chain import BlockchainError
from substrate.client.rpc.client import LocalClient
from substrate.crypto.multi import Id
from substrate.pallets.balances import Balances
from substrate.pallets.sudo import Sudo
from substrate.pallets.utility import Utility
from substrate.types import Weight
from testnet.analysis import Run
from testnet.audit import Audit
from testnet.clock import run_virtual
from testnet.conservation import Equation, differences
from testnet.journeys import Journeys
from testnet.manifest import Manifest, Node, demo_manifest_path
from testnet.manifest_reader import load_manifest
from testnet.network import Network, heights, running
from testnet.places import sovereign_of
from testnet.record import Record
from testnet.transports.memory import partition
from testnet.users import ChainClient, User, dev_users, remote_account, send_call, transfer_call
from xcm.asset import AllCounted, AssetId, Wild, assets, fungible
from xcm.instruction import (
    BuyExecution,
    ClearOrigin,
    DepositAsset,
    DepositReserveAsset,
    RefundSurplus,
    SetErrorHandler,
    WithdrawAsset,
    Xcm,
)
from xcm.junction import GeneralIndex, PalletInstance, Parachain
from xcm.location import HERE, PARENT, location
from xcm.pallet import XcmPallet
from xcm.versions.versioned import versioned_xcm
from xcm.weight import Unlimited

UNIT = 10**12
ALICE, BOB = dev_users("sr25519")[:2]


class Stage:
    """A network with its users' clients."""

    def __init__(self, network: Network, record: Record) -> None:
        self.network = network
        self.audit = Audit(network)
        self.journeys = Journeys(record)
        relay = network.relay.chain
        self.relay = ChainClient("relay", LocalClient(network.relay.rpc), type(relay.runtime(relay.genesis)))

    def para(self, number: int) -> ChainClient:
        node = self.network.para_nodes[ParaId(number)][0]
        assert isinstance(node, RuntimeParaNode)
        return ChainClient(str(number), LocalClient(node.rpc), type(node.chain.runtime(node.chain.genesis)))

    async def slots(self, count: int) -> None:
        await self.network.clock.sleep_until_us(
            self.network.clock.now_us() + count * self.network.manifest.block_time_us
        )


def manifest(**settings: object) -> Manifest:
    whole = load_manifest(demo_manifest_path())
    changed = msgspec.structs.replace(whole.settings, clock="virtual", **settings)
    return msgspec.structs.replace(whole, settings=changed)


def play(
    directory: Path, act: Callable[[Stage], Awaitable[None]], network_file: Manifest | None = None
) -> tuple[Run, list[Equation]]:
    """The run of `act`, and what does not add up at its end."""
    found: list[Equation] = []

    async def main() -> None:
        record = Record(directory / "run.sqlite")
        async with running(network_file or manifest(), record) as network:
            stage = Stage(network, record)
            await act(stage)
            found.extend(differences(stage.audit.check()))
        record.close()

    run_virtual(main())
    return testnet.load(directory), found


def test_a_refusal_by_the_barrier_names_every_barrier(tmp_path: Path) -> None:
    """Given a message that buys no execution. When it arrives. Then the outcome has the barrier and all reasons."""

    async def act(stage: Stage) -> None:
        client = stage.para(1000)
        program = Xcm((WithdrawAsset(assets(fungible(AssetId(HERE), UNIT))), ClearOrigin()))
        sent = await client.submit(ALICE, send_call(client.runtime, source=1000, dest=2000, program=program))
        await stage.journeys.until_final([sent], seconds=60)

    run, wrong = play(tmp_path, act)
    [message] = run.messages.to_dict("records")

    assert wrong == []
    assert (message["status"], message["error"], message["error_index"]) == ("failed", "Barrier", 0)
    assert "AllowTopLevelPaidExecutionFrom" in message["reason"]
    assert "AllowExplicitUnpaidExecutionFrom" in message["reason"]
    assert len(run.instructions[run.instructions.message_id == message["message_id"]]) == 0


def test_bytes_that_are_no_message_are_told(tmp_path: Path) -> None:
    """Given a para that sends garbage upward. When the relay chain tries it. Then it is a failed message."""

    async def act(stage: Stage) -> None:
        client = stage.para(2000)
        inner = client.runtime.call(ParachainSystem.sudo_send_upward_message, message=UpwardMessage(b"\xffgarbage"))
        await client.submit(ALICE, client.runtime.call(Sudo.sudo, call=inner))
        await stage.slots(16)

    run, wrong = play(tmp_path, act)
    [message] = run.messages.to_dict("records")

    assert wrong == []
    assert (message["kind"], message["instructions"]) == ("UMP", 0)
    assert (message["status"], message["error"]) == ("failed", "Corrupt")


def test_one_id_follows_a_message_from_the_program_that_sent_it(tmp_path: Path) -> None:
    """Given a program executed here that sends on. When the message is final. Then it has the program's name."""

    async def act(stage: Stage) -> None:
        client = stage.relay
        onward = Xcm((BuyExecution(fungible(AssetId(PARENT), UNIT), Unlimited()), deposit(BOB)))
        program = Xcm(
            (
                WithdrawAsset(assets(fungible(AssetId(HERE), 5 * UNIT))),
                DepositReserveAsset(Wild(AllCounted(1)), location(0, Parachain(2000)), onward),
            )
        )
        call = client.runtime.call(XcmPallet.execute, message=versioned_xcm(program), max_weight=Weight(10**12, 10**6))
        sent = await client.submit(ALICE, call)
        await stage.journeys.until_final([sent], seconds=60)

    run, wrong = play(tmp_path, act)
    [message] = run.messages.to_dict("records")
    outcomes = run.outcomes[run.outcomes.message_id == message["message_id"]]

    assert wrong == []
    assert message["status"] == "final"
    assert outcomes.chain.tolist() == ["relay", "2000"]
    assert message["fee_delivery"] > 0
    assert message["sender"] == "0x" + ALICE.account.hex()


def test_books_balance_when_the_state_of_genesis_is_long_gone(tmp_path: Path) -> None:
    """Given 16 kept states, and a teleport. When 40 slots have passed. Then books from genesis on balance."""

    async def act(stage: Stage) -> None:
        relay, client = stage.network.relay.chain, stage.relay
        call = transfer_call(client.runtime, source=None, dest=1000, asset=(), amount=UNIT, to=BOB)
        await client.submit(ALICE, call)
        await stage.slots(40)
        for chain in (relay, *(nodes[0].chain for nodes in stage.network.para_nodes.values())):
            with pytest.raises(BlockchainError, match="StateDiscarded"):
                chain.state(chain.genesis)

    run, wrong = play(tmp_path, act, manifest(keep_states=16))

    assert wrong == []
    assert run.messages.status.tolist() == ["final"]


def test_books_are_checked_at_a_node_that_has_the_block(tmp_path: Path) -> None:
    """Given two collators of 2000, the first one cut off. When the other's blocks are final. Then books balance."""
    whole = manifest()
    assets_para, bazaar = whole.parachains
    pair = (Node(name="cut-off"), Node(name="going-on"))
    bazaar = msgspec.structs.replace(bazaar, collators=pair)

    async def act(stage: Stage) -> None:
        names = stage.network.hub.names()
        await stage.slots(10)
        partition(stage.network.hub, [["cut-off"], [name for name in names if name != "cut-off"]])
        await stage.slots(20)
        lagging, advanced = stage.network.para_nodes[ParaId(2000)]
        assert heights(advanced)[1] > heights(lagging)[0]

    _, wrong = play(tmp_path, act, msgspec.structs.replace(whole, parachains=(assets_para, bazaar)))

    assert wrong == []


def deposit(to: User) -> DepositAsset:
    return DepositAsset(Wild(AllCounted(1)), to.location)


def test_a_batch_pays_its_fee_once(tmp_path: Path) -> None:
    """Given one extrinsic with two transfers. When both arrive. Then the extrinsic's fee is counted once."""

    async def act(stage: Stage) -> None:
        client = stage.relay
        calls = tuple(
            transfer_call(client.runtime, source=None, dest=dest, asset=(), amount=UNIT, to=BOB)
            for dest in (1000, 2000)
        )
        sent = await client.submit(ALICE, client.runtime.call(Utility.batch_all, calls=calls))
        await stage.journeys.until_final([sent], seconds=60)

    run, wrong = play(tmp_path, act)

    assert wrong == []
    assert len(run.messages) == 2
    assert run.messages.extrinsic.nunique() == 1
    assert sum(run.messages.fee_tx) == run.extrinsics[run.extrinsics.signer.notna()].fee.iloc[0]


@pytest.mark.parametrize("kind", ["mint", "gift"])
def test_a_batch_may_mint_or_give_and_transfer(tmp_path: Path, kind: str) -> None:
    """Given a batch of a mint, or a gift, and a transfer over XCM. When books are checked. Then they balance."""

    async def act(stage: Stage) -> None:
        client = stage.para(1000)
        usdx = (Parachain(1000), PalletInstance(50), GeneralIndex(1984))
        own = {
            "mint": client.runtime.call_named("Assets.mint", id=1984, beneficiary=Id(ALICE.account), amount=10**9),
            "gift": client.runtime.call_named(
                "Assets.transfer", id=1984, target=Id(sovereign_of(2000, 1000)), amount=10**9
            ),
        }
        away = transfer_call(client.runtime, source=1000, dest=2000, asset=usdx, amount=5 * 10**6, to=BOB)
        sent = await client.submit(ALICE, client.runtime.call(Utility.batch_all, calls=(own[kind], away)))
        await stage.journeys.until_final([sent], seconds=60)

    run, wrong = play(tmp_path, act)

    assert wrong == []
    assert run.messages.status.tolist() == ["final"]


def test_books_are_those_of_the_heads_that_are_included(tmp_path: Path) -> None:
    """Given a message executed in the best block, which no final relay block includes. Then it is still in flight."""

    async def act(stage: Stage) -> None:
        call = transfer_call(stage.relay.runtime, source=None, dest=2000, asset=(), amount=UNIT, to=BOB)
        sent = await stage.relay.submit(ALICE, call)
        node = stage.network.para_nodes[ParaId(2000)][0]
        assert isinstance(node, RuntimeParaNode)
        while not any(end["block"] == node.chain.best_number for each in stage.journeys.of(sent) for end in each.ends):
            await stage.network.clock.sleep_until_us(stage.network.clock.now_us() + 10_000)

    run, wrong = play(tmp_path, act)

    assert wrong == []
    assert run.messages.status.tolist() == ["executed"]


def test_a_refund_is_what_was_bought_and_not_used(tmp_path: Path) -> None:
    """Given a program that buys weight for a handler and gives it up. When refunded. Then the record says how much."""

    async def act(stage: Stage) -> None:
        away, client = stage.para(2000), stage.para(1000)
        call = away.runtime.call(
            Balances.transfer_keep_alive, dest=Id(remote_account(ALICE, home=1000, on=2000)), value=5 * UNIT
        )
        await stage.journeys.until_included([await away.submit(ALICE, call)], seconds=60)
        program = Xcm(
            (
                WithdrawAsset(assets(fungible(AssetId(HERE), UNIT))),
                BuyExecution(fungible(AssetId(HERE), UNIT), Unlimited()),
                SetErrorHandler(Xcm((deposit(BOB),) * 5)),
                SetErrorHandler(Xcm(())),
                RefundSurplus(),
                deposit(ALICE),
            )
        )
        sent = await client.submit(ALICE, send_call(client.runtime, source=1000, dest=2000, program=program))
        await stage.journeys.until_final([sent], seconds=60)

    run, wrong = play(tmp_path, act)
    [message] = run.messages.to_dict("records")
    refunded = run.assets[run.assets.role == "refunded"].amount_raw

    assert wrong == []
    assert (message["status"], message["refunded"]) == ("final", refunded.sum())
    assert message["refunded"] > 0


def test_a_gift_to_a_sovereign_account_is_no_loss(tmp_path: Path) -> None:
    """Given a plain transfer to a parachain's sovereign account. When books are checked. Then they balance."""

    async def act(stage: Stage) -> None:
        call = stage.relay.runtime.call(Balances.transfer_keep_alive, dest=Id(sovereign_of(2000, None)), value=UNIT)
        sent = await stage.relay.submit(ALICE, call)
        await stage.journeys.until_included([sent], seconds=60)

    _, wrong = play(tmp_path, act)

    assert wrong == []
