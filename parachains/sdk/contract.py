"""Level 0: what the relay chain and the node ask of any parachain.

    genesis_block(config)                 -> GenesisBlock      once, when the network is made
    validate_block(params)                -> ValidationResult  by validators, from bytes alone
    collate(head, state, context)         -> Collated          by the collator, for each relay parent

`validate_block` is all that the relay chain knows: a chain of any kind fits. `state` is whatever the collator keeps
between blocks; only genesis and `collate` make it and only `collate` reads it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from relaychain.primitives.availability import PoV
from relaychain.primitives.collation import Collation
from relaychain.primitives.messages import InboundDownwardMessage, InboundHrmpMessage
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import HeadData, ParaId
from relaychain.primitives.validation import ValidationParams, ValidationResult
from substrate.crypto.keys import Ed25519Pair
from substrate.runtime.observer import Observer
from substrate.types import AccountId, Slot
from xcm.location import Location

S = TypeVar("S")


@dataclass(frozen=True)
class ForeignAsset:
    """An asset of another chain that a para takes."""

    place: Location
    """Its name, as the para sees it."""
    symbol: str
    decimals: int
    rate: int | None = None
    """Planck of native currency per 10^18 of the asset's smallest unit; None is one to one by decimals."""
    min_balance: int = 1
    accounts: Mapping[AccountId, int] = field(default_factory=dict[AccountId, int])


@dataclass(frozen=True)
class ParaConfig:
    """What a network says of one of its paras."""

    para: ParaId
    code: bytes = b""
    """The validation code: what the chain starts under."""
    accounts: Mapping[AccountId, int] = field(default_factory=dict[AccountId, int])
    """Native balances."""
    authorities: tuple[bytes, ...] = ()
    """Ed25519 keys of the collators, in turn; none means anyone may collate."""
    slot_duration_ms: int = 6_000
    """The relay chain's."""
    sudo: AccountId | None = None
    foreign_assets: tuple[ForeignAsset, ...] = ()
    teleports: tuple[tuple[Location, Location], ...] = ()
    """Pairs of an asset and a chain that may be trusted with teleports of it."""
    reserves: tuple[tuple[Location, Location], ...] = ()
    """Pairs of an asset and a chain that holds its reserve; an asset without a pair has its own chain's."""
    pallets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Further genesis configuration, by pallet attribute; the chain's own options are under its own."""


@dataclass(frozen=True)
class GenesisBlock(Generic[S]):
    """Where a chain begins."""

    head: HeadData
    state: S


@dataclass(frozen=True)
class CollationContext:
    """All that a block may depend on, as the collator found it at the relay parent; the last two are the node's own."""

    para: ParaId
    validation_data: PersistedValidationData
    relay_slot: Slot
    relay_proof: tuple[bytes, ...]
    """Shows `relay_state_snapshot.para_keys` and `channel_keys` under the relay parent's storage root."""
    downward_messages: tuple[InboundDownwardMessage, ...] = ()
    """Everything that waits, oldest first."""
    horizontal_messages: Mapping[ParaId, tuple[InboundHrmpMessage, ...]] = field(
        default_factory=dict[ParaId, tuple[InboundHrmpMessage, ...]]
    )
    """Everything that waits, of every open channel."""
    extrinsics: Sequence[bytes] = ()
    """Candidates for the block, best first; those that do not fit are left out."""
    author: Ed25519Pair | None = None
    """Seals the block, where the chain wants a seal."""
    observer: Observer | None = None
    """Told what execution does."""
    has_time: Callable[[], bool] = lambda: True
    """To be asked before each extrinsic: once it says no, those that are left wait for a later block."""


@dataclass(frozen=True)
class Rejected:
    """An extrinsic that did not get into the block."""

    extrinsic: bytes
    reason: str
    retry: bool
    """It may fit into a later block."""


@dataclass(frozen=True)
class Collated(Generic[S]):
    """A block and what it leads to."""

    block_data: bytes
    """The proof of validity: what `validate_block` is given."""
    result: ValidationResult
    """What `validate_block` must find."""
    state: S
    """The collator's state after the block."""
    included: tuple[bytes, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    block: Any = None
    """The block in the chain's own form, for those who store or show it."""

    @property
    def collation(self) -> Collation:
        """What the collator offers to validators."""
        result = self.result
        return Collation(
            upward_messages=result.upward_messages,
            horizontal_messages=result.horizontal_messages,
            new_validation_code=result.new_validation_code,
            head_data=result.head_data,
            proof_of_validity=PoV(self.block_data),
            processed_downward_messages=result.processed_downward_messages,
            hrmp_watermark=result.hrmp_watermark,
        )


class ValidatesBlocks(Protocol):
    """What validation code must have: the object that a bundle's entry names."""

    def validate_block(self, params: ValidationParams) -> ValidationResult:
        """What the block in `params` leads to; any exception makes the candidate invalid."""
        ...


class ParachainPlugin(ValidatesBlocks, Protocol[S]):
    """A whole parachain."""

    def genesis_block(self, config: ParaConfig) -> GenesisBlock[S]:
        """Block zero."""
        ...

    def collate(self, head: HeadData, state: S, context: CollationContext) -> Collated[S]:
        """The next block."""
        ...
