"""The overlay: a dict over a trie, with nested transactions."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from substrate.state import Overlay
from substrate.trie.proofs import trie_from_proof
from substrate.trie.trie import Trie

keys = st.lists(st.sampled_from(b"\x00\x01\x10"), max_size=4).map(bytes)
values = st.binary(max_size=40)


class OverlayAgainstADict(RuleBasedStateMachine):
    """Every read of the overlay equals a dict's, whatever was written, committed or rolled back."""

    @initialize(base=st.dictionaries(keys, values, max_size=8))
    def start(self, base: dict[bytes, bytes]) -> None:
        self.overlay = Overlay(Trie.empty().update(base))
        self.model = dict(base)
        self.saved: list[dict[bytes, bytes]] = []

    @rule(key=keys, value=values)
    def put(self, key: bytes, value: bytes) -> None:
        self.overlay.put(key, value)
        self.model[key] = value

    @rule(key=keys)
    def delete(self, key: bytes) -> None:
        self.overlay.delete(key)
        self.model.pop(key, None)

    @rule(prefix=keys, limit=st.one_of(st.none(), st.integers(0, 3)))
    def clear_prefix(self, prefix: bytes, limit: int | None) -> None:
        gone = sorted(key for key in self.model if key.startswith(prefix))[:limit]
        assert self.overlay.clear_prefix(prefix, limit) == len(gone)
        for key in gone:
            del self.model[key]

    @rule()
    def begin(self) -> None:
        self.overlay.begin()
        self.saved.append(dict(self.model))

    @precondition(lambda self: self.overlay.depth > 0)
    @rule()
    def commit(self) -> None:
        self.overlay.commit()
        self.saved.pop()

    @precondition(lambda self: self.overlay.depth > 0)
    @rule()
    def rollback(self) -> None:
        self.overlay.rollback()
        self.model = self.saved.pop()

    @rule(key=keys)
    def read(self, key: bytes) -> None:
        assert self.overlay.get(key) == self.model.get(key)
        assert self.overlay.next_key(key) == min((other for other in self.model if other > key), default=None)
        assert dict(self.overlay.items(key)) == {k: v for k, v in self.model.items() if k.startswith(key)}

    @invariant()
    def keys_and_root_agree(self) -> None:
        assert list(self.overlay.keys()) == sorted(self.model)
        assert self.overlay.root() == Trie.empty().update(self.model).root
        if not self.saved:
            assert dict(self.overlay.finish().items()) == self.model


TestOverlay = OverlayAgainstADict.TestCase


def test_an_exception_rolls_back_its_own_transaction_only() -> None:
    overlay = Overlay(Trie.empty())
    with overlay.transaction():
        overlay.put(b"outer", b"1")
        with suppress(KeyError), overlay.transaction():
            overlay.put(b"inner", b"2")
            raise KeyError
    assert overlay.changes() == {b"outer": b"1"}


def refuse_after_writing(overlay: Overlay) -> None:
    with overlay.transaction():
        overlay.put(b"key", b"1")
        raise ValueError("refused")


def test_an_exception_leaves_the_scope() -> None:
    overlay = Overlay(Trie.empty())
    with pytest.raises(ValueError, match="refused"):
        refuse_after_writing(overlay)
    assert (overlay.get(b"key"), overlay.depth) == (None, 0)


@given(st.dictionaries(keys, values, max_size=8), st.lists(keys, max_size=6))
def test_execution_over_a_recording_trie_can_be_replayed(base: dict[bytes, bytes], touched: list[bytes]) -> None:
    full = Trie.empty().update(base)

    def execute(trie: Trie) -> bytes:
        overlay = Overlay(trie)
        for key in touched:
            value = overlay.get(key)
            overlay.put(key, (value or b"") + b"x")
            if (following := overlay.next_key(key)) is not None:
                overlay.delete(following)
        overlay.clear_prefix(b"\x00\x00")
        return overlay.root()

    recording, recorder = full.recording()
    root = execute(recording)
    assert execute(trie_from_proof(full.root, recorder.proof())) == root == execute(full)
