"""Epochs: arithmetic and the epoch of a block on its fork."""

import pytest
from msgspec.structs import replace

from substrate.block import Digest, DigestItem, Header
from substrate.consensus.babe.epochs import EpochChanges, epoch_index, epoch_start, slot_at, slot_start_us
from substrate.consensus.babe.types import (
    AllowedSlots,
    AuthorityId,
    BabeConfiguration,
    NextConfigData,
    NextConfigV1,
    NextEpochData,
    SecondaryPlain,
    digest_item,
    pre_digest_item,
)
from substrate.consensus.babe.verification import BabeError
from substrate.types import BlockNumber, Hash, Slot

GENESIS = Hash(bytes(32))
AUTHORITIES = ((AuthorityId(b"\1" * 32), 1),)
CONFIG = BabeConfiguration(6_000, 10, (0, 1), AUTHORITIES, bytes(32), AllowedSlots.PrimaryAndSecondaryVRFSlots)


def block(parent: Header | None, slot: int, *announced: DigestItem, fork: int = 0) -> Header:
    logs = Digest((pre_digest_item(SecondaryPlain(0, Slot(slot))), *announced))
    number = 1 if parent is None else parent.number + 1
    parent_hash = GENESIS if parent is None else parent.hash
    return Header(parent_hash, BlockNumber(number), Hash(bytes([fork]) * 32), Hash(bytes(32)), logs)


def announce(mark: int) -> DigestItem:
    return digest_item(NextEpochData(AUTHORITIES, bytes([mark]) * 32))


def test_slots_and_epochs_are_counted_from_the_first_block() -> None:
    assert slot_at(12_500_000, slot_duration_ms=6_000) == 2
    assert slot_start_us(Slot(2), slot_duration_ms=6_000) == 12_000_000
    assert epoch_index(Slot(109), genesis_slot=Slot(100), duration=10) == 0
    assert epoch_index(Slot(110), genesis_slot=Slot(100), duration=10) == 1
    assert epoch_start(1, genesis_slot=Slot(100), duration=10) == 110


def test_epochs_follow_the_announcements_of_each_fork() -> None:
    changes = EpochChanges(GENESIS, CONFIG)
    first = block(None, 100, announce(1))
    changes.insert(first)
    inner = block(first, 109)
    assert changes.insert(inner).current.start_slot == 100

    left, right = block(inner, 110, announce(2)), block(inner, 111, announce(3))
    assert changes.insert(left).current.randomness == b"\1" * 32
    assert changes.insert(right).next.randomness == b"\3" * 32

    at = changes.epoch_for(left.hash, Slot(120))
    assert (at.epoch.epoch_index, at.epoch.randomness, at.is_first) == (2, b"\2" * 32, True)
    assert changes.epoch_for(right.hash, Slot(120)).epoch.randomness == b"\3" * 32
    assert changes.epoch_for(right.hash, Slot(119)).is_first is False
    changes.forget([right.hash])
    with pytest.raises(BabeError, match="ParentUnavailable"):
        changes.epoch_for(right.hash, Slot(120))


def test_after_skipped_epochs_the_announced_data_serves() -> None:
    changes = EpochChanges(GENESIS, CONFIG)
    first = block(None, 100, announce(1))
    changes.insert(first)

    at = changes.epoch_for(first.hash, Slot(137))

    assert (at.epoch.epoch_index, at.epoch.start_slot, at.epoch.randomness) == (3, 130, b"\1" * 32)
    assert at.is_first
    later = changes.insert(block(first, 137, announce(2)))
    assert (later.next.epoch_index, later.next.start_slot) == (4, 140)


def test_the_lottery_changes_with_the_next_epoch() -> None:
    changes = EpochChanges(GENESIS, CONFIG)
    lottery = digest_item(NextConfigData(NextConfigV1((1, 4), AllowedSlots.PrimarySlots)))
    epochs = changes.insert(block(None, 100, announce(1), lottery))
    assert epochs.current.config.c == (0, 1)
    assert epochs.next.config.c == (1, 4)


def test_announcements_belong_in_the_first_block_only() -> None:
    changes = EpochChanges(GENESIS, CONFIG)
    with pytest.raises(BabeError, match="ExpectedEpochChange"):
        changes.insert(block(None, 100))
    with pytest.raises(BabeError, match="MultipleEpochChangeDigests"):
        changes.insert(block(None, 100, announce(1), announce(1)))
    first = block(None, 100, announce(1))
    changes.insert(first)
    with pytest.raises(BabeError, match="UnexpectedEpochChange"):
        changes.insert(block(first, 101, announce(2)))


def test_restored_epochs_serve_as_inserted_ones() -> None:
    changes = EpochChanges(GENESIS, CONFIG)
    first = block(None, 100, announce(1))
    epochs = changes.insert(first)
    again = EpochChanges(GENESIS, replace(CONFIG, epoch_length=10))
    again.restore(first.hash, type(epochs).decode(epochs.encode()))
    assert again.epoch_for(first.hash, Slot(110)) == changes.epoch_for(first.hash, Slot(110))
