"""A Level 1 chain from genesis through collator and validator, on relay state that we made up."""

from dataclasses import replace as changed
from pathlib import Path

import pytest
from msgspec.structs import replace

from parachains.sdk.block_data import CompactProof, ParachainBlockData
from parachains.sdk.contract import Collated, ParaConfig
from parachains.sdk.parachain_inherent import ParachainInherentData
from parachains.sdk.parachain_system import ParachainSystem
from parachains.sdk.validate_block import inherent_of
from relaychain.primitives.bundle import SourceFile
from relaychain.primitives.types import HeadData, ParaId, UpgradeGoAhead, UpgradeRestriction, ValidationCode
from relaychain.pvf.bundle import make_bundle
from relaychain.pvf.host import BACKING_STEPS, InlineHost, InvalidCandidate
from relaychain.runtime.dmp import check_processed_downward_messages
from relaychain.runtime.hrmp_rules import check_watermark
from substrate.block import Header, header_with_digest
from substrate.consensus.aura.verification import seal_header
from substrate.crypto.keys import dev_pair
from substrate.crypto.multi import Id
from substrate.pallets.balances import Balances
from substrate.pallets.sudo import Sudo
from substrate.pallets.system import System
from substrate.runtime.extrinsic import Signing, encode_bare, sign_extrinsic
from substrate.runtime.pallet import Error
from substrate.scale.codec import decode
from substrate.scale.types import Err
from substrate.state import Overlay
from substrate.trie.trie import Trie
from substrate.types import AccountId, BlockNumber, Hash
from testnet.examples.bazaar import Bazaar
from tests.parachains.sdk.fake_relay import FakeRelay

ALICE, BOB = dev_pair("Alice", "ed25519"), dev_pair("Bob", "ed25519")
AUTHOR = dev_pair("Collator", "ed25519")
UNIT = 10**12
SOURCE = Path(__file__).parents[3] / "testnet/examples/bazaar.py"
CODE = make_bundle("bazaar:Bazaar", [SourceFile("bazaar", SOURCE.read_bytes())])
PARA = ParaId(2000)


class Para:
    """A Bazaar, its collator and a validator."""

    def __init__(self) -> None:
        accounts = {AccountId(pair.public): 100 * UNIT for pair in (ALICE, BOB)}
        config = ParaConfig(PARA, CODE, accounts, authorities=(AUTHOR.public,), sudo=AccountId(ALICE.public))
        genesis = Bazaar.genesis_block(config)
        self.head, self.state = genesis.head, genesis.state
        self.genesis = decode(Header, genesis.head).hash
        self.relay = FakeRelay(PARA, self.head)
        self.host = InlineHost()
        self.nonces: dict[bytes, int] = {}

    def sign(self, name: str, pair=ALICE, **args: object) -> bytes:  # type: ignore[no-untyped-def]
        runtime = Bazaar.runtime()
        nonce = self.nonces.get(pair.public, 0)
        self.nonces[pair.public] = nonce + 1
        signing = Signing(1, 1, self.genesis, self.genesis)
        return sign_extrinsic(runtime.encode_call(runtime.call_named(name, **args)), pair, nonce=nonce, signing=signing)

    def collate(self, *extrinsics: bytes) -> Collated[Trie]:
        return Bazaar.collate(self.head, self.state, self.relay.context(*extrinsics, parent=self.head, author=AUTHOR))

    def validate(self, block_data: bytes):  # type: ignore[no-untyped-def]
        return self.host.validate(CODE, self.relay.params(block_data, self.head), steps=BACKING_STEPS)

    def block(self, *extrinsics: bytes, include: bool = True) -> Collated[Trie]:
        """Collate, validate, adopt, include, and let the relay chain go on."""
        collated = self.collate(*extrinsics)
        assert self.validate(collated.block_data) == collated.result
        self.head, self.state = collated.result.head_data, collated.state
        if include:
            self.relay.include(collated)
        self.relay.advance()
        return collated

    def bazaar(self) -> Bazaar:
        return Bazaar.runtime()(Overlay(self.state)).pallet(Bazaar)

    def free(self, pair=ALICE) -> int:  # type: ignore[no-untyped-def]
        return self.bazaar().pallet(Balances).free_balance(AccountId(pair.public))


@pytest.fixture
def para() -> Para:
    return Para()


def test_a_validator_finds_what_the_collator_built(para: Para) -> None:
    first = para.block(para.sign("Bazaar.offer", item=1, price=5 * UNIT))
    second = para.block(para.sign("Bazaar.buy", BOB, item=1))

    assert [len(block.included) for block in (first, second)] == [1, 1]
    assert para.bazaar().owner[1] == BOB.public
    assert 104 * UNIT < para.free() < 105 * UNIT
    assert second.result.hrmp_watermark == 2


def test_several_blocks_may_await_inclusion(para: Para) -> None:
    for _ in range(3):
        para.block(include=False)

    with pytest.raises(Exception, match=r"NoSpaceInSegment \(unincluded=3, capacity=3\)"):
        para.collate()


def test_downward_messages_are_processed_once(para: Para) -> None:
    para.relay.send_down(b"one")
    para.relay.send_down(b"two")

    counts = [para.block(include=False).result.processed_downward_messages for _ in range(2)]

    assert counts == [2, 0]


def test_a_backlog_larger_than_a_proof_is_worked_off(para: Para) -> None:
    """Each block takes what fits; the relay chain's rules for queue and watermark hold at every step."""
    relay, sender = para.relay, ParaId(1000)
    relay.open_inbound(sender)
    relay.max_pov_size = 600_000
    last = para.block().result.hrmp_watermark
    for count in range(30):
        relay.send_down(bytes(60_000))
        relay.send_across(sender, b"\0" + bytes(60_000))
        relay.advance(count % 3 == 2)
    counts: list[int] = []
    while relay.downward or relay.inbound[sender]:
        queue, number = tuple(relay.downward), BlockNumber(relay.number)
        digest = tuple((message.sent_at, (sender,)) for message in relay.inbound[sender])
        made = para.block()
        processed, watermark = made.result.processed_downward_messages, made.result.hrmp_watermark
        check_processed_downward_messages(queue, processed_count=processed, relay_parent_number=number)
        check_watermark(digest, last=last, new=watermark, relay_parent_number=number)
        assert len(made.block_data) <= relay.max_pov_size
        counts.append(processed)
        last = watermark

    assert (sum(counts), max(counts)) == (30, 1)


def test_horizontal_messages_set_the_watermark(para: Para) -> None:
    para.relay.open_inbound(ParaId(1000))
    para.block()
    para.relay.send_across(ParaId(1000), b"\0not xcm")
    sent = para.relay.number
    para.relay.advance(2)

    assert para.block().result.hrmp_watermark == sent
    assert para.block().result.hrmp_watermark == para.relay.number - 1


# --- forgeries: each is a block that a malicious collator could offer ---


def forged(collated: Collated[Trie], **changes: object) -> bytes:
    return replace(decode(ParachainBlockData, collated.block_data), **changes).encode()


def resealed(data: ParachainBlockData, **changes: object) -> ParachainBlockData:
    bare = header_with_digest(data.header, data.header.digest.logs[:-1])
    return replace(data, header=seal_header(replace(bare, **changes), AUTHOR))


def refusal(para: Para, block_data: bytes) -> str:
    with pytest.raises(InvalidCandidate) as verdict:
        para.validate(block_data)
    return str(verdict.value)


def test_a_forged_state_root_is_refused(para: Para) -> None:
    data = decode(ParachainBlockData, para.collate().block_data)

    assert "BadStateRoot" in refusal(para, resealed(data, state_root=Hash(b"\x01" * 32)).encode())


def test_a_block_without_its_authors_seal_is_refused(para: Para) -> None:
    data = decode(ParachainBlockData, para.collate().block_data)
    header = replace(data.header, state_root=Hash(b"\x01" * 32))

    assert "BadSignature" in refusal(para, replace(data, header=header).encode())


def test_an_incomplete_witness_is_refused(para: Para) -> None:
    collated = para.collate()
    nodes = decode(ParachainBlockData, collated.block_data).storage_proof.encoded_nodes

    for missing in range(len(nodes)):
        less = CompactProof(nodes[:missing] + nodes[missing + 1 :])
        assert "MissingNode" in refusal(para, forged(collated, storage_proof=less))


def test_minted_balances_are_refused(para: Para) -> None:
    """A collator whose own state has more money builds on it: the parent's root does not know that state."""
    honest = para.state
    runtime = Bazaar.runtime()(overlay := Overlay(honest))
    runtime.pallet(Balances).mint_into(AccountId(ALICE.public), 10**20)
    para.state = overlay.finish()
    collated = para.collate(para.sign("Balances.transfer_keep_alive", dest=Id(AccountId(BOB.public)), value=10**19))
    assert len(collated.included) == 1

    assert "MissingNode" in refusal(para, collated.block_data)


def lied(para: Para, **changes: object) -> str:
    """What validators say of a block whose inherent says something else."""
    runtime = Bazaar.runtime()
    data = decode(ParachainBlockData, para.collate().block_data)
    honest = inherent_of(runtime, data.block)
    call = runtime.call(ParachainSystem.set_validation_data, data=replace(honest, **changes))
    extrinsics = (encode_bare(runtime.encode_call(call)), *data.extrinsics[1:])
    return refusal(para, replace(data, extrinsics=extrinsics).encode())


def test_a_skipped_downward_message_is_refused(para: Para) -> None:
    para.relay.send_down(b"one")
    para.relay.send_down(b"two")

    assert "DmqMqcHeadMismatch (submitted=1" in lied(para, downward_messages=tuple(para.relay.downward[:1]))


def test_a_changed_horizontal_message_is_refused(para: Para) -> None:
    para.relay.open_inbound(ParaId(1000))
    para.relay.send_across(ParaId(1000), b"\0real")
    fake = replace(para.relay.inbound[ParaId(1000)][0], data=b"\0fake")

    assert "HrmpMqcHeadMismatch" in lied(para, horizontal_messages={ParaId(1000): (fake,)})
    assert "HrmpMqcHeadMismatch" in lied(para, horizontal_messages={})
    assert "HrmpNoSuchChannel" in lied(para, horizontal_messages={ParaId(2001): (fake,)})


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("relay_parent_number", 7, "RelayParentNumberMismatch"),
        ("relay_parent_storage_root", Hash(bytes(32)), "RelayParentStorageRootMismatch"),
        ("parent_head", HeadData(b"other"), "ValidationDataParentMismatch"),
    ],
)
def test_a_lie_about_the_relay_parent_is_refused(para: Para, field: str, value: object, reason: str) -> None:
    context = para.relay.context(parent=para.head)

    assert reason in lied(para, validation_data=replace(context.validation_data, **{field: value}))


@pytest.mark.parametrize(("ahead", "reason"), [(2, "SlotIsNotTheRelayParents"), (1, "TimestampIsNotTheRelayParents")])
def test_a_block_of_another_slot_is_refused(para: Para, ahead: int, reason: str) -> None:
    """A para's slot is two of the relay chain's; its time tells them apart."""
    context = para.relay.context(parent=para.head, author=AUTHOR)
    assert context.relay_slot % 2 == 0
    para.relay.slot += ahead
    later = para.relay.context(parent=para.head, author=AUTHOR)
    with pytest.raises(Exception, match=reason):
        Bazaar.collate(para.head, para.state, changed(later, relay_slot=context.relay_slot))


def test_the_inherent_data_is_upstreams_shape(para: Para) -> None:
    data = decode(ParachainBlockData, para.collate().block_data)
    assert isinstance(inherent_of(Bazaar.runtime(), data.block), ParachainInherentData)


def test_bytes_around_a_block_make_no_block(para: Para) -> None:
    block_data = para.collate().block_data

    for wrong in (b"", block_data + b"\0", block_data[:-1], block_data[1:]):
        assert "DecodeError" in refusal(para, wrong)


def test_a_header_without_a_seal_is_refused(para: Para) -> None:
    data = decode(ParachainBlockData, para.collate().block_data)
    bare = header_with_digest(data.header, data.header.digest.logs[:-1])

    assert "HeaderUnsealed" in refusal(para, replace(data, header=bare).encode())


def test_other_extrinsics_than_the_headers_are_refused(para: Para) -> None:
    offer = para.sign("Bazaar.offer", item=1, price=5 * UNIT)
    data = decode(ParachainBlockData, para.collate(offer).block_data)

    assert "BadExtrinsicsRoot" in refusal(para, resealed(data, extrinsics_root=Hash(b"\x01" * 32)).encode())
    assert "BadExtrinsicsRoot" in refusal(para, replace(data, extrinsics=data.extrinsics[:-1]).encode())


def test_a_block_has_its_inherents_once_and_first(para: Para) -> None:
    offer = para.sign("Bazaar.offer", item=1, price=5 * UNIT)
    data = decode(ParachainBlockData, para.collate(offer).block_data)
    validation, *others = data.extrinsics

    for extrinsics, reason in (
        ((validation, *data.extrinsics), "ValidationDataUpdatedTwice"),
        (tuple(others), "NoValidationData"),
        ((others[-1], validation, *others[:-1]), "NoValidationData"),
    ):
        assert reason in refusal(para, replace(data, extrinsics=extrinsics).encode())


def test_a_block_of_another_parent_is_refused(para: Para) -> None:
    first = para.collate()
    para.block(para.sign("Bazaar.offer", item=1, price=5 * UNIT))

    assert "ParentHeadMismatch" in refusal(para, first.block_data)


# --- code upgrades ---


def new_code(
    statement: str = "class Bazaar(Parachain, spec_version=2): ...", abi: Hash | None = None
) -> ValidationCode:
    return ValidationCode(make_bundle("bazaar:Bazaar", [SourceFile("bazaar", statement.encode())], abi))


NEW_CODE = new_code()


def upgrade(para: Para, code: bytes = NEW_CODE, call: str = "set_code") -> Collated[Trie]:
    """A block in which the chain's sudo asks for new code."""
    set_code = Bazaar.runtime().call_named(f"System.{call}", code=code)
    return para.block(para.sign("Sudo.sudo", call=set_code))


def sudo_result(made: Collated[Trie]) -> object:
    [told] = [event for record in made.block.events if isinstance(event := record.event.value, Sudo.Sudid)]
    return told.sudo_result


def pending(para: Para) -> bytes:
    return Bazaar.runtime()(Overlay(para.state)).pallet(ParachainSystem).pending_validation_code.get()


def test_new_code_is_announced_once_and_takes_effect_with_the_go_ahead(para: Para) -> None:
    assert upgrade(para).result.new_validation_code == NEW_CODE
    assert para.block().result.new_validation_code is None
    assert Bazaar.code_of(para.state) == CODE

    para.relay.go_ahead = UpgradeGoAhead.GO_AHEAD
    para.block(include=False)
    assert (Bazaar.code_of(para.state), pending(para)) == (NEW_CODE, b"")
    para.block()  # the signal is still there: who consumed it waits to be included
    assert Bazaar.code_of(para.state) == NEW_CODE


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (b"garbage", System.FailedToExtractRuntimeVersion),
        (NEW_CODE + b"\0", System.FailedToExtractRuntimeVersion),
        (new_code(abi=Hash(bytes(32))), System.FailedToExtractRuntimeVersion),
        (new_code("class Bazaar(Parachain): ..."), System.FailedToExtractRuntimeVersion),
        (new_code("class Bazaar(Parachain, spec_version=NEXT): ..."), System.FailedToExtractRuntimeVersion),
        (new_code("class Bazaar(Parachain, spec_version=1 << 32): ..."), System.FailedToExtractRuntimeVersion),
        (new_code("class Bazaar(Parachain, spec_version=4294967296): ..."), System.FailedToExtractRuntimeVersion),
        (new_code("class Bazaar(Parachain"), System.FailedToExtractRuntimeVersion),
        (new_code("class Bazaar(Parachain, spec_version=1): ..."), System.SpecVersionNeedsToIncrease),
        (make_bundle("m:Other", [SourceFile("m", b"class Other(P, spec_version=2): ...")]), System.InvalidSpecName),
    ],
)
def test_code_that_is_no_later_version_of_the_chain_is_refused(para: Para, code: bytes, error: type[Error]) -> None:
    made = upgrade(para, code)

    assert sudo_result(made) == Err(Bazaar.runtime()(Overlay(para.state)).module_error(error()))
    assert (made.result.new_validation_code, pending(para)) == (None, b"")


def test_root_may_set_code_without_checks(para: Para) -> None:
    assert upgrade(para, b"garbage", "set_code_without_checks").result.new_validation_code == b"garbage"


def test_an_aborted_upgrade_leaves_the_code(para: Para) -> None:
    upgrade(para)
    para.relay.go_ahead = UpgradeGoAhead.ABORT
    para.block()

    assert (Bazaar.code_of(para.state), pending(para)) == (CODE, b"")


def test_a_restricted_chain_asks_for_no_upgrade(para: Para) -> None:
    para.relay.restriction = UpgradeRestriction.PRESENT

    assert upgrade(para).result.new_validation_code is None
    assert pending(para) == b""


def test_a_go_ahead_that_nobody_waits_for_is_refused(para: Para) -> None:
    para.relay.go_ahead = UpgradeGoAhead.GO_AHEAD

    with pytest.raises(Exception, match="NoPendingValidationCode"):
        para.collate()
