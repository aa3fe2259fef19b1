"""Teleport 2 UNIT from the relay chain to a system parachain, and wait until they are there.

In one terminal: `testnet up testnet/manifests/demo.toml`. In another:

    python transfer_across_chains.py ws://127.0.0.1:9944 ws://127.0.0.1:9988
"""

import sys
from typing import Any

from substrateinterface import Keypair, SubstrateInterface

UNIT = 10**12


def main(relay_url: str, para_url: str) -> None:
    relay, para = SubstrateInterface(url=relay_url), SubstrateInterface(url=para_url)
    alice, bob = Keypair.create_from_uri("//Alice"), Keypair.create_from_uri("//Bob")
    para_id = para.query("ParachainInfo", "ParachainId").value
    before = free_balance(para, bob)

    call = relay.compose_call(
        "XcmPallet",
        "limited_teleport_assets",
        {
            "dest": {"V5": {"parents": 0, "interior": {"X1": [{"Parachain": para_id}]}}},
            "beneficiary": {
                "V5": {"parents": 0, "interior": {"X1": [{"AccountId32": {"network": None, "id": bob.public_key}}]}}
            },
            "assets": {"V5": [[{"id": {"parents": 0, "interior": "Here"}, "fun": {"Fungible": 2 * UNIT}}]]},
            "fee_asset_item": 0,
            "weight_limit": "Unlimited",
        },
    )
    receipt = relay.submit_extrinsic(relay.create_signed_extrinsic(call, alice), wait_for_inclusion=True)
    if not receipt.is_success:
        sys.exit(f"the relay chain refused: {receipt.error_message}")
    fee = receipt.total_fee_amount / UNIT
    print(f"sent in relay block {relay.get_block_number(receipt.block_hash)}, fee {fee:.6f} UNIT")

    def arrived(header: dict[str, Any], _: int, __: str) -> int | None:
        got = free_balance(para, bob) - before
        return got or None

    got = para.subscribe_block_headers(arrived)
    print(f"bob has {got / UNIT:.6f} UNIT more on para {para_id}: execution took {(2 * UNIT - got) / UNIT:.6f} UNIT")
    relay.close()
    para.close()


def free_balance(chain: SubstrateInterface, who: Keypair) -> int:
    return int(chain.query("System", "Account", [who.ss58_address]).value["data"]["free"])


if __name__ == "__main__":
    main(*(sys.argv[1:] or ("ws://127.0.0.1:9944", "ws://127.0.0.1:9988")))
