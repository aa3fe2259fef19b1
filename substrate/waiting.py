"""What came too early, kept until what it waits for arrives.

Each sender has room of its own, so that one who talks of what never comes crowds out only itself.
"""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ItemT = TypeVar("ItemT", bound=Hashable)


class WaitingRoom(Generic[KeyT, ItemT]):
    """Items by what they wait for. Senders are those that the network vouches for, so their number is bounded."""

    def __init__(self, *, count: int, size_bytes: int) -> None:
        """Give each sender room for `count` items of `size_bytes` in all."""
        self._count = count
        self._size_bytes = size_bytes
        self._by_key: dict[KeyT, dict[tuple[str, ItemT], None]] = {}
        self._by_sender: dict[str, dict[tuple[KeyT, ItemT], int]] = {}

    def put(self, key: KeyT, sender: str, item: ItemT, *, size_bytes: int) -> None:
        """Keep an item, once; the sender's oldest ones give way. One that is too large on its own is not kept."""
        own = self._by_sender.setdefault(sender, {})
        if size_bytes > self._size_bytes:
            return
        own[key, item] = size_bytes
        self._by_key.setdefault(key, {})[sender, item] = None
        while len(own) > self._count or sum(own.values()) > self._size_bytes:
            self._forget(sender, *next(iter(own)))

    def take(self, key: KeyT) -> list[tuple[str, ItemT]]:
        """What waited for a key and who sent it, in order of arrival; no longer kept."""
        found = list(self._by_key.get(key, ()))
        for sender, item in found:
            self._forget(sender, key, item)
        return found

    def __iter__(self) -> Iterator[KeyT]:
        """What is waited for."""
        return iter(self._by_key)

    def pairs(self) -> list[tuple[KeyT, ItemT]]:
        """Everything that waits, with what it waits for."""
        return [(key, item) for key, waiting in self._by_key.items() for _, item in waiting]

    def items(self) -> list[ItemT]:
        """Everything that waits."""
        return [item for _, item in self.pairs()]

    def _forget(self, sender: str, key: KeyT, item: ItemT) -> None:
        del self._by_key[key][sender, item]
        if not self._by_key[key]:
            del self._by_key[key]
        del self._by_sender[sender][key, item]
        if not self._by_sender[sender]:
            del self._by_sender[sender]
