"""The executive: building blocks, executing them, refusing bad ones."""

import msgspec
import pytest

from substrate.block import Block, Digest, PreRuntime, Seal, header_hash
from substrate.runtime.checks import validate_transaction
from substrate.runtime.dispatch import Module, Token
from substrate.runtime.era import mortal
from substrate.runtime.executive import BlockError, execute_block
from substrate.runtime.extrinsic import encode_bare
from substrate.runtime.validity import TransactionInvalid, TransactionSource, ValidTransaction
from substrate.state import Overlay
from substrate.types import Hash
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
