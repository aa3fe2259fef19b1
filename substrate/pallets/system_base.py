"""System: storage, constants, events and errors.

Source: polkadot-sdk, `substrate/frame/system/src/lib.rs`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from substrate.block import ZERO_HASH, Digest
from substrate.pallets.accounts import NO_ACCOUNT, AccountInfo
from substrate.pallets.system_types import (
    DEFAULT_LENGTH,
    DEFAULT_WEIGHTS,
    ROCKS_DB_WEIGHT,
    BlockLength,
    BlockWeights,
    CodeUpgradeAuthorization,
    ConsumedWeight,
    EventRecord,
    LastRuntimeUpgradeInfo,
    Phase,
    RuntimeDbWeight,
)
from substrate.runtime.dispatch import DispatchError, DispatchInfo
from substrate.runtime.hashers import Blake2_128Concat, Twox64Concat
from substrate.runtime.pallet import Error, Event, Pallet, config, constant
from substrate.runtime.storage import StorageMap, StorageValue, storage_map, storage_value
from substrate.runtime.version import CodeVersion, RuntimeVersion
from substrate.scale.types import u16, u32
from substrate.types import AccountId, BlockNumber, Hash

if TYPE_CHECKING:
    from substrate.runtime.assembly import Runtime


def _assembled_version(runtime: "Runtime") -> RuntimeVersion:
    return runtime.assembly().version


class SystemBase(Pallet):
    """What the system pallet stores and says."""

    crate = "frame_system"

    account: StorageMap[AccountId, AccountInfo] = storage_map(Blake2_128Concat, default=NO_ACCOUNT)
    extrinsic_count: StorageValue[u32 | None] = storage_value()
    block_weight: StorageValue[ConsumedWeight] = storage_value(default=ConsumedWeight())
    all_extrinsics_len: StorageValue[u32 | None] = storage_value()
    block_hash: StorageMap[BlockNumber, Hash] = storage_map(Twox64Concat, default=ZERO_HASH)
    extrinsic_data: StorageMap[u32, bytes] = storage_map(Twox64Concat, default=b"")
    block_number: StorageValue[BlockNumber] = storage_value(default=BlockNumber(0), name="Number")
    parent_hash: StorageValue[Hash] = storage_value(default=ZERO_HASH)
    digest: StorageValue[Digest] = storage_value(default=Digest())
    event_records: StorageValue[tuple[EventRecord, ...]] = storage_value(default=(), name="Events")
    """Complete once the block is finalized; `block_events` is so at any time."""
    event_count: StorageValue[u32] = storage_value(default=0)
    last_runtime_upgrade: StorageValue[LastRuntimeUpgradeInfo | None] = storage_value()
    upgraded_to_u32_ref_count: StorageValue[bool] = storage_value(default=False, name="UpgradedToU32RefCount")
    upgraded_to_triple_ref_count: StorageValue[bool] = storage_value(default=False)
    execution_phase: StorageValue[Phase | None] = storage_value()
    authorized_upgrade: StorageValue[CodeUpgradeAuthorization | None] = storage_value()

    limits: BlockWeights = constant(DEFAULT_WEIGHTS, name="BlockWeights")
    lengths: BlockLength = constant(DEFAULT_LENGTH, name="BlockLength")
    block_hash_count: BlockNumber = constant(BlockNumber(4096))
    db_weight: RuntimeDbWeight = constant(ROCKS_DB_WEIGHT)
    version: RuntimeVersion = constant(_assembled_version)
    ss58_prefix: u16 = constant(42, name="SS58Prefix")
    max_consumers: int = config(64)
    read_version: Callable[[Pallet, bytes], CodeVersion | None] | None = config(None)
    """Reads the version of new code, or raises where this chain cannot run it; without it, new code is not checked."""
    on_set_code: Callable[[Pallet, bytes], None] | None = config(None)
    """Takes new code in place of `:code` (a parachain has to ask its relay chain first)."""

    class ExtrinsicSuccess(Event):
        """An extrinsic completed successfully."""

        dispatch_info: DispatchInfo

    class ExtrinsicFailed(Event):
        """An extrinsic failed."""

        dispatch_error: DispatchError
        dispatch_info: DispatchInfo

    class CodeUpdated(Event):
        """`:code` was updated."""

    class NewAccount(Event):
        """A new account was created."""

        account: AccountId

    class KilledAccount(Event):
        """An account was reaped."""

        account: AccountId

    class Remarked(Event):
        """An on-chain remark happened."""

        sender: AccountId
        hash_: Hash

    class UpgradeAuthorized(Event):
        """An upgrade was authorized."""

        code_hash: Hash
        check_version: bool

    class InvalidSpecName(Error):
        """The name of specification does not match between the current runtime and the new runtime."""

    class SpecVersionNeedsToIncrease(Error):
        """The specification version is not allowed to decrease between the current runtime and the new runtime."""

    class FailedToExtractRuntimeVersion(Error):
        """Failed to extract the runtime version from the new runtime."""

    class NonDefaultComposite(Error):
        """Suicide called when the account has non-default composite data."""

    class NonZeroRefCount(Error):
        """There is a non-zero reference count preventing the account from being purged."""

    class CallFiltered(Error):
        """The origin filter prevent the call to be dispatched."""

    class MultiBlockMigrationsOngoing(Error):
        """A multi-block migration is ongoing and prevents the current code from being replaced."""

    class NothingAuthorized(Error):
        """No upgrade authorized."""

    class Unauthorized(Error):
        """The submitted code is not authorized."""
