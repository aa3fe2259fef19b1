"""Extrinsic V4: signed and bare, and what a signature covers.

The nine signed extensions, in order: CheckNonZeroSender, CheckSpecVersion, CheckTxVersion, CheckGenesis,
CheckMortality, CheckNonce, CheckWeight, ChargeTransactionPayment, CheckMetadataHash. Four of them put bytes into the
extrinsic: era, compact nonce, compact tip, metadata mode.

Source: polkadot-sdk, `substrate/primitives/runtime/src/generic/unchecked_extrinsic.rs`.
"""

from typing import TYPE_CHECKING

from substrate.crypto.hashing import blake2_256
from substrate.crypto.keys import Pair
from substrate.crypto.multi import Ed25519Signature, Id, MultiAddress, MultiSignature, Sr25519Signature
from substrate.errors import DecodeError
from substrate.runtime.era import IMMORTAL, Era, read_era
from substrate.runtime.outer_enums import RuntimeCall
from substrate.scale.codec import Codec, codec_of
from substrate.scale.primitives import compact
from substrate.scale.types import Compact, Struct, u8, u32
from substrate.types import AccountId, Balance, Hash, Nonce

if TYPE_CHECKING:
    from substrate.runtime.assembly import Runtime

BARE = 0x04
SIGNED = 0x84
_ADDRESS: Codec[MultiAddress] = codec_of(MultiAddress)
_SIGNATURE: Codec[MultiSignature] = codec_of(MultiSignature)
_NONCE: Codec[int] = codec_of(Compact[Nonce])
_TIP: Codec[int] = codec_of(Compact[Balance])


class Extra(Struct):
    """What the signed extensions put into an extrinsic."""

    era: Era
    nonce: Nonce
    tip: Balance
    metadata_mode: u8 = 0

    def to_bytes(self) -> bytes:
        """Era, nonce, tip, mode."""
        return self.era.to_bytes() + _NONCE.encode(self.nonce) + _TIP.encode(self.tip) + bytes([self.metadata_mode])


class Signing(Struct):
    """What the chain adds to a signed payload."""

    spec_version: u32
    transaction_version: u32
    genesis: Hash
    birth: Hash
    """Block in which the era began; the genesis for an immortal transaction."""

    def to_bytes(self) -> bytes:
        """Versions, genesis, birth block, and no metadata hash."""
        versions = self.spec_version.to_bytes(4, "little") + self.transaction_version.to_bytes(4, "little")
        return versions + self.genesis + self.birth + b"\x00"


class SignedPart(Struct):
    """Who signed, and with what."""

    address: MultiAddress
    signature: MultiSignature
    extra: Extra


class Extrinsic(Struct):
    """A decoded extrinsic; `signed` is None for a bare one."""

    signed: SignedPart | None
    call: RuntimeCall
    call_bytes: bytes


def signed_payload(call: bytes, extra: Extra, signing: Signing) -> bytes:
    """The bytes a signature covers: hashed if longer than 256."""
    payload = call + extra.to_bytes() + signing.to_bytes()
    return blake2_256(payload) if len(payload) > 256 else payload


def decode_extrinsic(runtime: type["Runtime"], raw: bytes) -> Extrinsic:
    """Read an extrinsic without its length prefix.

    Raises:
        DecodeError: It is not a V4 extrinsic of this runtime.
    """
    if not raw:
        raise DecodeError("an extrinsic has at least a version byte", 0)
    if raw[0] == BARE:
        return Extrinsic(None, _decode_call(runtime, raw, 1), raw[1:])
    if raw[0] != SIGNED:
        raise DecodeError(f"extrinsic version {raw[0]:#04x} is neither signed V4 (0x84) nor bare V4 (0x04)", 0)
    address, at = _ADDRESS.decode_from(raw, 1)
    signature, at = _SIGNATURE.decode_from(raw, at)
    era, at = read_era(raw, at)
    nonce, at = _NONCE.decode_from(raw, at)
    tip, at = _TIP.decode_from(raw, at)
    if at >= len(raw):
        raise DecodeError("the metadata mode is missing", at)
    if raw[at] > 1:
        raise DecodeError(f"metadata mode {raw[at]} is neither disabled (0) nor enabled (1)", at)
    extra = Extra(era, Nonce(nonce), Balance(tip), raw[at])
    return Extrinsic(SignedPart(address, signature, extra), _decode_call(runtime, raw, at + 1), raw[at + 1 :])


def _decode_call(runtime: type["Runtime"], raw: bytes, at: int) -> RuntimeCall:
    try:
        return runtime.decode_call(raw[at:])
    except DecodeError as failure:
        raise DecodeError(failure.message, at + failure.offset) from failure


def encoded_length(raw: bytes) -> int:
    """What an extrinsic takes in a block, and is charged for: its bytes and their length prefix."""
    return len(compact(len(raw))) + len(raw)


def encode_bare(call: bytes) -> bytes:
    """A bare extrinsic, without length prefix."""
    return bytes([BARE]) + call


def sign_extrinsic(
    call: bytes, signer: Pair, *, nonce: int, signing: Signing, tip: int = 0, era: Era = IMMORTAL
) -> bytes:
    """A signed extrinsic, without length prefix.

    Args:
        call: The encoded call.
        signer: Whose account pays and acts.
        nonce: The account's nonce.
        signing: The chain's part of the payload.
        tip: Extra fee for priority, in the chain's smallest unit.
        era: Mortality; `signing.birth` must be its birth block.
    """
    extra = Extra(era, Nonce(nonce), Balance(tip))
    signature = signer.sign(signed_payload(call, extra, signing))
    kind = Sr25519Signature if signer.scheme == "sr25519" else Ed25519Signature
    parts = (_ADDRESS.encode(Id(AccountId(signer.public))), _SIGNATURE.encode(kind(signature)), extra.to_bytes())
    return bytes([SIGNED]) + b"".join(parts) + call
