"""What the command line and a network know of each other."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from testnet.manifest import Manifest


class ChainStatus(msgspec.Struct, frozen=True):
    """One line of the live view."""

    name: str
    best: int
    final: int
    rpc_url: str | None = None
    para_id: int | None = None


class View(Protocol):
    """Where a network tells a person, or a program, what it does."""

    def keep_time(self, seconds: Callable[[], float]) -> None:
        """Show this beside steps from now on, not the machine's time since the start."""
        ...

    def step(self, text: str, **facts: object) -> None:
        """Something was done."""
        ...

    def chains(self, chains: Sequence[ChainStatus]) -> None:
        """Where every chain is now; call it as often as you like."""
        ...

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A result; a narrow terminal leaves the last columns out."""
        ...

    def summary(self, **facts: object) -> None:
        """How the run ended."""
        ...

    def close(self) -> None:
        """Nothing more comes."""
        ...


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line adds to the network file."""

    runs: Path = Path("runs")
    """Directory of the runs' own directories."""
    publish: str | None = None
    """MQTT address; see `testnet.publish.Publisher`."""
    blocks: int | None = None
    """Stop after this many finalised relay blocks."""


class NetworkRun(Protocol):
    """One network, from its start to its end. Both ways close the record, whatever happens.

    Raises:
        UsageError: The user can cure it.
        RunFailed: The network did not do what it had to.
    """

    def demo(self) -> None:
        """Run the steps of the demo; RunFailed if one of them, or conservation, fails."""
        ...

    def up(self) -> None:
        """Run until interrupted, or as long as the options say."""
        ...


Opener = Callable[[Manifest, Options, View], NetworkRun]
"""`testnet.run.open_run`."""
