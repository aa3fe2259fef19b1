"""One run from start to end: its directory, its record, its network; what the command line asks for."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from testnet.audit import Audit, explain
from testnet.clock import VirtualLoop, run_virtual
from testnet.conservation import Equation, differences
from testnet.demo import Demo
from testnet.errors import OutputClosed, RunFailed
from testnet.launch import Options, View
from testnet.manifest import Manifest
from testnet.network import Network, running
from testnet.record import RECORD_FILE, Record, new_run_directory
from testnet.troubles import Troubles
from testnet.views import stopwatch

if TYPE_CHECKING:
    from testnet.publish import Publisher

REPORT_US = 500_000

Handler = Callable[[int, FrameType | None], Any] | int | None
"""What a signal does, as `signal.signal` takes and gives it."""


class LocalRun:
    """A network in this process."""

    def __init__(self, manifest: Manifest, options: Options, view: View) -> None:
        self._manifest = manifest
        self._options = options
        self._view = view
        self._audit: Audit | None = None
        self._publisher: Publisher | None = None
        self._is_told = False
        """That the broker is lost."""
        self._final = (-1, 0.0)
        """Height of the relay chain's final block, and since when on the machine's clock."""
        self._troubles = Troubles(manifest)
        self._seconds = stopwatch()
        """What is shown: the machine's time, or the virtual clock's, with which a run's text repeats, too."""

    def demo(self) -> None:
        """Run the demo's steps, and report."""
        with self._record() as record:
            equations = self._audited(record, self._demo(record))
            messages = self._report(record)
            self._summarise(record, equations, messages=messages, seconds=round(self._seconds(), 1))
            self._check_books(equations)

    def up(self) -> None:
        """Run until interrupted, or until enough blocks are final."""
        with self._record() as record:
            equations = self._audited(record, self._watch(record, self._options.blocks))
            self._summarise(record, equations)
            self._check_books(equations)

    def _audited(self, record: Record, main: Coroutine[Any, Any, None]) -> tuple[Equation, ...]:
        """Run, and check the books at the end; where that is the user's, say here how it ended."""
        try:
            self._drive(main)
        except KeyboardInterrupt:
            equations = self._conclude(record)
            with suppress(OutputClosed):  # `testnet up FILE | tee log`: both were interrupted
                self._summarise(record, equations)
            self._check_books(equations)
            raise
        return self._conclude(record)

    def _drive(self, main: Coroutine[Any, Any, None]) -> None:
        if self._manifest.settings.clock == "virtual":
            run_virtual(main)
        else:
            asyncio.run(main)

    # --- while it runs ---

    async def _watch(self, record: Record, blocks: int | None) -> None:
        async with running(self._manifest, record) as network:
            self._audit = Audit(network)
            self._announce(network)
            while blocks is None or network.relay.chain.finalized_number < blocks:
                record.check()
                await self._show(network)
            self._view.chains(network.status())

    async def _demo(self, record: Record) -> None:
        async with running(self._manifest, record) as network:
            self._audit = Audit(network)
            self._announce(network)
            async with asyncio.TaskGroup() as tasks:
                showing = tasks.create_task(self._show_on(network, record), name="live view")
                await Demo(network, self._audit, record, self._view).run()
                showing.cancel()
            self._view.chains(network.status())

    async def _show_on(self, network: Network, record: Record) -> None:
        while True:
            record.check()
            await self._show(network)

    async def _show(self, network: Network) -> None:
        for trouble in self._troubles.new():
            self._view.step(trouble)
        self._view.chains(network.status())
        self._check_progress(network)
        self._check_publishing()
        await network.clock.sleep_until_us(network.clock.now_us() + REPORT_US)

    def _check_progress(self, network: Network) -> None:
        """Raise RunFailed if finality has stood still for as long as the network file allows."""
        chain, now = network.relay.chain, time.monotonic()
        if chain.finalized_number > self._final[0]:
            self._final = (chain.finalized_number, now)
        elif now - self._final[1] > self._manifest.settings.timeout:
            stuck = "GRANDPA does not finalise" if chain.best_number > chain.finalized_number else "nobody authors"
            chains = ", ".join(f"{each.name} #{each.best} (final #{each.final})" for each in network.status())
            raise RunFailed(
                f"no relay block became final for {self._manifest.settings.timeout} s: {stuck}; {chains}. "
                "`testnet log` shows what happened last; a slow machine wants a longer block_time or timeout"
            )

    def _check_publishing(self) -> None:
        """Say once that the broker is lost."""
        if self._publisher is not None and self._publisher.failure is not None and not self._is_told:
            self._is_told = True
            self._view.step(f"{self._publisher.failure}; the record goes on, its rows are not published any more")

    def _announce(self, network: Network) -> None:
        if isinstance(network.loop, VirtualLoop):
            clock, started_us = network.clock, network.clock.now_us()
            self._seconds = lambda: (clock.now_us() - started_us) / 1e6
            self._view.keep_time(self._seconds)
        for name, server in network.servers.items():
            self._view.step(f"{name} serves {server.url}")

    # --- afterwards ---

    def _conclude(self, record: Record) -> tuple[Equation, ...]:
        """Check the books, and put what came of it into the record."""
        if self._audit is None:
            return ()
        with uninterrupted():
            equations = self._audit.check()
            self._audit.write(record, equations)
        return equations

    def _is_conserved(self, equations: tuple[Equation, ...]) -> str:
        if self._audit is None:
            return "not checked"
        return "no" if differences(equations) else "yes"

    def _summarise(self, record: Record, equations: tuple[Equation, ...], **facts: object) -> None:
        """Say how it ended."""
        digest = record.digest()
        record.note("digest", digest)
        unpublished = self._unpublished()
        if unpublished:
            facts["unpublished"] = f"{unpublished} rows"
        self._view.summary(conserved=self._is_conserved(equations), **facts, digest=digest, record=str(record.path))

    def _unpublished(self) -> int:
        """Rows that did not reach the broker, after it had a moment to take them."""
        if self._publisher is None:
            return 0
        self._publisher.settle()
        return self._publisher.unpublished_count

    def _check_books(self, equations: tuple[Equation, ...]) -> None:
        """Raise RunFailed if something was lost on the way."""
        if self._audit is not None and differences(equations):
            lines = [explain(self._audit.naming, each) for each in differences(equations)]
            raise RunFailed("assets are not conserved: " + "; ".join(lines))

    def _report(self, record: Record) -> int:
        """Show every message; returns how many there were."""
        from testnet.analysis import load
        from testnet.report import show_messages

        assert self._audit is not None, "the demo has run"
        record.flush()
        run = load(record.path)
        show_messages(run, self._view, self._audit.naming)
        count = len(run.messages)
        run.close()
        return count

    @contextmanager
    def _record(self) -> Generator[Record]:
        """Where the record is open: Ctrl-C may end what is done with it, not its opening and closing."""
        with uninterrupted() as usual, ExitStack() as publishing:
            record, ended = self._open_record(), "failed"
            try:
                with interruptible(usual):
                    if self._options.publish is not None:
                        self._publish(record, self._options.publish, publishing)
                    yield record
                ended = "yes"
            except KeyboardInterrupt:
                ended = "interrupted"
                raise
            finally:
                self._close(record, ended)

    def _open_record(self) -> Record:
        settings = self._manifest.settings
        record = Record(new_run_directory(self._options.runs, settings.name) / RECORD_FILE)
        for name, value in (("name", settings.name), ("seed", settings.seed), ("clock", settings.clock)):
            record.note(name, str(value))
        record.note("manifest", self._manifest.text)
        record.listen(self._troubles.take)
        return record

    def _publish(self, record: Record, url: str, publishing: ExitStack) -> None:
        """Publish the rows of a record; those who read them hear of the end when it is in the record."""
        from testnet.publish import Publisher

        self._publisher = publishing.enter_context(Publisher(url, run=record.path.parent.name))
        record.listen(self._publisher.put)
        record.note("publish", self._publisher.url)
        self._view.step(f"rows are published at {self._publisher.url}")

    def _close(self, record: Record, ended: str) -> None:
        """Write what waits, and how the run ended; the file is let go of in any case."""
        try:
            record.flush()
            if unpublished := self._unpublished():
                record.note("unpublished", f"{unpublished} rows")
            record.note("ended", ended)
        finally:
            record.close()


@contextmanager
def uninterrupted() -> Generator[Handler]:
    """Hold Ctrl-C back until the block is done; yields what it did before, for `interruptible`."""
    if threading.current_thread() is not threading.main_thread():
        yield None
        return
    held: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield before
    finally:
        signal.signal(signal.SIGINT, before)
        if held:
            raise KeyboardInterrupt


@contextmanager
def interruptible(before: Handler) -> Generator[None]:
    """Inside of an `uninterrupted` block, let Ctrl-C do again what it did before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    holding = signal.signal(signal.SIGINT, before)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, holding)


def open_run(manifest: Manifest, options: Options, view: View) -> LocalRun:
    """What the command line runs."""
    return LocalRun(manifest, options, view)
