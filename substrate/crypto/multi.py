"""Signatures and addresses of any kind, as extrinsics carry them.

Source: polkadot-sdk, `substrate/primitives/runtime/src/{lib,multiaddress}.rs`.
"""

from functools import lru_cache
from typing import Annotated, TypeAlias

from substrate.crypto.hashing import blake2_256
from substrate.crypto.keys import verify_ed25519, verify_sr25519
from substrate.scale.types import Compact, Fixed, Struct, enum_path, unit, variant
from substrate.types import AccountId


@variant(0, "Ed25519", unnamed=True)
class Ed25519Signature(Struct):
    """Edwards curve, ZIP-215."""

    signature: Annotated[bytes, Fixed(64)]


@variant(1, "Sr25519", unnamed=True)
class Sr25519Signature(Struct):
    """Schnorrkel on ristretto255."""

    signature: Annotated[bytes, Fixed(64)]


@variant(2, "Ecdsa", unnamed=True)
class EcdsaSignature(Struct):
    """secp256k1, recoverable: r, s, recovery id."""

    signature: Annotated[bytes, Fixed(65)]


MultiSignature: TypeAlias = Ed25519Signature | Sr25519Signature | EcdsaSignature
enum_path(MultiSignature, "sp_runtime::MultiSignature")


@variant(0, unnamed=True)
class Id(Struct):
    """An account."""

    account: AccountId


@variant(1, unnamed=True)
class Index(Struct):
    """An account index; the chains here have none."""

    index: Compact[unit] = ()


@variant(2, unnamed=True)
class Raw(Struct):
    """Any bytes."""

    data: bytes


@variant(3, unnamed=True)
class Address32(Struct):
    """32 bytes, such as another chain's account."""

    data: Annotated[bytes, Fixed(32)]


@variant(4, unnamed=True)
class Address20(Struct):
    """20 bytes, such as an Ethereum account."""

    data: Annotated[bytes, Fixed(20)]


MultiAddress: TypeAlias = Id | Index | Raw | Address32 | Address20
enum_path(
    MultiAddress,
    "sp_runtime::multiaddress::MultiAddress",
    params=(("AccountId", AccountId), ("AccountIndex", unit)),
)


def verify_multi(signature: MultiSignature, message: bytes, account: AccountId) -> bool:
    """Whether `account` signed `message`; an ecdsa account is the hash of its compressed public key."""
    match signature:
        case Ed25519Signature(data):
            return verify_ed25519(data, message, account)
        case Sr25519Signature(data):
            return verify_sr25519(data, message, account)
        case EcdsaSignature(data):
            public = recover_ecdsa(data, blake2_256(message))
            return public is not None and blake2_256(public) == account


@lru_cache(1 << 12)
def recover_ecdsa(signature: bytes, digest: bytes) -> bytes | None:
    """The compressed public key (33 bytes) that signed a 32-byte digest."""
    from eth_keys.exceptions import BadSignature
    from eth_keys.main import KeyAPI  # heavy; 100 times faster when coincurve is installed
    from eth_utils.exceptions import ValidationError

    try:
        made = KeyAPI.Signature(signature)
        return KeyAPI().ecdsa_recover(digest, made).to_compressed_bytes()
    except (BadSignature, ValidationError):
        return None
