"""Validation code as bytes on chain: the form of a bundle of Python sources, read without running any of them.

Upstream's validation code is Wasm with its version in a custom section (`sp_version::embed_runtime_version`). Here it
is the canonical encoding of (abi, entry, version, sorted source files), addressed by blake2-256 of those bytes.
"""

from substrate.errors import ChainError, DecodeError
from substrate.runtime.version import CodeVersion
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
    version: CodeVersion | None
    """As whoever made the bundle read it in the source; None where that says none."""
    files: tuple[SourceFile, ...]
    """Sorted by module."""


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
