"""What users' calls may do to their block: fail, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from parachains.sdk.contract import Collated, ParaConfig
from parachains.sdk.plugin import Parachain
from relaychain.primitives.bundle import SourceFile
from relaychain.primitives.types import ParaId
from relaychain.pvf.bundle import make_bundle
from relaychain.pvf.host import BACKING_STEPS, InlineHost
from substrate.block import Header
from substrate.client.execution import Facts
from substrate.crypto.keys import dev_pair
from substrate.pallets.message_queue_types import Unsupported
from substrate.runtime import stack
from substrate.runtime.dispatch import Other
from substrate.runtime.extrinsic import Signing, sign_extrinsic
from substrate.runtime.stack import STACK_FRAMES
from substrate.runtime.steps import CALL_STEPS
from substrate.scale.codec import decode
from substrate.state import Overlay
from substrate.trie.trie import Trie
from substrate.types import AccountId
from tests.parachains.sdk.fake_relay import FakeRelay
from xcm.executor.machine import RECURSION_LIMIT
from xcm.instruction import MAX_DEPTH, DoubleEncoded, OriginKind, Transact, UnpaidExecution, Xcm
from xcm.pallet import XcmPallet
from xcm.versions.versioned import encode_message, versioned_xcm
from xcm.weight import Unlimited

ALICE = dev_pair("Alice", "ed25519")
SOURCE = b"""
from parachains.sdk.plugin import Parachain, Signed, StorageValue, call, u32


class SoldOut(BaseException):
    pass


class Sullen(Exception):
    def __str__(self):
        while True:
            pass

    __bool__ = __len__ = __str__


class Market(Parachain):
    done: StorageValue[u32]

    @call
    def spin(self, origin: Signed, turns: u32) -> None:
        for _ in range(turns):
            pass
        self.done.put((self.done.get() or 0) + 1)

    @call
    def find(self, origin: Signed) -> None:
        next(iter(()))

    @call
    def buy(self, origin: Signed) -> None:
        raise SoldOut

    @call
    def hoard(self, origin: Signed) -> None:
        bytes(2**62)

    @call
    def sulk(self, origin: Signed) -> None:
        raise Sullen

    @call
    def give(self, origin: Signed) -> None:
        return Sullen()
"""
BREAKING = [("find", {}), ("buy", {}), ("hoard", {}), ("sulk", {}), ("give", {}), ("spin", {"turns": CALL_STEPS + 1})]
CODE = make_bundle("market:Market", [SourceFile("market", SOURCE)])
LONG = CALL_STEPS * 9 // 10


class Market:
    """The chain, its collator and a validator, all metered."""

    def __init__(self) -> None:
        self.host = InlineHost()
        self.loaded = self.host.load(CODE)
        self.loaded.meter.left = BACKING_STEPS
        self.kind: type[Parachain] = self.loaded.entry
        self.runtime: Any = self.kind.runtime()
        config = ParaConfig(ParaId(2000), CODE, {AccountId(ALICE.public): 10**15})
        genesis = self.kind.genesis_block(config)
        self.head, self.state = genesis.head, genesis.state
        self.genesis = decode(Header, genesis.head).hash
        self.relay = FakeRelay(ParaId(2000), self.head)
        self.nonce = 0

    def encoded(self, method: str, **args: object) -> bytes:
        return self.runtime.encode_call(self.runtime.call_named(f"Market.{method}", **args))

    def signed(self, method: str, **args: object) -> bytes:
        signing = Signing(1, 1, self.genesis, self.genesis)
        self.nonce += 1
        return sign_extrinsic(self.encoded(method, **args), ALICE, nonce=self.nonce - 1, signing=signing)

    def send(self, *calls: bytes) -> None:
        transacts = (Transact(OriginKind.SovereignAccount, None, DoubleEncoded(call)) for call in calls)
        self.relay.send_down(encode_message(versioned_xcm(Xcm((UnpaidExecution(Unlimited(), None), *transacts)))))

    def done(self) -> int:
        return self.runtime(Overlay(self.state)).pallet(self.kind).done.get()

    def block(self, *extrinsics: bytes) -> list[Any]:
        """Collate and validate; returns the events."""
        self.relay.advance()
        self.loaded.meter.left = BACKING_STEPS
        context = replace(self.relay.context(*extrinsics, parent=self.head), observer=Facts())
        made: Collated[Trie] = self.kind.collate(self.head, self.state, context)
        params = self.relay.params(made.block_data, self.head)
        assert self.host.validate(CODE, params, steps=BACKING_STEPS) == made.result
        self.waiting = [each.extrinsic for each in made.rejected if each.retry]
        self.head, self.state = made.result.head_data, made.state
        self.relay.include(made)
        return [record.event.value for record in made.block.events]


def named(events: list[Any], name: str) -> list[Any]:
    return [event for event in events if type(event).__name__ == name]


@pytest.mark.parametrize(("method", "args"), BREAKING)
def test_a_call_that_breaks_fails_and_pays(method: str, args: dict[str, int]) -> None:
    market = Market()

    events = market.block(market.signed(method, **args))

    [failed], [paid] = named(events, "ExtrinsicFailed"), named(events, "TransactionFeePaid")
    assert failed.dispatch_error == Other()
    assert paid.actual_fee > 0


@pytest.mark.parametrize(("method", "args"), BREAKING)
def test_a_message_whose_call_breaks_is_served_and_the_next_one_too(method: str, args: dict[str, int]) -> None:
    market = Market()
    market.send(market.encoded(method, **args))
    market.send(market.encoded("spin", turns=1))

    events = market.block()

    assert [event.success for event in named(events, "Processed")] == [True, True]
    assert market.done() == 1


def test_messages_of_a_block_share_its_steps() -> None:
    market = Market()
    for _ in range(5):
        market.send(market.encoded("spin", turns=LONG), market.encoded("spin", turns=LONG // 2))

    served = [len(named(market.block(), "Processed")) for _ in range(4)]

    assert served == [2, 2, 1, 0]
    assert market.done() == 10


def test_a_message_that_takes_too_many_steps_in_several_calls_is_dropped() -> None:
    market = Market()
    market.send(market.encoded("spin", turns=LONG), market.encoded("spin", turns=LONG))
    market.send(market.encoded("spin", turns=1))

    events = market.block() + market.block()

    assert [event.error for event in named(events, "ProcessingFailed")] == [Unsupported()]
    assert len(named(events, "Processed")) == 1
    assert market.done() == 1


def test_extrinsics_of_a_block_leave_its_messages_their_steps() -> None:
    market = Market()
    for _ in range(3):
        market.send(market.encoded("spin", turns=LONG), market.encoded("spin", turns=LONG // 2))

    events = market.block(*(market.signed("spin", turns=LONG) for _ in range(3)))

    assert len(named(events, "Processed")) == 2
    assert len(named(events, "TransactionFeePaid")) == 1
    assert len(market.waiting) == 2


def nested(market: Market, levels: int) -> Xcm:
    """Programs that run programs, each below as many batches as a Transact may hold."""
    runtime, weigher = market.runtime, market.runtime(Overlay(market.state)).pallet(XcmPallet).machine.weigher
    call, program = runtime.call_named("System.remark_with_event", remark=b"deep"), Xcm(())
    for _ in range(levels):
        if program:
            weight = weigher.weight(program)
            call = runtime.call_named("PolkadotXcm.execute", message=versioned_xcm(program), max_weight=weight)
        for _ in range(MAX_DEPTH - 1):
            call = runtime.call_named("Utility.batch", calls=(call,))
        encoded = DoubleEncoded(runtime.encode_call(call))
        program = Xcm((Transact(OriginKind.SovereignAccount, None, encoded),))
    return Xcm((UnpaidExecution(Unlimited(), None), *program))


def test_the_deepest_message_needs_half_of_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "STACK_FRAMES", STACK_FRAMES // 2)
    market = Market()
    for levels in (RECURSION_LIMIT, RECURSION_LIMIT + 1):
        market.relay.send_down(encode_message(versioned_xcm(nested(market, levels))))

    events = market.block() + market.block()

    assert len(named(events, "Remarked")) == 1
