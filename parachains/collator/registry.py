"""Plugins: finding a parachain by what a manifest calls it, and making its validation code.

A reference is the name of an entry point of the group `relayloom.parachains`, `package.module:Class`, or
`./file.py:Class` relative to the manifest. The bundle holds the plugin's own modules: the entry's, and what these
import from the same top-level package (or, for a file, from its directory).
"""

import ast
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from relaychain.primitives.validation import ABI_PACKAGES, may_import
from substrate.errors import ChainError

ENTRY_POINT_GROUP = "relayloom.parachains"


class PluginError(ChainError):
    """A plugin that cannot be found or used; the message says what to do."""


class Module(NamedTuple):
    """A module of a plugin."""

    name: str
    source: bytes


class Bundler(Protocol):
    """Makes and loads validation code; the node has one, parachains do not import it."""

    def make(self, entry: str, files: Sequence[Module]) -> bytes:
        """The bytes of a bundle."""
        ...

    def load(self, code: bytes) -> Any:
        """The object that a bundle's entry names; raises `ChainError` where its modules do not load."""
        ...


@dataclass(frozen=True)
class Plugin:
    """A parachain, ready to run."""

    reference: str
    entry: str
    """`module:Class` in the bundle."""
    code: bytes
    """The validation code."""
    chain: Any
    """A `ParachainPlugin`: the object in the bundle."""


def load_plugin(reference: str, directory: Path, bundler: Bundler) -> Plugin:
    """The parachain that a manifest names.

    Args:
        reference: As in the manifest.
        directory: Where the manifest is.
        bundler: Makes and loads bundles.

    Raises:
        PluginError: It is unknown, does not load, or lacks the class.
    """
    entry, files = sources(reference, directory)
    module, _, name = entry.partition(":")
    try:
        code = bundler.make(entry, files)
        chain = bundler.load(code)
    except ChainError as failure:
        if f"has no {name}" in str(failure):
            raise PluginError(
                f"{reference}: {module} has no class {name}; it has {', '.join(_classes(files, module)) or 'none'}"
            ) from failure
        raise PluginError(f"{reference}: {failure}; fix the plugin, or name another one") from failure
    for method in ("genesis_block", "validate_block", "collate"):
        if not callable(getattr(chain, method, None)):
            raise PluginError(
                f"{reference}: {name} has no {method}; derive it from parachains.sdk.plugin.Parachain, "
                "or give it the three methods of parachains.sdk.contract.ParachainPlugin"
            )
    return Plugin(reference, entry, code, chain)


def available() -> Mapping[str, str]:
    """Installed plugins: entry point name to `module:Class`."""
    return {point.name: point.value for point in sorted(entry_points(group=ENTRY_POINT_GROUP))}


def sources(reference: str, directory: Path) -> tuple[str, tuple[Module, ...]]:
    """A plugin's `module:Class` and its modules, read but not run.

    Raises:
        PluginError: There is no such plugin, or it imports what validation code may not import.
    """
    target, colon, name = reference.rpartition(":")
    if not colon:
        return _installed(reference, directory)
    if not name.isidentifier():
        raise PluginError(f"{reference}: {name!r} is no class name; write package.module:Class or ./file.py:Class")
    if target.endswith(".py"):
        return _from_file(reference, (directory / target).resolve(), name)
    find = _finder_of_package(target.partition(".")[0])
    if find(target) is None:
        raise PluginError(
            f"{reference}: there is no module {target} on {sys.executable}'s path; install the package that has it, "
            "or name a file as ./file.py:Class"
        )
    return f"{target}:{name}", _closure(reference, target, find)


def _installed(reference: str, directory: Path) -> tuple[str, tuple[Module, ...]]:
    known = available()
    if reference not in known:
        raise PluginError(
            f"unknown plugin {reference!r}; installed are {', '.join(known) or 'none'}. Install the package that "
            "offers it, or write package.module:Class or ./file.py:Class"
        )
    return sources(known[reference], directory)


def _from_file(reference: str, path: Path, name: str) -> tuple[str, tuple[Module, ...]]:
    if not path.is_file():
        raise PluginError(f"{reference}: there is no file {path}; paths are relative to the manifest")
    if not path.stem.isidentifier():
        raise PluginError(f"{reference}: {path.name} is no module name; rename it to letters, digits and _")
    return f"{path.stem}:{name}", _closure(reference, path.stem, _finder_of_directory(path.parent))


Finder = Callable[[str], bytes | None]
"""The source of a plugin's own module; None where a module is not the plugin's."""


def _finder_of_directory(directory: Path) -> Finder:
    def find(module: str) -> bytes | None:
        path = directory.joinpath(*module.split(".")).with_suffix(".py")
        return path.read_bytes() if path.is_file() else None

    return find


def _finder_of_package(top: str) -> Finder:
    def find(module: str) -> bytes | None:
        if module.partition(".")[0] != top:
            return None
        try:
            spec = importlib.util.find_spec(module)
        except ImportError:
            return None
        if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            return None
        return Path(spec.origin).read_bytes()

    return find


def _closure(reference: str, entry: str, find: Finder) -> tuple[Module, ...]:
    """The entry's module and the plugin's modules that it needs."""
    found: dict[str, bytes] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        source = find(name)
        if source is None or name in found:
            continue
        found[name] = source
        waiting += _own_imports(reference, name, source, find)
    return tuple(Module(name, found[name]) for name in sorted(found))


def _own_imports(reference: str, module: str, source: bytes, find: Finder) -> Iterator[str]:
    for line, name in _imports(reference, module, source):
        if may_import(name):
            continue
        if find(name) is None:
            raise PluginError(
                f"{reference}: {module} line {line} imports {name}. Validation code may import the standard library, "
                f"msgspec, {', '.join(ABI_PACKAGES)} and its own modules by their full names"
            )
        yield name


def _imports(reference: str, module: str, source: bytes) -> Iterator[tuple[int, str]]:
    try:
        tree = ast.parse(source, module)
    except (SyntaxError, ValueError) as failure:
        raise PluginError(f"{reference}: {module} does not parse: {failure}") from failure
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def _classes(files: Sequence[Module], module: str) -> list[str]:
    source = next(file.source for file in files if file.name == module)
    return [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
