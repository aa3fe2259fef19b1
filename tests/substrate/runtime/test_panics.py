"""Whatever a runtime's code raises, and however deeply it recurses: a refusal, and the same one everywhere."""

import sys
from collections.abc import Callable
from typing import TypeVar

import pytest

from substrate.block import Block, header_hash
from substrate.pallets.system import System
from substrate.runtime.assembly import mount
from substrate.runtime.checks import validate_transaction
from substrate.runtime.dispatch import Other
from substrate.runtime.executive import BlockBuilder, BlockError, execute_block
from substrate.runtime.extrinsic import Signing, sign_extrinsic
from substrate.runtime.origin import Signed
from substrate.runtime.pallet import Pallet, call
from substrate.runtime.stack import STACK_FRAMES
from substrate.runtime.storage import StorageValue, storage_value
from substrate.runtime.validity import TransactionInvalid, TransactionSource
from substrate.scale.types import u8
from substrate.state import Overlay
from substrate.trie.nodes import MissingNode
from substrate.types import BlockNumber, Hash, Weight
from tests.substrate.runtime.mini import BOB, MiniChain, MiniRuntime

T = TypeVar("T")


class OwnError(BaseException):
    """What a chain's author might think of."""

    def __str__(self) -> str:
        raise SystemExit


FAILURES = (RuntimeError("x"), StopIteration(3), OSError("x"), SystemExit(1), NameError("x"), MemoryError(), OwnError())
PASSING = (MissingNode(bytes(32)), KeyboardInterrupt())
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
