"""The record of a run: facts in one SQLite file, readable while the run goes on.

Source of the tables: `testnet/tables.py`.
"""

import fcntl
import os
import re
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import msgspec

from testnet.errors import UsageError
from testnet.tables import NOT_DIGESTED, OPTIONAL_KEYS, TABLES, Kind, create_statements, key_of, stored_name

RECORD_FILE = "run.sqlite"

Value = str | int | float | None
Listener = Callable[[str, dict[str, Value]], None]

_REMEMBERED_KEYS = 10_000
"""How many facts are known to be there, at least; at most twice as many."""
_FLUSH_ROWS = 2_000
_FLUSH_SECONDS = 0.2
_READERS_MS = 300
"""How long the end of a record waits for who reads it just then."""


class RecordError(UsageError):
    """The record cannot be written or read; the message says what to do."""


def new_run_directory(runs: Path, name: str) -> Path:
    """Make `runs/2026-11-21T05-11-02-demo`, with a number behind it if that exists.

    Raises:
        RecordError: `runs` cannot be written.
    """
    safe_name = re.sub(r"[^\w.-]", "_", name)
    stem = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}-{safe_name}"
    number = 1
    while True:
        path = runs / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            if not runs.is_dir():
                raise _cannot_write(runs, "it is not a directory") from None
            number += 1
        except OSError as error:
            raise _cannot_write(runs, error.strerror or str(error)) from error
        else:
            return path


def find_record(which: str | Path, runs: str | Path = "runs") -> Path:
    """The record file of a run. Raises RecordError.

    Args:
        which: A run's directory or record; "latest" is the last one started, by the names of the directories. One that
            failed before it had a block counts only where there is no other.
        runs: Where "latest" and directories by their name are looked for.
    """
    path = Path(which)
    if str(which) == "latest":
        found = sorted(Path(runs).glob(f"*/{RECORD_FILE}"), key=_start_order, reverse=True)
        if not found:
            raise RecordError(f"no run in {Path(runs).absolute()}; start one with `testnet demo`")
        return next((file for file in found if is_written(file) or _has_block(file)), found[0])
    for candidate in (path, path / RECORD_FILE, Path(runs) / path / RECORD_FILE):
        if candidate.is_file():
            return candidate
    raise RecordError(f'no record at {path}; give a run directory, its {RECORD_FILE}, or "latest"')


def _start_order(file: Path) -> tuple[str, int, str]:
    """When a run was started, as far as the name of its directory says."""
    name = file.parent.name
    named = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d)-.*?(?:-(\d+))?", name)
    return (named[1], int(named[2] or 1), name) if named else ("", 0, name)


def _has_block(file: Path) -> bool:
    try:
        with closing(open_record(file)) as db:
            return db.execute("SELECT 1 FROM block_facts LIMIT 1").fetchone() is not None
    except RecordError:
        return False


def open_record(path: Path) -> sqlite3.Connection:
    """A record to read, also while it is written. Raises RecordError."""
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        found = {str(name) for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise _not_a_record(path, str(error)) from error
    missing = [name for name in map(stored_name, TABLES) if name not in found]
    if missing:
        db.close()
        raise _not_a_record(path, f"it has no table {missing[0]}")
    return db


def _not_a_record(path: Path, why: str) -> RecordError:
    return RecordError(f"{path} is not a record that can be read: {why}; give a run's directory")


def is_written(path: Path) -> bool:
    """Whether a process has a record open to write; one that was killed has not."""
    try:
        with _directory(path) as directory:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True  # held by a writer, or a file system without locks: then nobody can tell
    return False


@contextmanager
def _directory(path: Path) -> Generator[int]:
    """The directory of a record, opened: the lock is on it, as SQLite's own locks must not be disturbed."""
    directory = os.open(path.absolute().parent, os.O_RDONLY)
    try:
        yield directory
    finally:
        os.close(directory)


def _cannot_write(path: Path, why: str) -> RecordError:
    return RecordError(f"the record cannot be written to {path}: {why}; set another path under [record]")


class Record:
    """The record being written; satisfies the `Recorder` protocol.

    Rows are kept back for a moment and written together; `flush` writes them now.

    Args:
        path: A file that does not exist yet.

    Raises:
        RecordError: The file cannot be made, here or at any later write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._listeners: list[Listener] = []
        self._waiting: dict[str, list[tuple[Value, ...]]] = {}
        self._waiting_count = 0
        self._failure: RecordError | None = None
        self._recent: set[tuple[object, ...]] = set()
        self._before: set[tuple[object, ...]] = set()
        self._flushed_at = time.monotonic()
        self._open = ExitStack()
        if path.exists():
            raise _cannot_write(path, "there is a record already")
        with self._clear_errors():
            self._db = sqlite3.connect(path, isolation_level=None)
            for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", *create_statements()):
                self._db.execute(statement)
        with suppress(OSError):  # without locks nobody can tell that a writer was killed
            fcntl.flock(self._open.enter_context(_directory(path)), fcntl.LOCK_SH)

    def listen(self, listener: Listener) -> None:
        """Call `listener(table, row)` with every row that comes, before it is written."""
        self._listeners.append(listener)

    def row(self, table: str, /, **columns: object) -> None:
        """Keep one fact; columns left out are empty, and a second fact with the same key is ignored."""
        shape = _shape(table, tuple(columns))
        values = tuple(map(_stored, columns.values(), shape.kinds, shape.labels))
        key = (table, *[None if place is None else values[place] for place in shape.key])
        for place in shape.needed:
            assert values[place] is not None, f"{shape.labels[place]} is part of the key and was not given"
        if self._is_repeated(key):
            return
        self._waiting.setdefault(shape.insert, []).append(values)
        self._waiting_count += 1
        for listener in self._listeners:
            listener(table, dict(zip(columns, values, strict=True)))
        if self._waiting_count >= _FLUSH_ROWS or time.monotonic() - self._flushed_at > _FLUSH_SECONDS:
            self.flush()

    def _is_repeated(self, key: tuple[object, ...]) -> bool:
        """Whether the fact came a moment ago: nodes of one network say the same. SQLite refuses later repetitions."""
        if key in self._recent or key in self._before:
            return True
        if len(self._recent) == _REMEMBERED_KEYS:
            self._before, self._recent = self._recent, set()
        self._recent.add(key)
        return False

    def note(self, name: str, value: str) -> None:
        """Write one line about the run itself; the last one holds."""
        with self._clear_errors():
            self._db.execute(
                "INSERT INTO run VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, value)
            )

    def flush(self) -> None:
        """Write what is waiting, all of it or nothing."""
        waiting, self._waiting, self._waiting_count = self._waiting, {}, 0
        self._flushed_at = time.monotonic()
        if not waiting:
            return
        with self._clear_errors():
            self._db.execute("BEGIN")
            try:
                for statement, rows in waiting.items():
                    self._db.executemany(statement, rows)
                self._db.execute("COMMIT")
            except sqlite3.Error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def digest(self) -> str:
        """Blake2-256 over the facts so far; see `record_digest`."""
        self.flush()
        return record_digest(self._db)

    def close(self) -> None:
        """Write what is waiting and let go of the file."""
        try:
            self.flush()
            self._write_back()
        finally:
            self._db.close()
            self._open.close()

    def _write_back(self) -> None:
        """Move what is in the log beside the file into the file: SQLite itself does so only where nobody reads."""
        self._db.execute(f"PRAGMA busy_timeout = {_READERS_MS}")
        with suppress(sqlite3.OperationalError):  # where the file may not grow the log stays, and readers use it
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _clear_errors(self) -> Generator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            self._failure = _failure(self.path, str(error))
            raise self._failure from error

    def check(self) -> None:
        """Raise what an earlier write failed with: whoever wrote may have gone on."""
        if self._failure is not None:
            raise self._failure


def _failure(path: Path, why: str) -> RecordError:
    if "full" in why or "I/O" in why:
        return RecordError(
            f"the disk is full, or files may not grow so large: {path} cannot be written ({why}); "
            "free some space, raise `ulimit -f`, or set another path under [record]"
        )
    return _cannot_write(path, why)


def record_digest(db: sqlite3.Connection) -> str:
    """Blake2-256 over the ordered rows of all tables except `run`, as "0x..."."""
    digest = blake2b(digest_size=32)
    for name, table in sorted(TABLES.items()):
        if name in NOT_DIGESTED:
            continue
        digest.update(f"{name}\n".encode())
        columns = ", ".join(f'"{column}"' for column in table.columns)
        for row in db.execute(f"SELECT {columns} FROM {stored_name(name)} ORDER BY {key_of(name)}"):
            digest.update(msgspec.json.encode(row) + b"\n")
    return "0x" + digest.hexdigest()


class _Shape(NamedTuple):
    """What is known of a row by its table and the columns given."""

    insert: str
    kinds: tuple[Kind, ...]
    labels: tuple[str, ...]
    """The columns with their table."""
    key: tuple[int | None, ...]
    """Where the key's columns are among those given."""
    needed: tuple[int, ...]
    """Where those of them are that may not be empty."""


@cache
def _shape(table: str, columns: tuple[str, ...]) -> _Shape:
    kinds, key = TABLES[table].columns, TABLES[table].key
    for name in columns:
        assert name in kinds, f"table {table} has no column {name}; it has {', '.join(kinds)}"
    for name in key:
        assert name in columns or name in OPTIONAL_KEYS, f"{table}.{name} is part of the key and was not given"
    names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
    return _Shape(
        f"INSERT INTO {stored_name(table)} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING",
        tuple(kinds[name] for name in columns),
        tuple(f"{table}.{name}" for name in columns),
        tuple(columns.index(name) if name in columns else None for name in key),
        tuple(columns.index(name) for name in key if name not in OPTIONAL_KEYS),
    )


def _stored(value: object, kind: Kind, column: str) -> Value:
    """The value as SQLite keeps it."""
    if value is None or (type(value) is str and kind != "json"):
        return value
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if kind == "json":
        return msgspec.json.encode(value, order="deterministic", enc_hook=str).decode()
    if isinstance(value, Enum):
        return str(value.value) if isinstance(value.value, str) else value.name.lower()
    if isinstance(value, int) and kind in ("int", "u32", "bool", "time"):
        assert -(2**63) <= value < 2**63, f"{column} = {value} does not fit 64 bits"
        return int(value)
    return value if isinstance(value, float) and kind == "float" else str(value)
