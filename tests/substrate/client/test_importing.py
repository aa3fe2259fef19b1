"""The import pipeline: one test per reason, and the shared executions."""

from collections.abc import Callable

import pytest

from substrate.block import Block, Digest, Header, Justification, extrinsics_root
from substrate.client.importing import BlockImportError, Execution, ExecutionCache, ImportReason
from substrate.types import BlockNumber, Hash
from tests.substrate.client.mini_node import ENGINE, MiniNode, seal
from tests.substrate.runtime.mini import ALICE, FERDIE, UNIT, MiniRuntime, transfer


def altered(block: Block, **fields: object) -> Block:
    header = block.header
    values: dict[str, object] = {name: getattr(header, name) for name in header.__struct_fields__}
    logs = header.digest.logs[:-1]
    return seal(Block(Header(**{**values, "digest": Digest(logs), **fields}), block.extrinsics))  # type: ignore[arg-type]


ALTERATIONS: list[tuple[Callable[[Block], Block], ImportReason]] = [
    (lambda block: altered(block, parent_hash=Hash(bytes(32))), ImportReason.UNKNOWN_PARENT),
    (lambda block: altered(block, number=BlockNumber(7)), ImportReason.BAD_NUMBER),
    (lambda block: altered(block, state_root=Hash(bytes(32))), ImportReason.BAD_STATE_ROOT),
    (lambda block: altered(block, extrinsics_root=Hash(bytes(32))), ImportReason.BAD_EXTRINSICS_ROOT),
    (lambda block: Block(block.header, block.extrinsics[:-1]), ImportReason.BAD_EXTRINSICS_ROOT),
    (lambda block: seal(altered(block), b"evil"), ImportReason.VERIFICATION_FAILED),
]


@pytest.mark.parametrize(("alter", "reason"), ALTERATIONS, ids=[reason for _, reason in ALTERATIONS])
def test_a_bad_block_is_refused_and_changes_nothing(alter: Callable[[Block], Block], reason: ImportReason) -> None:
    node = MiniNode()
    good = node.make(node.sign(ALICE, transfer(FERDIE, UNIT), 0))
    bad = alter(good)

    with pytest.raises(BlockImportError) as refusal:
        node.importer.import_block(bad)

    assert refusal.value.reason == reason
    assert node.chain.best == node.chain.genesis
    assert node.importer.import_block(good) == node.chain.best


def test_a_transaction_that_does_not_apply_makes_the_block_bad_for_good() -> None:
    node = MiniNode()
    block = node.make(node.sign(ALICE, transfer(FERDIE, UNIT), 0))
    twice = node.make()
    extrinsics = (*twice.extrinsics, block.extrinsics[1], block.extrinsics[1])
    bad = altered(Block(twice.header, extrinsics), extrinsics_root=extrinsics_root(extrinsics))

    for reason in (ImportReason.EXECUTION_FAILED, ImportReason.KNOWN_BAD):
        with pytest.raises(BlockImportError) as refusal:
            node.importer.import_block(bad)
        assert refusal.value.reason == reason
    assert node.executed == 1


def test_a_wrong_body_does_not_spoil_the_header() -> None:
    node = MiniNode()
    good = node.make(node.sign(ALICE, transfer(FERDIE, UNIT), 0))

    with pytest.raises(BlockImportError):
        node.importer.import_block(Block(good.header, good.extrinsics[:-1]))

    assert node.importer.import_block(good) == good.hash


def test_importing_twice_changes_nothing() -> None:
    node = MiniNode()
    block = node.make()

    assert node.importer.import_block(block) == node.importer.import_block(block)
    assert node.executed == 1


def test_nodes_of_one_process_execute_a_block_once_and_share_its_state() -> None:
    cache = ExecutionCache()
    heard: list[tuple[Block, Execution]] = []
    cache.on_executed(lambda block, execution: heard.append((block, execution)))
    one, two = MiniNode(cache=cache), MiniNode(cache=cache)
    block = one.make(one.sign(ALICE, transfer(FERDIE, UNIT), 0))

    one.importer.import_block(block)
    two.importer.import_block(block)

    assert (one.executed, two.executed) == (1, 0)
    assert one.chain.state(block.hash) is two.chain.state(block.hash)
    assert [each for each, _ in heard] == [block]
    assert any(type(record.event.value).__name__ == "Transfer" for record in heard[0][1].events)


def test_a_cached_block_is_still_verified() -> None:
    cache = ExecutionCache()
    one, two = MiniNode(cache=cache), MiniNode(cache=cache)
    block = one.make(one.sign(ALICE, transfer(FERDIE, UNIT), 0))
    one.importer.import_block(block)

    with pytest.raises(BlockImportError) as refusal:
        two.importer.import_block(Block(block.header, ()))

    assert refusal.value.reason == ImportReason.BAD_EXTRINSICS_ROOT


def test_consensus_writes_are_committed_with_the_block() -> None:
    node = MiniNode()
    block = node.grow()

    assert node.chain.aux(b"height" + block) == b"\x01"


def test_a_justification_finalises_its_block() -> None:
    node = MiniNode()
    block = node.make()
    proof = Justification(ENGINE, block.hash)

    node.importer.import_block(block, (proof,))
    node.importer.import_justification(block.hash, proof)

    assert node.chain.finalized == block.hash
    assert node.chain.justifications(block.hash) == (proof,)


def test_a_bad_justification_is_refused_but_its_block_stays() -> None:
    node = MiniNode()
    block = node.make()

    with pytest.raises(BlockImportError) as refusal:
        node.importer.import_block(block, (Justification(ENGINE, b"no"),))

    assert refusal.value.reason == ImportReason.BAD_JUSTIFICATION
    assert node.chain.best == block.hash
    assert node.chain.finalized == node.chain.genesis


def test_the_cache_forgets_the_oldest() -> None:
    node, cache = MiniNode(), ExecutionCache(limit=1)
    first, second = node.make(salt=1), node.make(salt=2)
    for block in (first, second):
        cache.put(block, Execution(node.chain.state(node.chain.genesis), MiniRuntime))

    assert cache.get(first.hash) is None
    assert cache.get(second.hash) is not None
