"""Backing in a network: who votes, who does not, and what peers may not say."""

from typing import NoReturn

import pytest

from relaychain.node.bitfield_distribution import BITFIELD, BitfieldError, BitfieldMessage, check_bitfield
from relaychain.node.held import HELD_BLOCKS, MAX_NOTIFICATION_SIZE, MAX_STATEMENT_SIZE, HeldMessages
from relaychain.node.statement_distribution import STATEMENT, StatementMessage
from relaychain.primitives.availability import SignedAvailabilityBitfield, bitfield_payload
from relaychain.primitives.collation import COLLATOR_PROTOCOL, AdvertiseCollation, CollatorProtocolMessage
from relaychain.primitives.statements import Seconded, SignedFullStatement
from relaychain.primitives.types import ZERO_HASH, CandidateHash, ValidatorIndex, ValidatorSignature
from relaychain.primitives.validation import ValidationParams
from relaychain.pvf.host import InfrastructureFailure
from substrate.client.chain import BlockchainError, ChainReason
from substrate.scale.bits import BitVec
from substrate.scale.codec import encode
from substrate.types import BlockNumber, Hash
from tests.relaychain.node.backing_parts import PAIRS, candidate, relay_parent
from tests.relaychain.node.para_network import ParaNetwork, run_network


class BrokenHost:
    """A host that cannot run anything."""

    def validate(self, code: bytes, params: ValidationParams, *, steps: int) -> NoReturn:
        raise InfrastructureFailure("no memory")


def faults(network: ParaNetwork) -> list[tuple[str, ...]]:
    return network.recorder.distinct("faults", "node", "kind")


def test_a_node_that_cannot_validate_does_not_vote() -> None:
    """Given a broken host at alice. When a collation comes. Then the others back it, and alice's fault is on record."""

    async def scenario(network: ParaNetwork) -> None:
        await network.slots(3)

    network = run_network(scenario, hosts={"alice": BrokenHost()})

    assert network.heights("backed") == [1, 3]
    votes = network.recorder.distinct("votes", "kind", "validator")
    assert ("statement", "bob") in votes
    assert ("statement", "alice") not in votes
    assert ("bitfield", "alice") in votes
    assert faults(network) == [("alice", "InfrastructureFailure")]
    assert network.checks() == []


def test_only_the_group_of_the_core_votes() -> None:
    async def scenario(network: ParaNetwork) -> None:
        await network.slots(3)

    network = run_network(scenario, paras=(1000, 2000), validators=6)

    statements = [row for row in network.recorder.rows["votes"] if row["kind"] == "statement"]
    voters = dict.fromkeys((row["target"] for row in statements), 0)
    for row in statements:
        voters[row["target"]] += 1
    assert set(voters.values()) == {3}


def test_bad_messages_are_faults_of_record_and_change_nothing() -> None:
    async def scenario(network: ParaNetwork) -> None:
        await network.slots(2)
        alice = network.validators[0]
        at, peer = alice.chain.best, network.collators[0].network
        forged = SignedFullStatement(
            Seconded(candidate(relay_parent=at)), ValidatorIndex(0), ValidatorSignature(bytes(64))
        )
        peer.send("alice", STATEMENT, StatementMessage(at, forged).encode())
        peer.send("alice", STATEMENT, b"rubbish")
        bits = SignedAvailabilityBitfield(BitVec((True,)), ValidatorIndex(9), ValidatorSignature(bytes(64)))
        peer.send("alice", BITFIELD, BitfieldMessage(at, bits).encode())
        await network.slots(4)

    network = run_network(scenario)

    assert network.heights("included") == [2, 4, 6]
    assert faults(network) == [("alice", "BadStatement"), ("alice", "BadBitfield")]


def test_an_undeclared_collator_is_no_obstacle() -> None:
    async def scenario(network: ParaNetwork) -> None:
        await network.slots(1)
        at = network.validators[0].chain.best
        advertised = AdvertiseCollation(at, CandidateHash(b"x" * 32), ZERO_HASH)
        network.validators[1].surroundings.network.broadcast(
            COLLATOR_PROTOCOL, encode(CollatorProtocolMessage, advertised)
        )
        await network.slots(5)

    network = run_network(scenario)

    assert network.heights("included") == [2, 4, 6]
    assert ("alice", "BadCollatorMessage") in faults(network)


ONE, TWO = Hash(b"1" * 32), Hash(b"2" * 32)
HEIGHT = BlockNumber(5)


def test_held_messages_come_back_in_order_and_are_bounded() -> None:
    held = HeldMessages(limit=3)
    for relay_parent_, payload in ((ONE, b"a"), (TWO, b"b"), (ONE, b"c"), (ONE, b"d")):
        held.hold(relay_parent_, "peer", payload)

    assert [message.payload for message in held.release([ONE], HEIGHT)] == [b"c", b"d"]
    assert [message.payload for message in held.release([ONE, TWO], HEIGHT)] == [b"b"]


def test_a_peer_that_floods_crowds_out_itself_only() -> None:
    held = HeldMessages(limit=10, per_peer=2)
    held.hold(ONE, "quiet", b"hello")
    for number in range(20):
        held.hold(ONE, "loud", bytes([number]))

    assert [message.payload for message in held.release([ONE], HEIGHT)] == [b"hello", bytes([18]), bytes([19])]


def test_long_held_messages_crowd_out_those_of_the_same_peer() -> None:
    held = HeldMessages()
    held.hold(ONE, "quiet", b"hello")
    for number in range(3):
        held.hold(ONE, "loud", bytes([number]) * (MAX_STATEMENT_SIZE // 2))

    assert [message.payload[:5] for message in held.release([ONE], HEIGHT)] == [
        b"hello",
        bytes([1] * 5),
        bytes([2] * 5),
    ]


def test_held_messages_are_bounded_by_their_bytes_in_all() -> None:
    held = HeldMessages()
    for peer in "abcdefghi":
        held.hold(ONE, peer, bytes(MAX_STATEMENT_SIZE))

    assert [message.sender for message in held.release([ONE], HEIGHT)] == list("bcdefghi")


def test_a_held_message_is_given_up_once_the_chain_has_grown_past_it() -> None:
    held = HeldMessages()
    held.release([], HEIGHT)
    held.hold(ONE, "peer", b"a")
    held.release([], BlockNumber(HEIGHT + HELD_BLOCKS))
    held.hold(TWO, "peer", b"b")
    assert [message.payload for message in held.release([ONE], BlockNumber(0))] == [b"a"]

    held.hold(ONE, "peer", b"a")
    assert held.release([], BlockNumber(HEIGHT + 2 * HELD_BLOCKS + 1)) == []
    assert held.release([ONE, TWO], HEIGHT) == []


@pytest.mark.parametrize(
    ("kind", "limit", "fault"),
    [
        (STATEMENT, MAX_STATEMENT_SIZE, "BadStatement"),
        (BITFIELD, MAX_NOTIFICATION_SIZE, "BadBitfield"),
        (COLLATOR_PROTOCOL, MAX_NOTIFICATION_SIZE, "BadCollatorMessage"),
    ],
)
def test_a_message_over_its_size_is_not_decoded(kind: str, limit: int, fault: str) -> None:
    async def scenario(network: ParaNetwork) -> None:
        await network.slots(1)
        for size in (limit, limit + 1):
            network.collators[0].network.send("alice", kind, bytes([255]) * size)
        await network.slots(1)

    network = run_network(scenario)
    details = [detail for (detail,) in network.recorder.distinct("faults", "detail")]
    oversized = f"collator-2000: a message of {limit + 1} bytes, at most {limit} are read"

    assert faults(network) == [("alice", fault)]
    assert [detail == oversized for detail in details] == [False, True]


# --- over a long run, and when something fails ---


def test_what_is_kept_of_relay_parents_is_bounded_by_the_view() -> None:
    async def scenario(network: ParaNetwork) -> None:
        await network.slots(40)

    network = run_network(scenario)

    for node in network.validators:
        paras = node.parachains
        view = set(paras.leaves._parents)
        assert len(view) <= 4
        assert set(paras.backing._tables) <= view
        assert {relay_parent_ for relay_parent_, _ in paras.collators._offers} <= view
        assert set(paras.bitfields._known) <= view
        assert (len(paras.backing._attesting), len(paras.availability._fetching)) == (0, 0)
    assert faults(network) == []


def failing(failure: Exception) -> ParaNetwork:
    """A network in which alice's runtime API fails for some slots."""

    async def scenario(network: ParaNetwork) -> None:
        api = network.validators[0].parachains.api

        def fail(at: Hash) -> NoReturn:
            raise failure

        await network.slots(2)
        api.availability_cores = fail  # type: ignore[method-assign]
        await network.slots(4)
        del api.availability_cores  # type: ignore[method-assign]
        await network.slots(8)

    return run_network(scenario)


def test_a_chain_error_in_any_task_is_recorded_and_survived() -> None:
    network = failing(BlockchainError(ChainReason.STATE_DISCARDED))

    assert set(faults(network)) == {("alice", "BlockchainError")}
    details = {detail.split(":")[0].split(" ")[0] for (detail,) in network.recorder.distinct("faults", "detail")}
    assert {"leaf", "bitfield"} <= details
    assert network.heights("included")[-1] >= 12


def test_a_bug_in_a_task_ends_the_run() -> None:
    with pytest.raises(ExceptionGroup) as failure:
        failing(RuntimeError("a bug"))

    assert failure.group_contains(RuntimeError, match="a bug")


@pytest.mark.parametrize(
    ("index", "bits", "pair", "parent", "reason"),
    [
        (9, (True, False), 0, {}, "ValidatorIndexOutOfBounds"),
        (0, (True,), 0, {}, "WrongBitfieldSize"),
        (0, (True, False), 1, {}, "InvalidBitfieldSignature"),
        (0, (True, False), 0, {"session": 2}, "InvalidBitfieldSignature"),
        (0, (True, False), 0, {"hash": ZERO_HASH}, "InvalidBitfieldSignature"),
    ],
)
def test_a_bad_or_replayed_bitfield_is_refused_by_name(
    index: int, bits: tuple[bool, ...], pair: int, parent: dict[str, object], reason: str
) -> None:
    signature = ValidatorSignature(PAIRS[pair].sign(bitfield_payload(BitVec(bits), relay_parent().context)))

    with pytest.raises(BitfieldError) as refusal:
        check_bitfield(
            SignedAvailabilityBitfield(BitVec(bits), ValidatorIndex(index), signature), relay_parent(**parent)
        )

    assert refusal.value.reason == reason
