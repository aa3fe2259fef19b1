"""What a user can get wrong ends a run with one line that names cause and cure, and leaves nothing running."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import testnet

spec = importlib.util.spec_from_file_location("console", Path(__file__).parent / "console.py")
assert spec is not None and spec.loader is not None
console = importlib.util.module_from_spec(spec)
spec.loader.exec_module(console)


SMALL = '[relaychain]\n[[relaychain.nodes]]\nname = "alice"\n[[relaychain.nodes]]\nname = "bob"\n'


def check(result: tuple[int, str, str], *words: str, ends_with: int = 2) -> None:
    code, _, err = result
    assert code == ends_with, err
    assert err.startswith("testnet: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = console.network_text().replace('name = "alice"', f'name = "alice"\n  rpc_port = {port}')
        file = console.network_file(tmp_path, text)
        result = console.run("up", file, "--runs", tmp_path / "runs", "--blocks", 1)

    check(result, f"port {port}", "'alice'", "rpc_port", "0 picks a free one")


def test_an_address_of_another_machine_is_named(tmp_path: Path) -> None:
    file = console.network_file(tmp_path, '[settings]\nlocal_ip = "192.0.2.1"\n' + SMALL)

    check(console.run("up", file, "--runs", tmp_path / "runs"), "'alice'", "192.0.2.1", "local_ip")


PLUGINS = {
    "broken.py": 'raise RuntimeError("boom")\n',
    "number.py": "Number = 1\n",
    "stumbling.py": """
from parachains.sdk.plugin import Parachain
class Stumbling(Parachain, symbol="X", decimals=12):
    def genesis(self, config):
        return 1 // 0
""",
}


@pytest.mark.parametrize("command", ["up", "check"])
@pytest.mark.parametrize(
    ("runtime", "words"),
    [
        (
            "unheard-of",
            ("net.toml:8: parachains[0].runtime: unknown plugin 'unheard-of'", "installed are adder, assets"),
        ),
        ("./gone.py:Gone", ("gone.py",)),
        ("./broken.py:Broken", ("broken.py", "boom")),
        ("./number.py:Number", ("number.py", "has no genesis_block", "parachains.sdk.plugin.Parachain")),
        ("./stumbling.py:Stumbling", ("net.toml:6: parachains[0]: para 1000", "no genesis block", "ZeroDivisionError")),
    ],
)
def test_a_plugin_that_cannot_start_is_named(
    tmp_path: Path, command: str, runtime: str, words: tuple[str, ...]
) -> None:
    for name, source in PLUGINS.items():
        (tmp_path / name).write_text(source)
    file = console.network_file(tmp_path, SMALL + f'[[parachains]]\nid = 1000\nruntime = "{runtime}"\n')

    check(console.run(command, file, *(["--runs", tmp_path / "runs"] if command == "up" else [])), *words)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("default_balance = 5", ("net.toml:1: relaychain: the balance of alice is 5", "from 1000000000")),
        ("accounts = { zoe = 1 }", ("net.toml:2: relaychain.accounts.zoe: account 'zoe'", "ss58")),
        ("accounts.alice = 1", ("net.toml:2: relaychain.accounts.alice: the balance of alice is 1",)),
        ("genesis = { balances = { balances = 1 } }", ("net.toml:1: relaychain: [relaychain]", "no genesis block")),
        ("genesis = { colours = {} }", ("net.toml:1: relaychain: ", "no pallet colours", "balances")),
        (
            "genesis.configuration.colour = 1",
            ("net.toml:2: relaychain.genesis.configuration: there is no colour;", "group_rotation_frequency"),
        ),
        ("genesis.configuration.scheduler_params = { colour = 1 }", ("there is no scheduler_params.colour;",)),
    ],
)
def test_a_genesis_that_cannot_be_is_named(tmp_path: Path, line: str, words: tuple[str, ...]) -> None:
    file = console.network_file(tmp_path, SMALL.replace("[relaychain]", f"[relaychain]\n{line}"))

    check(console.run("check", file), *words)


@pytest.mark.parametrize(
    ("mint", "names"),
    [
        ("self.balances.mint_into(WHO, 10**15)", ("Parachain(2000)", "issued")),
        ("self.foreign_assets.mint_into(PARENT, WHO, 10**15)", ("relay on 2000", "backed")),
    ],
)
def test_what_a_chain_mints_behind_the_books_fails_the_run(tmp_path: Path, mint: str, names: tuple[str, ...]) -> None:
    """The validators back it: they run the same code. Only the equations over all chains can tell."""
    file = printing_network(tmp_path, mint)
    code, out, err = console.run("up", file, "--runs", tmp_path / "runs", "--blocks", 5)

    check((code, out, err), "not conserved", *names, ends_with=1)
    assert "conserved:  no" in out


def test_it_fails_an_interrupted_run_too(tmp_path: Path) -> None:
    file = printing_network(tmp_path, "self.balances.mint_into(WHO, 10**15)")
    with console.start("up", file, "--runs", tmp_path / "runs", "--json") as process:
        assert process.stdout is not None
        next(line for line in process.stdout if '"name":"relay","best":9' in line)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)

    check((process.returncode, out, err), "not conserved", "Parachain(2000)", "issued", ends_with=1)
    summary = json.loads(out.splitlines()[-1])
    with closing(testnet.load("latest", runs=tmp_path / "runs")) as run:
        assert summary == {
            "event": "summary", "conserved": "no", "digest": run.meta["digest"], "record": str(run.path)
        }  # fmt: skip
        assert run.meta["digest"] == run.digest()
        assert run.meta["ended"] == "failed"


def printing_network(tmp_path: Path, mint: str) -> Path:
    (tmp_path / "printer.py").write_text(
        "from parachains.sdk.plugin import AccountId, Parachain\n"
        "from xcm.location import PARENT\n"
        'WHO = AccountId(b"mallory".ljust(32, b"."))\n'
        'class Printer(Parachain, symbol="PRT", decimals=12):\n'
        f"    def on_finalize(self, number):\n        {mint}\n"
    )
    text = SMALL + '[[parachains]]\nid = 2000\nruntime = "./printer.py:Printer"\n'
    return console.network_file(tmp_path, text)


def test_the_console_tells_once_why_a_parachain_stands_still(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(
        "from parachains.sdk.plugin import Parachain\n"
        'class Stuck(Parachain, symbol="STK", decimals=12):\n'
        "    def on_finalize(self, number):\n        1 // (2 - number)\n"
    )
    file = console.network_file(tmp_path, SMALL + '[[parachains]]\nid = 2000\nruntime = "./stuck.py:Stuck"\n')
    code, out, _ = console.run("up", file, "--runs", tmp_path / "runs", "--blocks", 6)

    assert code == 0
    [told] = [line for line in out.splitlines() if "fault at" in line]
    assert "2000: fault at collator-2000: " in told
    assert "ZeroDivisionError" in told


def test_a_network_without_finality_is_given_up(tmp_path: Path) -> None:
    file = console.network_file(tmp_path, '[settings]\ntimeout = 1\nblock_time = "1m"\n' + SMALL)
    result = console.run("up", file, "--runs", tmp_path / "runs")

    check(result, "no relay block became final for 1 s", "(final #0)", "timeout", ends_with=1)


@pytest.mark.parametrize("command", ["demo --clock virtual", "up"])
def test_a_reader_that_goes_away_ends_the_run(tmp_path: Path, command: str) -> None:
    words = command.split() + ([console.network_file(tmp_path, SMALL)] if command == "up" else [])
    with console.start(*words, "--runs", tmp_path / "runs") as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        code = process.wait(20)

    check((code, "", err), "Broken pipe", "stopped", ends_with=1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_output_that_finds_no_room_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "testnet", "check", console.network_file(tmp_path)]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=console.HOME, check=False)

    check((done.returncode, "", done.stderr), "No space left", "elsewhere")


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", "Z\\xfcrich"), ("utf-8", "Zürich")])
def test_a_terminal_that_lacks_letters_has_them_escaped(tmp_path: Path, encoding: str, shown: str) -> None:
    file = console.network_file(tmp_path, '[settings]\nname = "Zürich"\n' + SMALL)
    command = [sys.executable, "-m", "testnet", "check", file]
    done = subprocess.run(
        command, capture_output=True, env=os.environ | {"PYTHONIOENCODING": encoding}, cwd=console.HOME, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode(encoding).splitlines()[0] == f"name         {shown}"


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-"])
def test_closed_output_is_no_error(tmp_path: Path, closed: str) -> None:
    file = console.network_file(tmp_path, SMALL)
    command = f'"{sys.executable}" -m testnet up {file} --runs {tmp_path}/runs --blocks 1 {closed}'
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, cwd=console.HOME, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    with closing(testnet.load("latest", runs=tmp_path / "runs")) as run:
        assert run.meta["ended"] == "yes"


def test_what_is_no_record_is_named(tmp_path: Path) -> None:
    check(console.run("log", console.network_file(tmp_path)), "net.toml", "is not a record")


def test_a_bad_file_is_named_with_its_line(tmp_path: Path) -> None:
    file = console.network_file(tmp_path, console.network_text().replace("[relaychain]\n", "[relaychain\n", 1))

    check(console.run("up", file, "--runs", tmp_path / "runs"), f"{file}:")


def test_runs_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = console.network_file(tmp_path)

    check(console.run("up", file, "--runs", tmp_path / "file" / "runs"), "file/runs", "[record]")


@pytest.mark.parametrize("most_kilobytes", [20, 500])
def test_a_full_disk_is_named(tmp_path: Path, most_kilobytes: int) -> None:
    file = console.network_file(tmp_path)
    result = console.run("up", file, "--runs", tmp_path / "runs", most_kilobytes=most_kilobytes)

    check(result, "full", "ulimit -f", "[record]")
