"""Genesis configuration of the standard pallets, from what a network says of a para."""

from collections.abc import Mapping
from typing import Any

from parachains.sdk.asset_rate import rate_by_decimals
from parachains.sdk.contract import ForeignAsset, ParaConfig
from parachains.sdk.session import collator_keys
from parachains.sdk.xcm_config import ACCOUNTS, FEE_ACCOUNT
from substrate.types import AccountId
from xcm.location import chain_location

FEE_ACCOUNT_ENDOWMENT = 1_000_000_000
"""The existential deposit, so that fees of any size arrive."""


def standard_genesis(config: ParaConfig, *, decimals: int) -> dict[str, Mapping[str, Any]]:
    """Genesis configuration by pallet attribute."""
    assets = config.foreign_assets
    standard: dict[str, Mapping[str, Any]] = {
        "parachain_info": {"parachain_id": config.para},
        "balances": {"balances": {FEE_ACCOUNT: FEE_ACCOUNT_ENDOWMENT} | dict(config.accounts)},
        "sudo": {"key": config.sudo},
        "session": {"keys": collator_keys(config.authorities)},
        "aura": {"authorities": config.authorities, "slot_duration_ms": config.slot_duration_ms},
        "foreign_assets": {
            "assets": [(asset.place, _owner(asset), True, asset.min_balance) for asset in assets],
            "metadata": [
                (asset.place, asset.symbol.encode(), asset.symbol.encode(), asset.decimals) for asset in assets
            ],
            "accounts": [(asset.place, who, amount) for asset in assets for who, amount in asset.accounts.items()],
        },
        "asset_rate": {"rates": [(asset.place, rate) for asset in assets if (rate := _rate(asset, decimals))]},
        "xcm_trust": {"reserves": config.reserves, "teleporters": config.teleports},
    }
    for attribute, extra in config.pallets.items():
        standard[attribute] = {**standard.get(attribute, {}), **extra}
    return standard


def _owner(asset: ForeignAsset) -> AccountId:
    """The sovereign account of the chain that issues the asset."""
    owner = ACCOUNTS.convert_location(chain_location(asset.place))
    return FEE_ACCOUNT if owner is None else owner


def _rate(asset: ForeignAsset, decimals: int) -> int | None:
    return rate_by_decimals(native=decimals, asset=asset.decimals) if asset.rate is None else asset.rate
