"""Registers, error handler, appendix, weight, traps, the trace."""

from substrate.types import AccountId, Weight
from tests.xcm.chain import FEES, Call, Chain, Ledger, Refusal, account, complete, error_of, here, para, weight
from xcm import error as e
from xcm.asset import AllCounted, Definite, Wild, assets, fungible
from xcm.executor.instructions.table import HANDLERS
from xcm.executor.trace import BarrierVerdict, InstructionExecuted
from xcm.instruction import (
    BurnAsset,
    BuyExecution,
    ClaimAsset,
    ClearError,
    ClearOrigin,
    ClearTopic,
    DepositAsset,
    DescendOrigin,
    DoubleEncoded,
    ExpectOrigin,
    OriginKind,
    RefundSurplus,
    ReserveAssetDeposited,
    SetAppendix,
    SetErrorHandler,
    SetTopic,
    Transact,
    TransferAsset,
    Trap,
    UnpaidExecution,
    WithdrawAsset,
    Xcm,
)
from xcm.junction import GeneralIndex, Parachain
from xcm.location import HERE, PARENT, Location, interior, location
from xcm.message import xcm
from xcm.outcome import Incomplete, InstructionError, NotExecuted
from xcm.weight import Limited, Unlimited

ALICE, BOB = account(1), account(3)


def transfer(amount: int) -> TransferAsset:
    return TransferAsset(assets(here(amount)), BOB)


def test_code_registers_should_work() -> None:
    chain = Chain()
    chain.endow(ALICE, 21)
    program = (
        SetErrorHandler(xcm(transfer(2), ClearError())),
        SetAppendix(xcm(transfer(4))),
        transfer(1),
        transfer(8),
    )
    assert chain.config.weigher.weight(Xcm(program)) == weight(70)

    assert chain.run(ALICE, *program) == complete(50)
    assert (chain.ledger.of(BOB), chain.ledger.of(ALICE)) == (13, 8)

    assert chain.run(ALICE, *program) == complete(70)
    assert (chain.ledger.of(BOB), chain.ledger.of(ALICE)) == (20, 1)
    assert [(step.program, step.index) for step in chain.steps()[5:]] == [
        ("main", 0), ("main", 1), ("main", 2), ("main", 3), ("handler", 0), ("handler", 1), ("appendix", 0),
    ]  # fmt: skip


def test_errors_should_return_unused_weight() -> None:
    chain = Chain()
    chain.endow(ALICE, 11)
    program = transfer(1), transfer(2), transfer(4)
    failed = e.FailedToTransactAsset()

    assert chain.run(ALICE, *program) == complete(30)
    assert chain.ledger.of(BOB) == 7
    assert error_of(chain.run(ALICE, *program)) == (weight(30), 2, failed)
    assert chain.ledger.of(BOB) == 10
    assert error_of(chain.run(ALICE, *program)) == (weight(20), 1, failed)
    assert chain.ledger.of(BOB) == 11
    assert error_of(chain.run(ALICE, *program)) == (weight(10), 0, failed)


def test_paying_reserve_deposit_should_work() -> None:
    chain = Chain(rate=2, reserves=[(HERE, PARENT)])
    outcome = chain.run(
        PARENT,
        ReserveAssetDeposited(assets(here(100))),
        BuyExecution(here(60), Limited(weight(30))),
        DepositAsset(Wild(AllCounted(1)), ALICE),
        credit=False,
    )
    assert outcome == complete(30)
    assert chain.ledger.of(ALICE) == 40
    assert chain.executed().fees_paid == assets(here(60))


def test_transfer_should_work() -> None:
    chain = Chain()
    chain.endow(para(1), 1000)
    assert chain.run(para(1), TransferAsset(assets(here(100)), BOB)) == complete(10)
    assert (chain.ledger.of(para(1)), chain.ledger.of(BOB), chain.sent) == (900, 100, [])


def test_burn_should_work() -> None:
    chain = Chain()
    chain.endow(ALICE, 1000)
    deposit = DepositAsset(Wild(AllCounted(1)), ALICE)
    assert chain.run(ALICE, WithdrawAsset(assets(here(1000))), BurnAsset(assets(here(100))), deposit) == complete(30)
    assert chain.ledger.of(ALICE) == 900
    assert chain.run(ALICE, WithdrawAsset(assets(here(900))), BurnAsset(assets(here(1000))), deposit) == complete(30)
    assert chain.ledger.total() == 0


def test_basic_asset_trap_should_work() -> None:
    chain = Chain()
    chain.endow(para(1), 1000)
    outcome = chain.run(para(1), WithdrawAsset(assets(here(100))), DepositAsset(Wild(AllCounted(0)), BOB))
    assert outcome == complete(25)
    assert chain.traps == {(para(1), assets(here(100))): 1}
    assert chain.executed().trapped == assets(here(100))

    ticket, deposit = location(0, GeneralIndex(0)), DepositAsset(Wild(AllCounted(1)), BOB)
    unknown = (weight(10), 0, e.UnknownClaim())
    wrong_ticket = location(0, GeneralIndex(1))
    assert error_of(chain.run(para(1), ClaimAsset(assets(here(100)), wrong_ticket), deposit)) == unknown
    assert error_of(chain.run(para(2), ClaimAsset(assets(here(100)), ticket), deposit)) == unknown
    assert error_of(chain.run(para(1), ClaimAsset(assets(here(101)), ticket), deposit)) == unknown

    assert chain.run(para(1), ClaimAsset(assets(here(100)), ticket), deposit) == complete(20)
    assert (chain.ledger.of(BOB), chain.traps) == (100, {})
    assert error_of(chain.run(para(1), ClaimAsset(assets(here(100)), ticket), deposit)) == unknown


def test_max_assets_limit_should_work() -> None:
    chain = Chain()
    places = [location(0, GeneralIndex(number)) for number in range(10)]
    for place in places:
        chain.endow(ALICE, 1000, place)
    withdraws = [WithdrawAsset(assets(fungible(place, 100))) for place in places]
    overflow = e.HoldingWouldOverflow()

    assert chain.run(ALICE, *withdraws[:8]) == complete(85)
    assert error_of(chain.run(ALICE, *withdraws[:9])) == (weight(95), 8, overflow)
    assert chain.run(ALICE, *withdraws[:4], *withdraws[:4], *withdraws[4:8]) == complete(125)
    assert error_of(chain.run(ALICE, *withdraws[:8], *withdraws[:4])) == (weight(95), 8, overflow)
    eight = WithdrawAsset(assets(*(fungible(place, 100) for place in places[:8])))
    assert error_of(chain.run(ALICE, eight, withdraws[8])) == (weight(25), 1, overflow)


def test_a_claim_that_holding_has_no_room_for_leaves_the_trap_alone() -> None:
    chain = Chain(holding_limit=1)
    three = assets(here(1), fungible(PARENT, 1), fungible(para(1), 1))
    chain.traps[ALICE, three] = 1
    claim = ClaimAsset(three, location(0, GeneralIndex(0)))
    assert error_of(chain.run(ALICE, claim)) == (weight(10), 0, e.HoldingWouldOverflow())
    assert chain.traps == {(ALICE, three): 1}


def test_failed_deposit_aborts_instruction_and_post_process_traps_holding() -> None:
    chain = Chain()
    chain.ledger.minimum = 2
    chain.endow(ALICE, 10)
    withdraw, deposit = WithdrawAsset(assets(here(1))), DepositAsset(Wild(AllCounted(1)), BOB)
    assert error_of(chain.run(ALICE, withdraw, deposit)) == (weight(25), 1, e.FailedToTransactAsset())
    assert (chain.ledger.of(BOB), chain.traps) == (0, {(ALICE, assets(here(1))): 1})


def test_partial_deposit_failure_aborts_instruction_and_traps_full_holding() -> None:
    chain = Chain()
    chain.ledger.minimum = 2
    both = assets(here(5), fungible(PARENT, 1))
    chain.endow(ALICE, 10)
    chain.endow(ALICE, 10, PARENT)
    outcome = chain.run(ALICE, WithdrawAsset(both), DepositAsset(Definite(both), BOB))
    assert isinstance(outcome, Incomplete)
    assert (chain.ledger.of(BOB), chain.traps) == (0, {(ALICE, both): 1})


class Needy(Ledger):
    """An account holds the relay chain's token only if it has some of ours."""

    def mint_into(self, asset_id: Location, who: AccountId, amount: int) -> None:
        if asset_id == HERE and (who, PARENT) not in self.balances:
            raise Refusal("no account")
        super().mint_into(asset_id, who, amount)


def test_a_failed_deposit_is_tried_again_after_the_others() -> None:
    chain = Chain(ledger=Needy())
    chain.endow(ALICE, 5, PARENT)
    chain.endow(ALICE, 5)
    both = assets(here(5), fungible(PARENT, 5))
    assert chain.run(ALICE, WithdrawAsset(both), DepositAsset(Wild(AllCounted(2)), BOB)) == complete(20)
    assert (chain.ledger.of(BOB), chain.ledger.of(BOB, PARENT)) == (5, 5)


def test_a_refund_that_holding_has_no_room_for_goes_where_fees_go() -> None:
    chain = Chain(rate=1, holding_limit=1)
    others = PARENT, para(1)
    for asset in (HERE, *others):
        chain.endow(ALICE, 30, asset)
    outcome = chain.run(
        ALICE,
        WithdrawAsset(assets(here(30))),
        BuyExecution(here(30), Limited(weight(30))),
        *(WithdrawAsset(assets(fungible(asset, 30))) for asset in others),
        Transact(OriginKind.SovereignAccount, None, DoubleEncoded(b"call remark 50 10 any")),
        RefundSurplus(),
    )
    assert error_of(outcome)[1:] == (5, e.HoldingWouldOverflow())
    assert chain.ledger.of(FEES) == 30
    assert chain.executed().fees_paid == assets(here(30))


def test_an_error_keeps_its_index_through_handler_and_appendix() -> None:
    handled = SetErrorHandler(xcm(ClearOrigin())), SetAppendix(xcm(ClearTopic())), Trap(1), Trap(2)
    assert error_of(Chain().run(ALICE, *handled)) == (weight(50), 2, e.Trap(1))
    again = SetErrorHandler(xcm(Trap(3))), SetAppendix(xcm(ClearTopic(), Trap(4))), Trap(1)
    assert error_of(Chain().run(ALICE, *again)) == (weight(60), 1, e.Trap(4))


def test_the_machine_knows_these_instructions() -> None:
    assert {kind.__name__ for kind in HANDLERS} == {
        "WithdrawAsset", "ReserveAssetDeposited", "ReceiveTeleportedAsset", "TransferAsset", "TransferReserveAsset",
        "Transact", "ClearOrigin", "DescendOrigin", "DepositAsset", "DepositReserveAsset", "InitiateReserveWithdraw",
        "InitiateTeleport", "BuyExecution", "PayFees", "RefundSurplus", "SetAppendix", "SetErrorHandler", "ClearError",
        "ClaimAsset", "Trap", "SetTopic", "ClearTopic", "UnpaidExecution", "BurnAsset", "SetFeesMode",
    }  # fmt: skip


def test_an_unknown_instruction_is_unimplemented() -> None:
    assert error_of(Chain().run(ALICE, ExpectOrigin(None))) == (weight(10), 0, e.Unimplemented())


class Swelling(Chain):
    """Its calls weigh more, the more of them have run."""

    def weight(self, call: Call) -> Weight:
        return weight(call.weight + 100 * len(self.dispatched))


def test_a_call_that_makes_itself_heavier_gives_no_more_weight_back() -> None:
    outcome = Swelling().run(
        para(1), Transact(OriginKind.SovereignAccount, None, DoubleEncoded(b"call remark 50 30 any"))
    )

    assert outcome == complete(40)


def test_transacting_should_refund_weight_and_not_fail_the_program() -> None:
    chain = Chain()

    def transact(call: str, kind: OriginKind = OriginKind.SovereignAccount) -> Transact:
        return Transact(kind, None, DoubleEncoded(call.encode()))

    assert chain.run(para(1), transact("call remark 50 30 any")) == complete(40)
    assert len(chain.dispatched) == 1
    assert chain.run(para(1), transact("call admin 50 50 root")) == complete(60)
    assert len(chain.dispatched) == 1
    assert chain.run(PARENT, transact("call admin 50 50 root", OriginKind.Superuser)) == complete(60)
    assert error_of(chain.run(para(1), transact("call unsafe 50 50 any"))) == (weight(60), 0, e.NoPermission())
    native = transact("call remark 50 50 any", OriginKind.Native)
    assert error_of(chain.run(para(1), native)) == (weight(60), 0, e.BadOrigin())
    cleared = chain.run(para(1), ClearOrigin(), transact("call remark 50 50 any"))
    assert error_of(cleared) == (weight(70), 1, e.BadOrigin())


def test_paid_transacting_should_refund_payment_for_unused_weight() -> None:
    chain = Chain(rate=1)
    chain.endow(para(1), 100)
    outcome = chain.run(
        para(1),
        WithdrawAsset(assets(here(100))),
        BuyExecution(here(100), Limited(weight(100))),
        Transact(OriginKind.SovereignAccount, None, DoubleEncoded(b"call remark 50 10 any")),
        RefundSurplus(),
        DepositAsset(Wild(AllCounted(1)), para(1)),
        credit=False,
    )
    assert outcome == complete(60)
    assert chain.ledger.of(para(1)) == 40
    assert chain.executed().fees_paid == assets(here(60))


def test_unpaid_execution_should_work() -> None:
    chain = Chain(unpaid=[para(1)])
    limited = UnpaidExecution(Limited(weight(9)), para(2))
    assert error_of(chain.run(para(1), limited, credit=False)) == (weight(10), 0, e.BadOrigin())
    assert error_of(chain.run(para(2), limited, credit=False)) == (weight(10), 0, e.Barrier())
    assert chain.run(para(2), UnpaidExecution(Limited(weight(10)), para(2)), credit=False) == complete(10)


def test_a_barrier_refusal_names_every_barrier_and_uses_the_full_weight() -> None:
    chain = Chain()
    outcome = chain.run(PARENT, Trap(1), ClearOrigin(), credit=False)
    assert outcome == Incomplete(weight(20), InstructionError(0, e.Barrier()))
    (verdict,) = [fact for fact in chain.facts if isinstance(fact, BarrierVerdict)]
    assert not verdict.admitted
    assert [line.split("barrier=")[1].split(",")[0].rstrip(")") for line in verdict.trail] == [
        "TakeWeightCredit",
        "AllowTopLevelPaidExecutionFrom",
        "AllowExplicitUnpaidExecutionFrom",
        "AllowUnpaidExecutionFrom",
    ]


def test_the_trailing_topic_names_the_message() -> None:
    chain = Chain()
    assert chain.run(ALICE, ClearTopic(), SetTopic(b"t" * 32)) == complete(20)
    assert chain.executed().message_id == b"t" * 32
    assert chain.executed().topic == b"t" * 32


def test_an_instruction_leaves_its_registers_in_the_trace() -> None:
    chain = Chain()
    chain.endow(ALICE, 5)
    chain.run(ALICE, WithdrawAsset(assets(here(5))), DescendOrigin(interior(Parachain(7))), Trap(9))
    withdraw, descend, trap = chain.steps()
    assert (withdraw.holding_before.assets(), withdraw.holding_after.assets()) == (assets(), assets(here(5)))
    assert (descend.origin_before, descend.origin_after) == (ALICE, location(0, *ALICE.junctions, Parachain(7)))
    assert isinstance(trap, InstructionExecuted)
    assert (trap.error, trap.weight, trap.index, trap.program) == (e.Trap(9), weight(10), 2, "main")
    assert chain.executed().trapped_for == descend.origin_after


def test_descending_too_far_is_location_full() -> None:
    deep = DescendOrigin(interior(*[Parachain(number) for number in range(8)]))
    assert error_of(Chain().run(ALICE, deep)) == (weight(10), 0, e.LocationFull())


def test_a_message_over_its_limit_or_instruction_count_is_not_executed() -> None:
    chain = Chain()
    program = Xcm((ClearOrigin(),) * 3)
    outcome = chain.executor.execute(ALICE, program, message_id=bytes(32), weight_limit=weight(29))
    assert outcome == NotExecuted(InstructionError(2, e.WeightLimitReached(weight(30))))
    many = Xcm((ClearOrigin(),) * 101)
    outcome = chain.executor.execute(ALICE, many, message_id=bytes(32), weight_limit=weight(9999))
    assert outcome == NotExecuted(InstructionError(100, e.ExceedsStackLimit()))
    junk = xcm(ClearOrigin(), Transact(OriginKind.Native, None, DoubleEncoded(b"junk")))
    outcome = chain.executor.execute(ALICE, junk, message_id=bytes(32), weight_limit=weight(9999))
    assert outcome == NotExecuted(InstructionError(1, e.FailedToDecode()))


def test_unlimited_execution_buys_nothing() -> None:
    chain = Chain(rate=1)
    assert chain.run(ALICE, BuyExecution(here(100), Unlimited())) == complete(10)
