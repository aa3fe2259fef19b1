"""`chain_*`: headers, blocks, and following the chain."""

from collections.abc import Callable
from typing import Any, cast

from substrate.client.chain import Chain
from substrate.client.rpc.dispatch import Cancel, Sink, rpc, subscription
from substrate.client.rpc.errors import invalid_params
from substrate.client.rpc.json_forms import header_json, optional_hex, signed_block_json, to_hex
from substrate.client.rpc.params import BadValue, block_number
from substrate.types import Hash


class ChainMethods:
    """The block tree as clients see it. Unknown blocks are null, not errors."""

    def __init__(self, chain: Chain[Any]) -> None:
        self._chain = chain

    @rpc("chain_getBlockHash", "chain_getHead")
    def get_block_hash(self, number: object = None) -> str | list[str | None] | None:
        """Hash at a height of the best chain (the best block by default), or of each height of a list."""
        if isinstance(number, list):
            return [self._hash_at(each) for each in cast(list[object], number)]
        return to_hex(self._chain.best) if number is None else self._hash_at(number)

    @rpc("chain_getFinalizedHead", "chain_getFinalisedHead")
    def get_finalized_head(self) -> str:
        """Hash of the last final block."""
        return to_hex(self._chain.finalized)

    @rpc("chain_getHeader")
    def get_header(self, hash: Hash | None = None) -> dict[str, object] | None:
        """Header of a block (the best by default)."""
        block = self._chain.best if hash is None else hash
        return header_json(self._chain.header(block)) if block in self._chain else None

    @rpc("chain_getBlock")
    def get_block(self, hash: Hash | None = None) -> dict[str, object] | None:
        """A block (the best by default) and its finality proofs."""
        block = self._chain.best if hash is None else hash
        if block not in self._chain:
            return None
        return signed_block_json(self._chain.block(block), self._chain.justifications(block))

    @subscription(
        "chain_subscribeNewHeads",
        "chain_subscribeNewHead",
        "subscribe_newHead",
        notify="chain_newHead",
        unsubscribe=("chain_unsubscribeNewHeads", "chain_unsubscribeNewHead", "unsubscribe_newHead"),
    )
    def subscribe_new_heads(self, sink: Sink) -> Cancel:
        """The best header, now and whenever it changes."""
        sink.send(self._header(self._chain.best))
        return self._chain.on_best(self._sender(sink))

    @subscription("chain_subscribeAllHeads", notify="chain_allHead", unsubscribe=("chain_unsubscribeAllHeads",))
    def subscribe_all_heads(self, sink: Sink) -> Cancel:
        """The best header now, then every imported one, forks included."""
        sink.send(self._header(self._chain.best))
        return self._chain.on_imported(self._sender(sink))

    @subscription(
        "chain_subscribeFinalizedHeads",
        "chain_subscribeFinalisedHeads",
        notify="chain_finalizedHead",
        unsubscribe=("chain_unsubscribeFinalizedHeads", "chain_unsubscribeFinalisedHeads"),
    )
    def subscribe_finalized_heads(self, sink: Sink) -> Cancel:
        """Every final header in order, from the last one on."""
        last = self._chain.finalized
        sink.send(self._header(last))

        def on_finalized(block: Hash) -> None:
            nonlocal last
            _, enacted = self._chain.route(last, block)
            last = block
            for each in enacted:
                sink.send(self._header(each))

        return self._chain.on_finalized(on_finalized)

    def _hash_at(self, number: object) -> str | None:
        try:
            return optional_hex(self._chain.number_to_hash(block_number(number)))
        except BadValue as error:
            raise invalid_params(f"`number`: {error}") from error

    def _header(self, block: Hash) -> dict[str, object]:
        return header_json(self._chain.header(block))

    def _sender(self, sink: Sink) -> Callable[[Hash], None]:
        return lambda block: sink.send(self._header(block))
