"""The command line: what it prints, and how it ends."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from testnet import cli
from testnet.errors import RunFailed, UsageError
from testnet.launch import Options, View
from testnet.log import log_line
from testnet.manifest import Manifest
from testnet.publish import Publisher, connect
from testnet.record import Record

RELAY = '[settings]\nblock_time = "1s"\n[relaychain]\ndefault_command = "x"\n[[relaychain.nodes]]\nname = "bob"\n'
RELAY += '[[relaychain.nodes]]\nname = "alice"\n'
PARAS = "[[parachains]]\nid = 1000\n[[parachains]]\nid = 2000\n[[hrmp_channels]]\nall = true\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def testnet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`testnet ARGS` in this process: exit code, output, errors."""

    def run(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["testnet", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


class FakeRun:
    """Stands where a network would."""

    def __init__(self, manifest: Manifest, options: Options, view: View) -> None:
        self.seen = (manifest, options, view)

    def demo(self) -> None:
        manifest, options, view = self.seen
        view.step(
            "demo",
            seed=manifest.settings.seed,
            clock=manifest.settings.clock,
            publish=options.publish,
            runs=options.runs,
        )

    def up(self) -> None:
        _, options, view = self.seen
        view.step("up", blocks=options.blocks, runs=options.runs)


@pytest.fixture
def network_file(tmp_path: Path) -> Path:
    path = tmp_path / "net.toml"
    path.write_text(RELAY + PARAS)
    return path


def fake_network(monkeypatch: pytest.MonkeyPatch, error: BaseException | None = None) -> None:
    def open_run(manifest: Manifest, options: Options, view: View) -> FakeRun:
        if error is not None:
            raise error
        return FakeRun(manifest, options, view)

    monkeypatch.setattr(cli, "_opener", lambda: open_run)


def test_check_describes_a_network(testnet: Run, network_file: Path) -> None:
    code, out, err = testnet("check", network_file)

    assert (code, err) == (0, "")
    assert "validators   bob, alice" in out
    assert "channels     1000 -> 2000, 2000 -> 1000" in out
    assert "ignored      relaychain.default_command" in out


def test_check_speaks_json(testnet: Run, network_file: Path) -> None:
    described = json.loads(testnet("check", network_file, "--json")[1])

    assert described["parachains"] == ["1000 assets", "2000 assets"]
    assert described["block_time"] == "1000ms"


def test_a_mistake_is_one_line_and_exit_code_2(testnet: Run, network_file: Path) -> None:
    network_file.write_text(RELAY + "rpc_prot = 1\n")
    code, out, err = testnet("check", network_file)

    assert (code, out) == (2, "")
    assert err.startswith(
        f"testnet: {network_file}:9: relaychain.nodes[1].rpc_prot: unknown key; did you mean rpc_port?"
    )
    assert err.count("\n") == 1


def test_unknown_commands_and_options_exit_with_2(testnet: Run) -> None:
    assert testnet("dmeo")[0] == 2
    assert testnet("demo", "--sed", 1)[0] == 2
    assert testnet("demo", "--clock", "fast")[0] == 2
    assert testnet("demo", "--seed", "-1")[0] == 2


def test_the_command_line_wins_over_the_file(
    testnet: Run, network_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_network(monkeypatch)
    monkeypatch.setattr(cli, "demo_manifest_path", lambda: network_file)

    _, out, _ = testnet("demo", "--seed", 9, "--clock", "virtual", "--publish", "mqtt://", "--json")
    ignored, step = map(json.loads, out.splitlines())
    assert ignored["text"].startswith("ignored: relaychain.default_command")
    assert step.pop("seconds") < 5
    assert step == {
        "event": "step",
        "text": "demo",
        "seed": 9,
        "clock": "virtual",
        "publish": "mqtt://",
        "runs": "runs",
    }

    _, out, _ = testnet("up", network_file, "--blocks", 3, "--runs", tmp_path)
    assert out.splitlines()[1].endswith(f"up  blocks 3  runs {tmp_path}")


@pytest.mark.parametrize("command", ["up", "demo"])
def test_the_files_path_may_begin_in_the_home_directory(
    testnet: Run, network_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    fake_network(monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(cli, "demo_manifest_path", lambda: network_file)
    network_file.write_text(RELAY + PARAS + '[record]\npath = "~/mine"\n')

    _, out, _ = testnet(command, *([network_file] if command == "up" else []), "--json")

    assert json.loads(out.splitlines()[-1])["runs"] == str(tmp_path / "mine")


def test_up_refuses_the_virtual_clock(testnet: Run, network_file: Path) -> None:
    network_file.write_text(RELAY.replace("[settings]", '[settings]\nclock = "virtual"'))
    code, _, err = testnet("up", network_file)

    assert code == 2
    assert "no one to wait for" in err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("port 9944 is taken; set rpc_port = 0"), 2, "testnet: port 9944 is taken; set rpc_port = 0\n"),
        (RunFailed("step 3 failed"), 1, "testnet: step 3 failed\n"),
        (ExceptionGroup("tasks", [ExceptionGroup("inner", [UsageError("disk full")])]), 2, "testnet: disk full\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_exit_codes(
    testnet: Run, network_file: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    fake_network(monkeypatch, error)

    ended, _, err = testnet("up", network_file)

    assert (ended, err) == (code, said)


def test_our_bug_keeps_its_traceback(network_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_network(monkeypatch, ExceptionGroup("tasks", [UsageError("x"), ZeroDivisionError()]))
    monkeypatch.setattr(sys, "argv", ["testnet", "up", str(network_file)])

    with pytest.raises(ExceptionGroup):
        cli.main()


def write_run(runs: Path, *, ended: bool = True) -> Record:
    (runs / "one").mkdir(parents=True)
    record = Record(runs / "one" / "run.sqlite")
    for number in range(3):
        record.row("blocks", chain="relay", block=number, hash=bytes([number]) * 32, at=number * 6_000_000)
    record.row(
        "extrinsics", chain="assets", block=1, block_hash="0x1", extrinsic=0, call="balances.transfer", at=7_000_000
    )
    if ended:
        record.note("ended", "yes")
    record.flush()
    return record


def test_log_prints_rows_by_chain_time(testnet: Run, tmp_path: Path) -> None:
    write_run(tmp_path).close()

    code, out, _ = testnet("log", "--runs", tmp_path)

    assert code == 0
    assert [line.split()[1:4] for line in out.splitlines()] == [
        ["relay", "#0", "blocks"], ["relay", "#1", "blocks"], ["assets", "#1", "extrinsics"], ["relay", "#2", "blocks"]
    ]  # fmt: skip
    assert out.splitlines()[1].startswith("00:00:06.000  relay #1")
    assert "hash=0x010101..0101" in out


def test_log_takes_a_part_of_the_rows(testnet: Run, tmp_path: Path) -> None:
    write_run(tmp_path).close()

    [row] = testnet("log", "--runs", tmp_path, "--chain", "assets", "--json")[1].splitlines()
    assert json.loads(row)["call"] == "balances.transfer"
    assert len(testnet("log", "--runs", tmp_path, "--table", "blocks", "-n", 2)[1].splitlines()) == 2


@pytest.mark.parametrize("table", ["colours", "run"])
def test_log_names_the_tables_that_have_a_time(testnet: Run, tmp_path: Path, table: str) -> None:
    write_run(tmp_path).close()

    said = (
        f"testnet: the log has no table {table!r}; it has blocks, extrinsics, events, messages, outcomes, hops, "
        "instructions, assets, candidates, votes, finality, refusals, faults, channels, traps, conservation\n"
    )
    assert testnet("log", "--runs", tmp_path, "--table", table) == (2, "", said)


def test_log_follows_a_record_until_the_run_ends(testnet: Run, tmp_path: Path) -> None:
    write_run(tmp_path).close()

    assert len(testnet("log", tmp_path / "one", "--follow", "-n", 1)[1].splitlines()) == 1


def test_log_follows_what_is_written_of_a_run_that_is_published_too(testnet: Run, tmp_path: Path) -> None:
    """Given a broker that is gone. Then the rows and the end come from the file."""
    record = write_run(tmp_path, ended=False)
    record.note("publish", "mqtt://127.0.0.1:1")
    ending = threading.Timer(0.5, end_of, [record.path])
    ending.start()

    code, out, err = testnet("log", tmp_path / "one", "--follow")
    ending.join()
    record.close()

    assert (code, err, len(out.splitlines())) == (0, "", 5)


def end_of(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO block_facts (chain, block, hash, at) VALUES ('relay', 9, '0x9', 9)")
        db.execute("INSERT INTO run VALUES ('ended', 'yes')")
    db.close()


def test_log_says_that_a_run_was_killed(testnet: Run, tmp_path: Path) -> None:
    write_run(tmp_path, ended=False).close()
    path = tmp_path / "one" / "run.sqlite"

    code, out, err = testnet("log", tmp_path / "one", "--follow")

    assert (code, len(out.splitlines())) == (1, 4)
    assert err == f"testnet: the process that wrote {path} was killed; these are the rows that it left\n"


def test_log_knows_a_brokers_tables(testnet: Run) -> None:
    code, _, err = testnet("log", "--from", "mqtt://127.0.0.1:1", "--table", "colours")

    assert code == 2
    assert err.startswith("testnet: the log has no table 'colours'; it has blocks, ")


def test_a_row_cannot_command_the_terminal() -> None:
    row = {"table": "faults", "chain": "re\x1b[2Jlay", "detail": "a\nb\x9b\u202e Zürich", "at": 0}

    assert log_line(row) == ("00:00:00.000  re\\u001b[2Jlay        faults       detail=a\\u000ab\\u009b\\u202e Zürich")


def test_log_follows_a_broker(tmp_path: Path) -> None:
    with Publisher("mqtt://", run="r") as publisher:
        command = [
            sys.executable,
            "-m",
            "testnet",
            "log",
            "--follow",
            "--from",
            publisher.url,
            "--table",
            "blocks",
            "--json",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as reader:
            assert reader.stdout is not None
            number = 0
            import select

            while not select.select([reader.stdout], [], [], 0.05)[0]:  # until it has subscribed
                publisher.put("blocks", {"chain": "relay", "block": number})
                number += 1
            first = json.loads(reader.stdout.readline())
            asyncio.run(send_noise(publisher.url))
            publisher.__exit__(None, None, None)
            rest, err = reader.communicate(timeout=10)

    assert first["table"] == "blocks"
    assert err == "testnet: passed over 1 messages that are no rows\n"
    assert reader.returncode == 0
    assert all(json.loads(line)["block"] > first["block"] for line in rest.splitlines())


def test_log_does_not_wait_for_a_run_that_has_ended(testnet: Run) -> None:
    with Publisher("mqtt://", run="other") as broker:
        Publisher(broker.url, run="r\x1b").__enter__().__exit__(None, None, None)
        ended = testnet("log", "r\x1b", "--from", broker.url)

    said = "testnet: the run r\\u001b has ended, and a broker keeps no rows; `testnet log` reads its record\n"
    assert ended == (0, "", said)


async def send_noise(url: str) -> None:
    async with connect(urlsplit(url)) as client:
        await client.publish("relayloom/r/blocks/relay", b"hello", qos=1)


def test_interrupting_exits_with_130(tmp_path: Path) -> None:
    record = write_run(tmp_path, ended=False)
    command = [sys.executable, "-m", "testnet", "log", "--follow", "--runs", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        for _ in range(4):
            assert reader.stdout.readline()
        record.row("blocks", chain="relay", block=3, hash="0x3", at=18_000_000)
        record.flush()
        assert "#3" in reader.stdout.readline()
        reader.send_signal(signal.SIGINT)
        _, err = reader.communicate(timeout=10)
    record.close()

    assert (reader.returncode, err) == (130, "")


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    record = write_run(tmp_path)
    for number in range(3000):
        record.row("blocks", chain="relay", block=number, hash=f"0x{number}", at=number)
    record.close()
    command = f"{sys.executable} -m testnet log --runs {tmp_path} -n 0 | head -n 1"

    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)

    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
