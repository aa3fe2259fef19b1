"""The command line in a process of its own."""

import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).parents[2]
DEMO = HOME / "testnet" / "manifests" / "demo.toml"


def network_text(*, block_time: str = "500ms") -> str:
    """The demo's network with free ports, wherever the file lies."""
    lines = [line for line in DEMO.read_text().splitlines() if "rpc_port" not in line]
    text = "\n".join(lines).replace("../examples", str(HOME / "testnet" / "examples"))
    return text.replace('"500ms"', f'"{block_time}"')


def network_file(directory: Path, text: str | None = None) -> Path:
    path = directory / "net.toml"
    path.write_text(network_text() if text is None else text, encoding="utf-8")
    return path


def start(*arguments: object, most_kilobytes: int | None = None) -> "subprocess.Popen[str]":
    """`most_kilobytes` is how large a file may become, as on a disk that is full then."""
    command = [sys.executable, "-m", "testnet", *map(str, arguments)]
    if most_kilobytes is not None:
        command = ["sh", "-c", f'ulimit -f {most_kilobytes * 2}; exec "$@"', "sh", *command]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=HOME)


def run(*arguments: object, most_kilobytes: int | None = None) -> tuple[int, str, str]:
    with start(*arguments, most_kilobytes=most_kilobytes) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err
