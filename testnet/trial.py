"""What a parachain must be able to do before a network is made of it: describe itself to clients, and build a block.

Its network would run without it otherwise, and say so only in the record.
"""

from types import TracebackType
from typing import Any

from parachains.collator.ledger import plugin_code
from parachains.collator.registry import Plugin
from parachains.sdk.aura import RELAY_SLOTS
from parachains.sdk.contract import CollationContext, GenesisBlock, ParaConfig
from parachains.sdk.relay_state_snapshot import para_keys
from relaychain.primitives import well_known_keys
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import HeadData, ParaId
from relaychain.runtime.configuration import DEVELOPMENT_PRESET
from substrate.crypto.keys import Ed25519Pair
from substrate.errors import ChainError
from substrate.runtime.declared import WIRE_FORMS
from substrate.scale.codec import encode
from substrate.trie.proofs import read_proof
from substrate.trie.trie import Trie
from substrate.types import BlockNumber, Hash, Slot
from testnet.errors import UsageError


def try_declarations(plugin: Plugin, para: int) -> None:
    """Assemble a Level 1 chain's runtime and encode the metadata that its clients begin with.

    Raises:
        UsageError: It declares what cannot be.
    """
    try:
        with plugin_code():
            runtime = plugin.chain.runtime()
            runtime.assembly()
    except ChainError as failure:
        raise UsageError(f"para {para}: {plugin.reference}: {failure}") from failure
    try:
        with plugin_code():
            runtime.metadata()
    except ChainError as failure:
        raise UsageError(
            f"para {para}: {plugin.reference}: its metadata cannot be written: {failure}; in calls, events, storage "
            f"and in what these hold take {WIRE_FORMS}"
        ) from failure


def try_first_block(plugin: Plugin, config: ParaConfig, genesis: GenesisBlock[Any], author: Ed25519Pair) -> None:
    """Build an empty block on genesis, as a collator would.

    Args:
        plugin: A Level 1 chain.
        config: What its genesis was made of.
        genesis: Block zero.
        author: The first of its collators.

    Raises:
        UsageError: There can be no such block.
    """
    try:
        with plugin_code():
            plugin.chain.collate(genesis.head, genesis.state, _first_context(config, genesis.head, author))
    except ChainError as failure:
        raise UsageError(
            f"para {config.para}: {plugin.reference}: it cannot build its first block: {failure}{place_of(failure)}; "
            "its hooks may not raise, and those that begin or idle return the Weight they used"
        ) from failure


def _first_context(config: ParaConfig, head: HeadData, author: Ed25519Pair) -> CollationContext:
    """An idle relay chain at a slot of the first collator."""
    slot = Slot(1_000 * RELAY_SLOTS * max(len(config.authorities), 1))
    relay = Trie.empty(0).update(
        {
            well_known_keys.CURRENT_SLOT: encode(Slot, slot),
            well_known_keys.ACTIVE_CONFIG: DEVELOPMENT_PRESET.encode(),
            well_known_keys.para_head(config.para): encode(HeadData, head),
        }
    )
    root, limit = Hash(relay.root), DEVELOPMENT_PRESET.max_pov_size
    return CollationContext(
        para=ParaId(config.para),
        validation_data=PersistedValidationData(head, BlockNumber(1), root, limit),
        relay_slot=slot,
        relay_proof=read_proof(relay, para_keys(config.para)),
        author=author,
    )


def place_of(failure: BaseException) -> str:
    """Where in a plugin's source something was raised; nothing, if it was elsewhere."""
    place, cause = "", failure
    while cause is not None:
        place = _place_in(cause.__traceback__) or place
        cause = cause.__cause__
    return place


def _place_in(trace: TracebackType | None) -> str:
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename.startswith("<pvf_"):
            module = code.co_filename[1:-1].partition(".")[2]
            place = f" ({module} line {trace.tb_lineno}, in {code.co_name})"
        trace = trace.tb_next
    return place
