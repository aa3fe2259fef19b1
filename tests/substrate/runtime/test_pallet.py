"""What may be declared on a pallet and a runtime, and what follows from it."""

import pytest
from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from substrate.errors import ChainError, DecodeError, HintError
from substrate.runtime.assembly import Runtime, mount
from substrate.runtime.declared import DeclarationError
from substrate.runtime.dispatch import DispatchClass, DispatchFailure, DispatchInfo, Module, ModuleErrorValue, Pays
from substrate.runtime.origin import RawSigned, Signed
from substrate.runtime.pallet import Error, Event, GenesisError, Pallet, call, config, constant, error, runtime_api
from substrate.runtime.storage import StorageValue, storage_value
from substrate.runtime.tables import ApiError
from substrate.scale.types import naming, u8, u32, variant
from substrate.state import Overlay
from substrate.trie.trie import Trie
from substrate.types import AccountId, Balance, BlockNumber, Weight
from tests.substrate.runtime.mini import MiniRuntime

WHO = AccountId(b"w" * 32)


class Bell(Pallet):
    """Rings."""

    rings: StorageValue[u32] = storage_value(default=0)
    price: Balance = constant(Balance(3))
    loud: bool = config(False)

    class Rung(Event):
        times: u32

    @variant(7)
    class Cracked(Event):
        pass

    class Silent(Event):
        pass

    class TooOften(Error):
        """It was rung too often."""

    @error(9)
    class Broken(Error):
        """It is broken."""

    @call(weight=lambda _bell, times: Weight(times, 1))
    def ring(self, origin: Signed, times: u32) -> None:
        if times > 3:
            raise self.TooOften(f"{times} times")
        self.rings.put(self.rings.get() + times)
        self.deposit_event(self.Rung(times=times))

    @call(5, operational=True, feeless=True, name="mend_it")
    def mend(self, origin: Signed) -> None:
        raise self.Broken

    @call
    def hush(self, origin: Signed) -> None:
        self.rings.put(2**32)

    @runtime_api("BellApi_rings", version=3)
    def count(self, add: u32) -> u8:
        return self.rings.get() + add

    @runtime_api("BellApi_nothing", version=3)
    def nothing(self) -> None:
        return None


class Gong(Bell):
    """A second bell in the same runtime."""

    class Cracked(Event):
        depth: u8

    class Muffled(Error):
        """Declared here."""

    def mend(self, origin: Signed) -> None:
        """An override stays the call that it overrides."""


class BellRuntime(MiniRuntime):
    bell: Bell = mount(30)
    gong: Gong = mount(31, name="BigGong", price=Balance(8))


@pytest.fixture
def runtime() -> BellRuntime:
    made = BellRuntime(Overlay(Trie.empty()))
    made.system.block_number.put(BlockNumber(1))
    return made


def test_indices_follow_places_unless_given() -> None:
    assert {name: naming(event).index for name, event in Bell.events.items()} == {"Rung": 0, "Cracked": 7, "Silent": 2}
    assert {name: kind.index for name, kind in Bell.errors.items()} == {"TooOften": 0, "Broken": 9}
    calls = [BellRuntime.encode_call(BellRuntime.call_named(name)) for name in ("Bell.mend_it", "Bell.hush")]
    assert calls == [b"\x1e\x05", b"\x1e\x02"]
    assert BellRuntime.encode_call(BellRuntime.call_named("Bell.ring", times=1)) == b"\x1e\0\1\0\0\0"


def test_a_method_of_several_pallets_does_not_say_which_call_is_meant() -> None:
    with pytest.raises(ChainError) as refusal:
        BellRuntime.call(Bell.ring, times=1)

    assert str(refusal.value) == (
        'Bell.ring is a call of several pallets; write call_named("Bell.ring", ...) or call_named("BigGong.ring", ...)'
    )


def test_a_subclass_has_events_and_errors_of_its_own() -> None:
    assert list(Gong.events) == ["Rung", "Cracked", "Silent"]
    assert list(Gong.errors) == ["TooOften", "Broken", "Muffled"]
    assert not {*Gong.events.values()} & {*Bell.events.values()}
    assert (naming(Gong.Cracked).index, Gong.Broken.index, Gong.Muffled.index) == (1, 9, 2)
    assert BellRuntime.assembly().pallet_of_error(Gong.TooOften) == 31
    assert BellRuntime.assembly().pallet_of_error(Bell.TooOften) == 30


def test_two_mounts_of_a_pallet_keep_apart(runtime: BellRuntime) -> None:
    runtime.dispatch(BellRuntime.call_named("BigGong.ring", times=2), RawSigned(WHO))

    assert (runtime.bell.rings.get(), runtime.gong.rings.get()) == (0, 2)
    assert (runtime.bell.price, runtime.gong.price, runtime.gong.loud) == (3, 8, False)
    (record,) = runtime.system.block_events()
    assert runtime.assembly().codecs.of(type(record)).encode(record) == b"\2\x1f\0" + b"\2\0\0\0" + b"\0"


def test_an_overridden_call_keeps_its_declaration(runtime: BellRuntime) -> None:
    call_ = BellRuntime.call_named("BigGong.mend_it")

    assert runtime.dispatch_info(call_) == DispatchInfo(Weight(100_000_000, 4_096), DispatchClass.Operational, Pays.No)
    assert runtime.dispatch(call_, RawSigned(WHO)).actual_weight is None


def test_a_weight_may_depend_on_the_arguments(runtime: BellRuntime) -> None:
    told = runtime.dispatch_info(BellRuntime.call_named("Bell.ring", times=70))

    assert told == DispatchInfo(Weight(70, 1), DispatchClass.Normal, Pays.Yes)


def test_a_pallets_error_is_its_module_error(runtime: BellRuntime) -> None:
    with pytest.raises(DispatchFailure) as failure:
        runtime.dispatch(BellRuntime.call_named("BigGong.ring", times=4), RawSigned(WHO))

    assert failure.value.error == Module(ModuleErrorValue(31, bytes(4)))
    assert str(failure.value.__cause__).endswith("TooOften: 4 times")


def test_the_exact_pallet_is_found_before_a_subclass() -> None:
    class GongOnly(MiniRuntime):
        gong: Gong = mount(31)

    assert BellRuntime.assembly().attribute_of(Bell) == "bell"
    assert GongOnly.assembly().attribute_of(Bell) == "gong"
    assert GongOnly(Overlay(Trie.empty())).has_pallet(Bell)
    with pytest.raises(LookupError, match="MiniRuntime mounts no Bell"):
        MiniRuntime(Overlay(Trie.empty())).pallet(Bell)


# --- declarations that do not stand ---


def test_calls_of_one_index_are_refused() -> None:
    class Twice(Pallet):
        @call(1)
        def first(self, origin: Signed) -> None: ...

        @call
        def second(self, origin: Signed) -> None: ...

    class TwiceRuntime(MiniRuntime):
        twice: Twice = mount(50)

    with pytest.raises(HintError, match="share variant index 1"):
        TwiceRuntime.metadata()


def test_errors_of_one_index_are_refused() -> None:
    with pytest.raises(AssertionError, match=r"Twice declares two errors at one index: \[1, 1\]"):

        class Twice(Pallet):  # pyright: ignore[reportUnusedClass]
            @error(1)
            class First(Error): ...

            class Second(Error): ...


def test_pallets_of_one_index_are_refused() -> None:
    class Both(MiniRuntime):
        bell: Bell = mount(4)

    with pytest.raises(DeclarationError) as refusal:
        Both.assembly()

    assert str(refusal.value) == ("Both mounts Balances and Bell at one index, 4; give one of them another, such as 8")


def test_a_call_must_say_whose_origin_it_takes() -> None:
    class Loose(Pallet):
        @call
        def loose(self, origin: AccountId) -> None: ...

    class LooseRuntime(MiniRuntime):
        loose: Loose = mount(50)

    with pytest.raises(DeclarationError) as refusal:
        LooseRuntime.assembly()

    assert str(refusal.value) == (
        "Loose.loose(origin): a call's first parameter is its origin; "
        "annotate it Signed, Root, NoneOrigin or AnyOrigin, not AccountId"
    )


def test_a_constant_without_default_must_be_set() -> None:
    class Priced(Pallet):
        price: Balance = constant()

    class PricedRuntime(MiniRuntime):
        priced: Priced = mount(50)

    with pytest.raises(AssertionError, match=r"Priced\.price must be set where the pallet is mounted"):
        _ = PricedRuntime(Overlay(Trie.empty())).priced.price


def test_an_unknown_call_is_named_among_those_there_are() -> None:
    with pytest.raises(ChainError, match=r"BellRuntime has no call Bell\.rang; it has .*Bell\.ring"):
        BellRuntime.call_named("Bell.rang")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bells": {}}, "there is no pallet bells; .* gong"),
        ({"bell": {"rings": 1}}, "bell has no genesis option rings"),
    ],
)
def test_genesis_names_what_it_does_not_know(given: dict[str, dict[str, int]], message: str) -> None:
    with pytest.raises(GenesisError, match=message):
        BellRuntime.genesis(given, code=b"")


# --- runtime APIs ---


def test_an_api_is_coded_by_its_annotations(runtime: BellRuntime) -> None:
    class OneBell(MiniRuntime):
        bell: Bell = mount(30)

    one = OneBell(Overlay(Trie.empty()))
    one.bell.rings.put(5)

    assert one.api("BellApi_rings", b"\2\0\0\0") == b"\7"
    assert one.api("BellApi_nothing", b"") == b""
    assert [version for _, version in OneBell.assembly().version.apis].count(3) >= 1


@pytest.mark.parametrize(
    ("name", "args", "kind", "message"),
    [
        ("BellApi_ring", b"", ApiError, "the runtime offers no API BellApi_ring"),
        ("BellApi_nothing", b"\0", ApiError, "BellApi_nothing takes no arguments, got 1 bytes"),
        ("BellApi_rings", b"\0", DecodeError, "input ends early"),
        ("BellApi_rings", bytes(5), DecodeError, "bytes left over"),
        ("BellApi_rings", b"\0\1\0\0", ApiError, "BellApi_rings panicked: EncodeError"),
    ],
)
def test_a_bad_api_call_is_refused(
    runtime: Runtime, name: str, args: bytes, kind: type[ChainError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        runtime.api(name, args)


def test_errors_are_listed_without_gaps() -> None:
    """Clients that find an error by its place in the list find it by its index."""
    judge = RuntimeConfigurationObject()
    judge.update_type_registry(load_type_registry_preset("core"))
    metadata = judge.create_scale_object("MetadataVersioned", ScaleBytes(BellRuntime.metadata()))
    metadata.decode()
    judge.add_portable_registry(metadata)
    bell = next(pallet for pallet in metadata.pallets if pallet.name == "Bell")

    assert [error.value["index"] for error in bell.errors] == list(range(10))
    assert [bell.errors[kind.index].name for kind in Bell.errors.values()] == list(Bell.errors)
