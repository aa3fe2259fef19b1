"""Genesis states from a network file."""

from collections.abc import Mapping
from typing import Any

from relaychain.primitives.configuration import HostConfiguration
from relaychain.primitives.types import ParaId
from relaychain.runtime.genesis import Channel, RelayGenesis, relay_genesis_state, same_key_for_all
from relaychain.runtime.runtime import EXISTENTIAL_DEPOSIT
from relaychain.runtime.xcm_config import CHECK_ACCOUNT, TREASURY
from substrate.crypto.hashing import blake2_256
from substrate.errors import ChainError
from substrate.trie.trie import Trie
from substrate.types import Balance
from testnet.errors import UsageError
from testnet.keys import DEV_BALANCE, dev_accounts, named_accounts, session_keys, stash
from testnet.manifest import Manifest, Relaychain
from testnet.paras import Para, no_genesis

MOST = 1 << 100
"""Largest balance of one account at genesis: all of them together fit 128 bits."""


def seed_randomness(seed: int) -> bytes:
    """The randomness of the first two epochs: it decides whose turn each slot is."""
    return blake2_256(f"relayloom seed {seed}".encode())


def relay_genesis(manifest: Manifest, paras: tuple[Para, ...]) -> Trie:
    """The relay chain's genesis state."""
    relay = manifest.relaychain
    slot_ms = manifest.block_time_us // 1000
    endowed = dict.fromkeys(dev_accounts(), Balance(DEV_BALANCE))
    endowed[TREASURY] = Balance(EXISTENTIAL_DEPOSIT)  # so that no fee is too small for its account to exist
    teleported = sum(para.teleported_in for para in paras)
    if teleported:
        endowed[CHECK_ACCOUNT] = Balance(teleported)
    for who, amount in relay.accounts.items():
        endowed |= dict.fromkeys(named_accounts(who), _balance(f"accounts.{who}", amount))
    for node in relay.validators:
        given = relay.default_balance if node.balance is None else node.balance
        endowed[stash(node)] = _balance(f"the balance of {node.name}", given)
    genesis = RelayGenesis(
        slot_duration_ms=slot_ms,
        epoch_slots=relay.epoch_duration.amount,
        validators=tuple((stash(node), same_key_for_all(session_keys(node).babe.public)) for node in relay.validators),
        balances=tuple(endowed.items()),
        sudo=dev_accounts()[0],
        paras=tuple(para.on_relay for para in paras),
        channels=tuple(
            Channel(ParaId(open_.sender), ParaId(open_.recipient), open_.max_capacity, open_.max_message_size)
            for open_ in manifest.channels
        ),
        configuration=_configuration(relay),
        pallets=merged({"babe": {"randomness": seed_randomness(manifest.settings.seed)}}, relay.genesis),
    )
    try:
        return relay_genesis_state(genesis)
    except (ChainError, AssertionError, AttributeError, KeyError, TypeError, ValueError) as failure:
        raise no_genesis("[relaychain]", failure) from failure


def _balance(what: str, amount: int) -> Balance:
    if not EXISTENTIAL_DEPOSIT <= amount <= MOST:
        raise UsageError(f"[relaychain]: {what} is {amount}; a balance is from {EXISTENTIAL_DEPOSIT} to {MOST} planck")
    return Balance(amount)


def _configuration(relay: Relaychain) -> dict[str, Any]:
    unknown = sorted(set(relay.genesis.get("configuration", {})) - set(HostConfiguration.__struct_fields__))
    if unknown:
        raise UsageError(
            f"[relaychain.genesis.configuration]: there is no {', '.join(unknown)}; "
            f"there are {', '.join(HostConfiguration.__struct_fields__)}"
        )
    return {
        "minimum_backing_votes": relay.minimum_backing_votes,
        "needed_approvals": relay.needed_approvals,
        "scheduler_params": {"max_validators_per_core": relay.validators_per_core},
    }


Genesis = Mapping[str, Mapping[str, Any]]


def merged(first: Genesis, second: Genesis) -> dict[str, dict[str, Any]]:
    """Two genesis configurations by pallet; the second one wins."""
    return {name: {**first.get(name, {}), **second.get(name, {})} for name in (*first, *second)}
