"""Origins of calls that locations make.

Source: polkadot-sdk, `polkadot/xcm/xcm-builder/src/origin_conversion.rs`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from substrate.runtime.origin import Origin, RawRoot, RawSigned
from substrate.types import AccountId
from xcm.builder.filters import LocationFilter
from xcm.builder.location_conversion import LocationConverter
from xcm.executor.config import OriginConverter
from xcm.instruction import OriginKind
from xcm.junction import AccountId32, NetworkId, Parachain
from xcm.location import PARENT, Location


@dataclass(frozen=True)
class SovereignSignedViaLocation:
    """A location signs with its account."""

    accounts: LocationConverter

    def convert_origin(self, origin: Location, kind: OriginKind) -> Origin | None:
        if kind is not OriginKind.SovereignAccount:
            return None
        account = self.accounts.convert_location(origin)
        return None if account is None else RawSigned(account)


@dataclass(frozen=True)
class SignedAccountId32AsNative:
    """A local account signs as itself."""

    network: NetworkId | None = None

    def convert_origin(self, origin: Location, kind: OriginKind) -> Origin | None:
        if kind is not OriginKind.Native or origin.parents or len(origin.junctions) != 1:
            return None
        junction = origin.junctions[0]
        if isinstance(junction, AccountId32) and junction.network in (None, self.network):
            return RawSigned(AccountId(junction.id))
        return None


@dataclass(frozen=True)
class _ParachainAsNative:
    make_origin: Callable[[int], Origin]
    """The chain's own origin for a parachain."""

    def _convert(self, origin: Location, kind: OriginKind, parents: int) -> Origin | None:
        if kind is not OriginKind.Native or origin.parents != parents or len(origin.junctions) != 1:
            return None
        junction = origin.junctions[0]
        return self.make_origin(junction.id) if isinstance(junction, Parachain) else None


@dataclass(frozen=True)
class ChildParachainAsNative(_ParachainAsNative):
    """A parachain calls its relay chain as itself."""

    def convert_origin(self, origin: Location, kind: OriginKind) -> Origin | None:
        return self._convert(origin, kind, 0)


@dataclass(frozen=True)
class SiblingParachainAsNative(_ParachainAsNative):
    """A parachain calls another as itself."""

    def convert_origin(self, origin: Location, kind: OriginKind) -> Origin | None:
        return self._convert(origin, kind, 1)


@dataclass(frozen=True)
class RelayChainAsNative:
    """The relay chain calls a parachain as itself."""

    relay_origin: Origin

    def convert_origin(self, origin: Location, kind: OriginKind) -> Origin | None:
        return self.relay_origin if kind is OriginKind.Native and origin == PARENT else None


@dataclass(frozen=True)
class LocationAsSuperuser:
    """Trusted locations are root."""

    trusted: LocationFilter

    def convert_origin(self, origin: Location, kind: OriginKind) -> Origin | None:
        return RawRoot() if kind is OriginKind.Superuser and self.trusted(origin) else None


@dataclass(frozen=True)
class XcmPassthrough:
    """Calls see the location itself."""

    make_origin: Callable[[Location], Origin]

    def convert_origin(self, origin: Location, kind: OriginKind) -> Origin | None:
        return self.make_origin(origin) if kind is OriginKind.Xcm else None


@dataclass(frozen=True)
class FirstOrigin:
    """The first converter that knows an origin decides."""

    converters: tuple[OriginConverter, ...]

    def convert_origin(self, origin: Location, kind: OriginKind) -> Origin | None:
        for converter in self.converters:
            found = converter.convert_origin(origin, kind)
            if found is not None:
                return found
        return None
