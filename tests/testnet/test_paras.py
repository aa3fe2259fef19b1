"""The chains of a network file: what cannot be one is refused with its place and its cure, before anything runs."""

from pathlib import Path
from typing import Any

import pytest

from substrate.runtime.declared import WIRE_FORMS
from testnet.bundler import NodeBundler
from testnet.errors import UsageError
from testnet.manifest import AssetRate, IssuedAsset, Manifest, Node, Parachain, Relaychain
from testnet.paras import Para, load_paras
from xcm.junction import GeneralIndex, PalletInstance
from xcm.location import location

NODES = (Node(name="alice"), Node(name="bob"))
IMPORTS = """from parachains.sdk.plugin import (
    Balance, BlockNumber, Error, Event, Parachain, Signed, StorageMap, StorageValue, Struct, Weight, call, config,
    storage_map, storage_value, u32,
)
"""
LINE = IMPORTS.count("\n") + 1
INT = f"int has no wire form; take {WIRE_FORMS}"
UNREADABLE = "A.s: annotate it StorageMap[K, V], not in quotes nor under `from __future__`"
HOOKS = "its hooks may not raise, and those that begin or idle return the Weight they used"


def loaded(directory: Path, **settings: object) -> tuple[Para, ...]:
    para = Parachain(id=2000, **{"runtime": "./a.py:A", **settings})
    manifest = Manifest(relaychain=Relaychain(nodes=NODES), parachains=(para,), directory=directory)
    return load_paras(manifest, NodeBundler())


def refusal(directory: Path, source: str = "", **settings: object) -> str:
    (directory / "a.py").write_text(IMPORTS + source)
    with pytest.raises(UsageError) as refused:
        loaded(directory, **settings)
    return str(refused.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("@call\n def f(self, origin: Signed, x): ...", "A.f(x): it has no type; write `x: u32`, or take "
         f"{WIRE_FORMS}"),
        ("@call\n def f(self, origin: Signed, x: int): ...", f"A.f(x): {INT}"),
        (
            "@call\n def f(self, origin: Signed, *x: u32): ...",
            "A.f(x): a call takes one by one what it takes; for several write tuple[T, ...]",
        ),
        ("@call\n def f(self): ...", "A.f: it takes no origin; write `def f(self, origin: Signed)`"),
        (
            "@call\n def f(self, origin): ...",
            "A.f(origin): a call's first parameter is its origin; annotate it Signed, Root, NoneOrigin or AnyOrigin",
        ),
        ("@call\n def f(self, origin: Signed, x: 'X'): ...", "A.f: name 'X' is not defined; import it, or define it in "
         "the module"),
        (
            "@call\n def f(self, origin: Signed, x: list[u32]): ...",
            f"A.f(x): list[u32] has no wire form; take {WIRE_FORMS}",
        ),
        ("class E(Event):\n  x: int", f"A.E(x): {INT}"),
        ("s: StorageValue[float]", f"A.s: float has no wire form; take {WIRE_FORMS}"),
        (
            "s: StorageMap[u32, u32 | Balance | None]",
            f"A.s: u32 in a union is no @variant; take {WIRE_FORMS}",
        ),
        ("s: StorageMap = storage_map()", "A.s: annotate it StorageMap[K, V]"),
        ("s = storage_map()", "A.s: annotate it StorageMap[K, V]"),
        ("s: StorageValue[u32] = storage_value(default='x')", "A.s: its default 'x' is not of its type"),
        ("class I(Struct):\n  x: int\n s: StorageValue[I | None]", "its metadata cannot be written: A.I: "
         f"int has no wire form; in calls, events, storage and in what these hold take {WIRE_FORMS}"),
        (
            "def on_initialize(self, number):\n  raise ValueError('no')",
            "it cannot build its first block: RuntimePanic (cause=ValueError: no) "
            f"(a line {LINE + 2}, in on_initialize); {HOOKS}",
        ),
        (
            "def on_initialize(self, number): ...",
            "it cannot build its first block: RuntimePanic (cause=AttributeError: 'NoneType' object has no attribute "
            f"'ref_time'); {HOOKS}",
        ),
        (
            "def on_idle(self, number, remaining): ...",
            "it cannot build its first block: RuntimePanic (cause=AttributeError: 'NoneType' object has no attribute "
            f"'ref_time'); {HOOKS}",
        ),
    ],
)  # fmt: skip
def test_what_a_chain_declares_wrongly_is_named(tmp_path: Path, body: str, message: str) -> None:
    said = refusal(tmp_path, f"class A(Parachain):\n {body}")

    assert said == f"para 2000: ./a.py:A: {message}"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("class A(Parachain):\n s: StorageMap", UNREADABLE),
        ("class A(Parachain):\n s: 'StorageMap[u32, u32]'", UNREADABLE),
        ("class A(Parachain):\n s: StorageValue[u32] = 0", "A.s: a storage item has no plain default; write "
         "storage_value(default=0)"),
        ("class A(Parachain):\n runtime: StorageValue[u32]", "A.runtime: every pallet has something of that name; "
         "rename the storage item"),
        ("class A(Parachain):\n @call\n def emit(self, origin: Signed): ...", "A.emit: every pallet has something of "
         "that name; rename the call"),
        ("class A(Parachain, symbool='A'): ...", "A has no class keyword symbool; there are symbol, decimals, "
         "spec_version, index, assets_index"),
        ("class A(Parachain, symbol=5): ...", "A: symbol=5 is not a text such as 'UNIT'"),
        ("class A(Parachain, decimals='x'): ...", "A: decimals='x' is not a whole number from 0 to 38"),
        ("class A(Parachain, index=256): ...", "A: index=256 is not a whole number from 0 to 255"),
    ],
)  # fmt: skip
def test_a_class_that_does_not_stand_is_named(tmp_path: Path, source: str, message: str) -> None:
    said = refusal(tmp_path, source)

    assert said == (f"./a.py:A: importing a failed: DeclarationError: {message}; fix the plugin, or name another one")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("class A(Parachain, index=10): ...", "ARuntime mounts Balances and A at one index, 10; give one of them "
         "another, such as 56"),
        ("class Balances(Parachain): ...\nA = Balances", "Balances is the name of a standard pallet; rename the class"),
    ],
)  # fmt: skip
def test_a_chain_takes_no_standard_pallets_place(tmp_path: Path, source: str, message: str) -> None:
    assert refusal(tmp_path, source) == f"para 2000: ./a.py:A: {message}"


def test_what_stumbles_at_genesis_is_named_with_its_line(tmp_path: Path) -> None:
    source = "class A(Parachain):\n def genesis(self, config):\n  config['owner']"

    assert refusal(tmp_path, source) == (
        f"para 2000: no genesis block: KeyError: 'owner' (a line {LINE + 2}, in genesis); "
        "see its runtime and [genesis] in the network file"
    )


@pytest.mark.parametrize(
    ("collators", "message"),
    [
        (
            (Node(name="carol", rpc_port=9_000),),
            "carol has an rpc_port, but adder is a Level 0 chain, whose node serves no RPC; drop the rpc_port",
        ),
        (
            (Node(name="carol"), Node(name="dan")),
            "adder is a Level 0 chain, which has one collator, and there are 2; keep carol",
        ),
    ],
)
def test_a_level_0_chain_has_neither_rpc_nor_a_second_collator(
    tmp_path: Path, collators: tuple[Node, ...], message: str
) -> None:
    assert refusal(tmp_path, runtime="adder", collators=collators) == f"para 2000: {message}"
    assert loaded(tmp_path, runtime="adder", collators=(Node(name="carol"),))[0].level_one is None


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("assets", {"assets": (IssuedAsset(id=1, symbol="ONE"),)}),
        ("rates", {"rates": (AssetRate(asset="relay", rate=1),)}),
    ],
)
def test_a_level_0_chain_has_no_assets(tmp_path: Path, key: str, given: dict[str, Any]) -> None:
    assert refusal(tmp_path, runtime="adder", **given) == (
        f"para 2000: adder is a Level 0 chain, which knows no {key}; drop [[parachains.{key}]]"
    )


def stored_rates(directory: Path, *, decimals: int, rates: tuple[AssetRate, ...] = ()) -> list[int]:
    """What the chain's genesis says of the one asset that it issues; its own token has 12 decimals."""
    (directory / "a.py").write_text(IMPORTS + "class A(Parachain): ...")
    asset = IssuedAsset(id=1, symbol="ONE", decimals=decimals)
    [para] = loaded(directory, assets=(asset,), rates=rates)
    place = location(0, PalletInstance(51), GeneralIndex(1))
    return [rate for found, rate in para.config.pallets["asset_rate"]["rates"] if found == place]


@pytest.mark.parametrize(
    ("decimals", "rate", "expected"),
    [
        (6, 0.1, 10**23),
        (12, 0.1, 10**17),
        (12, 3.0, 3 * 10**18),
        (18, 1e-12, 1),
        (0, 1e8, 10**38),
    ],
)
def test_a_rate_counts_in_whole_units(tmp_path: Path, decimals: int, rate: float, expected: int) -> None:
    assert stored_rates(tmp_path, decimals=decimals, rates=(AssetRate(asset="2000/1", rate=rate),)) == [expected]


@pytest.mark.parametrize(("decimals", "expected"), [(12, [10**18]), (6, [10**24]), (30, [1]), (31, [])])
def test_an_asset_is_worth_one_unless_that_cannot_be_said(tmp_path: Path, decimals: int, expected: list[int]) -> None:
    assert stored_rates(tmp_path, decimals=decimals) == expected


@pytest.mark.parametrize(("decimals", "rate"), [(38, 1.0), (18, 1e-18), (0, 1e18)])
def test_a_rate_that_cannot_be_held_is_refused_by_its_key(tmp_path: Path, decimals: int, rate: float) -> None:
    with pytest.raises(UsageError) as refused:
        stored_rates(tmp_path, decimals=decimals, rates=(AssetRate(asset="2000/1", rate=rate),))

    assert refused.value.key == ("parachains", 0, "rates", 0)
    assert str(refused.value) == (
        f"para 2000: a rate of {rate:g} for '2000/1' does not fit a FixedU128: that has {decimals} decimals, UNIT 12; "
        "change the rate or the decimals"
    )


def test_a_chain_of_several_collators_is_tried_as_the_first(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(IMPORTS + "class A(Parachain): ...")

    [para] = loaded(tmp_path, collators=tuple(Node(name=name) for name in ("carol", "dan", "eve")))

    assert len(para.config.authorities) == 3
