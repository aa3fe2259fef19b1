"""The relay chain's genesis: validators, accounts, parachains with cores, channels."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from relaychain.primitives.types import ParaId
from relaychain.runtime.loader import load_relay_runtime, relay_code
from relaychain.runtime.runtime import para_keys
from substrate.consensus.babe.types import AuthorityId as BabeId
from substrate.consensus.grandpa.types import AuthorityId as GrandpaId
from substrate.pallets.session_types import (
    AuthorityDiscoveryKey,
    ParaAssignmentKey,
    ParaValidatorKey,
    SessionKeys,
)
from substrate.trie.trie import Trie
from substrate.types import AccountId, Balance


class GenesisPara(msgspec.Struct, frozen=True):
    """A parachain with a core from the start."""

    id: ParaId
    head: bytes
    code: bytes


class Channel(NamedTuple):
    """An HRMP channel open from the start."""

    sender: ParaId
    recipient: ParaId
    max_capacity: int
    max_message_size: int


class RelayGenesis(msgspec.Struct, frozen=True, kw_only=True):
    """What a relay chain starts with."""

    slot_duration_ms: int
    epoch_slots: int
    validators: tuple[tuple[AccountId, SessionKeys], ...]
    balances: tuple[tuple[AccountId, Balance], ...]
    sudo: AccountId
    paras: tuple[GenesisPara, ...] = ()
    channels: tuple[Channel, ...] = ()
    configuration: Mapping[str, Any] = {}
    """Overrides of the host configuration, by field."""
    pallets: Mapping[str, Mapping[str, Any]] = {}
    """Further genesis configuration, by pallet attribute."""


def same_key_for_all(public: bytes) -> SessionKeys:
    """Session keys that are all one ed25519 key, as upstream's development chains have them."""
    return SessionKeys(
        GrandpaId(public),
        BabeId(public),
        ParaValidatorKey(public),
        ParaAssignmentKey(public),
        AuthorityDiscoveryKey(public),
    )


def relay_genesis_state(genesis: RelayGenesis) -> Trie:
    """The state of block zero."""
    code = relay_code(genesis.slot_duration_ms, genesis.epoch_slots)
    config: dict[str, Mapping[str, Any]] = {
        "balances": {"balances": genesis.balances},
        "session": {"keys": genesis.validators},
        "sudo": {"key": genesis.sudo},
        "configuration": genesis.configuration,
        "paras": {"paras": {para.id: {"head": para.head, "code": para.code} for para in genesis.paras}},
        "hrmp": {"channels": genesis.channels},
        "initializer": {
            "validators": para_keys(genesis.validators),
            "cores": [para.id for para in genesis.paras],
        },
    }
    for pallet, extra in genesis.pallets.items():
        config[pallet] = {**config.get(pallet, {}), **extra}
    return load_relay_runtime(code).genesis(config, code=code)
