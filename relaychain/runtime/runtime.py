"""The relay chain's runtime: pallets at Polkadot's indices.

Left out, against Polkadot: staking and its elections, disputes and slashing, coretime sales, governance. Sudo stands in
their place at upstream's test-net index.
"""

from collections.abc import Sequence
from functools import cache

from relaychain.primitives.messages import MAX_UPWARD_MESSAGE_SIZE_BOUND
from relaychain.primitives.network import NETWORK
from relaychain.primitives.types import (
    AssignmentId,
    AuthorityDiscoveryId,
    ParaId,
    SessionIndex,
    ValidatorId,
)
from relaychain.runtime.assigner_coretime import CoretimeAssignmentProvider
from relaychain.runtime.configuration import Configuration
from relaychain.runtime.dmp import Dmp
from relaychain.runtime.hrmp import Hrmp
from relaychain.runtime.inclusion import ParaInclusion
from relaychain.runtime.initializer import Initializer, ValidatorKeys
from relaychain.runtime.origin import ParachainsOrigin
from relaychain.runtime.paras import Paras
from relaychain.runtime.paras_inherent import ParaInherent
from relaychain.runtime.runtime_api_impl import ParachainHost
from relaychain.runtime.scheduler import Scheduler
from relaychain.runtime.session_info import ParaSessionInfo
from relaychain.runtime.shared import Shared
from relaychain.runtime.ump import AggregateMessageOrigin, QueueSize, Ump
from relaychain.runtime.xcm_config import TREASURY, process_upward, relay_xcm_config
from substrate.pallets.authorship import Authorship
from substrate.pallets.babe import Babe, block_author, check_timestamp, epoch_has_ended
from substrate.pallets.balances import Balances
from substrate.pallets.grandpa import Grandpa
from substrate.pallets.message_queue import MessageQueue
from substrate.pallets.message_queue_types import QueueFootprint
from substrate.pallets.session import RelaySession, Session
from substrate.pallets.session_types import SessionHandler, Validators
from substrate.pallets.sudo import Sudo
from substrate.pallets.system import System
from substrate.pallets.timestamp import Timestamp
from substrate.pallets.transaction_payment import TransactionPayment
from substrate.pallets.utility import Utility
from substrate.runtime.apis import ChainRuntime
from substrate.runtime.assembly import Runtime, mount
from substrate.runtime.pallet import Pallet
from substrate.runtime.version import RuntimeVersion
from substrate.types import Balance, Moment
from xcm.pallet import XcmPallet

EXISTENTIAL_DEPOSIT = Balance(1_000_000_000)
"""A thousandth of a unit of 12 decimals."""
UPWARD_PAGE = MAX_UPWARD_MESSAGE_SIZE_BOUND
"""Bytes of a page of the upward queue: it holds, but for its header, any message that a configuration may allow."""


class RelayMessageQueue(MessageQueue, parameters={"MessageOrigin": AggregateMessageOrigin}):
    """Upward messages, by para."""


class RelayInitializer(Initializer, SessionHandler):
    """Follows sessions; the genesis one comes from the genesis configuration, after the pallets it needs."""

    def on_new_session(self, *, changed: bool, validators: Validators, queued: Validators) -> None:
        """Pass the session on to the parachain pallets at the end of the block."""
        session = SessionIndex(self.pallet(Session).current_index.get())
        self.note_session(session, para_keys(validators), para_keys(queued))


def para_keys(validators: Validators) -> list[ValidatorKeys]:
    """What parachains need of each validator's keys."""
    return [
        ValidatorKeys(
            who,
            ValidatorId(keys.para_validator),
            AssignmentId(keys.para_assignment),
            AuthorityDiscoveryId(keys.authority_discovery),
        )
        for who, keys in validators
    ]


class QueuedUpward:
    """Inclusion's view of the message queue."""

    def __init__(self, runtime: Runtime) -> None:
        self._queue = runtime.pallet(RelayMessageQueue)

    def enqueue(self, messages: Sequence[bytes], origin: Ump) -> None:
        """Add messages to the queue of a para; as upstream, one that no page can hold is dropped."""
        most = self._queue.max_message_len()
        self._queue.enqueue_messages([message for message in messages if len(message) <= most], origin)

    def size(self, origin: Ump) -> QueueSize:
        """How full the queue of a para is."""
        footprint = self._queue.footprint(origin)
        return QueueSize(footprint.message_count, footprint.size_bytes)


def note_upward_queue(queue: Pallet, origin: Ump, footprint: QueueFootprint) -> None:
    """Tell inclusion, and through it the para, how full its queue is."""
    size = QueueSize(footprint.message_count, footprint.size_bytes)
    queue.pallet(ParaInclusion).on_queue_changed(origin.queue.para, size)


@cache
def relay_runtime(slot_duration_ms: int, epoch_slots: int) -> type[ChainRuntime]:
    """The runtime for a slot duration and an epoch length; one class for each pair."""

    class RelayRuntime(ChainRuntime, ParachainHost):
        version = RuntimeVersion("relayloom", "relayloom", 0, 1_000, 0, (), 1, 1)
        crate = "relay_runtime"

        system: System = mount(0)
        babe: Babe = mount(2, epoch_duration=epoch_slots, expected_block_time=Moment(slot_duration_ms))
        timestamp: Timestamp = mount(3, minimum_period=Moment(slot_duration_ms // 2), on_timestamp_set=check_timestamp)
        balances: Balances = mount(5, existential_deposit=EXISTENTIAL_DEPOSIT)
        authorship: Authorship = mount(6, find_author=block_author)
        session: RelaySession = mount(9, should_end_session=epoch_has_ended, handlers=(Grandpa, Babe, RelayInitializer))
        grandpa: Grandpa = mount(11)
        utility: Utility = mount(26)
        transaction_payment: TransactionPayment = mount(32, fee_account=TREASURY)
        parachains_origin: ParachainsOrigin = mount(50)
        configuration: Configuration = mount(51)
        paras_shared: Shared = mount(52)
        para_inclusion: ParaInclusion = mount(53, upward_queue=QueuedUpward)
        para_inherent: ParaInherent = mount(54)
        para_scheduler: Scheduler = mount(55)
        paras: Paras = mount(56)
        initializer: RelayInitializer = mount(57)
        dmp: Dmp = mount(58)
        hrmp: Hrmp = mount(60)
        para_session_info: ParaSessionInfo = mount(61)
        coretime_assignment_provider: CoretimeAssignmentProvider = mount(65)
        xcm_pallet: XcmPallet = mount(99, xcm_config=relay_xcm_config, network=NETWORK)
        message_queue: RelayMessageQueue = mount(
            100, heap_size=UPWARD_PAGE, process_message=process_upward, on_queue_changed=note_upward_queue
        )
        sudo: Sudo = mount(255)

    return RelayRuntime


def para_ids(runtime: Runtime) -> tuple[ParaId, ...]:
    """The registered parachains."""
    return runtime.pallet(Paras).parachains.get()
