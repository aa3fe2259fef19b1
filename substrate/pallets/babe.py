"""Babe: slots, epochs and randomness in the state.

Two deviations from upstream, both because every slot here is a secondary one and epochs are short: secondary VRF
outputs feed the randomness too (upstream: primary ones only), and so does a segment that is not full (upstream leaves
it out, which for epochs under 256 blocks means all of them).

Source: polkadot-sdk, `substrate/frame/babe/src/{lib,randomness}.rs`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from substrate.block import PreRuntime
from substrate.consensus.babe.epochs import epoch_index, epoch_start
from substrate.consensus.babe.lottery import RANDOMNESS_CONTEXT, make_bytes, next_randomness
from substrate.consensus.babe.types import (
    ENGINE_ID,
    SECONDARY_VRF_ONLY,
    AuthorityId,
    AuthorityList,
    BabeConfiguration,
    BabeEpochConfiguration,
    ConsensusLog,
    Epoch,
    NextConfigData,
    NextConfigDescriptor,
    NextConfigV1,
    NextEpochData,
    OnDisabled,
    PreDigest,
    Randomness,
    SecondaryPlain,
    digest_item,
)
from substrate.crypto.hashing import blake2_256
from substrate.errors import RuleError
from substrate.pallets.session import Session
from substrate.pallets.session_types import SessionHandler, Validators
from substrate.pallets.system import System
from substrate.runtime.assembly import Runtime
from substrate.runtime.hashers import Twox64Concat
from substrate.runtime.origin import Root
from substrate.runtime.pallet import Error, Pallet, call, constant, runtime_api
from substrate.runtime.storage import StorageMap, StorageValue, storage_map, storage_value
from substrate.scale.codec import decode
from substrate.scale.types import MaxLen, u32, u64
from substrate.types import AccountId, BlockNumber, Hash, Moment, Slot, Weight

SEGMENT_LENGTH = 256
MAX_BLOCK_NUMBER = 2**32 - 1
ZERO_RANDOMNESS = bytes(32)
PLAN_CONFIG_CHANGE = Weight(10_000_000, 0)


class BabeBlockReason(StrEnum):
    """Why a block is refused in execution."""

    DISABLED_AUTHOR = "DisabledAuthor"
    WRONG_TIMESTAMP = "TimestampSlotMismatch"


class BabeBlockError(RuleError):
    """The block contradicts its slot."""


def _authorities(validators: Validators) -> AuthorityList:
    return tuple((keys.babe, 1) for _, keys in validators)


class Babe(SessionHandler):
    """The current and the next epoch; the slot of the block being executed."""

    epoch_index: StorageValue[u64] = storage_value(default=0)
    authorities: StorageValue[AuthorityList] = storage_value(default=())
    genesis_slot: StorageValue[Slot] = storage_value(default=Slot(0))
    current_slot: StorageValue[Slot] = storage_value(default=Slot(0))
    randomness: StorageValue[Randomness] = storage_value(default=ZERO_RANDOMNESS)
    pending_epoch_config_change: StorageValue[NextConfigDescriptor | None] = storage_value()
    next_randomness: StorageValue[Randomness] = storage_value(default=ZERO_RANDOMNESS)
    next_authorities: StorageValue[AuthorityList] = storage_value(default=())
    segment_index: StorageValue[u32] = storage_value(default=0)
    under_construction: StorageMap[u32, Annotated[tuple[Randomness, ...], MaxLen(SEGMENT_LENGTH)]] = storage_map(
        Twox64Concat, default=()
    )
    initialized: StorageValue[PreDigest | None] = storage_value()
    """The block's pre-digest; gone at its end."""
    author_vrf_randomness: StorageValue[Randomness | None] = storage_value()
    epoch_start: StorageValue[tuple[BlockNumber, BlockNumber]] = storage_value(default=(BlockNumber(0), BlockNumber(0)))
    """First blocks of the previous and the current epoch."""
    lateness: StorageValue[BlockNumber] = storage_value(default=BlockNumber(0))
    epoch_config: StorageValue[BabeEpochConfiguration | None] = storage_value()
    next_epoch_config: StorageValue[BabeEpochConfiguration | None] = storage_value()
    skipped_epochs: StorageValue[tuple[tuple[u64, u32], ...]] = storage_value(default=())
    """Epoch and session at the last 100 jumps over epochs."""

    epoch_duration: u64 = constant()
    """Slots."""
    expected_block_time: Moment = constant()
    """Slot duration, milliseconds."""
    max_authorities: u32 = constant(100_000)
    max_nominators: u32 = constant(0)

    class InvalidEquivocationProof(Error):
        """An equivocation proof provided as part of an equivocation report is invalid."""

    class InvalidKeyOwnershipProof(Error):
        """A key ownership proof provided as part of an equivocation report is invalid."""

    class DuplicateOffenceReport(Error):
        """A given equivocation report is valid but already previously reported."""

    class InvalidConfiguration(Error):
        """Submitted configuration is invalid."""

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Takes `authorities` (usually they come with the session keys), `epoch_config` and `randomness`.

        The configuration defaults to secondary VRF slots, the randomness of the first two epochs to zero, as upstream.
        """
        known = ("authorities", "epoch_config", "randomness")
        super().genesis({name: value for name, value in config.items() if name not in known})
        self.segment_index.put(0)
        self.epoch_config.put(config.get("epoch_config", SECONDARY_VRF_ONLY))
        if "randomness" in config:
            self.randomness.put(config["randomness"])
            self.next_randomness.put(config["randomness"])
        if config.get("authorities"):
            self._set_genesis(tuple((AuthorityId(key), weight) for key, weight in config["authorities"]))

    @call(2, weight=PLAN_CONFIG_CHANGE)
    def plan_config_change(self, origin: Root, config: NextConfigDescriptor) -> None:
        """Plan an epoch configuration change: announced with the next epoch, in force with the one after."""
        if config.c[1] == 0 or config.c[0] > config.c[1]:
            raise self.InvalidConfiguration
        self.pending_epoch_config_change.put(NextConfigV1(config.c, config.allowed_slots))

    # --- the block

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Take the slot from the pre-digest."""
        self._initialize()
        return Weight.ZERO

    def on_finalize(self, number: BlockNumber) -> None:
        """Add the block's VRF output to the randomness of its epoch.

        Raises:
            BabeBlockError: `DISABLED_AUTHOR`.
        """
        digest = self.initialized.take()
        if digest is not None:
            if self.has_pallet(Session) and self.pallet(Session).is_disabled(digest.authority_index):
                raise BabeBlockError(BabeBlockReason.DISABLED_AUTHOR, index=digest.authority_index)
            if not isinstance(digest, SecondaryPlain):
                output = make_bytes(RANDOMNESS_CONTEXT, digest.vrf_signature.pre_output)
                self._deposit_randomness(output)
                self.author_vrf_randomness.put(output)
            else:
                self.author_vrf_randomness.kill()
        self.lateness.kill()

    def _initialize(self) -> None:
        """Idempotent: sessions may need the slot before this pallet's turn comes."""
        if self.initialized.exists():
            return
        digest = self.block_pre_digest()
        if digest is None:
            return
        if self.genesis_slot.get() == 0:
            self.genesis_slot.put(digest.slot)
            self._deposit(NextEpochData(self.authorities.get(), self.randomness.get()))
        # Block 1 is as late as the unix epoch is old: in short slots, more than a block number holds.
        late = max(0, digest.slot - self.current_slot.get() - 1)
        self.lateness.put(BlockNumber(min(late, MAX_BLOCK_NUMBER)))
        self.current_slot.put(digest.slot)
        self.initialized.put(digest)

    def block_pre_digest(self) -> PreDigest | None:
        """The BABE pre-digest of the block being executed."""
        logs = self.pallet(System).digest.get().logs
        data = (log.data for log in logs if isinstance(log, PreRuntime) and log.engine == ENGINE_ID)
        return next((decode(PreDigest, raw) for raw in data), None)

    def check_timestamp(self, now: Moment) -> None:
        """Refuse a time outside the block's slot.

        Raises:
            BabeBlockError: `WRONG_TIMESTAMP`.
        """
        slot = self.current_slot.get()
        if now // self.expected_block_time != slot:
            raise BabeBlockError(BabeBlockReason.WRONG_TIMESTAMP, now=now, slot=slot)

    # --- epochs

    def should_end_session(self, number: BlockNumber) -> bool:
        """Whether the epoch is over; block 1 begins epoch 0 and never ends one."""
        self._initialize()
        return number != 1 and self.current_slot.get() - self.current_epoch_start() >= self.epoch_duration

    def enact_epoch_change(
        self, authorities: AuthorityList, next_authorities: AuthorityList, *, session: int | None
    ) -> None:
        """Enter the epoch of the current slot and announce the next."""
        index = epoch_index(self.current_slot.get(), genesis_slot=self.genesis_slot.get(), duration=self.epoch_duration)
        if self.epoch_index.get() + 1 != index and session is not None:
            self.skipped_epochs.put((*self.skipped_epochs.get(), (index, session))[-100:])
        self.epoch_index.put(index)
        self.authorities.put(authorities)
        self.randomness.put(self._change_randomness(index + 1))
        self.next_authorities.put(next_authorities)
        _, previous = self.epoch_start.get()
        self.epoch_start.put((previous, self.number))
        self._deposit(NextEpochData(next_authorities, self.next_randomness.get()))
        if (entered := self.next_epoch_config.get()) is not None:
            self.epoch_config.put(entered)
        if (planned := self.pending_epoch_config_change.take()) is not None:
            self.next_epoch_config.put(planned.config)
            self._deposit(NextConfigData(planned))

    def on_genesis_session(self, validators: Validators) -> None:
        """Take the first authorities."""
        if validators:
            self._set_genesis(_authorities(validators))

    def on_new_session(self, *, changed: bool, validators: Validators, queued: Validators) -> None:
        """A session is an epoch."""
        session = self.pallet(Session).current_index.get()
        self.enact_epoch_change(_authorities(validators), _authorities(queued), session=session)

    def on_disabled(self, index: int) -> None:
        """Tell the authors."""
        self._deposit(OnDisabled(index))

    def current_epoch_start(self) -> Slot:
        """First slot of the current epoch."""
        return self._start_of(self.epoch_index.get())

    def _start_of(self, index: int) -> Slot:
        return epoch_start(index, genesis_slot=self.genesis_slot.get(), duration=self.epoch_duration)

    def _set_genesis(self, authorities: AuthorityList) -> None:
        assert not self.authorities.get(), "BABE authorities are given twice"
        self.authorities.put(authorities)
        self.next_authorities.put(authorities)

    # --- randomness

    def _change_randomness(self, next_index: int) -> bytes:
        """Fix the randomness of the epoch after the one that begins; returns that of the latter."""
        current = self.next_randomness.get()
        outputs = [
            output
            for segment in range(self.segment_index.take() + 1)
            for output in self.under_construction.pop(segment) or ()
        ]
        self.segment_index.put(0)
        self.next_randomness.put(next_randomness(current, next_index, outputs))
        return current

    def _deposit_randomness(self, output: bytes) -> None:
        segment = self.segment_index.get()
        if len(self.under_construction[segment]) == SEGMENT_LENGTH:
            segment += 1
            self.segment_index.put(segment)
        self.under_construction[segment] = (*self.under_construction[segment], output)

    def random_from_one_epoch_ago(self, subject: bytes) -> tuple[Hash, BlockNumber]:
        """Randomness fixed when the current epoch began, and since which block it is known."""
        return Hash(blake2_256(subject + self.next_randomness.get())), self.epoch_start.get()[1]

    def random_from_two_epochs_ago(self, subject: bytes) -> tuple[Hash, BlockNumber]:
        """Randomness fixed when the previous epoch began, and since which block it is known."""
        return Hash(blake2_256(subject + self.randomness.get())), self.epoch_start.get()[0]

    def parent_block_randomness(self, subject: bytes) -> Hash | None:
        """Randomness of the parent block's author, who could have withheld the block."""
        output = self.author_vrf_randomness.get()
        return None if output is None else Hash(blake2_256(subject + output))

    # --- runtime APIs

    @runtime_api("BabeApi_configuration", version=2)
    def configuration(self) -> BabeConfiguration:
        """What a node needs to follow BABE from genesis on."""
        lottery = self._lottery()
        return BabeConfiguration(
            self.expected_block_time,
            self.epoch_duration,
            lottery.c,
            self.authorities.get(),
            self.randomness.get(),
            lottery.allowed_slots,
        )

    @runtime_api("BabeApi_current_epoch_start", version=2)
    def api_current_epoch_start(self) -> Slot:
        """First slot of the current epoch."""
        return self.current_epoch_start()

    @runtime_api("BabeApi_current_epoch", version=2)
    def current_epoch(self) -> Epoch:
        """The current epoch."""
        index = self.epoch_index.get()
        who, seed = self.authorities.get(), self.randomness.get()
        return Epoch(index, self._start_of(index), self.epoch_duration, who, seed, self._lottery())

    @runtime_api("BabeApi_next_epoch", version=2)
    def next_epoch(self) -> Epoch:
        """The epoch that was announced."""
        index = self.epoch_index.get() + 1
        who, seed = self.next_authorities.get(), self.next_randomness.get()
        lottery = self.next_epoch_config.get() or self._lottery()
        return Epoch(index, self._start_of(index), self.epoch_duration, who, seed, lottery)

    def _lottery(self) -> BabeEpochConfiguration:
        return self.epoch_config.get() or SECONDARY_VRF_ONLY

    def _deposit(self, log: ConsensusLog) -> None:
        self.pallet(System).deposit_log(digest_item(log))


# --- what other pallets are configured with


def epoch_has_ended(runtime: Runtime, number: BlockNumber) -> bool:
    """`Session.should_end_session`: a session is an epoch."""
    return runtime.pallet(Babe).should_end_session(number)


def block_author(runtime: Runtime) -> AccountId | None:
    """`Authorship.find_author`: the validator at the pre-digest's place."""
    babe = runtime.pallet(Babe)
    digest = babe.block_pre_digest()
    validators = runtime.pallet(Session).validators.get()
    if digest is None or digest.authority_index >= len(validators):
        return None
    return validators[digest.authority_index]


def check_timestamp(pallet: Pallet, now: Moment) -> None:
    """`Timestamp.on_timestamp_set`: the time must lie in the block's slot."""
    pallet.pallet(Babe).check_timestamp(now)
