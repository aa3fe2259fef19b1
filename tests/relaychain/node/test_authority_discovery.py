"""Authority discovery: whose word counts, and how much of it is kept."""

from typing import Any

import pytest

from relaychain.node.authority_discovery import AUTHORITY, KEYS_PER_PEER, AuthorityDiscovery, signed_record
from relaychain.node.reports import Reports
from relaychain.primitives.types import ValidatorId
from substrate.crypto.keys import Ed25519Pair
from testnet.clock import clock_of, run_virtual
from testnet.transports.memory import MemoryHub
from tests.relaychain.node.para_network import Rows

KEYS = [Ed25519Pair.from_seed(bytes([place + 1] * 32)) for place in range(KEYS_PER_PEER + 2)]


def heard(*records: tuple[str, bytes]) -> tuple[AuthorityDiscovery, list[tuple[Any, ...]]]:
    """What a node makes of records from peers; the faults it notes."""
    rows = Rows()

    async def main() -> AuthorityDiscovery:
        async with MemoryHub(seed=1) as hub:
            network = hub.join("alice")
            peers = {name: hub.join(name) for name in ("bob", "mallory")}
            clock = clock_of(hub._loop)
            discovery = AuthorityDiscovery(network, None, Reports("alice", rows, clock))
            discovery.start(0)
            for sender, payload in records:
                peers[sender].send("alice", AUTHORITY, payload)
            await clock.sleep_until_us(clock.now_us() + 10_000)
            return discovery

    return run_virtual(main()), rows.distinct("faults", "kind", "detail")


def test_a_validators_record_leads_to_it() -> None:
    discovery, faults = heard(("bob", signed_record(KEYS[0], "bob", 1).encode()))

    assert discovery.peer_of(ValidatorId(KEYS[0].public)) == "bob"
    assert faults == []


def test_an_older_record_changes_nothing() -> None:
    new, old = signed_record(KEYS[0], "bob", 2), signed_record(KEYS[0], "mallory", 1)

    discovery, faults = heard(("bob", new.encode()), ("mallory", old.encode()))

    assert discovery.peer_of(ValidatorId(KEYS[0].public)) == "bob"
    assert faults == []


def forged() -> bytes:
    record = signed_record(KEYS[1], "mallory", 1)
    return type(record)(ValidatorId(KEYS[0].public), "mallory", 1, record.signature).encode()


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        (signed_record(KEYS[0], "bob", 1).encode(), "mallory: WrongPeer (name=bob)"),
        (forged(), "mallory: BadSignature (name=mallory)"),
    ],
)
def test_a_record_of_somebody_else_is_refused(payload: bytes, detail: str) -> None:
    discovery, faults = heard(("mallory", payload))

    assert discovery.peer_of(ValidatorId(KEYS[0].public)) is None
    assert faults == [("BadAuthorityRecord", detail)]


def test_bytes_that_are_no_record_are_a_fault() -> None:
    _, ((kind, _),) = heard(("bob", b"rubbish"))

    assert kind == "BadAuthorityRecord"


def test_a_peer_proves_so_many_keys_and_the_oldest_are_forgotten() -> None:
    records = [("bob", signed_record(key, "bob", place).encode()) for place, key in enumerate(KEYS, 1)]

    discovery, _ = heard(*records, ("mallory", signed_record(KEYS[0], "mallory", 99).encode()))

    assert discovery.keys_of("bob") == tuple(ValidatorId(key.public) for key in KEYS[-KEYS_PER_PEER:])
    assert discovery.keys_of("mallory") == (KEYS[0].public,)
