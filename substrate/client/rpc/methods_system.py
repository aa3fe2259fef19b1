"""`system_*`: who this node is."""

from collections.abc import Mapping
from typing import Any

import msgspec

from substrate.client.chain import Chain
from substrate.client.pool import TransactionPool
from substrate.client.protocols import Network
from substrate.client.rpc.dispatch import rpc
from substrate.client.rpc.errors import invalid_params
from substrate.crypto import ss58
from substrate.errors import ChainError
from substrate.scale.codec import decode, encode
from substrate.types import AccountId, Nonce


class NodeInfo(msgspec.Struct, frozen=True):
    """What a node says of itself."""

    chain: str
    """Shown by wallets. Lower-cased it must not be a preset of a client library: polkadot, kusama, westend, ..."""
    implementation: str
    version: str
    properties: Mapping[str, Any]
    """`ss58Format`, `tokenDecimals`, `tokenSymbol`."""
    chain_type: str = "Development"
    roles: tuple[str, ...] = ("Full",)


class SystemMethods:
    """Node and network facts."""

    def __init__(self, info: NodeInfo, chain: Chain[Any], pool: TransactionPool, network: Network | None) -> None:
        self._info = info
        self._chain = chain
        self._pool = pool
        self._network = network

    @rpc("system_chain")
    def chain(self) -> str:
        """Name of the chain."""
        return self._info.chain

    @rpc("system_name")
    def name(self) -> str:
        """Name of the implementation."""
        return self._info.implementation

    @rpc("system_version")
    def version(self) -> str:
        """Version of the implementation."""
        return self._info.version

    @rpc("system_chainType")
    def chain_type(self) -> str:
        """Kind of chain."""
        return self._info.chain_type

    @rpc("system_properties")
    def properties(self) -> dict[str, Any]:
        """Address format and token."""
        return dict(self._info.properties)

    @rpc("system_nodeRoles")
    def roles(self) -> list[str]:
        """What the node does."""
        return list(self._info.roles)

    @rpc("system_localPeerId")
    def local_peer_id(self) -> str:
        """The node's name in its network."""
        return "" if self._network is None else self._network.name

    @rpc("system_localListenAddresses")
    def listen_addresses(self) -> list[str]:
        """No libp2p here, so none."""
        return []

    @rpc("system_health")
    def health(self) -> dict[str, object]:
        """Peers and sync state."""
        return {"peers": len(self._peers()), "isSyncing": False, "shouldHavePeers": self._network is not None}

    @rpc("system_peers")
    def peers(self) -> list[dict[str, object]]:
        """Connected peers by name."""
        return [{"peerId": peer, "roles": "FULL"} for peer in self._peers()]

    @rpc("system_syncState")
    def sync_state(self) -> dict[str, int]:
        """Heights."""
        best = self._chain.best_number
        return {"startingBlock": 0, "currentBlock": best, "highestBlock": best}

    @rpc("system_accountNextIndex", "account_nextIndex")
    def account_next_index(self, account: str) -> int:
        """Next nonce of an account (ss58 or hex), ready transactions of the pool counted."""
        who = _account(account)
        raw = self._chain.runtime(self._chain.best).api("AccountNonceApi_account_nonce", who)
        nonce: int = decode(Nonce, raw)
        provided = {tag for pooled in self._pool.ready() for tag in pooled.provides}
        while encode(tuple[AccountId, Nonce], (who, Nonce(nonce))) in provided:
            nonce += 1
        return nonce

    def _peers(self) -> tuple[str, ...]:
        return () if self._network is None else self._network.peers()


def _account(text: str) -> AccountId:
    try:
        account = bytes.fromhex(text[2:]) if text.startswith("0x") else bytes(ss58.decode(text))
    except (ChainError, ValueError) as error:
        raise invalid_params(f"`account`: {error}") from error
    if len(account) != 32:
        raise invalid_params(f"`account`: 32 bytes expected, got {len(account)}")
    return AccountId(account)
