"""Writes the encoding half of a unit: one expression of bytes."""

from typing import TypeAlias

from substrate.scale import hints, order
from substrate.scale import shapes as sh
from substrate.scale.source import CODES, UNROLLED, Part, Source, number_code

Single: TypeAlias = (
    sh.IntShape
    | sh.BoolShape
    | sh.OptionBoolShape
    | sh.IntEnumShape
    | sh.FixedShape
    | sh.OptionShape
    | sh.BitsShape
    | sh.CustomShape
    | sh.EnumShape
)
"""What is encoded by one expression of its own."""


class EncoderSource(Source):
    """Encodes a value that an expression names."""

    def encoded(self, shape: sh.Shape, value: str) -> str:
        text = self.joined(self.parts(shape, value))
        return f"({text})" if " + " in text else text

    def parts(self, shape: sh.Shape, value: str) -> list[Part]:  # noqa: C901 (a table)
        """The encoding of an expression."""
        match shape:
            case sh.IntShape(bits, signed) if (bits, signed) in CODES:
                return [Part(value, CODES[bits, signed])]
            case sh.CompactShape(_, bits):
                first, again = self.once(value)
                text = f"(SMALL[{again}] if -1 < {first} < 64 else compact({again}, {bits}))"
                return [Part(text)] if bits else []
            case sh.TextShape(limit):
                return self._counted(f"{value}.encode()", limit)
            case sh.BytesShape(limit):
                return self._counted(value, limit)
            case sh.SequenceShape():
                return self._sequence_parts(shape, value)
            case sh.ArrayShape(item, count):
                return self._array_parts(item, count, value)
            case sh.MapShape(key, item, limit):
                return self._map_parts(key, item, limit, value)
            case sh.TupleShape(items):
                return self._tuple_parts(items, value)
            case sh.NamedShape(inner) | sh.DepthShape(inner):
                return self.parts(inner, value)
            case sh.LateShape():
                return self.parts(hints.late(shape), value)
            case sh.PlaceholderShape():
                return self.parts(self.linker.bound(shape), value)
            case sh.StructShape():
                return self._struct_parts(shape, value)
            case _:
                return [Part(self._single(shape, value))]

    def _single(self, shape: Single, value: str) -> str:
        match shape:
            case sh.IntShape(bits, signed):
                return f"{value}.to_bytes({bits // 8}, 'little', signed={signed})"
            case sh.BoolShape():
                return f"BOOL[{value}]"
            case sh.OptionBoolShape():
                return f"OPTION_BOOL[{value}]"
            case sh.IntEnumShape(cls):
                table = {member: bytes([member]) for member in cls}
                return f"{self.name('members', table)}[{value}]"
            case sh.FixedShape(size):
                first, again = self.once(value)
                return f"({again} if len({first}) == {size} else wrong_size(len({again}), {size}))"
            case sh.OptionShape(inner):
                first, again = self.once(value)
                return f"(b'\\0' if {first} is None else b'\\1' + {self.encoded(inner, again)})"
            case sh.BitsShape():
                return f"encode_bits({value})"
            case sh.CustomShape(custom):
                return f"{self.name('custom', custom.encode)}({value})"
            case sh.EnumShape():
                first, again = self.once(value)
                return f"{self.name('encoders', self.linker.tables(shape)[0])}[type({first})]({again})"

    def _length(self, first: str, limit: int | None) -> str:
        count = self.temp()
        if limit is None:
            return f"(SMALL[{count}] if ({count} := len({first})) < 64 else compact({count}, 32))"
        test = f"(SMALL[{count}] if ({count} := len({first})) < {min(limit + 1, 64)} else "
        return f"{test}compact({count}, 32) if {count} <= {limit} else too_long({count}, {limit}))"

    def _counted(self, value: str, limit: int | None) -> list[Part]:
        first, again = self.once(value)
        return [Part(self._length(first, limit)), Part(again)]

    def _sequence_parts(self, shape: sh.SequenceShape, value: str) -> list[Part]:
        first, again = self.once(value)
        if shape.ascending:
            first = f"check_ascending({first}, {self.name('key', order.sort_key(shape.item))})"
        return [Part(self._length(first, shape.limit)), Part(self._items(shape.item, again))]

    def _array_parts(self, item: sh.Shape, count: int, value: str) -> list[Part]:
        if count <= UNROLLED and not number_code(item):
            return self._tuple_parts((item,) * count, value)
        first, again = self.once(value)
        return [Part(self._items(item, again, f" if len({first}) == {count} else wrong_size(len({again}), {count})"))]

    def _items(self, item: sh.Shape, values: str, check: str = "") -> str:
        code = number_code(item)
        if code:
            return f"(PACK(f'<{{len({values})}}{code}', *{values}){check})"
        each = self.temp()
        return f"JOIN([{self.encoded(item, each)} for {each} in {values}]{check})"

    def _map_parts(self, key: sh.Shape, item: sh.Shape, limit: int | None, value: str) -> list[Part]:
        first, again = self.once(value)
        entries = f"sorted_items({again}, {self.name('key', order.sort_key(key))})"
        left, right = self.temp(), self.temp()
        pair = self.joined([*self.parts(key, left), *self.parts(item, right)])
        return [Part(self._length(first, limit)), Part(f"JOIN([{pair} for {left}, {right} in {entries}])")]

    def _tuple_parts(self, items: tuple[sh.Shape, ...], value: str) -> list[Part]:
        if not items:
            return []
        first, again = self.once(value)
        checked = f"({again} if len({first}) == {len(items)} else wrong_size(len({again}), {len(items)}))"
        parts: list[Part] = []
        for index, item in enumerate(items):  # whichever is the first to have bytes names the tuple
            parts += self.parts(item, f"{again if parts else checked}[{index}]")
        return parts

    def _struct_parts(self, shape: sh.StructShape, value: str) -> list[Part]:
        if not self.fits_inline(shape):
            return [Part(f"{self.linked(shape, 0)}({value})")]
        first, again = self.once(value)
        self.inlining.append(shape)
        parts: list[Part] = []
        for field in hints.fields_of(shape):
            parts += self.parts(field.shape, f"{again if parts else first}.{field.name}")
        self.inlining.pop()
        return parts
