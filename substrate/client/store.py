"""A chain on disk: one SQLite file per node and chain.

Each batch is one transaction in a write-ahead log, so a process killed at any instant reopens at its last whole import.
Trie nodes are kept for good: every committed state stays readable.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from substrate.block import Header, Justification
from substrate.client.protocols import Batch, StoredBlock
from substrate.errors import ChainError
from substrate.scale.codec import Codec, codec_of
from substrate.trie.nodes import NodeSource
from substrate.types import Hash

SCHEMA_VERSION = 1
CACHED_BLOCKS = 256

_SCHEMA = """
CREATE TABLE IF NOT EXISTS blocks (
    seq INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, number INTEGER NOT NULL,
    header BLOB NOT NULL, body BLOB NOT NULL, weight INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS blocks_by_number ON blocks (number);
CREATE TABLE IF NOT EXISTS canonical (number INTEGER PRIMARY KEY, hash BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS justifications (
    seq INTEGER PRIMARY KEY, block BLOB NOT NULL, engine BLOB NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS justifications_by_block ON justifications (block);
CREATE TABLE IF NOT EXISTS nodes (hash BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS aux (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""

_BODY: Codec[tuple[bytes, ...]] = codec_of(tuple[bytes, ...])


class StoreError(ChainError):
    """A database that cannot be used."""


class SqliteNodes:
    """Trie nodes by hash, as a NodeSource."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def get(self, key: bytes, /) -> bytes | None:
        """A node, None if it was never stored."""
        row = self._database.execute("SELECT data FROM nodes WHERE hash = ?", (key,)).fetchone()
        return None if row is None else row[0]


class SqliteStore:
    """A Store in one SQLite file."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{path}: {error}") from error
        self.nodes: NodeSource | None = SqliteNodes(self._database)
        self._cache: OrderedDict[Hash, StoredBlock] = OrderedDict()

    def close(self) -> None:
        """Close the file; a killed process need not."""
        self._database.close()

    def commit(self, batch: Batch) -> None:
        """See Store."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._write(batch)
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")
        for block in batch.removed:
            self._cache.pop(block, None)

    def block(self, block: Hash) -> StoredBlock | None:
        """See Store."""
        known = self._cache.get(block)
        if known is not None:
            return known
        rows = self._blocks("hash = ?", (block,))
        if not rows:
            return None
        self._cache[block] = rows[0]
        if len(self._cache) > CACHED_BLOCKS:
            self._cache.popitem(last=False)
        return rows[0]

    def justifications(self, block: Hash) -> tuple[Justification, ...]:
        """See Store."""
        query = "SELECT engine, data FROM justifications WHERE block = ? ORDER BY seq"
        return tuple(Justification(engine, data) for engine, data in self._database.execute(query, (block,)))

    def canonical(self, number: int) -> Hash | None:
        """See Store."""
        row = self._database.execute("SELECT hash FROM canonical WHERE number = ?", (number,)).fetchone()
        return None if row is None else Hash(row[0])

    def finalized(self) -> Hash | None:
        """See Store."""
        row = self._database.execute("SELECT hash FROM canonical ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else Hash(row[0])

    def unfinalized(self) -> tuple[StoredBlock, ...]:
        """See Store."""
        return tuple(self._blocks("number > (SELECT max(number) FROM canonical) ORDER BY number, seq", ()))

    def aux(self, key: bytes) -> bytes | None:
        """See Store."""
        row = self._database.execute("SELECT value FROM aux WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        # Enough against kill -9; only a power cut may lose the last imports, never tear one.
        self._database.execute("PRAGMA synchronous = NORMAL")
        version: int = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA_VERSION):
            raise StoreError(f"{self.path}: schema {version}, this version reads {SCHEMA_VERSION}")
        self._database.executescript(_SCHEMA)
        self._database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _write(self, batch: Batch) -> None:
        self._many(
            "INSERT OR IGNORE INTO blocks (hash, number, header, body, weight) VALUES (?, ?, ?, ?, ?)",
            ((b.hash, b.header.number, b.header.encode(), _BODY.encode(b.extrinsics), b.weight) for b in batch.blocks),
        )
        self._many("INSERT OR IGNORE INTO nodes (hash, data) VALUES (?, ?)", batch.nodes)
        self._many(
            "INSERT INTO justifications (block, engine, data) VALUES (?, ?, ?)",
            ((block, proof.engine, proof.data) for block, proof in batch.justifications),
        )
        for key, value in batch.aux.items():
            if value is None:
                self._database.execute("DELETE FROM aux WHERE key = ?", (key,))
            else:
                self._database.execute("INSERT OR REPLACE INTO aux (key, value) VALUES (?, ?)", (key, value))
        self._many("DELETE FROM blocks WHERE hash = ?", ((block,) for block in batch.removed))
        self._many("DELETE FROM justifications WHERE block = ?", ((block,) for block in batch.removed))
        self._many("INSERT INTO canonical (number, hash) VALUES (?, ?)", batch.canonical)

    def _many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self._database.executemany(statement, rows)

    def _blocks(self, where: str, values: tuple[bytes, ...]) -> list[StoredBlock]:
        rows = self._database.execute(f"SELECT hash, header, body, weight FROM blocks WHERE {where}", values)
        return [
            StoredBlock(Hash(hash_), Header.decode(header), _BODY.decode(body), weight)
            for hash_, header, body, weight in rows.fetchall()
        ]
