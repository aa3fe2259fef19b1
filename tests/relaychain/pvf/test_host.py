"""Validation code: bundles, metering, verdicts."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaychain.primitives.types import HeadData
from relaychain.primitives.validation import ValidationParams, ValidationResult
from relaychain.pvf.bundle import BundleError, SourceFile, make_bundle, read_bundle
from relaychain.pvf.host import InfrastructureFailure, InlineHost, InvalidCandidate
from relaychain.pvf.loader import Loaded
from substrate.runtime.stack import STACK_FRAMES
from substrate.types import BlockNumber, Hash

ECHO = b"""
from relaychain.primitives.validation import ValidationParams, ValidationResult

class Echo:
    @staticmethod
    def validate_block(params: ValidationParams) -> ValidationResult:
        work(int.from_bytes(params.block_data, "little"))
        return ValidationResult(params.parent_head, None, (), (), 0, params.relay_parent_number)

def work(turns):
    %s
"""


def bundle(work: str = "for _ in range(turns): pass") -> bytes:
    return make_bundle("chain:Echo", [SourceFile("chain", ECHO % work.encode())])


def params(turns: int = 0) -> ValidationParams:
    return ValidationParams(HeadData(b"head"), turns.to_bytes(8, "little"), BlockNumber(7), Hash(bytes(32)))


def test_a_result_comes_back_whole() -> None:
    result = InlineHost().validate(bundle(), params(3), steps=100)

    assert result == ValidationResult(HeadData(b"head"), None, (), (), 0, BlockNumber(7))


@pytest.mark.parametrize(
    "work",
    [
        "while True: pass",
        "[0 for _ in range(10**9)]",
        "sum(1 for _ in range(10**9))",
        "work(turns)",
        "f = lambda: f(); f()",
        "[0 for _ in range(10**5) for _ in range(10**5)]",
        "{x: 0 for x in iter(int, 1)}",
        "any(False for _ in iter(int, 1))",
        "type('A', (), {'__getattr__': lambda self, name: self.more})().more",
        """def forever():
        yield from forever()
    list(forever())""",
        """class Body:
        while True: pass""",
        """def again(f): return again(f)
    @again
    def f(): pass""",
        """while True:
        match turns:
            case _: continue""",
        """while True:
        try: continue
        finally: continue""",
        """while True:
        try: work(turns)
        except BaseException: pass""",
    ],
)
def test_code_that_never_ends_is_stopped_by_its_steps(work: str) -> None:
    with pytest.raises(InvalidCandidate) as verdict:
        InlineHost().validate(bundle(work), params(), steps=500)

    assert str(verdict.value) == "Timeout (steps=500)"


@given(turns=st.integers(0, 50), steps=st.integers(0, 60))
def test_a_block_takes_the_same_steps_everywhere(turns: int, steps: int) -> None:
    def outcome(host: InlineHost) -> str:
        try:
            return repr(host.validate(bundle(), params(turns), steps=steps))
        except InvalidCandidate as verdict:
            return str(verdict)

    needed = 1 + 1 + turns
    assert outcome(InlineHost()) == outcome(InlineHost(memoise=False))
    assert outcome(InlineHost()).startswith("Timeout") == (needed > steps)


def test_whatever_the_code_raises_makes_the_candidate_invalid() -> None:
    host = InlineHost()
    for _ in range(2):
        with pytest.raises(InvalidCandidate) as verdict:
            host.validate(bundle("raise KeyError('x')"), params(), steps=100)
        assert str(verdict.value) == "ExecutionError (cause=KeyError: 'x')"


@pytest.mark.parametrize(
    ("work", "cause"),
    [
        ("raise SystemExit", "SystemExit: "),
        ("raise type('Stop', (BaseException,), {})()", "Stop: "),
        ("raise type('Mute', (Exception,), {'__str__': lambda self: 1 // 0})()", "an exception that cannot be shown"),
        ("raise ValueError('x' * 10**6)", "ValueError: xxx"),
    ],
)
def test_nothing_that_the_code_raises_gets_past_the_host(work: str, cause: str) -> None:
    with pytest.raises(InvalidCandidate) as verdict:
        InlineHost().validate(bundle(work), params(), steps=100)

    assert str(verdict.value).startswith(f"ExecutionError (cause={cause}")
    assert len(str(verdict.value)) < 3_000


def deepest(calls: int = 0) -> int:
    """How often the code may call itself, under a caller that called itself so often."""
    if calls:
        return deepest(calls - 1)
    count = """global depth
    depth = turns
    work(turns + 1)"""
    probe = count + "\nclass Probe:\n    validate_block = staticmethod(lambda params: depth_of(params))\n"
    probe += "def depth_of(params):\n    try: work(0)\n    except RecursionError: pass\n"
    probe += "    return ValidationResult(params.parent_head, None, (), (), depth, params.relay_parent_number)\n"
    code = make_bundle("chain:Probe", [SourceFile("chain", ECHO % probe.encode())])
    return InlineHost().validate(code, params(), steps=10_000).processed_downward_messages


def test_how_deep_the_code_may_nest_does_not_depend_on_the_caller() -> None:
    limit = sys.getrecursionlimit()

    assert STACK_FRAMES - 100 < deepest() == deepest(calls=300) < STACK_FRAMES
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize("name", ["__step__", "step", "counted"])
def test_no_name_of_the_code_replaces_the_meter(name: str) -> None:
    work = f"{name} = print\n    while True: pass"
    with pytest.raises(InvalidCandidate, match="Timeout"):
        InlineHost().validate(bundle(work), params(), steps=500)


def test_a_wrong_return_value_is_named() -> None:
    code = make_bundle("m:V", [SourceFile("m", b"class V:\n    validate_block = staticmethod(lambda params: 5)\n")])

    with pytest.raises(InvalidCandidate) as verdict:
        InlineHost().validate(code, params(), steps=100)

    assert str(verdict.value) == "BadReturn (returned=int)"


def test_a_foreign_abi_is_no_verdict() -> None:
    code = make_bundle("chain:Echo", [SourceFile("chain", ECHO % b"pass")], Hash(bytes(32)))

    with pytest.raises(InfrastructureFailure, match="made for abi 0x0000"):
        InlineHost().validate(code, params(), steps=100)


@pytest.mark.parametrize(
    ("files", "cause"),
    [
        ({"m": b"import xcm.nowhere"}, "importing m failed: ModuleNotFoundError: No module named"),
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


@pytest.mark.parametrize("code", [b"", b"\x00asm", bundle() + b"\0"])
def test_bytes_that_are_no_bundle_are_refused(code: bytes) -> None:
    with pytest.raises(BundleError, match="not a bundle"):
        read_bundle(code)
