"""JSON parameters: what is taken and what is refused."""

import pytest

from substrate.client.rpc.params import BadValue, block_hash, block_number, hex_bytes


@pytest.mark.parametrize(
    ("value", "data"), [("0x", b""), ("", b""), ("0x0Aff", b"\x0a\xff"), ("00", b"\0"), ("0x" + "00" * 40, bytes(40))]
)
def test_bytes_are_hex_with_or_without_prefix(value: str, data: bytes) -> None:
    assert hex_bytes(value) == data


@pytest.mark.parametrize("value", ["0x0", "0x 00", "00 00", " ", "0xzz", "0x0x00", "ä", "0X00", None, 5, ["0x00"]])
def test_anything_else_is_no_bytes(value: object) -> None:
    with pytest.raises(BadValue):
        hex_bytes(value)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_hash_has_32_bytes(size: int) -> None:
    assert block_hash("0x" + "07" * 32) == b"\7" * 32
    with pytest.raises(BadValue, match=f"a hash has 32 bytes, this one {size}"):
        block_hash("07" * size)


@pytest.mark.parametrize(
    ("value", "number"), [(0, 0), (2**32 - 1, 2**32 - 1), ("0x2a", 42), ("0x0000002A", 42), ("42", 42), ("0", 0)]
)
def test_a_block_number_is_an_integer_a_decimal_or_a_hex_quantity(value: object, number: int) -> None:
    assert block_number(value) == number


@pytest.mark.parametrize(
    "value", [-1, 2**32, "4294967296", "-1", " 1", "1_0", "0b1", "0o7", "01", "", "0x", "9" * 5000, 1.0, True, [], "٣"]
)
def test_anything_else_is_no_block_number(value: object) -> None:
    with pytest.raises(BadValue):
        block_number(value)
