"""Converters, matchers, weighers, traders, routers, prices, messages from a queue."""

import json
from pathlib import Path
from typing import Any

import pytest

from substrate.crypto.keys import dev_pair
from substrate.crypto.ss58 import encode as ss58
from substrate.pallets.message_queue_types import Overweight, ProcessingFailure, WeightMeter
from substrate.runtime.origin import RawNone, RawRoot, RawSigned
from substrate.types import AccountId, Weight
from tests.xcm.chain import FEES, Chain, account, here, para, weight
from xcm.asset import Assets, Fungible, InstanceIndex, assets, fungible, non_fungible
from xcm.builder.filters import is_parent
from xcm.builder.location_conversion import (
    AccountId32Aliases,
    ChildParachainConvertsVia,
    FirstConverter,
    HashedDescription,
    ParentIsPreset,
    SiblingParachainConvertsVia,
    describe_all_terminal,
    describe_family,
)
from xcm.builder.matchers import IsConcrete, MatchedConvertedConcreteId, as_prefixed_general_index
from xcm.builder.origin_conversion import (
    ChildParachainAsNative,
    FirstOrigin,
    LocationAsSuperuser,
    RelayChainAsNative,
    SiblingParachainAsNative,
    SignedAccountId32AsNative,
    SovereignSignedViaLocation,
    XcmPassthrough,
)
from xcm.builder.pricing import FIXED_ONE, ExponentialPrice, decreased_factor, increased_factor
from xcm.builder.process_message import process_message
from xcm.builder.routers import FirstRouter, WithUniqueTopic
from xcm.builder.traders import FirstTrader, FixedRate, FixedRateOfFungible, fees_to_account
from xcm.builder.weighers import FixedWeightBounds
from xcm.error import Overflow, TooExpensive, XcmFailure
from xcm.executor.config import Context
from xcm.executor.holding import Holding
from xcm.executor.passage import Unweighable
from xcm.executor.trace import FeeBurned
from xcm.instruction import (
    ClearOrigin,
    DoubleEncoded,
    OriginKind,
    SetAppendix,
    SetErrorHandler,
    SetTopic,
    Transact,
    Trap,
    WithdrawAsset,
    Xcm,
)
from xcm.junction import AccountId32, AccountKey20, GeneralIndex, Junction, Kusama, PalletInstance, Parachain
from xcm.location import HERE, PARENT, Location, location
from xcm.message import xcm
from xcm.outcome import SendError, SendFailure
from xcm.versions.versioned import decode_message, encode_message, versioned_xcm

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "xcm_location_to_account.json").read_text())
CONTEXT = Context(None, bytes(32))
JUNCTIONS: dict[str, Junction] = {
    "Parachain(1111)": Parachain(1111),
    "PalletInstance(50)": PalletInstance(50),
    "AccountId32(Alice)": AccountId32(None, dev_pair("Alice", "sr25519").public),
    "AccountKey20(0x00*20)": AccountKey20(None, bytes(20)),
    "AccountId32([1;32])": AccountId32(None, bytes([1] * 32)),
    "AccountKey20([123;20])": AccountKey20(None, bytes([123] * 20)),
}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_location_conversion_works(vector: Any) -> None:
    parents, names = vector["location"].split(",", 1)
    place = location(int(parents), *[JUNCTIONS[name] for name in names[1:-1].split(",")])
    converter = FirstConverter(
        (
            ChildParachainConvertsVia(),
            SiblingParachainConvertsVia(),
            HashedDescription(describe_family(describe_all_terminal)),
        )
    )
    found = converter.convert_location(place)
    assert found is not None
    assert ss58(found, 42) == vector["ss58_42"]


def test_accounts_of_the_parent_and_of_ourselves() -> None:
    assert ParentIsPreset().convert_location(PARENT) == b"Parent".ljust(32, b"\x00")
    assert ParentIsPreset().convert_location(HERE) is None
    aliases = AccountId32Aliases(Kusama())
    assert aliases.convert_location(location(0, AccountId32(Kusama(), b"a" * 32))) == b"a" * 32
    assert aliases.convert_location(account(1)) == bytes([1]) * 32
    assert AccountId32Aliases().convert_location(location(0, AccountId32(Kusama(), b"a" * 32))) is None


def test_origins() -> None:
    converter = FirstOrigin(
        (
            SovereignSignedViaLocation(ChildParachainConvertsVia()),
            LocationAsSuperuser(is_parent),
            RelayChainAsNative(RawNone()),
            ChildParachainAsNative(lambda id: RawSigned(AccountId(bytes([id]) * 32))),
            SiblingParachainAsNative(lambda id: RawSigned(AccountId(bytes([id + 1]) * 32))),
            SignedAccountId32AsNative(),
            XcmPassthrough(lambda place: RawSigned(AccountId(bytes([place.parents]) * 32))),
        )
    )

    def convert(place: Location, kind: OriginKind) -> Any:
        return converter.convert_origin(place, kind)

    assert convert(para(1), OriginKind.SovereignAccount) == RawSigned(AccountId(b"para\x01".ljust(32, b"\x00")))
    assert convert(PARENT, OriginKind.Superuser) == RawRoot()
    assert convert(para(1), OriginKind.Superuser) is None
    assert convert(PARENT, OriginKind.Native) == RawNone()
    assert convert(para(7), OriginKind.Native) == RawSigned(AccountId(bytes([7]) * 32))
    assert convert(location(1, Parachain(7)), OriginKind.Native) == RawSigned(AccountId(bytes([8]) * 32))
    assert convert(account(5), OriginKind.Native) == RawSigned(AccountId(bytes([5]) * 32))
    assert convert(PARENT, OriginKind.Xcm) == RawSigned(AccountId(bytes([1]) * 32))


def test_matchers() -> None:
    assert IsConcrete(HERE).matches_fungible(here(5)) == 5
    assert IsConcrete(PARENT).matches_fungible(here(5)) is None
    assert IsConcrete(HERE).matches_fungible(non_fungible(HERE, InstanceIndex(1))) is None
    prefix = location(0, PalletInstance(50))
    local = MatchedConvertedConcreteId(as_prefixed_general_index(prefix))
    assert local.matches_fungibles(fungible(location(0, PalletInstance(50), GeneralIndex(7)), 9)) == (7, 9)
    assert local.matches_fungibles(fungible(prefix, 9)) is None


def test_weight_bounds_should_respect_instructions_limit() -> None:
    bounds = FixedWeightBounds(weight(10), Chain(), max_instructions=3)
    one, clear = xcm(ClearOrigin()), ClearOrigin()
    for program in (
        (clear,) * 4,
        (SetErrorHandler(one), SetAppendix(one)),
        (SetErrorHandler(xcm(SetErrorHandler(xcm(SetErrorHandler(one))))),),
    ):
        with pytest.raises(Unweighable):
            bounds.weight(Xcm(program))
    assert bounds.weight(xcm(SetErrorHandler(xcm(SetErrorHandler(one))))) == weight(30)
    transact = Transact(OriginKind.Native, None, DoubleEncoded(b"call x 50 50 any"))
    assert bounds.weight(xcm(transact)) == weight(60)
    with pytest.raises(Unweighable):
        bounds.weight(xcm(Transact(OriginKind.Native, None, DoubleEncoded(b"junk"))))


def rate(place: Location) -> FixedRateOfFungible:
    return FixedRateOfFungible(FixedRate(place, 10**12, 2**20), lambda asset: None)


def test_a_fee_that_its_account_cannot_take_is_burned_and_noted() -> None:
    chain, facts = Chain(), list[object]()
    chain.ledger.minimum = 5
    take = fees_to_account(chain.config.asset_transactor, FEES, facts.append)
    take(here(4))
    take(here(5))
    assert facts == [FeeBurned(here(4), FEES, "FailedToTransactAsset: deposit: below minimum")]
    assert chain.ledger.of(FEES) == 5


def buy(trader: FixedRateOfFungible | FirstTrader, needed: Weight, place: Location, amount: int) -> int:
    left = trader.buy_weight(needed, Holding.of(fungible(place, amount)), CONTEXT).assets()
    fun = left[0].fun if left else None
    return fun.amount if isinstance(fun, Fungible) else 0


def test_fixed_rate_of_fungible_should_work() -> None:
    trader = rate(HERE)
    assert buy(trader, Weight(10, 10), HERE, 100) == 80
    assert buy(trader, Weight(5, 5), HERE, 10) == 0
    assert buy(trader, Weight(5, 0), HERE, 10) == 5
    with pytest.raises(XcmFailure) as failure:
        buy(trader, Weight(5, 5), HERE, 5)
    assert failure.value.error == TooExpensive()


def test_weight_is_bought_back_once() -> None:
    trader = rate(HERE)
    buy(trader, Weight(10, 10), HERE, 20)
    assert trader.refund_weight(Weight(6, 0), CONTEXT) == here(6)
    assert trader.refund_weight(Weight(6, 0), CONTEXT) == here(4)
    assert trader.refund_weight(Weight(6, 0), CONTEXT) is None
    assert trader.settle() == assets(here(10))


def test_no_more_is_refunded_than_was_earned() -> None:
    """Three purchases of half a unit more than one were rounded down each."""
    trader = FixedRateOfFungible(FixedRate(HERE, 10**12 // 2, 0), lambda asset: None)
    for _ in range(3):
        assert buy(trader, Weight(3, 0), HERE, 1) == 0
    assert trader.refund_weight(Weight(9, 0), CONTEXT) == here(3)
    assert trader.settle() == assets()


def test_weight_trader_tuple_should_work() -> None:
    def traders() -> FirstTrader:
        return FirstTrader([rate(HERE), rate(para(1))])

    assert buy(traders(), Weight(5, 5), HERE, 10) == 0
    trader = traders()
    assert buy(trader, Weight(5, 5), para(1), 10) == 0
    assert trader.refund_weight(Weight(2, 2), CONTEXT) == fungible(para(1), 4)
    assert trader.settle() == assets(fungible(para(1), 6))
    with pytest.raises(XcmFailure):
        buy(traders(), Weight(5, 5), PARENT, 10)
    assert traders().refund_weight(Weight(2, 2), CONTEXT) is None


def test_a_message_without_a_topic_gets_one() -> None:
    chain = Chain()
    router = WithUniqueTopic(chain, lambda message: b"u" * 32)
    assert router.validate(PARENT, xcm(ClearOrigin())).deliver() == b"u" * 32
    assert router.validate(PARENT, xcm(SetTopic(b"t" * 32))).deliver() == b"t" * 32
    assert chain.sent == [
        (PARENT, xcm(ClearOrigin(), SetTopic(b"u" * 32))),
        (PARENT, xcm(SetTopic(b"t" * 32))),
    ]


def nested(depth: int) -> Xcm:
    return xcm(SetAppendix(nested(depth - 1))) if depth else xcm()


MANY = assets(*(fungible(para(number), 1) for number in range(21)))


@pytest.mark.parametrize(
    ("fits", "exceeds"),
    [
        (Xcm((ClearOrigin(),) * 99), Xcm((ClearOrigin(),) * 100)),
        (nested(7), nested(8)),
        (xcm(WithdrawAsset(Assets(MANY[:20]))), xcm(WithdrawAsset(MANY))),
    ],
    ids=["instructions", "depth", "assets"],
)
def test_send_xcm_nested_works(fits: Xcm, exceeds: Xcm) -> None:
    """Given a limit of the format. When a message with its topic reaches it, it goes; over it, nothing is sent."""
    chain = Chain()
    router = WithUniqueTopic(chain, lambda message: b"u" * 32)
    router.validate(PARENT, fits).deliver()
    assert decode_message(encode_message(versioned_xcm(chain.sent[0][1])))
    with pytest.raises(SendFailure, match="ExceedsMaxMessageSize"):
        router.validate(PARENT, exceeds)
    assert len(chain.sent) == 1


class NotMine:
    def validate(self, dest: Location, message: Xcm) -> Any:
        raise SendFailure(SendError.NotApplicable)


def test_the_next_router_is_tried_only_where_the_first_is_not_applicable() -> None:
    chain = Chain()
    FirstRouter((NotMine(), chain)).validate(PARENT, xcm()).deliver()
    assert len(chain.sent) == 1
    with pytest.raises(SendFailure, match="Unroutable"):
        FirstRouter((NotMine(), chain, NotMine())).validate(para(99), xcm())
    with pytest.raises(SendFailure, match="NotApplicable"):
        FirstRouter((NotMine(),)).validate(PARENT, xcm())


def test_exponential_price_correct_price_calculation() -> None:
    price = ExponentialPrice(HERE, 300_000_000, 1_000_000)
    factor = FIXED_ONE * 101 // 100
    for message, length in ((xcm(), 1), (xcm(ClearOrigin()), 2), (xcm(Trap(64)), 4)):
        expected = 101 * (300_000_000 + 1_000_000 * length) // 100
        assert price.price_for_delivery(message, factor) == assets(here(expected))


def test_the_delivery_factor_grows_with_messages_and_falls_to_one() -> None:
    once = increased_factor(FIXED_ONE, 2048)
    assert once == FIXED_ONE * 1052 // 1000
    assert decreased_factor(once) == once * FIXED_ONE // (FIXED_ONE * 105 // 100)
    assert decreased_factor(FIXED_ONE) == FIXED_ONE


def process(data: bytes, limit: int = 1000) -> tuple[bool, Weight]:
    chain, meter = Chain(unpaid=[para(1)]), WeightMeter(weight(limit))
    try:
        outcome = process_message(chain.executor, data, para(1), meter, bytes(32))
    except ProcessingFailure as failure:
        assert meter.consumed == weight(0)
        raise failure from None
    return outcome.success, meter.consumed


def test_process_message_trivial_works_and_fails() -> None:
    assert process(encode_message(versioned_xcm(xcm(ClearOrigin())))) == (True, weight(10))
    assert process(encode_message(versioned_xcm(xcm(Trap(1))))) == (False, weight(10))


def heavy(amount: int) -> Transact:
    return Transact(OriginKind.Native, None, DoubleEncoded(f"call x {amount} 0 any".encode()))


MOST = 2**64 - 1


@pytest.mark.parametrize(
    "program",
    [
        xcm(ClearOrigin(), heavy(MOST)),
        xcm(ClearOrigin(), SetAppendix(xcm(heavy(MOST - 10)))),
        xcm(heavy(MOST - 10), ClearOrigin()),
    ],
)
def test_a_message_heavier_than_a_weight_can_say_is_unweighable_and_not_kept_as_overweight(program: Xcm) -> None:
    with pytest.raises(Unweighable) as failure:
        Chain().config.weigher.weight(program)
    assert (failure.value.error, failure.value.index) == (Overflow(), 1)
    with pytest.raises(ProcessingFailure, match="Unsupported"):
        process(encode_message(versioned_xcm(program)))


@pytest.mark.parametrize("data", [b"", bytes([55, 66]), bytes([123, 222, 233])])
def test_process_message_corrupted_fails(data: bytes) -> None:
    with pytest.raises(ProcessingFailure, match="Corrupt"):
        process(data)


def test_process_message_overweight_fails() -> None:
    with pytest.raises(ProcessingFailure) as failure:
        process(encode_message(versioned_xcm(xcm(ClearOrigin()))), limit=9)
    assert failure.value.error == Overweight(weight(10))


def test_a_processed_message_goes_by_its_topic() -> None:
    chain, meter = Chain(unpaid=[para(1)]), WeightMeter(weight(100))
    data = encode_message(versioned_xcm(xcm(ClearOrigin(), SetTopic(b"t" * 32))))
    assert process_message(chain.executor, data, para(1), meter, bytes(32)).message_id == b"t" * 32
