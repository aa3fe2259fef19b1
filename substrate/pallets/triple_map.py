"""A storage map with three keys.

Source: polkadot-sdk, `substrate/frame/support/src/storage/types/nmap.rs`.
"""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar, cast

from substrate.runtime.hashers import Blake2_128Concat, Hasher
from substrate.runtime.storage import MISSING, Declaration, Entry
from substrate.scale.codec import Codec
from substrate.state import Overlay

K1 = TypeVar("K1")
K2 = TypeVar("K2")
K3 = TypeVar("K3")
V = TypeVar("V")


class StorageTripleMap(Generic[K1, K2, K3, V]):
    """Values by three keys; everything under a first key can be listed."""

    __slots__ = ("_keys", "_prefix", "_state", "_value")

    def __init__(self, state: Overlay, entry: Entry) -> None:
        self._state = state
        self._prefix = entry.prefix
        self._keys = entry.keys
        self._value = cast("Codec[V]", entry.value)

    def key(self, *keys: object) -> bytes:
        """The storage key, or the prefix of fewer keys."""
        parts = zip(self._keys, keys, strict=False)
        return self._prefix + b"".join(hasher.hash(codec.encode(key)) for (hasher, codec), key in parts)

    def get(self, first: K1, second: K2, third: K3) -> V | None:
        """The value, or None."""
        raw = self._state.get(self.key(first, second, third))
        return None if raw is None else self._value.decode(raw)

    def __setitem__(self, keys: tuple[K1, K2, K3], value: V) -> None:
        self._state.put(self.key(*keys), self._value.encode(value))

    def __delitem__(self, keys: tuple[K1, K2, K3]) -> None:
        self._state.delete(self.key(*keys))

    def items_under(self, first: K1) -> Iterator[tuple[tuple[K2, K3], V]]:
        """Every entry whose first key is `first`."""
        prefix = self.key(first)
        for storage_key in self._state.keys(prefix):
            offset, keys = len(prefix), list[Any]()
            for hasher, codec in self._keys[1:]:
                skip = hasher.prefix_length
                assert skip is not None, f"{hasher.name} keys cannot be read back"
                key, offset = codec.decode_from(storage_key, offset + skip)
                keys.append(key)
            raw = self._state.get(storage_key)
            assert raw is not None, "a listed key has a value"
            yield cast("tuple[K2, K3]", tuple(keys)), self._value.decode(raw)


def storage_triple_map(hasher: Hasher = Blake2_128Concat, *, name: str | None = None) -> Any:
    """Declare a map with three keys, all under one hasher."""
    return Declaration(cast(Any, StorageTripleMap), (hasher,) * 3, MISSING, name)
