"""What clients see of these pallets: names, indices and type paths are upstream's."""

from typing import Any

import pytest
from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

CALLS = {
    "System": "remark:0 set_heap_pages:1 set_code:2 set_code_without_checks:3 set_storage:4 kill_storage:5 "
    "kill_prefix:6 remark_with_event:7 authorize_upgrade:9 authorize_upgrade_without_checks:10 "
    "apply_authorized_upgrade:11",
    "Timestamp": "set:0",
    "Balances": "transfer_allow_death:0 force_transfer:2 transfer_keep_alive:3 transfer_all:4 force_unreserve:5 "
    "upgrade_accounts:6 force_set_balance:8 force_adjust_total_issuance:9 burn:10",
    "Utility": "batch:0 as_derivative:1 batch_all:2 dispatch_as:3 force_batch:4 with_weight:5 if_else:6 "
    "dispatch_as_fallible:7",
    "Sudo": "sudo:0 sudo_unchecked_weight:1 set_key:2 sudo_as:3 remove_key:4",
    "Assets": "create:0 force_create:1 start_destroy:2 destroy_accounts:3 destroy_approvals:4 finish_destroy:5 mint:6 "
    "burn:7 transfer:8 transfer_keep_alive:9 force_transfer:10 freeze:11 thaw:12 freeze_asset:13 thaw_asset:14 "
    "transfer_ownership:15 set_team:16 set_metadata:17 clear_metadata:18 force_set_metadata:19 "
    "force_clear_metadata:20 force_asset_status:21 approve_transfer:22 cancel_approval:23 force_cancel_approval:24 "
    "transfer_approved:25 touch:26 refund:27 set_min_balance:28 touch_other:29 refund_other:30 block:31 "
    "transfer_all:32",
    "MessageQueue": "reap_page:0 execute_overweight:1",
}
EVENTS = {
    "System": {"ExtrinsicSuccess": 0, "ExtrinsicFailed": 1, "CodeUpdated": 2, "NewAccount": 3, "KilledAccount": 4},
    "Balances": {"Endowed": 0, "Transfer": 2, "Deposit": 7, "Withdraw": 8, "Minted": 10, "TotalIssuanceForced": 21},
    "TransactionPayment": {"TransactionFeePaid": 0},
    "Assets": {"Created": 0, "Transferred": 2, "Destroyed": 13, "ForceCreated": 14, "Withdrawn": 25},
    "MessageQueue": {"ProcessingFailed": 0, "Processed": 1, "OverweightEnqueued": 2, "PageReaped": 3},
}
ERRORS = {
    "System": {"CallFiltered": 5, "Unauthorized": 8},
    "Balances": {"LiquidityRestrictions": 1, "InsufficientBalance": 2, "DeltaZero": 11},
    "Assets": {"Frozen": 4, "AssetNotLive": 16, "ContainsHolds": 22},
    "MessageQueue": {"NotReapable": 0, "RecursiveDisallowed": 8},
}
STORAGE = {
    "System": "Account ExtrinsicCount BlockWeight AllExtrinsicsLen BlockHash ExtrinsicData Number ParentHash Digest "
    "Events EventCount LastRuntimeUpgrade UpgradedToU32RefCount UpgradedToTripleRefCount ExecutionPhase "
    "AuthorizedUpgrade",
    "Balances": "TotalIssuance InactiveIssuance Account Locks Reserves Holds Freezes",
    "TransactionPayment": "NextFeeMultiplier StorageVersion",
    "Assets": "Asset Account Approvals Metadata NextAssetId",
    "MessageQueue": "BookStateFor ServiceHead Pages",
}
CONSTANTS = {
    "System": "BlockWeights BlockLength BlockHashCount DbWeight Version SS58Prefix",
    "Balances": "ExistentialDeposit MaxLocks MaxReserves MaxFreezes",
    "Utility": "batched_calls_limit",
    "MessageQueue": "HeapSize MaxStale ServiceWeight IdleMaxServiceWeight",
}


@pytest.fixture
def pallets(world: Any) -> dict[str, Any]:
    """The pallets of the metadata, as scalecodec decodes it."""
    config = RuntimeConfigurationObject()
    config.update_type_registry(load_type_registry_preset("core"))
    metadata = config.create_scale_object("MetadataVersioned", ScaleBytes(type(world.runtime).metadata()))
    metadata.decode()
    config.add_portable_registry(metadata)
    return {pallet.name: pallet for pallet in metadata.pallets}


def indices(items: Any) -> dict[str, int]:
    return {item.name: item.value["index"] for item in items or ()}


def test_calls_have_upstreams_indices(pallets: dict[str, Any]) -> None:
    for name, calls in CALLS.items():
        found = indices(pallets[name].calls)
        assert found == {part.split(":")[0]: int(part.split(":")[1]) for part in calls.split()}, name


def test_events_and_errors_have_upstreams_indices(pallets: dict[str, Any]) -> None:
    for name, events in EVENTS.items():
        assert events.items() <= indices(pallets[name].events).items(), name
    for name, errors in ERRORS.items():
        assert errors.items() <= indices(pallets[name].errors).items(), name


def test_storage_and_constants_have_upstreams_names(pallets: dict[str, Any]) -> None:
    for name, items in STORAGE.items():
        found = [item.value["name"] for item in pallets[name].storage]
        assert found[1:] == items.split(), name  # the first one is the storage version, which scalecodec adds
    for name, constants in CONSTANTS.items():
        assert [item.value["name"] for item in pallets[name].constants] == constants.split(), name


def test_the_approvals_map_has_three_keys(pallets: dict[str, Any]) -> None:
    (approvals,) = (item for item in pallets["Assets"].storage if item.value["name"] == "Approvals")
    assert approvals.get_param_hashers() == ["Blake2_128Concat"] * 3
