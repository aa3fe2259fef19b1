"""GRANDPA at a node: carries messages, blocks and time to the voter, and carries out what it decides.

Source: polkadot-sdk, `substrate/client/consensus/grandpa/src/{lib,environment,communication/mod}.rs`.
"""

import asyncio
from collections.abc import Callable

from relaychain.node.engine import JUSTIFICATION, RelayConsensus
from relaychain.node.reports import Reports
from relaychain.node.timer import Timer
from substrate.block import Justification
from substrate.client.protocols import Clock, Network, Recorder
from substrate.consensus.grandpa import actions
from substrate.consensus.grandpa.blocks import BlockRef
from substrate.consensus.grandpa.rules import all_of, before_best_by, not_past, three_quarters
from substrate.consensus.grandpa.types import GossipMessage, Precommit, Prevote, VoteMessage
from substrate.consensus.grandpa.voter import Voter
from substrate.crypto.keys import Ed25519Pair
from substrate.errors import DecodeError
from substrate.scale.codec import codec_of
from substrate.types import BlockNumber, Hash

KIND = "grandpa"
ENGINE_ID = b"FRNK"
_MESSAGE = codec_of(GossipMessage)


class Grandpa:
    """Runs one voter over one chain."""

    def __init__(
        self,
        consensus: RelayConsensus,
        *,
        key: Ed25519Pair | None,
        gossip_us: int,
        network: Network,
        clock: Clock,
        recorder: Recorder,
        reports: Reports,
        fetch: Callable[[Hash], None],
    ) -> None:
        self._consensus = consensus
        self._chain = consensus.chain
        self._network = network
        self._clock = clock
        self._recorder = recorder
        self._reports = reports
        self._fetch = fetch
        rule = all_of(before_best_by(2), three_quarters, not_past(self._set_change))
        self.voter = Voter(consensus.view, signer=key, gossip_us=gossip_us, rule=rule)
        self._timer: Timer | None = None
        self._set_id = -1

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to vote in the current set."""
        self._timer = Timer(tasks, self._clock, lambda: self._do(self.voter.on_timer(self._clock.now_us())))
        self._network.on(KIND, self._on_message)
        self._chain.on_imported(self._on_imported)
        self._chain.on_finalized(self._on_finalized)
        self._start_set()

    def _set_change(self, base: BlockRef, best: BlockRef) -> int | None:
        return self._consensus.voters.limit(best, self._consensus.view)

    def _start_set(self) -> None:
        voters = self._consensus.voters
        self._set_id = voters.set_id
        self._do(self.voter.start_set(self._clock.now_us(), voters.set_id, voters.current_authorities))

    def _on_message(self, sender: str, payload: bytes) -> None:
        try:
            message = _MESSAGE.decode(payload)
        except DecodeError as failure:
            self._reports.fault("BadGrandpaMessage", f"{sender}: {failure}")
            return
        self._do(self.voter.on_message(self._clock.now_us(), sender, message))

    def _on_imported(self, block: Hash) -> None:
        self._do(self.voter.on_imported(self._clock.now_us(), self._ref(block)))

    def _on_finalized(self, block: Hash) -> None:
        self._do(self.voter.on_finalized(self._clock.now_us(), self._ref(block)))
        if self._consensus.voters.set_id != self._set_id:
            self._start_set()

    def _ref(self, block: Hash) -> BlockRef:
        return BlockRef(block, BlockNumber(self._chain.number(block)))

    def _do(self, steps: list[actions.Action]) -> None:
        for step in steps:
            match step:
                case actions.Broadcast(message):
                    self._note_vote(message)
                    self._network.broadcast(KIND, _MESSAGE.encode(message))
                case actions.SendTo(peer, message):
                    self._network.send(peer, KIND, _MESSAGE.encode(message))
                case actions.Missing(block):
                    self._fetch(block)
                case actions.SetTimer(at_us):
                    assert self._timer is not None, "the voter acts only after start"
                    self._timer.set(at_us)
                case actions.Finalize():
                    with self._reports.survived(f"finality of 0x{step.block.hash.hex()}"):
                        self._finalize(step)
                case actions.Equivocated() | actions.Rejected() | actions.Conflict():
                    self._reports.fault(type(step).__name__, repr(step))
                case actions.RoundStarted():
                    pass

    def _finalize(self, step: actions.Finalize) -> None:
        if self._chain.is_ancestor(step.block.hash, self._chain.finalized):
            return
        proof = Justification(ENGINE_ID, JUSTIFICATION.encode(step.justification))
        before = self._chain.finalized_number
        best = self._chain.best_number
        self._chain.finalize(step.block.hash, proof)
        for number in range(before + 1, step.block.number + 1):
            self._recorder.row(
                "finality",
                chain="relay",
                block=number,
                hash=self._chain.number_to_hash(number),
                round=step.justification.round,
                set_id=step.set_id,
                precommits=len(step.justification.commit.precommits),
                lag=best - number,
                at=self._clock.now_us(),
            )

    def _note_vote(self, message: GossipMessage) -> None:
        if isinstance(message, VoteMessage) and isinstance(message.message.message, Prevote | Precommit):
            vote = message.message.message
            self._recorder.row(
                "votes",
                kind=type(vote).__name__.lower(),
                validator=self._network.name,
                target=vote.target_hash,
                round=message.round,
                session=message.set_id,
                valid=True,
                chain="relay",
                block=int(vote.target_number),
                at=self._clock.now_us(),
            )
