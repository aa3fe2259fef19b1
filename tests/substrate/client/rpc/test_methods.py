"""The legacy methods over a real node, in process."""

from typing import Any

import pytest

from substrate.client.rpc.client import LocalClient
from substrate.client.rpc.errors import RpcError
from substrate.client.rpc.json_forms import opaque, to_hex
from substrate.client.rpc.methods_system import NodeInfo
from substrate.client.rpc.node import node_rpc
from substrate.crypto import ss58
from substrate.crypto.hashing import blake2_256, twox_128
from substrate.scale.codec import encode
from substrate.scale.types import u32
from substrate.trie.proofs import trie_from_proof
from substrate.types import Hash
from tests.substrate.client.mini_node import MiniNode
from tests.substrate.runtime.mini import ALICE, BOB, FERDIE, UNIT, MiniRuntime, account, transfer


def number_key(node: MiniNode) -> bytes:
    return twox_128(b"System") + twox_128(b"Number")


@pytest.fixture
def node() -> MiniNode:
    made = MiniNode()
    for nonce in range(3):
        made.grow(made.sign(ALICE, transfer(FERDIE, UNIT), nonce))
    made.chain.finalize(made.chain.number_to_hash(2))  # type: ignore[arg-type]
    return made


def code_of(node: MiniNode, method: str, *params: object) -> int:
    with pytest.raises(RpcError) as error:
        node.rpc.call(method, list(params))
    return error.value.code


def test_block_hashes(node: MiniNode) -> None:
    call, chain = node.rpc.call, node.chain
    assert call("chain_getBlockHash") == call("chain_getBlockHash", [None]) == to_hex(chain.best)
    assert call("chain_getBlockHash", [0]) == call("chain_getBlockHash", ["0x0"]) == to_hex(chain.genesis)
    assert call("chain_getBlockHash", [[0, "0x2", 9]]) == [to_hex(chain.genesis), to_hex(chain.finalized), None]
    assert call("chain_getFinalizedHead") == to_hex(chain.finalized)
    assert code_of(node, "chain_getBlockHash", "soon") == -32602


def test_headers_and_blocks(node: MiniNode) -> None:
    header: dict[str, Any] = node.rpc.call("chain_getHeader")
    assert header["number"] == "0x3"
    assert header["digest"]["logs"][0] == "0x06" + b"TEST".hex() + "080000"
    block: dict[str, Any] = node.rpc.call("chain_getBlock", [to_hex(node.chain.best)])
    assert block["block"]["header"] == header
    assert [bytes.fromhex(each[2:]) for each in block["block"]["extrinsics"]] == [
        opaque(each) for each in node.chain.block(node.chain.best).extrinsics
    ]
    assert block["justifications"] is None
    assert node.rpc.call("chain_getHeader", ["0x" + "00" * 32]) is None
    assert node.rpc.call("chain_getBlock", ["0x" + "00" * 32]) is None
    assert code_of(node, "chain_getHeader", "0x1234") == -32602


def test_every_read_is_at_its_block(node: MiniNode) -> None:
    key = to_hex(number_key(node))
    for number in range(4):
        block = node.chain.number_to_hash(number)
        assert block is not None
        value = None if number == 0 else to_hex(encode(u32, number))
        assert node.rpc.call("state_getStorage", [key, to_hex(block)]) == value
        assert node.rpc.call("state_queryStorageAt", [[key], to_hex(block)]) == [
            {"block": to_hex(block), "changes": [[key, value]]}
        ]
        nonce = node.rpc.call("state_call", ["AccountNonceApi_account_nonce", to_hex(ALICE.public), to_hex(block)])
        assert nonce == to_hex(encode(u32, number))
    assert node.rpc.call("state_getStorageSize", [key]) == 4
    assert node.rpc.call("state_getStorageHash", [key]) == to_hex(blake2_256(encode(u32, 3)))
    assert code_of(node, "state_getStorage", key, "0x" + "11" * 32) == 4003
    assert code_of(node, "state_call", "No_such", "0x") == 4003


def test_changes_over_a_range_of_blocks_are_not_served(node: MiniNode) -> None:
    """Keys times blocks would be read in one go; upstream keeps it for operators."""
    assert "state_queryStorage" not in node.rpc.call("rpc_methods")["methods"]
    assert code_of(node, "state_queryStorage", [to_hex(number_key(node))], to_hex(node.chain.genesis)) == -32601


def test_keys_are_paged_strictly_after_the_start(node: MiniNode) -> None:
    every = [to_hex(key) for key, _ in node.chain.state(node.chain.best).items()]
    pages: list[str] = []
    start = None
    while page := node.rpc.call("state_getKeysPaged", ["0x", 4, start]):
        pages.extend(page)
        start = page[-1]
    assert pages == every
    prefix = every[3][:34]
    assert node.rpc.call("state_getKeysPaged", [prefix, 1000, prefix]) == [k for k in every if k.startswith(prefix)]
    assert code_of(node, "state_getKeysPaged", "0x", 1001) == 4002


def test_read_proofs_prove(node: MiniNode) -> None:
    key = number_key(node)
    proof = node.rpc.call("state_getReadProof", [[to_hex(key), "0x1234"]])
    nodes = [bytes.fromhex(each[2:]) for each in proof["proof"]]
    partial = trie_from_proof(node.chain.header(node.chain.best).state_root, nodes)

    assert proof["at"] == to_hex(node.chain.best)
    assert partial.get(key) == encode(u32, 3)
    assert partial.get(b"\x12\x34") is None


def test_metadata_and_version(node: MiniNode) -> None:
    assert node.rpc.call("state_getMetadata", [to_hex(node.chain.genesis)]) == to_hex(MiniRuntime.metadata())
    version = node.rpc.call("state_getRuntimeVersion")
    assert (version["specName"], version["specVersion"], version["transactionVersion"]) == ("mini", 3, 2)
    assert all(name.startswith("0x") and len(name) == 18 for name, _ in version["apis"])


def test_system_facts_and_the_next_nonce_with_the_pool(node: MiniNode) -> None:
    assert node.rpc.call("system_chain") == "Mini Local"
    assert node.rpc.call("system_properties")["ss58Format"] == 42
    assert node.rpc.call("system_health") == {"peers": 0, "isSyncing": False, "shouldHavePeers": False}
    address = ss58.encode(account(ALICE))
    assert node.rpc.call("system_accountNextIndex", [address]) == 3
    for nonce in (3, 4, 6):
        node.pool.submit(node.sign(ALICE, transfer(FERDIE, UNIT), nonce))
    assert node.rpc.call("system_accountNextIndex", [address]) == 5
    assert code_of(node, "system_accountNextIndex", "nobody") == -32602


class Neighbours:
    """The peers of a node, as its network names them."""

    name = "alice"

    def peers(self) -> tuple[str, ...]:
        return "bob", "carol", "dave"


def test_peers_are_shown_with_their_role_and_the_block_they_announced_last(node: MiniNode) -> None:
    info = NodeInfo("Mini", "mini-node", "0", {}, authorities=("alice", "bob"))
    heads: dict[str, Hash] = {}
    rpc = node_rpc(info, node.chain, node.pool, network=Neighbours(), heads=heads)  # type: ignore[arg-type]
    heads |= {"bob": node.chain.best, "carol": Hash(b"\7" * 32)}

    assert rpc.call("system_peers") == [
        {"peerId": "bob", "roles": "AUTHORITY", "bestHash": to_hex(node.chain.best), "bestNumber": 3},
        # On a fork that finality ruled out.
        {"peerId": "carol", "roles": "FULL", "bestHash": to_hex(node.chain.finalized), "bestNumber": 2},
        {"peerId": "dave", "roles": "FULL", "bestHash": to_hex(node.chain.genesis), "bestNumber": 0},
    ]


@pytest.mark.parametrize("is_alone", [False, True])
def test_a_node_that_has_no_peers_by_design_is_healthy_without(node: MiniNode, is_alone: bool) -> None:
    info = NodeInfo("Mini", "mini-node", "0", {}, is_alone=is_alone)
    rpc = node_rpc(info, node.chain, node.pool, network=Neighbours())  # type: ignore[arg-type]

    assert rpc.call("system_health") == {"peers": 3, "isSyncing": False, "shouldHavePeers": not is_alone}


def test_submitting_and_what_is_refused(node: MiniNode) -> None:
    raw = opaque(node.sign(ALICE, transfer(FERDIE, UNIT), 3))
    assert node.rpc.call("author_submitExtrinsic", [to_hex(raw)]) == to_hex(blake2_256(raw))
    assert node.rpc.call("author_pendingExtrinsics") == [to_hex(raw)]

    refusals: list[tuple[int, str, object]] = []
    stale = opaque(node.sign(ALICE, transfer(FERDIE, UNIT), 0))
    forged = opaque(node.sign(ALICE, transfer(FERDIE, UNIT), 4)[:-1] + b"\x77")
    poor = opaque(node.sign(FERDIE, transfer(BOB, UNIT), 0, tip=50 * UNIT))
    for data in (raw, stale, forged, forged, poor, b"\x08\x01"):
        with pytest.raises(RpcError) as error:
            node.rpc.call("author_submitExtrinsic", [to_hex(data)])
        refusals.append((error.value.code, error.value.message, error.value.data))

    invalid = "Invalid Transaction"
    assert refusals[:5] == [
        (1013, "Transaction Already Imported", to_hex(blake2_256(raw))),
        (1010, invalid, "Transaction is outdated"),
        (1010, invalid, "Transaction has a bad signature"),
        (1012, "Transaction is temporarily banned", None),
        (1010, invalid, "Inability to pay some fees (e.g. account balance too low)"),
    ]
    assert refusals[5][0] == 1001


def test_fees(node: MiniNode) -> None:
    raw = opaque(node.sign(ALICE, transfer(FERDIE, UNIT), 3))
    info = node.rpc.call("payment_queryInfo", [to_hex(raw)])
    details = node.rpc.call("payment_queryFeeDetails", [to_hex(raw)])["inclusionFee"]

    assert info["class"] == "normal"
    assert int(info["partialFee"]) == sum(int(part, 16) for part in details.values()) > 0
    assert info["weight"]["ref_time"] > 0


async def test_following_heads_and_storage(node: MiniNode) -> None:
    client = LocalClient(node.rpc)
    heads = await client.subscribe("chain_subscribeNewHeads", unsubscribe="chain_unsubscribeNewHeads")
    every = await client.subscribe("chain_subscribeAllHeads", unsubscribe="chain_unsubscribeAllHeads")
    final = await client.subscribe("chain_subscribeFinalizedHeads", unsubscribe="chain_unsubscribeFinalizedHeads")
    key = to_hex(number_key(node))
    storage = await client.subscribe("state_subscribeStorage", [key, "0x1234"], unsubscribe="state_unsubscribeStorage")
    version = await client.subscribe("state_subscribeRuntimeVersion", unsubscribe="state_unsubscribeRuntimeVersion")

    best = node.grow(weight=1)
    node.grow(parent=node.chain.finalized)
    node.chain.finalize(best)
    for stream in (heads, every, final, storage, version):
        await stream.close()
    node.grow()

    assert [head["number"] async for head in heads] == ["0x3", "0x4"]
    assert [head["number"] async for head in every] == ["0x3", "0x4", "0x3"]
    assert [head["number"] async for head in final] == ["0x2", "0x3", "0x4"]
    assert [note["changes"] async for note in storage] == [
        [[key, to_hex(encode(u32, 3))], ["0x1234", None]],
        [[key, to_hex(encode(u32, 4))]],
    ]
    assert [each["specName"] async for each in version] == ["mini"]


async def watch(node: MiniNode, raw: bytes) -> Any:
    return await LocalClient(node.rpc).subscribe(
        "author_submitAndWatchExtrinsic", to_hex(opaque(raw)), unsubscribe="author_unwatchExtrinsic"
    )


async def test_a_watch_ends_with_finality(node: MiniNode) -> None:
    stream = await watch(node, node.sign(ALICE, transfer(FERDIE, UNIT), 3))
    block = node.author()
    node.chain.finalize(block)

    assert [status async for status in stream] == ["ready", {"inBlock": to_hex(block)}, {"finalized": to_hex(block)}]


async def test_a_bad_end_is_followed_by_dropped(node: MiniNode) -> None:
    stream = await watch(node, node.sign(ALICE, transfer(FERDIE, UNIT), 3))
    winner = node.pool.submit(node.sign(ALICE, transfer(FERDIE, UNIT), 3, tip=UNIT))

    assert [status async for status in stream] == ["ready", {"usurped": to_hex(winner)}, "dropped"]


async def test_an_invalid_transaction_is_refused_in_the_reply(node: MiniNode) -> None:
    with pytest.raises(RpcError, match="Transaction is outdated"):
        await watch(node, node.sign(ALICE, transfer(FERDIE, UNIT), 0))
