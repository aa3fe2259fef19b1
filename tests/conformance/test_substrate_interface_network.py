"""Unmodified substrate-interface against every chain of a running network."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, cast

import pytest
from substrateinterface import Keypair, KeypairType, SubstrateInterface

from substrate.crypto import ss58
from testnet.keys import collator_key
from tests.conformance.live_network import NETWORK, live

pytestmark = pytest.mark.filterwarnings("default")

Client: TypeAlias = Any
"""A `SubstrateInterface`, whose results have no types worth the name."""
Clients: TypeAlias = Mapping[str, Client]
Value: TypeAlias = Any
"""A plain value, as the client takes and shows them."""
CHAINS = ("relay", "assets", "bazaar")
XCM = {"relay": "XcmPallet", "assets": "PolkadotXcm", "bazaar": "PolkadotXcm"}
UNIT = 10**12
ALICE, BOB = Keypair.create_from_uri("//Alice"), Keypair.create_from_uri("//Bob")
ED = Keypair.create_from_seed("0x" + "07" * 32, crypto_type=KeypairType.ED25519)
HERE = {"parents": 0, "interior": "Here"}
PARENT = {"parents": 1, "interior": "Here"}
USDX = {"parents": 0, "interior": {"X2": [{"PalletInstance": 50}, {"GeneralIndex": 1984}]}}
ENOUGH = {"ref_time": 10**11, "proof_size": 10**6}
AFTER_FEE = [("Balances", "Deposit"), ("TransactionPayment", "TransactionFeePaid")]


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    with live() as urls:
        made: Clients = {chain: SubstrateInterface(url=url) for chain, url in urls.items()}
        for client in made.values():
            client.init_runtime()
        yield made
        for client in made.values():
            client.close()


# --- plain dicts, in the form that scalecodec wants: newtypes as lists of one


def interior(version: str, junction: Value, parents: int = 0) -> Value:
    return {version: {"parents": parents, "interior": {"X1": junction if version == "V3" else [junction]}}}


def account(version: str, who: Keypair) -> Value:
    return interior(version, {"AccountId32": {"network": None, "id": f"0x{who.public_key.hex()}"}})


def fungible(version: str, where: Value, amount: int) -> Value:
    name = {"Concrete": where} if version == "V3" else [where]
    return {"id": name, "fun": {"Fungible": amount}}


def transfer(version: str, dest: Value, asset: Value, who: Keypair = BOB) -> Value:
    return {
        "dest": dest,
        "beneficiary": account(version, who),
        "assets": {version: [[asset]]},
        "fee_asset_item": 0,
        "weight_limit": "Unlimited",
    }


# --- what is done with a client


def extrinsic(client: Client, who: Keypair, pallet: str, call: str, args: Value, **options: Any) -> Any:
    composed = client.compose_call(pallet, call, args)
    return client.create_signed_extrinsic(composed, who, **options)


def send(client: Client, who: Keypair, pallet: str, call: str, args: Value, **options: Any) -> Any:
    signed = extrinsic(client, who, pallet, call, args, **options)
    return client.submit_extrinsic(signed, wait_for_inclusion=True)


def names(events: Value) -> list[tuple[str, str]]:
    return [(event.value["module_id"], event.value["event_id"]) for event in events]


def free(client: Client, who: Keypair) -> int:
    return client.query("System", "Account", [who.ss58_address]).value["data"]["free"]


def eventually(read: Callable[[], Value], wanted: Value, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while read() != wanted and time.monotonic() < end:
        time.sleep(0.1)
    assert read() == wanted


def shown(value: Value) -> Value:
    """A composed value as the client decodes it again: newtypes are gone."""
    if isinstance(value, dict):
        fields = cast("dict[str, Value]", value)
        return {key: shown(item) for key, item in fields.items()}
    if isinstance(value, list):
        items = tuple(shown(item) for item in cast("list[Value]", value))
        is_newtype = [type(item) is list or "interior" in item for item in items] == [True]
        return items[0] if is_newtype else [*items]
    return value


# --- reading


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_is_known_and_read(clients: Clients, chain: str) -> None:
    client = clients[chain]
    wanted = {"relay": ("", "UNIT"), "assets": ("-1000", "UNIT"), "bazaar": ("-2000", "BZR")}
    suffix, symbol = wanted[chain]
    head = client.get_chain_head()
    keys = [
        client.create_storage_key("System", "Account", [ALICE.ss58_address]),
        client.create_storage_key("System", "Number", []),
    ]

    assert client.chain == f"relayloom-clients{suffix}"
    assert (client.ss58_format, client.token_symbol, client.token_decimals) == (42, symbol, 12)
    (_, alice), (_, number) = client.query_multi(keys, block_hash=head)
    assert number.value == client.get_block_number(head)
    assert alice.value == client.query("System", "Account", [ALICE.ss58_address], block_hash=head).value
    accounts = {who.value: info.value for who, info in client.query_map("System", "Account", block_hash=head)}
    assert accounts[ALICE.ss58_address] == alice.value
    assert client.get_constant("Balances", "ExistentialDeposit").value == 10**9


@pytest.mark.parametrize("chain", CHAINS)
def test_every_storage_item_and_constant_decodes(clients: Clients, chain: str) -> None:
    client, read = clients[chain], list[str]()
    head = client.get_chain_head()
    for pallet in client.metadata.pallets:
        for constant in pallet.constants or ():
            assert client.get_constant(pallet.name, constant.name) is not None
        for item in pallet.storage or ():
            name = item.value["name"]
            read.append(f"{pallet.name}.{name}")
            if item.get_params_type_string():
                rows = client.query_map(pallet.name, name, block_hash=head, page_size=3, max_results=3)
                assert [len(row) for row in rows] == [2] * len(rows.records)
            else:
                client.query(pallet.name, name, block_hash=head)
    assert len(read) > 90


@pytest.mark.parametrize("chain", CHAINS)
def test_every_block_has_an_author(clients: Clients, chain: str) -> None:
    client = clients[chain]
    validators = client.query("Session", "Validators").value
    head = client.get_block_number(client.get_chain_head())

    authors = [client.get_block(block_number=number, include_author=True)["author"] for number in range(1, head + 1)]
    assert set(authors) <= set(validators)
    if chain != "relay":
        collators = [node for para in NETWORK.parachains for node in para.all_collators if _serves(para.id, chain)]
        assert validators == [ss58.encode(collator_key(node).public) for node in collators]
    assert client.get_block(finalized_only=True, include_author=True)["author"] in validators


def _serves(para: int, chain: str) -> bool:
    return (para, chain) in ((1000, "assets"), (2000, "bazaar"))


@pytest.mark.parametrize("chain", CHAINS)
def test_heads_and_storage_are_subscribed_to(clients: Clients, chain: str) -> None:
    client = clients[chain]
    heads, values = list[int](), list[int]()

    def on_head(head: Value, *_: Value) -> Value:
        heads.append(head["header"]["number"])
        return head["author"] if len(heads) == 3 else None

    def on_value(_: Value, value: Value, *__: Value) -> Value:
        values.append(value.value)
        return True if len(values) == 3 else None

    def number(head: Value, *_: Value) -> int:
        return head["header"]["number"]

    author = client.subscribe_block_headers(on_head, include_author=True)
    client.subscribe_storage([client.create_storage_key("System", "Number", [])], on_value)
    final = client.subscribe_block_headers(number, finalized_only=True)

    assert heads == list(range(heads[0], heads[0] + 3))
    assert values == list(range(values[0], values[0] + 3))
    assert author in client.query("Session", "Validators").value
    assert heads[0] - 4 <= final <= client.get_block_number(client.get_chain_head())


# --- transactions


@pytest.mark.parametrize("chain", CHAINS)
def test_a_transfer_its_fee_and_its_receipt(clients: Clients, chain: str) -> None:
    client = clients[chain]
    before, args = free(client, ED), {"dest": ED.ss58_address, "value": UNIT}
    estimate = client.get_payment_info(client.compose_call("Balances", "transfer_keep_alive", args), ALICE)

    sent = send(client, ALICE, "Balances", "transfer_keep_alive", args)

    created = [] if before else [("System", "NewAccount"), ("Balances", "Endowed")]
    moved = [("Balances", "Withdraw"), *created, ("Balances", "Transfer"), *AFTER_FEE, ("System", "ExtrinsicSuccess")]
    assert names(sent.triggered_events) == moved
    assert (sent.is_success, sent.total_fee_amount) == (True, estimate["partialFee"])
    assert sent.weight == {"ref_time": 306_045_000, "proof_size": 3_593}
    assert free(client, ED) == before + UNIT
    [_, _, decoded, *_] = client.get_block(sent.block_hash)["extrinsics"]
    assert decoded.value["address"] == ALICE.ss58_address


def test_an_ed25519_account_signs_and_a_batch_runs(clients: Clients) -> None:
    client = clients["relay"]
    remarks = [client.compose_call("System", name, {"remark": "0x01"}) for name in ("remark", "remark_with_event")]

    sent = send(client, ED, "Utility", "batch", {"calls": remarks}, era={"period": 16})

    item = ("Utility", "ItemCompleted")
    ran = [("Balances", "Withdraw"), item, ("System", "Remarked"), item, ("Utility", "BatchCompleted")]
    assert names(sent.triggered_events) == [*ran, *AFTER_FEE, ("System", "ExtrinsicSuccess")]


# --- XCM


@pytest.mark.parametrize("version", ["V3", "V4", "V5"])
def test_a_teleport_of_each_version_is_composed_decoded_and_arrives(clients: Clients, version: str) -> None:
    relay, assets = clients["relay"], clients["assets"]
    args = transfer(version, interior(version, {"Parachain": 1000}), fungible(version, HERE, 3 * UNIT))
    before = free(assets, BOB)

    sent = send(relay, ALICE, "XcmPallet", "limited_teleport_assets", args)

    assert [name for name in names(sent.triggered_events) if name[0] == "XcmPallet"] == [
        ("XcmPallet", "Attempted"),
        ("XcmPallet", "FeesPaid"),
        ("XcmPallet", "Sent"),
    ]
    call = relay.get_block(sent.block_hash)["extrinsics"][sent.extrinsic_idx].value["call"]
    assert {arg["name"]: arg["value"] for arg in call["call_args"]} == shown(args)
    eventually(lambda: 3 * UNIT - UNIT // 100 < free(assets, BOB) - before < 3 * UNIT, wanted=True)


def test_assets_move_back_and_sideways(clients: Clients) -> None:
    relay, assets, bazaar = (clients[chain] for chain in CHAINS)
    sibling = interior("V5", {"Parachain": 2000}, parents=1)
    nonce = assets.get_account_nonce(ALICE.ss58_address)
    home = transfer("V4", {"V4": PARENT}, fungible("V4", PARENT, UNIT), who=ED)
    before = free(relay, ED)
    up = extrinsic(assets, ALICE, "PolkadotXcm", "limited_teleport_assets", home, nonce=nonce)
    assets.submit_extrinsic(up)
    across = send(
        assets, ALICE, "PolkadotXcm", "transfer_assets", transfer("V5", sibling, fungible("V5", USDX, 10**9)),
        nonce=nonce + 1,
    )  # fmt: skip
    down = transfer("V5", interior("V5", {"Parachain": 2000}), fungible("V5", HERE, UNIT))
    reserved = send(relay, ALICE, "XcmPallet", "limited_reserve_transfer_assets", down)

    assert (across.is_success, reserved.is_success) == (True, True)
    assert ("XcmpQueue", "XcmpMessageSent") in names(across.triggered_events)
    eventually(lambda: 0 < free(relay, ED) - before < UNIT, wanted=True)
    held = lambda: [  # noqa: E731 (read again and again)
        who.value for name in (_foreign(USDX), PARENT)
        for who, _ in bazaar.query_map("ForeignAssets", "Account", [name])
    ]  # fmt: skip
    eventually(lambda: held().count(BOB.ss58_address), 2)


def _foreign(asset: Value) -> Value:
    """An asset of para 1000, as its sibling names it."""
    return {"parents": 1, "interior": {"X3": [{"Parachain": 1000}, *asset["interior"]["X2"]]}}


def test_programs_are_executed_sent_trapped_and_claimed(clients: Clients) -> None:
    relay = clients["relay"]
    withdraw = {"WithdrawAsset": [[fungible("V5", HERE, UNIT)]]}
    deposit = {"DepositAsset": {"assets": {"Wild": {"AllCounted": 1}}, "beneficiary": account("V5", ED)["V5"]}}
    claim = {"assets": {"V5": [[fungible("V5", HERE, UNIT)]]}, "beneficiary": account("V5", ED)}
    steps: list[tuple[str, Value]] = [
        ("execute", {"message": {"V5": [[withdraw, deposit]]}, "max_weight": ENOUGH}),
        ("execute", {"message": {"V5": [[withdraw]]}, "max_weight": ENOUGH}),
        ("claim_assets", claim),
        ("send", {"dest": interior("V5", {"Parachain": 1000}), "message": {"V5": [["ClearOrigin", {"Trap": 7}]]}}),
    ]
    before, results = free(relay, ED), list[tuple[bool, list[str]]]()
    for call, args in steps:
        sent = send(relay, ALICE, "XcmPallet", call, args)
        results.append(
            (sent.is_success, [name for pallet, name in names(sent.triggered_events) if pallet == "XcmPallet"])
        )

    assert [ok for ok, _ in results] == [True] * 4
    assert [events for _, events in results] == [
        ["Attempted"],
        ["AssetsTrapped", "Attempted"],
        ["AssetsClaimed"],
        ["FeesPaid", "Sent"],
    ]
    assert free(relay, ED) == before + 2 * UNIT


def test_root_sends_for_free(clients: Clients) -> None:
    relay = clients["relay"]
    message = {"V4": [[{"UnpaidExecution": {"weight_limit": "Unlimited", "check_origin": None}}, "ClearOrigin"]]}
    order = relay.compose_call("XcmPallet", "send", {"dest": interior("V4", {"Parachain": 1000}), "message": message})

    sent = send(relay, ALICE, "Sudo", "sudo", {"call": order})

    done = [event.value["attributes"] for event in sent.triggered_events if event.value["event_id"] == "Sudid"]
    assert done == [{"sudo_result": {"Ok": ()}}]
    assert ("XcmPallet", "Sent") in names(sent.triggered_events)


NOWHERE = {"dest": interior("V5", {"Parachain": 3333}), "message": {"V5": [["ClearOrigin"]]}}
STRANGER = transfer("V4", interior("V4", {"Parachain": 2000}), fungible("V4", HERE, UNIT))
NOTHING = transfer("V4", interior("V4", {"Parachain": 1000}), HERE) | {"assets": {"V4": [[]]}}
NOT_TRAPPED = {"assets": {"V4": [[fungible("V4", HERE, 77)]]}, "beneficiary": account("V4", BOB)}


@pytest.mark.parametrize(
    ("call", "args", "name"),
    [
        ("send", NOWHERE, "SendFailure"),
        ("limited_teleport_assets", STRANGER, "Filtered"),
        ("limited_teleport_assets", NOTHING, "Empty"),
        ("claim_assets", NOT_TRAPPED, "LocalExecutionIncompleteWithError"),
    ],
)
def test_errors_have_their_names(clients: Clients, call: str, args: Value, name: str) -> None:
    sent = send(clients["relay"], ALICE, "XcmPallet", call, args)

    assert (sent.is_success, sent.error_message) == (False, {"type": "Module", "name": name, "docs": []})


@pytest.mark.parametrize("chain", CHAINS)
def test_only_the_sudo_key_is_root(clients: Clients, chain: str) -> None:
    client = clients[chain]
    remark = client.compose_call("System", "remark", {"remark": "0x"})

    sent = send(client, BOB, "Sudo", "sudo", {"call": remark})

    assert (sent.is_success, sent.error_message["name"]) == (False, "RequireSudo")


def test_metadata_stays_small(clients: Clients) -> None:
    """Half a second for the first query is the bar; scalecodec takes 6 us a byte."""
    sizes = {
        chain: len(client.rpc_request("state_getMetadata", [])["result"]) // 2 for chain, client in clients.items()
    }
    assert {chain for chain, size in sizes.items() if size > 56_000} == set()
