"""Epochs: arithmetic of slots, and which epoch a block is in on its own fork.

The first block of each epoch announces the next one. Every block therefore has two epochs to its name, its own and the
announced one, and a child's epoch follows from its parent's alone; forks take care of themselves.

Source: polkadot-sdk, `substrate/client/consensus/epochs/src/lib.rs`, `substrate/client/consensus/babe/src/lib.rs`.
"""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from substrate.block import Header
from substrate.consensus.babe.types import (
    BabeConfiguration,
    BabeEpochConfiguration,
    Epoch,
    NextConfigData,
    NextEpochData,
    header_logs,
)
from substrate.consensus.babe.verification import BabeError, BabeReason, header_slot
from substrate.scale.types import Struct
from substrate.types import Hash, Slot


def slot_at(time_us: int, *, slot_duration_ms: int) -> Slot:
    """The slot that a moment of chain time is in."""
    return Slot(time_us // (slot_duration_ms * 1_000))


def slot_start_us(slot: Slot, *, slot_duration_ms: int) -> int:
    """Chain time at which a slot begins."""
    return slot * slot_duration_ms * 1_000


def epoch_index(slot: Slot, *, genesis_slot: Slot, duration: int) -> int:
    """Index of the epoch that a slot is in; the first block's slot begins epoch 0."""
    return (slot - genesis_slot) // duration


def epoch_start(index: int, *, genesis_slot: Slot, duration: int) -> Slot:
    """First slot of an epoch."""
    return Slot(genesis_slot + index * duration)


class Epochs(Struct):
    """The epoch a block is in, and the one announced on its chain."""

    current: Epoch
    next: Epoch


class EpochAt(NamedTuple):
    """The epoch of a slot after some block."""

    epoch: Epoch
    is_first: bool
    """The block in that slot is the epoch's first and must announce the next."""


def genesis_epochs(config: BabeConfiguration) -> Epochs:
    """Epochs at genesis; slots count from the first block's."""
    lottery = BabeEpochConfiguration(config.c, config.allowed_slots)
    first = Epoch(0, Slot(0), config.epoch_length, config.authorities, config.randomness, lottery)
    return Epochs(first, _following(first))


def epoch_after(parent: Epochs, slot: Slot, *, parent_is_genesis: bool) -> EpochAt:
    """The epoch of a block in `slot` on top of `parent`. Of skipped epochs, the announced data serves the next."""
    if parent_is_genesis:
        return EpochAt(replace(parent.current, start_slot=slot), is_first=True)
    if slot < parent.current.end_slot:
        return EpochAt(parent.current, is_first=False)
    skipped = (slot - parent.next.start_slot) // parent.next.duration
    start = Slot(parent.next.start_slot + skipped * parent.next.duration)
    return EpochAt(replace(parent.next, epoch_index=parent.next.epoch_index + skipped, start_slot=start), is_first=True)


def epochs_of(header: Header, at: EpochAt, parent: Epochs) -> Epochs:
    """Epochs of a block, given what `epoch_after` found for it.

    Raises:
        BabeError: `EXPECTED_EPOCH_CHANGE`, `UNEXPECTED_EPOCH_CHANGE`, `MULTIPLE_EPOCH_CHANGES`.
    """
    logs = header_logs(header)
    announced = [log for log in logs if isinstance(log, NextEpochData)]
    lotteries = [log for log in logs if isinstance(log, NextConfigData)]
    if len(announced) > 1 or len(lotteries) > 1:
        raise BabeError(BabeReason.MULTIPLE_EPOCH_CHANGES, block=header.hash.hex())
    if not at.is_first:
        if announced or lotteries:
            raise BabeError(BabeReason.UNEXPECTED_EPOCH_CHANGE, block=header.hash.hex())
        return Epochs(at.epoch, parent.next)
    if not announced:
        raise BabeError(BabeReason.EXPECTED_EPOCH_CHANGE, block=header.hash.hex(), epoch=at.epoch.epoch_index)
    data = announced[0]
    lottery = lotteries[0].descriptor.config if lotteries else at.epoch.config
    following = replace(_following(at.epoch), authorities=data.authorities, randomness=data.randomness, config=lottery)
    return Epochs(at.epoch, following)


def _following(epoch: Epoch) -> Epoch:
    return replace(epoch, epoch_index=epoch.epoch_index + 1, start_slot=epoch.end_slot)


class EpochChanges:
    """The epochs of every block that a node keeps, over all forks."""

    def __init__(self, genesis: Hash, config: BabeConfiguration) -> None:
        self._genesis = genesis
        self._by_block = {genesis: genesis_epochs(config)}

    def __contains__(self, block: Hash) -> bool:
        return block in self._by_block

    def blocks(self) -> tuple[Hash, ...]:
        """Every kept block."""
        return tuple(self._by_block)

    def epochs(self, block: Hash) -> Epochs:
        """Epochs of a kept block."""
        return self._by_block[block]

    def epoch_for(self, parent: Hash, slot: Slot) -> EpochAt:
        """The epoch of a block in `slot` on top of a kept block.

        Raises:
            BabeError: `PARENT_UNAVAILABLE`.
        """
        epochs = self._by_block.get(parent)
        if epochs is None:
            raise BabeError(BabeReason.PARENT_UNAVAILABLE, parent=parent.hex())
        return epoch_after(epochs, slot, parent_is_genesis=parent == self._genesis)

    def insert(self, header: Header) -> Epochs:
        """Take a block in; returns its epochs.

        Raises:
            BabeError: The block's announcements do not fit its place; see `epochs_of`.
        """
        at = self.epoch_for(header.parent_hash, header_slot(header))
        epochs = epochs_of(header, at, self._by_block[header.parent_hash])
        self._by_block[header.hash] = epochs
        return epochs

    def restore(self, block: Hash, epochs: Epochs) -> None:
        """Put back what was stored for a block."""
        self._by_block[block] = epochs

    def forget(self, blocks: Iterable[Hash]) -> None:
        """Drop blocks that nothing will be built on."""
        for block in blocks:
            self._by_block.pop(block, None)
