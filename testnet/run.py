"""One run from start to end: its directory, its record, its network; what the command line asks for."""

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any

from testnet.clock import run_virtual
from testnet.launch import Options, View
from testnet.manifest import Manifest
from testnet.network import Network, running
from testnet.record import RECORD_FILE, Record, new_run_directory

REPORT_US = 500_000


class LocalRun:
    """A network in this process."""

    def __init__(self, manifest: Manifest, options: Options, view: View) -> None:
        self._manifest = manifest
        self._options = options
        self._view = view

    def demo(self) -> None:
        """Run the demo's steps."""
        with self._record() as record:
            self._drive(self._watch(record, 20))

    def up(self) -> None:
        """Run until interrupted, or until enough blocks are final."""
        with self._record() as record:
            self._drive(self._watch(record, self._options.blocks))

    def _drive(self, main: Coroutine[Any, Any, None]) -> None:
        if self._manifest.settings.clock == "virtual":
            run_virtual(main)
        else:
            asyncio.run(main)

    async def _watch(self, record: Record, blocks: int | None) -> None:
        async with running(self._manifest, record) as network:
            self._announce(network)
            while blocks is None or network.relay.chain.finalized_number < blocks:
                self._view.chains(network.status())
                await network.clock.sleep_until_us(network.clock.now_us() + REPORT_US)
            self._view.chains(network.status())

    def _announce(self, network: Network) -> None:
        for name, server in network.servers.items():
            self._view.step(f"{name} serves {server.url}")

    @contextmanager
    def _record(self) -> Generator[Record]:
        settings = self._manifest.settings
        record = Record(new_run_directory(self._options.runs, settings.name) / RECORD_FILE)
        try:
            for name, value in (("name", settings.name), ("seed", settings.seed), ("clock", settings.clock)):
                record.note(name, str(value))
            record.note("manifest", self._manifest.text)
            if self._options.publish is None:
                yield record
            else:
                yield from self._published(record, self._options.publish)
            record.note("digest", record.digest())
        finally:
            record.note("ended", "yes")
            record.close()

    def _published(self, record: Record, url: str) -> Generator[Record]:
        from testnet.publish import Publisher

        with Publisher(url, run=record.path.parent.name) as publisher:
            record.listen(publisher.put)
            record.note("publish", publisher.url)
            yield record


def open_run(manifest: Manifest, options: Options, view: View) -> LocalRun:
    """What the command line runs."""
    return LocalRun(manifest, options, view)
