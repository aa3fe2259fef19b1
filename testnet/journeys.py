"""Messages of a running network, as they come in: what was sent, how it ended, what is final."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from substrate.types import Hash
from testnet.errors import RunFailed
from testnet.record import Record, Value

Row = dict[str, Value]


class Journey(NamedTuple):
    """One message from chain to chain, as far as it is known, sent in one block: on another fork it is another one."""

    sent: Row
    ends: list[Row]
    """Its executions, on every fork."""

    @property
    def id(self) -> str:
        """The message's id."""
        return str(self.sent["message_id"])

    @property
    def way(self) -> str:
        """`1000 -> relay`."""
        return f"{self.sent['origin']} -> {self.sent['dest']}"


class Journeys:
    """Listens to a record while it is written."""

    def __init__(self, record: Record) -> None:
        self._sent: defaultdict[str, dict[tuple[str, ...], Journey]] = defaultdict(dict)
        """By extrinsic; a record may tell a fact twice."""
        self._ends: defaultdict[tuple[str, str, str], list[Row]] = defaultdict(list)
        self._extrinsics: defaultdict[str, list[Row]] = defaultdict(list)
        self._final: set[tuple[str, str]] = set()
        self._changed = asyncio.Event()
        record.listen(self._take)

    def _take(self, table: str, row: Row) -> None:
        match table:
            case "messages" if row.get("extrinsic") is not None:
                leg = (str(row["message_id"]), str(row["origin"]), str(row["dest"]))
                self._sent[str(row["extrinsic"])][*leg, _block(row)] = Journey(row, self._ends[leg])
            case "outcomes":
                self._ends[str(row["message_id"]), str(row["origin"]), str(row["chain"])].append(row)
            case "extrinsics":
                self._extrinsics[str(row["hash"])].append(row)
            case "finality":
                self._final.add((str(row["chain"]), str(row["hash"])))
            case _:
                return
        self._changed.set()

    # --- asking ---

    def of(self, extrinsic: Hash) -> list[Journey]:
        """The messages that an extrinsic sent, on every fork that it is on."""
        return list(self._sent[_text(extrinsic)].values())

    def of_final(self, extrinsic: Hash) -> list[Journey]:
        """The messages that it sent in a final block."""
        return [each for each in self.of(extrinsic) if (str(each.sent["origin"]), _block(each.sent)) in self._final]

    def end_of(self, journey: Journey) -> Row | None:
        """How a message ended, once the block that executed it is final."""
        return next((end for end in journey.ends if self.is_final(end)), None)

    def is_final(self, row: Row) -> bool:
        """Whether the block of a row is final."""
        return (str(row["chain"]), _block(row)) in self._final

    def is_included(self, extrinsic: Hash) -> bool:
        """Whether an extrinsic is in a final block."""
        return any(map(self.is_final, self._extrinsics[_text(extrinsic)]))

    # --- waiting ---

    async def until_final(self, extrinsics: Iterable[Hash], *, seconds: float) -> list[Journey]:
        """Wait until all messages that the extrinsics sent are executed in final blocks, well or not.

        Raises:
            RunFailed: An extrinsic failed, or the time is over.
        """
        waited = list(extrinsics)
        await self._until(lambda: self._open(waited) == 0, waited, seconds)
        return [journey for extrinsic in waited for journey in self.of_final(extrinsic)]

    async def until_included(self, extrinsics: Iterable[Hash], *, seconds: float) -> None:
        """Wait until extrinsics are in final blocks. Raises as `until_final`."""
        waited = list(extrinsics)
        await self._until(lambda: all(map(self.is_included, waited)), waited, seconds)

    def _open(self, extrinsics: list[Hash]) -> int:
        """Extrinsics with something left to wait for."""
        return sum(
            not (sent := self.of_final(extrinsic)) or any(self.end_of(journey) is None for journey in sent)
            for extrinsic in extrinsics
        )

    async def _until(self, done: Callable[[], bool], extrinsics: list[Hash], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not done():
                    self._check(extrinsics)
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            missing = self._open(extrinsics)
            raise RunFailed(f"after {seconds:g} s {missing} of {len(extrinsics)} transfers are not final") from None

    def _check(self, extrinsics: list[Hash]) -> None:
        for extrinsic in extrinsics:
            for row in self._extrinsics[_text(extrinsic)]:
                if not row.get("ok") and self.is_final(row):
                    raise RunFailed(f"an extrinsic failed: {row['call']}: {row.get('error')}")


def _block(row: Row) -> str:
    return str(row["block_hash"])


def _text(digest: Hash) -> str:
    return "0x" + digest.hex()
