"""Line numbers of TOML keys."""

import tomllib

from testnet.toml_lines import TomlLines

TEXT = '''# comment with [brackets] and key = 1
title = "a # [b"

[server.main]
list = [
  "x = 1", # [
  { y = 2 },
]
text = """
[not.a.table]
z = 1
"""
a.b = 1

[[nodes]]
name = 'first'
[[nodes]]
name = "second"
  [nodes.inner]
  "quoted key" = 1
  [[nodes.leaves]]
  [[nodes.leaves]]
  n = 3
'''


def test_every_key_is_found_on_its_line() -> None:
    tomllib.loads(TEXT)
    lines = TomlLines(TEXT)

    assert lines.of(("title",)) == 2
    assert lines.of(("server", "main")) == 4
    assert lines.of(("server", "main", "list")) == 5
    assert lines.of(("server", "main", "text")) == 9
    assert lines.of(("server", "main", "a", "b")) == 13
    assert lines.of(("nodes",)) == 15
    assert lines.of(("nodes", 0, "name")) == 16
    assert lines.of(("nodes", 1, "name")) == 18
    assert lines.of(("nodes", 1, "inner", "quoted key")) == 20
    assert lines.of(("nodes", 1, "leaves", 1, "n")) == 23


def test_what_has_no_line_of_its_own_has_the_one_around_it() -> None:
    lines = TomlLines(TEXT)

    assert lines.of(("server", "main", "list", 1, "y")) == 5
    assert lines.of(("nodes", 1, "missing")) == 17
    assert lines.of(("nowhere",)) == 1
