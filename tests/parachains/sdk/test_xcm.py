"""Assets between paras and their relay chain: two runtimes, the relay chain's part made up."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from parachains.assets.chain import AssetHub
from parachains.sdk.contract import Collated, ForeignAsset, ParaConfig
from parachains.sdk.foreign_assets import ForeignAssets, TrustBackedAssets
from parachains.sdk.plugin import Parachain
from parachains.sdk.xcm_config import FEE_ACCOUNT
from relaychain.primitives.types import HeadData, ParaId, UpgradeGoAhead
from substrate.block import Header
from substrate.crypto.keys import dev_pair
from substrate.pallets.balances import Balances
from substrate.runtime.extrinsic import Signing, sign_extrinsic
from substrate.scale.codec import decode
from substrate.state import Overlay
from substrate.trie.trie import Trie
from substrate.types import AccountId
from testnet.examples.bazaar import Bazaar
from tests.parachains.sdk.fake_relay import FakeRelay
from xcm.asset import AllCounted, Wild, assets, fungible
from xcm.builder.location_conversion import sovereign_account
from xcm.instruction import (
    BuyExecution,
    ClearOrigin,
    DepositAsset,
    ReceiveTeleportedAsset,
    ReserveAssetDeposited,
    WithdrawAsset,
    Xcm,
)
from xcm.junction import AccountId32, GeneralIndex, PalletInstance
from xcm.junction import Parachain as Para
from xcm.location import HERE, PARENT, Location, location
from xcm.versions.versioned import (
    decode_message,
    encode_message,
    latest_xcm,
    versioned_assets,
    versioned_location,
    versioned_xcm,
)
from xcm.weight import Unlimited

ALICE, BOB = dev_pair("Alice", "ed25519"), dev_pair("Bob", "ed25519")
UNIT = 10**12
HUB, MARKET = ParaId(1000), ParaId(2000)
BZR = location(1, Para(MARKET))
DOT_ON_MARKET = PARENT
USD = location(1, Para(HUB), PalletInstance(50), GeneralIndex(7))


@dataclass
class Chain:
    kind: type[Parachain]
    config: ParaConfig
    nonce: int = 0
    events: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        genesis = self.kind.genesis_block(self.config)
        self.head, self.state = genesis.head, genesis.state
        self.genesis = decode(Header, genesis.head).hash
        self.relay = FakeRelay(self.config.para, self.head)
        self.block()  # the first block does not know yet how many messages it may send, as upstream

    @property
    def runtime(self) -> Any:
        return self.kind.runtime()(Overlay(self.state))

    def call(self, name: str, **args: object) -> bytes:
        runtime = self.kind.runtime()
        call = runtime.encode_call(runtime.call_named(name, **args))
        raw = sign_extrinsic(call, ALICE, nonce=self.nonce, signing=Signing(1, 1, self.genesis, self.genesis))
        self.nonce += 1
        return raw

    def block(self, *extrinsics: bytes) -> Collated[Trie]:
        made = self.kind.collate(self.head, self.state, self.relay.context(*extrinsics, parent=self.head))
        assert self.kind.validate_block(self.relay.params(made.block_data, self.head)) == made.result
        assert not made.rejected
        self.head, self.state = made.result.head_data, made.state
        self.events = [record.event.value for record in made.block.events]
        self.relay.include(made)
        self.relay.advance()
        return made

    def named(self, *names: str) -> list[Any]:
        return [event for event in self.events if type(event).__name__ in names]

    def native(self, who: bytes) -> int:
        return self.runtime.pallet(Balances).free_balance(AccountId(who))

    def foreign(self, asset: Location, who: bytes) -> int:
        return self.runtime.pallet(ForeignAssets).balance(asset, AccountId(who))


def account(pair: Any) -> AccountId:
    return AccountId(pair.public)


@pytest.fixture
def hub() -> Chain:
    return hub_chain()


def hub_chain() -> Chain:
    accounts = {account(ALICE): 1000 * UNIT}
    pallets = {
        "assets": {
            "assets": [(7, account(ALICE), True, 1)],
            "metadata": [(7, b"USD", b"USD", 6)],
            "accounts": [(7, account(ALICE), 1000 * 10**6)],
        }
    }
    config = ParaConfig(
        HUB,
        accounts=accounts,
        foreign_assets=(ForeignAsset(BZR, "BZR", 12),),
        teleports=((PARENT, PARENT),),
        pallets=pallets,
    )
    chain = Chain(AssetHub, config)
    chain.relay.open_inbound(MARKET)
    chain.relay.outbound = (MARKET,)
    chain.block()
    return chain


@pytest.fixture
def market() -> Chain:
    assets = (
        ForeignAsset(DOT_ON_MARKET, "UNIT", 12, accounts={account(ALICE): 10 * UNIT}),
        ForeignAsset(USD, "USD", 6),
    )
    chain = Chain(Bazaar, ParaConfig(MARKET, accounts={account(ALICE): 1000 * UNIT}, foreign_assets=assets))
    chain.relay.open_inbound(HUB)
    chain.relay.outbound = (HUB,)
    return chain


def transfer(chain: Chain, dest: Location, place: Location, amount: int) -> bytes:
    return chain.call(
        "PolkadotXcm.transfer_assets",
        dest=versioned_location(dest),
        beneficiary=versioned_location(location(0, AccountId32(None, BOB.public))),
        assets=versioned_assets(assets(fungible(place, amount))),
        fee_asset_item=0,
        weight_limit=Unlimited(),
    )


def arrival(*first: Any, amount: int) -> bytes:
    beneficiary = location(0, AccountId32(None, BOB.public))
    program = Xcm(
        (
            *first,
            ClearOrigin(),
            BuyExecution(fungible(PARENT, amount), Unlimited()),
            DepositAsset(Wild(AllCounted(1)), beneficiary),
        )
    )
    return encode_message(versioned_xcm(program))


def test_a_native_token_crosses_by_reserve_and_comes_back(hub: Chain, market: Chain) -> None:
    made = market.block(transfer(market, location(1, Para(HUB)), HERE, 100 * UNIT))
    assert [message.recipient for message in made.result.horizontal_messages] == [HUB]
    assert market.native(sovereign_account(b"sibl", HUB)) == 100 * UNIT
    hub.relay.send_across(MARKET, made.result.horizontal_messages[0].data)
    hub.relay.advance()

    hub.block()

    (done,) = hub.named("Processed")
    assert done.success
    assert done.id == market.named("Sent")[0].message_id
    got = hub.foreign(BZR, BOB.public)
    assert 99 * UNIT < got < 100 * UNIT
    assert got + hub.foreign(BZR, FEE_ACCOUNT) == 100 * UNIT


def test_an_asset_of_the_hub_crosses_by_reserve(hub: Chain, market: Chain) -> None:
    local = location(0, PalletInstance(50), GeneralIndex(7))
    made = hub.block(transfer(hub, location(1, Para(MARKET)), local, 50 * 10**6))
    held = hub.runtime.pallet(TrustBackedAssets).balance(7, sovereign_account(b"sibl", MARKET))
    assert held == 50 * 10**6
    market.relay.send_across(HUB, made.result.horizontal_messages[0].data)
    market.relay.advance()

    market.block()

    assert market.named("Processed")[0].success
    assert 49 * 10**6 < market.foreign(USD, BOB.public) <= 50 * 10**6


def test_the_hub_takes_teleports_from_the_relay_chain_and_no_reserve_deposits(hub: Chain) -> None:
    some = assets(fungible(PARENT, 10 * UNIT))
    hub.relay.send_down(arrival(ReceiveTeleportedAsset(some), amount=10 * UNIT))
    hub.relay.send_down(arrival(ReserveAssetDeposited(some), amount=10 * UNIT))

    hub.block()

    assert [event.success for event in hub.named("Processed")] == [True, False]
    assert 9 * UNIT < hub.native(BOB.public) < 10 * UNIT


def test_a_market_takes_the_relay_token_by_reserve_and_no_teleport(market: Chain) -> None:
    some = assets(fungible(PARENT, 10 * UNIT))
    market.relay.send_down(arrival(ReceiveTeleportedAsset(some), amount=10 * UNIT))
    market.relay.send_down(arrival(ReserveAssetDeposited(some), amount=10 * UNIT))

    market.block()

    assert [event.success for event in market.named("Processed")] == [False, True]
    assert 9 * UNIT < market.foreign(PARENT, BOB.public) < 10 * UNIT


def test_the_hub_teleports_to_the_relay_chain(hub: Chain) -> None:
    before = hub.native(ALICE.public)

    made = hub.block(transfer(hub, PARENT, PARENT, 5 * UNIT))

    (message,) = made.result.upward_messages
    program = latest_xcm(decode_message(message))
    assert program[0] == ReceiveTeleportedAsset(assets(fungible(HERE, 5 * UNIT)))
    assert hub.native(ALICE.public) < before - 5 * UNIT
    assert hub.named("UpwardMessageSent")


def test_the_relay_token_reaches_another_para_through_its_reserve(market: Chain) -> None:
    made = market.block(transfer(market, location(1, Para(HUB)), PARENT, 5 * UNIT))

    (message,) = made.result.upward_messages
    program = latest_xcm(decode_message(message))
    assert program[0] == WithdrawAsset(assets(fungible(HERE, 5 * UNIT)))


def test_what_pays_nothing_is_refused_from_a_sibling_and_trapped_never(hub: Chain) -> None:
    program = Xcm((ReserveAssetDeposited(assets(fungible(BZR, UNIT))),))
    hub.relay.send_across(MARKET, b"\0" + encode_message(versioned_xcm(program)))
    hub.relay.advance()

    hub.block()

    assert [event.success for event in hub.named("Processed")] == [False]
    assert hub.named("AssetsTrapped") == []


def test_pages_carry_several_messages_and_recipients_wait_their_turn(market: Chain) -> None:
    calls = [transfer(market, location(1, Para(HUB)), HERE, UNIT) for _ in range(60)]
    made = market.block(*calls)
    pages = [made.result.horizontal_messages[0].data]
    while made.result.horizontal_messages:
        made = market.block()
        pages += [message.data for message in made.result.horizontal_messages]

    assert len(pages) > 1
    assert all(len(page) <= 4 << 10 for page in pages)


def test_an_upgrade_waits_for_the_go_ahead() -> None:
    config = ParaConfig(MARKET, b"old", {account(ALICE): 1000 * UNIT}, sudo=account(ALICE))
    chain = Chain(Bazaar, config)
    runtime = Bazaar.runtime()
    upgrade = runtime.call_named("System.set_code_without_checks", code=b"new")
    made = chain.block(chain.call("Sudo.sudo", call=upgrade))
    assert made.result.new_validation_code == b"new"
    assert chain.block().result.new_validation_code is None
    assert Bazaar.code_of(chain.state) == b"old"

    chain.relay.go_ahead = UpgradeGoAhead.GO_AHEAD
    chain.block()

    assert Bazaar.code_of(chain.state) == b"new"
    assert [type(event).__name__ for event in chain.named("ValidationFunctionApplied")]


def test_head_data_is_the_header(market: Chain) -> None:
    made = market.block()
    assert made.result.head_data == HeadData(made.block.block.header.encode())
