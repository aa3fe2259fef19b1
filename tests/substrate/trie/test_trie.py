"""The trie: upstream roots, and a dict as the model."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from substrate.crypto.hashing import blake2_256
from substrate.errors import DecodeError
from substrate.trie.decoding import decode_node
from substrate.trie.nodes import EMPTY_ROOT, MissingNode
from substrate.trie.proofs import ordered_root, read_proof, trie_from_proof
from substrate.trie.trie import Trie

VECTORS = Path(__file__).parents[2] / "vectors"
TRIE = json.loads((VECTORS / "relay_trie.json").read_text())
GENESIS = json.loads((VECTORS / "relay_genesis.json").read_text())

# Few letters make keys that prefix, extend and split one another.
keys = st.one_of(st.binary(max_size=3), st.lists(st.sampled_from(b"\x00\x01\x10\x11\xf0"), max_size=6).map(bytes))
values = st.one_of(st.binary(max_size=4), st.binary(min_size=30, max_size=70))
maps = st.dictionaries(keys, values, max_size=30)
changes = st.dictionaries(keys, st.one_of(st.none(), values), max_size=20)
versions = st.sampled_from((0, 1))


def unhex(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def entries_of(case: dict[str, Any]) -> dict[bytes, bytes]:
    return {unhex(key): unhex(value) for key, value in case["entries"]}


def applied(model: dict[bytes, bytes], batch: dict[bytes, bytes | None]) -> dict[bytes, bytes]:
    after = {**model, **batch}
    return {key: value for key, value in after.items() if value is not None}


def trie_of(model: dict[bytes, bytes], version: int = 1) -> Trie:
    return Trie.empty(version).update(model)


def stored(trie: Trie) -> Trie:
    """The same trie, every node of it loaded on demand."""
    return Trie.load(trie.root, dict(trie.new_nodes(Trie.empty())), trie.version)


@pytest.mark.parametrize("case", TRIE["roots"], ids=lambda case: case["fixture"])
@pytest.mark.parametrize("version", [0, 1])
def test_roots_match_upstream(case: dict[str, Any], version: int) -> None:
    assert trie_of(entries_of(case), version).root == unhex(case[f"root_v{version}"])


@pytest.mark.parametrize("case", TRIE["ordered_roots_v0"], ids=lambda case: len(case["values_utf8"]))
def test_ordered_roots_match_upstream(case: dict[str, Any]) -> None:
    assert ordered_root([value.encode() for value in case["values_utf8"]]) == unhex(case["root"])


@pytest.mark.parametrize("case", TRIE["encoded_root_nodes"], ids=lambda case: case["node"])
def test_root_nodes_match_upstream(case: dict[str, Any]) -> None:
    assert dict(trie_of(entries_of(case)).new_nodes(Trie.empty())) == {
        blake2_256(unhex(case["node"])): unhex(case["node"])
    }


def test_the_empty_root_matches_upstream() -> None:
    assert Trie.empty().root == unhex(TRIE["empty_root"]) == EMPTY_ROOT


@pytest.mark.parametrize("case", GENESIS["chains"], ids=lambda case: case["chain"])
def test_genesis_hashes_of_real_chains(case: dict[str, Any]) -> None:
    header = bytes(32) + b"\x00" + unhex(case["state_root"]) + ordered_root([]) + b"\x00"
    assert (header, blake2_256(header)) == (unhex(case["header"]), unhex(case["genesis_hash"]))


@given(maps, st.lists(changes, max_size=4), versions)
def test_batches_equal_a_dict_and_a_fresh_build(
    model: dict[bytes, bytes], batches: list[dict[bytes, bytes | None]], version: int
) -> None:
    trie = trie_of(model, version)
    for batch in batches:
        trie, model = trie.update(batch), applied(model, batch)
    assert dict(trie.items()) == model
    assert all(trie.get(key) == model.get(key) for batch in batches for key in batch)
    assert trie.root == trie_of(model, version).root


@given(maps, versions)
def test_one_by_one_equals_bulk_and_back_to_empty(model: dict[bytes, bytes], version: int) -> None:
    trie = Trie.empty(version)
    for key, value in model.items():
        trie = trie.update({key: value})
        assert trie.root != EMPTY_ROOT
    assert trie.root == trie_of(model, version).root
    for key in model:
        trie = trie.update({key: None})
    assert trie.root == EMPTY_ROOT


@given(maps, changes)
def test_old_versions_stay_valid(model: dict[bytes, bytes], batch: dict[bytes, bytes | None]) -> None:
    trie = trie_of(model)
    root = trie.root
    trie.update(batch)
    assert (dict(trie.items()), trie.root, stored(trie).root) == (model, root, root)


@given(maps, keys, st.one_of(st.none(), keys))
def test_iteration_is_ordered(model: dict[bytes, bytes], prefix: bytes, after: bytes | None) -> None:
    trie = trie_of(model)
    under = sorted(key for key in model if key.startswith(prefix))
    assert list(trie.keys(prefix)) == under
    assert list(trie.keys(prefix, after=after)) == [key for key in under if after is None or key > after]
    assert trie.next_key(prefix) == min((key for key in model if key > prefix), default=None)


@given(maps, changes, versions)
def test_a_stored_trie_behaves_like_the_one_in_memory(
    model: dict[bytes, bytes], batch: dict[bytes, bytes | None], version: int
) -> None:
    trie = trie_of(model, version)
    after = stored(trie).update(batch)
    assert after.root == trie.update(batch).root
    assert dict(stored(trie).items()) == model


@given(maps, changes)
def test_new_nodes_complete_the_store(model: dict[bytes, bytes], batch: dict[bytes, bytes | None]) -> None:
    trie = trie_of(model)
    after = trie.update(batch)
    rows = dict(trie.new_nodes(Trie.empty())) | dict(after.new_nodes(trie))
    assert dict(Trie.load(after.root, rows).items()) == applied(model, batch)


@given(st.lists(changes, min_size=1, max_size=5))
def test_reference_counts_from_new_nodes_balance(batches: list[dict[bytes, bytes | None]]) -> None:
    counts: dict[bytes, int] = {}
    trie = Trie.empty()
    for batch in batches:
        after = trie.update(batch)
        for hash_, _ in after.new_nodes(trie):
            counts[hash_] = counts.get(hash_, 0) + 1
        for hash_, _ in trie.new_nodes(after):
            counts[hash_] -= 1
        trie = after
    live = {hash_ for hash_, count in counts.items() if count > 0}
    assert min(counts.values(), default=0) >= 0
    assert live == {hash_ for hash_, _ in trie.new_nodes(Trie.empty())}


@given(maps, st.lists(keys, max_size=8))
def test_read_proofs_show_presence_and_absence(model: dict[bytes, bytes], asked: list[bytes]) -> None:
    trie = trie_of(model)
    partial = trie_from_proof(trie.root, read_proof(trie, asked))
    assert [partial.get(key) for key in asked] == [model.get(key) for key in asked]


@given(maps, changes, st.lists(keys, max_size=4), keys, versions)
def test_a_witness_reaches_the_same_root(
    model: dict[bytes, bytes], batch: dict[bytes, bytes | None], asked: list[bytes], prefix: bytes, version: int
) -> None:
    full = trie_of(model, version)
    recording, recorder = full.recording()

    def work(trie: Trie) -> tuple[object, ...]:
        reads = [trie.get(key) for key in asked]
        return reads, list(trie.keys(prefix)), trie.next_key(prefix), trie.update(batch).root

    seen = work(recording)
    assert recorder.size == sum(map(len, recorder.proof()))
    assert seen == work(trie_from_proof(full.root, recorder.proof(), version)) == work(full)


@given(maps, changes, changes)
def test_an_unrecorded_trie_records_no_more(
    model: dict[bytes, bytes], batch: dict[bytes, bytes | None], later: dict[bytes, bytes | None]
) -> None:
    recording, recorder = trie_of(model).recording()
    after = recording.update(batch).unrecorded()
    size = recorder.size
    assert dict(after.items()) == applied(model, batch)
    assert after.update(later).root == trie_of(applied(applied(model, batch), later)).root
    assert recorder.size == size


def test_reading_outside_a_proof_is_an_error() -> None:
    trie = trie_of({bytes((i,)): bytes(40) + bytes((i,)) for i in range(32)})
    partial = trie_from_proof(trie.root, read_proof(trie, [b"\x01"]))
    with pytest.raises(MissingNode):
        partial.get(b"\x1f")


def test_values_of_33_bytes_become_nodes_in_version_1() -> None:
    def node_count(size: int) -> int:
        return len(list(trie_of({b"key": bytes(size)}).new_nodes(Trie.empty())))

    assert (node_count(32), node_count(33)) == (1, 2)


def test_absent_keys_are_recorded() -> None:
    trie = trie_of({b"aa": bytes(40), b"ab": bytes(40)})
    assert len(read_proof(trie, [b"zz"])) == 1


@given(maps, versions)
def test_nodes_decode_to_what_was_encoded(model: dict[bytes, bytes], version: int) -> None:
    for raw in read_proof(trie_of(model, version), []):
        node = decode_node(raw)
        node.encoded = None
        assert node.encode() == raw


@given(st.binary(max_size=80))
def test_any_bytes_decode_canonically_or_raise(raw: bytes) -> None:
    try:
        node = decode_node(raw)
    except DecodeError:
        return
    node.encoded = None
    assert node.encode() == raw


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "00",
        "42aa04bb00",
        "42aa04",
        "41ff04bb",
        "42aa0102",
        "42aa0100bb",
        "80ff",
        "800000",
        "8001",
        "80010084",
        "800100040141",
    ],
)
def test_malformed_nodes_are_refused(raw: str) -> None:
    with pytest.raises(DecodeError):
        decode_node(bytes.fromhex(raw))


def test_long_partial_keys_round_trip() -> None:
    for size in (30, 31, 32, 62, 63, 64, 158, 159, 160, 400):
        model = {b"a" * size: bytes(3), b"a" * size + b"b": bytes(50)}
        assert dict(stored(trie_of(model)).items()) == model


@pytest.mark.parametrize("version", [0, 1])
def test_keys_may_prefix_each_other_thousands_of_times(version: int) -> None:
    chain = {b"\x11" * length: bytes([length % 256]) * 40 for length in range(3000)}
    trie = trie_of(chain, version)

    kept = stored(trie)
    recorded, _ = kept.recording()
    changed = recorded.update({b"\x11" * 2999: None, b"\x11" * 1500: b"new", b"\x11" * 10 + b"\2": b"more"})
    expected = applied(chain, {b"\x11" * 2999: None, b"\x11" * 1500: b"new", b"\x11" * 10 + b"\2": b"more"})

    assert changed.root == changed.unrecorded().root == trie_of(expected, version).root
    assert dict(changed.unrecorded().items()) == expected
    assert kept.update(dict.fromkeys(chain)).root == EMPTY_ROOT
