"""Making bundles, and the abi that they are made for; `primitives/bundle` has their form.

`abi` is the hash of the sources of every package that a bundle may import: a node whose packages differ would compute
something else, so it must not vote.
"""

import ast
import importlib.util
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from relaychain.primitives.bundle import Bundle, SourceFile
from relaychain.primitives.validation import ABI_PACKAGES
from substrate.crypto.hashing import blake2_256
from substrate.runtime.version import CodeVersion
from substrate.types import Hash


def make_bundle(entry: str, files: Iterable[SourceFile], abi: Hash | None = None) -> bytes:
    """The bytes of a bundle; the abi defaults to this node's."""
    ordered = tuple(sorted(files, key=lambda file: file.module))
    return Bundle(abi or node_abi(), entry, _declared_version(entry, ordered), ordered).encode()


def _declared_version(entry: str, files: Sequence[SourceFile]) -> CodeVersion | None:
    """The entry class's name and its `spec_version`, where its class statement gives a number."""
    module, _, name = entry.partition(":")
    source = next((file.source for file in files if file.module == module), b"")
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None  # loading says what is wrong with it
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            for keyword in node.keywords:
                match keyword:
                    case ast.keyword("spec_version", ast.Constant(int(number))) if 0 <= number < 1 << 32:
                        return CodeVersion(name.lower(), number)
                    case _:
                        pass
    return None


@cache
def node_abi() -> Hash:
    """Hash of the canonical sources of every package that a bundle may import, as installed here."""
    parts: list[bytes] = []
    for package in ABI_PACKAGES:
        for name, source in _sources(package):
            parts += [name.encode(), blake2_256(source)]
    return Hash(blake2_256(b"\0".join(parts)))


def _sources(package: str) -> list[tuple[str, bytes]]:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return []
    root = Path(spec.submodule_search_locations[0])
    files = sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix())
    return [(f"{package}/{path.relative_to(root).as_posix()}", path.read_bytes()) for path in files]
