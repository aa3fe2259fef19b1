"""A run's record as pandas DataFrames: `testnet.load("latest").messages`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import pandas as pd

from testnet.places import decimal
from testnet.record import RecordError, find_record, open_record, record_digest
from testnet.tables import FRAMES, ORDERS, TABLES, VIEWS, Kind, stored_name


def load(which: str | Path = "latest", *, runs: str | Path = "runs") -> "Run":
    """Open the record of a run, finished or running.

    Args:
        which: "latest", a run's directory, or a record file.
        runs: Where "latest" looks.

    Raises:
        RecordError: There is no such record.
    """
    return Run(find_record(which, runs))


class Run:
    """One run. Every table and view of the record is an attribute: `run.blocks`, `run.messages`, `run.hops`, ...

    Frames are read once; `refresh()` reads a running record again. Amounts are exact Python integers, times UTC,
    latencies Timedelta, stages ordered categories; `schema()` is the data dictionary.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._frames: dict[str, pd.DataFrame] = {}
        self._db = open_record(path)

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name.startswith("_") or name not in FRAMES:
            raise AttributeError(f"a run has no table {name!r}; it has {', '.join(sorted(FRAMES))}")
        if name not in self._frames:
            self._frames[name] = self.df(name)
        return self._frames[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *FRAMES]

    def __repr__(self) -> str:
        return f"<Run {self.meta.get('name', '?')} at {self.path}>"

    @property
    def meta(self) -> dict[str, str]:
        """What the run was: name, seed, clock, network file, digest."""
        return dict(self._db.execute("SELECT name, value FROM run"))

    def refresh(self) -> "Run":
        """Forget what was read; the next use reads again."""
        self._frames.clear()
        return self

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def sql(self, query: str, parameters: Sequence[object] | dict[str, object] = ()) -> pd.DataFrame:
        """Any query over the record, as SQLite answers it."""
        return cast("Any", pd).read_sql_query(query, self._db, params=parameters)

    def df(
        self,
        table: str,
        *,
        columns: Sequence[str] | None = None,
        chain: str | None = None,
        since_us: int | None = None,
    ) -> pd.DataFrame:
        """One table with its types, or the part that is asked for.

        Args:
            table: Its name.
            columns: Those wanted; all by default.
            chain: Rows of this chain; of a message or channel, those that begin or end there.
            since_us: Rows from this chain time on; a message's is when it was sent, a candidate's when it was collated.

        Raises:
            RecordError: There is no such table or column, or nothing in it that can be filtered so.
        """
        if table not in FRAMES:
            raise RecordError(f"a record has no table {table!r}; it has {', '.join(sorted(FRAMES))}")
        kinds = FRAMES[table]
        wanted = list(kinds) if columns is None else list(columns)
        conditions: list[str] = []
        if chain is not None:
            conditions.append(" OR ".join(f"{name} = :chain" for name in _filtered(table, "chain", _CHAINS)))
        if since_us is not None:
            conditions += [f"{name} >= :since" for name in _filtered(table, "since_us", _TIMES)]
        where = " WHERE " + " AND ".join(f"({each})" for each in conditions) if conditions else ""
        order = "" if table in VIEWS else " ORDER BY rowid"
        names = ", ".join(f'"{_known(table, name)}"' for name in wanted)
        query = f"SELECT {names} FROM {table}{where}{order}"
        rows = self._db.execute(query, {"chain": chain, "since": since_us}).fetchall()
        # Columns stay objects until their kind is known: a detour over float would lose digits.
        raw = {name: [row[position] for row in rows] for position, name in enumerate(wanted)}
        return pd.DataFrame({name: _typed(raw[name], kinds[name], ORDERS.get((table, name))) for name in wanted})

    def schema(self) -> pd.DataFrame:
        """The data dictionary: every table, column and kind."""
        docs = {
            **{name: table.doc for name, table in TABLES.items()},
            **{name: view.doc for name, view in VIEWS.items()},
        }
        rows = [
            (table, column, kind, docs[table]) for table, columns in FRAMES.items() for column, kind in columns.items()
        ]
        return pd.DataFrame(rows, columns=["table", "column", "kind", "doc"])

    def summary(self, until: Literal["executed", "final"] = "executed") -> pd.DataFrame:
        """Messages by channel: count, ok, failed, trapped, p50/p90/p99 of the latency, and exact sums of the fees.

        What is paid for the transaction and for delivery is in the smallest unit of the origin's own token. Execution
        may be paid in any asset: its fees are text, in whole tokens, by symbol.

        Args:
            until: Whether latency ends where a message's execution counts (a parachain's block once the relay chain
                includes it), or where that is final.
        """
        messages = self.messages
        if until == "final":
            messages = messages.assign(latency=messages.latency_final)
        fees = {channel: ", ".join(map(str, amounts)) for channel, amounts in execution_fees(self).items()}
        grouped = messages.groupby(["origin", "dest"], observed=True, sort=True)
        rows = [
            (*channel, *(measure(frame) for measure in _MEASURES.values()), fees.get(cast("Channel", channel), ""))
            for channel, frame in grouped
        ]
        return pd.DataFrame(rows, columns=["origin", "dest", *_MEASURES, "fee_execution"])

    def conserved(self) -> pd.DataFrame:
        """What had to add up over all chains at the end of the run: `difference` is zero where it does."""
        return self.conservation

    def digest(self) -> str:
        """Blake2-256 over the facts: two runs of one network file, seed and code on the virtual clock agree."""
        return record_digest(self._db)

    def export(self, directory: str | Path, kind: Literal["parquet", "csv", "jsonl"] = "csv") -> list[Path]:
        """Write every table to `directory`. Parquet needs `pip install relayloom[parquet]`."""
        target = Path(directory)
        target.mkdir(parents=True, exist_ok=True)
        written = list[Path]()
        for name in FRAMES:
            path = target / f"{name}.{kind}"
            _write(self.df(name), path, kind)
            written.append(path)
        return written

    def fact_count(self, table: str) -> int:
        """Rows of a fact table."""
        return int(self._db.execute(f"SELECT COUNT(*) FROM {stored_name(table)}").fetchone()[0])


class Paid(NamedTuple):
    """An amount of one asset, in its smallest unit."""

    asset: str
    symbol: str | None
    decimals: int | None
    amount: int

    def text(self, digits: int | None = None) -> str:
        """In whole tokens, rounded to so many digits; exact by default."""
        if self.symbol is None or self.decimals is None:
            return f"{self.amount} of {self.asset}"
        return f"{decimal(self.amount, self.decimals, digits)} {self.symbol}"

    def __str__(self) -> str:
        return self.text()


Channel = tuple[str, str]


def execution_fees(run: Run) -> dict[Channel, list[Paid]]:
    """What execution took, by origin and destination of the messages, and by asset."""
    rows = run.sql(
        "SELECT m.origin, m.dest, a.asset, a.symbol, a.decimals, a.amount_raw "
        "FROM (SELECT DISTINCT message_id, origin, dest FROM messages) m "
        "JOIN assets a ON a.message_id = m.message_id AND a.chain = m.dest AND a.role = 'fee'"
    )
    totals: dict[tuple[Channel, str, Any, Any], int] = {}
    for origin, dest, asset, symbol, decimals, amount in rows.itertuples(index=False):
        known = not pd.isna(decimals)
        key = ((origin, dest), asset, symbol if known else None, int(decimals) if known else None)
        totals[key] = totals.get(key, 0) + int(amount)
    found: dict[Channel, list[Paid]] = {}
    for (channel, asset, symbol, decimals), amount in sorted(totals.items(), key=lambda item: item[0][:2]):
        found.setdefault(channel, []).append(Paid(asset, symbol, decimals, amount))
    return found


_CHAINS = (("chain",), ("origin", "dest"), ("sender", "recipient"))
_TIMES = (("at",), ("sent_at",), ("collated_at",))
"""The columns that say where and when; the first that a table has."""


def _filtered(table: str, what: str, choices: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    for names in choices:
        if FRAMES[table].keys() >= set(names):
            return names
    raise RecordError(f"{table} cannot be filtered by {what}; its columns are {', '.join(FRAMES[table])}")


def _known(table: str, column: str) -> str:
    if column not in FRAMES[table]:
        raise RecordError(f"{table} has no column {column!r}; its columns are {', '.join(FRAMES[table])}")
    return column


def _exact_sum(column: str) -> Callable[[pd.DataFrame], int]:
    return lambda frame: sum(amount for amount in frame[column] if amount is not None)


def _latency(quantile: float) -> Callable[[pd.DataFrame], Any]:
    return lambda frame: frame.latency.quantile(quantile)


_MEASURES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "count": len,
    "ok": lambda frame: int(frame.status.isin(["executed", "final"]).sum()),
    "failed": lambda frame: int((frame.status == "failed").sum()),
    "trapped": lambda frame: int((frame.status == "trapped").sum()),
    "p50": _latency(0.5),
    "p90": _latency(0.9),
    "p99": _latency(0.99),
    "fee_tx": _exact_sum("fee_tx"),
    "fee_delivery": _exact_sum("fee_delivery"),
}


def _typed(values: list[Any], kind: Kind, order: tuple[str, ...] | None) -> "pd.Series[Any]":
    """A column of SQLite's values in the type that its kind means."""
    column = pd.Series(values, dtype=object)
    match kind:
        case "category":
            return column.astype("category")
        case "stage":
            return column.astype(pd.CategoricalDtype(list(order or ()), ordered=True))
        case "int":
            return column.astype("Int64")
        case "u32":
            return column.astype("UInt32")
        case "bool":
            return column.astype("boolean")
        case "float":
            return column.astype("float64")
        case "amount":
            return pd.Series([None if value is None else int(value) for value in values], dtype=object)
        case "time":
            return pd.to_datetime(column.astype("Int64"), unit="us", utc=True).astype("datetime64[ns, UTC]")
        case "span":
            return pd.to_timedelta(column.astype("Int64"), unit="us").astype("timedelta64[ns]")
        case "text" | "json":
            return column.astype("string")


def _write(frame: pd.DataFrame, path: Path, kind: str) -> None:
    exact = {name: frame[name].map(str, na_action="ignore") for name in frame.columns if frame[name].dtype == object}
    frame = frame.assign(**exact)
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True, date_format="iso")
    else:
        try:
            frame.to_parquet(path)
        except ImportError as error:
            raise RecordError("parquet needs pyarrow: pip install 'relayloom[parquet]'") from error
