"""SCALE: generated codecs against a plain interpreter, and against noise."""

from collections.abc import Mapping
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from substrate.errors import DecodeError
from substrate.scale import shapes as sh
from substrate.scale.bits import BitVec, encode_bits
from substrate.scale.codec import codec_of, decode, encode
from substrate.scale.hints import fields_of, shape_of
from substrate.scale.primitives import compact
from substrate.scale.types import (
    Compact,
    Exactly,
    Fixed,
    MaxLen,
    Result,
    i32,
    make_enum,
    make_struct,
    naming,
    u8,
    u16,
    u32,
    u64,
    u128,
)
from substrate.types import AccountId, Balance, Weight

LEAVES: list[Any] = [
    u8,
    u16,
    u32,
    u64,
    u128,
    i32,
    bool,
    str,
    bytes,
    Compact[u32],
    Compact[Balance],
    AccountId,
    Weight,
    BitVec,
]
LEAVES += [Annotated[bytes, Fixed(3)], Annotated[bytes, MaxLen(4)], tuple[()]]


def wrapped(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=4)
    return st.one_of(
        inner.map(lambda hint: tuple[hint, ...]),
        inner.map(lambda hint: hint | None),
        inner.map(lambda hint: Annotated[tuple[hint, ...], Exactly(2)]),
        inner.map(lambda hint: Annotated[tuple[hint, ...], Exactly(9)]),
        inner.map(lambda hint: Mapping[u16, hint]),
        inner.map(lambda hint: Result[hint, u8]),
        several.map(lambda hints: tuple[tuple(hints)]),
        several.map(lambda hints: make_struct("S", [(f"f{i}", hint) for i, hint in enumerate(hints)])),
        several.map(
            lambda hints: make_enum(
                "E", [make_struct(f"V{i}", [("a", hint)], index=i * 9) for i, hint in enumerate(hints)]
            )
        ),
    )


HINTS = st.recursive(st.sampled_from(LEAVES), wrapped, max_leaves=8)


def values(shape: sh.Shape) -> st.SearchStrategy[Any]:  # noqa: C901 (a table)
    match shape:
        case sh.IntShape(bits, signed):
            low = -(1 << bits - 1) if signed else 0
            return st.integers(low, low + (1 << bits) - 1)
        case sh.CompactShape(_, bits):
            return st.integers(0, bits).flatmap(lambda size: st.integers(0, (1 << size) - 1))
        case sh.BoolShape():
            return st.booleans()
        case sh.TextShape():
            return st.text(max_size=5)
        case sh.BytesShape(limit):
            return st.binary(max_size=limit or 70)
        case sh.FixedShape(size):
            return st.binary(min_size=size, max_size=size)
        case sh.BitsShape():
            return st.lists(st.booleans(), max_size=20).map(BitVec)
        case sh.NamedShape(inner):
            return values(inner)
        case sh.SequenceShape(item):
            return st.lists(values(item), max_size=4).map(tuple)
        case sh.ArrayShape(item, count):
            return st.lists(values(item), min_size=count, max_size=count).map(tuple)
        case sh.TupleShape(items):
            return st.tuples(*map(values, items))
        case sh.OptionShape(inner):
            return st.none() | values(inner)
        case sh.MapShape(key, value):
            return st.dictionaries(values(key), values(value), max_size=3)
        case sh.StructShape():
            return st.builds(shape.cls, *(values(field.shape) for field in fields_of(shape)))
        case sh.EnumShape(variants):
            return st.one_of(*map(values, variants))
        case _:
            raise AssertionError(shape)


def plain(shape: sh.Shape, value: Any) -> bytes:  # noqa: C901 (a table)
    """The specification, read aloud."""
    match shape:
        case sh.IntShape(bits, signed):
            return value.to_bytes(bits // 8, "little", signed=signed)
        case sh.CompactShape():
            return compact(value)
        case sh.BoolShape():
            return bytes([value])
        case sh.TextShape():
            return compact(len(value.encode())) + value.encode()
        case sh.BytesShape():
            return compact(len(value)) + value
        case sh.FixedShape():
            return value
        case sh.BitsShape():
            return encode_bits(value)
        case sh.NamedShape(inner):
            return plain(inner, value)
        case sh.SequenceShape(item):
            return compact(len(value)) + b"".join(plain(item, part) for part in value)
        case sh.ArrayShape(item):
            return b"".join(plain(item, part) for part in value)
        case sh.TupleShape(items):
            return b"".join(plain(item, part) for item, part in zip(items, value, strict=True))
        case sh.OptionShape(inner):
            return b"\0" if value is None else b"\1" + plain(inner, value)
        case sh.MapShape(key, item):
            return compact(len(value)) + b"".join(plain(key, k) + plain(item, v) for k, v in sorted(value.items()))
        case sh.StructShape():
            return b"".join(plain(field.shape, getattr(value, field.name)) for field in fields_of(shape))
        case sh.EnumShape(variants):
            case_ = next(case for case in variants if case.cls is type(value))
            return bytes([naming(case_.cls).index or 0]) + plain(case_, value)
        case _:
            raise AssertionError(shape)


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (tuple[tuple[()], u8], ((), 7), "07"),
        (tuple[tuple[tuple[()], u8], u8], (((), 7), 8), "0708"),
        (Annotated[tuple[tuple[tuple[()], u8], ...], Exactly(2)], (((), 7), ((), 8)), "0708"),
        (tuple[tuple[()], tuple[tuple[()], bytes]], ((), ((), b"a")), "0461"),
    ],
)
def test_items_without_bytes_may_stand_first(hint: Any, value: Any, expected: str) -> None:
    assert encode(hint, value) == bytes.fromhex(expected)
    assert decode(hint, bytes.fromhex(expected)) == value


@settings(max_examples=150)
@given(st.data())
def test_generated_code_writes_what_the_plain_interpreter_writes(data: st.DataObject) -> None:
    hint = data.draw(HINTS)
    value = data.draw(values(shape_of(hint)))
    codec = codec_of(hint)

    raw = codec.encode(value)

    assert raw == plain(shape_of(hint), value)
    assert codec.decode(raw) == value
    if raw:
        cut = data.draw(st.integers(0, len(raw) - 1))
        with pytest.raises(DecodeError) as refusal:
            codec.decode(raw[:cut])
        assert refusal.value.offset <= cut


@settings(max_examples=150)
@given(st.data())
def test_noise_is_refused_or_is_the_only_encoding_of_its_value(data: st.DataObject) -> None:
    codec = codec_of(data.draw(HINTS))
    raw = data.draw(st.binary(max_size=40))

    try:
        value, end = codec.decode_from(raw, 0)
    except DecodeError:
        return
    assert codec.encode(value) == raw[:end]
