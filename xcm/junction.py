"""Junctions: the steps of a location, and the networks and bodies they name.

Source: polkadot-sdk, `polkadot/xcm/src/v5/junction.rs`, `v3/junction.rs`.
"""

from typing import Annotated, Any, TypeAlias, cast

from substrate.scale.types import Compact, Fixed, Struct, enum_path, naming, u8, u32, u64, u128, variant

Bytes4: TypeAlias = Annotated[bytes, Fixed(4)]
Bytes20: TypeAlias = Annotated[bytes, Fixed(20)]
Bytes32: TypeAlias = Annotated[bytes, Fixed(32)]


@variant(0, unnamed=True)
class ByGenesis(Struct):
    """A network known by its genesis hash."""

    genesis_hash: Bytes32


@variant(1)
class ByFork(Struct):
    """A network known by a block of its fork."""

    block_number: u64
    block_hash: Bytes32


@variant(2)
class Polkadot(Struct):
    """The Polkadot network."""


@variant(3)
class Kusama(Struct):
    """The Kusama network."""


@variant(7)
class Ethereum(Struct):
    """An Ethereum network."""

    chain_id: Compact[u64]


@variant(8)
class BitcoinCore(Struct):
    """Bitcoin."""


@variant(9)
class BitcoinCash(Struct):
    """Bitcoin Cash."""


@variant(10)
class PolkadotBulletin(Struct):
    """The Polkadot bulletin chain."""


NetworkId: TypeAlias = ByGenesis | ByFork | Polkadot | Kusama | Ethereum | BitcoinCore | BitcoinCash | PolkadotBulletin
enum_path(NetworkId, "staging_xcm::v5::junction::NetworkId")

WESTEND_GENESIS = bytes.fromhex("e143f23803ac50e8f6f8e62695d1ce9e4e1d68aa36c1cd2cfd15340213f3423e")
ROCOCO_GENESIS = bytes.fromhex("6408de7737c59c238890533af25896a2c20608d8b380bb01029acb392781063e")


@variant(0)
class Unit(Struct):
    """The only body of its context."""


@variant(1, unnamed=True)
class Moniker(Struct):
    """A body with a name of four bytes."""

    name: Bytes4


@variant(2, name="Index", unnamed=True)
class BodyIndex(Struct):
    """A body with an index."""

    index: Compact[u32]


@variant(3)
class Executive(Struct):
    """The executive body."""


@variant(4)
class Technical(Struct):
    """The technical body."""


@variant(5)
class Legislative(Struct):
    """The legislative body."""


@variant(6)
class Judicial(Struct):
    """The judicial body."""


@variant(7)
class Defense(Struct):
    """The defense body."""


@variant(8)
class Administration(Struct):
    """The administration body."""


@variant(9)
class Treasury(Struct):
    """The treasury body."""


BodyId: TypeAlias = (
    Unit | Moniker | BodyIndex | Executive | Technical | Legislative | Judicial | Defense | Administration | Treasury
)
enum_path(BodyId, "xcm::v3::junction::BodyId")


@variant(0)
class Voice(Struct):
    """The body as a whole."""


@variant(1)
class Members(Struct):
    """At least that many members."""

    count: Compact[u32]


@variant(2)
class Fraction(Struct):
    """That fraction of the members."""

    nom: Compact[u32]
    denom: Compact[u32]


@variant(3)
class AtLeastProportion(Struct):
    """At least that proportion of the members."""

    nom: Compact[u32]
    denom: Compact[u32]


@variant(4)
class MoreThanProportion(Struct):
    """More than that proportion of the members."""

    nom: Compact[u32]
    denom: Compact[u32]


BodyPart: TypeAlias = Voice | Members | Fraction | AtLeastProportion | MoreThanProportion
enum_path(BodyPart, "xcm::v3::junction::BodyPart")


@variant(0, unnamed=True)
class Parachain(Struct):
    """A parachain of the context's relay chain."""

    id: Compact[u32]


@variant(1)
class AccountId32(Struct):
    """An account of 32 bytes."""

    network: NetworkId | None
    id: Bytes32


@variant(2)
class AccountIndex64(Struct):
    """An account known by an index."""

    network: NetworkId | None
    index: Compact[u64]


@variant(3)
class AccountKey20(Struct):
    """An account of 20 bytes."""

    network: NetworkId | None
    key: Bytes20


@variant(4, unnamed=True)
class PalletInstance(Struct):
    """A pallet, by its index in the runtime."""

    index: u8


@variant(5, unnamed=True)
class GeneralIndex(Struct):
    """An index whose meaning the context knows."""

    index: Compact[u128]


@variant(6)
class GeneralKey(Struct):
    """A key whose meaning the context knows; `length` bytes of `data` count."""

    length: u8
    data: Bytes32


@variant(7)
class OnlyChild(Struct):
    """The only child of its context."""


@variant(8)
class Plurality(Struct):
    """A part of a collective body."""

    id: BodyId
    part: BodyPart


@variant(9, unnamed=True)
class GlobalConsensus(Struct):
    """A consensus system of its own, below the universal root."""

    network: NetworkId


Junction: TypeAlias = (
    Parachain
    | AccountId32
    | AccountIndex64
    | AccountKey20
    | PalletInstance
    | GeneralIndex
    | GeneralKey
    | OnlyChild
    | Plurality
    | GlobalConsensus
)
enum_path(Junction, "staging_xcm::v5::junction::Junction")


def order_key(value: Any) -> Any:
    """A key that sorts values as their derived order does upstream: variant first, then the fields in turn."""
    if isinstance(value, Struct):
        fields = tuple(order_key(getattr(value, name)) for name in value.__struct_fields__)
        return (naming(type(value)).index or 0, *fields)
    if isinstance(value, tuple):
        return tuple(order_key(item) for item in cast("tuple[Any, ...]", value))
    if value is None:
        return ()
    return (value,)
