"""Conservation: what is made or lost somewhere is found, and named."""

from collections.abc import Callable
from functools import cache

import pytest

from parachains.sdk import message_queue as para_queue
from relaychain.primitives.messages import InboundDownwardMessage
from relaychain.primitives.types import ParaId
from relaychain.runtime.dmp import Dmp
from relaychain.runtime.loader import load_relay_runtime
from relaychain.runtime.xcm_config import CHECK_ACCOUNT
from substrate.pallets.balances import Balances
from substrate.pallets.message_queue_types import after_first, appended, page_of
from substrate.pallets.system import System
from substrate.runtime.assembly import CODE_KEY, Runtime
from substrate.state import Overlay
from substrate.trie.trie import Trie
from substrate.types import AccountId, Balance, BlockNumber, Hash
from testnet.books import Snapshot, read_books
from testnet.bundler import NodeBundler
from testnet.conservation import ChainAudit, Equation, check_conservation, differences
from testnet.genesis import relay_genesis
from testnet.manifest import demo_manifest_path
from testnet.manifest_reader import load_manifest
from testnet.paras import load_paras
from testnet.places import Place, sovereign_of
from xcm.asset import AssetId, assets, fungible
from xcm.instruction import Instruction, ReceiveTeleportedAsset, ReserveAssetDeposited, Xcm
from xcm.junction import AccountId32, Parachain
from xcm.location import PARENT, location
from xcm.pallet import XcmPallet
from xcm.versions.versioned import encode_message, versioned_xcm

ALICE = AccountId(b"a" * 32)
UNIT = 10**12
Change = Callable[[Runtime], None]


@cache
def genesis() -> dict[int | None, tuple[Trie, type[Runtime], Place]]:
    manifest, bundler = load_manifest(demo_manifest_path()), NodeBundler()
    paras = load_paras(manifest, bundler)
    relay = relay_genesis(manifest, paras)
    code = relay.get(CODE_KEY)
    assert code is not None
    found: dict[int | None, tuple[Trie, type[Runtime], Place]] = {None: (relay, load_relay_runtime(code), ())}
    for para in paras:
        native: Place = () if para.id == 1000 else (Parachain(int(para.id)),)
        code = para.genesis.state.get(CODE_KEY)
        found[int(para.id)] = (para.genesis.state, bundler.load_runtime(code), native)
    return found


def audit(
    chain: int | None, *changes: Change, own: dict[tuple[Place, AccountId | None], int] | None = None
) -> ChainAudit:
    state, runtime, native = genesis()[chain]
    final = runtime(Overlay(state))
    for change in changes:
        change(final)
    before = read_books(Snapshot(chain, runtime(Overlay(state)), native))
    return ChainAudit(before, Snapshot(chain, final, native), own or {})


def wrong(
    relay: tuple[Change, ...] = (), assets_para: tuple[Change, ...] = (), bazaar: tuple[Change, ...] = ()
) -> list[Equation]:
    paras = {1000: audit(1000, *assets_para), 2000: audit(2000, *bazaar)}
    return list(differences(check_conservation(audit(None, *relay), paras)))


def mint(who: AccountId, amount: int) -> Change:
    return lambda runtime: void(runtime.pallet(Balances).mint_into(who, amount))


def give(who: AccountId, amount: int) -> Change:
    """From nowhere: a balance without issuance."""

    def change(runtime: Runtime) -> None:
        accounts = runtime.pallet(System).account
        info = accounts[who]
        accounts[who] = type(info)(info.nonce, info.consumers, 1, info.sufficients, type(info.data)(Balance(amount)))

    return change


def downward(para: int, *program: Instruction) -> Change:
    def change(runtime: Runtime) -> None:
        message = InboundDownwardMessage(BlockNumber(0), encode_message(versioned_xcm(Xcm(program))))
        runtime.pallet(Dmp).downward_message_queues[ParaId(para)] = (message,)

    return change


def void(_: object) -> None:
    return None


def test_a_network_at_genesis_balances() -> None:
    assert wrong() == []


def test_minting_on_the_relay_chain_is_found() -> None:
    [found] = wrong(relay=(mint(ALICE, UNIT),))

    assert (found.name, found.chain, found.difference) == ("issued", None, UNIT)


def test_what_a_chain_mints_by_its_own_rules_is_its_own_business() -> None:
    relay = audit(None, mint(ALICE, UNIT), own={((), None): UNIT, ((), ALICE): UNIT})

    assert not differences(check_conservation(relay, {}))


def test_a_balance_without_issuance_is_found() -> None:
    [found] = wrong(bazaar=(give(ALICE, UNIT),))

    assert (found.name, found.chain, found.difference) == ("ledger", 2000, -UNIT)


def test_a_teleport_that_never_left_is_found() -> None:
    [found] = wrong(assets_para=(mint(ALICE, UNIT),))

    assert (found.name, found.difference, found.terms) == ("teleported", -UNIT, {"issuance of 1000": UNIT})


def test_a_teleport_in_flight_stands_on_the_checking_account() -> None:
    away = (mint(CHECK_ACCOUNT, UNIT), lambda runtime: void(runtime.pallet(Balances).burn_from(*rich(runtime), UNIT)))
    message = downward(1000, ReceiveTeleportedAsset(assets(fungible(AssetId(PARENT), UNIT))))

    assert wrong(relay=(*away, message)) == []
    [lost] = wrong(relay=away)
    assert (lost.name, lost.difference) == ("teleported", UNIT)


def test_a_reserve_transfer_in_flight_stands_on_the_sovereign_account() -> None:
    sovereign = sovereign_of(2000, None)
    away = (mint(sovereign, UNIT), lambda runtime: void(runtime.pallet(Balances).burn_from(*rich(runtime), UNIT)))
    message = downward(2000, ReserveAssetDeposited(assets(fungible(AssetId(PARENT), UNIT))))

    assert wrong(relay=(*away, message)) == []
    [lost] = wrong(relay=away)
    assert (lost.name, lost.chain, lost.difference) == ("backed", 2000, UNIT)


def test_of_a_queue_only_what_waits_is_in_flight() -> None:
    """Given a page with a message that was processed and one that waits. Then the second one is in flight."""
    first, second = (
        encode_message(versioned_xcm(Xcm((ReceiveTeleportedAsset(assets(fungible(AssetId(PARENT), amount))),))))
        for amount in (UNIT, 2 * UNIT)
    )
    page = appended(page_of(first), second, heap_size=1000)
    assert page is not None
    page = after_first(page, is_processed=True)
    away = (
        mint(CHECK_ACCOUNT, 2 * UNIT),
        lambda runtime: void(runtime.pallet(Balances).burn_from(*rich(runtime), 2 * UNIT)),
    )

    def queue(runtime: Runtime) -> None:
        runtime.pallet(para_queue.MessageQueue).pages[para_queue.Parent(), 0] = page

    assert wrong(relay=away, assets_para=(queue,)) == []


def rich(runtime: Runtime) -> tuple[AccountId]:
    accounts = runtime.pallet(System).account.items()
    return (next(who for who, info in accounts if info.data.free > 10 * UNIT),)


def test_trapped_assets_are_out_of_issuance() -> None:
    origin = location(1, Parachain(1000), AccountId32(None, ALICE))
    trapped, key = assets(fungible(AssetId(location(0)), UNIT)), Hash(b"t" * 32)

    def trap(runtime: Runtime) -> None:
        runtime.pallet(Balances).burn_from(*rich(runtime), UNIT)
        runtime.pallet(XcmPallet).asset_traps[key] = 1

    bazaar = audit(2000, trap)
    known = ChainAudit(bazaar.genesis, bazaar.final, {}, {key: (origin, trapped)})

    def off(para: ChainAudit) -> list[str]:
        return [each.name for each in differences(check_conservation(audit(None), {1000: audit(1000), 2000: para}))]

    assert off(known) == []
    assert off(bazaar) == ["issued", "traps"]


@pytest.mark.parametrize("chain", [None, 1000, 2000])
def test_every_chain_has_books(chain: int | None) -> None:
    equations = check_conservation(audit(None), {1000: audit(1000), 2000: audit(2000)})

    assert any(each.name == "ledger" and each.chain == chain and each.found for each in equations)
