"""Origins: who calls, and the annotations by which a call asks for one.

Source: polkadot-sdk, `substrate/frame/support/src/dispatch.rs` (`RawOrigin`).
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

import msgspec

from substrate.runtime.dispatch import BadOrigin, DispatchFailure
from substrate.scale.types import Struct, enum_path, variant
from substrate.types import AccountId


@variant(0, name="Root")
class RawRoot(Struct):
    """The chain itself."""


@variant(1, name="Signed", unnamed=True)
class RawSigned(Struct):
    """An account that signed."""

    who: AccountId


@variant(2, name="None")
class RawNone(Struct):
    """No one: inherents and unsigned transactions."""


RawOrigin: TypeAlias = RawRoot | RawSigned | RawNone
enum_path(RawOrigin, "frame_support::dispatch::RawOrigin")

Origin: TypeAlias = Struct
"""Any origin value: a `RawOrigin`, or a pallet's own origin."""


class EnsureOrigin(msgspec.Struct, frozen=True):
    """Annotation of a call's first parameter: `check` turns the origin into the argument or raises."""

    check: Callable[[Origin], Any]


def ensure_signed(origin: Origin) -> AccountId:
    """The signer, or `BadOrigin`."""
    if isinstance(origin, RawSigned):
        return origin.who
    raise DispatchFailure(BadOrigin())


def ensure_root(origin: Origin) -> None:
    """Nothing, or `BadOrigin`."""
    if not isinstance(origin, RawRoot):
        raise DispatchFailure(BadOrigin())


def ensure_none(origin: Origin) -> None:
    """Nothing, or `BadOrigin`."""
    if not isinstance(origin, RawNone):
        raise DispatchFailure(BadOrigin())


def any_origin(origin: Origin) -> Origin:
    """The origin itself: the call checks it."""
    return origin


Signed: TypeAlias = Annotated[AccountId, EnsureOrigin(ensure_signed)]
Root: TypeAlias = Annotated[None, EnsureOrigin(ensure_root)]
NoneOrigin: TypeAlias = Annotated[None, EnsureOrigin(ensure_none)]
AnyOrigin: TypeAlias = Annotated[Origin, EnsureOrigin(any_origin)]
