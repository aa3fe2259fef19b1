"""The scripts that users copy run as they are."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

spec = importlib.util.spec_from_file_location("console", Path(__file__).parent / "console.py")
assert spec is not None and spec.loader is not None
console = importlib.util.module_from_spec(spec)
spec.loader.exec_module(console)

SCRIPTS = console.HOME / "testnet" / "scripts"


def run_script(name: str, *arguments: object) -> str:
    command = [sys.executable, SCRIPTS / name, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=console.HOME, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_transfer_across_chains(tmp_path: Path) -> None:
    with console.start("up", console.network_file(tmp_path), "--runs", tmp_path / "runs", "--json") as process:
        urls: dict[str, str] = {}
        while len(urls) < 6:
            text = str(json.loads(process.stdout.readline()).get("text"))
            if " serves " in text:
                name, url = text.split(" serves ")
                urls[name] = url
        said = run_script("transfer_across_chains.py", urls["alice"], urls["assets-collator"])
        process.terminate()
        process.communicate()

    assert "sent in relay block" in said
    assert "bob has 1.99" in said


def test_break_a_collator(tmp_path: Path) -> None:
    said = run_script("break_a_collator.py", tmp_path / "run.sqlite")

    assert len(re.findall(r"0x\w{8}  ExecutionError, by (\w+, ){3}\w+\n.*BadStateRoot \(computed=0x", said)) == 3
    assert re.search(r"included +[1-9]", said)
    assert re.search(r"refused +3\n", said)


def test_analyse_a_run(tmp_path: Path) -> None:
    assert console.run("demo", "--clock", "virtual", "--runs", tmp_path)[0] == 0
    said = run_script("analyse_a_run.py", next(tmp_path.iterdir()))

    assert "TooExpensive" in said
    assert said.endswith("conserved: yes\n")
