"""Genesis states from a network file."""

from collections.abc import Mapping
from typing import Any, cast, get_type_hints

from relaychain.primitives.configuration import (
    ApprovalVotingParams,
    AsyncBackingParams,
    HostConfiguration,
    SchedulerParams,
)
from relaychain.primitives.types import ParaId
from relaychain.runtime.genesis import Channel, RelayGenesis, relay_genesis_state, same_key_for_all
from relaychain.runtime.runtime import EXISTENTIAL_DEPOSIT
from relaychain.runtime.xcm_config import CHECK_ACCOUNT, TREASURY
from substrate.crypto.hashing import blake2_256
from substrate.errors import ChainError
from substrate.scale.hints import shape_of
from substrate.scale.shapes import IntShape, NamedShape, OptionShape, Shape
from substrate.trie.trie import Trie
from substrate.types import Balance
from testnet.errors import UsageError, about
from testnet.keys import DEV_BALANCE, dev_accounts, named_accounts, session_keys, stash
from testnet.manifest import MOST_BALANCE, Manifest, Relaychain
from testnet.paras import Para, no_genesis

_GROUPS = {
    "async_backing_params": AsyncBackingParams,
    "approval_voting_params": ApprovalVotingParams,
    "scheduler_params": SchedulerParams,
}
_GROUP_OF = {name: group for group, kind in _GROUPS.items() for name in kind.__struct_fields__}
_CONFIGURATION = ("relaychain", "genesis", "configuration")


def _bits(shape: Shape) -> int | None:
    """How wide a number is; None for what is none."""
    match shape:
        case IntShape(bits):
            return bits
        case NamedShape(inner) | OptionShape(inner):
            return _bits(inner)
        case _:
            return None


_BITS = {
    name: _bits(shape_of(hint))
    for kind in (HostConfiguration, *_GROUPS.values())
    for name, hint in get_type_hints(kind, include_extras=True).items()
    if name in kind.__struct_fields__
}


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
        endowed |= dict.fromkeys(
            named_accounts(who), _balance(f"the balance of {who}", amount, ("relaychain", "accounts", who))
        )
    for node in relay.validators:
        given = relay.default_balance if node.balance is None else node.balance
        endowed[stash(node)] = _balance(f"the balance of {node.name}", given, ("relaychain",))
    others = {name: options for name, options in relay.genesis.items() if name != "configuration"}
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
        pallets=merged({"babe": {"randomness": seed_randomness(manifest.settings.seed)}}, others),
    )
    try:
        return relay_genesis_state(genesis)
    except (ChainError, AssertionError, AttributeError, KeyError, TypeError, ValueError) as failure:
        with about("relaychain"):
            raise no_genesis("[relaychain]", failure) from failure


def _balance(what: str, amount: int, key: tuple[str, ...]) -> Balance:
    if not EXISTENTIAL_DEPOSIT <= amount <= MOST_BALANCE:
        raise UsageError(
            f"{what} is {amount}; a balance is from {EXISTENTIAL_DEPOSIT} to {MOST_BALANCE} planck", key=key
        )
    return Balance(amount)


def _configuration(relay: Relaychain) -> dict[str, Any]:
    """Overrides of the host configuration; parameters of a group may stand in its table or by themselves."""
    groups: dict[str, dict[str, Any]] = {name: {} for name in _GROUPS}
    groups["scheduler_params"]["max_validators_per_core"] = relay.validators_per_core
    fields = {"minimum_backing_votes": relay.minimum_backing_votes, "needed_approvals": relay.needed_approvals}
    given = relay.genesis.get("configuration", {})
    _check_values(given, _CONFIGURATION)
    for name, value in given.items():
        if name in groups and isinstance(value, Mapping):
            groups[name] |= value
        elif name in _GROUP_OF:
            groups[_GROUP_OF[name]][name] = value
        else:
            fields[name] = value
    unknown = sorted(fields.keys() - set(HostConfiguration.__struct_fields__))
    unknown += [f"{group}.{name}" for group in groups for name in groups[group] if _GROUP_OF.get(name) != group]
    if unknown:
        known = ", ".join((*HostConfiguration.__struct_fields__, *_GROUP_OF))
        raise UsageError(f"there is no {', '.join(unknown)}; there are {known}", key=_CONFIGURATION)
    return {**fields, **{name: group for name, group in groups.items() if group}}


def _check_values(given: Mapping[str, Any], key: tuple[str, ...]) -> None:
    """Refuse numbers that a field of the host configuration does not hold, and groups that are no tables."""
    for name, value in given.items():
        here, bits = (*key, name), _BITS.get(name)
        if name in _GROUPS:
            if not isinstance(value, Mapping):
                keys = ", ".join(_GROUPS[name].__struct_fields__)
                raise UsageError(f"{value!r} is no table; its keys are {keys}", key=here)
            _check_values(cast("Mapping[str, Any]", value), here)
        elif bits is not None and (type(value) is not int or not 0 <= value < 1 << bits):  # a bool is an int, too
            raise UsageError(f"{value!r} is not a whole number from 0 to {(1 << bits) - 1}", key=here)


Genesis = Mapping[str, Mapping[str, Any]]


def merged(first: Genesis, second: Genesis) -> dict[str, dict[str, Any]]:
    """Two genesis configurations by pallet; the second one wins."""
    return {name: {**first.get(name, {}), **second.get(name, {})} for name in (*first, *second)}
