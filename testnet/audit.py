"""Watching a running network: its messages go into the record, and its books are checked at the end."""

from collections.abc import Sequence

from parachains.collator.node import RuntimeParaNode
from relaychain.primitives.types import ParaId, head_hash
from relaychain.runtime.paras import Paras
from substrate.client.chain import Chain
from substrate.client.protocols import Recorder
from substrate.runtime.assembly import Runtime
from substrate.types import Hash
from testnet.books import Snapshot, read_books
from testnet.conservation import ChainAudit, Equation, check_conservation
from testnet.issuance import OwnChanges
from testnet.messages import MessageObserver
from testnet.network import Network
from testnet.paras import RELAY_DECIMALS, RELAY_SYMBOL, Para
from testnet.places import RELAY, Naming, Place, Token, absolute, place_of, place_text
from xcm.junction import GeneralIndex, PalletInstance
from xcm.location import HERE


def naming_of(paras: Sequence[Para]) -> Naming:
    """Names and tokens of a network's chains."""
    tokens: dict[Place, Token] = {(): Token(RELAY_SYMBOL, RELAY_DECIMALS)}
    natives: dict[int | None, Place] = {}
    for para in paras:
        kind, here = para.level_one, place_of(int(para.id))
        if kind is None:
            continue
        native = absolute(kind.xcm.native, int(para.id))
        assert native is not None, "a native token is of this network"
        natives[int(para.id)] = native
        if kind.xcm.native == HERE:
            tokens[here] = Token(kind.symbol, kind.decimals)
        for asset in para.settings.assets:
            place = (*here, PalletInstance(kind.assets_index), GeneralIndex(asset.id))
            tokens[place] = Token(asset.symbol, asset.decimals)
    return Naming({int(para.id): para.name for para in paras}, tokens, natives)


class Audit:
    """Made before the network runs its first block; hooks itself into the network's observers."""

    def __init__(self, network: Network) -> None:
        self.naming = naming_of(network.paras)
        self._network = network
        self._natives = self.naming.natives
        messages = MessageObserver(self.naming, network.clock, network.recorder)
        self._nodes = {chain: nodes for chain in self._natives if (nodes := self._nodes_of(chain))}
        """Each chain as its nodes have it."""
        self._genesis = {
            chain: read_books(self._snapshot(chain, nodes[0].genesis)) for chain, nodes in self._nodes.items()
        }
        """Read now: states are kept for a while only."""
        self._own = {chain: OwnChanges(chain, native) for chain, native in self._natives.items()}
        for chain, own in self._own.items():
            observer = network.observers[self.naming.chain(chain)]
            observer.then(messages.of_chain(chain))
            observer.then(own.take)

    def check(self) -> tuple[Equation, ...]:
        """Every equation, at the relay chain's final block and the heads that it includes."""
        relay = self._network.relay.chain
        heads = relay.runtime(relay.finalized).pallet(Paras).heads
        included = {chain: head_hash(heads[ParaId(chain)]) for chain in self._nodes if chain is not None}
        paras = {chain: self._audit(chain, head) for chain, head in included.items()}
        return check_conservation(self._audit(None, relay.finalized), paras)

    def write(self, recorder: Recorder, equations: Sequence[Equation]) -> None:
        """Put equations into the record."""
        chain = self._network.relay.chain
        for equation in equations:
            recorder.row(
                "conservation",
                asset=place_text(equation.asset),
                equation=equation.name,
                chain=self.naming.chain(equation.chain),
                expected=equation.expected,
                found=equation.found,
                difference=equation.difference,
                terms={name: str(amount) for name, amount in equation.terms.items()},
                relay_block=chain.finalized_number,
                at=self._network.clock.now_us(),
            )

    def _nodes_of(self, chain: int | None) -> list[Chain[Runtime]]:
        if chain is None:
            return [self._network.relay.chain]
        return [node.chain for node in self._network.para_nodes[ParaId(chain)] if isinstance(node, RuntimeParaNode)]

    def _snapshot(self, chain: int | None, block: Hash) -> Snapshot:
        nodes = self._nodes[chain]
        has_it = next((node for node in nodes if block in node), nodes[0])  # one of them may lag behind
        return Snapshot(chain, has_it.runtime(block), self._natives[chain])

    def _audit(self, chain: int | None, head: Hash) -> ChainAudit:
        own = self._own[chain]
        return ChainAudit(self._genesis[chain], self._snapshot(chain, head), own.at(head), own.trapped)


def explain(naming: Naming, equation: Equation) -> str:
    """What does not add up, in one line."""
    terms = ", ".join(f"{name} {amount}" for name, amount in equation.terms.items()) or "nothing"
    place = RELAY if equation.chain is None else naming.chain(equation.chain)
    return (
        f"{place_text(equation.asset)} on {place}, {equation.name}: found {equation.found}, "
        f"expected {equation.expected} ({terms})"
    )
