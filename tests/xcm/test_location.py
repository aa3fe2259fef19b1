"""Location algebra."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xcm.junction import (
    AccountId32,
    GeneralIndex,
    GlobalConsensus,
    Junction,
    Kusama,
    OnlyChild,
    PalletInstance,
    Parachain,
    Polkadot,
    order_key,
)
from xcm.location import (
    HERE,
    PARENT,
    LocationError,
    appended,
    chain_location,
    global_consensus,
    interior,
    inverted_target,
    location,
    match_and_split,
    prepended,
    reanchored,
    relative_to,
    simplified,
    starts_with,
    within,
)

BOB = AccountId32(None, bytes(32))
junctions: st.SearchStrategy[Junction] = st.one_of(
    st.integers(0, 3).map(Parachain), st.integers(0, 3).map(PalletInstance), st.just(BOB)
)


def test_inversion_works() -> None:
    context = interior(Parachain(1000), BOB)
    assert inverted_target(context, location(2, GeneralIndex(1), GeneralIndex(2))) == location(2, Parachain(1000), BOB)
    assert inverted_target(context, location(1, PalletInstance(5))) == location(1, BOB)
    assert inverted_target(context, location(3)) == location(0, OnlyChild(), Parachain(1000), BOB)
    with pytest.raises(LocationError, match="LocationNotInvertible"):
        inverted_target(context, location(9))


def test_prepend_works() -> None:
    assert prepended(location(1, Parachain(42), BOB), location(2)) == location(3, Parachain(42), BOB)
    assert prepended(location(1, Parachain(42)), location(0, PalletInstance(3))) == location(0, Parachain(42))
    assert prepended(location(0, BOB), location(1, Parachain(1))) == location(1, Parachain(1), BOB)
    full = location(0, *[GeneralIndex(number) for number in range(8)])
    with pytest.raises(LocationError, match="LocationFull"):
        prepended(full, location(0, PalletInstance(1)))
    with pytest.raises(LocationError, match="LocationFull"):
        prepended(location(254), location(2))


def test_simplify_works() -> None:
    context = interior(Parachain(1000), PalletInstance(42))
    assert simplified(location(2, Parachain(1000), PalletInstance(42), GeneralIndex(1)), context) == location(
        0, GeneralIndex(1)
    )
    assert simplified(location(2, Parachain(1000), PalletInstance(43)), context) == location(1, PalletInstance(43))
    unchanged = location(3, Parachain(1000))
    assert simplified(unchanged, context) == unchanged


def test_reanchor_works() -> None:
    context = interior(Parachain(2000))
    assert reanchored(location(2, GlobalConsensus(Kusama())), target=PARENT, context=context) == location(
        1, GlobalConsensus(Kusama())
    )
    sibling = location(1, Parachain(1000))
    assert reanchored(location(1, Parachain(1000), GeneralIndex(42)), target=sibling, context=context) == location(
        0, GeneralIndex(42)
    )
    assert reanchored(HERE, target=sibling, context=context) == location(1, Parachain(2000))
    assert reanchored(PARENT, target=sibling, context=context) == PARENT


def test_append_with_works() -> None:
    assert appended(location(1, Parachain(42)), BOB) == location(1, Parachain(42), BOB)
    with pytest.raises(LocationError, match="LocationFull"):
        appended(location(0, *[BOB] * 8), BOB)


def test_match_and_split_works() -> None:
    whole = location(1, Parachain(42), BOB)
    assert match_and_split(whole, location(1, Parachain(42))) == BOB
    assert match_and_split(whole, PARENT) is None
    assert match_and_split(whole, whole) is None
    assert starts_with(whole, PARENT)
    assert not starts_with(whole, location(0, Parachain(42)))


def test_chain_location_works() -> None:
    assert chain_location(location(0, PalletInstance(42))) == HERE
    assert chain_location(location(1, Parachain(1000), PalletInstance(50), GeneralIndex(1))) == location(
        1, Parachain(1000)
    )
    assert chain_location(location(2, GlobalConsensus(Polkadot()), BOB)) == location(2, GlobalConsensus(Polkadot()))


def test_universal_locations() -> None:
    ours = interior(GlobalConsensus(Polkadot()), Parachain(1000))
    assert within(ours, location(1, Parachain(2000))) == interior(GlobalConsensus(Polkadot()), Parachain(2000))
    assert relative_to(interior(GlobalConsensus(Polkadot()), Parachain(2000)), ours) == location(1, Parachain(2000))
    assert relative_to(interior(GlobalConsensus(Kusama())), ours) == location(2, GlobalConsensus(Kusama()))
    assert global_consensus(ours) == Polkadot()
    assert global_consensus(interior(Parachain(1))) is None
    with pytest.raises(LocationError, match="Unanchored"):
        within(ours, location(3))


@given(
    place=st.lists(junctions, max_size=3),
    up=st.integers(0, 3),
    target=st.lists(junctions, max_size=2),
    target_up=st.integers(0, 3),
)
def test_reanchoring_names_the_same_place(
    place: list[Junction], up: int, target: list[Junction], target_up: int
) -> None:
    context = interior(GlobalConsensus(Polkadot()), Parachain(7), PalletInstance(1))
    ours, theirs = location(up, *place), location(target_up, *target)
    seen = reanchored(ours, target=theirs, context=context)
    assert within(within(context, theirs), seen) == within(context, ours)


@given(up=st.integers(0, 3), target=st.lists(junctions, max_size=4))
def test_the_inverse_of_a_target_leads_back(up: int, target: list[Junction]) -> None:
    context = interior(GlobalConsensus(Polkadot()), Parachain(7), PalletInstance(1))
    there = location(up, *target)
    back = inverted_target(context, there)
    assert within(within(context, there), back) == context
    assert inverted_target(within(context, there), back) == there


@given(
    place=st.lists(junctions, max_size=3),
    up=st.integers(0, 3),
    target=st.lists(junctions, max_size=2),
    target_up=st.integers(0, 3),
)
def test_reanchoring_there_and_back_is_the_shortest_name(
    place: list[Junction], up: int, target: list[Junction], target_up: int
) -> None:
    context = interior(GlobalConsensus(Polkadot()), Parachain(7), PalletInstance(1))
    ours, theirs = location(up, *place), location(target_up, *target)
    seen = reanchored(ours, target=theirs, context=context)
    back = reanchored(seen, target=inverted_target(context, theirs), context=within(context, theirs))
    assert within(context, back) == within(context, ours)
    assert len(back.junctions) <= len(ours.junctions)


def test_the_order_is_by_parents_then_depth_then_junction() -> None:
    places = [HERE, location(0, Parachain(9)), location(0, BOB), location(0, Parachain(0), BOB), PARENT]
    keys = [order_key(place) for place in places]
    assert keys == sorted(keys)
    assert str(location(1, Parachain(2000))) == "../Parachain(2000)"
    assert str(HERE) == "Here"
