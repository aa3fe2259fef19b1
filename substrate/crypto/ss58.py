"""SS58 addresses: base-58 of prefix, account and checksum.

Source: polkadot-sdk, `substrate/primitives/core/src/crypto.rs` (`Ss58Codec`).
"""

from enum import StrEnum

from substrate.crypto.hashing import blake2_512
from substrate.errors import RuleError
from substrate.types import AccountId

GENERIC = 42
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGIT = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTHS = (32, 33)  # accounts, and the compressed ecdsa keys that some tools show; both with two bytes of checksum


class Ss58Reason(StrEnum):
    """Why a text is no address."""

    BAD_BASE58 = "BadBase58"
    BAD_LENGTH = "BadLength"
    INVALID_CHECKSUM = "InvalidChecksum"
    INVALID_PREFIX = "InvalidPrefix"
    FORMAT_NOT_ALLOWED = "FormatNotAllowed"


class Ss58Error(RuleError):
    """A text is no address, or one of another chain."""


def encode(account: bytes, prefix: int = GENERIC) -> str:
    """The address of an account on chains with this prefix (0 to 16383)."""
    if not 0 <= prefix < 1 << 14:
        raise Ss58Error(Ss58Reason.INVALID_PREFIX, prefix=prefix)
    if len(account) not in _LENGTHS:
        raise Ss58Error(Ss58Reason.BAD_LENGTH, length=len(account))
    if prefix < 64:
        head = bytes((prefix,))
    else:
        head = bytes(((prefix & 0b11111100) >> 2 | 0b01000000, prefix >> 8 | (prefix & 0b11) << 6))
    return _to_base58(head + account + _checksum(head + account))


def decode(text: str, prefix: int | None = None) -> AccountId:
    """The account of an address; with `prefix`, only of that chain.

    Raises:
        Ss58Error: any reason.
    """
    account, found = parse(text)
    if prefix is not None and prefix != found:
        raise Ss58Error(Ss58Reason.FORMAT_NOT_ALLOWED, wanted=prefix, found=found)
    if len(account) != 32:
        raise Ss58Error(Ss58Reason.BAD_LENGTH, length=len(account))
    return AccountId(account)


def parse(text: str) -> tuple[bytes, int]:
    """The account or ecdsa key of an address, and its prefix."""
    if len(text) > 64:
        raise Ss58Error(Ss58Reason.BAD_LENGTH, letters=len(text))
    data = _from_base58(text)
    size = 1 if data[:1] < b"\x40" else 2
    if len(data) - size - 2 not in _LENGTHS:
        raise Ss58Error(Ss58Reason.BAD_LENGTH, length=len(data))
    if data[0] >= 128:
        raise Ss58Error(Ss58Reason.INVALID_PREFIX, first=data[0])
    if _checksum(data[:-2]) != data[-2:]:
        raise Ss58Error(Ss58Reason.INVALID_CHECKSUM)
    prefix = data[0] if size == 1 else (data[0] << 2 & 0xFF | data[1] >> 6) | (data[1] & 0b111111) << 8
    return data[size:-2], prefix


def _checksum(data: bytes) -> bytes:
    return blake2_512(b"SS58PRE" + data)[:2]


def _to_base58(data: bytes) -> str:
    number, letters = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        letters = _ALPHABET[digit] + letters
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + letters


def _from_base58(text: str) -> bytes:
    number = 0
    for letter in text:
        if letter not in _DIGIT:
            raise Ss58Error(Ss58Reason.BAD_BASE58)
        number = number * 58 + _DIGIT[letter]
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
