"""`testnet log`: the rows of a record in the order of chain time, and those that still come."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime
from pathlib import Path

from testnet.errors import RunFailed
from testnet.publish import row_chain
from testnet.record import RecordError, Value, is_written, open_record
from testnet.tables import TABLES, stored_name

ENDED = "ended"
"""The note that a finished run carries."""

_TIMED = tuple(name for name, table in TABLES.items() if "at" in table.columns)
_POLL_SECONDS = 0.2
_HIDDEN = frozenset({"run", "table", "at", "chain", "block"})


class LogReader:
    """Reads a record file, and again what has come since.

    Args:
        path: The record.
        tables: Those that are wanted; none means all that have a time.
        chain: The one that is wanted.
    """

    def __init__(self, path: Path, *, tables: tuple[str, ...] = (), chain: str | None = None) -> None:
        check_tables(tables)
        self._path = path
        self._db = open_record(path)
        self._chain = chain
        self._seen = dict.fromkeys((name for name in _TIMED if name in (tables or _TIMED)), 0)

    def new_rows(self) -> list[dict[str, Value]]:
        """Rows that were not read before, by chain time."""
        rows = [row for name in self._seen for row in self._read(name)]
        rows.sort(key=lambda row: int(row["at"] or 0))
        return rows

    def note(self, name: str) -> str | None:
        """A line about the run itself."""
        found = self._db.execute("SELECT value FROM run WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _read(self, name: str) -> Iterator[dict[str, Value]]:
        columns = ["rowid", *TABLES[name].columns]
        names = ", ".join(f'"{column}"' for column in columns)
        query = f"SELECT {names} FROM {stored_name(name)} WHERE rowid > ? ORDER BY rowid"
        for values in self._db.execute(query, (self._seen[name],)):
            row: dict[str, Value] = dict(zip(columns, values, strict=True))
            self._seen[name] = int(row.pop("rowid") or 0)
            if self._chain in (None, row_chain(row)):
                yield {"table": name, **row}

    async def follow(self) -> AsyncGenerator[dict[str, Value]]:
        """Rows as they are written, until the run has ended. Raises RunFailed if it was killed."""
        while True:
            killed = not is_written(self._path)  # asked first: who ends in order lets go after the note
            ended = self.note(ENDED) is not None
            for row in self.new_rows():
                yield row
            if ended:
                return
            if killed:
                raise RunFailed(f"the process that wrote {self._path} was killed; these are the rows that it left")
            await asyncio.sleep(_POLL_SECONDS)


def check_tables(tables: tuple[str, ...]) -> None:
    """Refuse names that are no tables of rows with a time, which alone can be put in order. Raises RecordError."""
    unknown = [name for name in tables if name not in _TIMED]
    if unknown:
        raise RecordError(f"the log has no table {unknown[0]!r}; it has {', '.join(_TIMED)}")


def log_line(row: dict[str, Value]) -> str:
    """A row as one line of text, whatever is in it: time, chain, block, table, and what is set."""
    moment = datetime.fromtimestamp(int(row.get("at") or 0) / 1_000_000, UTC)
    place = row_chain(row) + (f" #{row['block']}" if row.get("block") is not None else "")
    facts = "  ".join(
        f"{name}={_short(value)}" for name, value in row.items() if name not in _HIDDEN and value not in (None, "")
    )
    return harmless(f"{moment:%H:%M:%S.%f}"[:-3] + f"  {place:<16} {row['table']:<12} {facts}")


def harmless(text: str) -> str:
    """Text that a terminal shows and does not obey."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)


def _short(value: Value) -> str:
    text = str(value)
    if text.startswith("0x") and len(text) > 14:
        return f"{text[:8]}..{text[-4:]}"
    return text if len(text) <= 80 else text[:77] + "..."
