"""Barriers: which messages may execute."""

import pytest

from substrate.types import Weight
from tests.xcm.chain import account, here, weight
from xcm.asset import All, Wild, assets, fungible
from xcm.builder.barriers import (
    AllowExplicitUnpaidExecutionFrom,
    AllowTopLevelPaidExecutionFrom,
    AllowUnpaidExecutionFrom,
    AnyOf,
    DenyRecursively,
    DenyReserveTransferToRelayChain,
    DenyThenTry,
    TakeWeightCredit,
    TrailingSetTopicAsId,
    WithComputedOrigin,
)
from xcm.builder.filters import everything, nothing, one_of
from xcm.executor.config import Barrier
from xcm.executor.passage import Admitted, BarrierReason, Passage, Refused
from xcm.instruction import (
    AliasOrigin,
    AssetClaimer,
    BuyExecution,
    ClearOrigin,
    DepositReserveAsset,
    DescendOrigin,
    ExecuteWithOrigin,
    InitiateReserveWithdraw,
    Instruction,
    PayFees,
    ReserveAssetDeposited,
    SetAppendix,
    SetErrorHandler,
    SetHints,
    SetTopic,
    TransferAsset,
    TransferReserveAsset,
    UniversalOrigin,
    UnpaidExecution,
    WithdrawAsset,
    Xcm,
)
from xcm.junction import AccountIndex64, ByGenesis, GlobalConsensus, Kusama, PalletInstance, Parachain
from xcm.location import HERE, PARENT, Location, interior, location
from xcm.message import xcm
from xcm.weight import Limited, Unlimited, WeightLimit

TWENTY = weight(20)
LOAD = WithdrawAsset(assets(here(100)))


def ask(
    barrier: Barrier, *message: Instruction, origin: Location = PARENT, needed: Weight = TWENTY, credit: int = 0
) -> Admitted | Refused:
    try:
        return barrier.admit(Passage(origin, Xcm(message), needed, weight(credit)))
    except Refused as refusal:
        return refusal


def reason(answer: Admitted | Refused) -> tuple[object, Weight | None] | str:
    return answer.by if isinstance(answer, Admitted) else (answer.reason, answer.required)


UNSUPPORTED, BAD_FORMAT = (BarrierReason.UNSUPPORTED, None), (BarrierReason.BAD_FORMAT, None)


def overweight(needed: Weight) -> tuple[object, Weight]:
    return BarrierReason.OVERWEIGHT, needed


def buy(limit: WeightLimit) -> BuyExecution:
    return BuyExecution(here(1), limit)


def test_take_weight_credit_barrier_should_work() -> None:
    first = ask(TakeWeightCredit(), TransferAsset(assets(here(1)), PARENT), needed=weight(10), credit=10)
    assert isinstance(first, Admitted)
    assert first.passage.weight_credit == weight(0)
    with pytest.raises(Refused, match="Overweight"):
        TakeWeightCredit().admit(first.passage)


def test_computed_origin_should_work() -> None:
    message = (
        UniversalOrigin(GlobalConsensus(Kusama())),
        DescendOrigin(interior(Parachain(100))),
        DescendOrigin(interior(PalletInstance(69))),
        LOAD,
        buy(Limited(weight(100))),
    )
    paid = AllowTopLevelPaidExecutionFrom(
        one_of(location(2, GlobalConsensus(Kusama()), Parachain(100), PalletInstance(69)))
    )
    universal = interior(GlobalConsensus(ByGenesis(bytes(32))), Parachain(42))
    assert reason(ask(paid, *message, needed=weight(100))) == UNSUPPORTED
    assert reason(ask(WithComputedOrigin(paid, universal, 2), *message, needed=weight(100))) == UNSUPPORTED
    admitted = ask(WithComputedOrigin(paid, universal, 5), *message, needed=weight(100))
    assert isinstance(admitted, Admitted)
    assert admitted.passage.message == message
    assert admitted.passage.origin == PARENT


def test_allow_unpaid_should_work() -> None:
    barrier = AllowUnpaidExecutionFrom(one_of(PARENT))
    assert reason(ask(barrier, LOAD)) == "AllowUnpaidExecutionFrom"
    assert reason(ask(barrier, LOAD, origin=HERE)) == UNSUPPORTED


def test_allow_explicit_unpaid_should_work() -> None:
    barrier = AllowExplicitUnpaidExecutionFrom(one_of(PARENT))
    name = "AllowExplicitUnpaidExecutionFrom"
    assert reason(ask(barrier, LOAD)) == BAD_FORMAT
    assert reason(ask(barrier, UnpaidExecution(Limited(weight(10)), None))) == overweight(weight(20))
    assert reason(ask(barrier, UnpaidExecution(Unlimited(), None), origin=HERE)) == UNSUPPORTED
    assert reason(ask(barrier, UnpaidExecution(Limited(weight(20)), None))) == name
    assert reason(ask(barrier, UnpaidExecution(Unlimited(), None))) == name
    partly = UnpaidExecution(Limited(Weight(20, 10)), None)
    assert reason(ask(barrier, partly)) == overweight(weight(20))
    assert reason(ask(barrier, partly, needed=weight(10))) == name
    free = UnpaidExecution(Unlimited(), None)
    assert reason(ask(barrier, ReserveAssetDeposited(assets(here(1))), free)) == name
    assert reason(ask(barrier, ClearOrigin(), free)) == UNSUPPORTED
    assert reason(ask(barrier, DescendOrigin(interior(PalletInstance(1))), free)) == UNSUPPORTED


def test_allow_paid_should_work() -> None:
    barrier = AllowTopLevelPaidExecutionFrom(one_of(PARENT))
    name, thirty = "AllowTopLevelPaidExecutionFrom", weight(30)
    assert reason(ask(barrier, TransferAsset(assets(here(100)), PARENT))) == BAD_FORMAT
    assert reason(ask(barrier, LOAD, buy(Limited(weight(20))), needed=thirty)) == overweight(thirty)
    assert reason(ask(barrier, LOAD, buy(Limited(thirty)), needed=thirty)) == name
    assert reason(ask(barrier, LOAD, buy(Limited(thirty)), needed=thirty, origin=HERE)) == UNSUPPORTED
    assert reason(ask(barrier, LOAD, buy(Limited(Weight(20, 10))))) == overweight(weight(20))
    assert reason(ask(barrier, LOAD)) == BAD_FORMAT
    assert reason(ask(barrier, LOAD, LOAD)) == overweight(weight(20))


def test_a_paid_message_buys_exactly_what_it_needs() -> None:
    barrier = AllowTopLevelPaidExecutionFrom(everything)
    for limit in (Unlimited(), Limited(weight(99))):
        admitted = ask(barrier, LOAD, buy(limit), ClearOrigin())
        assert isinstance(admitted, Admitted)
        assert admitted.passage.message == (LOAD, buy(Limited(weight(20))), ClearOrigin())


def test_what_may_stand_before_payment() -> None:
    barrier = AllowTopLevelPaidExecutionFrom(everything)
    fine = [
        ClearOrigin(),
        AliasOrigin(PARENT),
        DescendOrigin(interior(Parachain(1))),
        SetHints((AssetClaimer(HERE),)),
    ]
    for instruction in fine:
        assert isinstance(ask(barrier, LOAD, instruction, PayFees(here(1))), Admitted)
    assert reason(ask(barrier, LOAD, DescendOrigin(interior()), PayFees(here(1)))) == overweight(weight(20))
    assert reason(ask(barrier, LOAD, *[ClearOrigin()] * 4, PayFees(here(1)))) == BAD_FORMAT
    three = assets(here(1), fungible(PARENT, 1), fungible(location(2), 1))
    assert reason(ask(barrier, WithdrawAsset(three), PayFees(here(1)))) == BAD_FORMAT


def test_deny_then_try_works() -> None:
    barrier = DenyThenTry(DenyReserveTransferToRelayChain(), AllowUnpaidExecutionFrom(everything))
    sibling = location(1, Parachain(2))
    for dest, answer in ((PARENT, UNSUPPORTED), (sibling, "AllowUnpaidExecutionFrom")):
        assert reason(ask(barrier, DepositReserveAsset(Wild(All()), dest, xcm()))) == answer
        assert reason(ask(barrier, InitiateReserveWithdraw(Wild(All()), dest, xcm()))) == answer
        assert reason(ask(barrier, TransferReserveAsset(assets(here(1)), dest, xcm()))) == answer
    assert reason(ask(DenyThenTry(DenyReserveTransferToRelayChain(), AnyOf(())), ClearOrigin())) == UNSUPPORTED


def test_deny_instructions_with_xcm_works() -> None:
    barrier = DenyThenTry(DenyRecursively(DenyReserveTransferToRelayChain()), AllowUnpaidExecutionFrom(everything))
    denied = xcm(ClearOrigin(), DepositReserveAsset(Wild(All()), PARENT, xcm()))
    carriers = SetAppendix, SetErrorHandler, lambda program: ExecuteWithOrigin(None, program)
    for carry in carriers:
        assert reason(ask(barrier, carry(denied))) == UNSUPPORTED
        assert reason(ask(barrier, ClearOrigin(), carry(xcm(SetAppendix(denied))))) == UNSUPPORTED
        assert reason(ask(barrier, carry(xcm(ClearOrigin())))) == "AllowUnpaidExecutionFrom"
    # What runs elsewhere is for others to judge.
    onward = InitiateReserveWithdraw(Wild(All()), location(1, Parachain(2)), denied)
    assert reason(ask(barrier, onward)) == "AllowUnpaidExecutionFrom"


@pytest.mark.parametrize(
    ("depth", "answer"), [(10, "AllowUnpaidExecutionFrom"), (11, (BarrierReason.STACK_LIMIT_REACHED, None))]
)
def test_denying_recursively_has_a_limit(depth: int, answer: object) -> None:
    program = xcm()
    for _ in range(depth):
        program = xcm(SetAppendix(program))
    barrier = DenyThenTry(DenyRecursively(DenyReserveTransferToRelayChain()), AllowUnpaidExecutionFrom(everything))
    assert reason(ask(barrier, *program)) == answer


def test_the_first_barrier_that_admits_wins_and_the_last_refusal_tells() -> None:
    both = AnyOf((TakeWeightCredit(), AllowUnpaidExecutionFrom(everything)))
    admitted = ask(both, ClearOrigin())
    assert isinstance(admitted, Admitted)
    assert admitted.by == "AllowUnpaidExecutionFrom"
    assert len(admitted.trail) == 1
    refused = ask(AnyOf((TakeWeightCredit(), AllowUnpaidExecutionFrom(nothing))), ClearOrigin())
    assert isinstance(refused, Refused)
    assert reason(refused) == UNSUPPORTED
    assert [line.split(" ")[0] for line in refused.trail] == ["Overweight", "Unsupported"]


def test_trailing_set_topic_as_id() -> None:
    barrier = TrailingSetTopicAsId(AllowTopLevelPaidExecutionFrom(everything))
    topic = SetTopic(b"t" * 32)
    admitted = ask(barrier, LOAD, buy(Unlimited()), topic)
    assert isinstance(admitted, Admitted)
    assert admitted.passage.message_id == b"t" * 32
    assert admitted.passage.message == (LOAD, buy(Limited(weight(20))), topic)
    plain = ask(barrier, LOAD, buy(Unlimited()))
    assert isinstance(plain, Admitted)
    assert plain.passage.message_id is None


def test_account_origins_are_locations_like_any_other() -> None:
    who = location(0, AccountIndex64(None, 3))
    barrier = AllowUnpaidExecutionFrom(one_of(who))
    assert reason(ask(barrier, origin=who)) == "AllowUnpaidExecutionFrom"
    assert reason(ask(barrier, origin=account(3))) == UNSUPPORTED
