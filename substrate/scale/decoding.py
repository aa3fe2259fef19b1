"""Writes the decoding half of a unit: statements that move `p`, and an expression to be used once."""

import struct
from collections.abc import Callable

from substrate.scale import hints, order, primitives
from substrate.scale import shapes as sh
from substrate.scale.source import UNROLLED, Source, number_code


class DecoderSource(Source):
    """Reads values into temporaries."""

    def decoded(self, shape: sh.Shape) -> str:  # noqa: C901 (a table)
        """Write the reading of one value and give its expression."""
        match shape:
            case sh.IntShape(bits, signed):
                return self._read_int(bits // 8, signed)
            case sh.FixedShape(size):
                return self._take(f"d[p:p + {size}]", size)
            case sh.CompactShape(_, bits):
                return self._read_compact(bits) if bits else "()"
            case sh.BoolShape():
                return self._take("d[p]", 1, "{0} > 1", "invalid bool") + " == 1"
            case sh.OptionBoolShape():
                return f"OPTION_BOOLS[{self._take('d[p]', 1, '{0} > 2', 'invalid OptionBool')}]"
            case sh.IntEnumShape(cls):
                table = {int(member): member for member in cls}
                read = f"{self.name('values', table)}.get(d[p])"
                return self._take(read, 1, "{0} is None", f"unknown variant of {cls.__name__}")
            case sh.TextShape(limit) | sh.BytesShape(limit):
                return self._read_counted(limit, is_text=isinstance(shape, sh.TextShape))
            case sh.SequenceShape():
                return self._read_sequence(shape)
            case sh.ArrayShape(item, count):
                if count <= UNROLLED and not number_code(item):
                    return f"({''.join(f'{value}, ' for value in self._read_all((item,) * count))})"
                return self._read_items(item, str(count))
            case sh.MapShape(key, item, limit):
                return self._read_map(key, item, limit)
            case sh.TupleShape(items, none):
                return "None" if none else f"({''.join(f'{value}, ' for value in self._read_all(items))})"
            case sh.OptionShape(inner):
                return self._read_option(inner)
            case sh.BitsShape():
                return self._call("read_bits(d, p)")
            case sh.NamedShape(inner):
                return self.decoded(inner)
            case sh.DepthShape(inner, limit):
                return self._read_limited(inner, limit)
            case sh.LateShape():
                return self.decoded(hints.late(shape))
            case sh.PlaceholderShape():
                return self._read_box(self.linker.bound(shape))
            case sh.CustomShape(custom):
                return self._call(f"{self.name('custom', custom.decode)}(d, p)")
            case sh.EnumShape() | sh.StructShape():
                if self._closes_cycle(shape):
                    return self._read_box(shape)
                return self._read_named(shape)

    def _take(self, read: str, size: int, refuse: str = "", message: str = "") -> str:
        temp = self.temp()
        self.line(f"{temp} = {read}")
        if refuse:
            self.line(f"if {refuse.format(temp)}: bad({message!r}, p)")
        self.line(f"p += {size}")
        return temp

    def _call(self, call: str) -> str:
        temp = self.temp()
        self.line(f"{temp}, p = {call}")
        return temp

    def _read_int(self, size: int, signed: bool) -> str:
        if size == 1 and not signed:
            return self._take("d[p]", 1)
        return self._take(f"FROM(d[p:p + {size}], 'little'{', signed=True' if signed else ''})", size)

    def _read_compact(self, bits: int) -> str:
        temp = self.temp()
        self.line(f"{temp} = d[p]")
        self.line(f"if {temp} & 3: {temp}, p = read_compact(d, p, {bits})")
        self.line(f"else: {temp} >>= 2; p += 1")
        return temp

    def _read_count(self, limit: int | None) -> str:
        start = self.temp()
        self.line(f"{start} = p")
        count = self._read_compact(32)
        if limit is not None:
            self.line(f"if {count} > {limit}: bad(f'{{{count}}} items exceed the bound {limit}', {start})")
        return count

    def _check_room(self, count: str, size: int) -> None:
        test = f"{count} * {size} > len(d) - p" if size else f"{count} > {primitives.MAX_EMPTY_ITEMS}"
        self.line(f"if {test}: bad(f'{{{count}}} items do not fit the input', p)")

    def _read_counted(self, limit: int | None, *, is_text: bool) -> str:
        count = self._read_count(limit)
        self._check_room(count, 1)
        temp = self.temp()
        self.line(f"{temp} = text(d, p, p + {count})" if is_text else f"{temp} = d[p:p + {count}]")
        self.line(f"p += {count}")
        return temp

    def _read_sequence(self, shape: sh.SequenceShape) -> str:
        count = self._read_count(shape.limit)
        self._check_room(count, hints.min_size(shape.item))
        if number_code(shape.item):
            items = self._read_items(shape.item, count)
        else:
            items = self._deeper(lambda: self._read_items(shape.item, count))
        if not shape.ascending:
            return items
        temp = self.temp()
        key = self.name("key", order.sort_key(shape.item))
        self.line(f"{temp} = {items}")
        self.line(f"if not is_ascending({temp}, {key}): bad('items of a set do not ascend', p)")
        return temp

    def _read_items(self, item: sh.Shape, count: str) -> str:
        code = number_code(item)
        temp = self.temp()
        if code:
            self.line(f"{temp} = UNPACK(f'<{{{count}}}{code}', d, p)")
            self.line(f"p += {count} * {struct.calcsize('<' + code)}")
            return temp
        self.line(f"{temp} = []")
        self.line(f"for _ in range({count}):")
        self._nested(lambda: self.line(f"{temp}.append({self.decoded(item)})"))
        return f"tuple({temp})"

    def _read_map(self, key: sh.Shape, item: sh.Shape, limit: int | None) -> str:
        count = self._read_count(limit)
        self._check_room(count, hints.min_size(key) + hints.min_size(item))
        temp, last = self.temp(), self.temp()

        def entries() -> str:
            self.line(f"{temp} = {{}}")
            self.line(f"for _ in range({count}):")
            self._nested(lambda: self._read_entry(temp, key, item))
            return temp

        self._deeper(entries)
        self.line(f"{last} = list({temp})")
        sort_key = self.name("key", order.sort_key(key))
        self.line(
            f"if len({last}) != {count} or not is_ascending({last}, {sort_key}): bad('map keys do not ascend', p)"
        )
        return f"PROXY({temp})"

    def _read_entry(self, target: str, key: sh.Shape, item: sh.Shape) -> None:
        left = self.temp()
        self.line(f"{left} = {self.decoded(key)}")
        self.line(f"{target}[{left}] = {self.decoded(item)}")

    def _nested(self, write: Callable[[], None]) -> None:
        outer, self.indent = self.indent, self.indent + "    "
        write()
        self.indent = outer

    def _deeper(self, write: Callable[[], str]) -> str:
        """Write with one level of nesting less to spend."""
        outer, self.depth, boxed = self.depth, self.temp(), self.boxed
        self.boxed = True
        self.line(f"{self.depth} = {outer} - 1")
        self.line(f"if {self.depth} < 0: bad('nested too deep', p)")
        value = write()
        self.depth, self.boxed = outer, boxed
        return value

    def _read_limited(self, inner: sh.Shape, limit: int) -> str:
        outer, self.depth = self.depth, self.temp()
        self.line(f"{self.depth} = {limit} if {limit} < {outer} else {outer}")
        value = self.decoded(inner)
        self.depth = outer
        return value

    def _read_option(self, inner: sh.Shape) -> str:
        flag = self._take("d[p]", 1, "{0} > 1", "invalid Option")
        temp = self.temp()
        self.line(f"if {flag}:")
        self._nested(lambda: self.line(f"{temp} = {self.decoded(inner)}"))
        self.line(f"else: {temp} = None")
        return temp

    def _closes_cycle(self, shape: sh.Shape) -> bool:
        return shape == self.owner or self.owner in hints.direct_closure(shape)

    def _read_box(self, shape: sh.Shape) -> str:
        def read() -> str:
            return self._read_named(shape) if isinstance(shape, sh.EnumShape | sh.StructShape) else self.decoded(shape)

        return read() if self.boxed else self._deeper(read)

    def _read_named(self, shape: sh.EnumShape | sh.StructShape) -> str:
        if isinstance(shape, sh.EnumShape):
            table = self.name("decoders", self.linker.tables(shape)[1])
            return self._call(f"{table}[d[p]](d, p + 1, {self.depth})")
        if self.fits_inline(shape):
            return self.built(shape)
        return self._call(f"{self.linked(shape, 1)}(d, p, {self.depth})")

    def built(self, shape: sh.StructShape) -> str:
        """Write the reading of a struct's fields and give the call that makes it."""
        fields = hints.fields_of(shape)
        if not fields:
            return self.name("empty", shape.cls())
        self.inlining.append(shape)
        values = self._read_all(tuple(field.shape for field in fields))
        self.inlining.pop()
        return f"{self.name('cls', shape.cls)}({', '.join(values)})"

    def _read_all(self, shapes: tuple[sh.Shape, ...]) -> list[str]:
        """Read values in order; neighbours of fixed size are unpacked together."""
        values: list[str] = []
        start = 0
        while start < len(shapes):
            run = start
            codes: list[str] = []
            while run < len(shapes) and (code := _fixed_code(shapes[run])):
                codes.append(code)
                run += 1
            if len(codes) > 1:
                values += self._unpack(codes)
                start = run
            else:
                values.append(self.decoded(shapes[start]))
                start += 1
        return values

    def _unpack(self, codes: list[str]) -> list[str]:
        layout = struct.Struct("<" + "".join(codes))
        name = f"unpack_{layout.format[1:]}"
        self.space[name] = layout.unpack_from
        temps = [self.temp() for _ in codes]
        self.line(f"{', '.join(temps)} = {name}(d, p)")
        self.line(f"p += {layout.size}")
        return temps


def _fixed_code(shape: sh.Shape) -> str:
    """The struct code of a value of fixed size."""
    match shape:
        case sh.IntShape():
            return number_code(shape)
        case sh.FixedShape(size):
            return f"{size}s"
        case sh.NamedShape(inner):
            return _fixed_code(inner)
        case _:
            return ""
