"""scale-info: names and structures that clients look for."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Annotated, Any, NewType, TypeAlias

import pytest

from substrate.errors import HintError
from substrate.scale.bits import BitVec
from substrate.scale.codec import Codecs, decode
from substrate.scale.registry import (
    Array,
    BitSequence,
    CompactType,
    Composite,
    PortableType,
    Registry,
    Tuple,
    Type,
    Variants,
)
from substrate.scale.types import (
    Ascending,
    Compact,
    Custom,
    Exactly,
    Fixed,
    MaxLen,
    Path,
    Placeholder,
    Result,
    Struct,
    enum_path,
    make_enum,
    make_struct,
    path,
    type_path,
    u8,
    u32,
    variant,
    wire,
)
from substrate.types import AccountId, Balance


class Color(IntEnum):
    NO_COLOR = 0
    Blue = 3


type_path(Color, "toy::Color")


@path("toy::Pair", params=(("T", u8), ("S", None)))
class Pair(Struct):
    from_: AccountId
    amount: Compact[Balance]


@variant(4)
class Leaf(Struct):
    pair: Pair


@variant(1, "Renamed", unnamed=True)
class Branch(Struct):
    trees: "Forest"


Tree: TypeAlias = Leaf | Branch
Forest: TypeAlias = Annotated[tuple[Tree, ...], Path("toy::Forest")]
enum_path(Tree, "toy::Tree")


FirstKey = NewType("FirstKey", bytes)
SecondKey = NewType("SecondKey", bytes)
for _key in (FirstKey, SecondKey):
    wire(_key, Annotated[bytes, Fixed(32)], path="toy::Key")


class RuntimeCall(Placeholder): ...


def described(hint: Any, codecs: Codecs | None = None) -> tuple[Registry, Type]:
    registry = Registry(codecs or Codecs())
    kind = registry.types[registry.type_id(hint)]
    assert kind is not None
    return registry, kind


def test_a_struct_shows_its_path_parameters_and_fields() -> None:
    registry, kind = described(Pair)

    assert kind.path == ("toy", "Pair")
    assert [(param.name, param.type is None) for param in kind.params] == [("T", False), ("S", True)]
    assert isinstance(kind.definition, Composite)
    sender, amount = kind.definition.fields
    assert [sender.name, amount.name] == ["from", "amount"]
    account = registry.types[sender.type]
    assert account is not None
    assert account.path == ("sp_core", "crypto", "AccountId32")
    assert registry.types[amount.type] == Type((), (), CompactType(registry.type_id(Balance)), ())


def test_an_enum_may_contain_itself() -> None:
    registry, kind = described(Tree)

    assert kind.path == ("toy", "Tree")
    assert isinstance(kind.definition, Variants)
    branch, leaf = kind.definition.variants
    assert (branch.name, branch.index, branch.fields[0].name) == ("Renamed", 1, None)
    assert (leaf.name, leaf.index, leaf.fields[0].name, leaf.fields[0].type_name) == ("Leaf", 4, "pair", None)
    assert branch.fields[0].type == registry.type_id(Forest)


@pytest.mark.parametrize("name", ["pallet_toy::pallet::Call", "pallet_toy::pallet::Event"])
def test_calls_and_events_spell_the_types_of_their_fields(name: str) -> None:
    _, kind = described(make_enum(name, [Leaf]))

    assert isinstance(kind.definition, Variants)
    assert [field.type_name for case in kind.definition.variants for field in case.fields] == ["Pair"]


def test_a_hand_written_form_shows_its_name_over_what_it_looks_like() -> None:
    looks = Annotated[tuple[u8, ...], MaxLen(3)]
    hint = Annotated[Any, Custom(lambda value: value, lambda data, at: (data, at), looks), Path("toy::Sorted")]
    registry, kind = described(hint)

    assert kind.path == ("toy", "Sorted")
    assert isinstance(kind.definition, Composite)
    assert [field.type for field in kind.definition.fields] == [registry.type_id(tuple[u8, ...])]


def test_identifiers_of_one_path_are_one_type() -> None:
    registry = Registry(Codecs())

    assert registry.type_id(FirstKey) == registry.type_id(SecondKey)


def test_unit_enums_are_spelled_as_upstream() -> None:
    _, kind = described(Color)

    assert isinstance(kind.definition, Variants)
    assert [(case.name, case.index) for case in kind.definition.variants] == [("NoColor", 0), ("Blue", 3)]


@pytest.mark.parametrize(
    ("hint", "name"),
    [
        (u8 | None, "Option"),
        (Result[u8, str], "Result"),
        (Mapping[u8, str], "BTreeMap"),
        (Annotated[tuple[u8, ...], Ascending()], "BTreeSet"),
        (Annotated[bytes, MaxLen(3)], "BoundedVec"),
        (Annotated[tuple[u32, ...], MaxLen(3)], "BoundedVec"),
        (Forest, "Forest"),
    ],
)
def test_generic_types_have_their_names(hint: Any, name: str) -> None:
    assert described(hint)[1].path[-1] == name


def test_plain_structures() -> None:
    assert isinstance(described(BitVec)[1].definition, BitSequence)
    assert described(Annotated[tuple[u8, ...], Exactly(4)])[1].definition == Array(4, 0)
    assert described(tuple[()])[1].definition == Tuple(())


def test_placeholders_show_what_they_are_bound_to() -> None:
    bound = make_enum("toy_runtime::RuntimeCall", [make_struct("System", [("value", u8)], index=0)])

    assert described(RuntimeCall, Codecs({RuntimeCall: bound}))[1].path == ("toy_runtime", "RuntimeCall")
    with pytest.raises(HintError, match="RuntimeCall"):
        described(RuntimeCall)


def test_the_registry_is_numbered_without_gaps() -> None:
    registry, _ = described(tuple[Tree, Pair, Color, bytes])

    types = decode(tuple[PortableType, ...], registry.encode())

    assert [entry.id for entry in types] == list(range(len(types)))
    assert len({entry.type for entry in types}) == len(types)
