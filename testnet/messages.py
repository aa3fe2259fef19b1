"""XCM on its way: rows about messages, from the states, events and execution facts of executed blocks.

A message is named by the topic it ends in, else by its hash; onward messages inherit the name, so one id follows a flow
over all its legs. What is written of a block follows from that block, and for candidates from the one that backed it.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from parachains.sdk.parachain_inherent import ParachainInherentData
from parachains.sdk.parachain_system import ParachainSystem
from parachains.sdk.xcmp_pages import XcmpMessageFormat, format_of, messages
from parachains.sdk.xcmp_queue import XcmpQueue
from relaychain.primitives.candidate import CandidateCommitments, candidate_hash
from relaychain.primitives.messages import skip_ump_signals
from relaychain.primitives.types import CandidateHash, ParaId
from relaychain.runtime.dmp import Dmp
from relaychain.runtime.hrmp import Hrmp
from relaychain.runtime.inclusion import ParaInclusion
from relaychain.runtime.paras import Paras
from substrate.client.protocols import Clock, Recorder
from substrate.crypto.hashing import blake2_256
from substrate.runtime.assembly import Runtime
from substrate.runtime.extrinsic import decode_extrinsic
from substrate.state import Overlay
from substrate.types import Hash
from testnet.message_rows import Envelope, opened, senders, sent_row
from testnet.message_traces import Trace, write_traces, write_traps
from testnet.observing import Executed, event_names, pallet_event
from testnet.places import Naming

REMEMBERED = 4_096


class Leg(NamedTuple):
    """From which chain to which."""

    origin: str
    dest: str


class MessageObserver:
    """Writes down messages of one network; each chain's block observer hands its blocks to `of_chain(...)`."""

    def __init__(self, naming: Naming, clock: Clock, recorder: Recorder) -> None:
        self._naming = naming
        self._clock = clock
        self._recorder = recorder
        self._backed: OrderedDict[CandidateHash, CandidateCommitments] = OrderedDict()
        self._ids: OrderedDict[bytes, bytes] = OrderedDict()
        """Ids of queued messages by their hash: what no barrier admits, the queue knows by its hash only."""
        self._channels: OrderedDict[Hash, Mapping[tuple[int, int], tuple[int, int, int]]] = OrderedDict()

    def of_chain(self, chain: int | None) -> Callable[[Executed], None]:
        """What takes the blocks of a parachain; of the relay chain for None."""

        def take(executed: Executed) -> None:
            runtime = executed.runtime(Overlay(executed.execution.state))
            place = self._place(chain, executed)
            if chain is None:
                self._follow_candidates(executed, runtime, place)
                sent = list(self._sent_down(runtime))
            else:
                self._note_queued(chain, executed, place)
                sent = list(self._sent_by_para(executed, runtime))
            self._note_sent(chain, executed, sent, place)
            self._note_executed(chain, executed, place)

        return take

    def _place(self, chain: int | None, executed: Executed) -> dict[str, object]:
        return {
            "chain": self._naming.chain(chain),
            "block": int(executed.block.header.number),
            "block_hash": executed.hash,
            "at": self._clock.now_us(),
        }

    def _hop(
        self, envelope: Envelope, leg: Leg, stage: str, place: Mapping[str, object], arrival: int | None = None
    ) -> None:
        if stage == "queued":
            self._ids[envelope.hash] = envelope.id
            if len(self._ids) > REMEMBERED:
                self._ids.popitem(last=False)
        self._recorder.row(
            "hops",
            message_id=envelope.id,
            origin=leg.origin,
            dest=leg.dest,
            stage=stage,
            arrival=arrival,
            **place,
        )

    # --- sent ---

    def _sent_down(self, runtime: Runtime) -> Iterator[tuple[int | None, bytes]]:
        """Downward messages that this relay block queued: no candidate can have taken one already."""
        queues, number = runtime.pallet(Dmp).downward_message_queues, runtime.block_number()
        for para in runtime.pallet(Paras).parachains.get():
            for message in queues[para]:
                if message.sent_at == number:
                    yield int(para), message.msg

    def _sent_by_para(self, executed: Executed, runtime: Runtime) -> Iterator[tuple[int | None, bytes]]:
        """What the events say was sent, found where it waits to go out."""
        wanted = [
            (name, event.message_hash)
            for name, event in _named_events(executed, "UpwardMessageSent", "XcmpMessageSent")
            if event.message_hash is not None
        ]
        if not wanted:
            return
        waiting: dict[bytes, tuple[int | None, bytes]] = {}
        for dest, data in waiting_messages(runtime):
            waiting[blake2_256(data)] = (dest, data)
        for _, digest in wanted:
            if digest in waiting:
                yield waiting[digest]

    def _note_sent(
        self,
        chain: int | None,
        executed: Executed,
        sent: Sequence[tuple[int | None, bytes]],
        place: Mapping[str, object],
    ) -> None:
        if not sent:
            return
        origin, known = self._naming.chain(chain), senders(executed, self._naming, chain)
        where = {name: value for name, value in place.items() if name != "chain"}
        for position, (dest, data) in enumerate(sent):
            envelope = opened(data)
            leg = Leg(origin, self._naming.chain(dest))
            kind = "DMP" if chain is None else "UMP" if dest is None else "HRMP"
            row = sent_row(envelope, known.get(envelope.id))
            self._recorder.row(
                "messages", origin=leg.origin, dest=leg.dest, kind=kind, position=position, **row, **where
            )
            self._hop(envelope, leg, "in_block", place)
            if chain is None:
                self._hop(envelope, leg, "routed", place)

    # --- candidates: backed, included, routed ---

    def _follow_candidates(self, executed: Executed, runtime: Runtime, place: Mapping[str, object]) -> None:
        backed = [event for _, event in _named_events(executed, "CandidateBacked")]
        included = [event for _, event in _named_events(executed, "CandidateIncluded")]
        if backed:
            self._remember(runtime, {event.receipt.descriptor.para_id for event in backed})
        for stage, events in (("backed", backed), ("included", included)):
            for event in events:
                commitments = self._backed.get(candidate_hash(event.receipt))
                if commitments is not None:
                    self._note_candidate(event.receipt.descriptor.para_id, commitments, stage, place)
        self._note_channels(executed, runtime, place)

    def _remember(self, runtime: Runtime, paras: set[ParaId]) -> None:
        """Keep what candidates will do once they are included."""
        for para in sorted(paras):
            for pending in runtime.pallet(ParaInclusion).pending_availability[para]:
                self._backed[pending.hash] = pending.commitments
        while len(self._backed) > REMEMBERED:
            self._backed.popitem(last=False)

    def _note_candidate(
        self, para: ParaId, commitments: CandidateCommitments, stage: str, place: Mapping[str, object]
    ) -> None:
        for dest, data in _committed(commitments):
            envelope, leg = opened(data), Leg(self._naming.chain(para), self._naming.chain(dest))
            self._hop(envelope, leg, stage, place)
            if stage == "included":
                self._hop(envelope, leg, "routed", place)
                if dest is None:
                    self._hop(envelope, leg, "queued", place)

    def _note_channels(self, executed: Executed, runtime: Runtime, place: Mapping[str, object]) -> None:
        """One row for each channel that differs from the parent block's."""
        before = self._channels.get(executed.block.header.parent_hash)
        now = _channels(runtime)
        self._channels[executed.hash] = now
        if len(self._channels) > REMEMBERED:
            self._channels.popitem(last=False)
        where = {name: value for name, value in place.items() if name != "chain"}
        for (sender, recipient), (count, size, capacity) in now.items():
            if before is None or before.get((sender, recipient)) != (count, size, capacity):
                self._recorder.row(
                    "channels",
                    sender=sender,
                    recipient=recipient,
                    messages=count,
                    bytes=size,
                    capacity=capacity,
                    **where,
                )

    # --- queued, executed ---

    def _note_queued(self, chain: int, executed: Executed, place: Mapping[str, object]) -> None:
        data = _inherent_of(executed)
        if data is None:
            return
        dest = self._naming.chain(chain)
        down: list[tuple[int | None, bytes]] = [(None, message.msg) for message in data.downward_messages]
        across = [
            (int(sender), one)
            for sender, pages in data.horizontal_messages.items()
            for page in pages
            for one in xcm_of(page.data)
        ]
        for number, (origin, message) in enumerate([*down, *across], start=1):
            self._hop(opened(message), Leg(self._naming.chain(origin), dest), "queued", place, number)

    def _note_executed(self, chain: int | None, executed: Executed, place: Mapping[str, object]) -> None:
        traces = Trace.all_of(executed.execution.facts)
        if traces:
            write_traces(self._recorder, self._naming, chain, traces, place, self._ids)
        write_traps(self._recorder, self._naming, chain, executed, traces, place)
        for _, event in _named_events(executed, "ProcessingFailed"):
            self._recorder.row(
                "outcomes",
                message_id=self._ids.get(event.id, event.id),
                origin=self._naming.chain(queue_chain(event.origin)),
                ok=False,
                error=type(event.error).__name__,
                reason="the queue could not process it",
                **place,
            )


def _named_events(executed: Executed, *names: str) -> Iterator[tuple[str, Any]]:
    for record in executed.execution.events:
        _, name = event_names(record)
        if name in names:
            yield name, pallet_event(record)


def queue_chain(origin: Any) -> int | None:
    """The chain behind an origin of a message queue; None for the relay chain."""
    match type(origin).__name__:
        case "Ump":
            return int(origin.queue.para)
        case "Sibling":
            return int(origin.para)
        case _:
            return None


def xcm_of(page: bytes) -> list[bytes]:
    """The messages of an XCMP page; signals are none."""
    is_xcm = format_of(page) in (
        XcmpMessageFormat.CONCATENATED_VERSIONED_XCM,
        XcmpMessageFormat.CONCATENATED_OPAQUE_VERSIONED_XCM,
    )
    return list(messages(page)) if is_xcm else []


def _committed(commitments: CandidateCommitments) -> Iterator[tuple[int | None, bytes]]:
    """What a candidate sends: to the relay chain, then to siblings."""
    for upward in skip_ump_signals(commitments.upward_messages):
        yield None, upward
    for page in commitments.horizontal_messages:
        for message in xcm_of(page.data):
            yield int(page.recipient), message


def waiting_messages(runtime: Runtime, *, released: bool = True) -> Iterator[tuple[int | None, bytes]]:
    """Messages in a para's outbound queues, with their destination.

    Args:
        runtime: The para's.
        released: Those too that the block itself hands to the relay chain.
    """
    system = runtime.pallet(ParachainSystem)
    for message in (*(system.upward_messages.get() if released else ()), *system.pending_upward_messages.get()):
        yield None, message
    for page in system.hrmp_outbound_messages.get() if released else ():
        for message in xcm_of(page.data):
            yield int(page.recipient), message
    if not runtime.has_pallet(XcmpQueue):
        return
    for (recipient, _), page in runtime.pallet(XcmpQueue).outbound_xcmp_messages.items():
        for message in xcm_of(page):
            yield int(recipient), message


def _channels(runtime: Runtime) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Messages, bytes and capacity of each open channel."""
    return {
        (int(id.sender), int(id.recipient)): (channel.msg_count, channel.total_size, channel.max_capacity)
        for id, channel in sorted(runtime.pallet(Hrmp).hrmp_channels.items())
    }


def _inherent_of(executed: Executed) -> ParachainInherentData | None:
    """What the block's author put into it of the relay chain."""
    assembly = executed.runtime.assembly()
    for raw in executed.block.extrinsics:
        extrinsic = decode_extrinsic(executed.runtime, raw)
        if extrinsic.signed is not None:
            return None
        entry, value = assembly.resolve(extrinsic.call)
        if entry.method == "set_validation_data":
            inherent: Any = value
            return inherent.data
    return None
