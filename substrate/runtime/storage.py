"""Storage items: declared on a pallet class, bound to a state when the pallet is instantiated.

A declaration is a non-data descriptor: the first access on a pallet instance builds the accessor and caches it in the
instance. Keys are `twox128(pallet) ++ twox128(item) ++ hasher(key)...`, as upstream.

`StorageValue[T]` with a default, or `StorageValue[T | None]` without one: `.get()` then returns None when nothing is
stored. A map without a default raises KeyError on `m[key]`; `m.get(key)` returns None.
"""

from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast

from substrate.runtime.hashers import Blake2_128Concat, Hasher
from substrate.scale.codec import Codec
from substrate.state import Overlay

T = TypeVar("T")
K = TypeVar("K")
K1 = TypeVar("K1")
K2 = TypeVar("K2")
V = TypeVar("V")


class Missing:
    """The type of `MISSING`: no default was declared."""


MISSING = Missing()


class Entry(NamedTuple):
    """One storage item of one runtime: where it lives and how its bytes read."""

    prefix: bytes
    keys: tuple[tuple[Hasher, Codec[Any]], ...]
    value: Codec[Any]
    default: Any


class StorageOwner(Protocol):
    """What an accessor needs of the pallet instance it belongs to."""

    @property
    def state(self) -> Overlay: ...

    def storage_entry(self, item: str) -> Entry: ...


class StorageValue(Generic[T]):
    """A single value."""

    __slots__ = ("_codec", "_default", "_key", "_raw", "_state", "_value")

    def __init__(self, state: Overlay, entry: Entry) -> None:
        self._state = state
        self._key = entry.prefix
        self._codec = cast("Codec[T]", entry.value)
        self._default = cast("T", None if entry.default is MISSING else entry.default)
        self._raw: bytes | None = None  # the bytes last seen, and what they decode to
        self._value = self._default

    def get(self) -> T:
        """The stored value, or the default (None where the item is optional)."""
        raw = self._state.get(self._key)
        if raw is not self._raw:
            self._value = self._default if raw is None else self._codec.decode(raw)
            self._raw = raw
        return self._value

    def put(self, value: T) -> None:
        """Store a value."""
        self._state.put(self._key, self._codec.encode(value))

    def take(self) -> T:
        """Return the value and remove it."""
        value = self.get()
        self._state.delete(self._key)
        return value

    def kill(self) -> None:
        """Remove the value."""
        self._state.delete(self._key)

    def exists(self) -> bool:
        """Whether a value is stored (a default does not count)."""
        return self._state.get(self._key) is not None


class StorageMap(Generic[K, V]):
    """Values by one key, in key-hash order when iterated."""

    __slots__ = ("_default", "_hash", "_hasher", "_key_codec", "_prefix", "_state", "_value_codec")

    def __init__(self, state: Overlay, entry: Entry) -> None:
        self._state = state
        self._prefix = entry.prefix
        ((self._hasher, self._key_codec),) = entry.keys
        self._hash = self._hasher.function
        self._value_codec = cast("Codec[V]", entry.value)
        self._default = entry.default

    def key(self, key: K) -> bytes:
        """The full storage key."""
        return self._prefix + self._hash(self._key_codec.encode(key))

    def get(self, key: K) -> V | None:
        """The value, the declared default, or None."""
        raw = self._state.get(self.key(key))
        if raw is not None:
            return self._value_codec.decode(raw)
        return None if self._default is MISSING else cast("V", self._default)

    def __getitem__(self, key: K) -> V:
        raw = self._state.get(self.key(key))
        if raw is not None:
            return self._value_codec.decode(raw)
        if self._default is MISSING:
            raise KeyError(key)
        return cast("V", self._default)

    def __setitem__(self, key: K, value: V) -> None:
        self._state.put(self.key(key), self._value_codec.encode(value))

    def __delitem__(self, key: K) -> None:
        self._state.delete(self.key(key))

    def __contains__(self, key: object) -> bool:
        return self._state.get(self.key(cast("K", key))) is not None

    def pop(self, key: K) -> V | None:
        """Return what `get` returns and remove the entry."""
        value = self.get(key)
        self._state.delete(self.key(key))
        return value

    def keys(self) -> Iterator[K]:
        """Every key, read back from the storage keys."""
        for key, _ in self._raw():
            yield key

    def items(self) -> Iterator[tuple[K, V]]:
        """Every entry."""
        for key, storage_key in self._raw():
            raw = self._state.get(storage_key)
            assert raw is not None, "a listed key has a value"
            yield key, self._value_codec.decode(raw)

    def values(self) -> Iterator[V]:
        """Every value."""
        return (value for _, value in self.items())

    def clear(self) -> None:
        """Remove every entry."""
        self._state.clear_prefix(self._prefix)

    def _raw(self) -> Iterator[tuple[K, bytes]]:
        skip = self._hasher.prefix_length
        assert skip is not None, f"{self._hasher.name} keys cannot be read back"
        start = len(self._prefix) + skip
        for storage_key in self._state.keys(self._prefix):
            yield self._key_codec.decode(storage_key[start:]), storage_key


class StorageDoubleMap(Generic[K1, K2, V]):
    """Values by two keys; everything under a first key can be listed and cleared."""

    __slots__ = ("_default", "_first", "_prefix", "_second", "_state", "_value_codec")

    def __init__(self, state: Overlay, entry: Entry) -> None:
        self._state = state
        self._prefix = entry.prefix
        self._first, self._second = entry.keys
        self._value_codec = cast("Codec[V]", entry.value)
        self._default = entry.default

    def key(self, first: K1, second: K2) -> bytes:
        """The full storage key."""
        hasher, codec = self._second
        return self._under(first) + hasher.hash(codec.encode(second))

    def get(self, first: K1, second: K2) -> V | None:
        """The value, the declared default, or None."""
        raw = self._state.get(self.key(first, second))
        if raw is not None:
            return self._value_codec.decode(raw)
        return None if self._default is MISSING else cast("V", self._default)

    def __getitem__(self, key: tuple[K1, K2]) -> V:
        raw = self._state.get(self.key(*key))
        if raw is not None:
            return self._value_codec.decode(raw)
        if self._default is MISSING:
            raise KeyError(key)
        return cast("V", self._default)

    def __setitem__(self, key: tuple[K1, K2], value: V) -> None:
        self._state.put(self.key(*key), self._value_codec.encode(value))

    def __delitem__(self, key: tuple[K1, K2]) -> None:
        self._state.delete(self.key(*key))

    def __contains__(self, key: object) -> bool:
        first, second = cast("tuple[K1, K2]", key)
        return self._state.get(self.key(first, second)) is not None

    def pop(self, first: K1, second: K2) -> V | None:
        """Return what `get` returns and remove the entry."""
        value = self.get(first, second)
        self._state.delete(self.key(first, second))
        return value

    def items_under(self, first: K1) -> Iterator[tuple[K2, V]]:
        """Every entry whose first key is `first`, by second key."""
        prefix = self._under(first)
        hasher, codec = self._second
        start = len(prefix) + _readable(hasher)
        for storage_key in self._state.keys(prefix):
            raw = self._state.get(storage_key)
            assert raw is not None, "a listed key has a value"
            yield codec.decode(storage_key[start:]), self._value_codec.decode(raw)

    def items(self) -> Iterator[tuple[tuple[K1, K2], V]]:
        """Every entry."""
        hasher, codec = self._first
        skip = _readable(hasher)
        for storage_key in self._state.keys(self._prefix):
            first, end = codec.decode_from(storage_key, len(self._prefix) + skip)
            second_hasher, second_codec = self._second
            second = second_codec.decode(storage_key[end + _readable(second_hasher) :])
            raw = self._state.get(storage_key)
            assert raw is not None, "a listed key has a value"
            yield (first, second), self._value_codec.decode(raw)

    def clear_under(self, first: K1) -> None:
        """Remove every entry whose first key is `first`."""
        self._state.clear_prefix(self._under(first))

    def _under(self, first: K1) -> bytes:
        hasher, codec = self._first
        return self._prefix + hasher.hash(codec.encode(first))


def _readable(hasher: Hasher) -> int:
    skip = hasher.prefix_length
    assert skip is not None, f"{hasher.name} keys cannot be read back"
    return skip


Accessor = StorageValue[Any] | StorageMap[Any, Any] | StorageDoubleMap[Any, Any, Any]
ACCESSORS: tuple[type[Accessor], ...] = (StorageValue, StorageMap, StorageDoubleMap)


class Declaration:
    """A storage item as its pallet declares it."""

    def __init__(
        self, accessor: type[Accessor], hashers: tuple[Hasher, ...], default: object, name: str | None
    ) -> None:
        self.accessor = accessor
        self.hashers = hashers
        self.default = default
        self.name = name
        self.attribute = ""

    @property
    def optional(self) -> bool:
        """Whether nothing stands in for an absent value."""
        return self.default is MISSING

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.attribute = attribute
        self.name = self.name or camel_case(attribute)

    def __get__(self, instance: StorageOwner | None, owner: type) -> Any:
        if instance is None:
            return self
        accessor = self.accessor(instance.state, instance.storage_entry(self.attribute))
        instance.__dict__[self.attribute] = accessor
        return accessor


def camel_case(attribute: str) -> str:
    """Upstream's spelling of a Python name: `total_issuance` -> `TotalIssuance`."""
    return "".join(part[:1].upper() + part[1:] for part in attribute.split("_"))


def storage_value(*, default: object = MISSING, name: str | None = None) -> Any:
    """Declare a single value."""
    return Declaration(StorageValue, (), default, name)


def storage_map(hasher: Hasher = Blake2_128Concat, *, default: object = MISSING, name: str | None = None) -> Any:
    """Declare a map."""
    return Declaration(StorageMap, (hasher,), default, name)


def storage_double_map(
    first: Hasher = Blake2_128Concat,
    second: Hasher = Blake2_128Concat,
    *,
    default: object = MISSING,
    name: str | None = None,
) -> Any:
    """Declare a map with two keys."""
    return Declaration(StorageDoubleMap, (first, second), default, name)
