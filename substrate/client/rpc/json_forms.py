"""How blocks and versions look in JSON."""

from substrate.block import Block, DigestItem, Header, Justification
from substrate.runtime.version import RuntimeVersion
from substrate.scale.codec import Codec, codec_of

_DIGEST_ITEM: Codec[DigestItem] = codec_of(DigestItem)
_OPAQUE: Codec[bytes] = codec_of(bytes)


def to_hex(data: bytes) -> str:
    """`0x`-prefixed hex."""
    return f"0x{data.hex()}"


def optional_hex(data: bytes | None) -> str | None:
    """Hex, or null."""
    return None if data is None else to_hex(data)


def opaque(extrinsic: bytes) -> bytes:
    """An extrinsic as it travels: with its length prefix."""
    return _OPAQUE.encode(extrinsic)


def without_length(data: bytes) -> bytes:
    """Undo `opaque`; raises DecodeError."""
    return _OPAQUE.decode(data)


def header_json(header: Header) -> dict[str, object]:
    """A header."""
    return {
        "parentHash": to_hex(header.parent_hash),
        "number": hex(header.number),
        "stateRoot": to_hex(header.state_root),
        "extrinsicsRoot": to_hex(header.extrinsics_root),
        "digest": {"logs": [to_hex(_DIGEST_ITEM.encode(log)) for log in header.digest.logs]},
    }


def signed_block_json(block: Block, justifications: tuple[Justification, ...]) -> dict[str, object]:
    """A block with its finality proofs; bytes of proofs are number lists, as upstream shows them."""
    body = [to_hex(opaque(extrinsic)) for extrinsic in block.extrinsics]
    proofs = [[list(each.engine), list(each.data)] for each in justifications]
    return {"block": {"header": header_json(block.header), "extrinsics": body}, "justifications": proofs or None}


def version_json(version: RuntimeVersion) -> dict[str, object]:
    """A runtime version; `stateVersion` and `systemVersion` are old and new name of one field."""
    return {
        "specName": version.spec_name,
        "implName": version.impl_name,
        "authoringVersion": version.authoring_version,
        "specVersion": version.spec_version,
        "implVersion": version.impl_version,
        "apis": [[to_hex(name), number] for name, number in version.apis],
        "transactionVersion": version.transaction_version,
        "stateVersion": version.system_version,
        "systemVersion": version.system_version,
    }
