"""Validation code: bundles, metering, verdicts."""

import gc
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaychain.primitives.bundle import SourceFile
from relaychain.primitives.types import HeadData
from relaychain.primitives.validation import ValidationParams, ValidationResult
from relaychain.pvf.bundle import make_bundle
from relaychain.pvf.host import REMEMBERED_BYTES, InlineHost, InvalidCandidate
from substrate.runtime.stack import STACK_FRAMES
from substrate.types import BlockNumber, Hash
from tests.relaychain.pvf.bundles import ECHO, bundle, params


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
        assert str(verdict.value) == "ExecutionError (cause=KeyError: x)"


EVIL = b"""
from relaychain.primitives.validation import ValidationResult

class Name(str):
    def __format__(self, spec): raise SystemExit(1)
    __str__ = __format__

class Mute(Exception):
    def __str__(self): raise SystemExit(9)

class Endless(Exception):
    def __str__(self):
        while True: pass
    args = property(__str__)
    __len__ = __bool__ = __str__

class Disguised:
    @property
    def __class__(self): raise KeyError("class")

class Sized:
    def __len__(self): raise SystemExit(3)
    __iter__ = __len__

class Patient:
    def __len__(self):
        try:
            while True: pass
        except BaseException: return 0
    def __iter__(self): return iter(())

class Late(ValidationResult):
    pass

def result(**fields):
    given = dict(head_data=b"h", new_validation_code=None, upward_messages=(), horizontal_messages=(),
                 processed_downward_messages=0, hrmp_watermark=7)
    return ValidationResult(**(given | fields))

class Evil:
    @staticmethod
    def validate_block(params):
        %s
"""


@pytest.mark.parametrize(
    ("work", "verdict"),
    [
        ("raise SystemExit", "ExecutionError (cause=SystemExit: )"),
        ("raise type('Stop', (BaseException,), {})()", "ExecutionError (cause=Stop: )"),
        ("raise ValueError(object())", "ExecutionError (cause=ValueError: (it says nothing plain))"),
        ("raise ValueError(10**9999)", "ExecutionError (cause=ValueError: (it says nothing plain))"),
        ("raise ValueError(1, 'x')", "ExecutionError (cause=ValueError: (1, 'x'))"),
        ("raise Mute", "ExecutionError (cause=Mute: )"),
        ("raise Mute(1)", "ExecutionError (cause=Mute: 1)"),
        ("raise Endless", "ExecutionError (cause=Endless: )"),
        (
            "failure = OSError(1, 'x'); failure.strerror = Endless(); raise failure",
            "ExecutionError (cause=PermissionError: (1, 'x'))",
        ),
        ("raise type(Name('Odd'), (Exception,), {})('x')", "ExecutionError (cause=Odd: x)"),
        ("raise ValueError('x' * 10**6)", f"ExecutionError (cause=ValueError: {'x' * 1988})"),
        ("raise type('E' * 10**6, (Exception,), {})", f"ExecutionError (cause={'E' * 2000})"),
        ("raise ValueError(chr(0xd800))", "ExecutionError (cause=ValueError: \\ud800)"),
        ("return Disguised()", "BadReturn (returned=Disguised)"),
        ("return Late(*[0] * 6)", "BadReturn (returned=Late)"),
        ("return type('E' * 10**6, (), {})()", f"BadReturn (returned={'E' * 2000})"),
        ("return result(head_data=Sized())", "BadReturn (cause=SystemExit: 3)"),
        ("return result(upward_messages=Sized())", "BadReturn (cause=SystemExit: 3)"),
        ("return result(upward_messages=Patient())", "Timeout (steps=100)"),
    ],
)
def test_nothing_that_the_code_raises_or_returns_gets_past_the_host(work: str, verdict: str) -> None:
    code = make_bundle("chain:Evil", [SourceFile("chain", EVIL % work.encode())])

    with pytest.raises(InvalidCandidate) as refusal:
        InlineHost().validate(code, params(), steps=100)

    assert str(refusal.value) == verdict


HOSTILE = b"""
from substrate.runtime.steps import StepCounted

class Guarded(type):
    def __setattr__(cls, name, value): raise SystemExit(1)
    def __getattribute__(cls, name): raise SystemExit(2)
    __instancecheck__ = __subclasscheck__ = __setattr__

class Entry(%s, metaclass=Guarded):
    pass
"""


@pytest.mark.parametrize("bases", ["object", "StepCounted"])
def test_an_entry_whose_class_refuses_everything_fails_its_candidate(bases: str) -> None:
    code = make_bundle("chain:Entry", [SourceFile("chain", HOSTILE.replace(b"%s", bases.encode()))])

    with pytest.raises(InvalidCandidate) as refusal:
        InlineHost().validate(code, params(), steps=100)

    assert str(refusal.value) == "ExecutionError (cause=SystemExit: 2)"


GOOD: tuple[Any, ...] = (HeadData(b"head"), None, (), (), 0, BlockNumber(7))


def returning(*fields: str) -> bytes:
    """Code that returns a result with these fields, as source."""
    source = "from relaychain.primitives.validation import ValidationResult\nclass V:\n"
    source += f"    validate_block = staticmethod(lambda params: ValidationResult({', '.join(fields)}))\n"
    return make_bundle("m:V", [SourceFile("m", source.encode())])


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("value", ["'text'", "-1", "1 << 40", "object()", "(1,)", "2.5"])
def test_a_field_of_a_wrong_type_or_size_is_a_bad_return(place: int, value: str) -> None:
    fields = [repr(field) for field in GOOD]
    fields[place] = value

    with pytest.raises(InvalidCandidate, match="BadReturn"):
        InlineHost().validate(returning(*fields), params(), steps=100)


def test_only_plain_values_leave_the_host() -> None:
    result = InlineHost().validate(returning("type('H', (bytes,), {})(b'h')", *map(repr, GOOD[1:])), params(), steps=9)

    assert type(result.head_data) is bytes


def test_a_swallowed_step_limit_is_a_timeout_all_the_same() -> None:
    work = """try:
        while True: pass
    except BaseException: pass"""

    with pytest.raises(InvalidCandidate) as verdict:
        InlineHost().validate(bundle(work), params(), steps=100)

    assert str(verdict.value) == "Timeout (steps=100)"


# --- what is kept ---


def test_a_remembered_refusal_does_not_keep_the_block() -> None:
    host, code, data = InlineHost(), bundle("raise KeyError"), bytes(1000)
    held = sys.getrefcount(data)
    for _ in range(2):
        with pytest.raises(InvalidCandidate):
            host.validate(code, ValidationParams(HeadData(b""), data, BlockNumber(7), Hash(bytes(32))), steps=100)
    gc.collect()

    assert sys.getrefcount(data) == held


def test_remembered_results_are_bounded_by_their_bytes() -> None:
    size = REMEMBERED_BYTES // 4
    host, code = InlineHost(), returning(f"params.block_data[:1] * {size}", *map(repr, GOOD[1:]))
    first, *others = [host.validate(code, params(turn), steps=9) for turn in range(1, 6)]

    assert host.validate(code, params(5), steps=9) is others[-1]
    assert host.validate(code, params(1), steps=9) is not first


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
