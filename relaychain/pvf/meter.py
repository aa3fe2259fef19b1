"""Metering by steps: a counter is injected into a bundle's functions, loops and comprehensions.

A step is one entry into a function, one turn of a loop, or one item of a comprehension, so the same block takes the
same steps everywhere. The meter stops code that runs away, not code that attacks its host: what a step calls into (the
standard library, the packages of the abi) is not counted, nor is one operation on huge numbers or sequences
(`10**10**9`, `sum(itertools.count())`) or on built-in iterators nested in one another, which overflows the C stack; and
Python lets code reach its own globals. Only an executor with limits of the operating system stops those.
"""

import ast
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from substrate.runtime.steps import StepLimit

T = TypeVar("T")

STEP_NAME = "step()"
COUNTED_NAME = "counted()"
"""Names of builtins that no source can spell, so that none can shadow them."""


class Meter:
    """Counts down; shared by all modules of one bundle."""

    def __init__(self) -> None:
        self.left = 0

    @property
    def is_exceeded(self) -> bool:
        """Whether more steps were asked for than there were."""
        return self.left < 0

    @contextmanager
    def limited(self, steps: int) -> Generator[None]:
        """Allow so many steps inside, and afterwards what was allowed before."""
        before, self.left = self.left, steps
        try:
            yield
        finally:
            self.left = before

    @contextmanager
    def capped(self, steps: int) -> Generator[None]:
        """Allow at most so many of the steps left inside. Raises StepLimit, at its end where code swallowed it."""
        before = self.left
        cap = self.left = min(before, steps)
        try:
            yield
            if self.is_exceeded:
                raise _exceeded()
        finally:
            self.left = before - (cap - self.left)

    def step(self) -> None:
        """Take one step."""
        self.left -= 1
        if self.left < 0:
            raise _exceeded()

    def counted(self, items: Iterable[T]) -> Iterator[T]:
        """The items, one step each."""
        for item in items:
            self.step()
            yield item


def _exceeded() -> StepLimit:
    return StepLimit("the validation code takes more steps than it may")


class _Injector(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        place = 1 if ast.get_docstring(node, clean=False) is not None else 0
        node.body.insert(place, _step())
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        raise _asynchronous(node.lineno)

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.body.insert(0, _step())
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        node.body.insert(0, _step())
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self.generic_visit(node)
        counted = ast.Tuple([_call(STEP_NAME), node.body], ast.Load())
        node.body = ast.Subscript(counted, ast.Constant(1), ast.Load())
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        if node.is_async:
            raise _asynchronous(node.target.lineno)
        self.generic_visit(node)
        node.iter = _call(COUNTED_NAME, node.iter)
        return node


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])


def _step() -> ast.stmt:
    return ast.Expr(_call(STEP_NAME))


def _asynchronous(line: int) -> SyntaxError:
    return SyntaxError(f"validation code is not asynchronous (line {line})")


def metered(source: bytes, filename: str) -> ast.Module:
    """Parse a module and inject the step counter.

    Raises:
        SyntaxError: The source does not parse, or has asynchronous code: its turns belong to whoever runs it.
        ValueError: The source has null bytes.
    """
    return ast.fix_missing_locations(_Injector().visit(ast.parse(source, filename)))
