"""The origin of calls that a para makes through its upward messages.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/origin.rs`.
"""

from typing import Annotated, TypeAlias

from relaychain.primitives.types import ParaId
from substrate.runtime.dispatch import BadOrigin, DispatchFailure
from substrate.runtime.origin import EnsureOrigin, Origin
from substrate.runtime.pallet import Pallet
from substrate.scale.types import Struct, variant


@variant(0, unnamed=True)
class Parachain(Struct):
    """The call comes from this para."""

    para: ParaId


class ParachainsOrigin(Pallet):
    """Declares `Parachain`; has no storage and no calls."""

    crate = "polkadot_runtime_parachains::origin"
    origins = (Parachain,)


def ensure_parachain(origin: Origin) -> ParaId:
    """The para that calls, or `BadOrigin`."""
    if isinstance(origin, Parachain):
        return origin.para
    raise DispatchFailure(BadOrigin())


FromParachain: TypeAlias = Annotated[ParaId, EnsureOrigin(ensure_parachain)]
"""First parameter of calls that only a para may make."""
