"""XCM version 4: what differs from version 5.

Source: polkadot-sdk, `polkadot/xcm/src/v4/mod.rs`, `v3/junction.rs`.
"""

from typing import Any, Final, TypeAlias

from substrate.scale.types import Struct, enum_path, members_of, naming, variant
from substrate.types import Weight
from xcm import error, instruction
from xcm.instruction import DoubleEncoded, OriginKind
from xcm.junction import (
    ROCOCO_GENESIS,
    WESTEND_GENESIS,
    BitcoinCash,
    BitcoinCore,
    ByFork,
    ByGenesis,
    Ethereum,
    Kusama,
    NetworkId,
    Polkadot,
    PolkadotBulletin,
)
from xcm.versions.mirror import Mirror, Override, VersionError, VersionReason

MAX_WEIGHT: Final = Weight(2**64 - 1, 2**64 - 1)


@variant(4)
class Westend(Struct):
    """The Westend network."""


@variant(5)
class Rococo(Struct):
    """The Rococo network."""


@variant(6)
class Wococo(Struct):
    """The Wococo network."""


NetworkIdV4: TypeAlias = (
    ByGenesis
    | ByFork
    | Polkadot
    | Kusama
    | Westend
    | Rococo
    | Wococo
    | Ethereum
    | BitcoinCore
    | BitcoinCash
    | PolkadotBulletin
)
enum_path(NetworkIdV4, "xcm::v3::junction::NetworkId")


@variant(6)
class Transact(Struct):
    """Dispatch a call that weighs at most `require_weight_at_most`."""

    origin_kind: OriginKind
    require_weight_at_most: Weight
    call: DoubleEncoded


def network_up(old: Any) -> NetworkId:
    """Test networks are known by their genesis since version 5."""
    if isinstance(old, Westend):
        return ByGenesis(WESTEND_GENESIS)
    if isinstance(old, Rococo):
        return ByGenesis(ROCOCO_GENESIS)
    if isinstance(old, Wococo):
        raise VersionError(VersionReason.NOT_IN_VERSION, type="Wococo")
    return old


def transact_up(old: Transact) -> instruction.Transact:
    """The required weight becomes the fallback."""
    return instruction.Transact(old.origin_kind, old.require_weight_at_most, old.call)


def transact_down(new: instruction.Transact) -> Transact:
    """Without a fallback the call may weigh anything."""
    weight = MAX_WEIGHT if new.fallback_max_weight is None else new.fallback_max_weight
    return Transact(new.origin_kind, weight, new.call)


OVERRIDES: Final = {
    members_of(NetworkId): Override(NetworkIdV4, network_up, lambda new: new),
    instruction.Transact: Override(Transact, transact_up, transact_down),
}
DROPPED: Final = frozenset(
    {
        instruction.PayFees,
        instruction.InitiateTransfer,
        instruction.ExecuteWithOrigin,
        instruction.SetHints,
        error.TooManyAssets,
    }
)
INDICES: Final[dict[type[Struct], int]] = {
    cls: (naming(cls).index or 0) - 1
    for cls in (
        error.UnhandledXcmVersion,
        error.WeightLimitReached,
        error.Barrier,
        error.WeightNotComputable,
        error.ExceedsStackLimit,
    )
}


def _rename(path: str) -> str:
    if path == "xcm::v5::traits::Error":
        return "xcm::v3::traits::Error"
    return path.replace("::v5::", "::v4::")


V4: Final = Mirror(_rename, OVERRIDES, DROPPED, INDICES)
