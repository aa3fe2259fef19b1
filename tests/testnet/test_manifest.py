"""The network file: what it means, and how each mistake is answered."""

import ast
import json
import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from testnet.genesis import relay_genesis
from testnet.manifest import (
    AssetRate,
    Channel,
    DelaySettings,
    Duration,
    HrmpChannels,
    IssuedAsset,
    Manifest,
    Node,
    NodeGroup,
    Parachain,
    RecordSettings,
    Relaychain,
    Settings,
    demo_manifest_path,
)
from testnet.manifest_reader import ManifestError, load_manifest, located

RELAY = '[relaychain]\nnode_groups = [{name = "more", count = 1}]\n[[relaychain.nodes]]\nname = "alice"\n'
ASSET = "[[parachains]]\nid = 1\n[[parachains.assets]]\nid = 7\nsymbol = 'A'\n"
PARAS = "[[parachains]]\nid = 1000\n[[parachains]]\nid = 2000\n"


def read(tmp_path: Path, text: str) -> Manifest:
    path = tmp_path / "net.toml"
    path.write_text(text)
    return load_manifest(path)


def problems(tmp_path: Path, text: str) -> list[str]:
    """What is wrong, without the directory."""
    with pytest.raises(ManifestError) as rejection:
        read(tmp_path, text)
    return [line.removeprefix(f"{tmp_path}/") for line in rejection.value.problems]


def test_the_demo_is_four_validators_two_parachains_and_channels_both_ways() -> None:
    demo = load_manifest(demo_manifest_path())

    assert [(node.name, node.key_uri) for node in demo.relaychain.validators] == [
        ("alice", "//Alice"), ("bob", "//Bob"), ("charlie", "//Charlie"), ("dave", "//Dave")
    ]  # fmt: skip
    assert demo.relaychain.nodes[0].rpc_port == 9944
    assert [(para.id, para.all_collators[0].rpc_port) for para in demo.parachains] == [(1000, 9988), (2000, 9999)]
    assert demo.channels == (Channel(1000, 2000, 8, 8192), Channel(2000, 1000, 8, 8192))
    assert (demo.settings.seed, demo.block_time_us, demo.settings.clock) == (42, 500_000, "real")


def test_the_smallest_file_has_defaults(tmp_path: Path) -> None:
    network = read(tmp_path, RELAY + "[[parachains]]\nid = 7\n")

    assert network.settings.name == "net"
    assert network.relaychain.nodes[0].rpc_port == 0
    assert network.parachains[0].runtime == "assets"
    assert [node.name for node in network.parachains[0].all_collators] == ["collator-7"]
    assert network.directory == tmp_path


def test_a_zombienet_file_is_accepted_and_binaries_are_ignored(tmp_path: Path) -> None:
    network = read(
        tmp_path,
        '[settings]\nprovider = "native"\ntimeout = 60\n[relaychain]\ndefault_command = "polkadot"\n'
        '[[relaychain.nodes]]\nname = "alice"\nargs = ["-lxcm=trace"]\n'
        '[[relaychain.node_groups]]\nname = "extra"\ncount = 2\n'
        '[[parachains]]\nid = 100\naddToGenesis = false\n[parachains.collator]\nname = "c"\ncommand = "adder"\n',
    )

    assert [node.name for node in network.relaychain.validators] == ["alice", "extra-0", "extra-1"]
    assert [node.name for node in network.parachains[0].all_collators] == ["c"]
    assert network.ignored == (
        "settings.provider", "relaychain.default_command", "relaychain.nodes.args", "parachains.addToGenesis",
        "parachains.collator.command",
    )  # fmt: skip


def test_all_channels_connect_every_pair(tmp_path: Path) -> None:
    relay = RELAY.replace("count = 1", "count = 2")
    network = read(
        tmp_path, relay + PARAS + "[[parachains]]\nid = 3000\n[[hrmp_channels]]\nall = true\nmax_capacity = 3\n"
    )

    assert len(network.channels) == 6
    assert network.channels[0] == Channel(1000, 2000, 3, 8192)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[settings]\nclok = 'real'\n" + RELAY,
            "2: settings.clok: unknown key; did you mean clock? "
            "allowed: block_time, clock, keep_states, local_ip, name, seed, timeout, transport",
        ),
        ("[settings]\nclock = 'fast'\n" + RELAY,
 "2: settings.clock: 'fast' is not possible; allowed: 'real', 'virtual'"),
        ("[settings]\ntransport = 'mqtt'\n" + RELAY,
 "2: settings.transport: 'mqtt' is not possible; allowed: 'memory'"),
        (
            "[settings]\nblock_time = '5 parsecs'\n" + RELAY,
            "2: settings.block_time: '5 parsecs' is not a duration: "
            'write "500ms", "6s", "3 blocks" or "2 sessions"',
        ),
        ("[settings]\nblock_time = '5 blocks'\n" + RELAY,
         '2: settings.block_time: must be a time in whole milliseconds, such as "500ms"'),
        ("[settings]\nblock_time = '1s'\nblockTime = '2s'\n" + RELAY,
         "2: settings.blockTime: the same as block_time, which is given too; keep one"),
        (RELAY.replace("[relaychain]\n", "[relaychain]\nepoch_duration = '1 block'\n") + PARAS,
         "2: relaychain.epoch_duration: with a session in each block no candidate can become available: a new session "
         "drops what is pending; write 2 blocks or more"),
        ("[settings]\nseed = -1\n" + RELAY, "2: settings.seed: expected int >= 0"),
        ("[relaychain]\nchain = 'x'\n", "1: relaychain: no validators; add [[relaychain.nodes]] with a name"),
        ("[settings]\nblock_time = '1500us'\n" + RELAY,
         '2: settings.block_time: must be a time in whole milliseconds, such as "500ms"'),
        ("[relaychain]\nnodes = [{name = 'alice'}]\n" + PARAS,
         "1: relaychain: one validator cannot keep a parachain's blocks available: erasure coding needs two; "
         "add another [[relaychain.nodes]], or remove the parachains"),
        (RELAY + PARAS + "[[parachains]]\nid = 3000\n",
         "1: relaychain: 2 validators for 3 cores: each parachain's core needs a validator of its own, or the "
         "parachain stands still; add [[relaychain.nodes]], or remove parachains"),
        (RELAY + "[relaychain.genesis.configuration.scheduler_params]\nnum_cores = 4\n" + PARAS,
         "1: relaychain: 2 validators for 4 cores: each parachain's core needs a validator of its own, or the "
         "parachain stands still; add [[relaychain.nodes]], or remove parachains"),
        ("[relaychain]\nminimum_backing_votes = 5_000_000_000\n",
         "2: relaychain.minimum_backing_votes: expected int <= 4294967295"),
        (RELAY + PARAS + "[[hrmp_channels]]\nall = true\nmax_capacity = 5_000_000_000\n",
         "11: hrmp_channels[0].max_capacity: expected int <= 4294967295"),
        (RELAY + "[[parachains]]\nid = 'x'\n", "6: parachains[0].id: expected int, got str"),
        (RELAY + PARAS + "[[hrmp_channels]]\nsender = 'x'\n", "10: hrmp_channels[0].sender: expected int, got str"),
        (RELAY + "[[parachains]]\nid = 1\ngenesis = {balances = 1}\n",
         "7: parachains[0].genesis.balances: expected a table, got int"),
        (RELAY.replace("[relaychain]", "[relaychain]\naccounts = {alice = 1, bob = 'many'}", 1),
         "2: relaychain.accounts.bob: expected int, got str"),
        (RELAY + "[relaychain.accounts]\nalice = 1\nbob = -1\n", "7: relaychain.accounts.bob: expected int >= 0"),
        ("[settings]\nblock_time = '" + "9" * 400 + ".0s'\n" + RELAY,
         "2: settings.block_time: '" + "9" * 400 + ".0s' is not a duration: "
         'write "500ms", "6s", "3 blocks" or "2 sessions"'),
        ("[settings]\nlocal_ip = 'a..b'\n" + RELAY,
         "2: settings.local_ip: 'a..b' is no IP address; write one such as \"127.0.0.1\""),
        (RELAY + '[record]\npath = "a\\u0000b"\n', "6: record.path: 'a\\x00b' is no path; remove the NUL character"),
        (RELAY + "[[parachains]]\nid = 1\n[[parachains.rates]]\nasset = 'relay'\nrate = inf\n",
         "9: parachains[0].rates[0].rate: expected float <= 1e+18"),
        (RELAY + "[[parachains]]\nid = 1\n[[parachains.rates]]\nasset = 'relay'\nrate = 1e-300\n",
         "9: parachains[0].rates[0].rate: expected float >= 1e-18"),
        ("x = 1\ny = " + "[" * 3000 + "]" * 3000 + "\n", "2: brackets in brackets, deeper than can be read"),
        (RELAY.replace("alice", "collator-1000") + "[[relaychain.nodes]]\nname = 'bob'\n" + PARAS,
         "7: parachains[0].name: 'collator-1000' is already the name of relaychain.nodes[0]"),
        (RELAY + "rpcPort = 99999\n", "5: relaychain.nodes[0].rpc_port: expected int <= 65535"),
        ("# \u2028 one line\n[settings]\nseed = -1\n" + RELAY, "3: settings.seed: expected int >= 0"),
        ("nodes = 3\n[relaychain]\nnodes = 3\n", "1: nodes: unknown key; allowed: hrmp_channels, parachains, record, "
         "relaychain, settings"),
        (RELAY + "behaviour = 'equivocate'\n",
         "5: relaychain.nodes[0].behaviour: 'equivocate' is not possible; allowed: 'honest'; "
         "other behaviours are not part of this version"),
        (RELAY + "[[faults]]\nkind = 'loss'\n",
         "5: faults: faults cannot be set in the file in this version; remove the section"),
        (RELAY + "rpc_port = 70000\n", "5: relaychain.nodes[0].rpc_port: expected int <= 65535"),
        (RELAY + "[[relaychain.nodes]]\n", "5: relaychain.nodes[1]: missing key name"),
        (RELAY + "[[relaychain.nodes]]\nname = 'Alice'\n",
         "6: relaychain.nodes[1].name: 'Alice' is already the name of relaychain.nodes[0]"),
        (RELAY + "[[relaychain.nodes]]\nname = 'a b'\n",
         "6: relaychain.nodes[1].name: 'a b' is not a name; use letters, digits, - and _"),
        (RELAY + "rpc_port = 1\n[[relaychain.nodes]]\nname = 'bob'\nrpc_port = 1\n",
         "8: relaychain.nodes[1].rpc_port: 1 is already the port of relaychain.nodes[0]; 0 picks a free one"),
        (RELAY + "[[parachains]]\nid = 1\n[parachains.collator]\nname = 'c'\nvalidator = false\n",
         "9: parachains[0].collator.validator: a collator validates nothing in any case; remove the key"),
        (RELAY + "[[parachains]]\nid = 1\n[[parachains.collators]]\nname = 'c'\nbalance = 0\n",
         "9: parachains[0].collators[0].balance: only a validator has a stash to hold it; remove the key, or give the "
         "balance to an account under [relaychain.accounts]"),
        (RELAY + "[[relaychain.nodes]]\nname = 'bob'\nvalidator = false\nbalance = 5\n",
         "8: relaychain.nodes[1].balance: only a validator has a stash to hold it; remove the key, or give the "
         "balance to an account under [relaychain.accounts]"),
        (RELAY + '[record]\npath = "~nobody-of-that-name/runs"\n',
         "6: record.path: '~nobody-of-that-name/runs' begins with nobody's home directory; write it out"),
        (RELAY + "[[parachains]]\nid = 1\n[[parachains]]\nid = 1\n",
         "8: parachains[1].id: two parachains have the id 1"),
        (RELAY + ASSET + "[[parachains.assets]]\nid = 7\nsymbol = 'X'\n",
         "11: parachains[0].assets[1].id: two assets of the parachain have the id 7"),
        (RELAY + ASSET + "min_balance = 10\nbalance = 9\n",
         f"11: parachains[0].assets[0].balance: 9 is no balance of it; write 0, or from 10 to {2**100}"),
        (RELAY + ASSET + f"balance = {2**100 + 1}\n",
         f"10: parachains[0].assets[0].balance: {2**100 + 1} is no balance of it; write 0, or from 1 to {2**100}"),
        (RELAY + ASSET + f"min_balance = {2**100 + 1}\n",
         f"10: parachains[0].assets[0].min_balance: {2**100 + 1} is too large; at most {2**100}"),
        (RELAY + "[[parachains]]\nid = 1\nruntime = 'a b'\n",
         "7: parachains[0].runtime: 'a b' names no runtime; "
         'write "assets", "package.module:Class" or "./file.py:Class"'),
        (RELAY + PARAS + "[[hrmp_channels]]\nsender = 1000\nrecipient = 3\n",
         "11: hrmp_channels[0].recipient: no parachain has the id 3; allowed: 1000, 2000"),
        (RELAY + PARAS + "[[hrmp_channels]]\nsender = 1000\nrecipient = 1000\n",
         "11: hrmp_channels[0].recipient: a parachain needs no channel to itself"),
        (RELAY + PARAS + "[[hrmp_channels]]\nsender = 1000\n",
         "9: hrmp_channels[0].recipient: missing; give the id of a parachain, "
         "or all = true for every pair (1000, 2000)"),
        (RELAY + PARAS + "[[hrmp_channels]]\nall = true\n[[hrmp_channels]]\nsender = 1000\nrecipient = 2000\n",
         "11: hrmp_channels[1]: the channel 1000 -> 2000 is already open"),
        ("[relaychain\n", "1: not TOML: Expected ']' at the end of a table declaration"),
    ],
)  # fmt: skip
def test_each_mistake_names_file_line_key_and_the_way_out(tmp_path: Path, text: str, expected: str) -> None:
    assert problems(tmp_path, text) == [f"net.toml:{expected}"]


@pytest.mark.parametrize("number", ["3", "[]", '"x"'])
def test_what_a_group_of_parameters_is_shows_when_its_chain_is_made(tmp_path: Path, number: str) -> None:
    text = RELAY + f"[relaychain.genesis.configuration]\nscheduler_params = {number}\n"

    with pytest.raises(ManifestError) as refusal, located(network := read(tmp_path, text)):
        relay_genesis(network, ())

    [problem] = refusal.value.problems
    assert problem.startswith(
        f"{tmp_path}/net.toml:6: relaychain.genesis.configuration.scheduler_params: {ast.literal_eval(number)!r} is no "
        "table; its keys are group_rotation_frequency, "
    )


def test_the_edges_of_an_assets_balance_are_taken(tmp_path: Path) -> None:
    second = f"[[parachains.assets]]\nid = 8\nsymbol = 'B'\nmin_balance = 10\nbalance = {2**100}\n"
    [para] = read(tmp_path, RELAY + ASSET + "min_balance = 10\nbalance = 10\n" + second).parachains

    assert [asset.balance for asset in para.assets] == [10, 2**100]


def test_runs_may_go_to_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert read(tmp_path, RELAY + '[record]\npath = "~/runs"\n').record.directory == tmp_path / "runs"


def test_a_missing_runtime_file_is_named(tmp_path: Path) -> None:
    found = problems(tmp_path, RELAY + "[[parachains]]\nid = 1\nruntime = './shop.py:Shop'\n")

    assert found == [
        f"net.toml:7: parachains[0].runtime: no file {tmp_path}/shop.py; the path counts from the network file"
    ]


def test_what_is_no_network_file_says_where_an_example_is(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    (tmp_path / "empty.toml").touch()

    for name, why in (
        ("none.toml", "no such file"),
        (".", "cannot be read: Is a directory"),
        ("bytes.toml", "is not UTF-8 text"),
        ("empty.toml", "missing key relaychain"),
    ):
        with pytest.raises(ManifestError, match=rf"{why}.*; write one like .*demo\.toml"):
            load_manifest(tmp_path / name)


def test_several_unknown_keys_are_all_named(tmp_path: Path) -> None:
    found = problems(tmp_path, "x = 1\n[settings]\ny = 2\n" + RELAY)

    assert [line.split(": unknown")[0] for line in found] == ["net.toml:1: x", "net.toml:3: settings.y"]


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("500ms", Duration(500_000, "us")),
        ("0.5s", Duration(500_000, "us")),
        ("2m", Duration(120_000_000, "us")),
        ("1 block", Duration(1, "blocks")),
        ("2 sessions", Duration(2, "sessions")),
    ],
)
def test_durations(text: str, duration: Duration) -> None:
    assert Duration.parse(text) == duration
    assert Duration.parse(str(duration)) == duration


@pytest.mark.parametrize("text", ["", "5", "ms", "1.5 blocks", "-1s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        Duration.parse(text)


README = Path(__file__).parents[2] / "testnet" / "README.md"
TABLES: dict[str, type[msgspec.Struct]] = {
    "[settings]": Settings,
    "[relaychain]": Relaychain,
    "[[relaychain.nodes]]": Node,
    "[[relaychain.node_groups]]": NodeGroup,
    "[relaychain.default_delay_network_settings]": DelaySettings,
    "[[parachains]]": Parachain,
    "[[parachains.assets]]": IssuedAsset,
    "[[parachains.rates]]": AssetRate,
    "[[hrmp_channels]]": HrmpChannels,
    "[record]": RecordSettings,
}


def default_text(field: msgspec.structs.FieldInfo) -> str:
    """As a network file would write it."""
    match field.default:
        case msgspec.NODEFAULT:
            return "`{}`" if field.default_factory is dict else "needed"
        case None:
            return "unset"
        case Duration() as duration:
            return f'`"{duration}"`'
        case value:
            return f"`{json.dumps(value)}`"


def is_table(hint: Any) -> bool:
    """Whether a key is a table, or a list of tables, with rows of its own."""
    inner = [each for part in (hint, *get_args(hint)) for each in (part, *get_args(part))]
    return any(isinstance(each, type) and issubclass(each, msgspec.Struct) for each in inner if each is not Duration)


def test_the_readme_has_every_key_with_its_default() -> None:
    found = re.findall(r"^\| `(\[.+\])` \| `(\w+)` \| (\S.*?) \| \S.* \|$", README.read_text(), re.MULTILINE)

    assert found == [
        (table, field.name, default_text(field))
        for table, kind in TABLES.items()
        for field in msgspec.structs.fields(kind)
        if not is_table(field.type)
    ]
