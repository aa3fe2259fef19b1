"""Places and assets as the whole network names them: from the relay chain down, whichever chain speaks."""

from collections.abc import Mapping
from typing import NamedTuple

from substrate.types import AccountId
from xcm.asset import Asset, AssetId, Fungible
from xcm.builder.location_conversion import sovereign_account
from xcm.executor.holding import Holding
from xcm.junction import AccountId32, Junction, Parachain
from xcm.location import HERE, Location, interior, location

Place = tuple[Junction, ...]
"""Junctions below the relay chain; the relay chain itself is ()."""

RELAY = "relay"


class Token(NamedTuple):
    """How people write an asset's amounts."""

    symbol: str
    decimals: int


def place_of(chain: int | None) -> Place:
    """Where a chain is; None is the relay chain."""
    return () if chain is None else (Parachain(chain),)


def absolute(seen: Location, chain: int | None) -> Place | None:
    """A location as `chain` sees it, from the relay chain down; None where it lies outside the network."""
    here = place_of(chain)
    if seen.parents > len(here):
        return None
    return (*here[: len(here) - seen.parents], *seen.junctions)


def relative(place: Place, chain: int | None) -> Location:
    """A place as `chain` sees it."""
    here = place_of(chain)
    if here and place[: len(here)] != here:
        return location(1, *place)
    return location(0, *place[len(here) :])


def chain_of(place: Place) -> int | None:
    """The parachain that a place belongs to; None for the relay chain."""
    first = place[0] if place else None
    return first.id if isinstance(first, Parachain) else None


def place_text(place: Place) -> str:
    """A place for people: `relay`, `Parachain(1000)`, `Parachain(1000)/PalletInstance(50)/GeneralIndex(7)`."""
    return str(Location(0, interior(*place))) if place else RELAY


def sovereign_of(owner: int | None, on: int | None) -> AccountId:
    """The account that chain `owner` has on chain `on`."""
    if owner is None:
        return AccountId(b"Parent".ljust(32, b"\x00"))
    return sovereign_account(b"para" if on is None else b"sibl", owner)


def account_text(who: Location) -> str:
    """An account as "0x...", any other location as it is written."""
    last = who.junctions[-1] if who.junctions else None
    return f"0x{last.id.hex()}" if isinstance(last, AccountId32) else str(who)


class Naming:
    """Names of chains, and tokens of assets, in one network."""

    def __init__(
        self, names: Mapping[int, str], tokens: Mapping[Place, Token], natives: Mapping[int | None, Place] | None = None
    ) -> None:
        self._names = dict(names)
        self.tokens = dict(tokens)
        self.natives: dict[int | None, Place] = {None: (), **(natives or {})}
        """The asset on each chain's balances pallet."""

    def chain(self, chain: int | None) -> str:
        """A chain's name in the record."""
        return RELAY if chain is None else self._names.get(chain, str(chain))

    def native(self, name: str) -> Token | None:
        """The token in which a chain takes its fees."""
        places = (place for chain, place in self.natives.items() if self.chain(chain) == name)
        place = next(places, None)
        return None if place is None else self.tokens.get(place)

    def origin(self, seen: Location, chain: int | None) -> str:
        """Who a message comes from, as `chain` sees it: a chain's name, or the location."""
        if seen == HERE:
            return self.chain(chain)
        place = absolute(seen, chain)
        is_chain = place is not None and self.is_other_chain(seen, chain)
        return self.chain(chain_of(place)) if is_chain and place is not None else account_text(seen)

    def is_other_chain(self, seen: Location, chain: int | None) -> bool:
        """Whether a location is another chain of the network: messages come from there."""
        place = absolute(seen, chain)
        if place is None or place == place_of(chain):
            return False
        return place == () or (len(place) == 1 and isinstance(place[0], Parachain))

    def asset(self, seen: AssetId, chain: int | None) -> str:
        """An asset's name: the same on every chain."""
        place = absolute(seen, chain)
        return str(seen) if place is None else place_text(place)

    def token(self, seen: AssetId, chain: int | None) -> Token | None:
        """How an asset's amounts are written, if known."""
        place = absolute(seen, chain)
        return None if place is None else self.tokens.get(place)

    def amount(self, asset: Asset, chain: int | None) -> str:
        """`5.25 UNIT`, or the plain number and the asset's name; an instance is named as it is."""
        if not isinstance(asset.fun, Fungible):
            return f"{asset.fun.instance} of {self.asset(asset.id, chain)}"
        token = self.token(asset.id, chain)
        if token is None:
            return f"{asset.fun.amount} of {self.asset(asset.id, chain)}"
        return f"{decimal(asset.fun.amount, token.decimals)} {token.symbol}"

    def holding(self, holding: Holding, chain: int | None) -> str:
        """What is held, for people."""
        return ", ".join(self.amount(asset, chain) for asset in holding.assets())


def decimal(amount: int, decimals: int, digits: int | None = None) -> str:
    """An amount in whole tokens, without trailing zeros: exact, or rounded up to so many digits."""
    if digits is not None and digits < decimals:
        amount, decimals = -(-amount // 10 ** (decimals - digits)), digits
    whole, rest = divmod(amount, 10**decimals)
    fraction = f"{rest:0{decimals}d}".rstrip("0") if rest else ""
    return f"{whole:,}.{fraction}" if fraction else f"{whole:,}"
