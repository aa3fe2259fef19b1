"""Validation code at a collator: the relay chain's own bundle format and loader, with steps counted call by call."""

from collections.abc import Sequence
from typing import Any

from parachains.collator.registry import Module
from parachains.sdk.contract import Collated, CollationContext, GenesisBlock, ParaConfig
from parachains.sdk.plugin import Parachain
from relaychain.primitives.bundle import SourceFile
from relaychain.primitives.types import HeadData
from relaychain.primitives.validation import ValidationParams, ValidationResult
from relaychain.pvf.bundle import make_bundle
from relaychain.pvf.host import BACKING_STEPS, InlineHost
from relaychain.pvf.loader import Loaded
from substrate.errors import ChainError
from substrate.runtime.assembly import Runtime


class Metered:
    """A plugin whose every call has the steps that validation would have, so that none can hang a collator."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    @property
    def level_one(self) -> type[Parachain] | None:
        """The class, if the plugin has a runtime."""
        entry = self._loaded.entry
        return entry if isinstance(entry, type) and issubclass(entry, Parachain) else None

    def genesis_block(self, config: ParaConfig) -> GenesisBlock[Any]:
        """Block zero."""
        return self._entry().genesis_block(config)

    def validate_block(self, params: ValidationParams) -> ValidationResult:
        """What a block leads to."""
        return self._entry().validate_block(params)

    def collate(self, head: HeadData, state: Any, context: CollationContext) -> Collated[Any]:
        """The next block."""
        return self._entry().collate(head, state, context)

    def runtime(self) -> type[Runtime]:
        """The runtime, with fresh steps for what is done with it next."""
        kind = self.level_one
        if kind is None:
            raise ChainError("this validation code has no runtime: it is a Level 0 chain")
        self._loaded.meter.left = BACKING_STEPS
        return kind.runtime()

    def _entry(self) -> Any:
        self._loaded.meter.left = BACKING_STEPS
        return self._loaded.entry


class NodeBundler:
    """Makes and loads bundles; with the host of the network's validators, a bundle is loaded once for all."""

    def __init__(self, host: InlineHost | None = None) -> None:
        self._host = host or InlineHost()

    def make(self, entry: str, files: Sequence[Module]) -> bytes:
        """The bytes of a bundle."""
        return make_bundle(entry, [SourceFile(module.name, module.source) for module in files])

    def load(self, code: bytes) -> Metered:
        """The plugin in a bundle. Raises `ChainError`."""
        loaded = self._host.load(code)
        for method in ("genesis_block", "validate_block", "collate"):
            if not callable(getattr(loaded.entry, method, None)):
                raise ChainError(
                    f"it has no {method}; derive it from parachains.sdk.plugin.Parachain, or give it the methods of "
                    "parachains.sdk.contract.ParachainPlugin"
                )
        return Metered(loaded)

    def load_runtime(self, code: bytes) -> type[Runtime]:
        """The runtime that a para's `:code` names. Raises `ChainError`."""
        return self.load(code).runtime()
