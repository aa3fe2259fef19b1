"""A Level 1 chain's metadata, read by scalecodec."""

from typing import Any

import pytest
from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from parachains.assets.chain import AssetHub
from parachains.sdk.plugin import Parachain
from substrate.scale.codec import encode
from testnet.examples.bazaar import Bazaar
from tests.parachains.sdk.test_plugin import Para


def read(chain: type[Parachain]) -> tuple[RuntimeConfigurationObject, Any]:
    judge = RuntimeConfigurationObject()
    judge.update_type_registry(load_type_registry_preset("core"))
    metadata = judge.create_scale_object("MetadataVersioned", ScaleBytes(chain.runtime().metadata()))
    metadata.decode()
    judge.add_portable_registry(metadata)
    return judge, metadata


@pytest.mark.parametrize("chain", [Bazaar, AssetHub])
def test_the_pallets_are_upstreams(chain: type[Parachain]) -> None:
    _, metadata = read(chain)

    indices = {pallet.value["name"]: pallet.value["index"] for pallet in metadata.pallets}
    own = (50, 51) if chain is Bazaar else (60, 50)
    assert indices == {
        "System": 0,
        "ParachainSystem": 1,
        "Timestamp": 2,
        "ParachainInfo": 3,
        "Balances": 10,
        "TransactionPayment": 11,
        "Sudo": 15,
        "Authorship": 20,
        "Session": 22,
        "Aura": 23,
        "XcmpQueue": 30,
        "PolkadotXcm": 31,
        "CumulusXcm": 32,
        "MessageQueue": 33,
        "Utility": 40,
        "ForeignAssets": 53,
        "AssetRate": 54,
        "XcmTrust": 55,
        chain.__name__: own[0],
        "Assets": own[1],
    }
    assert len(chain.runtime().metadata()) < 100_000


def test_the_chains_own_pallet_is_there() -> None:
    _, metadata = read(Bazaar)
    own = next(pallet for pallet in metadata.pallets if pallet.value["name"] == "Bazaar")

    assert [call.name for call in own.calls] == ["offer", "buy"]
    assert [event.name for event in own.events] == ["Listed", "Sold"]
    assert [error.name for error in own.errors] == ["Taken", "NotForSale"]
    assert [item.value["name"] for item in own.storage if not item.value["name"].startswith(":")] == ["Owner", "Price"]


def test_events_and_extrinsics_of_a_block_are_read() -> None:
    judge, metadata = read(Bazaar)
    para = Para()
    made = para.block(para.sign("Bazaar.offer", item=1, price=5))
    system = next(pallet for pallet in metadata.pallets if pallet.value["name"] == "System")
    events = next(item for item in system.storage if item.value["name"] == "Events")
    key = Bazaar.runtime().assembly().entry("system", "event_records").prefix

    found = judge.create_scale_object(
        events.get_value_type_string(), ScaleBytes(made.state.get(key)), metadata=metadata
    )
    found.decode()

    assert "Listed" in [event["event_id"] for event in found.value]
    for raw in made.block.block.extrinsics:
        extrinsic = judge.create_scale_object("Extrinsic", metadata=metadata)
        extrinsic.decode(ScaleBytes(encode(bytes, raw)))
