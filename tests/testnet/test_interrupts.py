"""Ctrl-C ends a run within two seconds, whatever it does, with code 130 and a record that can be read."""

import base64
import importlib.util
import json
import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

import testnet

spec = importlib.util.spec_from_file_location("console", Path(__file__).parent / "console.py")
assert spec is not None and spec.loader is not None
console = importlib.util.module_from_spec(spec)
spec.loader.exec_module(console)

BEFORE_OURS = (-signal.SIGINT, 130)
"""The interpreter itself is interrupted before it has read a line of ours; shells show 130 for either."""


BY_THE_USER = (130, "interrupted")
BEFORE_THE_SIGNAL = (0, "yes")
AS_IT_CLOSED = (130, "yes")
"""Everything was done and only the record's closing was left, which is not interrupted."""


def interrupted(process: "subprocess.Popen[str]", runs: Path, by: signal.Signals = signal.SIGINT) -> None:
    sent = time.monotonic()
    process.send_signal(by)
    _, err = process.communicate(timeout=20)
    took = time.monotonic() - sent
    records = list(runs.glob("*/run.sqlite"))
    assert took < 2, f"{took:.2f} s"
    if not records:
        assert process.returncode in BEFORE_OURS
    if process.returncode == 130:
        assert err == ""
    for record in records:
        run = testnet.load(record)
        assert (process.returncode, run.meta["ended"]) in (BY_THE_USER, BEFORE_THE_SIGNAL, AS_IT_CLOSED)
        assert len(run.blocks) == run.fact_count("blocks")
        assert (run.conserved().difference == 0).all()
        run.close()


def wait_for(process: "subprocess.Popen[str]", text: str) -> str:
    """The first line of output with a text in it."""
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(f"it ended before it said {text!r}")


def test_while_it_starts(tmp_path: Path) -> None:
    with console.start("up", console.network_file(tmp_path), "--runs", tmp_path / "runs") as process:
        time.sleep(random.Random(tmp_path.name).random())
        interrupted(process, tmp_path / "runs")


def test_while_it_runs(tmp_path: Path) -> None:
    with console.start("up", console.network_file(tmp_path), "--runs", tmp_path / "runs", "--json") as process:
        wait_for(process, '"final":2')
        interrupted(process, tmp_path / "runs")
    run = testnet.load("latest", runs=tmp_path / "runs")
    assert run.meta["digest"] == run.digest()
    run.close()


@pytest.mark.parametrize("is_background", [False, True])
def test_a_polite_kill_is_the_same(tmp_path: Path, is_background: bool) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if is_background else signal.default_int_handler)
    try:
        process = console.start("up", console.network_file(tmp_path), "--runs", tmp_path / "runs", "--json")
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        wait_for(process, '"final":1')
        interrupted(process, tmp_path / "runs", signal.SIGTERM)


def test_while_it_publishes(tmp_path: Path) -> None:
    file = console.network_file(tmp_path)
    with console.start("up", file, "--runs", tmp_path / "runs", "--json", "--publish", "mqtt://") as process:
        wait_for(process, "rows are published at mqtt://127.0.0.1:")
        wait_for(process, '"final":1')
        interrupted(process, tmp_path / "runs")


def test_while_clients_do_not_answer(tmp_path: Path) -> None:
    """Given clients that are connected and silent. When the run is interrupted. Then it does not wait for them."""
    with console.start("up", console.network_file(tmp_path), "--runs", tmp_path / "runs", "--json") as process:
        url = json.loads(wait_for(process, "alice serves"))["text"].split()[-1]
        host, port = url.removeprefix("ws://").split(":")
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = f"GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        with socket.create_connection((host, int(port))) as client:
            client.sendall(f"{upgrade}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
            assert client.recv(12) == b"HTTP/1.1 101"
            interrupted(process, tmp_path / "runs")


EVERY_TIME = {("up", 0), ("demo --clock virtual", 5), ("demo --clock virtual", 7)}
"""Instants of `make test`; `make soak` takes the others."""


@pytest.mark.parametrize(
    ("command", "number"),
    [
        pytest.param(command, number, marks=() if (command, number) in EVERY_TIME else pytest.mark.soak)
        for command in ("up", "demo --clock virtual")
        for number in range(20)
    ],
)
def test_at_any_instant(tmp_path: Path, command: str, number: int) -> None:
    words = command.split()
    file = [console.network_file(tmp_path)] if words == ["up"] else []
    with console.start(*words, *file, "--runs", tmp_path / "runs") as process:
        time.sleep(random.Random(f"{command} {number}").random() * 2)
        if process.poll() is None:
            interrupted(process, tmp_path / "runs")
