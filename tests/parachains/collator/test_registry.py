"""Plugins: found, bundled, and refused with a cause and a cure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from parachains.collator.registry import Module, PluginError, load_plugin, sources
from relaychain.primitives.bundle import SourceFile, read_bundle
from relaychain.pvf.bundle import make_bundle
from relaychain.pvf.loader import Loaded

DIRECTORY = Path(__file__).parents[3]


class NodeBundler:
    def make(self, entry: str, files: Sequence[Module]) -> bytes:
        return make_bundle(entry, [SourceFile(*file) for file in files])

    def load(self, code: bytes) -> Any:
        loaded = Loaded(code)
        loaded.meter.left = 1 << 62
        return loaded.entry


@pytest.mark.parametrize(
    ("reference", "modules"),
    [
        ("parachains.adder.chain:Adder", ["parachains.adder.chain"]),
        ("parachains.assets.chain:AssetHub", ["parachains.assets.chain"]),
        ("./testnet/examples/bazaar.py:Bazaar", ["bazaar"]),
    ],
)
def test_a_plugin_is_its_own_modules(reference: str, modules: list[str]) -> None:
    plugin = load_plugin(reference, DIRECTORY, NodeBundler())

    assert [file.module for file in read_bundle(plugin.code).files] == modules
    assert plugin.chain.__name__ == reference.rpartition(":")[2]


def test_modules_that_the_entry_imports_come_along(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "shop.py").write_text("from rules.price import PRICE\nclass Shop: price = PRICE\n")
    (tmp_path / "rules" / "price.py").write_text("import json\nPRICE = 5\n")

    entry, files = sources("./shop.py:Shop", tmp_path)

    assert entry == "shop:Shop"
    assert [file.name for file in files] == ["rules.price", "shop"]


@pytest.mark.parametrize(
    ("reference", "text", "message"),
    [
        ("nothing", "", "unknown plugin 'nothing'; installed are .*write package.module:Class"),
        ("no.such.module:X", "", "there is no module no.such.module .* name a file as ./file.py:Class"),
        ("./none.py:X", "", "there is no file .*none.py; paths are relative to the manifest"),
        ("./p.py:not a name", "", "'not a name' is no class name"),
        ("./p.py:X", "class Y: pass", "p has no class X; it has Y"),
        ("./p.py:X", "class X: pass", "X has no genesis_block; derive it from"),
        ("./p.py:X", "raise ValueError('at import')", "importing p failed: ValueError: at import; fix the plugin"),
        ("./p.py:X", "class X(:", "p does not parse"),
        ("./p.py:X", "\nimport numpy", "p line 2 imports numpy. Validation code may import the standard library"),
        ("./p.py:X", "from . import y", r"p line 1 imports \.\. "),
        ("./p.py:X", "from relaychain.runtime import paras", "p line 1 imports relaychain.runtime"),
    ],
)
def test_what_is_wrong_is_said_with_its_cure(tmp_path: Path, reference: str, text: str, message: str) -> None:
    (tmp_path / "p.py").write_text(text)

    with pytest.raises(PluginError, match=message):
        load_plugin(reference, tmp_path, NodeBundler())
