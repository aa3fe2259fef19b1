"""Key pairs, the dev accounts, and signature checks.

PyNaCl signs ed25519; ed25519-zebra verifies it everywhere, since ZIP-215 acceptance is a consensus rule. sr25519
signatures are randomised, ed25519 ones are not.

Source: polkadot-sdk, `substrate/primitives/core/src/{crypto,ed25519,sr25519}.rs`.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Literal, Protocol, Self, final

import ed25519_zebra
import sr25519
from nacl import bindings as sodium

from substrate.crypto.hashing import blake2_256
from substrate.errors import ChainError
from substrate.scale.primitives import compact

Scheme = Literal["sr25519", "ed25519"]

DEV_PHRASE: Final = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
DEV_SEED: Final = bytes.fromhex("fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e")
"""Mini secret of the dev phrase, without a password."""

_URI = re.compile(r"(?P<phrase>[\w ]+)?(?P<path>(?://?[^/]+)*)(?:///(?P<password>.*))?", re.DOTALL)
_JUNCTION = re.compile(r"/(/?)([^/]+)")
_REMEMBERED = 1 << 14  # nodes that share a process check the same signatures


class KeyUriError(ChainError):
    """A secret URI that cannot be read, or derives in a way that its scheme does not have."""


class Pair(Protocol):
    """A key pair that signs."""

    @property
    def scheme(self) -> Scheme: ...

    @property
    def public(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        ...


@final
class Ed25519Pair:
    """An ed25519 key pair."""

    __slots__ = ("_secret", "public", "seed")
    scheme: Final = "ed25519"

    def __init__(self, seed: bytes) -> None:
        self.public, self._secret = sodium.crypto_sign_seed_keypair(seed)
        self.seed = seed

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """The pair of a 32-byte seed."""
        return cls(seed)

    @classmethod
    def from_uri(cls, uri: str) -> Self:
        """The pair of `phrase//hard///password` or `0xseed//hard`; without a phrase it is the dev phrase."""
        seed, path = _read_uri(uri)
        for is_hard, chain_code in _junctions(path):
            if not is_hard:
                raise KeyUriError("ed25519 has hard derivation (//) only")
            seed = blake2_256(compact(11) + b"Ed25519HDKD" + seed + chain_code)
        return cls(seed)

    def sign(self, message: bytes) -> bytes:
        """The deterministic signature of RFC 8032."""
        return sodium.crypto_sign(message, self._secret)[:64]


@final
class Sr25519Pair:
    """A schnorrkel key pair on ristretto255, with signing context `substrate`."""

    __slots__ = ("_secret", "public")
    scheme: Final = "sr25519"

    def __init__(self, public: bytes, secret: bytes) -> None:
        self.public = public
        self._secret = secret

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """The pair of a 32-byte mini secret."""
        return cls(*sr25519.pair_from_seed(seed))

    @classmethod
    def from_uri(cls, uri: str) -> Self:
        """The pair of `phrase//hard/soft///password` or `0xseed//hard`; without a phrase it is the dev phrase."""
        seed, path = _read_uri(uri)
        public, secret = sr25519.pair_from_seed(seed)
        for is_hard, chain_code in _junctions(path):
            derive = sr25519.hard_derive_keypair if is_hard else sr25519.derive_keypair
            _, public, secret = derive((chain_code, public, secret), b"")
        return cls(public, secret)

    def sign(self, message: bytes) -> bytes:
        """A signature; another one each time."""
        return sr25519.sign((self.public, self._secret), message)


def dev_pair(name: str, scheme: Scheme) -> Ed25519Pair | Sr25519Pair:
    """The well-known pair `//name`, such as Alice's."""
    return (Ed25519Pair if scheme == "ed25519" else Sr25519Pair).from_uri(f"//{name}")


@lru_cache(_REMEMBERED)
def verify_ed25519(signature: bytes, message: bytes, public: bytes) -> bool:
    """Whether the signature is valid under ZIP-215."""
    if len(signature) != 64 or len(public) != 32:
        return False
    return ed25519_zebra.ed_verify(signature, message, public)


@lru_cache(_REMEMBERED)
def verify_sr25519(signature: bytes, message: bytes, public: bytes) -> bool:
    """Whether the signature is valid and marked as schnorrkel's."""
    try:
        return sr25519.verify(signature, message, public)
    except ValueError:  # how the library says that the bytes are no signature or no point
        return False


def _read_uri(uri: str) -> tuple[bytes, str]:
    match = _URI.fullmatch(uri)
    if match is None:
        raise KeyUriError("not a secret URI")  # the text may hold a secret
    phrase, password = match["phrase"] or DEV_PHRASE, match["password"] or ""
    if re.fullmatch(r"0x[0-9a-fA-F]{64}", phrase):
        return bytes.fromhex(phrase[2:]), match["path"]
    if phrase == DEV_PHRASE and not password:
        return DEV_SEED, match["path"]
    import bip39  # a word list, needed for phrases of users only

    try:
        return bytes(bip39.bip39_to_mini_secret(phrase, password)), match["path"]
    except ValueError as error:
        raise KeyUriError("not a BIP-39 phrase") from error


def _junctions(path: str) -> Iterator[tuple[bool, bytes]]:
    """(hard or soft, chain code) of each step."""
    for slash, name in _JUNCTION.findall(path):
        text = name.encode()
        if name.isascii() and name.isdigit() and int(name) < 1 << 64:
            code = int(name).to_bytes(8, "little")
        else:
            code = compact(len(text)) + text
        yield bool(slash), blake2_256(code) if len(code) > 32 else code.ljust(32, b"\0")
