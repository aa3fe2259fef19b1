"""Messages of a running network, as they come in: what was sent, how it ended, what is final."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from substrate.types import Hash
from testnet.errors import RunFailed
from testnet.record import Record, Value

Row = dict[str, Value]


@dataclass
class Journey:
    """One message from chain to chain, as far as it is known."""

    sent: Row
    ends: list[Row] = field(default_factory=list[Row])
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
        self._sent: dict[str, list[Journey]] = {}
        self._by_leg: dict[tuple[str, str, str], Journey] = {}
        self._failed: dict[str, str] = {}
        self._included: set[str] = set()
        self._blocks: dict[str, list[tuple[str, str]]] = {}
        self._final: set[tuple[str, str]] = set()
        self._changed = asyncio.Event()
        record.listen(self._take)

    def _take(self, table: str, row: Row) -> None:
        match table:
            case "messages" if row.get("extrinsic") is not None:
                journey = Journey(row)
                leg = (journey.id, str(row["origin"]), str(row["dest"]))
                if leg not in self._by_leg:
                    self._by_leg[leg] = journey
                    self._sent.setdefault(str(row["extrinsic"]), []).append(journey)
            case "outcomes":
                leg = (str(row["message_id"]), str(row["origin"]), str(row["chain"]))
                if leg in self._by_leg:
                    self._by_leg[leg].ends.append(row)
            case "extrinsics":
                digest = str(row["hash"])
                self._blocks.setdefault(digest, []).append((str(row["chain"]), str(row["block_hash"])))
                if not row.get("ok"):
                    self._failed[digest] = f"{row['call']}: {row.get('error')}"
            case "finality":
                self._final.add((str(row["chain"]), str(row["hash"])))
            case _:
                return
        self._changed.set()

    # --- asking ---

    def of(self, extrinsic: Hash) -> list[Journey]:
        """The messages that an extrinsic sent."""
        return self._sent.get(_text(extrinsic), [])

    def end_of(self, journey: Journey) -> Row | None:
        """How a message ended, once the block that executed it is final."""
        return next((end for end in journey.ends if self.is_final(end)), None)

    def is_final(self, row: Row) -> bool:
        """Whether the block of a row is final."""
        return (str(row["chain"]), str(row["block_hash"])) in self._final

    def is_included(self, extrinsic: Hash) -> bool:
        """Whether an extrinsic is in a final block."""
        return any(block in self._final for block in self._blocks.get(_text(extrinsic), ()))

    # --- waiting ---

    async def until_final(self, extrinsics: Iterable[Hash], *, seconds: float) -> list[Journey]:
        """Wait until all messages that the extrinsics sent are executed in final blocks, well or not.

        Raises:
            RunFailed: An extrinsic failed, or the time is over.
        """
        waited = list(extrinsics)
        await self._until(lambda: self._open(waited) == 0, waited, seconds)
        return [journey for extrinsic in waited for journey in self.of(extrinsic)]

    async def until_included(self, extrinsics: Iterable[Hash], *, seconds: float) -> None:
        """Wait until extrinsics are in final blocks. Raises as `until_final`."""
        waited = list(extrinsics)
        await self._until(lambda: all(map(self.is_included, waited)), waited, seconds)

    def _open(self, extrinsics: list[Hash]) -> int:
        """Extrinsics with something left to wait for."""
        return sum(
            not self.of(extrinsic) or any(self.end_of(journey) is None for journey in self.of(extrinsic))
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
            if _text(extrinsic) in self._failed:
                raise RunFailed(f"an extrinsic failed: {self._failed[_text(extrinsic)]}")


def _text(digest: Hash) -> str:
    return "0x" + digest.hex()
