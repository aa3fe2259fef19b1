"""The holding register."""

import pytest

from xcm.asset import (
    MAX_AMOUNT,
    All,
    AllCounted,
    AllOf,
    AllOfCounted,
    AssetError,
    AssetId,
    AssetReason,
    Definite,
    InstanceIndex,
    Wild,
    WildFungibility,
    assets,
    check_order,
    fungible,
    non_fungible,
)
from xcm.error import XcmFailure
from xcm.executor.holding import EMPTY, Holding
from xcm.location import HERE, PARENT

COINS, MORE = fungible(HERE, 10), fungible(PARENT, 5)
CATS = [non_fungible(HERE, InstanceIndex(number)) for number in (1, 2, 3)]
FULL = Holding.of(COINS, MORE, *CATS)


def test_taking_saturates_and_the_rest_stays() -> None:
    taken, rest = FULL.saturating_take(Definite(assets(fungible(HERE, 99), CATS[0])))
    assert taken == assets(COINS, CATS[0])
    assert rest == Holding.of(MORE, *CATS[1:])


def test_sums_saturate() -> None:
    most = fungible(HERE, MAX_AMOUNT)
    assert Holding.of(most).plus((COINS,)) == Holding.of(most)
    assert assets(most, COINS) == (most,)


def test_try_take_wants_all_of_it() -> None:
    with pytest.raises(XcmFailure, match="AssetNotFound"):
        FULL.try_take(Definite(assets(fungible(HERE, 11))))
    assert FULL.try_take(Wild(All())) == (assets(COINS, MORE, *CATS), EMPTY)


def test_wildcards() -> None:
    coins, cats = WildFungibility.Fungible, WildFungibility.NonFungible
    id = AssetId(HERE)
    assert FULL.matching(Wild(AllOf(id, coins))) == assets(COINS)
    assert FULL.matching(Wild(AllOf(id, cats))) == assets(*CATS)
    assert FULL.matching(Wild(AllOfCounted(id, cats, 2))) == assets(*CATS[:2])
    assert FULL.matching(Wild(AllCounted(2))) == assets(COINS, MORE)
    assert FULL.matching(Wild(AllCounted(0))) == assets()
    assert EMPTY.matching(Wild(All())) == assets()


def test_from_sorted_and_deduplicated_works() -> None:
    check_order((COINS, CATS[0], CATS[1], MORE))
    for items in [(COINS, COINS), (CATS[0], CATS[0]), (MORE, COINS), (CATS[1], CATS[0])]:
        with pytest.raises(AssetError) as refusal:
            check_order(items)
        assert refusal.value.reason is AssetReason.OUT_OF_ORDER
    assert assets(MORE, COINS, fungible(HERE, 1), CATS[1], CATS[1]) == (fungible(HERE, 11), CATS[1], MORE)
