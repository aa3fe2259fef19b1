"""SCALE: what values look like in bytes, and which bytes are refused."""

import json
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import pytest

from substrate.errors import DecodeError, EncodeError, HintError
from substrate.scale.bits import BitVec
from substrate.scale.codec import Codecs, codec_of, decode, encode
from substrate.scale.primitives import compact, read_compact
from substrate.scale.types import (
    Ascending,
    Compact,
    Custom,
    Depth,
    Err,
    Exactly,
    Fixed,
    Late,
    MaxLen,
    Ok,
    OptionBool,
    Placeholder,
    Result,
    Struct,
    i8,
    i16,
    make_enum,
    make_struct,
    u8,
    u16,
    u32,
    u64,
    u128,
    unit,
    variant,
)
from substrate.types import AccountId, Balance, BlockNumber, Weight

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "relay_scale.json").read_text())
HINTS: dict[str, Any] = {
    "String": str,
    "Vec<u8>": bytes,
    "Vec<i16>": tuple[i16, ...],
    "Vec<Option<i8>>": tuple[i8 | None, ...],
    "Vec<OptionBool>": tuple[OptionBool, ...],
    "Vec<()>": tuple[unit, ...],
    "Vec<String>": tuple[str, ...],
}


class Color(IntEnum):
    RED = 0
    BLUE = 3


@variant(0)
class Stop(Struct): ...


@variant(2, unnamed=True)
class Move(Struct):
    by: Compact[u32]


@variant(7)
class Nest(Struct):
    inner: "Program"
    color: Color | None


@variant(8)
class Not(Struct):
    step: "Step"


@variant(9)
class Limited(Struct):
    program: Annotated[tuple[Any, ...], Late(lambda: Annotated[tuple[Step, ...], Depth(2)])]


Step: TypeAlias = Stop | Move | Nest | Not | Limited
Program: TypeAlias = tuple[Step, ...]


class Everything(Struct):
    number: BlockNumber
    who: AccountId
    price: Compact[Balance]
    flag: bool
    name: str
    steps: Annotated[Program, MaxLen(3)]
    grid: Annotated[tuple[u16, ...], Exactly(2)]
    pair: tuple[u8, str]
    weight: Weight | None
    bits: BitVec
    result: Result[u8, Color]
    tree: Mapping[u32, bytes]
    signed: i16
    nothing: None


class RuntimeCall(Placeholder): ...


class Batch(Struct):
    calls: tuple[RuntimeCall, ...]
    last: RuntimeCall | None


EVERYTHING = Everything(
    BlockNumber(5),
    AccountId(bytes(range(32))),
    Balance(10**18),
    True,
    "Війна",
    (Stop(), Move(70), Nest((Not(Stop()),), Color.BLUE)),
    (1, 65535),
    (9, ""),
    Weight(1, 2),
    BitVec([True, False, True] * 5),
    Err(Color.RED),
    {7: b"x", 1: b""},
    -2,
    None,
)


@pytest.mark.parametrize(("number", "scale"), VECTORS["compact"])
def test_compact_vectors(number: str, scale: str) -> None:
    raw = bytes.fromhex(scale[2:])

    assert encode(Compact[u64], int(number)) == raw
    assert decode(Compact[u64], raw) == int(number)


@pytest.mark.parametrize("vector", VECTORS["values"], ids=lambda vector: vector["type"])
def test_value_vectors(vector: dict[str, Any]) -> None:
    value, raw, kind = vector["value"], bytes.fromhex(vector["scale"][2:]), vector["type"]
    if kind == "Vec<()>":
        value = ((),) * value
    elif kind != "String":
        value = bytes(value) if kind == "Vec<u8>" else tuple(value)

    assert encode(HINTS[kind], value) == raw
    assert decode(HINTS[kind], raw) == value


def test_a_struct_survives_the_wire_and_every_cut_is_refused() -> None:
    raw = EVERYTHING.encode()

    assert Everything.decode(raw) == EVERYTHING
    assert codec_of(Everything).decode_from(b"??" + raw + b"!", 2) == (EVERYTHING, len(raw) + 2)
    for size in range(len(raw)):
        with pytest.raises(DecodeError) as refusal:
            Everything.decode(raw[:size])
        assert refusal.value.offset <= size
    with pytest.raises(DecodeError, match=f"bytes left over at offset {len(raw)}"):
        Everything.decode(raw + b"\0")


def test_variants_are_named_by_their_index() -> None:
    assert encode(Step, Move(1)).hex() == "0204"
    assert encode(Program, (Nest((Stop(),), None),)).hex() == "0407040000"
    assert Move(1).encode().hex() == "04"


@pytest.mark.parametrize(
    ("hint", "raw", "message"),
    [
        (Compact[u32], "0100", "compact integer is not in its shortest form at offset 0"),
        (Compact[u32], "02000000", "compact integer is not in its shortest form at offset 0"),
        (Compact[u32], "03ffffff3f", "compact integer is not in its shortest form at offset 0"),
        (Compact[u64], "07ffffffff00", "compact integer is not in its shortest form at offset 0"),
        (Compact[u32], "070000000001", "compact integer exceeds u32 at offset 0"),
        (Compact[u16], "02000400", "compact integer exceeds u16 at offset 0"),
        (Compact[u8], "0104", "compact integer exceeds u8 at offset 0"),
        (bool, "02", "invalid bool at offset 0"),
        (u8 | None, "02", "invalid Option at offset 0"),
        (OptionBool, "03", "invalid OptionBool at offset 0"),
        (Step, "01", "unknown variant 1 of an enum at offset 0"),
        (tuple[u8, Color], "0001", "unknown variant of Color at offset 1"),
        (str, "0861ff", "invalid UTF-8 at offset 2"),
        (bytes, "0861", "2 items do not fit the input at offset 1"),
        (tuple[u32, ...], "0801000000020000", "2 items do not fit the input at offset 1"),
        (tuple[Step, ...], "feffffff", "1073741823 items do not fit the input at offset 4"),
        (tuple[unit, ...], "feffffff", "1073741823 items do not fit the input at offset 4"),
        (Annotated[bytes, MaxLen(1)], "086161", "2 items exceed the bound 1 at offset 0"),
        (Annotated[tuple[u8, ...], MaxLen(1)], "086161", "2 items exceed the bound 1 at offset 0"),
        (Mapping[u8, u8], "0801000100", "map keys do not ascend at offset 5"),
        (Mapping[u8, u8], "0802000100", "map keys do not ascend at offset 5"),
        (Annotated[tuple[u8, ...], Ascending()], "080201", "items of a set do not ascend at offset 3"),
        (BitVec, "0c08", "bits set above the length of a bit vector at offset 1"),
        (BitVec, "2407", "9 bits do not fit the input at offset 0"),
        (u64, "00000000", "input ends early at offset 4"),
        (Annotated[bytes, Fixed(4)], "000000", "input ends early at offset 3"),
        (u8, "0000", "bytes left over at offset 1"),
    ],
)
def test_malformed_bytes_are_refused_with_the_offset(hint: Any, raw: str, message: str) -> None:
    with pytest.raises(DecodeError) as refusal:
        decode(hint, bytes.fromhex(raw))

    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (u8, 256),
        (u8, -1),
        (i8, 128),
        (u128, 1 << 128),
        (Compact[u32], 1 << 32),
        (Compact[u32], -1),
        (u32, "5"),
        (u32, None),
        (bool, 2),
        (BlockNumber, 1 << 32),
        (AccountId, bytes(31)),
        (bytes, "text"),
        (str, b"text"),
        (Annotated[bytes, MaxLen(1)], b"ab"),
        (Annotated[str, MaxLen(1)], "ab"),
        (Annotated[tuple[u8, ...], Exactly(2)], (1,)),
        (Annotated[tuple[str, ...], Exactly(2)], ("a", "b", "c")),
        (Annotated[tuple[u8, ...], Ascending()], (2, 1)),
        (tuple[u8, u8], (1, 2, 3)),
        (tuple[u8, ...], (1, 300)),
        (Step, Weight(0, 0)),
        (Color, 1),
    ],
)
def test_values_that_do_not_fit_are_refused(hint: Any, value: Any) -> None:
    with pytest.raises(EncodeError):
        encode(hint, value)


def test_a_refused_value_is_located() -> None:
    with pytest.raises(EncodeError) as refusal:
        encode(Program, (Stop(), Nest((Move(1 << 40),), None)))

    assert str(refusal.value) == "[1]Nest.inner[0]Move.by 1099511627776: 1099511627776 is outside Compact<u32>"


def nested(levels: int) -> Program:
    program: Program = (Stop(),)
    for _ in range(levels - 1):
        program = (Nest(program, None),)
    return program


def test_sequences_nest_sixty_four_deep() -> None:
    assert decode(Program, encode(Program, nested(64))) == nested(64)
    with pytest.raises(DecodeError, match="nested too deep"):
        decode(Program, encode(Program, nested(65)))


def test_direct_recursion_is_bounded_too() -> None:
    with pytest.raises(DecodeError, match="nested too deep"):
        decode(Step, b"\x08" * 5000 + b"\0")
    assert decode(Step, b"\x08" * 64 + b"\0") is not None
    with pytest.raises(DecodeError, match="nested too deep"):
        decode(Step, b"\x08" * 65 + b"\0")


def test_a_depth_hint_bounds_what_lies_below() -> None:
    fits, deep = Limited(nested(2)), Limited(nested(3))

    assert decode(Step, encode(Step, fits)) == fits
    with pytest.raises(DecodeError, match="nested too deep"):
        decode(Step, encode(Step, deep))


def test_placeholders_mean_what_their_context_binds() -> None:
    pay = make_struct("pay", [("amount", Compact[Balance])], index=1)
    batch = make_struct("batch", [("calls", tuple[RuntimeCall, ...])], index=2)
    balances = make_struct("Balances", [("value", make_enum("Call", [pay, batch]))], index=4, bases=(RuntimeCall,))
    codec = Codecs({RuntimeCall: make_enum("toy_runtime::RuntimeCall", [balances])}).of(Batch)
    call: Any = balances(pay(3))
    value = Batch((call, balances(batch((call,)))), call)

    assert codec.encode(value).hex() == "08" + "04010c" + "040204" + "04010c" + "01" + "04010c"
    assert codec.decode(codec.encode(value)) == value
    assert isinstance(call, RuntimeCall)
    with pytest.raises(HintError, match="RuntimeCall is a placeholder"):
        Batch((call,), None).encode()


def test_enums_may_have_one_variant_or_none() -> None:
    only = make_struct("Only", [], index=3)

    assert encode(make_enum("One", [only]), only()) == b"\3"
    with pytest.raises(DecodeError):
        decode(make_enum("None", []), b"\0")


def test_hand_written_forms_take_part() -> None:
    hint = Annotated[int, Custom(lambda number: bytes([number]), lambda data, at: (data[at], at + 1), u8)]

    assert decode(tuple[hint, u8], encode(tuple[hint, u8], (1, 2))) == (1, 2)
    with pytest.raises(DecodeError):
        decode(tuple[u8, hint], b"\1")


def test_options_of_unions_and_generic_values() -> None:
    assert encode(Step | None, None) == b"\0"
    assert encode(Step | None, Stop()) == b"\1\0"
    assert decode(Result[u16, str], b"\0\1\0") == Ok(1)


def test_maps_are_written_in_key_order_and_cannot_change() -> None:
    tree = decode(Mapping[tuple[u16, str], u8], encode(Mapping[tuple[u16, str], u8], {(256, ""): 1, (2, "b"): 2}))

    assert list(tree.items()) == [((2, "b"), 2), ((256, ""), 1)]
    with pytest.raises(TypeError):
        tree[(1, "")] = 5


@pytest.mark.parametrize("hint", [int, float, list[u8], tuple[int, ...], Weight | u8, Compact[str]])
def test_hints_without_a_wire_form_are_refused(hint: Any) -> None:
    with pytest.raises(HintError):
        codec_of(hint).encode(0)


def test_sizes_are_known_when_fixed() -> None:
    assert codec_of(tuple[u32, AccountId, bool]).fixed_size == 37
    assert codec_of(Everything).fixed_size is None


def test_compact_helpers_agree_up_to_536_bits() -> None:
    for bits in (0, 6, 13, 14, 29, 30, 31, 63, 64, 127, 128, 256, 535):
        value = (1 << bits) | 1

        assert read_compact(b"#" + compact(value), 1) == (value, 1 + len(compact(value)))
