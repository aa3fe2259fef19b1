"""Puts a node's RPC together."""

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


def node_rpc(
    info: NodeInfo,
    chain: Chain[Any],
    pool: TransactionPool,
    *,
    network: Network | None = None,
    limits: RpcLimits | None = None,
) -> RpcDispatcher:
    """The legacy method set that substrate-interface, polkadot-js and PAPI need; `add` further groups to it."""
    dispatcher = RpcDispatcher(limits)
    dispatcher.add(SystemMethods(info, chain, pool, network))
    dispatcher.add(ChainMethods(chain))
    dispatcher.add(StateMethods(chain))
    dispatcher.add(AuthorMethods(pool))
    dispatcher.add(PaymentMethods(chain))
    return dispatcher
