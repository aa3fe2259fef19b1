"""The pallet: declarations on a class, instantiated over a runtime's state.

Nested `Event` and `Error` classes take their index from their place unless `@variant(i)` or `@error(i)` gives it. A
subclass of a pallet gets events and errors of its own, so that the same pallet can be mounted twice.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast, get_origin

import msgspec

from substrate.errors import ChainError
from substrate.runtime.declared import DeclarationError, storage_form
from substrate.runtime.dispatch import DispatchClass
from substrate.runtime.hashers import Blake2_128Concat
from substrate.runtime.storage import ACCESSORS, MISSING, Accessor, Declaration, Entry, camel_case
from substrate.scale.types import Hint, Struct, make_struct, naming, variant
from substrate.state import Overlay
from substrate.types import BlockNumber, Weight

if TYPE_CHECKING:
    from substrate.runtime.assembly import Runtime
    from substrate.runtime.observer import Observer

P = TypeVar("P", bound="Pallet")
F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

DEFAULT_CALL_WEIGHT = Weight(100_000_000, 4_096)
WeightRule = Weight | Callable[..., Weight | tuple[Weight, DispatchClass]]


class GenesisError(ChainError):
    """A genesis configuration names a pallet or an option that does not exist."""


class Event(Struct):
    """Base of a pallet's events."""


class Error(ChainError):
    """Base of a pallet's errors; the docstring is the explanation."""

    index: ClassVar[int] = -1
    fields: ClassVar[tuple[tuple[str, Hint], ...]] = ()
    """Names and types of what follows the index, as metadata shows it; a module error has room for three bytes."""

    def __init__(self, detail: str = "") -> None:
        name = type(self).__qualname__
        super().__init__(f"{name}: {detail}" if detail else name)


def error(index: int) -> Callable[[type[Error]], type[Error]]:
    """Give an error its upstream index."""

    def mark(cls: type[Error]) -> type[Error]:
        cls.index = index
        return cls

    return mark


class CallSpec(msgspec.Struct, frozen=True):
    """What `@call` says of a method."""

    index: int | None
    weight: WeightRule
    class_: DispatchClass
    feeless: bool
    name: str | None

    def numbered(self, place: int) -> "CallSpec":
        """With an index: its own, or its place among the calls."""
        return self if self.index is not None else msgspec.structs.replace(self, index=place)


def call(
    index: int | Callable[..., Any] | None = None,
    *,
    weight: WeightRule = DEFAULT_CALL_WEIGHT,
    operational: bool = False,
    inherent: bool = False,
    feeless: bool = False,
    name: str | None = None,
) -> Any:
    """Make a method a call; usable bare (`@call`) or with its upstream index.

    Args:
        index: The call's index in its pallet; its place among the calls by default.
        weight: What it costs before it runs: a `Weight`, or a function of the pallet and the arguments. That may give
            the call's class too, where it is the class of a call inside.
        operational: Draws on the operational share of the block.
        inherent: Mandatory and bare; a failure makes the block invalid.
        feeless: Costs its signer nothing.
        name: The call's name where the method's will not do.
    """
    class_ = DispatchClass.Mandatory if inherent else DispatchClass.Operational if operational else DispatchClass.Normal

    def mark(method: F) -> F:
        number = index if isinstance(index, int) else None
        method.__call_spec__ = CallSpec(number, weight, class_, feeless or inherent, name)  # pyright: ignore[reportFunctionMemberAccess]  # the mark is read back by the assembly
        return method

    return mark(index) if callable(index) else mark


class ApiSpec(msgspec.Struct, frozen=True):
    """What `@runtime_api` says of a method."""

    name: str
    version: int


def runtime_api(name: str, *, version: int = 1) -> Callable[[F], F]:
    """Make a method a runtime API; arguments and result are coded by its annotations.

    Args:
        name: `Trait_method`, as `state_call` names it.
        version: The trait's version.
    """

    def mark(method: F) -> F:
        method.__api_spec__ = ApiSpec(name, version)  # pyright: ignore[reportFunctionMemberAccess]  # the mark is read back by the assembly
        return method

    return mark


class Setting(Generic[T]):
    """A constant or policy of a pallet: its default, overridden where the runtime mounts the pallet.

    A constant given as a function is computed from the runtime.
    """

    def __init__(self, default: T, *, in_metadata: bool, name: str | None = None) -> None:
        self.default = default
        self.in_metadata = in_metadata
        self.name = name
        self.attribute = ""

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.attribute = attribute
        self.name = self.name or camel_case(attribute)

    def __get__(self, instance: "Pallet | None", owner: type) -> Any:
        if instance is None:
            return self
        value = instance.settings.get(self.attribute, self.default)
        assert value is not MISSING, f"{owner.__name__}.{self.attribute} must be set where the pallet is mounted"
        if self.in_metadata and callable(value):
            value = value(instance.runtime)
        instance.__dict__[self.attribute] = value
        return value


def constant(default: object = MISSING, *, name: str | None = None) -> Any:
    """Declare a metadata constant; without a default the runtime must give it."""
    return Setting(default, in_metadata=True, name=name)


def config(default: object = MISSING) -> Any:
    """Declare a policy that metadata does not show."""
    return Setting(default, in_metadata=False)


class Pallet:
    """Base of every pallet: storage, calls, events, errors, hooks."""

    crate: ClassVar[str] = ""
    """The Rust crate whose type paths the metadata shows; `pallet_<name>` by default."""
    storage_version: ClassVar[int] = 0
    origins: ClassVar[tuple[type[Struct], ...]] = ()
    """The pallet's own origin variants, each with its `@variant`."""

    events: ClassVar[dict[str, type[Event]]] = {}
    errors: ClassVar[dict[str, type[Error]]] = {}
    declarations: ClassVar[dict[str, Declaration]] = {}
    hints: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _declare_bare_storage(cls)
        _refuse_taken_names(cls)
        cls.events = _own_events(cls)
        cls.errors = _own_errors(cls)
        cls.declarations = _nested_declarations(cls)

    def __init__(self, runtime: "Runtime", name: str, settings: Mapping[str, Any]) -> None:
        self.runtime = runtime
        self.mount_name = name
        self.settings = settings

    @property
    def state(self) -> Overlay:
        """The state this runtime instance works on."""
        return self.runtime.state

    @property
    def observer(self) -> "Observer | None":
        """Who wants to know what execution does, if anyone."""
        return self.runtime.observer

    @property
    def number(self) -> BlockNumber:
        """The current block number."""
        return self.runtime.block_number()

    def storage_entry(self, item: str) -> Entry:
        """Where a storage item lives in this runtime."""
        return self.runtime.assembly().entry(self.mount_name, item)

    def pallet(self, kind: type[P]) -> P:
        """The pallet of that class that this runtime mounts."""
        return self.runtime.pallet(kind)

    def has_pallet(self, kind: type["Pallet"]) -> bool:
        """Whether this runtime mounts a pallet of that class."""
        return self.runtime.has_pallet(kind)

    def deposit_event(self, event: Event) -> None:
        """Emit one of this pallet's events."""
        self.runtime.deposit(self.mount_name, event)

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Write the pallet's genesis storage; `config` is its part of the genesis."""
        if config:
            raise GenesisError(f"{self.mount_name} has no genesis option {', '.join(sorted(config))}")

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Run before the block's extrinsics; returns the weight used."""
        return Weight.ZERO

    def on_idle(self, number: BlockNumber, remaining: Weight) -> Weight:
        """Run after the extrinsics with what weight is left; returns the weight used."""
        return Weight.ZERO

    def on_finalize(self, number: BlockNumber) -> None:
        """Run last in the block."""

    def inherent(self, data: Mapping[bytes, bytes]) -> Struct | None:
        """The call (of this pallet) that puts inherent data into the block, if there is any."""
        return None

    def inherent_required(self) -> bool:
        """Whether a block without this pallet's inherent is invalid."""
        return False

    def validate_unsigned(self, value: Struct) -> bool:
        """Whether a bare call of this pallet may enter a block as a transaction."""
        return False


_HASHERS = dict(zip(ACCESSORS, (0, 1, 2), strict=True))


def _declare_bare_storage(cls: type[Pallet]) -> None:
    for name, hint in vars(cls).get("__annotations__", {}).items():
        accessor, given = _accessor_of(hint), vars(cls).get(name)
        if accessor is None or isinstance(given, Declaration):
            continue
        place, form = f"{cls.__name__}.{name}", storage_form(accessor)
        if name in vars(cls):
            factory = {0: "storage_value", 1: "storage_map", 2: "storage_double_map"}[_HASHERS[accessor]]
            raise DeclarationError(f"{place}: a storage item has no plain default; write {factory}(default={given!r})")
        if get_origin(hint) is None:  # bare, or text: what it holds is read from the annotation itself
            raise DeclarationError(f"{place}: annotate it {form}, not in quotes nor under `from __future__`")
        item = Declaration(accessor, (Blake2_128Concat,) * _HASHERS[accessor], MISSING, None)
        item.__set_name__(cls, name)
        setattr(cls, name, item)


def _accessor_of(hint: Any) -> type[Accessor] | None:
    """The accessor that an annotation names, if it names one."""
    name = hint.partition("[")[0] if isinstance(hint, str) else None
    return next((each for each in ACCESSORS if each in (hint, get_origin(hint)) or each.__name__ == name), None)


_OWN = ("runtime", "mount_name", "settings")
"""Attributes of every pallet instance."""


def _refuse_taken_names(cls: type[Pallet]) -> None:
    """A declaration would hide what pallets stand on; what it may replace is a declaration of its kind."""
    for name, item in vars(cls).items():
        sort = _sort(item)
        hidden = (vars(base)[name] for base in cls.__mro__[1:] if name in vars(base))
        if sort and (name in _OWN or any(_sort(each) != sort for each in hidden)):
            raise DeclarationError(f"{cls.__name__}.{name}: every pallet has something of that name; rename the {sort}")


def _sort(item: object) -> str:
    if isinstance(item, Declaration):
        return "storage item"
    if hasattr(item, "__call_spec__"):
        return "call"
    if inspect.isclass(item) and issubclass(item, (Event, Error)):
        return "event" if issubclass(item, Event) else "error"
    return ""


def _nested_declarations(cls: type[Pallet]) -> dict[str, Declaration]:
    bases = reversed(cls.__mro__)
    return {name: item for base in bases for name, item in vars(base).items() if isinstance(item, Declaration)}


def _nested(cls: type[Pallet], kind: type[T]) -> dict[str, type[T]]:
    items = [item for base in reversed(cls.__mro__) for item in vars(base).items()]
    return {
        name: value for name, value in items if inspect.isclass(value) and issubclass(value, kind) and value is not kind
    }


def _own_events(cls: type[Pallet]) -> dict[str, type[Event]]:
    events = _nested(cls, Event)
    own: dict[str, type[Event]] = {}
    for place, (name, event) in enumerate(events.items()):
        declared = naming(event).index
        index = place if declared is None else declared
        if name not in vars(cls):
            event = cast("type[Event]", make_struct(name, [], bases=(event,), module=cls.__module__))
            setattr(cls, name, event)
        own[name] = variant(index, name, unnamed=naming(event).unnamed)(event)
    return own


def _own_errors(cls: type[Pallet]) -> dict[str, type[Error]]:
    own: dict[str, type[Error]] = {}
    for place, (name, kind) in enumerate(_nested(cls, Error).items()):
        index = kind.index if kind.index >= 0 else place
        if name not in vars(cls):
            kind = type(name, (kind,), {"__doc__": kind.__doc__})
            setattr(cls, name, kind)
        kind.index = index
        own[name] = kind
    indices = [kind.index for kind in own.values()]
    assert len(set(indices)) == len(indices), f"{cls.__name__} declares two errors at one index: {indices}"
    return own
