"""Babe, Session, Grandpa and Authorship together: blocks that consensus accepts, keys that rotate."""

from collections.abc import Mapping
from typing import Any

import pytest

from substrate.block import Digest, Header, extrinsics_root, header_hash
from substrate.consensus.babe.epochs import EpochChanges
from substrate.consensus.babe.lottery import RANDOMNESS_CONTEXT, claim_slot, make_bytes, next_randomness
from substrate.consensus.babe.types import AllowedSlots, BabeConfiguration, Epoch, NextConfigV1, pre_digest_item
from substrate.consensus.babe.types import AuthorityId as BabeId
from substrate.consensus.babe.verification import check_header, find_pre_digest, header_slot, seal_header
from substrate.consensus.grandpa.authorities import AuthoritySet
from substrate.consensus.grandpa.types import AuthorityId, AuthorityList, ScheduledChange, header_logs
from substrate.crypto.keys import Ed25519Pair
from substrate.pallets.authorship import Authorship
from substrate.pallets.babe import Babe, BabeBlockError, block_author, check_timestamp, epoch_has_ended
from substrate.pallets.balances import Balances
from substrate.pallets.grandpa import Grandpa
from substrate.pallets.session import RelaySession, Session
from substrate.pallets.session_types import (
    AuthorityDiscoveryKey,
    OffenceSeverity,
    ParaAssignmentKey,
    ParaValidatorKey,
    SessionKeys,
)
from substrate.pallets.system import System
from substrate.pallets.timestamp import Timestamp
from substrate.pallets.transaction_payment import TransactionPayment
from substrate.runtime.assembly import Runtime, mount
from substrate.runtime.dispatch import DispatchFailure
from substrate.runtime.executive import BlockBuilder, execute_block
from substrate.runtime.origin import RawRoot, RawSigned
from substrate.runtime.outer_enums import RuntimeCall
from substrate.runtime.pallet import Pallet
from substrate.runtime.storage import StorageValue, storage_value
from substrate.runtime.version import RuntimeVersion
from substrate.scale.codec import decode, encode
from substrate.scale.types import u64
from substrate.state import Overlay
from substrate.types import AccountId, Balance, BlockNumber, Hash, Moment, Slot

SLOT_MS, EPOCH = 6_000, 5
FIRST_SLOT = 1_000
WHO = [AccountId(bytes([index]) * 32) for index in range(1, 6)]


def pair(index: int, generation: int = 0) -> Ed25519Pair:
    return Ed25519Pair.from_seed(bytes([index + 1, generation]) * 16)


def keys_of(index: int, generation: int = 0) -> SessionKeys:
    public = pair(index, generation).public
    return SessionKeys(
        AuthorityId(public),
        BabeId(public),
        ParaValidatorKey(public),
        ParaAssignmentKey(public),
        AuthorityDiscoveryKey(public),
    )


class Chooser(Pallet):
    """A session manager that a test tells whom to choose."""

    chosen: StorageValue[tuple[AccountId, ...] | None] = storage_value()

    def new_session(self, index: int, *, is_genesis: bool) -> tuple[AccountId, ...] | None:
        return self.chosen.take()

    def start_session(self, index: int) -> None: ...
    def end_session(self, index: int) -> None: ...


class SessionRuntime(Runtime):
    version = RuntimeVersion("session", "relayloom", 1, 1, 1, (), 1, 1)
    crate = "session_runtime"
    system: System = mount(0)
    babe: Babe = mount(1, epoch_duration=EPOCH, expected_block_time=Moment(SLOT_MS))
    timestamp: Timestamp = mount(2, on_timestamp_set=check_timestamp)
    balances: Balances = mount(4, existential_deposit=Balance(1))
    transaction_payment: TransactionPayment = mount(5)
    authorship: Authorship = mount(6, find_author=block_author)
    chooser: Chooser = mount(7)
    session: RelaySession = mount(8, should_end_session=epoch_has_ended, handlers=(Grandpa, Babe), manager=Chooser)
    grandpa: Grandpa = mount(9)


class SessionChain:
    """Blocks on top of each other, each checked as an importer would."""

    def __init__(self, validators: int = 3) -> None:
        config: Mapping[str, Mapping[str, Any]] = {
            "balances": {"balances": {who: Balance(1_000_000) for who in WHO}},
            "session": {"keys": [(WHO[index], keys_of(index)) for index in range(validators)]},
        }
        self.state = SessionRuntime.genesis(config, code=b"code")
        self.header = Header(Hash(bytes(32)), BlockNumber(0), Hash(self.state.root), extrinsics_root(()), Digest())
        configuration = decode(BabeConfiguration, self.runtime.api("BabeApi_configuration", b""))
        self.epochs = EpochChanges(header_hash(self.header), configuration)
        self.voters = AuthoritySet(decode(AuthorityList, self.runtime.api("GrandpaApi_grandpa_authorities", b"")))
        self.keys = {BabeId(pair(i, g).public): pair(i, g) for i in range(5) for g in range(2)}
        self.outputs: list[bytes] = []

    @property
    def runtime(self) -> SessionRuntime:
        return SessionRuntime(Overlay(self.state))

    def block(self, slot: int, *calls: tuple[AccountId | None, RuntimeCall], time_slot: int | None = None) -> Header:
        epoch = self.epochs.epoch_for(header_hash(self.header), Slot(slot)).epoch
        claim = claim_slot(Slot(slot), epoch, self.keys)
        assert claim is not None
        digest, author = claim
        builder = BlockBuilder(SessionRuntime, self.state, self.header, (pre_digest_item(digest),))
        builder.inherents({b"timstap0": encode(Moment, Moment((time_slot or slot) * SLOT_MS))})
        for who, call in calls:
            builder.runtime.dispatch(call, RawRoot() if who is None else RawSigned(who))
        built = builder.build()
        sealed = seal_header(built.block.header, author)
        check_header(sealed, parent_slot=header_slot(self.header), slot_now=Slot(slot), epoch=epoch)
        self.epochs.insert(sealed)
        self.voters = self.voters.with_header(sealed)
        self.outputs.append(make_bytes(RANDOMNESS_CONTEXT, find_pre_digest(sealed).vrf_signature.pre_output))  # type: ignore[union-attr]
        if not calls:
            assert execute_block(SessionRuntime, self.state, built.block).state.root == built.executed.state.root
        self.state, self.header = built.executed.state, sealed
        return sealed

    def run(self, count: int, start: int) -> None:
        for slot in range(start, start + count):
            self.block(slot)

    def set_keys(self, index: int, generation: int) -> tuple[AccountId, RuntimeCall]:
        return WHO[index], SessionRuntime.call(Session.set_keys, keys=keys_of(index, generation), proof=b"")


def test_epochs_in_state_and_digests_agree_and_all_outputs_feed_the_randomness() -> None:
    chain = SessionChain()
    chain.run(2 * EPOCH + 1, FIRST_SLOT)

    runtime = chain.runtime
    epochs = chain.epochs.epochs(header_hash(chain.header))
    assert decode(Epoch, runtime.api("BabeApi_current_epoch", b"")) == epochs.current
    assert decode(Epoch, runtime.api("BabeApi_next_epoch", b"")) == epochs.next
    assert epochs.current.epoch_index == 2
    assert runtime.session.current_index.get() == 2
    expected = next_randomness(bytes(32), 2, chain.outputs[:EPOCH])
    assert epochs.current.randomness == expected
    assert epochs.next.randomness == next_randomness(expected, 3, chain.outputs[EPOCH : 2 * EPOCH])
    assert runtime.babe.epoch_start.get() == (EPOCH + 1, 2 * EPOCH + 1)
    assert runtime.grandpa.current_set_id.get() == 0, "nothing changed"
    assert chain.voters.pending == ()


def test_new_keys_are_in_force_two_sessions_later() -> None:
    chain = SessionChain()
    chain.run(2, FIRST_SLOT)
    chain.block(FIRST_SLOT + 2, chain.set_keys(0, 1))
    chain.run(2, FIRST_SLOT + 3)

    chain.run(EPOCH, FIRST_SLOT + EPOCH)
    assert chain.runtime.grandpa.authorities.get()[0][0] == keys_of(0).grandpa
    assert chain.runtime.session.queued_changed.get()
    change = chain.block(FIRST_SLOT + 2 * EPOCH)

    new = chain.runtime.grandpa.authorities.get()
    assert new[0][0] == keys_of(0, 1).grandpa
    assert header_logs(change) == (ScheduledChange(new, BlockNumber(0)),)
    assert chain.runtime.babe.authorities.get()[0][0] == keys_of(0, 1).babe
    assert decode(u64, chain.runtime.api("GrandpaApi_current_set_id", b"")) == 1
    assert chain.runtime.grandpa.set_id_session[1] == 2
    chain.run(EPOCH, FIRST_SLOT + 2 * EPOCH + 1)
    assert chain.runtime.grandpa.current_set_id.get() == 1


def test_a_chosen_validator_joins_two_sessions_later() -> None:
    chain = SessionChain()
    choice = chain.state.update({})
    overlay = Overlay(choice)
    runtime = SessionRuntime(overlay)
    runtime.dispatch(chain.set_keys(3, 0)[1], RawSigned(WHO[3]))
    runtime.chooser.chosen.put(tuple(WHO[:4]))
    chain.state = overlay.finish()
    chain.run(EPOCH + 1, FIRST_SLOT)
    assert len(chain.runtime.session.validators.get()) == 3
    assert len(chain.runtime.babe.next_authorities.get()) == 4

    chain.run(EPOCH, FIRST_SLOT + EPOCH + 1)

    assert chain.runtime.session.validators.get() == tuple(WHO[:4])
    assert len(chain.runtime.grandpa.authorities.get()) == 4
    assert chain.voters.pending[0].next_authorities == chain.runtime.grandpa.authorities.get()


def test_skipped_epochs_are_one_session_and_consensus_agrees() -> None:
    chain = SessionChain()
    chain.run(2, FIRST_SLOT)

    chain.run(2, FIRST_SLOT + 3 * EPOCH + 1)

    assert chain.runtime.session.current_index.get() == 1
    current = decode(Epoch, chain.runtime.api("BabeApi_current_epoch", b""))
    assert current == chain.epochs.epochs(header_hash(chain.header)).current
    assert current.epoch_index == 3
    assert chain.runtime.babe.skipped_epochs.get() == ((3, 1),)


def test_a_planned_lottery_is_announced_then_in_force() -> None:
    chain = SessionChain()
    planned = NextConfigV1((1, 1), AllowedSlots.PrimarySlots)
    chain.block(FIRST_SLOT, (None, SessionRuntime.call(Babe.plan_config_change, config=planned)))
    chain.run(EPOCH, FIRST_SLOT + 1)
    assert chain.epochs.epochs(header_hash(chain.header)).next.config == planned.config

    chain.run(EPOCH, FIRST_SLOT + EPOCH + 1)

    assert chain.runtime.babe.epoch_config.get() == planned.config
    assert type(find_pre_digest(chain.header)).__name__ == "Primary"
    bad = SessionRuntime.call(Babe.plan_config_change, config=NextConfigV1((2, 1), AllowedSlots.PrimarySlots))
    with pytest.raises(DispatchFailure):
        chain.runtime.dispatch(bad, RawRoot())


def test_the_author_is_read_off_the_digest() -> None:
    chain = SessionChain()
    digest = find_pre_digest(chain.block(FIRST_SLOT))
    builder = BlockBuilder(SessionRuntime, chain.state, chain.header, chain.header.digest.logs[:1])
    assert builder.runtime.authorship.block_author() == WHO[digest.authority_index]
    assert chain.runtime.authorship.author.get() is None


def test_a_block_of_a_disabled_author_or_outside_its_slot_is_refused() -> None:
    chain = SessionChain()
    with pytest.raises(Exception, match="imestamp"):
        chain.block(FIRST_SLOT, time_slot=FIRST_SLOT + 1)
    overlay = Overlay(chain.state)
    runtime = SessionRuntime(overlay)
    for index in range(3):
        assert runtime.session.disable(index, OffenceSeverity(0))
    assert not runtime.session.disable(0, OffenceSeverity(5))
    assert runtime.session.disabled_validators.get()[0] == (0, 5)
    disabled = overlay.finish()
    chain.state = disabled
    with pytest.raises(BabeBlockError, match="DisabledAuthor"):
        chain.block(FIRST_SLOT)
    assert runtime.session.enable(0)
    assert not runtime.session.is_disabled(0)


@pytest.mark.parametrize("changed", [False, True])
def test_validators_stay_disabled_until_the_set_changes(changed: bool) -> None:
    runtime = SessionRuntime(Overlay(SessionChain().state))
    runtime.session.disable(1, OffenceSeverity(7))
    runtime.session.queued_changed.put(changed)

    runtime.session.rotate_session()

    assert runtime.session.disabled_validators.get() == (() if changed else ((1, 7),))


def test_keys_have_one_owner_and_can_be_purged() -> None:
    runtime = SessionChain().runtime
    taken = SessionRuntime.call(Session.set_keys, keys=keys_of(0), proof=b"")
    with pytest.raises(DispatchFailure, match="Module"):
        runtime.dispatch(taken, RawSigned(WHO[3]))
    with pytest.raises(DispatchFailure):
        runtime.dispatch(taken, RawSigned(AccountId(b"\x99" * 32)))
    purge = SessionRuntime.call(Session.purge_keys)
    runtime.dispatch(purge, RawSigned(WHO[0]))
    with pytest.raises(DispatchFailure):
        runtime.dispatch(purge, RawSigned(WHO[0]))
    runtime.dispatch(taken, RawSigned(WHO[3]))
    assert runtime.session.key_owner.get(keys_of(0).raw()[0]) == WHO[3]


def test_session_keys_decode_by_type() -> None:
    runtime = SessionChain().runtime
    answer = runtime.session.decode_session_keys(keys_of(0).encode())
    assert answer is not None
    assert [kind for _, kind in answer] == [b"gran", b"babe", b"para", b"asgn", b"audi"]
    assert runtime.session.decode_session_keys(b"short") is None


def test_a_stalled_chain_forces_its_next_change() -> None:
    chain = SessionChain()
    stalled = SessionRuntime.call(
        Grandpa.note_stalled, delay=BlockNumber(2), best_finalized_block_number=BlockNumber(1)
    )
    chain.block(FIRST_SLOT, (None, stalled))
    chain.run(EPOCH, FIRST_SLOT + 1)
    logs = header_logs(chain.header)
    assert [type(log).__name__ for log in logs] == ["ForcedChange"]
    assert chain.runtime.grandpa.pending_change.exists()
    chain.run(2, FIRST_SLOT + EPOCH + 1)
    assert not chain.runtime.grandpa.pending_change.exists()


def test_metadata_names_upstreams_types() -> None:
    metadata = SessionRuntime.metadata()
    for name in (b"GenesisSlot", b"AuthorVrfRandomness", b"SetIdSession", b"StoredPendingChange", b"KeyOwner"):
        assert name in metadata


def test_a_chain_of_short_slots_starts_today() -> None:
    """Slots of 200 ms since 1970 are more than a block number holds; block 1 counts them all as late."""
    chain = SessionChain()
    chain.run(2, 2**33)

    assert (chain.runtime.system.number, chain.runtime.babe.current_slot.get()) == (2, 2**33 + 1)
