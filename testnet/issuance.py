"""What chains do to issuances and sovereign accounts by their own rules, apart from XCM: mints, burns, dust, donations.

Kept per block as a sum along its branch, so that the sum at any head can be asked for.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from parachains.sdk.foreign_assets import ForeignAssets, TrustBackedAssets
from parachains.sdk.xcm_config import local_assets_prefix
from substrate.pallets.balances import Balances
from substrate.pallets.system_types import ApplyExtrinsic, EventRecord, Phase
from substrate.runtime.assembly import Runtime
from substrate.state import Overlay
from substrate.types import AccountId, Hash
from testnet.observing import Executed, event_names, pallet_event
from testnet.places import Place, absolute
from xcm.asset import Assets
from xcm.junction import GeneralIndex
from xcm.location import Location, appended
from xcm.pallet import XcmPallet
from xcm.versions.versioned import latest_assets

REMEMBERED = 4_096

Sums = Mapping[tuple[Place, AccountId | None], int]
"""Issuance by asset, with None; what an account was given by plain transfers, with the account."""


class OwnChanges:
    """Sums along the branches of one chain."""

    def __init__(self, chain: int | None, native: Place) -> None:
        self.chain = chain
        self._native = native
        self._sums: OrderedDict[Hash, Sums] = OrderedDict()
        self.trapped: dict[Hash, tuple[Location, Assets]] = {}
        """What was ever trapped, by the hash under which the state keeps its count."""

    def take(self, executed: Executed) -> None:
        """Note a block."""
        before = self._sums.get(executed.block.header.parent_hash, {})
        changes = list(self._changes(executed))
        if changes:
            after = dict(before)
            for key, amount in changes:
                after[key] = after.get(key, 0) + amount
            before = after
        self._sums[executed.hash] = before
        if len(self._sums) > REMEMBERED:
            self._sums.popitem(last=False)

    def at(self, block: Hash) -> Sums:
        """The sums of a branch up to a block; none at genesis."""
        return self._sums.get(block, {})

    def _changes(self, executed: Executed) -> Iterator[tuple[tuple[Place, AccountId | None], int]]:
        for record in executed.execution.events:
            event: Any = pallet_event(record)
            if event_names(record)[1] == "AssetsTrapped":
                self.trapped[event.hash] = (event.origin, latest_assets(event.assets))
        runtime: Runtime | None = None
        for record in _own_events(executed):
            if event_names(record)[1] in ("Issued", "Minted", "Burned", "DustLost", "Transfer", "Transferred"):
                runtime = runtime or executed.runtime(Overlay(executed.execution.state))
                yield from self._of_event(runtime, record)

    def _of_event(self, runtime: Runtime, record: EventRecord) -> Iterator[tuple[tuple[Place, AccountId | None], int]]:
        event: Any = pallet_event(record)
        asset = self._asset_of(runtime, record)
        if asset is None:
            return
        amount = int(event.amount if hasattr(event, "amount") else event.balance)
        name = event_names(record)[1]
        if name in ("Transfer", "Transferred"):
            yield (asset, event.to), amount
            yield (asset, event.from_), -amount
        else:
            who = getattr(event, "who", None) or getattr(event, "owner", None) or event.account
            sign = 1 if name in ("Issued", "Minted") else -1
            yield (asset, None), sign * amount
            yield (asset, who), sign * amount

    def _asset_of(self, runtime: Runtime, record: EventRecord) -> Place | None:
        """The asset that an event is about; None where its pallet is none of ours."""
        event: Any = pallet_event(record)
        attribute = _attribute_of(runtime, record)
        if attribute == runtime.assembly().attribute_of(Balances):
            return self._native
        if self.chain is None:
            return None
        if attribute == runtime.assembly().attribute_of(TrustBackedAssets):
            return absolute(appended(local_assets_prefix(runtime), GeneralIndex(event.asset_id)), self.chain)
        if attribute == runtime.assembly().attribute_of(ForeignAssets):
            return absolute(event.asset_id, self.chain)
        return None


def _attribute_of(runtime: Runtime, record: EventRecord) -> str | None:
    name = event_names(record)[0]
    mounts = runtime.assembly().mounts
    return next((attribute for attribute, mounted in mounts.items() if mounted.name == name), None)


def _own_events(executed: Executed) -> Iterator[EventRecord]:
    """Events of calls in which the XCM pallet did not speak, as what the others mint and burn is part of a transfer.

    A call is an item of a batch, or a whole extrinsic. Dust is a chain's own wherever it falls.
    """
    assembly = executed.runtime.assembly()
    attribute = assembly.attribute_of(XcmPallet)
    xcm_pallet = None if attribute is None else assembly.mounts[attribute].name
    item, call_of, by_xcm = 0, list[tuple[Phase, int]](), set[tuple[Phase, int]]()
    for record in executed.execution.events:
        call_of.append((record.phase, item))
        pallet, name = event_names(record)
        if pallet == xcm_pallet:
            by_xcm.add(call_of[-1])
        elif name in ("ItemCompleted", "ItemFailed"):
            item += 1
    for record, call in zip(executed.execution.events, call_of, strict=True):
        is_own = isinstance(record.phase, ApplyExtrinsic) and call not in by_xcm
        if is_own or event_names(record)[1] == "DustLost":
            yield record
