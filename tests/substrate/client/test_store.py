"""The SQLite store: what a killed node finds again."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from substrate.block import Justification
from substrate.client.chain import BlockchainError
from substrate.client.protocols import Batch
from substrate.client.store import SqliteStore, StoreError
from substrate.state import Overlay
from substrate.types import BlockNumber, Hash
from tests.substrate.client.mini_node import ENGINE, MiniNode
from tests.substrate.runtime.mini import ALICE, FERDIE, UNIT, MiniRuntime, account, transfer


def test_a_reopened_chain_is_the_one_that_was_closed(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "chain.db")
    node = MiniNode(store)
    blocks = [node.grow(node.sign(ALICE, transfer(FERDIE, UNIT), n), salt=1) for n in range(4)]
    fork = node.grow(parent=blocks[2], salt=9)
    proof = Justification(ENGINE, blocks[1])
    node.chain.finalize(blocks[1], proof)
    store.close()

    again = MiniNode(SqliteStore(tmp_path / "chain.db")).chain

    assert (again.best, again.finalized, again.genesis) == (node.chain.best, blocks[1], node.chain.genesis)
    assert again.leaves() == node.chain.leaves()
    assert set(again.leaves()) == {blocks[3], fork}
    assert again.justifications(blocks[1]) == (proof,)
    assert again.aux(b"height" + fork) == b"\x04"
    balances = [again.runtime(block).balances.free_balance(account(FERDIE)) // UNIT for block in blocks]
    assert balances == [1, 2, 3, 4]


def test_a_reopened_chain_goes_on_and_equals_one_that_was_never_closed(tmp_path: Path) -> None:
    store, memory = SqliteStore(tmp_path / "chain.db"), MiniNode()
    node = MiniNode(store)
    for nonce in range(6):
        raw = node.sign(ALICE, transfer(FERDIE, UNIT), nonce)
        node.grow(raw)
        memory.grow(raw)
        store.close()
        store = SqliteStore(tmp_path / "chain.db")
        node = MiniNode(store)

    assert node.chain.best == memory.chain.best
    assert dict(node.chain.state(node.chain.best).items()) == dict(memory.chain.state(memory.chain.best).items())


def test_old_states_stay_readable_on_disk(tmp_path: Path) -> None:
    node = MiniNode(SqliteStore(tmp_path / "chain.db"))
    node.chain._kept_states = 1  # pyright: ignore[reportPrivateUsage]
    blocks = [node.grow(node.sign(ALICE, transfer(FERDIE, UNIT), n)) for n in range(3)]
    node.chain.finalize(blocks[2])

    assert MiniRuntime(Overlay(node.chain.state(blocks[0]))).balances.free_balance(account(FERDIE)) == UNIT


def test_a_failed_batch_leaves_nothing(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "chain.db")
    node = MiniNode(store)
    batch = Batch(aux={b"key": b"value"}, canonical=((BlockNumber(0), node.chain.genesis),))  # height 0 is taken

    with pytest.raises(sqlite3.IntegrityError):
        store.commit(batch)

    assert store.aux(b"key") is None


def test_aux_values_are_overwritten_and_deleted(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "chain.db")
    store.commit(Batch(aux={b"a": b"1", b"b": b"2"}))
    store.commit(Batch(aux={b"a": b"3", b"b": None}))

    assert (store.aux(b"a"), store.aux(b"b")) == (b"3", None)


def test_abandoned_forks_leave_the_disk(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "chain.db")
    node = MiniNode(store)
    dead, kept = node.grow(salt=1), node.grow(parent=node.chain.genesis, salt=2)
    node.chain.finalize(kept)

    assert store.block(dead) is None
    assert store.unfinalized() == ()


def test_another_genesis_is_refused(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "chain.db")
    node = MiniNode(store)
    store.commit(Batch())
    other = sqlite3.connect(tmp_path / "chain.db")
    other.execute("UPDATE canonical SET hash = ? WHERE number = 0", (bytes(32),))
    other.commit()
    other.close()

    with pytest.raises(BlockchainError, match="GenesisMismatch"):
        MiniNode(SqliteStore(tmp_path / "chain.db"))
    assert node.chain.genesis != Hash(bytes(32))


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, but long enough to be taken for one" * 10)
    with pytest.raises(StoreError, match=r"text\.db"):
        SqliteStore(tmp_path / "text.db")
    newer = sqlite3.connect(tmp_path / "newer.db")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StoreError, match="schema 99"):
        SqliteStore(tmp_path / "newer.db")


GROWING = """
import sys
from substrate.client.store import SqliteStore
from tests.substrate.client.mini_node import MiniNode
from tests.substrate.runtime.mini import ALICE, FERDIE, UNIT, transfer
node = MiniNode(SqliteStore(sys.argv[1]))
nonce = node.chain.best_number
while True:
    block = node.grow(node.sign(ALICE, transfer(FERDIE, UNIT // 1000), nonce))
    node.chain.finalize(node.chain.number_to_hash(max(node.chain.best_number - 2, 0)))
    nonce += 1
    print(nonce, flush=True)
"""


def test_kill_minus_nine_loses_no_whole_import(tmp_path: Path) -> None:
    path = tmp_path / "chain.db"
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", GROWING, str(path)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}
        )
        assert process.stdout is not None
        seen = [int(process.stdout.readline()) for _ in range(7)]
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        chain = MiniNode(SqliteStore(path)).chain

        assert chain.best_number >= seen[-1]
        sent = chain.runtime(chain.best).balances.free_balance(account(FERDIE))
        assert sent == chain.best_number * (UNIT // 1000)
