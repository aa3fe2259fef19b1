"""Room in a block: upstream's `check_weight` tests and the edges of each limit.

Source: polkadot-sdk, `substrate/frame/system/src/extensions/check_weight.rs`.
"""

import pytest

from substrate.block import Digest
from substrate.pallets.system import System
from substrate.pallets.system_types import (
    BlockLength,
    BlockWeights,
    ConsumedWeight,
    LengthsByClass,
    WeightsByClass,
    WeightsPerClass,
)
from substrate.runtime import room
from substrate.runtime.assembly import mount
from substrate.runtime.dispatch import DispatchClass, DispatchInfo, Pays
from substrate.runtime.validity import TransactionInvalid
from substrate.state import Overlay
from substrate.trie.trie import Trie
from substrate.types import MAX_U64, BlockNumber, Hash, Weight
from tests.substrate.runtime.mini import MiniRuntime

NORMAL, OPERATIONAL, MANDATORY = DispatchClass


def time(amount: int) -> Weight:
    return Weight(amount, MAX_U64)


WEIGHTS = BlockWeights(
    base_block=Weight(10, 0),
    max_block=time(1024),
    per_class=WeightsByClass(
        normal=WeightsPerClass(Weight(5, 0), time(750), time(768), Weight.ZERO),
        operational=WeightsPerClass(Weight(10, 0), None, time(1024), time(256)),
        mandatory=WeightsPerClass(Weight(0, 0), None, None, None),
    ),
)


class NarrowRuntime(MiniRuntime):
    """Upstream's test limits; 100 bytes, 75 of them for normal calls."""

    system: System = mount(0, limits=WEIGHTS, lengths=BlockLength(LengthsByClass(75, 100, 100)))


def info(amount: int, class_: DispatchClass = NORMAL, *, proof_size: int = 0) -> DispatchInfo:
    return DispatchInfo(Weight(amount, proof_size), class_, Pays.Yes)


@pytest.fixture
def system() -> System:
    runtime = NarrowRuntime(Overlay(Trie.empty()))
    runtime.system.initialize(BlockNumber(1), Hash(bytes(32)), Digest())
    return runtime.system


def used(system: System) -> tuple[int, int | None]:
    return system.block_weight.get().total.ref_time, system.all_extrinsics_len.get()


def refused(system: System, told: DispatchInfo, length: int = 0) -> str:
    before = used(system)
    with pytest.raises(TransactionInvalid) as refusal:
        room.take(system, told, length)
    assert used(system) == before
    return str(refusal.value)


def test_normal_and_operational_calls_fill_a_block_in_either_order(system: System) -> None:
    other = NarrowRuntime(Overlay(Trie.empty())).system
    other.initialize(BlockNumber(1), Hash(bytes(32)), Digest())
    normal, operational = info(748), info(246, OPERATIONAL)

    room.take(system, normal, 0)
    room.take(system, operational, 0)
    room.take(other, operational, 0)
    room.take(other, normal, 0)

    assert used(system) == used(other) == (10 + 753 + 256, 0)
    assert system.block_weight.get().of(OPERATIONAL) == Weight(256, 0)


@pytest.mark.parametrize(("amount", "fits"), [(750, True), (751, False)])
def test_a_normal_call_is_limited_by_itself(system: System, amount: int, fits: bool) -> None:
    if fits:
        assert room.check_extrinsic(system, info(amount), 0) == 0
    else:
        assert refused(system, info(amount)) == "ExhaustsResources: it is too heavy for any block"


def test_normal_calls_are_limited_together(system: System) -> None:
    room.take(system, info(500), 0)
    assert refused(system, info(259)) == "ExhaustsResources: the block has no room left for Normal calls"

    room.take(system, info(258), 0)

    assert system.block_weight.get().normal == Weight(768, 0)


def test_operational_calls_have_their_reserve_in_a_full_block(system: System) -> None:
    system.register_extra_weight(Weight.MAX, MANDATORY)

    assert refused(system, info(1)) == "ExhaustsResources: the block has no room left for it"
    room.take(system, info(246, OPERATIONAL), 0)
    assert refused(system, info(1, OPERATIONAL)) == "ExhaustsResources: the block has no room left for it"


def test_mandatory_calls_have_no_weight_limit(system: System) -> None:
    room.take(system, DispatchInfo(Weight.MAX, MANDATORY, Pays.No), 0)

    assert system.block_weight.get().total == Weight.MAX


def test_a_class_without_reserve_limit_may_exceed_the_block(system: System) -> None:
    normal = WeightsPerClass(Weight.ZERO, None, None, None)
    system.limits = BlockWeights(Weight.ZERO, time(10), WeightsByClass(normal, normal, normal))

    room.take(system, info(100), 0)

    assert system.block_weight.get().normal == Weight(100, 0)


@pytest.mark.parametrize(("class_", "limit"), [(NORMAL, 75), (OPERATIONAL, 100), (MANDATORY, 100)], ids=str)
def test_every_class_is_limited_in_length(system: System, class_: DispatchClass, limit: int) -> None:
    room.take(system, info(1, class_), limit - 1)
    assert refused(system, info(1, class_), 2) == f"ExhaustsResources: the block would have {limit + 1} bytes"

    room.take(system, info(1, class_), 1)

    assert system.all_extrinsics_len.get() == limit


def test_length_counts_as_proof_size_and_is_not_given_back(system: System) -> None:
    told = info(40, proof_size=7)
    room.take(system, told, 30)
    assert system.block_weight.get().normal == Weight(45, 37)

    room.give_back(system, told, Weight(10, 3))

    assert system.block_weight.get() == ConsumedWeight(normal=Weight(15, 33), mandatory=Weight(10, 0))
    assert room.remaining(system) == Weight(1024 - 25, MAX_U64 - 33)


def test_length_weighs_on_a_call_at_its_limit(system: System) -> None:
    normal = WeightsPerClass(Weight.ZERO, Weight(100, 50), None, None)
    system.limits = BlockWeights(Weight.ZERO, time(1024), WeightsByClass(normal, normal, normal))

    assert room.check_extrinsic(system, info(1, proof_size=30), 20) == 20
    with pytest.raises(TransactionInvalid, match="too heavy for any block"):
        room.check_extrinsic(system, info(1, proof_size=30), 21)
