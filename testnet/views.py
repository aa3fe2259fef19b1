"""Live progress: a rich terminal, plain lines, or JSON lines."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import TextIO

import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table

from testnet.errors import OutputClosed
from testnet.launch import ChainStatus, View

_PLAIN_SECONDS = 5.0


def open_view(*, as_json: bool, out: TextIO | None = None) -> View:
    """The view that fits where the output goes."""
    target = sys.stdout if out is None else out
    if as_json:
        return JsonView(target)
    return RichView(Console(file=target)) if target.isatty() else PlainView(target)


class JsonView:
    """One JSON object a line, for programs."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._seconds = stopwatch()

    def keep_time(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds

    def step(self, text: str, **facts: object) -> None:
        self._write({"event": "step", "seconds": round(self._seconds(), 3), "text": text, **facts})

    def chains(self, chains: Sequence[ChainStatus]) -> None:
        self._write({"event": "chains", "chains": chains})

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        self._write({"event": "table", "title": title, "rows": named})

    def summary(self, **facts: object) -> None:
        self._write({"event": "summary", **facts})

    def close(self) -> None:
        pass

    def _write(self, value: dict[str, object]) -> None:
        _write_line(self._out, msgspec.json.encode(value, enc_hook=str).decode())


class PlainView:
    """Lines; the chains now and then."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._seconds = stopwatch()
        self._chains_at = 0.0

    def keep_time(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds

    def step(self, text: str, **facts: object) -> None:
        self._line(f"{self._seconds():7.2f} s  {_sentence(text, facts)}")

    def chains(self, chains: Sequence[ChainStatus]) -> None:
        if self._seconds() - self._chains_at >= _PLAIN_SECONDS:
            self._chains_at = self._seconds()
            self.step("   ".join(f"{chain.name} #{chain.best} (final #{chain.final})" for chain in chains))

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        cells = [list(columns), *([str(cell) for cell in row] for row in rows)]
        widths = [max(len(line[position]) for line in cells) for position in range(len(columns))]
        self._line(f"\n{title}")
        for line in cells:
            self._line("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())

    def summary(self, **facts: object) -> None:
        self._line("")
        for name, value in facts.items():
            self._line(f"{name + ':':<11} {value}")

    def close(self) -> None:
        pass

    def _line(self, text: str) -> None:
        _write_line(self._out, text)


class RichView:
    """Steps scroll by, and the chains stay below them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=8, transient=False)
        self._seconds = stopwatch()
        self._live.start()

    def keep_time(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds

    def step(self, text: str, **facts: object) -> None:
        elapsed = f"[dim]{self._seconds():7.2f} s[/dim]"
        line = f"{elapsed}  {_sentence(text, facts).replace('[', chr(92) + '[')}"
        self._console.print(line, highlight=False, soft_wrap=True)  # the terminal wraps: what is copied is one line

    def chains(self, chains: Sequence[ChainStatus]) -> None:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("chain", "best", "final", "lag", "rpc"):
            table.add_column(column, justify="right" if column in ("best", "final", "lag") else "left")
        for chain in chains:
            named = chain.para_id is not None and chain.name != str(chain.para_id)
            name = f"{chain.para_id} {chain.name}" if named else chain.name
            numbers = (chain.best, chain.final, chain.best - chain.final)
            table.add_row(name, *map(str, numbers), chain.rpc_url or "-")
        self._live.update(table)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        self._live.stop()  # results come last
        count = _fitting([columns, *rows], self._console.width)
        left_out = f" (no room here for {', '.join(columns[count:])})" if columns[count:] else ""
        self._console.print(f"\n{title}{left_out}", style="italic", markup=False, highlight=False)
        table = Table(*columns[:count], box=None, pad_edge=False)
        for row in rows:
            table.add_row(*map(str, row[:count]))
        self._console.print(table)

    def summary(self, **facts: object) -> None:
        self._live.stop()
        self._console.print()
        for name, value in facts.items():
            self._console.print(f"{name + ':':<11} {value}", markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        self._live.stop()


def stopwatch() -> Callable[[], float]:
    """The machine's seconds from now on."""
    started = time.monotonic()
    return lambda: time.monotonic() - started


def _fitting(lines: Sequence[Sequence[object]], width: int) -> int:
    """How many columns fit beside each other, the last ones left out first; rather wrapped than less than two."""
    total, count = 0, len(lines[0])
    for position in range(count):
        total += max(len(str(line[position])) for line in lines) + 2 * (position > 0)
        if total > width and position > 1:
            return position
    return count


def _write_line(out: TextIO, text: str) -> None:
    """Write a line at once. Raises OutputClosed."""
    try:
        out.write(text + "\n")
        out.flush()
    except OSError as failure:
        raise OutputClosed(failure) from failure


def _sentence(text: str, facts: dict[str, object]) -> str:
    return "  ".join([text, *(f"{name.replace('_', ' ')} {value}" for name, value in facts.items())])
