"""Whatever enters holding ends deposited, paid as a fee, trapped, burned or sent away."""

from hypothesis import given
from hypothesis import strategies as st

from tests.xcm.chain import FEES, Chain, account, here, para, weight
from xcm.asset import All, AllCounted, Definite, Fungible, Wild, assets, fungible
from xcm.instruction import (
    BurnAsset,
    BuyExecution,
    ClearError,
    ClearOrigin,
    DepositAsset,
    DepositReserveAsset,
    InitiateTeleport,
    Instruction,
    PayFees,
    ReceiveTeleportedAsset,
    RefundSurplus,
    SetAppendix,
    SetErrorHandler,
    TransferAsset,
    TransferReserveAsset,
    Trap,
    WithdrawAsset,
    Xcm,
)
from xcm.location import HERE, PARENT
from xcm.message import xcm
from xcm.weight import Limited

ALICE, BOB = account(1), account(3)
amounts = st.integers(1, 120).map(here)
filters = st.one_of(
    amounts.map(lambda asset: Definite(assets(asset))), st.just(Wild(All())), st.just(Wild(AllCounted(1)))
)
simple: st.SearchStrategy[Instruction] = st.one_of(
    amounts.map(lambda asset: WithdrawAsset(assets(asset))),
    amounts.map(lambda asset: BurnAsset(assets(asset))),
    amounts.map(lambda asset: TransferAsset(assets(asset), BOB)),
    amounts.map(lambda asset: TransferReserveAsset(assets(asset), para(2), xcm())),
    amounts.map(lambda asset: BuyExecution(asset, Limited(weight(20)))),
    amounts.map(PayFees),
    filters.map(lambda chosen: DepositAsset(chosen, BOB)),
    filters.map(lambda chosen: DepositReserveAsset(chosen, para(2), xcm())),
    filters.map(lambda chosen: DepositReserveAsset(chosen, para(77), xcm())),
    filters.map(lambda chosen: InitiateTeleport(chosen, PARENT, xcm())),
    st.sampled_from([RefundSurplus(), ClearOrigin(), ClearError(), Trap(1)]),
)
programs = st.lists(simple, max_size=4).map(lambda items: Xcm(tuple(items)))
instructions = st.one_of(simple, programs.map(SetAppendix), programs.map(SetErrorHandler))


@given(program=st.lists(instructions, max_size=8), delivery=st.integers(0, 9), minimum=st.integers(1, 20))
def test_nothing_is_lost_and_nothing_made(program: list[Instruction], delivery: int, minimum: int) -> None:
    chain = Chain(rate=1, teleporters=[(HERE, PARENT)], delivery=assets(here(delivery)))
    chain.endow(ALICE, 300)
    chain.endow(FEES, 100)
    chain.ledger.minimum = minimum

    chain.run(ALICE, *program)

    burned = 0
    for step in chain.steps():
        if isinstance(step.instruction, BurnAsset):
            burned += step.holding_before.amount(step.instruction.assets[0].id)
            burned -= step.holding_after.amount(step.instruction.assets[0].id)
    teleported = [message[0] for dest, message in chain.sent if dest == PARENT]
    away = sum(_amount(arrival.assets) for arrival in teleported if isinstance(arrival, ReceiveTeleportedAsset))
    trapped = sum(_amount(items) * count for (_, items), count in chain.traps.items())
    assert chain.ledger.total() + burned + away + trapped == 400


def _amount(items: object) -> int:
    assert isinstance(items, tuple)
    return sum(asset.fun.amount for asset in items if isinstance(asset.fun, Fungible))


def test_refunds_are_taken_from_what_was_paid() -> None:
    chain = Chain(rate=1)
    chain.endow(ALICE, 100)
    chain.run(ALICE, WithdrawAsset(assets(here(90))), PayFees(here(90)), Trap(1), RefundSurplus())
    assert chain.executed().fees_paid == assets(fungible(HERE, 30))
    assert chain.executed().trapped == assets(fungible(HERE, 60))
