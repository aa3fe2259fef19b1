"""CumulusXcm: the origins of calls that the relay chain and siblings make as themselves.

Source: polkadot-sdk, `cumulus/pallets/xcm/src/lib.rs`.
"""

from typing import Annotated, TypeAlias

from relaychain.primitives.types import ParaId
from substrate.runtime.dispatch import BadOrigin, DispatchFailure
from substrate.runtime.origin import EnsureOrigin, Origin
from substrate.runtime.pallet import Pallet
from substrate.scale.types import Struct, variant


@variant(0)
class Relay(Struct):
    """The relay chain."""


@variant(1, unnamed=True)
class SiblingParachain(Struct):
    """Another para."""

    para: ParaId


class CumulusXcm(Pallet):
    """Origins only."""

    crate = "cumulus_pallet_xcm"
    origins = (Relay, SiblingParachain)


def ensure_relay(origin: Origin) -> None:
    """Nothing, or `BadOrigin`."""
    if not isinstance(origin, Relay):
        raise DispatchFailure(BadOrigin())


def ensure_sibling_para(origin: Origin) -> ParaId:
    """The sibling, or `BadOrigin`."""
    if isinstance(origin, SiblingParachain):
        return origin.para
    raise DispatchFailure(BadOrigin())


FromRelay: TypeAlias = Annotated[None, EnsureOrigin(ensure_relay)]
FromSibling: TypeAlias = Annotated[ParaId, EnsureOrigin(ensure_sibling_para)]
"""Annotations of a call's first parameter: it is made by a `Transact` with native origin."""
