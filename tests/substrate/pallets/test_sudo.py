"""Sudo: the key acts as root, nobody else does."""

from typing import Any

import pytest

from substrate.crypto.multi import Id
from substrate.pallets.balances import Balances
from substrate.pallets.sudo import Sudo
from substrate.pallets.system import System
from substrate.runtime.dispatch import BadOrigin, DispatchFailure, Pays
from substrate.runtime.origin import RawSigned
from substrate.scale.types import Err, Ok
from substrate.types import AccountId, Balance

ALICE, BOB = (AccountId(bytes([number]) * 32) for number in (1, 2))


def test_the_key_acts_as_root_for_free(world: Any) -> None:
    inner = world.runtime.call(System.set_storage, items=((b"k", b"v"),))
    post = world.runtime.dispatch(world.runtime.call(Sudo.sudo, call=inner), RawSigned(ALICE))

    assert world.state.get(b"k") == b"v"
    assert post.pays_fee == Pays.No
    assert world.events()[-1].sudo_result == Ok(None)


def test_a_failing_call_is_told_not_raised(world: Any) -> None:
    signed_only = world.runtime.call(Balances.burn, value=Balance(1), keep_alive=True)
    world.dispatch(ALICE, Sudo.sudo, call=signed_only)

    assert world.events()[-1].sudo_result == Err(BadOrigin())


def test_others_are_refused(world: Any) -> None:
    inner = world.runtime.call(System.set_storage, items=((b"k", b"v"),))
    with pytest.raises(DispatchFailure, match="error"):
        world.dispatch(BOB, Sudo.sudo, call=inner)
    assert world.state.get(b"k") is None


def test_the_key_is_handed_over_and_removed(world: Any) -> None:
    world.dispatch(ALICE, Sudo.set_key, new=Id(BOB))
    assert (world.events()[-1].old, world.events()[-1].new) == (ALICE, BOB)
    world.dispatch(BOB, Sudo.remove_key)

    assert world.runtime.sudo.key.get() is None
    with pytest.raises(DispatchFailure):
        world.dispatch(BOB, Sudo.remove_key)


def test_acting_as_another_account(world: Any) -> None:
    inner = world.runtime.call(Balances.transfer_keep_alive, dest=Id(ALICE), value=Balance(1_000))
    world.dispatch(ALICE, Sudo.sudo_as, who=Id(BOB), call=inner)

    assert world.runtime.balances.free_balance(BOB) == 4_000
