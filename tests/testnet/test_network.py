"""What the nodes of a network say of themselves."""

from testnet.manifest import Node
from testnet.network import node_info


def test_a_node_knows_who_authors_and_whether_it_has_peers() -> None:
    alice, bob = Node(name="alice"), Node(name="bob", validator=False)

    author, watcher = (node_info("net", "UNIT", 12, node, (alice, bob)) for node in (alice, bob))
    alone = node_info("net-para", "UNIT", 12, alice, (alice,))

    assert (author.roles, author.authorities, author.is_alone) == (("Authority",), ("alice",), False)
    assert (watcher.roles, watcher.authorities, watcher.is_alone) == (("Full",), ("alice",), False)
    assert (alone.roles, alone.authorities, alone.is_alone) == (("Authority",), ("alice",), True)
