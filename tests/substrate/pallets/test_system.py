"""System: the block, its events and extrinsics, code upgrades."""

from typing import Any

import pytest

from substrate.block import Digest, Other, RuntimeEnvironmentUpdated, extrinsics_root
from substrate.crypto.hashing import blake2_256, twox_128
from substrate.pallets.system import EXTRINSIC_INDEX_KEY, System
from substrate.pallets.system_types import (
    BASE_EXTRINSIC,
    ApplyExtrinsic,
    ConsumedWeight,
    Finalization,
    Initialization,
    block_weights,
)
from substrate.runtime.dispatch import BadOrigin, DispatchClass, DispatchFailure, DispatchInfo, Pays
from substrate.runtime.version import CodeVersion
from substrate.types import AccountId, BlockNumber, Hash, Weight

ALICE = AccountId(bytes([1]) * 32)
INFO = DispatchInfo(Weight(1_000, 10), DispatchClass.Normal, Pays.Yes)


def test_genesis_knows_block_zero_by_upstreams_hash(world: Any) -> None:
    system = world.runtime.system
    assert system.block_hash[BlockNumber(0)] in (bytes(32), b"\x45" * 32)
    assert system.last_runtime_upgrade.get().spec_version == 1
    assert system.version.spec_name == "small"
    assert system.ss58_prefix == 42


def test_events_carry_their_phase(world: Any) -> None:
    system = world.runtime.system
    system.inc_providers(AccountId(bytes(32)))
    system.note_finished_initialize()
    system.note_extrinsic(b"first")
    system.note_applied_extrinsic(True, None, INFO)
    system.note_extrinsic(b"second")
    system.note_applied_extrinsic(False, BadOrigin(), INFO)
    system.note_finished_extrinsics()
    system.dec_providers(AccountId(bytes(32)))

    phases = [record.phase for record in system.block_events()]
    assert phases == [Initialization(), ApplyExtrinsic(0), ApplyExtrinsic(1), Finalization()]
    assert world.said() == ["NewAccount", "ExtrinsicSuccess", "ExtrinsicFailed", "KilledAccount"]
    assert world.events()[1].dispatch_info.weight == INFO.weight + BASE_EXTRINSIC
    assert system.event_count.get() == 4
    before = system.block_events()
    system.finalize()
    assert system.event_records.get() == system.block_events() == before
    assert world.state.get(twox_128(b"System") + twox_128(b"Events"))[0] == 4 << 2


def test_the_event_list_survives_a_longer_length_prefix(world: Any) -> None:
    for _ in range(70):
        world.runtime.system.note_applied_extrinsic(True, None, INFO)

    assert len(world.runtime.system.block_events()) == 70
    world.runtime.system.finalize()
    assert len(world.runtime.system.event_records.get()) == 70


def test_rolled_back_events_are_gone(world: Any) -> None:
    system = world.runtime.system
    system.note_applied_extrinsic(True, None, INFO)
    world.state.begin()
    system.note_applied_extrinsic(True, None, INFO)
    world.state.rollback()

    assert len(system.block_events()) == 1


def test_finalizing_yields_the_header_and_leaves_no_block_behind(world: Any) -> None:
    system = world.runtime.system
    system.deposit_log(Other(b"note"))
    system.note_finished_initialize()
    for raw in (b"first", b"second"):
        system.note_extrinsic(raw)
        system.note_applied_extrinsic(True, None, INFO)
    system.note_finished_extrinsics()
    header = system.finalize()

    assert header.extrinsics_root == extrinsics_root((b"first", b"second"))
    assert header.digest == Digest((Other(b"note"),))
    assert header.number == 1
    assert header.state_root == world.state.root()
    assert world.state.get(EXTRINSIC_INDEX_KEY) is None
    assert list(system.extrinsic_data.items()) == []
    assert system.execution_phase.get() is None


def test_old_block_hashes_are_forgotten(world: Any) -> None:
    system = world.runtime.system
    for number in range(2, 9):
        system.note_finished_extrinsics()
        system.finalize()
        system.initialize(BlockNumber(number), Hash(bytes([number - 1]) * 32), Digest())

    assert sorted(number for number, _ in system.block_hash.items()) == [0, 3, 4, 5, 6, 7]
    assert system.block_hash[BlockNumber(7)] == bytes([7]) * 32


def test_weight_is_counted_by_class(world: Any) -> None:
    system = world.runtime.system
    before = system.block_weight.get()
    system.register_extra_weight(Weight(5, 1), DispatchClass.Operational)

    assert system.block_weight.get() == ConsumedWeight(before.normal, Weight(5, 1), before.mandatory)
    limits = block_weights(Weight(1_000_000_000_000, 1_000))
    assert limits.per_class.operational.reserved == Weight(250_000_000_000, 250)
    assert limits.per_class.normal.max_extrinsic == Weight(650_000_000_000, 650) - BASE_EXTRINSIC


def test_nonces(world: Any) -> None:
    system = world.runtime.system
    system.inc_account_nonce(ALICE)

    assert system.account_nonce(ALICE) == 1
    assert world.runtime.api("AccountNonceApi_account_nonce", ALICE) == b"\1\0\0\0"


def test_remarks_and_raw_storage(world: Any) -> None:
    world.dispatch(ALICE, System.remark_with_event, remark=b"hello")
    assert world.events()[-1].hash_ == blake2_256(b"hello")
    world.dispatch(None, System.set_storage, items=((b"aa", b"1"), (b"ab", b"2"), (b"b", b"3")))
    world.dispatch(None, System.kill_prefix, prefix=b"a", subkeys=1)
    assert [world.state.get(key) for key in (b"aa", b"ab", b"b")] == [None, b"2", b"3"]
    world.dispatch(None, System.kill_storage, keys=(b"b",))
    assert world.state.get(b"b") is None
    with pytest.raises(DispatchFailure, match="BadOrigin"):
        world.dispatch(ALICE, System.kill_storage, keys=(b"b",))


def test_authorized_code_is_put_into_place_by_anyone(world: Any) -> None:
    system, code = world.runtime.system, b"newer"
    with pytest.raises(system.NothingAuthorized):
        system.apply_authorized_upgrade(None, code)
    world.dispatch(None, System.authorize_upgrade_without_checks, code_hash=Hash(blake2_256(code)))
    with pytest.raises(system.Unauthorized):
        system.apply_authorized_upgrade(None, b"other")
    world.dispatch(ALICE, System.apply_authorized_upgrade, code=code)

    assert world.state.get(b":code") == code
    assert system.digest.get().logs == (RuntimeEnvironmentUpdated(),)
    assert world.said() == ["UpgradeAuthorized", "CodeUpdated"]


@pytest.mark.parametrize(
    ("name", "version", "error"),
    [
        ("other", 2, "InvalidSpecName"),
        ("small", 1, "SpecVersionNeedsToIncrease"),
        ("", 0, "FailedToExtractRuntimeVersion"),
        ("small", 2, None),
    ],
)
def test_new_code_must_be_a_later_version(world: Any, name: str, version: int, error: str | None) -> None:
    system = world.runtime.system
    new = CodeVersion(name, version) if name else None
    system.read_version = lambda _system, code: new

    if error is None:
        system.set_code(None, b"newer")
        assert world.state.get(b":code") == b"newer"
    else:
        with pytest.raises(getattr(system, error)):
            system.set_code(None, b"newer")


def test_unique_values_follow_the_block_and_leave_no_trace(world: Any) -> None:
    system = world.runtime.system
    start = blake2_256(b"frame_system::initialize" + bytes(32))
    first = system.unique(b"x")

    assert first == blake2_256(b"frame_system::unique" + b"x" + start)
    assert system.unique(b"x") == blake2_256(b"frame_system::unique" + b"x" + first)
    system.finalize()
    assert world.state.get(b":intrablock_entropy") is None
