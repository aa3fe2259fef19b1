"""The asset hub in small: the relay chain's token is its native one, others' assets live beside it.

Source: polkadot-sdk, `cumulus/parachains/runtimes/assets/asset-hub-westend/src/lib.rs`.
"""

from parachains.sdk.plugin import Parachain, Policy
from xcm.location import PARENT


class AssetHub(Parachain, symbol="UNIT", decimals=12, index=60, assets_index=50):
    """A system chain for assets. `Assets` has upstream's index, so `PalletInstance(50)` names its assets."""

    xcm = Policy(native=PARENT)
