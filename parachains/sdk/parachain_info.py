"""ParachainInfo: which para this is.

Source: polkadot-sdk, `cumulus/parachains/pallets/parachain-info/src/lib.rs`.
"""

from collections.abc import Mapping
from typing import Any

from relaychain.primitives.types import ParaId
from substrate.runtime.pallet import Pallet
from substrate.runtime.storage import StorageValue, storage_value


class ParachainInfo(Pallet):
    """The chain's own para id."""

    crate = "staging_parachain_info"

    parachain_id: StorageValue[ParaId] = storage_value(default=ParaId(100))

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Takes `{"parachain_id": id}`."""
        super().genesis({name: value for name, value in config.items() if name != "parachain_id"})
        self.parachain_id.put(ParaId(config.get("parachain_id", 100)))
