"""Accounts of locations.

Source: polkadot-sdk, `polkadot/xcm/xcm-builder/src/{location_conversion,description}.rs`,
`polkadot/parachain/src/primitives.rs` (the `para` and `sibl` prefixes).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from substrate.crypto.hashing import blake2_256
from substrate.scale.codec import encode
from substrate.scale.types import Compact, u32
from substrate.types import AccountId
from xcm.junction import (
    AccountId32,
    AccountKey20,
    BodyId,
    BodyPart,
    NetworkId,
    PalletInstance,
    Parachain,
    Plurality,
    Treasury,
    Voice,
)
from xcm.location import PARENT, Location, location


class LocationConverter(Protocol):
    """Finds the account that stands for a location."""

    def convert_location(self, place: Location) -> AccountId | None:
        """The account, or None where this converter knows none."""
        ...


def sovereign_account(prefix: bytes, para: int) -> AccountId:
    """The account of a parachain: a prefix, its id, zeros."""
    return AccountId((prefix + para.to_bytes(4, "little")).ljust(32, b"\x00"))


@dataclass(frozen=True)
class ParentIsPreset:
    """The relay chain's account on a parachain."""

    def convert_location(self, place: Location) -> AccountId | None:
        return AccountId(b"Parent".ljust(32, b"\x00")) if place == PARENT else None


@dataclass(frozen=True)
class ChildParachainConvertsVia:
    """A parachain's account on its relay chain."""

    def convert_location(self, place: Location) -> AccountId | None:
        if place.parents == 0 and len(place.junctions) == 1 and isinstance(place.junctions[0], Parachain):
            return sovereign_account(b"para", place.junctions[0].id)
        return None


@dataclass(frozen=True)
class SiblingParachainConvertsVia:
    """A parachain's account on another parachain."""

    def convert_location(self, place: Location) -> AccountId | None:
        if place.parents == 1 and len(place.junctions) == 1 and isinstance(place.junctions[0], Parachain):
            return sovereign_account(b"sibl", place.junctions[0].id)
        return None


@dataclass(frozen=True)
class AccountId32Aliases:
    """A local account stands for itself."""

    network: NetworkId | None = None

    def convert_location(self, place: Location) -> AccountId | None:
        if place.parents or len(place.junctions) != 1:
            return None
        junction = place.junctions[0]
        if isinstance(junction, AccountId32) and junction.network in (None, self.network):
            return AccountId(junction.id)
        return None


Describe: TypeAlias = Callable[[Location], bytes | None]
"""Bytes that tell a location from others."""


def describe_all_terminal(place: Location) -> bytes | None:
    """The chain itself, or a pallet, account or body on it."""
    if place.parents or len(place.junctions) > 1:
        return None
    if not place.junctions:
        return b""
    match place.junctions[0]:
        case PalletInstance(index):
            return b"Pallet" + encode(Compact[u32], index)
        case AccountId32(_, id):
            return b"AccountId32" + id
        case AccountKey20(_, key):
            return b"AccountKey20" + key
        case Plurality(Treasury(), Voice()):
            return b"TreasuryVoice"
        case Plurality(id, part):
            return b"Body" + encode(BodyId, id) + encode(BodyPart, part)
        case _:
            return None


def describe_family(suffix: Describe) -> Describe:
    """Children, siblings and the parent, and in them what `suffix` describes."""

    def describe(place: Location) -> bytes | None:
        first = place.junctions[0] if place.junctions else None
        if place.parents > 1:
            return None
        if isinstance(first, Parachain):
            family = (b"SiblingChain" if place.parents else b"ChildChain") + encode(Compact[u32], first.id)
            tail = suffix(location(0, *place.junctions[1:]))
        elif place.parents:
            family, tail = b"ParentChain", suffix(location(0, *place.junctions))
        else:
            return None
        return None if tail is None else family + encode(bytes, tail)

    return describe


@dataclass(frozen=True)
class HashedDescription:
    """The account is the hash of a description."""

    describe: Describe

    def convert_location(self, place: Location) -> AccountId | None:
        text = self.describe(place)
        return None if text is None else AccountId(blake2_256(text))


@dataclass(frozen=True)
class FirstConverter:
    """The first converter that knows a location decides."""

    converters: tuple[LocationConverter, ...]

    def convert_location(self, place: Location) -> AccountId | None:
        for converter in self.converters:
            account = converter.convert_location(place)
            if account is not None:
                return account
        return None
