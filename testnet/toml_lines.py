"""Which line of a TOML text sets a key. The standard library's parser does not say."""

import re

Path = tuple[str | int, ...]

_KEY = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=")
_TOKEN = re.compile(r"\"\"\"|'''|\"(?:\\.|[^\"\\])*\"|'[^']*'|#.*|[\[\]{}]|.")
_REST = {
    '"""': re.compile(r"""(?:\\.|\\$|[^"\\]|"{1,2}(?!"))*("{3,5})?"""),
    "'''": re.compile(r"""(?:[^']|'{1,2}(?!'))*('{3,5})?"""),
}
"""The rest of a line in a multi-line string; up to two quotes before the closing ones belong to the text."""


def snake_case(key: str) -> str:
    """A key as it is known here, however it is written: `rpcPort` is `rpc_port`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda letter: "_" + letter[1].lower(), key)


class TomlLines:
    """Line numbers of a valid TOML text. Keys are found in either spelling, `snake_case` or `camelCase`.

    Args:
        text: Must already have been accepted by a TOML parser.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {(): 1}
        self._arrays: dict[Path, int] = {}
        self._table: Path = ()
        self._depth = 0
        self._quote = ""
        for number, line in enumerate(text.split("\n"), start=1):
            if not self._depth and not self._quote:
                self._statement(line, number)
            self._skip(line)

    def of(self, path: Path) -> int:
        """The line that sets `path`, or the innermost table around it."""
        path = tuple(snake_case(part) if isinstance(part, str) else part for part in path)
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]

    def _statement(self, line: str, number: int) -> None:
        if header := _HEADER.match(line):
            self._table = self._open(_parts(header[2]), is_array=header[1] == "[[")
            if isinstance(self._table[-1], int):
                self._lines.setdefault(self._table[:-1], number)
            self._lines.setdefault(self._table, number)
        elif assignment := _ASSIGNMENT.match(line):
            parts = _parts(assignment[1])
            for length in range(1, len(parts) + 1):
                self._lines.setdefault((*self._table, *parts[:length]), number)

    def _open(self, parts: tuple[str, ...], *, is_array: bool) -> Path:
        path: Path = ()
        for position, part in enumerate(parts):
            path = (*path, part)
            if is_array and position == len(parts) - 1:
                self._arrays[path] = self._arrays.get(path, -1) + 1
            if path in self._arrays:
                path = (*path, self._arrays[path])
        return path

    def _skip(self, line: str) -> None:
        """Follow strings and brackets that go on over several lines."""
        at = 0
        while at < len(line):
            if self._quote:
                rest = _REST[self._quote].match(line, at)
                assert rest is not None, "it matches nothing, too"
                self._quote, at = "" if rest[1] else self._quote, rest.end() if rest[1] else len(line)
                continue
            token = _TOKEN.match(line, at)
            assert token is not None, "it matches any character"
            at = token.end()
            if token[0] in _REST:
                self._quote = token[0]
            elif token[0] in "[{":
                self._depth += 1
            elif token[0] in "]}":
                self._depth -= 1


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(snake_case(part.strip("\"'")) for part in re.findall(_KEY, dotted))
