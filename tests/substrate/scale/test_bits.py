"""BitVec: immutable bits."""

import pytest

from substrate.scale.bits import BitVec
from substrate.scale.codec import decode, encode


def test_bits_pack_lowest_first() -> None:
    assert encode(BitVec, BitVec([True, False, False, True])).hex() == "1009"
    assert encode(BitVec, BitVec()).hex() == "00"
    assert decode(BitVec, bytes.fromhex("240001")) == BitVec.zeros(9).with_bit(8)


def test_changing_a_bit_makes_another_vector() -> None:
    before = BitVec.zeros(3)
    after = before.with_bit(1)

    assert (list(before), list(after)) == ([False] * 3, [False, True, False])
    assert after.with_bit(1, value=False) == before
    assert (after[1], after[0], len(after), after.count_ones(), after.indices()) == (True, False, 3, 1, (1,))


def test_bits_outside_do_not_exist() -> None:
    for index in (-1, 3):
        with pytest.raises(IndexError):
            BitVec.zeros(3)[index]
        with pytest.raises(IndexError):
            BitVec.zeros(3).with_bit(index)


def test_sets_combine() -> None:
    left, right = BitVec([True, False]), BitVec([True, True])

    assert (left | right, left & right) == (BitVec.ones(2), left)
