"""Rule packages reach no clock, no chance and no outside world: what a fresh interpreter loads with them.

The import-linter contract `pure-rules` says the same of import statements; this sees what really comes in.
"""

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RULES = (
    "substrate.scale substrate.crypto substrate.trie substrate.state substrate.block substrate.runtime "
    "substrate.pallets substrate.consensus xcm relaychain.primitives relaychain.runtime relaychain.selection "
    "relaychain.erasure parachains.sdk parachains.settlement"
).split()
FORBIDDEN = (
    "asyncio threading datetime random secrets uuid logging socket ssl selectors subprocess multiprocessing sqlite3 "
    "aiohttp aiomqtt amqtt paho pandas substrateinterface websockets requests"
).split()
# What the libraries that rules may use bring along themselves.
LIBRARIES = "msgspec nacl.bindings nacl.signing numpy xxhash sr25519 ed25519_zebra hashlib dataclasses inspect"

PROBE = """
import importlib, json, sys
for name in {libraries!r}.split():
    importlib.import_module(name)
before = set(sys.modules)
for name in {modules!r}:
    importlib.import_module(name)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def modules_of(package: str) -> list[str]:
    """The package and everything below it."""
    path = ROOT / package.replace(".", "/")
    if path.is_dir():
        found = pkgutil.walk_packages([str(path)], f"{package}.", onerror=lambda name: None)
        return [package, *(module.name for module in found)]
    return [package]


def exists(package: str) -> bool:
    path = ROOT / package.replace(".", "/")
    return (path / "__init__.py").exists() or path.with_suffix(".py").exists()


@pytest.mark.parametrize("package", [package for package in RULES if exists(package)])
def test_a_rule_package_loads_nothing_from_outside(package: str) -> None:
    code = PROBE.format(libraries=LIBRARIES, modules=modules_of(package))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    assert [name for name in loaded if name.split(".")[0] in FORBIDDEN] == []


def test_package_inits_are_empty() -> None:
    """A package that does something on import does it to everyone who wants one module of it."""
    lazy = {ROOT / "testnet" / "__init__.py"}
    for package in ("substrate", "xcm", "relaychain", "parachains", "testnet"):
        for init in sorted((ROOT / package).rglob("__init__.py")):
            body = [line for line in init.read_text().splitlines() if line.strip()]
            assert init in lazy or not body or (len(body) == 1 and body[0].startswith('"""')), f"{init} is not empty"
