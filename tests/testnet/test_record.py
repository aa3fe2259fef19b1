"""The record: facts once, a digest of what happened, and errors that say what to do."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from testnet.record import Record, RecordError, find_record, is_written, new_run_directory, open_record


def block(record: Record, number: int, **columns: object) -> None:
    record.row("blocks", chain="relay", block=number, hash=bytes([number]) * 32, at=number * 6, **columns)


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "run.sqlite")


def test_a_fact_is_inserted_once(record: Record) -> None:
    block(record, 1, author="alice")
    block(record, 1, author="bob")
    record.flush()

    with sqlite3.connect(record.path) as db:
        assert db.execute("SELECT hash, author FROM block_facts").fetchall() == [("0x" + "01" * 32, "alice")]
    db.close()
    record.close()


def test_rows_are_readable_while_the_run_goes_on(record: Record) -> None:
    reader = sqlite3.connect(record.path)
    block(record, 1)
    record.flush()
    assert reader.execute("SELECT COUNT(*) FROM blocks").fetchone() == (1,)
    block(record, 2)
    record.flush()
    assert reader.execute("SELECT COUNT(*) FROM blocks").fetchone() == (2,)
    reader.close()
    record.close()


def test_the_file_alone_is_the_record_though_somebody_reads_it(record: Record, tmp_path: Path) -> None:
    reader = open_record(record.path)
    block(record, 1)
    record.flush()
    assert reader.execute("SELECT COUNT(*) FROM blocks").fetchone() == (1,)
    block(record, 2)
    record.note("ended", "yes")
    record.close()
    alone = tmp_path / "alone.sqlite"
    alone.write_bytes(record.path.read_bytes())
    reader.close()

    with closing(open_record(alone)) as db:
        assert db.execute("SELECT block FROM block_facts ORDER BY block").fetchall() == [(1,), (2,)]
        assert db.execute("SELECT name, value FROM run").fetchall() == [("ended", "yes")]


def test_amounts_are_exact_and_json_is_canonical(record: Record) -> None:
    heard = list[tuple[str, object]]()
    record.listen(lambda table, row: heard.append((table, row["data"])))
    record.row(
        "events", chain="relay", block=1, block_hash=b"\1", event=0, data={"b": 2**100, "a": b"\1"}, pallet="Balances"
    )
    record.row("events", chain="relay", block=1, block_hash=b"\1", event=1, data=[1, None])

    assert heard[1] == ("events", "[1,null]")
    assert str(heard[0][1]).startswith('{"a":')
    assert str(2**100) in str(heard[0][1])
    record.close()


def test_the_digest_does_not_see_order_time_of_writing_or_the_runs_own_lines(tmp_path: Path) -> None:
    first, second, other = (Record(tmp_path / f"{name}.sqlite") for name in "abc")
    for number in (1, 2, 3):
        block(first, number)
    for number in (3, 1, 2, 1):
        block(second, number)
        second.flush()
    second.note("name", "second")
    block(other, 1)

    assert first.digest() == second.digest() != other.digest()
    assert first.digest().startswith("0x") and len(first.digest()) == 66
    for record in (first, second, other):
        record.close()


def test_the_last_note_holds(record: Record) -> None:
    record.note("digest", "old")
    record.note("digest", "new")
    with sqlite3.connect(record.path) as db:
        assert db.execute("SELECT value FROM run WHERE name = 'digest'").fetchall() == [("new",)]
    db.close()
    record.close()


def test_unknown_columns_missing_keys_and_too_large_numbers_are_our_bugs(record: Record) -> None:
    with pytest.raises(AssertionError, match="has no column colour"):
        block(record, 1, colour="red")
    with pytest.raises(AssertionError, match=r"events\.event is part of the key"):
        record.row("events", chain="relay", block_hash=b"")
    with pytest.raises(AssertionError, match="does not fit 64 bits"):
        block(record, 1, size=2**64)
    record.close()


def test_a_full_disk_is_named(record: Record) -> None:
    db = record._db
    db.execute("PRAGMA max_page_count = 100")
    for number in range(200):
        block(record, number, author="x" * 5000)
    with pytest.raises(RecordError, match=r"disk is full, .*run\.sqlite cannot be written .*free some space"):
        record.flush()
    db.execute("PRAGMA max_page_count = 100000")
    record.close()


def test_an_unwritable_path_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(RecordError, match=r"cannot be written to .*file: [Nn]ot a directory; set another path"):
        new_run_directory(tmp_path / "file", "demo")
    with pytest.raises(RecordError, match="cannot be written"):
        Record(tmp_path / "none" / "run.sqlite")
    with pytest.raises(RecordError, match="there is a record already"):
        Record(tmp_path / "file")


FIRST, TENTH, LATER = "2026-01-02T03-04-05-demo", "2026-01-02T03-04-05-demo-10", "2026-01-02T03-04-06-a"


@pytest.mark.parametrize(
    ("names", "without_block", "latest"),
    [
        ((LATER, FIRST), "", LATER),
        ((TENTH, FIRST, FIRST + "-2"), "", TENTH),
        ((FIRST, "renamed"), "", FIRST),
        ((LATER, FIRST), LATER, FIRST),
        ((LATER,), LATER, LATER),
    ],
)
def test_the_latest_run_is_the_last_one_started_that_has_blocks(
    tmp_path: Path, names: tuple[str, ...], without_block: str, latest: str
) -> None:
    for name in names:
        (tmp_path / name).mkdir()
        record = Record(tmp_path / name / "run.sqlite")
        if name != without_block:
            block(record, 1)
        record.close()
    (tmp_path / FIRST / "exported.csv").touch() if FIRST in names else None

    assert find_record("latest", tmp_path).parent.name == latest


def test_the_latest_run_may_have_just_begun(tmp_path: Path) -> None:
    for name in (FIRST, LATER):
        (tmp_path / name).mkdir()
    finished, running = (Record(tmp_path / name / "run.sqlite") for name in (FIRST, LATER))
    block(finished, 1)
    finished.close()

    assert find_record("latest", tmp_path) == running.path
    running.close()
    assert find_record("latest", tmp_path) == finished.path


def test_whether_a_record_is_being_written(tmp_path: Path) -> None:
    record = Record(tmp_path / "run.sqlite")

    assert is_written(record.path)
    record.close()
    assert not is_written(record.path)


def test_another_programs_database_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE run (name TEXT, value TEXT)")
    db.close()

    with pytest.raises(RecordError) as refusal:
        open_record(path)
    assert str(refusal.value) == (
        f"{path} is not a record that can be read: it has no table block_facts; give a run's directory"
    )


def test_two_runs_in_one_second_have_two_directories(tmp_path: Path) -> None:
    paths = {new_run_directory(tmp_path / "runs", "demo") for _ in range(3)}

    assert len(paths) == 3
    assert all(path.is_dir() and "-demo" in path.name for path in paths)
