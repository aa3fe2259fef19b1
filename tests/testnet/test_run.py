"""A run from start to end, in this process: what it says, what it writes, in which order."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

import testnet.run
from testnet.errors import RunFailed
from testnet.launch import ChainStatus, Options
from testnet.log import LogReader
from testnet.manifest_reader import load_manifest
from testnet.publish import END, Publisher, embedded_broker, free_port
from testnet.record import Record, RecordError, Value, find_record
from testnet.run import LocalRun

NETWORK = """
[settings]
block_time = "100ms"
timeout = 20
[relaychain]
[[relaychain.nodes]]
name = "alice"
[[relaychain.nodes]]
name = "bob"
"""


class Heard:
    """A view that remembers."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.facts: dict[str, object] = {}

    def step(self, text: str, **facts: object) -> None:
        self.steps.append(text)

    def chains(self, chains: Sequence[ChainStatus]) -> None:
        assert chains[0].best < 100, "each of these runs ends long before"

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        pass

    def summary(self, **facts: object) -> None:
        self.facts = facts

    def close(self) -> None:
        pass


def run_up(directory: Path, text: str = NETWORK, **options: object) -> Heard:
    file, view = directory / "net.toml", Heard()
    file.write_text(text)
    LocalRun(load_manifest(file), Options(runs=directory / "runs", **options), view).up()
    return view


def notes(directory: Path) -> LogReader:
    return LogReader(find_record("latest", directory / "runs"))


def test_the_end_is_published_once_it_is_in_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended, put = list[str | None](), Publisher.put

    def spy(publisher: Publisher, table: str, row: dict[str, Value]) -> None:
        if table == END:
            reader = notes(tmp_path)
            ended.append(reader.note("ended"))
            reader.close()
        put(publisher, table, row)

    monkeypatch.setattr(Publisher, "put", spy)
    view = run_up(tmp_path, blocks=1, publish="mqtt://")

    assert ended == ["yes"]
    assert list(view.facts) == ["conserved", "digest", "record"]


def test_a_broker_that_is_lost_is_told_once_and_its_rows_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, enter = free_port(), Publisher.__enter__

    async def connect_and_lose(publisher: Publisher) -> None:
        async with embedded_broker(port):
            await asyncio.to_thread(enter, publisher)

    def enter_and_lose(publisher: Publisher) -> Publisher:
        asyncio.run(connect_and_lose(publisher))
        return publisher

    monkeypatch.setattr(Publisher, "__enter__", enter_and_lose)
    view = run_up(tmp_path, blocks=10, publish=f"mqtt://127.0.0.1:{port}")

    reader = notes(tmp_path)
    rows = reader.note("unpublished")
    reader.close()
    [said] = [step for step in view.steps if "MQTT" in step]
    assert said.startswith(f"the MQTT broker at 127.0.0.1:{port} cannot be used: ")
    assert said.endswith("; the record goes on, its rows are not published any more")
    assert rows is not None and int(rows.removesuffix(" rows")) > 50
    assert view.facts["unpublished"] == rows


def test_a_write_that_failed_ends_the_run_though_whoever_wrote_went_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(Record):
        def row(self, table: str, /, **columns: object) -> None:
            super().row(table, **columns)
            if columns.get("block") == 2:
                self._failure = RecordError("the disk is full")

    monkeypatch.setattr(testnet.run, "Record", Failing)

    with pytest.raises(ExceptionGroup) as failure:
        run_up(tmp_path, blocks=1000)

    assert failure.group_contains(RecordError, match="the disk is full")


def test_a_chain_that_grows_and_is_not_finalised_is_given_up(tmp_path: Path) -> None:
    """Given validators that do not hear each other. When each authors blocks of its own. Then the run fails."""
    text = NETWORK.replace("timeout = 20", "timeout = 1")
    text += '[relaychain.default_delay_network_settings]\nlatency = "1h"\n'

    with pytest.raises(ExceptionGroup) as failure:
        run_up(tmp_path, text, blocks=1)

    said = r"^no relay block became final for 1 s: GRANDPA does not finalise; relay #[1-9]\d* \(final #0\)\. "
    assert failure.group_contains(RunFailed, match=said)
