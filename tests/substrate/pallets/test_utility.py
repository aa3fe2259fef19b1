"""Utility: batches and other calls made of calls."""

from typing import Any

import pytest

from substrate.crypto.multi import Id
from substrate.pallets.balances import Balances
from substrate.pallets.sudo import Sudo
from substrate.pallets.system import System
from substrate.pallets.utility import BASE, PER_CALL, Utility, derivative_account
from substrate.runtime.dispatch import DispatchClass, DispatchFailure, Token, TokenError
from substrate.runtime.origin import RawRoot, RawSigned
from substrate.scale.types import Err, Ok
from substrate.types import AccountId, Balance, Weight

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


def class_of(world: Any, method: Any, **args: object) -> DispatchClass:
    return world.runtime.dispatch_info(world.runtime.call(method, **args)).class_


def test_a_batch_is_operational_where_all_its_calls_are(world: Any) -> None:
    normal = pay(world, CAROL, 100)
    operational = world.runtime.call(System.set_storage, items=((b"k", b"v"),))
    batches = Utility.batch, Utility.batch_all, Utility.force_batch
    given = (), (operational, operational), (operational, normal), (normal,)
    classes = [[class_of(world, batch, calls=calls) for calls in given] for batch in batches]
    pairs = [(operational, operational), (operational, normal), (normal, operational)]

    expected = [DispatchClass.Operational] * 2 + [DispatchClass.Normal] * 2
    assert classes == [expected] * 3
    assert [class_of(world, Utility.if_else, main=one, fallback=two) for one, two in pairs] == expected[1:]


def test_a_call_around_another_has_its_class(world: Any) -> None:
    origin = world.runtime.wrap_origin(RawRoot())
    for inner in (pay(world, CAROL, 100), world.runtime.call(System.set_storage, items=((b"k", b"v"),))):
        assert {
            class_of(world, Utility.as_derivative, index=0, call=inner),
            class_of(world, Utility.dispatch_as, as_origin=origin, call=inner),
            class_of(world, Utility.dispatch_as_fallible, as_origin=origin, call=inner),
            class_of(world, Utility.with_weight, call=inner, weight=Weight.ZERO),
            class_of(world, Sudo.sudo, call=inner),
            class_of(world, Sudo.sudo_unchecked_weight, call=inner, weight=Weight.ZERO),
            class_of(world, Sudo.sudo_as, who=Id(ALICE), call=inner),
        } == {world.runtime.dispatch_info(inner).class_}


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
