"""ECVRF-EDWARDS25519-SHA512-TAI, with proofs laid out in the sizes of BABE's and the approval votes'.

Source: RFC 9381, sections 5 and 5.4.1.1. A deviation from upstream, which uses schnorrkel's VRF (no Python wheel has
it): the pre-output is Gamma, the proof is c(16) || 0^16 || s(32). Stricter than the RFC in one point: a Gamma or key
outside the prime-order subgroup is refused, as libsodium does.
"""

from functools import lru_cache
from hashlib import sha512
from typing import Annotated, NewType, Protocol

from nacl import bindings as sodium
from nacl.exceptions import RuntimeError as SodiumError

from substrate.crypto.keys import Ed25519Pair
from substrate.scale.types import Fixed, wire

VrfOutput = NewType("VrfOutput", bytes)
"""Gamma: a point, 32 bytes."""
wire(VrfOutput, Annotated[bytes, Fixed(32)])
VrfProof = NewType("VrfProof", bytes)
"""c(16) || 0^16 || s(32)."""
wire(VrfProof, Annotated[bytes, Fixed(64)])

_SUITE = b"\x03"
_ORDER = 2**252 + 27742317777372353535851937790883648493
_FIELD = 2**255 - 19
_IDENTITY = b"\x01" + bytes(31)
_PAD = bytes(16)


class Vrf(Protocol):
    """The seam: this module is one."""

    def prove(self, pair: Ed25519Pair, alpha: bytes) -> tuple[VrfOutput, VrfProof]: ...

    def verify(self, public: bytes, alpha: bytes, gamma: bytes, proof: bytes) -> bytes | None: ...


def prove(pair: Ed25519Pair, alpha: bytes) -> tuple[VrfOutput, VrfProof]:
    """The output for `alpha` and the proof that it is the only one under this key (RFC 5.1)."""
    expanded = sha512(pair.seed).digest()
    secret = (int.from_bytes(expanded[:32], "little") & ((1 << 254) - 8)) | 1 << 254
    point = _encode_to_curve(pair.public, alpha)
    gamma = _multiply(secret, point)
    nonce = int.from_bytes(sha512(expanded[32:] + point).digest(), "little") % _ORDER
    commitment = sodium.crypto_scalarmult_ed25519_base_noclamp(_scalar(nonce))
    challenge = _challenge(pair.public, point, gamma, commitment, _multiply(nonce, point))
    response = (nonce + int.from_bytes(challenge, "little") * secret) % _ORDER
    return VrfOutput(gamma), VrfProof(challenge + _PAD + _scalar(response))


@lru_cache(1 << 12)
def verify(public: bytes, alpha: bytes, gamma: bytes, proof: bytes) -> bytes | None:
    """The 64 random bytes that the output stands for, or None when the proof does not hold (RFC 5.3)."""
    if (len(public), len(gamma), len(proof)) != (32, 32, 64) or proof[16:32] != _PAD:
        return None
    challenge, response = int.from_bytes(proof[:16], "little"), int.from_bytes(proof[32:], "little")
    if response >= _ORDER:
        return None
    if not (sodium.crypto_core_ed25519_is_valid_point(public) and sodium.crypto_core_ed25519_is_valid_point(gamma)):
        return None
    try:
        point = _encode_to_curve(public, alpha)
        base = sodium.crypto_scalarmult_ed25519_base_noclamp(proof[32:])
        u = sodium.crypto_core_ed25519_sub(base, _multiply(challenge, public))
        v = sodium.crypto_core_ed25519_sub(_multiply(response, point), _multiply(challenge, gamma))
    except SodiumError:  # a product is the identity: no honest proof has c or s of 0
        return None
    return output(gamma) if _challenge(public, point, gamma, u, v) == proof[:16] else None


def output(gamma: bytes) -> bytes:
    """beta: the 64 random bytes of a valid output (RFC 5.2)."""
    return sha512(_SUITE + b"\x03" + _times_eight(gamma) + b"\x00").digest()


def _encode_to_curve(public: bytes, alpha: bytes) -> bytes:
    """Try and increment: the first counter whose hash is a point, times the cofactor."""
    for counter in range(256):
        candidate = sha512(_SUITE + b"\x01" + public + alpha + bytes((counter, 0))).digest()[:32]
        if int.from_bytes(candidate, "little") & ((1 << 255) - 1) >= _FIELD:
            continue
        try:
            point = _times_eight(candidate)
        except SodiumError:  # not on the curve
            continue
        if point != _IDENTITY:
            return point
    raise AssertionError("256 hashes in a row off the curve")


def _times_eight(point: bytes) -> bytes:
    """By additions: libsodium multiplies only points that are in the prime-order subgroup already."""
    for _ in range(3):
        point = sodium.crypto_core_ed25519_add(point, point)
    return point


def _multiply(scalar: int, point: bytes) -> bytes:
    return sodium.crypto_scalarmult_ed25519_noclamp(_scalar(scalar % _ORDER), point)


def _scalar(number: int) -> bytes:
    return number.to_bytes(32, "little")


def _challenge(*points: bytes) -> bytes:
    return sha512(_SUITE + b"\x02" + b"".join(points) + b"\x00").digest()[:16]
