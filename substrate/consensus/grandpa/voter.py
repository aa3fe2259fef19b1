"""The GRANDPA voter: a state machine over rounds, driven by messages, imported blocks and time.

Each input returns the actions to take, in order. Lost messages are made up for on a timer: a voter stuck in a round
sends its votes again, wants the blocks that others voted for and it lacks, and says where it stands; the others answer
with their votes, those ahead with a commit or, on request, with a completed round.

Source: finality-grandpa, `src/voter/mod.rs`; polkadot-sdk, `substrate/client/consensus/grandpa/src/communication`.
"""

from collections.abc import Callable
from functools import partial

from substrate.consensus.grandpa.actions import (
    Action,
    Broadcast,
    Conflict,
    Equivocated,
    Finalize,
    Missing,
    Rejected,
    RoundStarted,
    SendTo,
    SetTimer,
    VoterState,
)
from substrate.consensus.grandpa.blocks import BlockRef, ChainView, GrandpaError, GrandpaReason
from substrate.consensus.grandpa.catch_up import check_catch_up, make_catch_up, targets
from substrate.consensus.grandpa.commit import check_commit, compact, expand, make_justification, round_commit
from substrate.consensus.grandpa.inbox import MAX_ROUNDS_AHEAD, Inbox
from substrate.consensus.grandpa.peers import ASK_AT_ONCE, Peers, Standing
from substrate.consensus.grandpa.round import Round, RoundState
from substrate.consensus.grandpa.rules import DEFAULT_RULE, VotingRule
from substrate.consensus.grandpa.signing import Signer, Verify, check_signature, sign_vote
from substrate.consensus.grandpa.types import (
    AuthorityId,
    AuthorityList,
    CatchUpMessage,
    CatchUpRequest,
    Commit,
    CommitMessage,
    EquivocationProof,
    GossipMessage,
    NeighborPacket,
    Precommit,
    Prevote,
    PrimaryPropose,
    SignedMessage,
    VoteMessage,
)
from substrate.consensus.grandpa.voter_set import VoterSet
from substrate.consensus.grandpa.voting_round import Step, VotingRound
from substrate.crypto.keys import verify_ed25519

REPEAT_AFTER = 10
"""Gossip durations in one round after which a voter repeats itself."""
PAST_ROUNDS = 4
PAST_SETS = 8


class Voter:
    """One node's voter; without a signer, or outside the set, it only watches."""

    def __init__(
        self,
        chain: ChainView,
        *,
        signer: Signer | None,
        gossip_us: int,
        rule: VotingRule = DEFAULT_RULE,
        verify: Verify = verify_ed25519,
    ) -> None:
        self.chain = chain
        self.signer = signer
        self.gossip_us = gossip_us
        self.rule = rule
        self.verify = verify
        self.set_id = -1
        self.round = 0
        self.voters = VoterSet(())
        self.rounds: dict[int, VotingRound] = {}
        self.finalized = chain.finalized
        self.commits: dict[int, CommitMessage] = {}
        """The last commit accepted in each recent set."""
        self._now = 0
        self._base = self.finalized
        self._first = RoundState.genesis(self.finalized)
        self._inbox = Inbox()
        self._peers = Peers(2 * gossip_us)
        self._repeat_at = 0
        self._timer: int | None = None
        self._actions: list[Action] = []

    # --- inputs

    def start_set(
        self,
        now_us: int,
        set_id: int,
        authorities: AuthorityList,
        *,
        base: BlockRef | None = None,
        resume: VoterState | None = None,
    ) -> list[Action]:
        """Begin to vote in an authority set, from its first round or where `resume` left it.

        Args:
            now_us: Current time.
            set_id, authorities: The set's id and members.
            base: The block whose finality put the set in force; the last finalised block by default.
            resume: State stored before a restart; ignored if it is of another set.
        """
        self._now = now_us
        self.set_id, self.voters = set_id, VoterSet(authorities)
        self._base = base or self.chain.finalized
        self.finalized = max(self.finalized, self.chain.finalized, self._base, key=lambda block: block.number)
        self._first = RoundState.genesis(self._base)
        self.rounds.clear()
        if resume is not None and resume.set_id == set_id:
            self._resume(resume)
        else:
            self._start_round(1)
        for sender, message in self._inbox.take_set(set_id):
            self._receive(sender, message)
        return self._settle()

    def on_message(self, now_us: int, sender: str, message: GossipMessage) -> list[Action]:
        """Take a gossip message from a peer."""
        self._now = now_us
        self._receive(sender, message)
        return self._settle()

    def on_imported(self, now_us: int, block: BlockRef) -> list[Action]:
        """A block was imported: messages may have waited for it."""
        self._now = now_us
        for sender, message in self._inbox.take_block(block.hash):
            self._receive(sender, message)
        return self._settle()

    def on_finalized(self, now_us: int, block: BlockRef) -> list[Action]:
        """A block became final by other means: a justification imported in sync."""
        self._now = now_us
        if block.number > self.finalized.number:
            self.finalized = block
        return self._settle()

    def on_timer(self, now_us: int) -> list[Action]:
        """The time asked for by `SetTimer` has come."""
        self._now, self._timer = now_us, None
        if now_us >= self._repeat_at and self.rounds:
            self._repeat()
        return self._settle()

    def state(self) -> VoterState:
        """What to store."""
        current, last = self.rounds[self.round], self._last_state(self.round)
        base, own = current.votes.base, tuple(current.own)
        return VoterState(self.set_id, self.round, base, last.prevote_ghost, last.finalized, last.estimate, own)

    # --- progress

    def _settle(self) -> list[Action]:
        while self.rounds:
            self._vote()
            self._finalize()
            if not self.rounds[self.round].is_complete(self._last_state(self.round)):
                break
            self._start_round(self.round + 1)
        self._send_commits()
        self._set_timer()
        actions, self._actions = self._actions, []
        return sorted(actions, key=lambda action: isinstance(action, Finalize))

    def _last_state(self, number: int) -> RoundState:
        last = self.rounds.get(number - 1)
        return self._first if last is None else last.state

    def _enter(self, number: int) -> VotingRound:
        voter = None if self.signer is None else AuthorityId(self.signer.public)
        votes = Round(number, self.voters, self._base)
        current = VotingRound(votes, voter=voter, started_us=self._now, gossip_us=self.gossip_us)
        self.round, self.rounds[number] = number, current
        self._repeat_at = self._now + REPEAT_AFTER * self.gossip_us
        self._actions.append(RoundStarted(number, self.set_id))
        return current

    def _start_round(self, number: int) -> None:
        finals = [past.votes.finalized for past in self.rounds.values()]
        known = [final for final in finals if final is not None]
        self._base = max((self._base, *known), key=lambda block: block.number)
        for old in [past for past in self.rounds if past < number - PAST_ROUNDS]:
            del self.rounds[old]
        current = self._enter(number)
        for sender, message in self._inbox.take_round(number):
            self._guarded(sender, partial(self._deliver, sender, current, message))

    def _resume(self, stored: VoterState) -> None:
        self._first, self._base = stored.last_state, BlockRef(*stored.base)
        current = self._enter(stored.round)
        for vote in stored.own_votes:
            self._count(current, vote)
        self._repeat()  # the votes of the others are lost: ask for them

    def _vote(self) -> None:
        current, last = self.rounds[self.round], self._last_state(self.round)
        while (message := current.next_vote(self._now, last, self.chain, self.rule)) is not None:
            assert self.signer is not None, "only signers vote"
            signed = sign_vote(self.signer, message, round_number=self.round, set_id=self.set_id)
            self._count(current, signed)
            self._actions.append(Broadcast(VoteMessage(self.round, self.set_id, signed)))

    def _finalize(self) -> None:
        """Finalise what any round proves, and plan to tell the others when it is our turn."""
        for past in self.rounds.values():
            ghost = past.votes.precommit_ghost()
            if ghost is None or ghost == past.proven:
                continue
            commit = round_commit(past.votes, self.chain)
            if commit is None:
                continue
            past.proven = ghost
            self._accept_commit(past.number, commit)
            index = None if past.voter is None else self.voters.index(past.voter)
            if index is not None and past.commit_at is None:
                turn = (index + past.number) % len(self.voters)
                past.commit_at = self._now + turn * 2 * self.gossip_us // len(self.voters)

    def _accept_commit(self, number: int, commit: Commit) -> None:
        block = BlockRef(commit.target_hash, commit.target_number)
        if block.number <= self.finalized.number:
            return
        justification = make_justification(number, commit, self.chain)
        if not self.chain.is_equal_or_descendant(self.finalized.hash, block.hash):
            self._actions.append(Conflict(self.finalized, block, justification))
            return
        self.finalized = block
        self.commits[self.set_id] = CommitMessage(number, self.set_id, compact(commit))
        for old in [past for past in self.commits if past <= self.set_id - PAST_SETS]:
            del self.commits[old]
        self._actions.append(Finalize(block, justification, self.set_id))

    def _send_commits(self) -> None:
        for past in self.rounds.values():
            if past.commit_at is None or self._now < past.commit_at:
                continue
            past.commit_at = None
            commit = round_commit(past.votes, self.chain)
            if commit is None or (past.committed is not None and past.committed.number >= commit.target_number):
                continue
            past.committed = BlockRef(commit.target_hash, commit.target_number)
            self._actions.append(Broadcast(CommitMessage(past.number, self.set_id, compact(commit))))

    def _set_timer(self) -> None:
        wanted = [at for past in self.rounds.values() for at in past.deadlines() if at > self._now]
        at = min((*wanted, max(self._repeat_at, self._now + 1)))
        if self.rounds and at != self._timer:
            self._timer = at
            self._actions.append(SetTimer(at))

    def _repeat(self) -> None:
        """The round takes long: repeat our votes, want what holds it up, say where we stand, ask someone ahead."""
        self._repeat_at = self._now + REPEAT_AFTER * self.gossip_us
        self._actions += map(Broadcast, (*self._own_votes(self.round - 1), self._neighbor()))
        self._actions += map(Missing, self._inbox.missing(self.round, self.finalized.number))
        self._ask(behind_by=1)

    def _own_votes(self, since: int) -> list[VoteMessage]:
        rounds = [past for past in self.rounds.values() if past.number >= since]
        return [VoteMessage(past.number, self.set_id, vote) for past in rounds for vote in past.own]

    def _ask(self, *, behind_by: int) -> None:
        found = self._peers.to_ask(Standing(self.set_id, self.round), behind_by=behind_by, now_us=self._now)
        if found is not None:
            peer, number = found
            self._actions.append(SendTo(peer, CatchUpRequest(number, self.set_id)))

    def _neighbor(self) -> NeighborPacket:
        return NeighborPacket(1, self.round, self.set_id, self.finalized.number)

    # --- messages

    def _receive(self, sender: str, message: GossipMessage) -> None:
        self._guarded(sender, partial(self._dispatch, sender, message))

    def _guarded(self, sender: str, handle: Callable[[], None]) -> None:
        try:
            handle()
        except GrandpaError as error:
            self._actions.append(Rejected(sender, error))

    def _dispatch(self, sender: str, message: GossipMessage) -> None:
        set_id = message.set_id
        if set_id == self.set_id + 1 and not isinstance(message, NeighborPacket | CatchUpRequest):
            self._inbox.wait_for_set(set_id, sender, message)
        elif isinstance(message, NeighborPacket):
            self._on_neighbor(sender, message)
        elif set_id == self.set_id and self.rounds:
            match message:
                case VoteMessage():
                    self._on_vote(sender, message)
                case CommitMessage():
                    self._on_commit(sender, message)
                case CatchUpRequest():
                    self._on_catch_up_request(sender, message)
                case CatchUpMessage():
                    self._on_catch_up(sender, message)

    def _on_vote(self, sender: str, message: VoteMessage) -> None:
        vote, number = message.message, message.round
        if vote.id not in self.voters:
            return
        self._peers.note(sender, Standing(message.set_id, number))
        self._ask(behind_by=ASK_AT_ONCE)
        if number not in self.rounds and not self.round < number <= self.round + MAX_ROUNDS_AHEAD:
            return
        check_signature(
            vote.message, vote.id, vote.signature, round_number=number, set_id=self.set_id, verify=self.verify
        )
        if number > self.round:
            self._inbox.wait_for_round(sender, message)
        else:
            self._deliver(sender, self.rounds[number], message)

    def _deliver(self, sender: str, target: VotingRound, message: VoteMessage) -> None:
        """Count a checked vote, once its block is here."""
        vote = message.message.message
        number = self.chain.number_of(vote.target_hash)
        if number is None:
            self._inbox.wait_for_block(vote.target_hash, sender, message)
        elif number != vote.target_number:
            raise GrandpaError(GrandpaReason.BAD_TARGET, number=number, claimed=vote.target_number)
        else:
            self._count(target, message.message)

    def _count(self, target: VotingRound, signed: SignedMessage) -> None:
        match signed.message:
            case Prevote() as vote:
                found = target.votes.import_prevote(vote, signed.id, signed.signature, self.chain)
            case Precommit() as vote:
                found = target.votes.import_precommit(vote, signed.id, signed.signature, self.chain)
            case PrimaryPropose() as hint:
                found = None
                if signed.id == self.voters.primary(target.number):
                    target.hint = BlockRef(hint.target_hash, hint.target_number)
        if signed.id == target.voter:
            target.recall(signed)  # also one that we cast before a restart and had lost
        if found is not None:
            self._actions.append(Equivocated(EquivocationProof(self.set_id, found)))

    def _on_commit(self, sender: str, message: CommitMessage) -> None:
        commit, number = expand(message.message), message.round
        target = BlockRef(commit.target_hash, commit.target_number)
        past = self.rounds.get(number)
        known = self.finalized if past is None else past.committed
        self._peers.note(sender, Standing(message.set_id, number))
        if known is not None and known.number >= target.number:
            return
        for signed in commit.precommits:
            if self.chain.number_of(signed.precommit.target_hash) is None:
                self._inbox.wait_for_block(signed.precommit.target_hash, sender, message)
                return
        check_commit(commit, self.voters, self.chain, round_number=number, set_id=self.set_id, verify=self.verify)
        if past is not None:
            past.committed = target
            for signed in commit.precommits:
                if self.chain.is_equal_or_descendant(past.votes.base.hash, signed.precommit.target_hash):
                    self._count(past, SignedMessage(signed.precommit, signed.signature, signed.id))
        self._accept_commit(number, commit)
        self._ask(behind_by=ASK_AT_ONCE)

    def _on_neighbor(self, sender: str, message: NeighborPacket) -> None:
        self._peers.note(sender, Standing(message.set_id, message.round))
        commit = self.commits.get(message.set_id)
        if commit is not None and message.commit_finalized_height < commit.message.target_number:
            self._actions.append(SendTo(sender, commit))
        if message.set_id == self.set_id:
            self._actions += [SendTo(sender, vote) for vote in self._own_votes(message.round)]
        if self.rounds and (message.set_id, message.round) < (self.set_id, self.round):
            self._actions.append(SendTo(sender, self._neighbor()))
        self._ask(behind_by=1)

    def _on_catch_up_request(self, sender: str, message: CatchUpRequest) -> None:
        last = self.rounds.get(self.round - 1)
        if last is not None and last.number >= message.round and last.votes.completable:
            self._actions.append(SendTo(sender, CatchUpMessage(self.set_id, make_catch_up(last.votes))))

    def _on_catch_up(self, sender: str, message: CatchUpMessage) -> None:
        number = message.message.round_number
        if number < self.round:
            return
        for block in targets(message.message):
            if self.chain.number_of(block) is None:
                self._inbox.wait_for_block(block, sender, message)
                return
        votes = check_catch_up(message.message, self.voters, self.chain, set_id=self.set_id, verify=self.verify)
        completed = VotingRound(votes, voter=None, started_us=self._now, gossip_us=self.gossip_us)
        completed.step = Step.PRECOMMITTED
        if (ours := self.rounds.get(number)) is not None:
            completed.own = ours.own
        self.rounds[number] = completed
        self._start_round(number + 1)
