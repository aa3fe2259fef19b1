"""Whatever enters holding ends deposited, paid as a fee, trapped, burned or sent away."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.xcm.chain import FEES, Chain, account, here, para, weight
from xcm.asset import All, AllCounted, AssetId, Definite, Fungible, Wild, assets, fungible
from xcm.executor.holding import Holding
from xcm.instruction import (
    BurnAsset,
    BuyExecution,
    ClearError,
    ClearOrigin,
    DepositAsset,
    DepositReserveAsset,
    DoubleEncoded,
    InitiateReserveWithdraw,
    InitiateTeleport,
    Instruction,
    OriginKind,
    PayFees,
    ReceiveTeleportedAsset,
    RefundSurplus,
    SetAppendix,
    SetErrorHandler,
    SetFeesMode,
    Transact,
    TransferAsset,
    TransferReserveAsset,
    Trap,
    WithdrawAsset,
    Xcm,
)
from xcm.location import HERE, PARENT, Location
from xcm.message import xcm
from xcm.weight import Limited

ALICE, BOB = account(1), account(3)
REMARK = Transact(OriginKind.SovereignAccount, None, DoubleEncoded(b"call remark 50 10 any"))
PLACES = HERE, PARENT
amounts = st.builds(fungible, st.sampled_from(PLACES), st.integers(1, 120))
filters = st.one_of(
    amounts.map(lambda asset: Definite(assets(asset))), st.sampled_from([Wild(All()), Wild(AllCounted(1))])
)
simple: st.SearchStrategy[Instruction] = st.one_of(
    amounts.map(lambda asset: WithdrawAsset(assets(asset))),
    amounts.map(lambda asset: BurnAsset(assets(asset))),
    amounts.map(lambda asset: TransferAsset(assets(asset), BOB)),
    amounts.map(lambda asset: TransferReserveAsset(assets(asset), para(2), xcm())),
    amounts.map(lambda asset: BuyExecution(asset, Limited(weight(20)))),
    amounts.map(PayFees),
    filters.map(lambda chosen: DepositAsset(chosen, BOB)),
    st.builds(DepositReserveAsset, filters, st.sampled_from([para(2), para(77)]), st.just(xcm())),
    filters.map(lambda chosen: InitiateTeleport(chosen, PARENT, xcm())),
    filters.map(lambda chosen: InitiateReserveWithdraw(chosen, PARENT, xcm())),
    st.sampled_from([RefundSurplus(), ClearOrigin(), ClearError(), Trap(1), SetFeesMode(True), REMARK]),
)
programs = st.lists(simple, max_size=4).map(lambda items: Xcm(tuple(items)))
instructions = st.one_of(simple, programs.map(SetAppendix), programs.map(SetErrorHandler))


@settings(max_examples=300)
@given(
    program=st.lists(instructions, max_size=8),
    delivery=st.integers(0, 9),
    minimum=st.integers(1, 20),
    room=st.sampled_from([1, 4]),
)
def test_nothing_is_lost_and_nothing_made(program: list[Instruction], delivery: int, minimum: int, room: int) -> None:
    """Given a chain that teleports its token and holds derivatives of its parent's. When any program runs. Then each
    asset's amount is on accounts, in traps, burned as asked, or in messages."""
    trust = {"teleporters": [(HERE, PARENT)], "reserves": [(PARENT, PARENT)]}
    chain = Chain(rate=1, delivery=assets(here(delivery)), holding_limit=room, **trust)
    for asset in PLACES:
        chain.endow(ALICE, 300, asset)
        chain.endow(FEES, 100, asset)
    chain.ledger.minimum = minimum

    chain.run(ALICE, *program)

    gone = {
        HERE: _sent(chain, ReceiveTeleportedAsset) + _burned(chain, HERE) + _trapped(chain, HERE),
        PARENT: _sent(chain, WithdrawAsset) + _burned(chain, PARENT) + _trapped(chain, PARENT),
    }
    assert {asset: chain.ledger.total(asset) + gone[asset] for asset in PLACES} == {HERE: 400, PARENT: 400}
    fees = chain.ledger.of(FEES) - 100
    done = chain.executed()
    assert fees == _amount(done.fees_paid) + sum(_amount(fee) for fee in done.delivery_fees)


def _sent(chain: Chain, kind: type[Instruction]) -> int:
    first = [message[0] for dest, message in chain.sent if dest == PARENT]
    return sum(_amount(arrival.assets) for arrival in first if isinstance(arrival, kind))


def _burned(chain: Chain, place: Location) -> int:
    asset = AssetId(place)
    steps = [step for step in chain.steps() if isinstance(step.instruction, BurnAsset)]
    return sum(step.holding_before.amount(asset) - step.holding_after.amount(asset) for step in steps)


def _trapped(chain: Chain, place: Location) -> int:
    return sum(Holding.of(*items).amount(AssetId(place)) * count for (_, items), count in chain.traps.items())


def _amount(items: object) -> int:
    assert isinstance(items, tuple)
    return sum(asset.fun.amount for asset in items if isinstance(asset.fun, Fungible))


def test_refunds_are_taken_from_what_was_paid() -> None:
    chain = Chain(rate=1)
    chain.endow(ALICE, 100)
    chain.run(ALICE, WithdrawAsset(assets(here(90))), PayFees(here(90)), Trap(1), RefundSurplus())
    assert chain.executed().fees_paid == assets(fungible(HERE, 30))
    assert chain.executed().trapped == assets(fungible(HERE, 60))
