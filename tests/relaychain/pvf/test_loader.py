"""Loading: what a bundle is, what it may import, how long its modules live."""

import gc
import sys

import pytest

from relaychain.primitives.bundle import Bundle, BundleError, SourceFile, read_bundle
from relaychain.pvf.bundle import make_bundle, node_abi
from relaychain.pvf.host import InfrastructureFailure, InlineHost, InvalidCandidate
from relaychain.pvf.loader import Loaded
from substrate.types import Hash
from tests.relaychain.pvf.bundles import ECHO, bundle, params

QUOTED = b"""
from dataclasses import dataclass, fields
import typing
from relaychain.primitives.validation import ValidationResult

@dataclass
class Head:
    number: "int"

class V:
    @staticmethod
    def validate_block(params):
        return ValidationResult(b"h" if typing.get_type_hints(V.heads)["head"] is Head else b"", None, (), (), 0, 7)

    def heads(self, head: "Head"): ...
"""


def test_hosts_of_the_same_code_have_modules_of_their_own() -> None:
    code = make_bundle("chain:V", [SourceFile("chain", QUOTED)])
    results = [InlineHost().validate(code, params(), steps=100) for _ in range(2)]
    hosts = [InlineHost() for _ in range(2)]
    for host in hosts:
        host.load(code)
    results += [host.validate(code, params(), steps=100) for host in hosts]

    assert [result.head_data for result in results] == [b"h"] * 4


def test_modules_of_code_that_is_no_longer_held_are_forgotten() -> None:
    def names() -> set[str]:
        gc.collect()
        return {name for name in sys.modules if name.startswith("pvf_")}

    before = names()
    host, code = InlineHost(), bundle("pass  # forgotten")
    one, two = host.load(code), InlineHost().load(code)
    held = names() - before
    assert [name.partition(".")[2] for name in held] == ["chain"] * 2
    del host, one
    (last,) = names() - before
    assert last in held
    del two
    with pytest.raises(BundleError):
        Loaded(make_bundle("m:V", [SourceFile("m", b"1 / 0")]))
    assert names() == before


LAZY = b"""
from relaychain.primitives.validation import ValidationResult
class V:
    @staticmethod
    def validate_block(params):
        for _ in range(int.from_bytes(params.block_data, "little")): pass
        from helper import value
        return ValidationResult(bytes([value]), None, (), (), 0, 7)
"""


def test_steps_of_a_late_import_do_not_depend_on_earlier_blocks() -> None:
    helper = b"for _ in range(100): pass\nvalue = 3"
    code = make_bundle("m:V", [SourceFile("m", LAZY), SourceFile("helper", helper)])
    warm = InlineHost()

    results = [host.validate(code, params(450), steps=500) for host in (warm, warm, InlineHost())]

    assert [result.head_data for result in results] == [b"\3"] * 3


def test_a_foreign_abi_is_no_verdict() -> None:
    code = make_bundle("chain:Echo", [SourceFile("chain", ECHO % b"pass")], Hash(bytes(32)))

    with pytest.raises(InfrastructureFailure, match="made for abi 0x0000"):
        InlineHost().validate(code, params(), steps=100)


@pytest.mark.parametrize(
    ("files", "cause"),
    [
        ({"m": b"import xcm.nowhere"}, "importing m failed: ModuleNotFoundError: No module named"),
        ({"m": b"try:\n    from n import x\nexcept ZeroDivisionError: pass", "n": b"1 / 0"}, "ZeroDivisionError"),
        ({"m": b"V = 1\ntry:\n    while True: pass\nexcept BaseException: pass"}, "more than 1000000 steps"),
        ({"m": b"import numpy"}, "relaychain.primitives, parachains.sdk, not numpy"),
        ({"m": b"from relaychain.runtime.dmp import Dmp"}, "parachains.sdk, not relaychain.runtime.dmp"),
        ({"m": b"raise SystemExit(1)"}, "importing m failed: SystemExit: 1"),
        ({"m": b"async def f(): pass"}, "SyntaxError: validation code is not asynchronous (line 1)"),
        ({"m": b"def f(x): return (y async for y in x)"}, "SyntaxError: validation code is not asynchronous (line 1)"),
        ({"m": b"raise ValueError('at import')"}, "importing m failed: ValueError: at import"),
        ({"m": b"def f(:"}, "importing m failed: SyntaxError"),
        ({"m": b"-" * 100_000 + b"1"}, "m is nested too deeply to compile"),
        ({"m": b"a" + b".a" * 100_000}, "m is nested too deeply to compile"),
        ({"m": b"while True: pass"}, "importing m takes more than 1000000 steps"),
        ({"m": b"x = 1"}, "m has no V"),
        ({"m": b"import n", "n": b""}, "write `from n import ...`"),
        ({"m": b"from . import n", "n": b""}, "its own modules by their full names"),
    ],
)
def test_code_that_does_not_load_fails_preparation(files: dict[str, bytes], cause: str) -> None:
    code = make_bundle("m:V", [SourceFile(name, source) for name, source in files.items()])

    with pytest.raises(InvalidCandidate) as verdict:
        InlineHost().validate(code, params(), steps=100)

    assert verdict.value.reason == "PreparationError"
    assert cause in str(verdict.value)


def test_two_versions_of_a_module_live_side_by_side() -> None:
    def loaded(value: int) -> Loaded:
        files = [SourceFile("m", b"from n import V"), SourceFile("n", b"class V:\n    number = %d" % value)]
        return Loaded(make_bundle("m:V", files))

    assert [loaded(1).entry.number, loaded(2).entry.number] == [1, 2]


@pytest.mark.parametrize("modules", [("n", "m"), ("m", "m")])
def test_a_bundle_has_its_modules_sorted_and_once(modules: tuple[str, ...]) -> None:
    code = Bundle(node_abi(), "m:V", None, tuple(SourceFile(name, b"V = 1") for name in modules)).encode()

    with pytest.raises(BundleError, match="sorted by module and not repeated"):
        read_bundle(code)


@pytest.mark.parametrize("code", [b"", b"\x00asm", bundle() + b"\0"])
def test_bytes_that_are_no_bundle_are_refused(code: bytes) -> None:
    with pytest.raises(BundleError, match="not a bundle"):
        read_bundle(code)
