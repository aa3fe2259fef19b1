"""A link in memory keeps nothing of what went over it."""

import asyncio
import tracemalloc

import pytest

from testnet.clock import run_virtual
from testnet.faults import LinkSettings
from testnet.transports.memory import MemoryHub


async def talk(packets: int) -> int:
    """Two nodes on a jittery link, until `packets` have arrived."""
    heard = 0

    def hear(_: str, __: bytes) -> None:
        nonlocal heard
        heard += 1

    async with MemoryHub(seed=1, default=LinkSettings(jitter_us=500), queue_limit=2_000) as hub:
        alice = hub.join("alice")
        hub.join("bob").on("x", hear)
        for _ in range(packets // 1_000):
            for _ in range(1_000):
                alice.send("bob", "x", b"payload")
            await asyncio.sleep(0.01)
    return heard


@pytest.mark.soak
def test_a_million_packets_leave_nothing_behind() -> None:
    assert run_virtual(talk(10_000)) == 10_000
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    assert run_virtual(talk(1_000_000)) == 1_000_000
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 1_000_000, f"{grown} bytes were left"
