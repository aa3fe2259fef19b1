"""Balances: moving, reserving and locking the native token."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from substrate.crypto.multi import Id, Raw
from substrate.errors import ChainError
from substrate.pallets.accounts import NEW_LOGIC_FLAG, AccountData, AccountInfo
from substrate.pallets.balances import Balances
from substrate.pallets.balances_rules import (
    BalanceLock,
    BalanceStatus,
    Fortitude,
    Precision,
    Preservation,
    Reasons,
    check_withdraw,
    reducible,
    settle,
)
from substrate.runtime.dispatch import CannotLookup, ConsumerRemaining, DispatchFailure, NoProviders, Token, TokenError
from substrate.types import AccountId, Balance

ALICE, BOB, CAROL = (AccountId(bytes([number]) * 32) for number in range(1, 4))
ED = 100


def info(free: int = 0, reserved: int = 0, frozen: int = 0, consumers: int = 0, providers: int = 1) -> AccountInfo:
    data = AccountData(Balance(free), Balance(reserved), Balance(frozen))
    return AccountInfo(consumers=consumers, providers=providers, data=data)


@pytest.mark.parametrize(
    ("account", "preservation", "fortitude", "expected"),
    [
        (info(500), Preservation.EXPENDABLE, Fortitude.POLITE, 500),
        (info(500), Preservation.PROTECT, Fortitude.POLITE, 400),
        (info(500, providers=2), Preservation.PROTECT, Fortitude.POLITE, 500),
        (info(500, providers=2), Preservation.PRESERVE, Fortitude.POLITE, 400),
        (info(500, consumers=1), Preservation.EXPENDABLE, Fortitude.POLITE, 400),
        (info(500, frozen=300), Preservation.EXPENDABLE, Fortitude.POLITE, 200),
        (info(500, frozen=300), Preservation.EXPENDABLE, Fortitude.FORCE, 500),
        (info(500, reserved=250, frozen=300, consumers=1), Preservation.EXPENDABLE, Fortitude.POLITE, 400),
        (info(50), Preservation.PRESERVE, Fortitude.POLITE, 0),
    ],
)
def test_reducible_keeps_freezes_and_a_needed_existential_deposit(
    account: AccountInfo, preservation: Preservation, fortitude: Fortitude, expected: int
) -> None:
    assert reducible(account, existential_deposit=ED, preservation=preservation, fortitude=fortitude) == expected


@given(
    free=st.integers(0, 300),
    reserved=st.integers(0, 300),
    frozen=st.integers(0, 300),
    other_providers=st.integers(0, 1),
)
def test_settling_leaves_no_account_without_a_provider_and_none_below_the_minimum(
    free: int, reserved: int, frozen: int, other_providers: int
) -> None:
    before = info(1_000, providers=1 + other_providers)
    wanted = AccountData(Balance(free), Balance(reserved), Balance(frozen))
    if free < ED and not other_providers and (reserved or frozen):
        with pytest.raises(DispatchFailure, match="ConsumerRemaining"):
            settle(before, wanted, existential_deposit=ED, max_consumers=4)
        return
    after = settle(before, wanted, existential_deposit=ED, max_consumers=4)
    if after.info is None:
        assert after.dust == free < ED
        assert not reserved
        return
    assert after.info.providers == other_providers + (free >= ED)
    assert after.info.data == (wanted if not after.dust and (free or reserved) else AccountData())


def test_a_fresh_account_carries_upstreams_flag() -> None:
    assert AccountInfo().encode()[-16:] == bytes(15) + b"\x80"
    assert NEW_LOGIC_FLAG == 0x80000000_00000000_00000000_00000000


def test_a_transfer_to_a_new_account_gives_birth_in_upstreams_order(world: Any) -> None:
    world.dispatch(ALICE, Balances.transfer_allow_death, dest=Id(CAROL), value=Balance(300))

    assert world.said() == ["NewAccount", "Endowed", "Transfer"]
    assert world.runtime.balances.free_balance(CAROL) == 300
    assert world.runtime.system.account[CAROL].providers == 1


def test_a_transfer_of_everything_kills_the_sender(world: Any) -> None:
    world.dispatch(BOB, Balances.transfer_all, dest=Id(ALICE), keep_alive=False)

    assert world.said() == ["KilledAccount", "Transfer"]
    assert not world.runtime.system.account_exists(BOB)
    assert world.runtime.balances.free_balance(ALICE) == 15_000


def test_dust_is_burned_with_its_account(world: Any) -> None:
    before = world.runtime.balances.total_issuance.get()
    world.dispatch(BOB, Balances.transfer_allow_death, dest=Id(ALICE), value=Balance(4_901))

    assert world.said() == ["KilledAccount", "DustLost", "Transfer"]
    assert world.runtime.balances.total_issuance.get() == before - 99


@pytest.mark.parametrize(
    ("method", "value", "error"),
    [
        (Balances.transfer_keep_alive, 4_901, TokenError.NotExpendable),
        (Balances.transfer_allow_death, 5_001, TokenError.FundsUnavailable),
        (Balances.transfer_allow_death, 99, TokenError.BelowMinimum),
    ],
)
def test_a_refused_transfer_changes_nothing(world: Any, method: Any, value: int, error: TokenError) -> None:
    before = world.state.root()

    with pytest.raises(DispatchFailure) as refusal:
        world.dispatch(BOB, method, dest=Id(CAROL), value=Balance(value))

    assert refusal.value.error == Token(error)
    assert world.state.root() == before


def test_frozen_funds_cannot_be_sent_but_can_be_reserved_down_to_the_freeze(world: Any) -> None:
    balances = world.runtime.balances
    balances.set_lock(b"lockidaa", BOB, 4_000)
    with pytest.raises(DispatchFailure) as refusal:
        balances.transfer(BOB, ALICE, 1_001)
    assert refusal.value.error == Token(TokenError.Frozen)
    with pytest.raises(ChainError, match="LiquidityRestrictions"):
        balances.reserve(BOB, 1_001)

    balances.reserve(BOB, 1_000)

    assert balances.account_data(BOB) == AccountData(Balance(4_000), Balance(1_000), Balance(4_000))
    # What is reserved counts towards the freeze.
    assert balances.reducible_balance(BOB) == 1_000


def test_locks_overlap_and_end(world: Any) -> None:
    balances = world.runtime.balances
    balances.set_lock(b"lock-one", BOB, 300)
    balances.set_lock(b"lock-two", BOB, 700)
    balances.extend_lock(b"lock-one", BOB, 200)
    assert balances.account_data(BOB).frozen == 700
    assert world.runtime.system.account[BOB].consumers == 1

    balances.remove_lock(b"lock-two", BOB)
    assert balances.account_data(BOB).frozen == 300
    balances.remove_lock(b"lock-one", BOB)

    assert world.runtime.system.account[BOB].consumers == 0
    assert world.said() == ["Locked", "Locked", "Unlocked", "Unlocked"]
    assert BOB not in balances.locks


def test_a_changed_lock_keeps_its_place(world: Any) -> None:
    balances = world.runtime.balances
    for lock_id, amount in ((b"lock-one", 300), (b"lock-two", 700), (b"lock-one", 400)):
        balances.set_lock(lock_id, BOB, amount)

    assert balances.locks[BOB] == (lock(b"lock-one", 400), lock(b"lock-two", 700))


def test_extending_a_lock_joins_the_reasons_and_never_lowers_it(world: Any) -> None:
    balances = world.runtime.balances
    balances.set_lock(b"lock-one", BOB, 300, Reasons.Fee)
    balances.extend_lock(b"lock-one", BOB, 0, Reasons.Misc)
    balances.extend_lock(b"lock-one", BOB, 200, Reasons.Fee)
    assert balances.locks[BOB] == (lock(b"lock-one", 300, Reasons.Fee),)

    balances.extend_lock(b"lock-one", BOB, 500, Reasons.Misc)
    balances.extend_lock(b"lock-two", BOB, 10, Reasons.Misc)
    balances.extend_lock(b"lock-new", BOB, 0)

    assert balances.locks[BOB] == (lock(b"lock-one", 500), lock(b"lock-two", 10, Reasons.Misc))


def lock(lock_id: bytes, amount: int, reasons: Reasons = Reasons.All) -> BalanceLock:
    return BalanceLock(lock_id, Balance(amount), reasons)


@pytest.mark.parametrize(("locked", "most"), [(0, 5_000 - ED), (ED + 50, 5_000 - ED - 50)])
def test_an_account_can_reserve_down_to_its_freeze_and_the_existential_deposit(
    world: Any, locked: int, most: int
) -> None:
    balances = world.runtime.balances
    balances.set_lock(b"lock-one", BOB, locked)

    assert [balances.can_reserve(BOB, amount) for amount in (0, most, most + 1)] == [True, True, False]
    assert balances.can_reserve(CAROL, 0)
    assert not balances.can_reserve(CAROL, 1)


def test_repatriation_leaves_what_a_freeze_needs(world: Any) -> None:
    balances = world.runtime.balances
    balances.reserve(BOB, 4_000)
    balances.set_lock(b"lock-one", BOB, 3_000)

    assert balances.repatriate(BOB, ALICE, 4_000, BalanceStatus.Free) == 2_000

    assert balances.account_data(BOB) == AccountData(Balance(1_000), Balance(2_000), Balance(3_000))


@pytest.mark.parametrize(
    ("account", "most"),
    [
        (info(ED + 10, reserved=500, consumers=1), 10),
        (info(ED + 10, reserved=500, consumers=1, providers=2), ED + 10),
        (info(500, reserved=100, frozen=300, consumers=1), 300),
    ],
)
def test_what_a_consumer_or_a_freeze_needs_cannot_be_withdrawn(account: AccountInfo, most: int) -> None:
    check_withdraw(account, most, existential_deposit=ED, issuance=10_000, keep=False)
    if most == account.data.free:
        return

    with pytest.raises(DispatchFailure) as refusal:
        check_withdraw(account, most + 1, existential_deposit=ED, issuance=10_000, keep=False)

    assert refusal.value.error == Token(TokenError.Frozen)


def test_reserving_and_slashing(world: Any) -> None:
    balances = world.runtime.balances
    with pytest.raises(ChainError, match="InsufficientBalance"):
        balances.reserve(BOB, 5_001)
    with pytest.raises(DispatchFailure) as refusal:
        balances.reserve(BOB, 4_901)
    assert refusal.value.error == ConsumerRemaining()
    balances.reserve(BOB, 1_000)

    assert balances.unreserve(BOB, 1_500) == 500
    balances.reserve(BOB, 1_000)
    assert balances.slash_reserved(BOB, 400) == 0
    # A consumer keeps the existential deposit from being slashed.
    assert balances.slash(BOB, 10_000) == 10_000 - 3_900
    assert balances.account_data(BOB) == AccountData(Balance(100), Balance(600))


def test_repatriation_needs_a_living_beneficiary(world: Any) -> None:
    balances = world.runtime.balances
    balances.reserve(BOB, 1_000)
    with pytest.raises(ChainError, match="DeadAccount"):
        balances.repatriate(BOB, CAROL, 500, BalanceStatus.Free)

    assert balances.repatriate(BOB, ALICE, 1_200, BalanceStatus.Reserved) == 200

    assert balances.account_data(ALICE) == AccountData(Balance(10_000), Balance(1_000))
    assert world.runtime.system.account[BOB].consumers == 0


def test_minting_burning_and_withdrawing(world: Any) -> None:
    balances = world.runtime.balances
    balances.mint_into(CAROL, 500)
    with pytest.raises(DispatchFailure) as refusal:
        balances.burn_from(CAROL, 501)
    assert refusal.value.error == Token(TokenError.FundsUnavailable)
    assert balances.burn_from(CAROL, 501, precision=Precision.BEST_EFFORT) == 500
    taken = balances.withdraw(BOB, 400)
    assert balances.deposit(ALICE, taken) == 400
    balances.withdraw(BOB, 100)
    balances.rescind(100)

    assert world.said()[-4:] == ["Burned", "Withdraw", "Deposit", "Withdraw"]


def test_root_sets_balances_and_issuance_follows(world: Any) -> None:
    world.dispatch(None, Balances.force_set_balance, who=Id(CAROL), new_free=Balance(700))
    world.dispatch(None, Balances.force_set_balance, who=Id(BOB), new_free=Balance(99))

    assert not world.runtime.system.account_exists(BOB)
    assert world.runtime.balances.total_issuance.get() == 11_700
    world.dispatch(None, Balances.force_transfer, source=Id(ALICE), dest=Id(CAROL), value=Balance(1))
    assert world.runtime.balances.free_balance(CAROL) == 701


def test_only_account_ids_are_looked_up(world: Any) -> None:
    with pytest.raises(DispatchFailure) as refusal:
        world.dispatch(ALICE, Balances.transfer_allow_death, dest=Raw(b"x"), value=Balance(300))
    assert refusal.value.error == CannotLookup()


def test_a_lock_on_no_account_is_refused(world: Any) -> None:
    with pytest.raises(DispatchFailure) as refusal:
        world.runtime.balances.set_lock(b"lockidaa", CAROL, 4)
    assert refusal.value.error == NoProviders()


def test_consumers_are_limited(world: Any) -> None:
    system = world.runtime.system
    for _ in range(4):
        system.inc_consumers(ALICE)
    with pytest.raises(DispatchFailure, match="TooManyConsumers"):
        system.inc_consumers(ALICE)
    with pytest.raises(DispatchFailure, match="ConsumerRemaining"):
        system.dec_providers(ALICE)
