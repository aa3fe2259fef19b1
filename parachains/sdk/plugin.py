"""Level 1: a parachain as one class.

    class Bazaar(Parachain, symbol="BZR", decimals=12):
        price: StorageMap[u32, Balance]

        class Sold(Event):
            item: u32

        @call
        def buy(self, origin: Signed, item: u32) -> None: ...

The class is a pallet. `runtime()` assembles a runtime around it from the standard pallets, and the class methods of
Level 0 (`genesis_block`, `validate_block`, `collate`) run that runtime.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, cast

from parachains.sdk.asset_rate import AssetRate
from parachains.sdk.aura import Aura, check_relay_slot, check_timestamp, para_slot
from parachains.sdk.build_block import BuiltBlock, build_block
from parachains.sdk.code_upgrade import read_version, set_code
from parachains.sdk.contract import Collated, CollationContext, GenesisBlock, ParaConfig
from parachains.sdk.cumulus_xcm import CumulusXcm, FromRelay, FromSibling
from parachains.sdk.foreign_assets import ForeignAssets, TrustBackedAssets, foreign_creator
from parachains.sdk.genesis import standard_genesis
from parachains.sdk.message_queue import MessageQueue, enqueue_downward, process_xcm
from parachains.sdk.parachain_info import ParachainInfo
from parachains.sdk.parachain_inherent import INHERENT_IDENTIFIER, ParachainInherentData, StorageProof
from parachains.sdk.parachain_system import ParachainSystem
from parachains.sdk.session import ParaSession, never_ends
from parachains.sdk.validate_block import validate_block
from parachains.sdk.xcm_config import FEE_ACCOUNT, Policy, make_xcm_config
from parachains.sdk.xcm_trust import XcmTrust
from parachains.sdk.xcmp_queue import (
    MAX_PAGE_SIZE,
    XcmpQueue,
    handle_xcmp,
    is_paused,
    note_queue_changed,
    take_outbound_xcmp,
)
from relaychain.primitives.network import NETWORK
from relaychain.primitives.types import HeadData, ParaId
from relaychain.primitives.validation import ValidationParams, ValidationResult
from substrate.block import Header, genesis_header
from substrate.consensus.aura.types import pre_digest_item
from substrate.pallets.authorship import Authorship
from substrate.pallets.balances import Balances
from substrate.pallets.sudo import Sudo
from substrate.pallets.system import System
from substrate.pallets.timestamp import INHERENT_ID as TIMESTAMP_ID
from substrate.pallets.timestamp import Timestamp
from substrate.pallets.transaction_payment import TransactionPayment
from substrate.pallets.utility import Utility
from substrate.runtime.apis import ChainRuntime
from substrate.runtime.assembly import CODE_KEY, Runtime, mount
from substrate.runtime.declared import DeclarationError
from substrate.runtime.hashers import Blake2_128Concat, Identity, Twox64Concat
from substrate.runtime.origin import AnyOrigin, Root, Signed
from substrate.runtime.pallet import Error, Event, Pallet, call, config, constant, runtime_api
from substrate.runtime.steps import StepCounted
from substrate.runtime.storage import (
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    storage_double_map,
    storage_map,
    storage_value,
)
from substrate.runtime.version import RuntimeVersion
from substrate.scale.codec import decode, encode
from substrate.scale.types import Compact, Struct, i64, u8, u16, u32, u64, u128
from substrate.state import Overlay
from substrate.trie.trie import Trie
from substrate.types import AccountId, Balance, BlockNumber, Hash, Moment, Weight
from xcm.location import HERE, Location
from xcm.pallet import XcmPallet

EXISTENTIAL_DEPOSIT = Balance(1_000_000_000)
SERVICE_WEIGHT = Weight(500_000_000_000, 2 << 20)
"""What serving messages may use at the start of a block, and again at its end."""


class Parachain(StepCounted, Pallet):
    """Base of every Level 1 chain.

    Class keywords: `symbol`, `decimals` of the native token; `spec_version`, raised with each upgrade; `index` of the
    chain's own pallet, `assets_index` of the assets it issues.
    """

    symbol: ClassVar[str] = "UNIT"
    decimals: ClassVar[int] = 12
    spec_version: ClassVar[int] = 1
    pallet_index: ClassVar[int] = 50
    assets_index: ClassVar[int] = 51
    xcm: ClassVar[Policy] = Policy()
    """Whom the chain lets in, and what it charges."""

    def __init_subclass__(
        cls,
        *,
        symbol: str | None = None,
        decimals: int | None = None,
        spec_version: int | None = None,
        index: int | None = None,
        assets_index: int | None = None,
        **kwargs: Any,
    ) -> None:
        given: dict[str, object] = {
            "symbol": symbol,
            "decimals": decimals,
            "spec_version": spec_version,
            "index": index,
            "assets_index": assets_index,
        }
        if kwargs:
            unknown, known = ", ".join(kwargs), ", ".join(given)
            raise DeclarationError(f"{cls.__name__} has no class keyword {unknown}; there are {known}")
        super().__init_subclass__()
        for name, value in given.items():
            if value is not None:
                _check_keyword(cls.__name__, name, value)
                setattr(cls, "pallet_index" if name == "index" else name, value)

    # --- for the chain's calls ---

    @property
    def balances(self) -> Balances:
        """The native token."""
        return self.pallet(Balances)

    @property
    def assets(self) -> TrustBackedAssets:
        """Assets issued here, by number."""
        return self.pallet(TrustBackedAssets)

    @property
    def foreign_assets(self) -> ForeignAssets:
        """Assets issued elsewhere, by location."""
        return self.pallet(ForeignAssets)

    @property
    def xcm_pallet(self) -> XcmPallet:
        """Sends messages and moves assets."""
        return self.pallet(XcmPallet)

    @property
    def para_id(self) -> ParaId:
        """Which para this is."""
        return self.pallet(ParachainInfo).parachain_id.get()

    def emit(self, event: Event) -> None:
        """Deposit an event."""
        self.deposit_event(event)

    # --- Level 0 ---

    @classmethod
    def attribute(cls) -> str:
        """The name of the chain's pallet in the runtime and in genesis configurations."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def runtime(cls) -> type[ChainRuntime]:
        """The runtime around this class."""
        return _runtime_of(cls)

    @classmethod
    def genesis_state(cls, config: ParaConfig) -> Trie:
        """State zero."""
        return cls.runtime().genesis(standard_genesis(config, decimals=cls.decimals), code=config.code)

    @classmethod
    def genesis_block(cls, config: ParaConfig) -> GenesisBlock[Trie]:
        """Block zero."""
        state = cls.genesis_state(config)
        return GenesisBlock(HeadData(genesis_header(Hash(state.root)).encode()), state)

    @classmethod
    def validate_block(cls, params: ValidationParams) -> ValidationResult:
        """What the block in `params` leads to; raises where it is invalid."""
        return validate_block(cls.runtime(), params)

    @classmethod
    def collate(cls, head: HeadData, state: Trie, context: CollationContext) -> Collated[Trie]:
        """The next block. Where the state's `:code` is not this class any more, the new code must collate.

        Raises:
            BuildError, TransactionInvalid: No block can be built on this relay parent.
        """
        built = cls.build(head, state, context)
        return Collated(built.block_data, built.result, built.state, built.included, built.rejected, built)

    @classmethod
    def build(cls, head: HeadData, state: Trie, context: CollationContext) -> BuiltBlock:
        """The next block with everything that is known of it."""
        runtime = cls.runtime()
        moment = runtime(Overlay(state)).pallet(Aura).moment(context.relay_slot)
        return build_block(
            runtime,
            state,
            decode(Header, head),
            inherent_data(context, moment),
            (pre_digest_item(para_slot(context.relay_slot)),),
            context.extrinsics,
            has_time=context.has_time,
            max_pov_size=context.validation_data.max_pov_size,
            author=context.author,
            observer=context.observer,
        )

    @staticmethod
    def code_of(state: Trie) -> bytes:
        """The validation code that the next block runs under."""
        return state.get(CODE_KEY) or b""


_MOST = {"decimals": 38, "spec_version": (1 << 32) - 1, "index": 255, "assets_index": 255}


def _check_keyword(kind: str, name: str, value: object) -> None:
    if name == "symbol":
        stands, wanted = isinstance(value, str) and value != "", "a text such as 'UNIT'"
    else:
        stands, wanted = type(value) is int and 0 <= value <= _MOST[name], f"a whole number from 0 to {_MOST[name]}"
    if not stands:
        raise DeclarationError(f"{kind}: {name}={value!r} is not {wanted}")


def inherent_data(context: CollationContext, moment: Moment) -> Mapping[bytes, bytes]:
    """What the block says of its relay parent, and its time."""
    data = ParachainInherentData(
        context.validation_data,
        StorageProof(tuple(sorted(context.relay_proof))),
        context.downward_messages,
        dict(context.horizontal_messages),
    )
    return {INHERENT_IDENTIFIER: data.encode(), TIMESTAMP_ID: encode(u64, moment)}


def _find_author(runtime: Runtime) -> AccountId | None:
    validators = runtime.pallet(ParaSession).validators.get()
    return validators[runtime.pallet(Aura).current_slot.get() % len(validators)] if validators else None


def _standard_mounts(kind: type[Parachain]) -> dict[str, tuple[type[Pallet], Any]]:
    """The pallets around a chain's own, at the indices of upstream's parachain template."""
    payment = mount(11, fee_account=FEE_ACCOUNT)
    queue = mount(
        33,
        heap_size=MAX_PAGE_SIZE,
        service_weight=SERVICE_WEIGHT,
        idle_max_service_weight=SERVICE_WEIGHT,
        process_message=process_xcm,
        on_queue_changed=note_queue_changed,
        is_paused=is_paused,
    )
    system = mount(
        1,
        consensus_hook=check_relay_slot,
        dmp_queue=enqueue_downward,
        xcmp_handler=handle_xcmp,
        outbound_xcmp_source=take_outbound_xcmp,
    )
    return {
        "system": (System, mount(0, on_set_code=set_code, read_version=read_version)),
        "parachain_system": (ParachainSystem, system),
        "timestamp": (Timestamp, mount(2, minimum_period=Moment(0), on_timestamp_set=check_timestamp)),
        "parachain_info": (ParachainInfo, mount(3)),
        "balances": (Balances, mount(10, existential_deposit=EXISTENTIAL_DEPOSIT)),
        "transaction_payment": (TransactionPayment, payment),
        "sudo": (Sudo, mount(15)),
        "authorship": (Authorship, mount(20, find_author=_find_author)),
        "session": (ParaSession, mount(22, should_end_session=never_ends)),
        "aura": (Aura, mount(23)),
        "xcmp_queue": (XcmpQueue, mount(30)),
        "polkadot_xcm": (XcmPallet, mount(31, xcm_config=make_xcm_config(kind.xcm), network=NETWORK)),
        "cumulus_xcm": (CumulusXcm, mount(32)),
        "message_queue": (MessageQueue, queue),
        "utility": (Utility, mount(40)),
        "assets": (TrustBackedAssets, mount(kind.assets_index)),
        "foreign_assets": (ForeignAssets, mount(53, create_origin=foreign_creator)),
        "asset_rate": (AssetRate, mount(54)),
        "xcm_trust": (XcmTrust, mount(55)),
    }


@lru_cache(maxsize=64)
def _runtime_of(kind: type[Parachain]) -> type[ChainRuntime]:
    mounts = _standard_mounts(kind)
    attribute, name = kind.attribute(), kind.__name__.lower()
    if attribute in mounts:
        raise DeclarationError(f"{kind.__name__} is the name of a standard pallet; rename the class")
    mounts[attribute] = (kind, mount(kind.pallet_index, name=kind.__name__))
    body: dict[str, Any] = {
        "version": RuntimeVersion(name, name, 1, kind.spec_version, 0, (), 1, 1),
        "crate": f"{attribute}_runtime",
        "step_meter": kind.step_meter,
        "__module__": kind.__module__,
        "__annotations__": {place: pallet for place, (pallet, _) in mounts.items()},
    }
    body.update({place: mounted for place, (_, mounted) in mounts.items()})
    return cast("type[ChainRuntime]", type(f"{kind.__name__}Runtime", (ChainRuntime,), body))


__all__ = [
    "HERE",
    "AccountId",
    "AnyOrigin",
    "Balance",
    "Blake2_128Concat",
    "BlockNumber",
    "Compact",
    "Error",
    "Event",
    "FromRelay",
    "FromSibling",
    "Hash",
    "Identity",
    "Location",
    "ParaId",
    "Parachain",
    "Policy",
    "Root",
    "Signed",
    "StorageDoubleMap",
    "StorageMap",
    "StorageValue",
    "Struct",
    "Twox64Concat",
    "Weight",
    "call",
    "config",
    "constant",
    "i64",
    "runtime_api",
    "storage_double_map",
    "storage_map",
    "storage_value",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
]
