"""Locations: relative paths through the consensus hierarchy, and their algebra.

Source: polkadot-sdk, `polkadot/xcm/src/v5/{junctions,location}.rs`.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Final, TypeAlias

from substrate.errors import RuleError
from substrate.scale.types import Exactly, Struct, enum_path, path, u8, variant
from xcm.junction import GlobalConsensus, Junction, NetworkId, OnlyChild, Parachain

MAX_JUNCTIONS: Final = 8
MAX_PARENTS: Final = 255


class LocationReason(StrEnum):
    """Why a location cannot be computed."""

    LOCATION_FULL = "LocationFull"
    NOT_INVERTIBLE = "LocationNotInvertible"
    UNANCHORED = "Unanchored"


class LocationError(RuleError):
    """A location operation left the bounds of the format."""


@variant(0)
class Here(Struct):
    """No junction."""

    junctions: ClassVar[tuple[Junction, ...]] = ()


@variant(1, unnamed=True)
class X1(Struct):
    """1 junction."""

    junctions: Annotated[tuple[Junction, ...], Exactly(1)]


@variant(2, unnamed=True)
class X2(Struct):
    """2 junctions."""

    junctions: Annotated[tuple[Junction, ...], Exactly(2)]


@variant(3, unnamed=True)
class X3(Struct):
    """3 junctions."""

    junctions: Annotated[tuple[Junction, ...], Exactly(3)]


@variant(4, unnamed=True)
class X4(Struct):
    """4 junctions."""

    junctions: Annotated[tuple[Junction, ...], Exactly(4)]


@variant(5, unnamed=True)
class X5(Struct):
    """5 junctions."""

    junctions: Annotated[tuple[Junction, ...], Exactly(5)]


@variant(6, unnamed=True)
class X6(Struct):
    """6 junctions."""

    junctions: Annotated[tuple[Junction, ...], Exactly(6)]


@variant(7, unnamed=True)
class X7(Struct):
    """7 junctions."""

    junctions: Annotated[tuple[Junction, ...], Exactly(7)]


@variant(8, unnamed=True)
class X8(Struct):
    """8 junctions."""

    junctions: Annotated[tuple[Junction, ...], Exactly(8)]


Junctions: TypeAlias = Here | X1 | X2 | X3 | X4 | X5 | X6 | X7 | X8
"""An interior location."""
enum_path(Junctions, "staging_xcm::v5::junctions::Junctions")

_FORMS = (X1, X2, X3, X4, X5, X6, X7, X8)
_HERE = Here()


def interior(*junctions: Junction) -> Junctions:
    """The interior location of these junctions.

    Raises:
        LocationError: `LOCATION_FULL`.
    """
    if not junctions:
        return _HERE
    if len(junctions) > MAX_JUNCTIONS:
        raise LocationError(LocationReason.LOCATION_FULL, junctions=len(junctions))
    return _FORMS[len(junctions) - 1](junctions)


@path("staging_xcm::v5::location::Location")
class Location(Struct):
    """A place, seen from another: so many parents up, then down the interior."""

    parents: u8
    interior: Junctions

    @property
    def junctions(self) -> tuple[Junction, ...]:
        """The junctions of the interior, outermost first."""
        return self.interior.junctions

    def __str__(self) -> str:
        steps = [".."] * self.parents + [_text(junction) for junction in self.junctions]
        return "/".join(steps) or "Here"


HERE: Final = Location(0, _HERE)
PARENT: Final = Location(1, _HERE)


def location(parents: int, *junctions: Junction) -> Location:
    """A location from its parts.

    Raises:
        LocationError: `LOCATION_FULL`.
    """
    if parents > MAX_PARENTS:
        raise LocationError(LocationReason.LOCATION_FULL, parents=parents)
    return Location(parents, interior(*junctions))


def _text(junction: Junction) -> str:
    values = (getattr(junction, name) for name in junction.__struct_fields__)
    shown = (value.hex() if isinstance(value, bytes) else str(value) for value in values if value is not None)
    return f"{type(junction).__name__}({', '.join(shown)})"


def appended(base: Location, *suffix: Junction) -> Location:
    """`base`, further down.

    Raises:
        LocationError: `LOCATION_FULL`.
    """
    return location(base.parents, *base.junctions, *suffix)


def starts_with(whole: Location, prefix: Location) -> bool:
    """Whether `whole` is `prefix` or inside it."""
    return whole.parents == prefix.parents and whole.junctions[: len(prefix.junctions)] == prefix.junctions


def match_and_split(whole: Location, prefix: Location) -> Junction | None:
    """The one junction that `whole` has beyond `prefix`, if that is all it has beyond it."""
    if len(whole.junctions) == len(prefix.junctions) + 1 and starts_with(whole, prefix):
        return whole.junctions[-1]
    return None


def inverted_target(context: Junctions, target: Location) -> Location:
    """How `target` addresses us, who sit at `context` of the universal root.

    Raises:
        LocationError: `NOT_INVERTIBLE` where the target has more parents than a location has junctions.
    """
    if target.parents > MAX_JUNCTIONS:
        raise LocationError(LocationReason.NOT_INVERTIBLE, parents=target.parents)
    known = context.junctions[max(0, len(context.junctions) - target.parents) :]
    unknown = (OnlyChild(),) * (target.parents - len(known))
    return location(len(target.junctions), *unknown, *known)


def prepended(suffix: Location, prefix: Location) -> Location:
    """`suffix` as seen from where `prefix` is seen: parents of the one cancel junctions of the other.

    Raises:
        LocationError: `LOCATION_FULL`.
    """
    cancelled = min(suffix.parents, len(prefix.junctions))
    kept = prefix.junctions[: len(prefix.junctions) - cancelled]
    return location(prefix.parents + suffix.parents - cancelled, *kept, *suffix.junctions)


def simplified(place: Location, context: Junctions) -> Location:
    """`place` without steps that go up and down the same way, for an observer at `context`."""
    if len(context.junctions) < place.parents:
        return place
    above = context.junctions[len(context.junctions) - place.parents :]
    shared = 0
    for ours, theirs in zip(above, place.junctions, strict=False):
        if ours != theirs:
            break
        shared += 1
    return location(place.parents - shared, *place.junctions[shared:]) if shared else place


def reanchored(place: Location, *, target: Location, context: Junctions) -> Location:
    """`place`, which we see from `context`, as `target` sees it.

    Raises:
        LocationError: `NOT_INVERTIBLE`, `LOCATION_FULL`.
    """
    return simplified(prepended(place, inverted_target(context, target)), target.interior)


def within(context: Junctions, place: Location) -> Junctions:
    """The universal location of `place`, which is seen from `context`.

    Raises:
        LocationError: `UNANCHORED` where `place` climbs above the universal root; `LOCATION_FULL`.
    """
    if place.parents > len(context.junctions):
        raise LocationError(LocationReason.UNANCHORED, parents=place.parents)
    return interior(*context.junctions[: len(context.junctions) - place.parents], *place.junctions)


def relative_to(universal: Junctions, viewer: Junctions) -> Location:
    """A universal location as a viewer sees it.

    Raises:
        LocationError: `LOCATION_FULL`.
    """
    shared = 0
    for theirs, ours in zip(universal.junctions, viewer.junctions, strict=False):
        if theirs != ours:
            break
        shared += 1
    return location(len(viewer.junctions) - shared, *universal.junctions[shared:])


def global_consensus(universal: Junctions) -> NetworkId | None:
    """The network a universal location lies in, if it names one."""
    first = universal.junctions[:1]
    return first[0].network if first and isinstance(first[0], GlobalConsensus) else None


def chain_location(place: Location) -> Location:
    """The chain that `place` is on: junctions are dropped until one names a chain."""
    junctions = place.junctions
    while junctions and not isinstance(junctions[-1], Parachain | GlobalConsensus):
        junctions = junctions[:-1]
    return location(place.parents, *junctions)
