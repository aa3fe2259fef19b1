"""Validation code as bytes on chain: a bundle of Python sources.

Upstream's validation code is Wasm. Here it is the canonical encoding of (abi, entry, sorted source files), addressed by
blake2-256 of those bytes. `abi` is the hash of the sources of every package that a bundle may import: a node whose
packages differ would compute something else, so it must not vote.
"""

import importlib.util
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from relaychain.primitives.validation import ABI_PACKAGES
from substrate.crypto.hashing import blake2_256
from substrate.errors import ChainError, DecodeError
from substrate.scale.codec import codec_of
from substrate.scale.types import Struct
from substrate.types import Hash


class BundleError(ChainError):
    """Validation code that cannot be made, read or loaded."""


class SourceFile(Struct):
    """One module of a bundle."""

    module: str
    """Dotted name under which the bundle's files import it."""
    source: bytes


class Bundle(Struct):
    """Validation code."""

    abi: Hash
    entry: str
    """`module:name` of the object that validates blocks."""
    files: tuple[SourceFile, ...]
    """Sorted by module."""


def make_bundle(entry: str, files: Iterable[SourceFile], abi: Hash | None = None) -> bytes:
    """The bytes of a bundle; the abi defaults to this node's."""
    return Bundle(abi or node_abi(), entry, tuple(sorted(files, key=lambda file: file.module))).encode()


def read_bundle(code: bytes) -> Bundle:
    """The bundle in validation code.

    Raises:
        BundleError: Not a canonical bundle, or its entry names no file of it.
    """
    try:
        bundle = codec_of(Bundle).decode(code)
    except DecodeError as failure:
        raise BundleError(f"validation code is not a bundle: {failure}") from failure
    modules = [file.module for file in bundle.files]
    if modules != sorted(set(modules)):
        raise BundleError("a bundle's files are sorted by module and not repeated")
    module, _, name = bundle.entry.partition(":")
    if module not in modules or not name.isidentifier():
        raise BundleError(f"the entry {bundle.entry!r} does not name an object in one of {modules}")
    return bundle


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
