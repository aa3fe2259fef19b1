"""A network on the real clock, in a process of its own, seen from outside: over RPC and in its record."""

import asyncio
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import Request, urlopen

from bench import Figure
from virtual_figures import EXAMPLES

from parachains.collator.registry import load_plugin
from substrate.client.rpc.client import WebSocketClient
from substrate.runtime.extrinsic import Signing, sign_extrinsic
from substrate.scale.primitives import compact
from substrate.types import Hash
from testnet.bundler import NodeBundler
from testnet.users import dev_users, transfer_call
from xcm.junction import Parachain as ParachainJunction

HOME = Path(__file__).parents[2]
SLOT_S = 0.5
STEADY_S = 15.0
TRANSFERS, OFFERED_PER_S = 3_000, 500
"""What is offered bounds what is measured; what finds no room waits in the pool. The channel has room for most of it:
where one is half full, delivery grows dearer with each message, until users cannot pay it."""
WAIT_S = 60.0
FINAL_BATCHES = (
    "SELECT f.at, COUNT(*), SUM(o.ok) FROM outcomes o JOIN finality f ON f.chain = o.chain AND f.hash = o.block_hash "
    "WHERE o.chain = '2001' GROUP BY f.at ORDER BY f.at"
)
"""When messages became final, how many at once, and how many of them were executed well."""
NETWORK = f"""
[settings]
name = "bench"
block_time = "{round(SLOT_S * 1000)}ms"
[relaychain.genesis.configuration]
hrmp_channel_max_total_size = 1_048_576
[[relaychain.nodes]]
name = "alice"
[[relaychain.nodes]]
name = "bob"
[[relaychain.nodes]]
name = "charlie"
[[relaychain.nodes]]
name = "dave"
[[parachains]]
id = 1000
runtime = "assets"
[[parachains]]
id = 2000
runtime = "{EXAMPLES}/bazaar.py:Bazaar"
[[parachains]]
id = 2001
runtime = "{EXAMPLES}/bazaar.py:Bazaar"
[[hrmp_channels]]
all = true
max_capacity = 1000
max_message_size = 102400
"""


class Running:
    """A network that was started, its output, and its record."""

    def __init__(self, process: "subprocess.Popen[str]", runs: Path, started: float) -> None:
        self.process = process
        self.started = started
        self.started_us = time.time_ns() // 1000
        self._runs = runs
        self._urls: dict[str, str] = {}

    def url(self, node: str) -> str:
        """Where a node serves, once it does."""
        assert self.process.stdout is not None
        while node not in self._urls:
            text = str(json.loads(self.process.stdout.readline()).get("text"))
            if " serves " in text:
                name, url = text.split(" serves ")
                self._urls[name] = url
        return self._urls[node]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        [record] = self._runs.glob("*/run.sqlite")
        with sqlite3.connect(f"file:{record}?mode=ro", uri=True) as db:
            return db.execute(query).fetchall()

    def wait_for(self, query: str, is_there: Callable[[list[tuple[Any, ...]]], bool]) -> list[tuple[Any, ...]]:
        """The rows of a query, as soon as they are as wanted; after a long while, as they are."""
        until = time.monotonic() + WAIT_S
        while not is_there(found := self.rows(query)) and time.monotonic() < until:
            time.sleep(0.25)
        return found

    def memory_mb(self) -> float:
        """Proportional set size of the process."""
        lines = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@contextmanager
def network(environment: Mapping[str, str] = os.environ) -> Generator[Running]:
    with TemporaryDirectory() as directory:
        command = up_command(Path(directory))
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HOME, env=environment)
        try:
            yield Running(process, Path(directory), started)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()


def up_command(directory: Path) -> list[str]:
    file = directory / "net.toml"
    file.write_text(NETWORK)
    return [sys.executable, "-m", "testnet", "up", str(file), "--runs", str(directory), "--json"]


@contextmanager
def compiled() -> Generator[dict[str, str]]:
    """An environment in which the network has run once, with Python's byte code kept, as it is unless forbidden."""
    with TemporaryDirectory() as cache, TemporaryDirectory() as directory:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = cache
        command = [*up_command(Path(directory)), "--blocks", "1"]
        subprocess.run(command, stdout=subprocess.DEVNULL, cwd=HOME, env=environment, check=True)
        yield environment


def measure_start() -> Iterator[Figure]:
    """From the command to the first answer, the first query, the first final parachain block.

    It is the second start that is measured: the first one, after every installation, compiles the whole code base.
    """
    from substrateinterface import SubstrateInterface

    with compiled() as environment, network(environment) as running:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "system_chain", "params": []}).encode()
        url = running.url("alice")
        asked = Request(url.replace("ws:", "http:"), body, {"Content-Type": "application/json"})
        assert b"result" in urlopen(asked).read()
        yield Figure("RPC ready, from the command", "s", 1, 0.3, time.perf_counter() - running.started)
        asking = time.perf_counter()
        client = SubstrateInterface(url=url)
        client.query("System", "Number")
        yield Figure("first substrate-interface query, connection and metadata included", "s", 0.5, 0.3,
                     time.perf_counter() - asking)  # fmt: skip
        client.close()
        final = "SELECT MIN(at) FROM finality WHERE chain != 'relay' AND block > 0"
        [(at,)] = running.wait_for(final, lambda rows: rows[0][0] is not None)
        yield Figure("first final parachain block, from the command", "s", 6, 3.5, (at - running.started_us) / 1e6)


def measure_running() -> Iterator[Figure]:
    """Three parachains at rest."""
    with network() as running:
        running.url("alice")
        time.sleep(STEADY_S)
        blocks = running.rows(
            "SELECT b.at, f.at FROM block_facts b JOIN finality f ON f.hash = b.hash AND f.chain = b.chain "
            "WHERE b.chain = 'relay' ORDER BY b.block"
        )
        authored = [at for at, _ in blocks]
        spacing = (authored[-1] - authored[0]) / (len(authored) - 1) / 1e6
        yield Figure("relay block time sustained, one process, 3 paras", "s", 1, 0.5, round(spacing, 2))
        lag = statistics.median(final - at for at, final in blocks) / 1e6 / SLOT_S
        yield Figure("relay block authored to GRANDPA-final, median", "slots", 6, 3, lag)


def measure_xcm() -> Iterator[Figure]:
    """Reserve transfers from 2000 to 2001, signed before, submitted over RPC by this process."""
    with network() as running:
        url = running.url("collator-2000")
        running.wait_for("SELECT COUNT(*) FROM finality WHERE chain = '2000'", lambda rows: rows[0][0] > 1)
        first_us = asyncio.run(submit(url))
        batches = running.wait_for(FINAL_BATCHES, lambda rows: sum(count for _, count, _ in rows) >= TRANSFERS)
        count, ok = sum(count for _, count, _ in batches), sum(ok for _, _, ok in batches)
        assert count > 0, f"no message was final after {WAIT_S:.0f} s"
        assert ok == count, f"{ok} of {count} messages succeeded"
        (begin_us, begun, _), (last_us, _, _) = batches[0], batches[-1]
        seconds = (last_us - first_us) / 1e6 if count == TRANSFERS else TRANSFERS / OFFERED_PER_S + WAIT_S
        what = f"XCM transfers, {count} of {TRANSFERS} final, {OFFERED_PER_S}/s offered"
        yield Figure(f"{what}, end to end", "/s", 100, 500, count / seconds, more_is_better=True)
        sustained = (count - begun) / ((last_us - begin_us) / 1e6) if last_us > begin_us else 0
        yield Figure(
            "  the same between the first and the last final one", "/s", 100, 500, sustained, more_is_better=True
        )
        yield Figure("memory of one process (PSS), after these", "MB", 250, 150, running.memory_mb())


async def submit(url: str) -> int:
    """Submit all transfers, at the pace offered; returns when the first one went out, in microseconds."""
    async with WebSocketClient(url) as client:
        genesis = Hash(bytes.fromhex(str(await client.request("chain_getBlockHash", 0))[2:]))
        version = await client.request("state_getRuntimeVersion")
        signing = Signing(version["specVersion"], version["transactionVersion"], genesis, genesis)
        waiting = list(signed_transfers(signing))
        first_us = time.time_ns() // 1000
        started = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number, raw in enumerate(waiting):
                tasks.create_task(client.request("author_submitExtrinsic", raw))
                await asyncio.sleep(started + number / OFFERED_PER_S - time.monotonic())
        return first_us


def signed_transfers(signing: Signing) -> Iterator[str]:
    plugin = load_plugin("./bazaar.py:Bazaar", EXAMPLES, NodeBundler())
    users, runtime = (*dev_users("sr25519"), *dev_users("ed25519")), plugin.chain.runtime()
    for number in range(TRANSFERS):
        user = users[number % len(users)]
        call = transfer_call(runtime, source=2000, dest=2001, asset=(ParachainJunction(2000),), amount=10**10, to=user)
        raw = sign_extrinsic(runtime.encode_call(call), user.pair, nonce=number // len(users), signing=signing)
        yield "0x" + (compact(len(raw)) + raw).hex()
