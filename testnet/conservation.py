"""Conservation: nothing is made or lost on the way, checked over the states of all chains at one final relay block.

A pure function over snapshots. What chains mint and burn by their own rules is given as sums along their branches, and
so is what is behind the hashes of trapped assets: the state itself only counts those.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from relaychain.runtime.xcm_config import CHECK_ACCOUNT
from substrate.types import Hash
from testnet.books import Books, InFlight, Snapshot, read_books, read_in_flight, teleports_relay_token
from testnet.issuance import Sums
from testnet.places import Place, absolute, chain_of, place_of, place_text, relative, sovereign_of
from xcm.asset import Assets, Fungible, fungible
from xcm.location import Location
from xcm.pallet import XcmPallet

RELAY_TOKEN: Place = ()


class Equation(NamedTuple):
    """One thing that must add up."""

    asset: Place
    name: str
    """`ledger`, `issued`, `teleported`, `backed`, `traps`."""
    chain: int | None
    expected: int
    found: int
    terms: Mapping[str, int]
    """What `expected` is made of."""

    @property
    def difference(self) -> int:
        """Zero where it adds up."""
        return self.found - self.expected


@dataclass(frozen=True)
class ChainAudit:
    """One chain from genesis to its head."""

    genesis: Books
    """Its books at the start; the state itself is not kept for that long."""
    final: Snapshot
    own: Sums
    """What it did by its own rules, up to the head."""
    trapped: Mapping[Hash, tuple[Location, Assets]] = field(default_factory=dict[Hash, tuple[Location, Assets]])
    """What is behind the hashes of traps."""


def check_conservation(relay: ChainAudit, paras: Mapping[int, ChainAudit]) -> tuple[Equation, ...]:
    """Every equation of a network.

    Args:
        relay: The relay chain at a final block.
        paras: Each parachain at the head which that block includes.
    """
    return tuple(_Audit(relay, paras).equations())


def differences(equations: Sequence[Equation]) -> tuple[Equation, ...]:
    """The equations that do not add up."""
    return tuple(equation for equation in equations if equation.difference)


class _Audit:
    def __init__(self, relay: ChainAudit, paras: Mapping[int, ChainAudit]) -> None:
        self._chains: dict[int | None, ChainAudit] = {None: relay, **paras}
        self._before = {chain: audit.genesis for chain, audit in self._chains.items()}
        self._after = {chain: read_books(audit.final) for chain, audit in self._chains.items()}
        self._flight: InFlight = read_in_flight(relay.final, {para: audit.final for para, audit in paras.items()})

    def equations(self) -> Iterator[Equation]:
        for chain, books in self._after.items():
            for asset in books.issuance:
                yield self._ledger(asset, books)
                home = chain_of(asset)
                if home == chain:
                    yield self._issued(asset, chain)
                elif asset != RELAY_TOKEN or not teleports_relay_token(self._chains[chain].final):
                    yield self._backed(asset, chain)
            yield from self._unknown_traps(chain)
        if CHECK_ACCOUNT in self._after[None].accounts[RELAY_TOKEN]:
            yield self._teleported()

    # --- terms ---

    def _own(self, chain: int | None, asset: Place) -> int:
        return self._chains[chain].own.get((asset, None), 0)

    def _trapped(self, chain: int | None, asset: Place) -> int:
        audit, total = self._chains[chain], 0
        for digest, count in self._after[chain].traps.items():
            for item in audit.trapped[digest][1] if digest in audit.trapped else ():
                if absolute(item.id, chain) == asset and isinstance(item.fun, Fungible):
                    total += count * item.fun.amount
        return total

    def _issued_change(self, chain: int | None, asset: Place) -> int:
        before = self._before[chain].issuance.get(asset, 0)
        return self._after[chain].issuance[asset] - before - self._own(chain, asset)

    # --- equations ---

    def _ledger(self, asset: Place, books: Books) -> Equation:
        """A chain's issuance is what its accounts have."""
        total = sum(books.accounts[asset].values())
        return Equation(asset, "ledger", books.chain, total, books.issuance[asset], {"accounts": total})

    def _issued(self, asset: Place, chain: int | None) -> Equation:
        """At home an asset changes by its chain's own rules only; what is trapped there is out of issuance."""
        terms = {
            "genesis": self._before[chain].issuance.get(asset, 0),
            "own rules": self._own(chain, asset),
            "trapped": -self._trapped(chain, asset),
        }
        return Equation(
            asset, "issued", chain, sum(terms.values()), self._after[chain].issuance[asset], _set_terms(terms)
        )

    def _backed(self, asset: Place, holder: int | None) -> Equation:
        """What a chain has of a foreign asset lies on its sovereign accounts with the reserves it trusts."""
        terms = {"issuance": self._issued_change(holder, asset), "trapped": self._trapped(holder, asset)}
        backing = 0
        for reserve in self._reserves(asset, holder):
            account = sovereign_of(holder, reserve)
            given = self._chains[reserve].own.get((asset, account), 0)
            before = self._before[reserve].balance(asset, account)
            backing += self._after[reserve].balance(asset, account) - before - given
            out = self._flight.deposited.of(asset, sender=reserve, recipient=holder)
            back = self._flight.withdrawn.of(asset, sender=holder, recipient=reserve)
            terms |= {f"in flight from {place_text(place_of(reserve))}": out}
            terms |= {f"in flight to {place_text(place_of(reserve))}": back}
        return Equation(asset, "backed", holder, sum(terms.values()), backing, _set_terms(terms))

    def _reserves(self, asset: Place, holder: int | None) -> list[int | None]:
        """The chains that a chain trusts as reserves of an asset."""
        one = fungible(relative(asset, holder), 1)
        is_reserve = self._chains[holder].final.runtime.pallet(XcmPallet).machine.is_reserve
        return [chain for chain in self._chains if is_reserve(one, relative(place_of(chain), holder))]

    def _teleported(self) -> Equation:
        """What was teleported away from the relay chain stands on its checking account."""
        terms: dict[str, int] = {}
        for chain, audit in self._chains.items():
            if chain is None or not teleports_relay_token(audit.final):
                continue
            terms[f"issuance of {chain}"] = self._issued_change(chain, RELAY_TOKEN)
            terms[f"trapped on {chain}"] = self._trapped(chain, RELAY_TOKEN)
            out = self._flight.teleported.of(RELAY_TOKEN, sender=None, recipient=chain)
            terms[f"in flight with {chain}"] = out + self._flight.teleported.of(
                RELAY_TOKEN, sender=chain, recipient=None
            )
        given = self._chains[None].own.get((RELAY_TOKEN, CHECK_ACCOUNT), 0)
        before = self._before[None].balance(RELAY_TOKEN, CHECK_ACCOUNT)
        found = self._after[None].balance(RELAY_TOKEN, CHECK_ACCOUNT) - before - given
        return Equation(RELAY_TOKEN, "teleported", None, sum(terms.values()), found, _set_terms(terms))

    def _unknown_traps(self, chain: int | None) -> Iterator[Equation]:
        """Every trap that the state counts is one whose assets are known."""
        traps = self._after[chain].traps
        known = sum(count for digest, count in traps.items() if digest in self._chains[chain].trapped)
        if traps:
            yield Equation(
                place_of(chain), "traps", chain, sum(traps.values()), known, {"counted": sum(traps.values())}
            )


def _set_terms(terms: Mapping[str, int]) -> dict[str, int]:
    return {name: amount for name, amount in terms.items() if amount}
