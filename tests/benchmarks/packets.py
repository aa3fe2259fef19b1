"""Packets over a link in memory, for a figure and for a long run."""

import asyncio

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
