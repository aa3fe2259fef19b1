"""`system_*`: who this node is."""

from collections.abc import Mapping
from typing import Any

import msgspec

from substrate.client.chain import Chain
from substrate.client.pool import TransactionPool
from substrate.client.protocols import Network
from substrate.client.rpc.dispatch import rpc
from substrate.client.rpc.errors import invalid_params
from substrate.client.rpc.json_forms import to_hex
from substrate.crypto import ss58
from substrate.errors import ChainError
from substrate.scale.codec import decode, encode
from substrate.types import AccountId, Hash, Nonce


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
    authorities: tuple[str, ...] = ()
    """Names of the nodes that author blocks of this chain."""
    is_alone: bool = False
    """Whether the node has no peers by design."""


class SystemMethods:
    """Node and network facts."""

    def __init__(
        self,
        info: NodeInfo,
        chain: Chain[Any],
        pool: TransactionPool,
        network: Network | None,
        heads: Mapping[str, Hash],
    ) -> None:
        self._info = info
        self._chain = chain
        self._pool = pool
        self._network = network
        self._heads = heads

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
        should_have_peers = self._network is not None and not self._info.is_alone
        return {"peers": len(self._peers()), "isSyncing": False, "shouldHavePeers": should_have_peers}

    @rpc("system_peers")
    def peers(self) -> list[dict[str, object]]:
        """Connected peers by name; as a peer's best block counts the last one it announced, genesis before that."""
        return [self._peer(name) for name in self._peers()]

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

    def _peer(self, name: str) -> dict[str, object]:
        head = self._heads.get(name, self._chain.genesis)
        best = head if head in self._chain else self._chain.finalized
        role = "AUTHORITY" if name in self._info.authorities else "FULL"
        return {"peerId": name, "roles": role, "bestHash": to_hex(best), "bestNumber": self._chain.number(best)}

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
