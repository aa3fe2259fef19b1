"""Utility: batches and other calls made of calls."""

from typing import Any

import pytest

from substrate.crypto.multi import Id
from substrate.pallets.balances import Balances
from substrate.pallets.system import System
from substrate.pallets.utility import BASE, PER_CALL, Utility, derivative_account
from substrate.runtime.dispatch import DispatchFailure, Token, TokenError
from substrate.runtime.origin import RawSigned
from substrate.scale.types import Err, Ok
from substrate.types import AccountId, Balance

ALICE, BOB, CAROL = (AccountId(bytes([number]) * 32) for number in range(1, 4))


def pay(world: Any, to: AccountId, value: int) -> Any:
    return world.runtime.call(Balances.transfer_keep_alive, dest=Id(to), value=Balance(value))


def test_a_batch_stops_at_its_first_failure_and_keeps_the_rest(world: Any) -> None:
    calls = (pay(world, CAROL, 200), pay(world, CAROL, 15_000), pay(world, CAROL, 100))
    world.dispatch(ALICE, Utility.batch, calls=calls)

    assert world.runtime.balances.free_balance(CAROL) == 200
    interrupted = world.events()[-1]
    assert (interrupted.index, interrupted.error) == (1, Token(TokenError.FundsUnavailable))


def test_batch_all_undoes_everything(world: Any) -> None:
    before = world.state.root()
    with pytest.raises(DispatchFailure) as refusal:
        world.dispatch(ALICE, Utility.batch_all, calls=(pay(world, CAROL, 200), pay(world, CAROL, 15_000)))
    assert refusal.value.error == Token(TokenError.FundsUnavailable)
    assert world.state.root() == before

    world.dispatch(ALICE, Utility.batch_all, calls=(pay(world, CAROL, 200), pay(world, CAROL, 100)))
    assert world.said()[-2:] == ["ItemCompleted", "BatchCompleted"]


def test_batch_all_does_not_nest(world: Any) -> None:
    inner = world.runtime.call(Utility.batch_all, calls=(pay(world, CAROL, 200),))
    with pytest.raises(DispatchFailure) as refusal:
        world.dispatch(ALICE, Utility.batch_all, calls=(inner,))
    assert refusal.value.error.value.index == 0
    assert refusal.value.error.value.error[0] == System.CallFiltered.index


def test_force_batch_goes_on(world: Any) -> None:
    calls = (pay(world, CAROL, 15_000), pay(world, CAROL, 100))
    world.dispatch(ALICE, Utility.force_batch, calls=calls)

    assert world.said()[0] == "ItemFailed"
    assert world.said()[-1] == "BatchCompletedWithErrors"
    assert world.runtime.balances.free_balance(CAROL) == 100


def test_a_batch_weighs_what_its_calls_weigh(world: Any) -> None:
    call = pay(world, CAROL, 100)
    batch = world.runtime.call(Utility.batch, calls=(call, call))
    weight = world.runtime.dispatch_info(call).weight

    assert world.runtime.dispatch_info(batch).weight == BASE + (PER_CALL + weight) * 2
    assert world.runtime.dispatch(batch, RawSigned(ALICE)).actual_weight == BASE + (PER_CALL + weight) * 2


def test_a_derivative_account_acts_for_its_owner(world: Any) -> None:
    derived = derivative_account(ALICE, 3)
    world.dispatch(ALICE, Balances.transfer_keep_alive, dest=Id(derived), value=Balance(500))
    world.dispatch(ALICE, Utility.as_derivative, index=3, call=pay(world, CAROL, 300))

    assert world.runtime.balances.free_balance(CAROL) == 300
    assert world.runtime.balances.free_balance(derived) == 200


def test_root_dispatches_as_anyone_and_tells_how_it_went(world: Any) -> None:
    bob = world.runtime.wrap_origin(RawSigned(BOB))
    world.dispatch(None, Utility.dispatch_as, as_origin=bob, call=pay(world, CAROL, 300))
    world.dispatch(None, Utility.dispatch_as, as_origin=bob, call=pay(world, CAROL, 15_000))

    results = [event.result for event in world.events() if hasattr(event, "result")]
    assert results == [Ok(None), Err(Token(TokenError.FundsUnavailable))]
    with pytest.raises(DispatchFailure):
        world.dispatch(None, Utility.dispatch_as_fallible, as_origin=bob, call=pay(world, CAROL, 15_000))
    with pytest.raises(DispatchFailure, match="BadOrigin"):
        world.dispatch(ALICE, Utility.dispatch_as, as_origin=bob, call=pay(world, CAROL, 300))


def test_a_fallback_runs_where_the_main_call_fails(world: Any) -> None:
    world.dispatch(ALICE, Utility.if_else, main=pay(world, CAROL, 15_000), fallback=pay(world, CAROL, 150))

    assert world.runtime.balances.free_balance(CAROL) == 150
    assert world.said()[-1] == "IfElseFallbackCalled"
