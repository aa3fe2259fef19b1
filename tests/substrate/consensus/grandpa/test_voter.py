"""Voters over a lossy network in virtual time: safety and liveness."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from substrate.block import Digest, Header
from substrate.consensus.grandpa.actions import (
    Action,
    Broadcast,
    Conflict,
    Equivocated,
    Finalize,
    Missing,
    Rejected,
    SendTo,
    SetTimer,
    VoterState,
)
from substrate.consensus.grandpa.authorities import AuthoritySet
from substrate.consensus.grandpa.blocks import BlockRef
from substrate.consensus.grandpa.commit import check_justification
from substrate.consensus.grandpa.rules import DEFAULT_RULE, VotingRule, all_of, not_past
from substrate.consensus.grandpa.signing import sign_vote
from substrate.consensus.grandpa.testing import BlockTree
from substrate.consensus.grandpa.types import (
    AuthorityId,
    AuthorityList,
    GossipMessage,
    Precommit,
    Prevote,
    ScheduledChange,
    VoteMessage,
    digest_item,
)
from substrate.consensus.grandpa.voter import Voter
from substrate.consensus.grandpa.voter_set import VoterSet
from substrate.crypto.keys import Ed25519Pair
from substrate.types import BlockNumber, Hash

GOSSIP = 100_000
SLOT = 6 * GOSSIP
PAIRS = [Ed25519Pair.from_seed(bytes([index]) * 32) for index in range(1, 8)]
GENESIS = Hash(bytes(32))


def authorities(count: int, first: int = 0) -> AuthorityList:
    return tuple((AuthorityId(pair.public), 1) for pair in PAIRS[first : first + count])


class Node:
    """A voter with its own view of the chain."""

    def __init__(self, network: "Network", index: int, genesis: AuthorityList) -> None:
        self.network, self.index = network, index
        self.tree = BlockTree(GENESIS)
        self.sets = AuthoritySet(genesis)
        rule: VotingRule = all_of(DEFAULT_RULE, not_past(lambda base, best: self.sets.limit(best, self.tree)))
        self.voter = Voter(self.tree, signer=PAIRS[index], gossip_us=GOSSIP, rule=rule)
        self.final: list[BlockRef] = [self.tree.finalized]
        self.timer = -1
        self.orphans: dict[Hash, list[Header]] = {}

    @property
    def name(self) -> str:
        return str(self.index)

    def receive(self, sender: str, message: GossipMessage) -> None:
        self.act(self.voter.on_message(self.network.now, sender, message))

    def import_block(self, header: Header) -> None:
        if header.parent_hash not in self.tree.numbers:
            self.orphans.setdefault(header.parent_hash, []).append(header)
            self.network.fetch(self, header.parent_hash)
            return
        if header.hash in self.tree.numbers:
            return
        block = self.tree.add(header)
        self.sets = self.sets.with_header(header)
        self.act(self.voter.on_imported(self.network.now, block))
        for child in self.orphans.pop(block.hash, []):
            self.import_block(child)

    def act(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Broadcast(message):
                    for peer in self.network.nodes:
                        if peer is not self:
                            self.network.send(self, peer, message)
                case SendTo(peer, message):
                    self.network.send(self, self.network.nodes[int(peer)], message)
                case SetTimer(at):
                    self.timer = at
                    self.network.at(at, lambda at=at: self.fire(at))
                case Finalize():
                    self.finalize(action)
                case Missing(block):
                    self.network.fetch(self, block)
                case Conflict():
                    pytest.fail(f"node {self.index} saw conflicting finality")
                case Equivocated(proof):
                    self.network.accused.add(proof.equivocation.identity)
                case Rejected(_, error):
                    self.network.rejected.append(str(error))
                case _:
                    pass

    def fire(self, at: int) -> None:
        if self.timer == at:
            self.act(self.voter.on_timer(self.network.now))

    def finalize(self, action: Finalize) -> None:
        voters = VoterSet(self.sets.current_authorities)
        check_justification(action.justification, voters, set_id=self.sets.set_id, target=action.block)
        assert action.block.number > self.final[-1].number
        self.tree.finalized = action.block
        self.final.append(action.block)
        later = self.sets.finalize(action.block, self.tree)
        if later.set_id != self.sets.set_id:
            self.sets = later
            self.start()
        self.sets = later

    def restart(self) -> None:
        """Come back with nothing but the chain and the stored state."""
        stored = VoterState.decode(self.voter.state().encode())
        self.voter = Voter(self.tree, signer=PAIRS[self.index], gossip_us=GOSSIP, rule=self.voter.rule)
        self.act(self.voter.start_set(self.network.now, self.sets.set_id, self.sets.current_authorities, resume=stored))

    def start(self) -> None:
        self.act(self.voter.start_set(self.network.now, self.sets.set_id, self.sets.current_authorities))


@dataclass
class Network:
    """Events in virtual time over links that lose and delay."""

    count: int
    seed: int
    loss: float = 0.0
    delay_us: int = GOSSIP
    silent: frozenset[int] = frozenset()
    equivocators: frozenset[int] = frozenset()
    change_at: int | None = None
    """Height of a block that hands over to the voters after the first one."""
    apart: range = range(0)
    """Slots in which the two halves of the network do not hear of each other, of blocks neither."""
    now: int = 0
    accused: set[bytes] = field(default_factory=set[bytes])
    rejected: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.events: list[tuple[int, int, Callable[[], None]]] = []
        self.sequence = 0
        total = self.count + (self.change_at is not None)
        self.nodes = [Node(self, index, authorities(self.count)) for index in range(total)]

    def at(self, time: int, event: Callable[[], None]) -> None:
        self.sequence += 1
        heapq.heappush(self.events, (time, self.sequence, event))

    def send(self, sender: Node, peer: Node, message: GossipMessage) -> None:
        if sender.index in self.silent or peer.index in self.silent or self.random.random() < self.loss:
            return
        if self.is_cut(sender, peer):
            return
        if sender.index in self.equivocators:
            message = self.twist(sender, peer, message)
        self.at(self.now + self.random.randint(1, self.delay_us), lambda: peer.receive(sender.name, message))

    def is_cut(self, one: Node, other: Node) -> bool:
        half = self.count // 2
        return self.now // SLOT in self.apart and (one.index < half) != (other.index < half)

    def fetch(self, node: Node, block: Hash) -> None:
        """Give a node a block and its ancestors from a peer that has them and is there."""
        for peer in self.nodes:
            if block in peer.tree.headers and not self.is_cut(node, peer):
                chain = [block, *(peer.tree.ancestry(GENESIS, block) or ())]
                for each in reversed([peer.tree.headers[each] for each in chain]):
                    self.at(self.now + self.delay_us, lambda each=each: node.import_block(each))
                return

    def twist(self, sender: Node, peer: Node, message: GossipMessage) -> GossipMessage:
        """Tell every other peer of another vote: for the finalised block instead."""
        if not isinstance(message, VoteMessage) or peer.index % 2:
            return message
        kind = type(message.message.message)
        if kind not in (Prevote, Precommit):
            return message
        other = kind(*sender.tree.finalized)
        signed = sign_vote(PAIRS[sender.index], other, round_number=message.round, set_id=message.set_id)
        return VoteMessage(message.round, message.set_id, signed)

    def author(self, slot: int) -> None:
        """Someone makes a block on its best, now and then two do; all get it sooner or later."""
        authors = self.random.sample(range(self.count), 2 if self.count > 1 and self.random.random() < 0.25 else 1)
        for index in authors:
            tree = self.nodes[index].tree
            best = tree.best_containing(tree.finalized.hash)
            assert best is not None
            digest = Digest()
            if best.number + 1 == self.change_at:
                change = ScheduledChange(authorities(self.count, 1), BlockNumber(0))
                digest = Digest((digest_item(change),))
            mark = Hash((slot * 10 + index).to_bytes(32, "little"))
            header = Header(best.hash, BlockNumber(best.number + 1), mark, mark, digest)
            for node in self.nodes:
                if self.is_cut(self.nodes[index], node):
                    continue
                lag = 0 if node.index == index else self.random.randint(1, SLOT)
                self.at(self.now + lag, lambda node=node, header=header: node.import_block(header))

    def run(self, slots: int) -> None:
        for node in self.nodes:
            node.start()
        for slot in range(1, slots + 1):
            self.at(slot * SLOT, lambda slot=slot: self.author(slot))
        while self.events and self.events[0][0] <= slots * SLOT:
            self.now, _, event = heapq.heappop(self.events)
            event()

    @property
    def honest(self) -> list[Node]:
        return [node for node in self.nodes if node.index not in self.silent | self.equivocators]


def check_safe(network: Network) -> None:
    """All that any two honest nodes finalised lies on one chain."""
    longest = max(network.honest, key=lambda node: node.final[-1].number)
    for node in network.honest:
        for block in node.final:
            assert longest.tree.is_equal_or_descendant(block.hash, longest.final[-1].hash)


def lag(network: Network) -> int:
    """How far the slowest honest node's finality is behind the best block."""
    best = max(max(node.tree.numbers.values()) for node in network.honest)
    return best - min(node.final[-1].number for node in network.honest)


@pytest.mark.parametrize("count", [1, 4, 7])
def test_a_perfect_network_finalizes_within_five_blocks(count: int) -> None:
    network = Network(count, seed=1, delay_us=1_000)
    network.run(30)

    check_safe(network)
    assert lag(network) <= 5
    assert network.rejected == []


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("count", [4, 7])
def test_a_lossy_network_with_a_silent_voter_stays_live_and_safe(count: int, seed: int) -> None:
    network = Network(count, seed, loss=0.2, silent=frozenset({seed % count}))
    network.run(60)

    check_safe(network)
    assert lag(network) <= 20


@pytest.mark.parametrize(("count", "until", "seed"), [(4, 12, 2), (4, 20, 7), (7, 12, 6)])
def test_voters_that_were_apart_agree_again_although_each_lacks_blocks_that_others_voted_for(
    count: int, until: int, seed: int
) -> None:
    network = Network(count, seed, loss=0.1, apart=range(5, until))
    network.run(50)

    check_safe(network)
    assert lag(network) <= 20


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("count", [4, 7])
def test_a_lossy_network_with_an_equivocator_stays_live_and_safe_and_names_it(count: int, seed: int) -> None:
    liar = seed % count
    network = Network(count, seed, loss=0.2, equivocators=frozenset({liar}))
    network.run(60)

    check_safe(network)
    assert lag(network) <= 20
    assert network.accused <= {PAIRS[liar].public}


@pytest.mark.parametrize("seed", range(4))
def test_a_set_change_hands_over_at_its_block(seed: int) -> None:
    network = Network(4, seed, loss=0.2, change_at=10)
    network.run(60)

    check_safe(network)
    assert {node.sets.set_id for node in network.honest} == {1}
    assert lag(network) <= 20
    for node in network.honest:
        assert any(block.number == 10 for block in node.final), "nobody votes past the change"


@pytest.mark.parametrize("seed", range(4))
def test_restarts_at_any_moment_never_equivocate(seed: int) -> None:
    network = Network(4, seed, loss=0.1)
    for turn in range(1, 120):
        at = turn * SLOT // 2 + network.random.randint(0, SLOT)
        network.at(at, network.nodes[turn % 4].restart)
    network.run(70)

    check_safe(network)
    assert lag(network) <= 20
    assert network.accused == set()


def test_a_run_repeats() -> None:
    runs = [Network(4, seed=3, loss=0.2, equivocators=frozenset({0})) for _ in range(2)]
    for network in runs:
        network.run(20)

    assert [node.final for node in runs[0].nodes] == [node.final for node in runs[1].nodes]
    assert runs[0].sequence == runs[1].sequence
