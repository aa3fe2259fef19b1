"""Executing blocks for import: the runtime that `:code` names, watched by a collector of facts."""

from collections.abc import Callable

from substrate.block import Block
from substrate.client.importing import Execute, Execution
from substrate.errors import ChainError
from substrate.runtime.assembly import CODE_KEY, Runtime
from substrate.runtime.executive import Executed, execute_block
from substrate.scale.types import Struct
from substrate.trie.trie import Trie

RuntimeLoader = Callable[[bytes], type[Runtime]]
"""Turns `:code` into a runtime class."""


class Facts:
    """An observer that keeps what it is told, in order."""

    def __init__(self) -> None:
        self.seen: list[Struct] = []

    def note(self, fact: Struct) -> None:
        """Keep one fact."""
        self.seen.append(fact)


def runtime_class_at(state: Trie, loader: RuntimeLoader) -> type[Runtime]:
    """The runtime class that a state's `:code` names."""
    code = state.get(CODE_KEY)
    if code is None:
        raise ChainError("the state holds no :code, so no runtime can be loaded from it")
    return loader(code)


def as_execution(executed: Executed, runtime: type[Runtime], facts: Facts) -> Execution:
    """What the import pipeline keeps of an execution."""
    return Execution(executed.state, runtime, executed.events, tuple(facts.seen))


def executor(loader: RuntimeLoader) -> Execute:
    """The import pipeline's way to execute a block."""

    def execute(parent: Trie, block: Block) -> Execution:
        facts, runtime = Facts(), runtime_class_at(parent, loader)
        return as_execution(execute_block(runtime, parent, block, facts), runtime, facts)

    return execute
