"""Users of a network: they sign calls and submit them over JSON-RPC, in process or over a WebSocket."""

from collections.abc import Mapping
from typing import Any, cast

from parachains.sdk.xcm_config import ACCOUNTS as PARA_ACCOUNTS
from relaychain.primitives.network import NETWORK
from relaychain.runtime.xcm_config import ACCOUNTS as RELAY_ACCOUNTS
from substrate.client.rpc.client import RpcClient
from substrate.client.rpc.errors import RpcError
from substrate.crypto import ss58
from substrate.crypto.keys import Pair, Scheme, dev_pair
from substrate.runtime.assembly import Runtime
from substrate.runtime.extrinsic import Signing, sign_extrinsic
from substrate.runtime.outer_enums import RuntimeCall
from substrate.scale.primitives import compact
from substrate.types import AccountId, Hash
from testnet.errors import RunFailed
from testnet.keys import DEV_NAMES
from testnet.places import Place, place_of, relative
from xcm.asset import AllCounted, Asset, AssetId, Assets, Wild, assets, fungible
from xcm.instruction import BuyExecution, ClaimAsset, DepositAsset, WithdrawAsset, Xcm
from xcm.junction import AccountId32
from xcm.location import HERE, Location, location
from xcm.pallet import XcmPallet
from xcm.versions.versioned import versioned_assets, versioned_location, versioned_xcm
from xcm.weight import Unlimited


class User:
    """Someone with a key."""

    def __init__(self, name: str, pair: Pair) -> None:
        self.name = name
        self.pair = pair
        self.account = AccountId(pair.public)

    @property
    def location(self) -> Location:
        """The user on any chain, as that chain sees it."""
        return location(0, AccountId32(None, self.account))

    @property
    def address(self) -> str:
        """The user's ss58 address."""
        return ss58.encode(self.account)


def dev_users(scheme: Scheme) -> tuple[User, ...]:
    """Alice to Ferdie. A run repeats with "ed25519" only: sr25519 signatures are randomised."""
    return tuple(User(name.lower(), cast("Pair", dev_pair(name, scheme))) for name in DEV_NAMES)


class ChainClient:
    """One chain as its users reach it."""

    def __init__(self, name: str, rpc: RpcClient, runtime: type[Runtime]) -> None:
        self.name = name
        self.runtime = runtime
        self._rpc = rpc
        self._signing: Signing | None = None
        self._nonces: dict[AccountId, int] = {}

    async def submit(self, user: User, call: RuntimeCall) -> Hash:
        """Sign and submit a call; returns the extrinsic's hash.

        Raises:
            RunFailed: The node refuses it.
        """
        signing = self._signing or await self._read_signing()
        nonce = await self._next_nonce(user)
        raw = sign_extrinsic(self.runtime.encode_call(call), user.pair, nonce=nonce, signing=signing)
        try:
            digest = await self._rpc.request("author_submitExtrinsic", "0x" + (compact(len(raw)) + raw).hex())
        except RpcError as failure:
            raise RunFailed(f"{self.name} refuses {user.name}'s extrinsic: {failure}") from failure
        self._nonces[user.account] = nonce + 1
        return Hash(bytes.fromhex(str(digest)[2:]))

    async def _read_signing(self) -> Signing:
        genesis = Hash(bytes.fromhex(str(await self._rpc.request("chain_getBlockHash", 0))[2:]))
        version: Mapping[str, Any] = await self._rpc.request("state_getRuntimeVersion")
        self._signing = Signing(version["specVersion"], version["transactionVersion"], genesis, genesis)
        return self._signing

    async def _next_nonce(self, user: User) -> int:
        known = self._nonces.get(user.account)
        return known if known is not None else int(await self._rpc.request("system_accountNextIndex", user.address))


def transfer_call(
    runtime: type[Runtime], *, source: int | None, dest: int | None, asset: Place, amount: int, to: User
) -> RuntimeCall:
    """Move an asset to another chain, the way it moves between the two: by teleport or through its reserve."""
    items = assets(fungible(AssetId(relative(asset, source)), amount))
    return runtime.call(
        XcmPallet.transfer_assets,
        dest=versioned_location(relative(place_of(dest), source)),
        beneficiary=versioned_location(to.location),
        assets=versioned_assets(items),
        fee_asset_item=0,
        weight_limit=Unlimited(),
    )


def send_call(runtime: type[Runtime], *, source: int | None, dest: int | None, program: Xcm) -> RuntimeCall:
    """Send a program to another chain, where it runs in the sender's name."""
    target = versioned_location(relative(place_of(dest), source))
    return runtime.call(XcmPallet.send, dest=target, message=versioned_xcm(program))


def underpaid_program(amount: int, *, fee: int, to: User) -> Xcm:
    """Take native tokens of the sender's account over there, buy execution for `fee` only, deposit what is left."""
    items = assets(fungible(AssetId(HERE), amount))
    return Xcm(
        (
            WithdrawAsset(items),
            BuyExecution(fungible(AssetId(HERE), fee), Unlimited()),
            DepositAsset(Wild(AllCounted(1)), to.location),
        )
    )


def claim_program(trapped: Assets, *, to: User) -> Xcm:
    """Claim a whole trapped set, pay execution with its first asset, and deposit it."""
    first: Asset = trapped[0]
    return Xcm(
        (
            ClaimAsset(trapped, HERE),
            BuyExecution(first, Unlimited()),
            DepositAsset(Wild(AllCounted(len(trapped))), to.location),
        )
    )


def remote_account(user: User, *, home: int, on: int | None) -> AccountId:
    """The account that a user of parachain `home` has on chain `on`."""
    accounts = RELAY_ACCOUNTS if on is None else PARA_ACCOUNTS
    found = accounts.convert_location(relative((*place_of(home), AccountId32(NETWORK, user.account)), on))
    assert found is not None, "users of every chain have an account on every other"
    return found
