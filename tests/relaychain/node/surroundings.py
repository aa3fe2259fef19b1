"""What a subsystem stands on, cut down to one relay parent: a view, peers, a record."""

from collections.abc import Callable
from typing import Any

from relaychain.node.active_leaves import Leaf
from relaychain.node.reports import Reports
from relaychain.node.scheduling import RelayParent
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import ZERO_HASH, HeadData, OccupiedCoreAssumption, ParaId, ValidatorIndex
from substrate.types import BlockNumber, Hash
from tests.relaychain.node.backing_parts import relay_parent
from tests.relaychain.node.para_network import Rows

HEAD = HeadData(b"head 0")
PVD = PersistedValidationData(HEAD, BlockNumber(10), ZERO_HASH, 1000)


class StillClock:
    """Time does not pass; who sleeps has `on_sleep` called."""

    def __init__(self, on_sleep: Callable[[], None] = lambda: None) -> None:
        self._on_sleep = on_sleep

    def now_us(self) -> int:
        return 0

    async def sleep_until_us(self, _deadline_us: int) -> None:
        self._on_sleep()


class View:
    """Leaves: one relay parent, until it goes out of view."""

    def __init__(self, parent: RelayParent | None = None) -> None:
        self.parent: RelayParent | None = parent or relay_parent()
        self.leaf = Leaf(self.parent.hash, self.parent.number, (self.parent.hash,))
        self.listeners: list[Callable[[Leaf], None]] = []

    @property
    def leaves(self) -> dict[Hash, Leaf]:
        return {} if self.parent is None else {self.leaf.hash: self.leaf}

    def on_active(self, listener: Callable[[Leaf], None]) -> None:
        self.listeners.append(listener)

    def relay_parent(self, block: Hash) -> RelayParent | None:
        return self.parent if self.parent is not None and block == self.parent.hash else None

    def is_early(self, _block: Hash) -> bool:
        return False


class Api:
    """The runtime API: one head for every para."""

    def persisted_validation_data(
        self, _at: Hash, _para: ParaId, _assumption: OccupiedCoreAssumption
    ) -> PersistedValidationData:
        return PVD


class Peers:
    """A network and its requests: validators are called by their index; `answer` says what a peer answers."""

    name = "self"

    def __init__(self, answer: Callable[[str], Any] = lambda _peer: None) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.sent: list[bytes] = []
        self.handlers: dict[str, Callable[[str, bytes], None]] = {}

    def on(self, kind: str, handler: Callable[[str, bytes], None]) -> None:
        self.handlers[kind] = handler

    def broadcast(self, _kind: str, payload: bytes) -> None:
        self.sent.append(payload)

    def peer_of(self, _parent: RelayParent, validator: ValidatorIndex) -> str:
        return str(validator)

    async def ask(self, peer: str, _exchange: object, _payload: bytes) -> Any:
        self.asked.append(peer)
        return self.answer(peer)


class Unused:
    """A part that must not be asked for anything."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is asked for")


def reports(rows: Rows) -> Reports:
    return Reports("self", rows, StillClock())
