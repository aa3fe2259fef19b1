"""Calls that messages carry."""

from typing import Any

import pytest

from substrate.pallets.system import System
from substrate.pallets.utility import Utility
from tests.xcm.world import ALICE, LIMIT, World, place
from xcm import error as e
from xcm.instruction import DoubleEncoded, OriginKind, Transact
from xcm.message import xcm
from xcm.outcome import Complete, InstructionError, NotExecuted, Outcome


def run(world: World, call: Any) -> Outcome:
    program = xcm(Transact(OriginKind.SovereignAccount, None, DoubleEncoded(world.runtime.encode_call(call))))
    executor = world.xcm.executor
    return executor.execute(place(ALICE), program, message_id=bytes(32), weight_limit=LIMIT, weight_credit=LIMIT)


def batched(world: World, call: Any) -> Any:
    return world.runtime.call(Utility.batch, calls=(call,))


def boxed(world: World, call: Any) -> Any:
    return world.runtime.call(Utility.as_derivative, index=0, call=call)


@pytest.mark.parametrize("wrap", [batched, boxed])
def test_a_call_nests_eight_levels_deep(wrap: Any) -> None:
    world = World()
    call = world.runtime.call(System.remark, remark=b"deep")
    for _ in range(8):
        call = wrap(world, call)
    assert isinstance(run(world, call), Complete)
    assert run(world, wrap(world, call)) == NotExecuted(InstructionError(0, e.FailedToDecode()))
