"""Every policy of the machine, one seam each: a chain says here what it trusts, charges and allows.

Source: polkadot-sdk, `polkadot/xcm/xcm-executor/src/config.rs`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from substrate.runtime.origin import Origin
from substrate.scale.types import Struct
from substrate.types import Weight
from xcm.asset import Asset, Assets
from xcm.error import Error
from xcm.executor.holding import Holding
from xcm.executor.passage import Admitted, Passage
from xcm.instruction import Instruction, OriginKind, Xcm
from xcm.location import Junctions, Location
from xcm.outcome import SendError


class Context(Struct):
    """What policies may know of the message under execution."""

    origin: Location | None
    message_id: bytes
    topic: bytes | None = None

    @property
    def topic_or_message_id(self) -> bytes:
        """The name that onward messages inherit."""
        return self.topic or self.message_id


class FeeReason(StrEnum):
    """What a delivery fee is for."""

    TRANSFER_RESERVE_ASSET = "TransferReserveAsset"
    DEPOSIT_RESERVE_ASSET = "DepositReserveAsset"
    INITIATE_RESERVE_WITHDRAW = "InitiateReserveWithdraw"
    INITIATE_TELEPORT = "InitiateTeleport"
    CHARGE_FEES = "ChargeFees"


class Dispatched(Struct):
    """How a `Transact` call ended."""

    actual_weight: Weight | None
    """What it really used, where that is not what it was weighed at."""
    error: bytes | None
    """The encoded error, if it failed."""


class Barrier(Protocol):
    """Whether a message may execute at all."""

    def admit(self, passage: Passage) -> Admitted:
        """Let a message pass, perhaps changed, or raise `Refused`."""
        ...


class Weigher(Protocol):
    """What a message may cost at most."""

    def weight(self, message: Xcm, limit: Weight = Weight.MAX) -> Weight:
        """The weight of a program, or raise `Unweighable`: also where it is over the limit."""
        ...

    def instruction_weight(self, instruction: Instruction) -> Weight:
        """The weight of one instruction, or raise `Unweighable`."""
        ...


class Trader(Protocol):
    """Sells weight for assets; one trader serves one message."""

    def buy_weight(self, weight: Weight, payment: Holding, context: Context) -> Holding:
        """Take the price of a weight, give the rest back; or raise `XcmFailure`."""
        ...

    def refund_weight(self, weight: Weight, context: Context) -> Asset | None:
        """Give back the price of weight that was not used."""
        ...

    def settle(self) -> Assets:
        """Hand over what was earned, and name it; called once, at the end."""
        ...


class AssetTransactor(Protocol):
    """Moves assets between accounts and holding; raises `XcmFailure`, with `AssetNotFound` for a foreign asset."""

    def deposit_asset(self, asset: Asset, who: Location, context: Context) -> None:
        """Put an asset from holding on an account."""
        ...

    def withdraw_asset(self, asset: Asset, who: Location, context: Context) -> None:
        """Take an asset from an account into holding."""
        ...

    def transfer_asset(self, asset: Asset, source: Location, dest: Location, context: Context) -> None:
        """Move an asset from account to account."""
        ...

    def can_check_in(self, asset: Asset, origin: Location, context: Context) -> None:
        """Whether an asset may have been teleported here."""
        ...

    def check_in(self, asset: Asset, origin: Location, context: Context) -> None:
        """Account for an asset that was teleported here."""
        ...

    def can_check_out(self, asset: Asset, dest: Location, context: Context) -> None:
        """Whether an asset may be teleported away."""
        ...

    def check_out(self, asset: Asset, dest: Location, context: Context) -> None:
        """Account for an asset that is teleported away."""
        ...


class OriginConverter(Protocol):
    """How a location becomes the origin of a call."""

    def convert_origin(self, origin: Location, kind: OriginKind) -> Origin | None:
        """The origin, or None where the location may not have one of that kind."""
        ...


class AssetTrust(Protocol):
    """Whether a location is trusted with an asset, as its reserve or as a party to teleports."""

    def __call__(self, asset: Asset, place: Location, /) -> bool: ...


class FeeManager(Protocol):
    """Who pays for delivery, and where the fees go."""

    def is_waived(self, origin: Location | None, reason: FeeReason) -> bool:
        """Whether the origin sends for free."""
        ...

    def handle_fee(self, fee: Assets, context: Context | None, reason: FeeReason) -> None:
        """Take fees that were paid."""
        ...


class Ticket(Protocol):
    """A message that a router agreed to send."""

    @property
    def price(self) -> Assets:
        """What delivery costs."""
        ...

    def deliver(self) -> bytes:
        """Send it; returns the message id, or raises `SendFailure`."""
        ...


class Router(Protocol):
    """Sends messages."""

    def validate(self, dest: Location, message: Xcm) -> Ticket:
        """Agree to send, or raise `SendFailure`: with `NotApplicable`, where the destination is not this router's."""
        ...


class AssetTrap(Protocol):
    """Keeps what is left in holding."""

    def drop_assets(self, origin: Location, holding: Holding, context: Context) -> Weight:
        """Keep it for `origin`; returns the weight used."""
        ...


class AssetClaims(Protocol):
    """Gives back what was trapped."""

    def release_assets(self, origin: Location, ticket: Location, assets: Assets, context: Context) -> bool:
        """Whether the assets were trapped, and are now released."""
        ...


class EventEmitter(Protocol):
    """Tells the chain's users, through its events, what became of messages."""

    def emit_sent(self, origin: Location, dest: Location, message_id: bytes) -> None:
        """Execution sent a message."""
        ...

    def emit_send_failed(self, origin: Location, dest: Location, error: SendError, message_id: bytes) -> None:
        """Execution could not send a message."""
        ...

    def emit_process_failure(self, origin: Location, error: Error, message_id: bytes) -> None:
        """An instruction failed."""
        ...


class CallDispatcher(Protocol):
    """Reads, weighs, filters and runs the chain's calls for `Transact`."""

    def decode(self, call: bytes) -> Any:
        """Read a call, or raise `DecodeError`."""
        ...

    def weight(self, call: Any) -> Weight:
        """What a call uses at most."""
        ...

    def is_safe(self, call: Any) -> bool:
        """Whether messages may make this call."""
        ...

    def dispatch(self, call: Any, origin: Origin) -> Dispatched:
        """Run a call; its failure is a result."""
        ...


@dataclass(frozen=True)
class XcmConfig:
    """The machine of one chain."""

    universal_location: Junctions
    """Where the chain is, from the universal root."""
    barrier: Barrier
    weigher: Weigher
    trader: Callable[[], Trader]
    asset_transactor: AssetTransactor
    origin_converter: OriginConverter
    is_reserve: AssetTrust
    is_teleporter: AssetTrust
    fee_manager: FeeManager
    router: Router
    asset_trap: AssetTrap
    asset_claims: AssetClaims
    call_dispatcher: CallDispatcher
    transaction: Callable[[], AbstractContextManager[None]]
    """A storage transaction: an exception that leaves it rolls back what was written in it."""
    events: EventEmitter | None = None
    holding_limit: int = 64
    """Assets that holding takes for sure; in one go up to twice as many."""
