"""A network within the network: the nodes of one para among themselves."""

from collections.abc import Awaitable, Callable

from relaychain.primitives.types import ParaId
from substrate.client.protocols import Network


class ScopedNetwork:
    """See `Network`. Kinds carry the para's id, and only its nodes are peers; others are not heard."""

    def __init__(self, network: Network, para: ParaId, members: tuple[str, ...]) -> None:
        self.name = network.name
        self._network = network
        self._prefix = f"para/{para}/"
        self._others = tuple(sorted(set(members) - {network.name}))

    def peers(self) -> tuple[str, ...]:
        """The para's other nodes that are connected."""
        connected = self._network.peers()
        return tuple(name for name in self._others if name in connected)

    def send(self, peer: str, kind: str, payload: bytes) -> None:
        """See `Network`."""
        self._network.send(peer, self._prefix + kind, payload)

    def broadcast(self, kind: str, payload: bytes) -> None:
        """Send to each of the para's other nodes."""
        for peer in self.peers():
            self.send(peer, kind, payload)

    async def request(self, peer: str, kind: str, payload: bytes, *, timeout_us: int) -> bytes:
        """See `Network`."""
        return await self._network.request(peer, self._prefix + kind, payload, timeout_us=timeout_us)

    def on(self, kind: str, handler: Callable[[str, bytes], None]) -> None:
        """See `Network`."""

        def of_members(sender: str, payload: bytes) -> None:
            if sender in self._others:
                handler(sender, payload)

        self._network.on(self._prefix + kind, of_members)

    def serve(self, kind: str, handler: Callable[[str, bytes], Awaitable[bytes]]) -> None:
        """See `Network`; anyone may ask, as a para's blocks are public."""
        self._network.serve(self._prefix + kind, handler)
