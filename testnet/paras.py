"""The parachains of a network file: their code, their genesis, and what they trust each other with.

Every parachain takes the relay chain's token, its siblings' native tokens and the assets they issue. A system
parachain whose native token is the relay chain's teleports it; everything else moves through its reserve, the chain
that issues it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from parachains.collator.registry import Plugin, PluginError, load_plugin
from parachains.sdk.asset_rate import rate_by_decimals
from parachains.sdk.contract import ForeignAsset, GenesisBlock, ParaConfig
from parachains.sdk.genesis import FEE_ACCOUNT_ENDOWMENT
from parachains.sdk.plugin import Parachain as LevelOne
from relaychain.primitives.network import is_system_para
from relaychain.primitives.types import ParaId
from relaychain.runtime.genesis import GenesisPara
from substrate.errors import ChainError
from substrate.types import AccountId, Balance
from testnet.bundler import Metered, NodeBundler
from testnet.errors import UsageError, about
from testnet.keys import DEV_BALANCE, collator_key, dev_accounts
from testnet.manifest import IssuedAsset, Manifest, Parachain
from testnet.trial import place_of, try_declarations, try_first_block
from xcm.junction import GeneralIndex, PalletInstance
from xcm.junction import Parachain as ParachainJunction
from xcm.location import HERE, PARENT, Location, location

RELAY_SYMBOL, RELAY_DECIMALS = "UNIT", 12
MIN_FOREIGN_BALANCE = 1_000


@dataclass(frozen=True)
class Para:
    """A parachain of the network, ready to run."""

    id: ParaId
    settings: Parachain
    plugin: Plugin
    config: ParaConfig
    genesis: GenesisBlock[Any]

    @property
    def name(self) -> str:
        """What rows of the record call it."""
        return str(int(self.id))

    @property
    def level_one(self) -> type[LevelOne] | None:
        """Its class, if it has a runtime."""
        return _level_one(self.plugin)

    @property
    def on_relay(self) -> GenesisPara:
        """What the relay chain's genesis says of it."""
        return GenesisPara(self.id, self.genesis.head, self.plugin.code)

    @property
    def teleported_in(self) -> int:
        """How much of the relay chain's token exists on it at genesis, as if it had been teleported there."""
        kind = self.level_one
        if kind is None or kind.xcm.native != PARENT:
            return 0
        return FEE_ACCOUNT_ENDOWMENT + sum(self.config.accounts.values())


def load_paras(manifest: Manifest, bundler: NodeBundler) -> tuple[Para, ...]:
    """Every parachain of the file.

    Raises:
        UsageError: A plugin is unknown or does not load, or there can be no such chain.
    """
    loaded: dict[int, Plugin] = {}
    for number, settings in enumerate(manifest.parachains):
        with about("parachains", number, "runtime"):
            loaded[settings.id] = _load_plugin(manifest, settings, bundler)
    classes = {para: _level_one(plugin) for para, plugin in loaded.items()}
    paras: list[Para] = []
    for number, settings in enumerate(manifest.parachains):
        with about("parachains", number):
            paras.append(_para(manifest, settings, loaded[settings.id], classes))
    return tuple(paras)


def _load_plugin(manifest: Manifest, settings: Parachain, bundler: NodeBundler) -> Plugin:
    try:
        return load_plugin(settings.runtime, manifest.directory, bundler)
    except PluginError as failure:
        raise UsageError(str(failure)) from failure


def _para(manifest: Manifest, settings: Parachain, plugin: Plugin, classes: dict[int, type[LevelOne] | None]) -> Para:
    if classes[settings.id] is None:
        _check_level_zero(settings)
    else:
        try_declarations(plugin, settings.id)
    config = _config(manifest, settings, plugin, classes)
    try:
        genesis = plugin.chain.genesis_block(config)
    except Exception as failure:
        raise no_genesis(f"para {settings.id}", failure) from failure
    if classes[settings.id] is not None:
        try_first_block(plugin, config, genesis, collator_key(settings.all_collators[0]))
    return Para(ParaId(settings.id), settings, plugin, config, genesis)


def no_genesis(where: str, failure: Exception) -> UsageError:
    """Why there is no genesis block: a pallet or plugin refused what the network file gives it, or stumbled over it."""
    why = str(failure) if isinstance(failure, ChainError) else f"{type(failure).__name__}: {failure}"
    place = place_of(failure)
    return UsageError(f"{where}: no genesis block: {why}{place}; see its runtime and [genesis] in the network file")


def _check_level_zero(settings: Parachain) -> None:
    """Refuse what only chains with a runtime have: assets, RPC, and state that a second collator could follow."""
    for key, entries in (("assets", settings.assets), ("rates", settings.rates)):
        if entries:
            raise UsageError(
                f"para {settings.id}: {settings.runtime} is a Level 0 chain, which knows no {key}; "
                f"drop [[parachains.{key}]]"
            )
    who, *others = settings.all_collators
    if who.rpc_port:
        raise UsageError(
            f"para {settings.id}: {who.name} has an rpc_port, but {settings.runtime} is a Level 0 chain, whose node "
            "serves no RPC; drop the rpc_port"
        )
    if others:
        raise UsageError(
            f"para {settings.id}: {settings.runtime} is a Level 0 chain, which has one collator, and there are "
            f"{len(others) + 1}; keep {who.name}"
        )


def _level_one(plugin: Plugin) -> type[LevelOne] | None:
    chain = plugin.chain
    return chain.level_one if isinstance(chain, Metered) else None


def _config(
    manifest: Manifest, settings: Parachain, plugin: Plugin, classes: dict[int, type[LevelOne] | None]
) -> ParaConfig:
    own = classes[settings.id]
    foreign = tuple(_foreign_assets(manifest, settings, classes))
    pallets: dict[str, Any] = {}
    if own is not None:
        rates = _rates(manifest.parachains.index(settings), settings, own, foreign, classes)
        pallets = {"assets": _issued(settings.assets), "asset_rate": {"rates": rates}}
    teleports = ((PARENT, PARENT),) if own and own.xcm.native == PARENT and is_system_para(settings.id) else ()
    return ParaConfig(
        para=ParaId(settings.id),
        code=plugin.code,
        accounts=dict.fromkeys(dev_accounts(), DEV_BALANCE),
        authorities=tuple(collator_key(node).public for node in settings.all_collators),
        slot_duration_ms=manifest.block_time_us // 1000,
        sudo=dev_accounts()[0],
        foreign_assets=foreign,
        teleports=teleports,
        pallets={**pallets, **settings.genesis},
    )


def _rates(
    index: int,
    settings: Parachain,
    own: type[LevelOne],
    foreign: tuple[ForeignAsset, ...],
    classes: dict[int, type[LevelOne] | None],
) -> list[tuple[Location, int]]:
    """What each asset is worth in native tokens: one to one, unless the file says otherwise."""
    decimals = {asset.place: asset.decimals for asset in foreign}
    decimals |= {_own_place(own, asset.id): asset.decimals for asset in settings.assets}
    rates = {place: rate_by_decimals(native=own.decimals, asset=digits) for place, digits in decimals.items()}
    for number, rate in enumerate(settings.rates):
        with about("parachains", index, "rates", number):
            place = _place_of(rate.asset, classes, settings.id)
            if place is None or place not in rates:
                raise UsageError(
                    f"para {settings.id}: rates name {rate.asset!r}, which is not an asset that it takes; "
                    'write "relay", "2000" (the native token of a sibling) or "1000/1984" (an issued asset)'
                )
            worth = Fraction(repr(rate.rate))  # the number as it was written, not the nearest binary one
            rates[place] = rate_by_decimals(native=own.decimals, asset=decimals[place], worth=worth)
            if rates[place] is None:
                raise UsageError(
                    f"para {settings.id}: a rate of {rate.rate:g} for {rate.asset!r} does not fit a FixedU128: that "
                    f"has {decimals[place]} decimals, {own.symbol} {own.decimals}; change the rate or the decimals"
                )
    return [(place, rate) for place, rate in rates.items() if rate is not None]


def _foreign_assets(
    manifest: Manifest, settings: Parachain, classes: dict[int, type[LevelOne] | None]
) -> Iterator[ForeignAsset]:
    own = classes[settings.id]
    if own is None:
        return
    if own.xcm.native != PARENT:
        yield ForeignAsset(PARENT, RELAY_SYMBOL, RELAY_DECIMALS, min_balance=MIN_FOREIGN_BALANCE)
    for sibling in manifest.parachains:
        kind = classes[sibling.id]
        if sibling.id == settings.id or kind is None:
            continue
        if kind.xcm.native == HERE:
            place = location(1, ParachainJunction(sibling.id))
            yield ForeignAsset(place, kind.symbol, kind.decimals, min_balance=MIN_FOREIGN_BALANCE)
        for asset in sibling.assets:
            place = issued_place(kind, sibling.id, asset.id)
            yield ForeignAsset(place, asset.symbol, asset.decimals, min_balance=asset.min_balance)


def issued_place(kind: type[LevelOne], para: int, asset: int) -> Location:
    """An issued asset, as siblings of its chain see it."""
    return location(1, ParachainJunction(para), PalletInstance(kind.assets_index), GeneralIndex(asset))


def _own_place(kind: type[LevelOne], asset: int) -> Location:
    """An issued asset, as its own chain sees it."""
    return location(0, PalletInstance(kind.assets_index), GeneralIndex(asset))


def _place_of(asset: str, classes: dict[int, type[LevelOne] | None], own: int) -> Location | None:
    if asset == "relay":
        return PARENT
    para, _, number = asset.partition("/")
    kind = classes.get(int(para)) if para.isdecimal() else None
    if kind is None or (number and not number.isdecimal()) or (int(para) == own and not number):
        return None
    if int(para) == own:
        return _own_place(kind, int(number))
    return issued_place(kind, int(para), int(number)) if number else location(1, ParachainJunction(int(para)))


def _issued(assets: tuple[IssuedAsset, ...]) -> dict[str, Any]:
    owner: AccountId = dev_accounts()[0]
    return {
        "assets": [(asset.id, owner, True, Balance(asset.min_balance)) for asset in assets],
        "metadata": [(asset.id, asset.symbol.encode(), asset.symbol.encode(), asset.decimals) for asset in assets],
        "accounts": [
            (asset.id, who, Balance(asset.balance)) for asset in assets if asset.balance for who in dev_accounts()
        ],
    }
