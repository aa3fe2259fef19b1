"""A small runtime with every pallet of this folder, in an open block."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from relaychain.pvf.meter import Meter
from substrate.block import Digest
from substrate.pallets.assets import Assets, TrustBackedAssets
from substrate.pallets.balances import Balances
from substrate.pallets.message_queue import MessageQueue
from substrate.pallets.message_queue_types import Corrupt, Outcome, Overweight, ProcessingFailure, WeightMeter, Yield
from substrate.pallets.sudo import Sudo
from substrate.pallets.system import System
from substrate.pallets.timestamp import Timestamp
from substrate.pallets.transaction_payment import TransactionPayment
from substrate.pallets.utility import Utility
from substrate.runtime.assembly import Runtime, mount
from substrate.runtime.origin import RawRoot, RawSigned
from substrate.runtime.pallet import Pallet
from substrate.runtime.version import RuntimeVersion
from substrate.scale.types import Struct, path, u8, u32
from substrate.state import Overlay
from substrate.types import AccountId, Balance, BlockNumber, Hash, Weight

ALICE, BOB, CAROL, FEES = (AccountId(bytes([number]) * 32) for number in range(1, 5))
ED = Balance(100)


@path("test_runtime::Place")
class Place(Struct):
    """A structured asset id."""

    parents: u8
    para: u32


class PlacedAssets(Assets, parameters={"AssetId": Place, "AssetIdParameter": Place}):
    """Assets with structured ids, beside those with numbers."""


class PlaceQueue(MessageQueue, parameters={"MessageOrigin": Place}):
    """A queue for each place."""


ITEM = Weight(1_000, 10)
TURN = Weight(1_000_000_000, 1_000_000)


def process(queue: Pallet, message: bytes, origin: Place, meter: WeightMeter, message_id: Hash) -> Outcome:
    """Does what a message says."""
    word, _, rest = message.partition(b" ")
    weight = Weight(int(rest), 0) if word == b"heavy" else ITEM
    queue.state.put(b"last", message)
    match word:
        case b"yield":
            raise ProcessingFailure(Yield())
        case b"bad":
            raise ProcessingFailure(Corrupt())
        case b"loops":
            steps = queue.runtime.step_meter
            assert steps is not None
            with queue.runtime.capped(int(rest)):
                while True:
                    cast(Meter, steps).step()
        case b"more":
            queue.runtime.pallet(MessageQueue).enqueue_message(b"ok", origin)
        case _:
            pass
    if not meter.try_consume(weight):
        raise ProcessingFailure(Overweight(weight))
    return Outcome(word != b"fails", message_id)


class SmallRuntime(Runtime):
    """Every pallet of this folder."""

    version = RuntimeVersion("small", "relayloom", 1, 1, 1, (), 1, 1)
    crate = "small_runtime"
    system: System = mount(0, block_hash_count=BlockNumber(4), max_consumers=4)
    timestamp: Timestamp = mount(2)
    balances: Balances = mount(4, existential_deposit=ED)
    transaction_payment: TransactionPayment = mount(5, fee_account=FEES)
    utility: Utility = mount(6)
    sudo: Sudo = mount(7)
    assets: TrustBackedAssets = mount(
        8,
        asset_deposit=Balance(50),
        asset_account_deposit=Balance(20),
        metadata_deposit_base=Balance(10),
        metadata_deposit_per_byte=Balance(1),
        approval_deposit=Balance(5),
    )
    placed_assets: PlacedAssets = mount(9)
    message_queue: PlaceQueue = mount(10, heap_size=40, max_stale=2, service_weight=TURN, process_message=process)


GENESIS: dict[str, dict[str, Any]] = {
    "balances": {"balances": {ALICE: Balance(10_000), BOB: Balance(5_000), FEES: Balance(1_000)}},
    "sudo": {"key": ALICE},
}


class World:
    """An open block of the small runtime, and what its tests say often."""

    def __init__(self) -> None:
        self.state = Overlay(SmallRuntime.genesis(GENESIS, code=b"small"))
        self.runtime = SmallRuntime(self.state)
        self.runtime.system.initialize(BlockNumber(1), Hash(bytes(32)), Digest())

    def events(self) -> list[Struct]:
        """The pallets' events so far."""
        return [cast(Any, record.event).value for record in self.runtime.system.block_events()]

    def said(self) -> list[str]:
        """Names of the events so far."""
        return [type(event).__name__ for event in self.events()]

    def dispatch(self, who: AccountId | None, method: Any, /, **args: Any) -> None:
        """Run a call, given by its name or method, as an account, or as root."""
        make = self.runtime.call_named if isinstance(method, str) else self.runtime.call
        self.runtime.dispatch(make(method, **args), RawSigned(who) if who else RawRoot())

    def issued(self) -> int:
        """Sum of all balances."""
        return sum(info.data.total for _, info in self.runtime.system.account.items())


@pytest.fixture
def world() -> Iterator[World]:
    """An open block; at its end the issuance must equal the sum of balances."""
    opened = World()
    yield opened
    assert opened.runtime.balances.total_issuance.get() == opened.issued()
