"""What stands in a chain's way is told once a kind."""

from testnet.manifest import Manifest, Node, Parachain, Relaychain
from testnet.troubles import Troubles


def test_the_first_refusal_and_fault_of_each_chain_and_kind_is_told_once() -> None:
    paras = (Parachain(id=2000, collators=(Node(name="carol"),)),)
    troubles = Troubles(Manifest(relaychain=Relaychain(), parachains=paras))
    for check, candidate in (("Timeout", "0x1234567890"), ("Timeout", "0x22"), ("ExecutionError", "0x33")):
        row = {"para_id": 2000, "candidate": candidate, "check": check, "detail": "why", "node": "bob"}
        troubles.take("refusals", dict(row))
    troubles.take("blocks", {"chain": "relay"})

    assert troubles.new() == [
        "2000: candidate 0x12345678 refused by bob: Timeout: why",
        "2000: candidate 0x33 refused by bob: ExecutionError: why",
    ]
    for node in ("alice", "carol", "carol", "bob"):
        troubles.take("faults", {"node": node, "kind": "PoV", "detail": "gone"})
    troubles.take("refusals", {"para_id": 2000, "candidate": "0x44", "check": "Timeout", "detail": "", "node": "bob"})

    assert troubles.new() == ["relay: fault at alice: PoV: gone", "2000: fault at carol: PoV: gone"]
    assert troubles.new() == []
