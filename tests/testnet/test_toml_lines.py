"""Line numbers of TOML keys."""

import tomllib

import pytest

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


def test_keys_are_found_in_either_spelling() -> None:
    lines = TomlLines("[settings]\nblockTime = 1\n[settings.inner]\nb_c = 2\n")

    assert lines.of(("settings", "block_time")) == lines.of(("settings", "blockTime")) == 2
    assert lines.of(("settings", "inner", "bC")) == 4


@pytest.mark.parametrize(
    "before",
    [
        "# one line \u2028 \u2029 \x85 for TOML",
        "x = '''no \\'''",
        'x = """a "quoted" word, a \\""" and """',
        'x = """the end is quoted: "a""""',
        'x = """\\\n  a long [line\n"""',
        "x = ''''a'''''",
        "x = '''\nit's [open\n'''",
        'x = ""',
    ],
)
def test_what_stands_before_a_key_does_not_move_it(before: str) -> None:
    text = f"{before}\nkey = 1\n"
    tomllib.loads(text)

    assert TomlLines(text).of(("key",)) == before.count("\n") + 2


def test_what_has_no_line_of_its_own_has_the_one_around_it() -> None:
    lines = TomlLines(TEXT)

    assert lines.of(("server", "main", "list", 1, "y")) == 5
    assert lines.of(("nodes", 1, "missing")) == 17
    assert lines.of(("nowhere",)) == 1
