"""What a user can get wrong ends a run with one line that names cause and cure, and leaves nothing running."""

import importlib.util
import socket
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("console", Path(__file__).parent / "console.py")
assert spec is not None and spec.loader is not None
console = importlib.util.module_from_spec(spec)
spec.loader.exec_module(console)


def check(result: tuple[int, str, str], *words: str) -> None:
    code, _, err = result
    assert code == 2
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


@pytest.mark.parametrize(
    ("runtime", "words"),
    [("unheard-of", ("unheard-of",)), ("./gone.py:Gone", ("gone.py",)), ("./broken.py:Broken", ("broken.py", "boom"))],
)
def test_a_plugin_that_does_not_load_is_named(tmp_path: Path, runtime: str, words: tuple[str, ...]) -> None:
    (tmp_path / "broken.py").write_text('raise RuntimeError("boom")\n')
    text = console.network_text().replace('runtime = "assets"', f'runtime = "{runtime}"')

    check(console.run("up", console.network_file(tmp_path, text), "--runs", tmp_path / "runs"), *words)


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
