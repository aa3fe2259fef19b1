"""When an author tries, and how much it takes."""

from types import SimpleNamespace
from typing import Any

import pytest

from relaychain.node.authoring import Authoring, authoring_us, push_ready
from relaychain.runtime.loader import SPEC_VERSION
from substrate.crypto.keys import dev_pair
from substrate.pallets.balances import Balances
from substrate.runtime.assembly import Runtime
from substrate.runtime.extrinsic import Signing, sign_extrinsic
from substrate.types import AccountId, Slot
from tests.relaychain.node.para_network import ParaNetwork, Rows, run_network
from tests.relaychain.node.surroundings import Unused, reports

SLOT_MS = 1_000
ALICE = dev_pair("Alice", "ed25519")
INHERENTS = 2


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


@pytest.mark.parametrize(
    ("now_us", "share_us"), [(5_000_000, 666_666), (5_333_334, 666_666), (5_900_000, 100_000), (6_200_000, -200_000)]
)
def test_transactions_are_taken_for_two_thirds_of_a_slot_and_not_beyond_its_end(now_us: int, share_us: int) -> None:
    assert authoring_us(Slot(5), now_us=now_us, slot_duration_ms=SLOT_MS) == share_us


def test_an_author_minds_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given transactions in the pool and no time for a second one. When blocks are authored. Then each takes one."""

    monkeypatch.setattr("relaychain.node.authoring.authoring_us", lambda _slot, **_now: 0)

    async def scenario(network: ParaNetwork) -> None:
        node = network.validators[0]
        runtime, genesis = type(node.chain.runtime(node.chain.genesis)), node.chain.genesis
        signing = Signing(SPEC_VERSION, 1, genesis, genesis)
        call = runtime.encode_call(runtime.call_named("System.remark", remark=b"hello"))
        await network.slots(1)
        for nonce in range(3):
            node.pool.submit(sign_extrinsic(call, ALICE, nonce=nonce, signing=signing))
        await network.slots(10)

    def with_funds(runtime: Runtime) -> None:
        runtime.pallet(Balances).mint_into(AccountId(ALICE.public), 10**15)

    chain = run_network(scenario, paras=(), edit=with_funds).validators[0].chain

    taken = [len(chain.block(block).extrinsics) - INHERENTS for block in (chain.best, *chain.ancestry(chain.best))]
    assert sorted(taken[:-1], reverse=True)[:4] == [1, 1, 1, 0]


def test_transactions_are_taken_while_there_is_time() -> None:
    pushed, time = list[bytes](), iter([True, True, False])
    pool: Any = SimpleNamespace(ready=lambda: [SimpleNamespace(raw=raw) for raw in (b"1", b"2", b"3")])
    builder: Any = SimpleNamespace(push=pushed.append)

    push_ready(builder, pool, lambda: next(time))

    assert pushed == [b"1", b"2"]
