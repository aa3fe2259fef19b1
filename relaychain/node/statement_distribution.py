"""Statement distribution: signed statements to and from all validators.

Source: polkadot-sdk, `polkadot/node/network/statement-distribution/src/v2/mod.rs`.

Upstream sends full statements within the group and manifests along a grid; with a few fully connected validators each
signer tells every peer, which is equivalent. What is lost: the grid's robustness and its accounting.
"""

from relaychain.node.active_leaves import ActiveLeaves, Leaf
from relaychain.node.backing import CandidateBacking
from relaychain.node.held import MAX_STATEMENT_SIZE, HeldMessages, OversizedMessage, check_size
from relaychain.node.reports import Reports
from relaychain.node.statement_table import StatementError
from relaychain.primitives.statements import SignedFullStatement
from substrate.client.protocols import Network
from substrate.errors import DecodeError
from substrate.scale.types import Struct
from substrate.types import Hash

STATEMENT = "statement"


class StatementMessage(Struct):
    """A statement and the relay parent that it is bound to."""

    relay_parent: Hash
    statement: SignedFullStatement


class StatementDistribution:
    """Carries statements between backing and the network."""

    def __init__(self, leaves: ActiveLeaves, backing: CandidateBacking, network: Network, reports: Reports) -> None:
        self._leaves = leaves
        self._backing = backing
        self._network = network
        self._reports = reports
        self._early = HeldMessages()

    def start(self) -> None:
        """Begin to listen and to tell."""
        self._network.on(STATEMENT, self._on_message)
        self._leaves.on_active(self._on_leaf)
        self._backing.on_signed(self._share)

    def _share(self, relay_parent: Hash, statement: SignedFullStatement) -> None:
        self._network.broadcast(STATEMENT, StatementMessage(relay_parent, statement).encode())

    def _on_leaf(self, leaf: Leaf) -> None:
        for held in self._early.release(leaf.allowed, leaf.number):
            self._on_message(held.sender, held.payload)

    def _on_message(self, sender: str, payload: bytes) -> None:
        try:
            check_size(payload, MAX_STATEMENT_SIZE)
            message = StatementMessage.decode(payload)
            if self._leaves.relay_parent(message.relay_parent) is not None:
                self._backing.on_statement(message.relay_parent, message.statement, sender)
            elif self._leaves.is_early(message.relay_parent):
                self._early.hold(message.relay_parent, sender, payload)
        except (OversizedMessage, DecodeError, StatementError) as failure:
            self._reports.fault("BadStatement", f"{sender}: {failure}")
