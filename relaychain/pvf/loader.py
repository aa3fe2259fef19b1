"""Bundles become objects: metered, under private module names, so that two versions of a plugin live side by side."""

import builtins
import sys
import types
import weakref
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from relaychain.primitives.bundle import Bundle, BundleError, read_bundle
from relaychain.primitives.validation import ABI_PACKAGES, may_import
from relaychain.pvf.bundle import node_abi
from relaychain.pvf.meter import COUNTED_NAME, STEP_NAME, Meter, metered
from substrate.crypto.hashing import blake2_256
from substrate.runtime.panics import described
from substrate.runtime.stack import stack_room
from substrate.runtime.steps import StepCounted, StepLimit

IMPORT_STEPS = 1_000_000
"""Steps that importing all modules of a bundle may take."""


class ForeignAbi(BundleError):
    """Code made for other packages than this node has: an infrastructure failure, never a vote."""


class Loaded:
    """A bundle's entry object and its meter."""

    def __init__(self, code: bytes) -> None:
        bundle = read_bundle(code)
        if bundle.abi != node_abi():
            raise ForeignAbi(
                f"the code was made for abi 0x{bundle.abi.hex()}, this node has 0x{node_abi().hex()}; "
                "run it with the version of relayloom that made it"
            )
        self.code_hash = blake2_256(code)
        self.meter = Meter()
        self._names = _Names(self.code_hash)
        self.entry = self._load_entry(bundle)

    def _load_entry(self, bundle: Bundle) -> Any:
        module, _, name = bundle.entry.partition(":")
        modules = _Modules(bundle, self._names.prefix, self.meter)
        self.meter.left = IMPORT_STEPS
        try:
            with stack_room():
                entry = getattr(modules.get(module), name, None)
                # All modules run now: an import while a block is validated then takes the same steps each time.
                for file in bundle.files:
                    modules.get(file.module)
            if self.meter.is_exceeded:  # a module swallowed it
                raise StepLimit
        except StepLimit:
            raise BundleError(f"importing {module} takes more than {IMPORT_STEPS} steps") from None
        except (BundleError, KeyboardInterrupt, MemoryError):
            raise
        except BaseException as failure:
            # Whatever a plugin raises at import is its author's error to read, not ours to classify.
            raise BundleError(f"importing {module} failed: {described(failure)}") from failure
        if entry is None:
            raise BundleError(f"{module} has no {name}")
        if issubclass(type(entry), type) and StepCounted in type.__dict__["__mro__"].__get__(entry):
            type.__setattr__(entry, "step_meter", self.meter)  # past what a metaclass has to say
        return entry


class _Modules:
    """A bundle's modules, run at their first import. They hold on to this object, so it holds no `Loaded`."""

    def __init__(self, bundle: Bundle, prefix: str, meter: Meter) -> None:
        self._sources = {file.module: file.source for file in bundle.files}
        self._prefix = prefix
        self._meter = meter
        self._modules: dict[str, types.ModuleType] = {}

    def get(self, name: str) -> types.ModuleType:
        """A module of the bundle."""
        if name in self._modules:
            return self._modules[name]
        private = f"{self._prefix}{name}"
        module = types.ModuleType(private)
        self._modules[name] = module
        sys.modules[private] = module
        try:
            self._run(module, name)
        except BaseException:
            del self._modules[name]  # as Python does: a module that failed is not there
            raise
        return module

    def _run(self, module: types.ModuleType, name: str) -> None:
        scope = vars(builtins) | {
            "__import__": self._import,
            STEP_NAME: self._meter.step,
            COUNTED_NAME: self._meter.counted,
        }
        module.__dict__["__builtins__"] = scope
        filename = f"<{module.__name__}>"
        try:
            code = compile(metered(self._sources[name], filename), filename, "exec", dont_inherit=True)
        except (MemoryError, RecursionError) as failure:  # the parser's and the compiler's own bounds
            raise BundleError(f"{name} is nested too deeply to compile") from failure
        exec(code, module.__dict__)

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = None,
        level: int = 0,
    ) -> types.ModuleType:
        if level:
            raise BundleError("validation code imports its own modules by their full names")
        if name in self._sources:
            if not fromlist:
                raise BundleError(f"write `from {name} import ...`: a bundle's modules have private names")
            return self.get(name)
        if not may_import(name):
            raise BundleError(
                f"validation code may import the standard library, msgspec, {', '.join(ABI_PACKAGES)}, not {name}"
            )
        return builtins.__import__(name, globals, locals, fromlist or (), level)


class _Names:
    """A bundle's modules in `sys.modules`, where annotations are looked up: they go with their `Loaded`.

    Two of the same code, in hosts of their own, have different names: a class of the one is none of the other.
    """

    def __init__(self, code_hash: bytes) -> None:
        start = f"pvf_{code_hash[:8].hex()}"
        self.prefix = next(name for name in _prefixes(start) if name not in _TAKEN)
        _TAKEN.add(self.prefix)
        weakref.finalize(self, _forget, self.prefix)


_TAKEN: set[str] = set()


def _prefixes(start: str) -> Iterator[str]:
    yield f"{start}."
    yield from (f"{start}_{number}." for number in count(1))


def _forget(prefix: str) -> None:
    _TAKEN.discard(prefix)
    for name in [name for name in sys.modules if name.startswith(prefix)]:
        del sys.modules[name]
