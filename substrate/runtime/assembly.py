"""A runtime: pallets mounted on a class, instantiated over a state.

    class RelayRuntime(Runtime):
        version = RuntimeVersion(...)
        crate = "relay_runtime"
        system: System = mount(0)
        balances: Balances = mount(4, existential_deposit=Balance(1_000))

Source: polkadot-sdk, `construct_runtime!` (`substrate/frame/support/procedural/src/construct_runtime`).
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, TypeVar, cast

from substrate.errors import RuleError
from substrate.runtime.dispatch import (
    DispatchFailure,
    DispatchInfo,
    Module,
    ModuleErrorValue,
    Other,
    Pays,
    PostInfo,
)
from substrate.runtime.observer import CallPanicked, Observer
from substrate.runtime.origin import Origin
from substrate.runtime.outer_enums import OriginCaller, RuntimeCall
from substrate.runtime.pallet import Error, Event, GenesisError, Pallet
from substrate.runtime.panics import NO_PANIC, described, type_name
from substrate.runtime.steps import CALL_STEPS, StepLimit, StepMeter
from substrate.runtime.storage import StorageValue
from substrate.runtime.tables import ApiError, Assembly, CallEntry, Mount, storage_prefix
from substrate.runtime.version import RuntimeVersion
from substrate.state import Overlay
from substrate.trie.trie import Trie
from substrate.types import BlockNumber

P = TypeVar("P", bound=Pallet)

CODE_KEY = b":code"
EXTRINSIC_INDEX_KEY = b":extrinsic_index"


def mount(index: int, *, name: str | None = None, **settings: Any) -> Any:
    """Mount the annotated pallet.

    Args:
        index: Its index in calls, events and errors.
        name: Its name in storage keys and metadata; the attribute's name in camel case by default.
        settings: Values for its constants and configuration.
    """
    return Mount(index, name, settings)


class Runtime:
    """Base of every runtime."""

    version: ClassVar[RuntimeVersion]
    crate: ClassVar[str]
    """The crate of `RuntimeCall` and `RuntimeEvent` in type paths; ends in `_runtime`."""
    step_meter: ClassVar[StepMeter | None] = None
    """Bounds each call, where the runtime's code is metered."""
    _assembly: ClassVar[Assembly | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._assembly = None

    def __init__(self, state: Overlay, observer: Observer | None = None) -> None:
        self.state = state
        self.observer = observer
        self._pallets: dict[type[Pallet], Pallet] = {}
        self._number: StorageValue[BlockNumber] | None = None

    @classmethod
    def assembly(cls) -> Assembly:
        """The runtime's tables, built at first use."""
        if cls._assembly is None:
            cls._assembly = Assembly(cls)
        return cls._assembly

    # --- pallets ---

    def pallet(self, kind: type[P]) -> P:
        """The mounted pallet of that class.

        Raises:
            LookupError: The runtime mounts none.
        """
        found = self._pallets.get(kind)
        if found is None:
            attribute = self.assembly().attribute_of(kind)
            if attribute is None:
                raise LookupError(f"{type(self).__name__} mounts no {kind.__name__}")
            found = self._pallets[kind] = cast("Pallet", getattr(self, attribute))
        return cast("P", found)

    def has_pallet(self, kind: type[Pallet]) -> bool:
        """Whether a pallet of that class is mounted."""
        return self.assembly().attribute_of(kind) is not None

    def pallets(self) -> tuple[Pallet, ...]:
        """Every pallet, by index."""
        return tuple(getattr(self, attribute) for attribute in self.assembly().mounts)

    def block_number(self) -> BlockNumber:
        """The number of the block being executed, or last executed."""
        if self._number is None:
            self._number = StorageValue(self.state, self.assembly().number_entry)
        return self._number.get()

    def deposit(self, attribute: str, event: Event) -> None:
        """Emit a pallet's event."""
        wrapped = self.assembly().wrap_event(attribute, event)
        cast(Any, self).system.deposit_event(wrapped)

    # --- calls ---

    @classmethod
    def call(cls, method: Callable[..., Any], /, **args: Any) -> RuntimeCall:
        """A call value: `R.call(Balances.transfer_keep_alive, dest=bob, value=5)`."""
        return cls.assembly().make_call(method, args)

    @classmethod
    def call_named(cls, name: str, /, **args: Any) -> RuntimeCall:
        """A call value by name: `R.call_named("Balances.transfer_keep_alive", dest=bob, value=5)`."""
        return cls.assembly().make_call_named(name, args)

    @classmethod
    def encode_call(cls, call: RuntimeCall) -> bytes:
        """A call's bytes."""
        return cls.assembly().codecs.of(RuntimeCall).encode(call)

    @classmethod
    def decode_call(cls, data: bytes) -> RuntimeCall:
        """A call from its bytes (all of them)."""
        return cls.assembly().codecs.of(RuntimeCall).decode(data)

    @classmethod
    def wrap_origin(cls, origin: Origin) -> OriginCaller:
        """An origin value as the runtime's `OriginCaller`."""
        return cls.assembly().wrap_origin(origin)

    def dispatch_info(self, call: RuntimeCall) -> DispatchInfo:
        """What a call costs before it runs."""
        entry, value = self.assembly().resolve(call)
        spec = entry.spec
        weight, class_ = spec.weight, spec.class_
        if callable(weight):
            weight = weight(getattr(self, entry.attribute), *entry.arguments(value))
        if isinstance(weight, tuple):
            weight, class_ = weight
        return DispatchInfo(weight, class_, Pays.No if spec.feeless else Pays.Yes)

    def dispatch(self, call: RuntimeCall, origin: Origin) -> PostInfo:
        """Run a call in a storage transaction.

        Raises:
            DispatchFailure: The call failed; what it wrote is rolled back.
        """
        entry, value = self.assembly().resolve(call)
        argument = entry.check(origin)
        method = getattr(getattr(self, entry.attribute), entry.method)
        try:
            with self.state.transaction(), self.capped(CALL_STEPS):
                return self._called(entry, lambda: method(argument, *entry.arguments(value)))
        except DispatchFailure:
            raise
        except StepLimit as failure:
            self.check_steps_left(failure)
            raise self._panicked(entry, failure) from failure
        except NO_PANIC:
            raise
        except BaseException as failure:
            raise self._panicked(entry, failure) from failure

    def _called(self, entry: CallEntry, method: Callable[[], PostInfo | None]) -> PostInfo:
        try:
            post = method()
        except Error as failure:
            raise DispatchFailure(self.module_error(failure)) from failure
        except RuleError as failure:
            raise DispatchFailure(self._rule_error(entry, failure)) from failure
        if post is None:
            return PostInfo()
        if type(post) is not PostInfo:
            raise TypeError(f"a call returns None or a PostInfo, not {type_name(post)}")
        return post

    def capped(self, steps: int) -> AbstractContextManager[None]:
        """Allow at most so many steps inside; see `StepMeter.capped`."""
        return nullcontext() if self.step_meter is None else self.step_meter.capped(steps)

    def check_steps_left(self, limit: StepLimit) -> None:
        """Raise the limit again where not the innermost cap was reached but one around it."""
        if self.step_meter is None or self.step_meter.is_exceeded:
            raise limit

    def _panicked(self, entry: CallEntry, failure: BaseException) -> DispatchFailure:
        if self.observer is not None:
            self.observer.note(CallPanicked(entry.attribute, entry.method, described(failure)))
        return DispatchFailure(Other())

    def module_error(self, failure: Error) -> Module:
        """A pallet's error as its wire value."""
        pallet_index = self.assembly().pallet_of_error(type(failure))
        return Module(ModuleErrorValue(pallet_index, bytes([failure.index, 0, 0, 0])))

    def _rule_error(self, entry: CallEntry, failure: RuleError) -> Module | Other:
        kind = getattr(self, entry.attribute).errors.get(str(failure.reason))
        return Other() if kind is None else self.module_error(kind(str(failure)))

    # --- runtime APIs, genesis ---

    def api(self, name: str, args: bytes) -> bytes:
        """Call a runtime API.

        Args:
            name: `Trait_method`.
            args: The SCALE encodings of its arguments, concatenated.

        Raises:
            ApiError: There is no such API, or it panicked.
            DecodeError: The arguments do not decode.
        """
        entry = self.assembly().api(name)
        owner = self if entry.attribute is None else getattr(self, entry.attribute)
        arguments = entry.decode_arguments(args)
        try:
            return entry.result.encode(getattr(owner, entry.method)(*arguments))
        except NO_PANIC:
            raise
        except BaseException as failure:
            raise ApiError(f"{name} panicked: {described(failure)}") from failure

    @classmethod
    def genesis(cls, config: Mapping[str, Mapping[str, Any]], *, code: bytes) -> Trie:
        """The genesis state.

        Args:
            config: Genesis configuration by pallet attribute.
            code: What goes under `:code`.
        """
        unknown = sorted(set(config) - set(cls.assembly().mounts))
        if unknown:
            known = ", ".join(cls.assembly().mounts)
            raise GenesisError(f"there is no pallet {', '.join(unknown)}; there are {known}")
        state = Overlay(Trie.empty())
        state.put(CODE_KEY, code)
        runtime = cls(state)
        for attribute, mounted in cls.assembly().mounts.items():
            if mounted.kind.storage_version:
                key = storage_prefix(mounted.name, ":__STORAGE_VERSION__:")
                state.put(key, mounted.kind.storage_version.to_bytes(2, "little"))
            getattr(runtime, attribute).genesis(config.get(attribute, {}))
        return state.finish()

    @classmethod
    def metadata(cls, version: int = 14) -> bytes:
        """Metadata (`meta`, version, ...) in one of the versions that `Metadata_metadata_versions` offers."""
        return cls.assembly().metadata(version)
