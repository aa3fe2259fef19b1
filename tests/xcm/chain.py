"""A small chain in memory: real adapters, barriers and traders over a dictionary of balances."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from substrate.errors import ChainError, DecodeError
from substrate.runtime.origin import Origin, RawRoot
from substrate.scale.types import Struct
from substrate.types import AccountId, Weight
from xcm.asset import Asset, Assets, assets, fungible
from xcm.builder.barriers import (
    AllowExplicitUnpaidExecutionFrom,
    AllowTopLevelPaidExecutionFrom,
    AllowUnpaidExecutionFrom,
    AnyOf,
    TakeWeightCredit,
    TrailingSetTopicAsId,
)
from xcm.builder.filters import any_of, is_child_parachain, is_parent, is_sibling_parachain, one_of
from xcm.builder.location_conversion import (
    AccountId32Aliases,
    ChildParachainConvertsVia,
    FirstConverter,
    HashedDescription,
    ParentIsPreset,
    SiblingParachainConvertsVia,
    describe_all_terminal,
    describe_family,
)
from xcm.builder.matchers import MatchedConvertedConcreteId, as_location
from xcm.builder.origin_conversion import FirstOrigin, LocationAsSuperuser, SovereignSignedViaLocation
from xcm.builder.traders import FeesFromOrigins, FixedRate, FixedRateOfFungible, fees_to_account
from xcm.builder.transactors import Checking, FungiblesAdapter
from xcm.builder.weighers import FixedWeightBounds
from xcm.executor.config import Context, Dispatched, XcmConfig
from xcm.executor.executor import Executor
from xcm.executor.holding import Holding
from xcm.executor.trace import InstructionExecuted, MessageExecuted
from xcm.instruction import Instruction, Xcm
from xcm.junction import AccountId32, ByGenesis, GeneralIndex, GlobalConsensus, Parachain
from xcm.location import HERE, PARENT, Location, interior, location
from xcm.outcome import Complete, Incomplete, Outcome, SendError, SendFailure

UNIT = 10
TRAP_WEIGHT = Weight(5, 5)
FEES = location(0, AccountId32(None, b"f" * 32))


def weight(amount: int) -> Weight:
    return Weight(amount, amount)


def account(number: int) -> Location:
    return location(0, AccountId32(None, bytes([number]) * 32))


def para(number: int) -> Location:
    return location(0, Parachain(number))


ACCOUNTS = FirstConverter(
    (
        ParentIsPreset(),
        ChildParachainConvertsVia(),
        SiblingParachainConvertsVia(),
        AccountId32Aliases(),
        HashedDescription(describe_family(describe_all_terminal)),
    )
)


class Refusal(ChainError):
    """The ledger refuses."""


@dataclass
class Ledger:
    """Balances by account and asset; a `MultiCurrency`."""

    balances: dict[tuple[AccountId, Location], int] = field(default_factory=dict)
    minimum: int = 1

    def of(self, who: Location, asset: Location = HERE) -> int:
        found = ACCOUNTS.convert_location(who)
        assert found is not None
        return self.balances.get((found, asset), 0)

    def _set(self, who: AccountId, asset_id: Location, amount: int) -> None:
        if amount:
            self.balances[who, asset_id] = amount
        else:
            self.balances.pop((who, asset_id), None)

    def mint_into(self, asset_id: Location, who: AccountId, amount: int) -> None:
        balance = self.balances.get((who, asset_id), 0) + amount
        if balance < self.minimum:
            raise Refusal("below minimum")
        self._set(who, asset_id, balance)

    def burn_from(self, asset_id: Location, who: AccountId, amount: int) -> None:
        balance = self.balances.get((who, asset_id), 0) - amount
        if balance < 0:
            raise Refusal("too little")
        self._set(who, asset_id, balance)

    def do_transfer(self, asset_id: Location, source: AccountId, dest: AccountId, amount: int) -> None:
        self.burn_from(asset_id, source, amount)
        self.mint_into(asset_id, dest, amount)

    def total(self, asset: Location = HERE) -> int:
        return sum(amount for (_, id), amount in self.balances.items() if id == asset)


class Call(Struct):
    """A call: `name`, its weight, what it really uses, and whether it fails."""

    name: str
    weight: int
    actual: int
    root_only: bool = False


@dataclass
class Chain:
    """One chain with a machine; tests set what they are about before `run`."""

    ledger: Ledger = field(default_factory=Ledger)
    reserves: list[tuple[Location, Location]] = field(default_factory=list)
    teleporters: list[tuple[Location, Location]] = field(default_factory=list)
    unpaid: list[Location] = field(default_factory=list)
    rate: int = 0
    """Units for each 1 of ref time."""
    delivery: Assets = field(default_factory=assets)
    known: frozenset[Location] = frozenset({PARENT, para(1), para(2), location(1, Parachain(2000))})
    holding_limit: int = 4
    checking: Checking | None = None
    sent: list[tuple[Location, Xcm]] = field(default_factory=list)
    traps: dict[tuple[Location, Assets], int] = field(default_factory=dict)
    facts: list[Any] = field(default_factory=list)
    dispatched: list[tuple[str, Origin]] = field(default_factory=list)

    def __post_init__(self) -> None:
        transactor = FungiblesAdapter(self.ledger, MatchedConvertedConcreteId(as_location), ACCOUNTS, self.checking)
        revenue = fees_to_account(transactor, FEES)
        rate = FixedRate(HERE, self.rate * 10**12, 0)
        self.config = XcmConfig(
            universal_location=interior(GlobalConsensus(ByGenesis(bytes(32))), Parachain(42)),
            barrier=TrailingSetTopicAsId(
                AnyOf(
                    (
                        TakeWeightCredit(),
                        AllowTopLevelPaidExecutionFrom(any_of(is_parent, is_child_parachain, is_sibling_parachain)),
                        AllowExplicitUnpaidExecutionFrom(one_of(para(2))),
                        AllowUnpaidExecutionFrom(lambda place: place in self.unpaid),
                    )
                )
            ),
            weigher=FixedWeightBounds(weight(UNIT), self),
            trader=lambda: FixedRateOfFungible(rate, revenue),
            asset_transactor=transactor,
            origin_converter=FirstOrigin((SovereignSignedViaLocation(ACCOUNTS), LocationAsSuperuser(is_parent))),
            is_reserve=lambda asset, place: (asset.id, place) in self.reserves,
            is_teleporter=lambda asset, place: (asset.id, place) in self.teleporters,
            fee_manager=FeesFromOrigins(revenue, lambda place: place == HERE),
            router=self,
            asset_trap=self,
            asset_claims=self,
            call_dispatcher=self,
            transaction=self.transaction,
            holding_limit=self.holding_limit,
        )
        self.executor = Executor(self.config, self.facts.append)

    def endow(self, who: Location, amount: int, asset: Location = HERE) -> None:
        found = ACCOUNTS.convert_location(who)
        assert found is not None
        self.ledger.mint_into(asset, found, amount)

    def run(self, origin: Location, *program: Instruction, credit: bool = True, topic: bytes = b"m" * 32) -> Outcome:
        message = Xcm(program)
        needed = self.config.weigher.weight(message)
        return self.executor.execute(
            origin,
            message,
            message_id=topic,
            weight_limit=Weight(10**6, 10**6),
            weight_credit=needed if credit else Weight.ZERO,
        )

    def steps(self) -> list[InstructionExecuted]:
        return [fact for fact in self.facts if isinstance(fact, InstructionExecuted)]

    def executed(self) -> MessageExecuted:
        return [fact for fact in self.facts if isinstance(fact, MessageExecuted)][-1]

    # --- storage ---

    @contextmanager
    def transaction(self) -> Iterator[None]:
        before = dict(self.ledger.balances), list(self.sent), dict(self.traps)
        try:
            yield
        except Exception:
            self.ledger.balances, self.sent[:], self.traps = before[0], before[1], before[2]
            raise

    # --- traps and claims ---

    def drop_assets(self, origin: Location, holding: Holding, context: Context) -> Weight:
        key = (origin, holding.assets())
        self.traps[key] = self.traps.get(key, 0) + 1
        return TRAP_WEIGHT

    def release_assets(self, origin: Location, ticket: Location, assets: Assets, context: Context) -> bool:
        if ticket != location(0, GeneralIndex(0)) or not self.traps.get((origin, assets)):
            return False
        del self.traps[origin, assets]
        return True

    # --- router ---

    def validate(self, dest: Location, message: Xcm) -> "Sending":
        if dest not in self.known:
            raise SendFailure(SendError.Unroutable, str(dest))
        return Sending(self, dest, message)

    # --- calls ---

    def decode(self, call: bytes) -> Call:
        if not call.startswith(b"call"):
            raise DecodeError("no call", 0)
        name, declared, actual, root = call.decode().split()[1:]
        return Call(name, int(declared), int(actual), root == "root")

    def weight_of(self, call: bytes) -> Weight:
        return self.weight(self.decode(call))

    def weight(self, call: Call) -> Weight:
        return weight(call.weight)

    def is_safe(self, call: Call) -> bool:
        return call.name != "unsafe"

    def dispatch(self, call: Call, origin: Origin) -> Dispatched:
        if call.root_only and not isinstance(origin, RawRoot):
            return Dispatched(weight(call.actual), b"\x02")
        self.dispatched.append((call.name, origin))
        return Dispatched(weight(call.actual), None)


@dataclass(frozen=True)
class Sending:
    """A ticket of the test chain."""

    chain: Chain
    dest: Location
    message: Xcm

    @property
    def price(self) -> Assets:
        return self.chain.delivery

    def deliver(self) -> bytes:
        self.chain.sent.append((self.dest, self.message))
        return bytes(32)


def here(amount: int) -> Asset:
    return fungible(HERE, amount)


def complete(amount: int) -> Complete:
    return Complete(weight(amount))


def error_of(outcome: Outcome) -> tuple[Weight, int, Struct]:
    assert isinstance(outcome, Incomplete)
    return outcome.used, outcome.error.index, outcome.error.error
