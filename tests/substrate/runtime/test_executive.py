"""The executive: building blocks, executing them, refusing bad ones."""

import sys
from collections.abc import Callable
from typing import TypeVar

import msgspec
import pytest

from substrate.block import Block, Digest, PreRuntime, Seal, header_hash
from substrate.pallets.system import System
from substrate.runtime.assembly import mount
from substrate.runtime.checks import validate_transaction
from substrate.runtime.dispatch import Module, Other, Token
from substrate.runtime.era import mortal
from substrate.runtime.executive import BlockBuilder, BlockError, execute_block
from substrate.runtime.extrinsic import Signing, encode_bare, sign_extrinsic
from substrate.runtime.origin import Signed
from substrate.runtime.pallet import Pallet, call
from substrate.runtime.stack import STACK_FRAMES
from substrate.runtime.storage import StorageValue, storage_value
from substrate.runtime.validity import TransactionInvalid, TransactionSource, ValidTransaction
from substrate.scale.types import u8
from substrate.state import Overlay
from substrate.trie.nodes import MissingNode
from substrate.types import BlockNumber, Hash, Weight
from tests.substrate.runtime.mini import ALICE, BOB, FERDIE, UNIT, MiniChain, MiniRuntime, account, transfer


def validate(chain: MiniChain, raw: bytes) -> ValidTransaction:
    runtime = MiniRuntime(Overlay(chain.state))
    return validate_transaction(runtime, raw, TransactionSource.External, header_hash(chain.header))


def names(chain: MiniChain) -> list[str]:
    events = MiniRuntime(Overlay(chain.state)).system.block_events()
    return [f"{type(e.event).__name__}.{type(e.event.value).__name__}" for e in events]


def test_what_was_built_executes_to_the_same_header_and_state() -> None:
    chain = MiniChain()
    parent = chain.state

    built = chain.block(chain.sign(ALICE, transfer(FERDIE, UNIT), 0), chain.sign(BOB, transfer(ALICE, UNIT), 0))
    executed = execute_block(MiniRuntime, parent, built.block)

    assert executed.header == built.block.header
    assert executed.state.root == built.executed.state.root
    assert executed.events == built.executed.events
    assert MiniRuntime(Overlay(chain.state)).balances.free_balance(account(FERDIE)) == UNIT


def test_the_fee_event_comes_before_success() -> None:
    chain = MiniChain()

    chain.block(chain.sign(ALICE, transfer(FERDIE, UNIT), 0))

    assert names(chain) == [
        "System.ExtrinsicSuccess",
        "Balances.Withdraw",
        "System.NewAccount",
        "Balances.Endowed",
        "Balances.Transfer",
        "TransactionPayment.TransactionFeePaid",
        "System.ExtrinsicSuccess",
    ]


def test_a_failed_call_is_in_the_block_and_paid_for() -> None:
    chain = MiniChain()

    built = chain.block(chain.sign(ALICE, transfer(FERDIE, 15 * UNIT), 0))

    assert built.executed.results[-1].error == Token(0)
    assert MiniRuntime(Overlay(chain.state)).balances.free_balance(account(ALICE)) < 10 * UNIT
    assert MiniRuntime(Overlay(chain.state)).system.account[account(ALICE)].nonce == 1


@pytest.mark.parametrize(
    ("nonce", "reason"),
    [(0, "Stale: nonce 0 is used up, the account is at 1"), (2, "Future: nonce 2 is not due, the account is at 1")],
)
def test_a_wrong_nonce_keeps_an_extrinsic_out(nonce: int, reason: str) -> None:
    chain = MiniChain()
    chain.block(chain.sign(ALICE, transfer(BOB, UNIT), 0))
    builder = chain.builder()

    with pytest.raises(TransactionInvalid) as failure:
        builder.push(chain.sign(ALICE, transfer(BOB, UNIT), nonce))

    assert str(failure.value) == reason
    assert execute_block(MiniRuntime, chain.state, builder.build().block).results[0].error is None


def test_any_flipped_bit_of_a_signed_extrinsic_is_refused() -> None:
    chain = MiniChain()
    raw = chain.sign(BOB, transfer(FERDIE, UNIT), 0)

    for at in range(len(raw)):
        builder = chain.builder()
        with pytest.raises(TransactionInvalid):
            builder.push(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])


def test_an_account_that_does_not_exist_cannot_pay() -> None:
    chain = MiniChain()

    with pytest.raises(TransactionInvalid, match="Payment: the account does not exist"):
        chain.builder().push(chain.sign(FERDIE, transfer(BOB, 1), 0))


def test_a_mortal_extrinsic_dies() -> None:
    chain = MiniChain()
    raw = chain.sign(ALICE, transfer(BOB, UNIT), 0, era=mortal(4, 0))
    early = validate_transaction(
        MiniRuntime(Overlay(chain.state)), raw, TransactionSource.External, header_hash(chain.header)
    )
    for _ in range(4):
        chain.block()

    with pytest.raises(TransactionInvalid, match="BadProof"):
        chain.builder().push(raw)
    assert early.longevity == 3


def test_the_pool_accepts_a_future_nonce_and_names_what_it_requires() -> None:
    chain = MiniChain()

    valid = validate(chain, chain.sign(ALICE, transfer(BOB, 1), 2))

    who = account(ALICE)
    assert (valid.requires, valid.provides) == ((who + b"\1\0\0\0",), (who + b"\2\0\0\0",))


def test_validation_leaves_the_state_as_it_was() -> None:
    chain = MiniChain()
    runtime, raw = MiniRuntime(Overlay(chain.state)), chain.sign(ALICE, transfer(BOB, 1), 0)

    validate_transaction(runtime, raw, TransactionSource.External, header_hash(chain.header))

    assert runtime.state.root() == chain.state.root


def test_an_inherent_cannot_be_submitted() -> None:
    chain = MiniChain()
    raw = encode_bare(MiniRuntime.encode_call(MiniRuntime.call_named("Timestamp.set", now=1)))

    with pytest.raises(TransactionInvalid, match="MandatoryValidation"):
        validate_transaction(
            MiniRuntime(Overlay(chain.state)), raw, TransactionSource.External, header_hash(chain.header)
        )


def tampered(block: Block, **changes: object) -> Block:
    return Block(msgspec.structs.replace(block.header, **changes), block.extrinsics)


def test_a_header_that_lies_is_refused() -> None:
    chain = MiniChain()
    parent = chain.state
    block = chain.block(chain.sign(ALICE, transfer(BOB, UNIT), 0)).block
    zero = Hash(bytes(32))

    for change, reason in [
        ({"state_root": zero}, "BadStateRoot"),
        ({"extrinsics_root": zero}, "BadExtrinsicsRoot"),
    ]:
        with pytest.raises(BlockError) as failure:
            execute_block(MiniRuntime, parent, tampered(block, **change))
        assert failure.value.reason == reason
    executed = execute_block(MiniRuntime, parent, tampered(block, digest=Digest((Seal(b"BABE", b"s"),))))
    assert executed.header == block.header


def test_a_pre_runtime_digest_reaches_the_computed_header() -> None:
    chain = MiniChain()
    parent = chain.state
    block = chain.block().block

    executed = execute_block
    with pytest.raises(BlockError, match="BadStateRoot"):
        executed(MiniRuntime, parent, tampered(block, digest=Digest((PreRuntime(b"BABE", b"x"),))))


@pytest.mark.parametrize(
    ("order", "reason"),
    [((), "InherentMissing"), ((1, 0), "InherentAfterTransaction"), ((0, 0), "InvalidTransaction"), ((0, 1), "")],
)
def test_inherents_come_first_and_exactly_once(order: tuple[int, ...], reason: str) -> None:
    chain = MiniChain()
    parent = chain.state
    block = chain.block(chain.sign(ALICE, transfer(BOB, UNIT), 0)).block
    changed = Block(block.header, tuple(block.extrinsics[place] for place in order))

    if reason:
        with pytest.raises(BlockError) as failure:
            execute_block(MiniRuntime, parent, changed)
        assert failure.value.reason == reason
    else:
        assert execute_block(MiniRuntime, parent, changed).header == block.header


def test_a_batch_rolls_back_as_one() -> None:
    chain = MiniChain()
    calls = (transfer(BOB, UNIT), transfer(BOB, 15 * UNIT))
    before = MiniRuntime(Overlay(chain.state)).balances.free_balance(account(BOB))

    built = chain.block(chain.sign(ALICE, MiniRuntime.call_named("Utility.batch_all", calls=calls), 0))

    assert built.executed.results[-1].error is not None
    assert not isinstance(built.executed.results[-1].error, Module)
    assert MiniRuntime(Overlay(chain.state)).balances.free_balance(account(BOB)) == before


def test_a_mandatory_call_cannot_be_signed() -> None:
    chain = MiniChain()
    raw = chain.sign(ALICE, MiniRuntime.call_named("Timestamp.set", now=1), 0)

    with pytest.raises(TransactionInvalid, match="MandatoryValidation"):
        validate(chain, raw)
    builder = chain.builder()
    with pytest.raises(TransactionInvalid, match="BadMandatory: a mandatory call failed: BadOrigin"):
        builder.push(raw)
    assert chain.adopt(builder.build()).executed.results[1:] == ()


def test_a_call_too_heavy_for_any_block_stays_out_of_the_pool() -> None:
    chain = MiniChain()
    remark = MiniRuntime.call_named("System.remark", remark=bytes(4 << 20))

    with pytest.raises(TransactionInvalid, match="ExhaustsResources"):
        validate(chain, chain.sign(ALICE, remark, 0))


@pytest.mark.parametrize("number", [0, 2])
def test_a_block_of_another_height_is_refused(number: int) -> None:
    chain = MiniChain()
    parent = chain.state

    with pytest.raises(BlockError) as refusal:
        execute_block(MiniRuntime, parent, tampered(chain.block().block, number=number))

    assert str(refusal.value) == f"BadParent (number={number}, expected=1)"


# --- panics ---


T = TypeVar("T")


class OwnError(BaseException):
    """What a chain's author might think of."""

    def __str__(self) -> str:
        raise SystemExit


FAILURES = (RuntimeError("x"), StopIteration(3), OSError("x"), SystemExit(1), NameError("x"), OwnError())
PASSING = (MissingNode(bytes(32)), MemoryError(), KeyboardInterrupt())
THROWN: tuple[BaseException, ...] = (*FAILURES, *PASSING)


DEEP = STACK_FRAMES - 200


def descend(frames: int, work: Callable[[], T]) -> T:
    """Do work at the end of so many calls."""
    return work() if frames == 0 else descend(frames - 1, work)


class Trapdoor(Pallet):
    """Fails in every place where code of a pallet runs, once it is set to."""

    opens_in: StorageValue[str] = storage_value(default="")
    throws: StorageValue[u8 | None] = storage_value()
    is_deep: StorageValue[bool] = storage_value(default=False)

    def _step_on(self, place: str) -> None:
        if self.is_deep.get():
            descend(DEEP, lambda: None)
        if self.opens_in.get() == place:
            throws = self.throws.get()
            raise ZeroDivisionError(place) if throws is None else THROWN[throws]

    @call(weight=lambda pallet: pallet._step_on("weight") or Weight.ZERO)
    def walk(self, origin: Signed) -> None:
        self._step_on("call")

    @call
    def throw(self, origin: Signed, number: u8) -> None:
        raise THROWN[number]

    @call
    def give(self, origin: Signed) -> None:
        return OwnError()  # pyright: ignore[reportReturnType] - what an author might write

    @call
    def store(self, origin: Signed) -> None:
        self.runtime.pallet(System).block_number.put(BlockNumber(2**32))

    def on_initialize(self, number: BlockNumber) -> Weight:
        self._step_on("on_initialize")
        return Weight.ZERO

    def on_finalize(self, number: BlockNumber) -> None:
        self._step_on("on_finalize")


class TrapRuntime(MiniRuntime):
    trapdoor: Trapdoor = mount(60)


class TrapChain(MiniChain):
    """A chain whose state is set to panic somewhere."""

    def __init__(self, opens_in: str = "", *, throws: int | None = None, is_deep: bool = False) -> None:
        super().__init__()
        overlay = Overlay(self.state)
        trapdoor = TrapRuntime(overlay).trapdoor
        trapdoor.opens_in.put(opens_in)
        if throws is not None:
            trapdoor.throws.put(throws)
        trapdoor.is_deep.put(is_deep)
        self.state = overlay.finish()

    def trap_builder(self) -> BlockBuilder:
        builder = BlockBuilder(TrapRuntime, self.state, self.header, ())
        builder.inherents({b"timstap0": (6000).to_bytes(8, "little")})
        return builder

    def walk(self, name: str = "Trapdoor.walk", **args: object) -> bytes:
        signing = Signing(3, 2, self.genesis, self.genesis)
        return sign_extrinsic(
            TrapRuntime.encode_call(TrapRuntime.call_named(name, **args)), BOB, nonce=0, signing=signing
        )


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("Trapdoor.walk", "call"),
        ("Trapdoor.store", " 4294967296: int too big to convert"),
        ("Trapdoor.give", "a call returns None or a PostInfo, not OwnError"),
    ],
)
def test_a_panic_in_a_call_is_a_failed_call(name: str, detail: str) -> None:
    chain = TrapChain("call")
    builder = chain.trap_builder()

    result = builder.push(chain.walk(name))

    assert result.error == Other()
    assert detail.split(":", maxsplit=1)[0] in result.detail
    assert execute_block(TrapRuntime, chain.state, builder.build().block).results[-1].error == Other()


@pytest.mark.parametrize("number", range(len(FAILURES)))
def test_whatever_a_call_raises_is_the_failure_of_the_call(number: int) -> None:
    chain = TrapChain("nowhere")
    builder = chain.trap_builder()

    assert builder.push(chain.walk("Trapdoor.throw", number=number)).error == Other()


@pytest.mark.parametrize("number", range(len(FAILURES), len(THROWN)))
def test_what_is_no_matter_of_the_code_passes_through_a_call(number: int) -> None:
    chain = TrapChain("nowhere")
    builder = chain.trap_builder()

    with pytest.raises(type(THROWN[number])):
        builder.push(chain.walk("Trapdoor.throw", number=number))


def test_a_panic_before_a_call_makes_its_transaction_invalid() -> None:
    chain = TrapChain("weight")
    builder, raw = chain.trap_builder(), chain.walk()
    panicked = "Call: the runtime panicked: ZeroDivisionError: weight"

    with pytest.raises(TransactionInvalid) as in_block:
        builder.push(raw)
    runtime = TrapRuntime(Overlay(chain.state))
    with pytest.raises(TransactionInvalid) as in_pool:
        validate_transaction(runtime, raw, TransactionSource.External, header_hash(chain.header))

    assert (str(in_block.value), str(in_pool.value)) == (panicked, panicked)
    built = builder.build().block
    with pytest.raises(BlockError) as in_import:
        execute_block(TrapRuntime, chain.state, Block(built.header, (*built.extrinsics, raw)))
    assert str(in_import.value) == "RuntimePanic (cause=ZeroDivisionError: weight)"


@pytest.mark.parametrize("number", range(len(FAILURES), len(THROWN)))
def test_what_is_no_matter_of_the_code_passes_through_the_checks_of_a_transaction(number: int) -> None:
    chain = TrapChain("weight", throws=number)
    builder, raw = chain.trap_builder(), chain.walk()

    with pytest.raises(type(THROWN[number])):
        builder.push(raw)
    with pytest.raises(type(THROWN[number])):
        validate_transaction(TrapRuntime(Overlay(chain.state)), raw, TransactionSource.External, Hash(bytes(32)))


@pytest.mark.parametrize("hook", ["on_initialize", "on_finalize"])
def test_a_panic_in_a_hook_makes_its_block_bad(hook: str) -> None:
    chain = TrapChain(hook)
    block = MiniChain().block().block

    with pytest.raises(BlockError) as built:
        chain.trap_builder().build()
    with pytest.raises(BlockError) as executed:
        execute_block(TrapRuntime, chain.state, block)

    expected = f"RuntimePanic (cause=ZeroDivisionError: {hook})"
    assert (str(built.value), str(executed.value)) == (expected, expected)


# --- stack ---


def test_code_may_recurse_as_deeply_under_any_caller() -> None:
    chain = TrapChain(is_deep=True)

    def built() -> Block:
        builder = chain.trap_builder()
        assert builder.push(chain.walk()).error is None
        return builder.build().block

    block = built()

    assert descend(sys.getrecursionlimit() // 2, built) == block
    for frames in (0, sys.getrecursionlimit() // 2):
        executed = descend(frames, lambda: execute_block(TrapRuntime, chain.state, block))
        assert [result.error for result in executed.results] == [None] * 2
