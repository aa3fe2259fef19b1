"""Storage accessors: keys, defaults, iteration."""

from typing import Any

import pytest

from substrate.crypto.hashing import blake2_128, twox_64, twox_128
from substrate.errors import DecodeError
from substrate.runtime.assembly import mount
from substrate.runtime.hashers import Blake2_128, Blake2_128Concat, Blake2_256, Hasher, Identity, Twox64Concat
from substrate.runtime.pallet import Pallet
from substrate.runtime.storage import (
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    camel_case,
    storage_double_map,
    storage_map,
    storage_value,
)
from substrate.scale.types import u8, u16, u32
from substrate.state import Overlay
from substrate.trie.trie import Trie
from tests.substrate.runtime.mini import MiniRuntime


class Shelf(Pallet):
    """One item of each kind."""

    plain: StorageValue[u32] = storage_value(default=7)
    maybe: StorageValue[u32 | None] = storage_value()
    renamed: StorageValue[u8] = storage_value(default=0, name="Counter")
    books: StorageMap[u16, str]
    stock: StorageMap[u16, u32] = storage_map(Twox64Concat, default=0)
    flags: StorageMap[bytes, bool] = storage_map(Identity)
    sealed: StorageMap[u16, u8] = storage_map(Blake2_256, default=0)
    loans: StorageDoubleMap[u16, str, u32] = storage_double_map(Twox64Concat, Blake2_128Concat, default=0)
    pages: StorageDoubleMap[u8, u8, str]


class ShelfRuntime(MiniRuntime):
    shelf: Shelf = mount(40, name="BookShelf")


@pytest.fixture
def shelf() -> Shelf:
    return ShelfRuntime(Overlay(Trie.empty())).shelf


def prefix(item: str) -> bytes:
    return twox_128(b"BookShelf") + twox_128(item.encode())


def test_a_value_has_its_default_until_it_is_put(shelf: Shelf) -> None:
    assert (shelf.plain.get(), shelf.plain.exists(), shelf.maybe.get()) == (7, False, None)

    shelf.plain.put(9)
    shelf.maybe.put(1)

    assert (shelf.plain.get(), shelf.plain.exists(), shelf.maybe.get()) == (9, True, 1)
    assert shelf.state.changes() == {prefix("Plain"): b"\x09\0\0\0", prefix("Maybe"): b"\x01\0\0\0"}
    assert (shelf.plain.take(), shelf.plain.get()) == (9, 7)
    shelf.maybe.kill()
    assert shelf.maybe.get() is None


def test_a_value_follows_its_bytes_whoever_writes_them(shelf: Shelf) -> None:
    other = ShelfRuntime(shelf.state).shelf
    seen: list[int] = []
    shelf.state.begin()
    for value in (1, 2):
        other.plain.put(value)
        seen.append(shelf.plain.get())
    shelf.state.rollback()

    assert [*seen, shelf.plain.get()] == [1, 2, 7]


def test_an_item_may_have_a_name_of_its_own(shelf: Shelf) -> None:
    shelf.renamed.put(1)

    assert shelf.state.get(prefix("Counter")) == b"\1"


def test_map_keys_are_hashed_as_declared(shelf: Shelf) -> None:
    shelf.books[3] = "three"
    shelf.stock[3] = 5
    shelf.flags[b"ab"] = True
    shelf.sealed[3] = 1
    shelf.loans[3, "bob"] = 2

    assert shelf.state.changes() == {
        prefix("Books") + blake2_128(b"\3\0") + b"\3\0": b"\x14three",
        prefix("Stock") + twox_64(b"\3\0") + b"\3\0": b"\5\0\0\0",
        prefix("Flags") + b"\x08ab": b"\1",
        prefix("Sealed") + Blake2_256.hash(b"\3\0"): b"\1",
        prefix("Loans") + twox_64(b"\3\0") + b"\3\0" + blake2_128(b"\x0cbob") + b"\x0cbob": b"\2\0\0\0",
    }


def test_a_map_without_default_lacks_what_was_not_stored(shelf: Shelf) -> None:
    with pytest.raises(KeyError):
        shelf.books[1]
    with pytest.raises(KeyError):
        shelf.pages[1, 2]

    assert (shelf.books.get(1), 1 in shelf.books, shelf.books.pop(1)) == (None, False, None)
    assert (shelf.pages.get(1, 2), (1, 2) in shelf.pages, shelf.pages.pop(1, 2)) == (None, False, None)


def test_a_map_with_default_gives_it_and_does_not_contain_it(shelf: Shelf) -> None:
    assert (shelf.stock[1], shelf.stock.get(1), 1 in shelf.stock, shelf.stock.pop(1)) == (0, 0, False, 0)
    assert (shelf.loans[1, "x"], shelf.loans.get(1, "x"), (1, "x") in shelf.loans) == (0, 0, False)


def test_a_map_lists_its_entries_by_storage_key(shelf: Shelf) -> None:
    expected = {number: f"book {number}" for number in range(20)}
    shelf.books[99] = "gone"
    for number, title in expected.items():
        shelf.books[number] = title
    del shelf.books[99]
    order = sorted(expected, key=shelf.books.key)

    assert list(shelf.books.keys()) == order
    assert list(shelf.books.items()) == [(number, expected[number]) for number in order]
    assert list(shelf.books.values()) == [expected[number] for number in order]
    assert shelf.books.pop(4) == "book 4"
    shelf.books.clear()
    assert list(shelf.books.items()) == []


def test_a_double_map_lists_all_and_by_first_key(shelf: Shelf) -> None:
    entries = {(first, name): first * 10 + len(name) for first in (1, 2) for name in ("a", "bb", "ccc")}
    for key, value in entries.items():
        shelf.loans[key] = value

    assert dict(shelf.loans.items()) == entries
    assert dict(shelf.loans.items_under(2)) == {"a": 21, "bb": 22, "ccc": 23}
    assert shelf.loans.pop(2, "a") == 21
    del shelf.loans[2, "bb"]
    shelf.loans.clear_under(1)
    assert dict(shelf.loans.items()) == {(2, "ccc"): 23}


def test_items_do_not_see_their_neighbours(shelf: Shelf) -> None:
    shelf.books[1] = "one"
    shelf.stock[1] = 1
    shelf.books.clear()

    assert dict(shelf.stock.items()) == {1: 1}


def test_hashes_that_drop_the_key_cannot_be_listed(shelf: Shelf) -> None:
    shelf.sealed[1] = 1

    with pytest.raises(AssertionError, match="BLAKE2_256 keys cannot be read back"):
        list(shelf.sealed.keys())


def test_bytes_that_are_no_value_are_refused(shelf: Shelf) -> None:
    shelf.state.put(prefix("Plain"), b"\1\2")

    for _ in range(2):
        with pytest.raises(DecodeError):
            shelf.plain.get()


@pytest.mark.parametrize("hasher", list(Hasher))
def test_a_reversible_hasher_ends_in_the_key(hasher: Hasher) -> None:
    hashed, skip = hasher.hash(b"a key"), hasher.prefix_length

    assert len(hashed) == {Blake2_128: 16, Blake2_256: 32, Hasher.TWOX_128: 16, Hasher.TWOX_256: 32}.get(
        hasher, (skip or 0) + 5
    )
    if skip is not None:
        assert hashed[skip:] == b"a key"


@pytest.mark.parametrize(
    ("attribute", "name"), [("total_issuance", "TotalIssuance"), ("code", "Code"), ("a_b_c", "ABC")]
)
def test_names_are_upstreams_spelling(attribute: str, name: str) -> None:
    assert camel_case(attribute) == name


def test_metadata_tells_keys_hashers_and_modifiers() -> None:
    told: dict[str, tuple[Any, ...]] = {
        declaration.name or "": (declaration.hashers, len(keys), optional)
        for declaration, keys, _, optional in ShelfRuntime.assembly().storage_of("shelf")
    }

    assert told == {
        "Plain": ((), 0, False),
        "Maybe": ((), 0, True),
        "Counter": ((), 0, False),
        "Books": ((Blake2_128Concat,), 1, True),
        "Stock": ((Twox64Concat,), 1, False),
        "Flags": ((Identity,), 1, True),
        "Sealed": ((Blake2_256,), 1, False),
        "Loans": ((Twox64Concat, Blake2_128Concat), 2, False),
        "Pages": ((Blake2_128Concat, Blake2_128Concat), 2, True),
    }
