"""XCMP pages: one blob per channel and block, a format byte and fragments behind it.

Source: polkadot-sdk, `cumulus/pallets/xcmp-queue/src/lib.rs`, `polkadot/xcm/../xcmp` (`XcmpMessageFormat`).
"""

from collections.abc import Iterator
from enum import IntEnum

from substrate.errors import DecodeError
from substrate.scale.codec import codec_of
from substrate.scale.types import type_path
from xcm.versions.versioned import VersionedXcm

MAX_SIGNALS_PER_PAGE = 3


class XcmpMessageFormat(IntEnum):
    """What the fragments of a page are; the first byte of the page."""

    CONCATENATED_VERSIONED_XCM = 0
    CONCATENATED_ENCODED_BLOB = 1
    SIGNALS = 2
    CONCATENATED_OPAQUE_VERSIONED_XCM = 3


type_path(XcmpMessageFormat, "polkadot_parachain_primitives::primitives::XcmpMessageFormat")


class ChannelSignal(IntEnum):
    """What a recipient asks of a sender."""

    SUSPEND = 0
    RESUME = 1


type_path(ChannelSignal, "cumulus_pallet_xcmp_queue::ChannelSignal")


def format_of(page: bytes) -> XcmpMessageFormat | None:
    """The format of a page; None where it is unknown."""
    if not page or page[0] not in list(XcmpMessageFormat):
        return None
    return XcmpMessageFormat(page[0])


def new_page(kind: XcmpMessageFormat, fragment: bytes) -> bytes:
    """A page with one fragment."""
    return bytes((kind,)) + fragment


def signals(page: bytes) -> tuple[ChannelSignal, ...]:
    """The signals of a page, up to the first byte that is none."""
    found: list[ChannelSignal] = []
    for byte in page[1 : 1 + MAX_SIGNALS_PER_PAGE]:
        if byte not in list(ChannelSignal):
            break
        found.append(ChannelSignal(byte))
    return tuple(found)


def messages(page: bytes) -> Iterator[bytes]:
    """The encoded `VersionedXcm`s of a page, up to the first that does not decode."""
    hint = bytes if page[0] == XcmpMessageFormat.CONCATENATED_OPAQUE_VERSIONED_XCM else VersionedXcm
    codec, offset = codec_of(hint), 1
    while offset < len(page):
        try:
            value, end = codec.decode_from(page, offset)
        except DecodeError:
            return  # where this one ends is unknown, so is what follows
        yield value if isinstance(value, bytes) else page[offset:end]
        offset = end
