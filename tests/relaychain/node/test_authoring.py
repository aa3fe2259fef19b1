"""When an author tries, and how much it takes."""

from types import SimpleNamespace
from typing import Any

import pytest

from relaychain.node.authoring import Authoring, push_ready
from substrate.types import Slot
from tests.relaychain.node.para_network import Rows
from tests.relaychain.node.surroundings import Unused, reports

SLOT_MS = 1_000


class Night(Exception):
    """Nobody sleeps any more."""


class Sleepy:
    """A clock on which each sleep takes so much longer than asked for, in microseconds."""

    def __init__(self, *late: int) -> None:
        self._now = 5 * SLOT_MS * 1_000
        self._late = list(late)

    def now_us(self) -> int:
        return self._now

    async def sleep_until_us(self, at: int) -> None:
        if not self._late:
            raise Night
        self._now = at + self._late.pop(0)


class Tried(Authoring):
    """An author that only notes the slots which it is to try."""

    def __init__(self, clock: Sleepy) -> None:
        consensus: Any = SimpleNamespace(
            config=SimpleNamespace(slot_duration=SLOT_MS), slot_now=lambda: Slot(clock.now_us() // SLOT_MS // 1_000)
        )
        unused: Any = Unused()
        importer: Any = SimpleNamespace(chain=unused)
        super().__init__(
            consensus,
            importer,
            unused,
            unused,
            unused,
            keys=unused,
            clock=clock,
            reports=reports(Rows()),
            inherents=unused,
        )
        self.slots: list[int] = []

    def on_slot(self, slot: Slot) -> None:
        self.slots.append(slot)


@pytest.mark.parametrize(
    ("late", "tried"),
    [((0, 0, 0), [6, 7, 8]), ((999_999, 0), [6, 7]), ((2_300_000, 0), [8, 9])],
)
async def test_a_slot_that_is_over_is_not_tried(late: tuple[int, ...], tried: list[int]) -> None:
    author = Tried(Sleepy(*late))

    with pytest.raises(Night):
        await author.run()

    assert author.slots == tried


def test_transactions_are_taken_while_there_is_time() -> None:
    pushed, time = list[bytes](), iter([True, True, False])
    pool: Any = SimpleNamespace(ready=lambda: [SimpleNamespace(raw=raw) for raw in (b"1", b"2", b"3")])
    builder: Any = SimpleNamespace(push=pushed.append)

    push_ready(builder, pool, lambda: next(time))

    assert pushed == [b"1", b"2"]
