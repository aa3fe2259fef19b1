"""The command line: `testnet demo | up FILE | check FILE | log`.

Exit codes: 0 done, 1 the network failed, 2 the user can cure it (one line says how), 130 interrupted. A run whose books
do not balance has failed, also where it was interrupted.
"""

import asyncio
import importlib
import os
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast

import msgspec
import typer

from testnet.errors import OutputClosed, RunFailed, UsageError
from testnet.launch import NetworkRun, Opener, Options
from testnet.manifest import Manifest, demo_manifest_path
from testnet.manifest_reader import load_manifest, located
from testnet.start import check_packages

app = typer.Typer(
    help="A relay chain, parachains and XCM between them, on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class ClockKind(StrEnum):
    """What `--clock` takes."""

    REAL = "real"
    VIRTUAL = "virtual"


FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A network file (TOML).")]
SeedOption = Annotated[int | None, typer.Option(min=0, help="Everything random comes from here.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
ClockOption = Annotated[
    ClockKind | None,
    typer.Option(help="virtual: as fast as the machine can, and the same every time.", show_default=False),
]
PublishOption = Annotated[
    str | None,
    typer.Option(
        metavar="mqtt://HOST:PORT",
        help="Publish the record's rows; mqtt:// starts a broker for this machine alone.",
        show_default=False,
    ),
]
RunsOption = Annotated[
    Path | None,
    typer.Option(help="Directory of the runs; otherwise the file's record path, or runs.", show_default=False),
]
BlocksOption = Annotated[
    int | None, typer.Option(min=1, help="Stop after so many finalised relay blocks.", show_default=False)
]


@app.command()
def demo(
    seed: SeedOption = None,
    clock: ClockOption = None,
    publish: PublishOption = None,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start a small network, move assets across it, and check what came of it."""
    with _plain_errors():
        manifest = _adjusted(load_manifest(demo_manifest_path()), seed, clock)
        _run(manifest, Options(runs=runs or manifest.record.directory, publish=publish), as_json=as_json, is_demo=True)


@app.command()
def up(
    file: FileArgument,
    seed: SeedOption = None,
    publish: PublishOption = None,
    runs: RunsOption = None,
    blocks: BlocksOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start the network that FILE describes, and keep it up until Ctrl-C."""
    with _plain_errors():
        manifest = _adjusted(load_manifest(file), seed, None)
        if manifest.settings.clock == "virtual":
            raise UsageError(f'{file}: a virtual clock has no one to wait for; set clock = "real" for `testnet up`')
        options = Options(runs=runs or manifest.record.directory, publish=publish, blocks=blocks)
        _run(manifest, options, as_json=as_json, is_demo=False)


@app.command()
def check(file: FileArgument, as_json: JsonOption = False) -> None:
    """Read FILE, load its runtimes, make its genesis blocks, and say what it describes; nothing is started."""
    with _plain_errors():
        manifest = load_manifest(file)
        _make_genesis(manifest)
        if as_json:
            _print(msgspec.json.encode(_described(manifest), enc_hook=str).decode())
        else:
            for name, value in _described(manifest).items():
                _print(f"{name:<12} {_text(value)}")


@app.command()
def log(
    run: Annotated[
        str, typer.Argument(help="A run's directory or record; latest is the last one started that has blocks.")
    ] = "latest",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="mqtt://HOST:PORT", help="Follow a broker: RUN there, or all runs.", show_default=False
        ),
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option(help="Only this table; may be repeated.", show_default=False)
    ] = None,
    chain: Annotated[str | None, typer.Option(help="Only this chain.", show_default=False)] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Last rows to print; 0 means all.")] = 40,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what a run has recorded, by chain time."""
    from testnet.log import LogReader
    from testnet.record import find_record

    with _plain_errors():
        tables = tuple(table or ())
        if source is not None:
            name = None if run == "latest" else Path(run.removesuffix("/run.sqlite")).name
            _follow_broker(source, run=name, tables=tables, chain=chain, as_json=as_json)
            return
        reader = LogReader(find_record(run, runs or Path("runs")), tables=tables, chain=chain)
        _print_row_list(reader.new_rows()[-lines:], as_json=as_json)
        if follow:
            asyncio.run(_print_rows(reader.follow(), as_json=as_json))
        reader.close()


def _adjusted(manifest: Manifest, seed: int | None, clock: ClockKind | None) -> Manifest:
    """The command line wins over the file."""
    settings = manifest.settings
    if seed is not None:
        settings = msgspec.structs.replace(settings, seed=seed)
    if clock is not None:
        settings = msgspec.structs.replace(settings, clock=clock.value)
    return msgspec.structs.replace(manifest, settings=settings)


def _run(manifest: Manifest, options: Options, *, as_json: bool, is_demo: bool) -> None:
    from testnet.views import open_view

    view = open_view(as_json=as_json)
    try:
        for key in manifest.ignored:
            view.step(f"ignored: {key} (runtimes are Python here)")
        network: NetworkRun = _opener()(manifest, options, view)
        if is_demo:
            network.demo()
        else:
            network.up()
    finally:
        view.close()


def _make_genesis(manifest: Manifest) -> None:
    """Whatever is wrong with runtimes and genesis values shows here. Raises UsageError."""
    from testnet.bundler import NodeBundler
    from testnet.genesis import relay_genesis
    from testnet.paras import load_paras

    with located(manifest):
        relay_genesis(manifest, load_paras(manifest, NodeBundler()))


def _opener() -> Opener:
    return cast("Opener", importlib.import_module("testnet.run").open_run)


def _described(manifest: Manifest) -> dict[str, object]:
    settings = manifest.settings
    return {
        "name": settings.name,
        "seed": settings.seed,
        "clock": settings.clock,
        "block_time": str(settings.block_time),
        "validators": [node.name for node in manifest.relaychain.validators],
        "parachains": [f"{para.id} {para.runtime}" for para in manifest.parachains],
        "channels": [f"{channel.sender} -> {channel.recipient}" for channel in manifest.channels],
        "ignored": list(manifest.ignored),
    }


def _text(value: object) -> str:
    return ", ".join(map(str, cast("list[object]", value))) if isinstance(value, list) else str(value)


def _print_row_list(rows: list[dict[str, str | int | float | None]], *, as_json: bool) -> None:
    from testnet.log import log_line

    for row in rows:
        _print(msgspec.json.encode(row).decode() if as_json else log_line(row))


def _follow_broker(source: str, *, run: str | None, tables: tuple[str, ...], chain: str | None, as_json: bool) -> None:
    from testnet.log import check_tables, harmless
    from testnet.publish import Follower

    def tell(line: str) -> None:
        print(f"testnet: {harmless(line)}", file=sys.stderr)

    check_tables(tables)
    follower = Follower(source, run=run, tables=tables, chain=chain, tell=tell)
    try:
        asyncio.run(_print_rows(follower.rows(), as_json=as_json))
    finally:
        if follower.foreign_count:
            print(f"testnet: passed over {follower.foreign_count} messages that are no rows", file=sys.stderr)


async def _print_rows(rows: AsyncGenerator[dict[str, str | int | float | None]], *, as_json: bool) -> None:
    async for row in rows:
        _print_row_list([row], as_json=as_json)


def _print(line: str) -> None:
    try:
        print(line, flush=True)
    except BrokenPipeError:
        raise
    except OSError as failure:
        _drop_output()
        raise UsageError(f"the output cannot be written: {failure.strerror}; send it elsewhere") from failure


def _drop_output() -> None:
    """Let the interpreter's last flush go nowhere, where the output is gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _plain_errors() -> Generator[None]:
    """What the user can cure is a line and an exit code; what is our bug keeps its traceback."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except BrokenPipeError:  # `testnet log | head`: nobody reads any more
        _drop_output()
        raise typer.Exit(0) from None
    except Exception as error:
        known = _known(error)
        if known is None:
            raise
        print(f"testnet: {known}", file=sys.stderr)
        if isinstance(known, OutputClosed):
            _drop_output()
        raise typer.Exit(2 if isinstance(known, UsageError) else 1) from None


def _known(error: BaseException) -> UsageError | RunFailed | None:
    """The error behind task groups, if all of it is of the kind that speaks for itself."""
    while isinstance(error, BaseExceptionGroup):
        inner = [_known(one) for one in cast("BaseExceptionGroup[BaseException]", error).exceptions]
        if None in inner:
            return None
        error = cast("UsageError | RunFailed", inner[0])
    return error if isinstance(error, UsageError | RunFailed) else None


def main() -> None:
    """The console script."""
    try:
        check_packages()
    except UsageError as error:
        print(f"testnet: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    app(prog_name="testnet")


if __name__ == "__main__":
    main()
