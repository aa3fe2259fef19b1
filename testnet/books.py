"""What the states of a network's chains hold: issuances, accounts, traps, and messages that are still under way.

Everything is read from states through their runtimes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from parachains.sdk import message_queue as para_queue
from parachains.sdk.foreign_assets import ForeignAssets, TrustBackedAssets
from parachains.sdk.xcm_config import local_assets_prefix
from relaychain.runtime.dmp import Dmp
from relaychain.runtime.hrmp import Hrmp
from relaychain.runtime.runtime import RelayMessageQueue
from substrate.pallets.balances import Balances
from substrate.pallets.message_queue import MessageQueue
from substrate.pallets.message_queue_types import HEADER_SIZE, Page
from substrate.pallets.system import System
from substrate.runtime.assembly import Runtime
from substrate.types import AccountId, Hash
from testnet.message_rows import opened
from testnet.messages import queue_chain, waiting_messages, xcm_of
from testnet.places import Place, absolute
from xcm.asset import Fungible, fungible
from xcm.instruction import ReceiveTeleportedAsset, ReserveAssetDeposited, WithdrawAsset
from xcm.junction import GeneralIndex
from xcm.location import PARENT, appended
from xcm.pallet import XcmPallet


@dataclass(frozen=True)
class Snapshot:
    """A chain's state at one block, with its runtime; `chain` is None for the relay chain."""

    chain: int | None
    runtime: Runtime
    native: Place
    """The asset on its balances pallet."""


@dataclass(frozen=True)
class Books:
    """What one chain's state says of assets."""

    chain: int | None
    native: Place
    issuance: Mapping[Place, int]
    accounts: Mapping[Place, Mapping[AccountId, int]]
    traps: Mapping[Hash, int]

    def balance(self, asset: Place, who: AccountId) -> int:
        """What an account has."""
        return self.accounts.get(asset, {}).get(who, 0)


class Amounts(Counter[tuple[Place, int | None, int | None]]):
    """Amounts by asset, sender and recipient."""

    def of(self, asset: Place, *, sender: int | None, recipient: int | None) -> int:
        """One of them."""
        return self[asset, sender, recipient]


@dataclass
class InFlight:
    """Assets in messages that are under way: by asset, sender and recipient."""

    teleported: Amounts = field(default_factory=Amounts)
    deposited: Amounts = field(default_factory=Amounts)
    """Already moved to the recipient's sovereign account."""
    withdrawn: Amounts = field(default_factory=Amounts)
    """Already burned by the sender, to be taken from its sovereign account."""
    count: int = 0


def read_books(snapshot: Snapshot) -> Books:
    """Issuances and accounts of every asset of a chain."""
    runtime, native = snapshot.runtime, snapshot.native
    issuance: dict[Place, int] = {native: runtime.pallet(Balances).total_issuance.get()}
    accounts: dict[Place, dict[AccountId, int]] = {native: {}}
    for who, info in runtime.pallet(System).account.items():
        accounts[native][who] = info.data.total
    if snapshot.chain is not None:
        _read_assets(runtime, snapshot.chain, issuance, accounts)
    traps = dict(runtime.pallet(XcmPallet).asset_traps.items()) if runtime.has_pallet(XcmPallet) else {}
    return Books(snapshot.chain, native, issuance, accounts, traps)


def _read_assets(
    runtime: Runtime, chain: int, issuance: dict[Place, int], accounts: dict[Place, dict[AccountId, int]]
) -> None:
    for kind in (TrustBackedAssets, ForeignAssets):
        pallet: Any = runtime.pallet(kind)
        places: dict[Any, Place] = {}
        for id, details in pallet.asset.items():
            seen = appended(local_assets_prefix(runtime), GeneralIndex(id)) if kind is TrustBackedAssets else id
            place = absolute(seen, chain)
            if place is not None:
                places[id] = place
                issuance[place] = details.supply
                accounts[place] = {}
        for (id, who), account in pallet.account.items():
            if id in places:
                accounts[places[id]][who] = account.balance


def read_in_flight(relay: Snapshot, paras: Mapping[int, Snapshot]) -> InFlight:
    """Everything that is under way when the paras are at the heads that the relay chain includes."""
    found = InFlight()
    for sender, recipient, data in _under_way(relay.runtime, paras):
        found.count += 1
        _count(found, data, sender, recipient)
    return found


def _under_way(relay: Runtime, paras: Mapping[int, Snapshot]) -> Iterator[tuple[int | None, int | None, bytes]]:
    for para, queue in relay.pallet(Dmp).downward_message_queues.items():
        for message in queue:
            yield None, int(para), message.msg
    for id, pages in relay.pallet(Hrmp).hrmp_channel_contents.items():
        for page in pages:
            for data in xcm_of(page.data):
                yield int(id.sender), int(id.recipient), data
    for sender, data in _queued(relay.pallet(RelayMessageQueue), None):
        yield sender, None, data
    for para, snapshot in paras.items():
        for recipient, data in waiting_messages(snapshot.runtime, released=False):
            yield para, recipient, data
        for sender, data in _queued(snapshot.runtime.pallet(para_queue.MessageQueue), para):
            yield sender, para, data


def _queued(queue: MessageQueue, chain: int | None) -> Iterator[tuple[int | None, bytes]]:
    """Messages of a queue that are not processed, with the chain they came from."""
    pages: Any = queue.pages
    for (origin, _), page in pages.items():
        for payload in _unprocessed(page):
            yield queue_chain(origin), payload


def _unprocessed(page: Page) -> Iterator[bytes]:
    """Messages of a page that wait, those too that were too heavy when they were tried."""
    position = 0
    while position <= page.last:
        start = position + HEADER_SIZE
        length = int.from_bytes(page.heap[position : position + 4], "little")
        if not page.heap[start - 1]:
            yield page.heap[start : start + length]
        position = start + length


def _count(found: InFlight, data: bytes, sender: int | None, recipient: int | None) -> None:
    """What a message brings in its chain's own name: what comes before its origin changes."""
    for instruction in opened(data).program:
        match instruction:
            case ReceiveTeleportedAsset():
                ledger = found.teleported
            case ReserveAssetDeposited():
                ledger = found.deposited
            case WithdrawAsset():
                ledger = found.withdrawn
            case _:
                return
        for asset in instruction.assets:
            place = absolute(asset.id, recipient)
            if place is not None and isinstance(asset.fun, Fungible):
                ledger[place, sender, recipient] += asset.fun.amount


def teleports_relay_token(snapshot: Snapshot) -> bool:
    """Whether a para takes the relay chain's token as a teleport from it."""
    machine = snapshot.runtime.pallet(XcmPallet).machine
    return snapshot.chain is not None and machine.is_teleporter(fungible(PARENT, 1), PARENT)
