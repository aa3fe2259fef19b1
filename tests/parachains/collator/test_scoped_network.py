"""The nodes of one para among themselves."""

from parachains.collator.scoped_network import ScopedNetwork
from relaychain.primitives.types import ParaId
from testnet.clock import clock_of, run_virtual
from testnet.transports.memory import MemoryHub


def test_only_members_hear_and_are_heard() -> None:
    async def main() -> None:
        heard = list[tuple[str, str, bytes]]()
        async with MemoryHub(seed=1) as hub:
            raw = {name: hub.join(name) for name in ("carol", "dan", "eve")}
            members = ("carol", "dan")
            scoped = {name: ScopedNetwork(raw[name], ParaId(1), members) for name in members}
            stranger = ScopedNetwork(raw["eve"], ParaId(1), ("eve", "dan"))
            for name, network in scoped.items():
                network.on("block", lambda sender, payload, name=name: heard.append((name, sender, payload)))
            scoped["carol"].broadcast("block", b"b")
            stranger.broadcast("block", b"x")
            clock = clock_of(hub._loop)
            await clock.sleep_until_us(clock.now_us() + 1_000_000)
            assert scoped["carol"].peers() == ("dan",)
        assert heard == [("dan", "carol", b"b")]

    run_virtual(main())
