"""Puts a node's RPC together."""

from collections.abc import Mapping
from typing import Any

from substrate.client.chain import Chain
from substrate.client.pool import TransactionPool
from substrate.client.protocols import Network
from substrate.client.rpc.dispatch import RpcDispatcher, RpcLimits
from substrate.client.rpc.methods_author import AuthorMethods
from substrate.client.rpc.methods_chain import ChainMethods
from substrate.client.rpc.methods_payment import PaymentMethods
from substrate.client.rpc.methods_state import StateMethods
from substrate.client.rpc.methods_system import NodeInfo, SystemMethods
from substrate.types import Hash


def node_rpc(
    info: NodeInfo,
    chain: Chain[Any],
    pool: TransactionPool,
    *,
    network: Network | None = None,
    heads: Mapping[str, Hash] | None = None,
    limits: RpcLimits | None = None,
) -> RpcDispatcher:
    """The legacy method set that substrate-interface, polkadot-js and PAPI need; `add` further groups to it.

    Args:
        info: What the node says of itself.
        chain: Its chain.
        pool: Its transactions.
        network: Its peers, if it has any.
        heads: The block that each peer announced last, kept up to date by whoever gives it.
        limits: Bounds of requests and subscriptions.
    """
    dispatcher = RpcDispatcher(limits)
    dispatcher.add(SystemMethods(info, chain, pool, network, {} if heads is None else heads))
    dispatcher.add(ChainMethods(chain))
    dispatcher.add(StateMethods(chain))
    dispatcher.add(AuthorMethods(pool))
    dispatcher.add(PaymentMethods(chain))
    return dispatcher
