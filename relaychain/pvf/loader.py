"""Bundles become objects: metered, under private module names, so that two versions of a plugin live side by side."""

import builtins
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any

from relaychain.primitives.validation import ABI_PACKAGES, may_import
from relaychain.pvf.bundle import Bundle, BundleError, node_abi, read_bundle
from relaychain.pvf.meter import COUNTED_NAME, STEP_NAME, Meter, metered
from relaychain.pvf.sandbox import described
from substrate.crypto.hashing import blake2_256
from substrate.runtime.stack import stack_room
from substrate.runtime.steps import StepLimit

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
        self._bundle = bundle
        self._sources = {file.module: file.source for file in bundle.files}
        self._modules: dict[str, types.ModuleType] = {}
        self.entry = self._load_entry(bundle)

    def _load_entry(self, bundle: Bundle) -> Any:
        module, _, name = bundle.entry.partition(":")
        self.meter.left = IMPORT_STEPS
        try:
            with stack_room():
                entry = getattr(self._module(module), name, None)
        except StepLimit:
            raise BundleError(f"importing {module} takes more than {IMPORT_STEPS} steps") from None
        except (BundleError, KeyboardInterrupt, MemoryError):
            raise
        except BaseException as failure:
            # Whatever a plugin raises at import is its author's error to read, not ours to classify.
            raise BundleError(f"importing {module} failed: {described(failure)}") from failure
        if entry is None:
            raise BundleError(f"{module} has no {name}")
        if hasattr(entry, "step_meter"):  # its runtime bounds each call
            entry.step_meter = self.meter
        return entry

    def _module(self, name: str) -> types.ModuleType:
        if name in self._modules:
            return self._modules[name]
        private = f"pvf_{self.code_hash[:8].hex()}.{name}"
        module = types.ModuleType(private)
        self._modules[name] = module
        sys.modules[private] = module
        scope = vars(builtins) | {
            "__import__": self._import,
            STEP_NAME: self.meter.step,
            COUNTED_NAME: self.meter.counted,
        }
        module.__dict__["__builtins__"] = scope
        filename = f"<{private}>"
        try:
            code = compile(metered(self._sources[name], filename), filename, "exec", dont_inherit=True)
        except (MemoryError, RecursionError) as failure:  # the parser's and the compiler's own bounds
            raise BundleError(f"{name} is nested too deeply to compile") from failure
        exec(code, module.__dict__)
        return module

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
            return self._module(name)
        if not may_import(name):
            raise BundleError(
                f"validation code may import the standard library, msgspec, {', '.join(ABI_PACKAGES)}, not {name}"
            )
        return builtins.__import__(name, globals, locals, fromlist or (), level)
