"""What a collator reads of the relay chain: all that a block may depend on, at its relay parent, and for how long.

Source: polkadot-sdk, `cumulus/client/parachain-inherent/src/lib.rs`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from parachains.collator.receipts import Assignment
from parachains.sdk.contract import CollationContext
from parachains.sdk.relay_state_snapshot import channel_keys, para_keys
from relaychain.primitives import well_known_keys
from relaychain.primitives.candidate import CandidateDescriptor
from relaychain.primitives.core_state import GroupRotationInfo
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.relay_interface import RelayChainInterface
from relaychain.primitives.types import (
    CoreIndex,
    HeadData,
    OccupiedCoreAssumption,
    ParaId,
    ValidatorId,
    ValidatorIndex,
)
from substrate.block import Header
from substrate.crypto.keys import Ed25519Pair
from substrate.errors import ChainError
from substrate.scale.codec import codec_of, decode
from substrate.types import Hash, Slot

_GROUPS = codec_of(tuple[tuple[tuple[ValidatorIndex, ...], ...], GroupRotationInfo])


@dataclass(frozen=True)
class Scheduling:
    """A para's place on the relay chain's next block."""

    assignment: Assignment
    group: tuple[ValidatorId, ...]
    """Validators that back on the core."""


async def included_head(relay: RelayChainInterface, block: Hash, para: ParaId) -> HeadData | None:
    """The para's head in the state of a relay block; None if it has no such para."""
    raw = await relay.storage(block, well_known_keys.para_head(para))
    return None if raw is None else decode(HeadData, raw)


async def scheduling(relay: RelayChainInterface, relay_parent: Hash, para: ParaId, core: CoreIndex) -> Scheduling:
    """What a candidate on this relay parent states, and who backs it.

    Raises:
        ChainError: The relay chain does not know the para's code.
    """
    validators = await relay.validators(relay_parent)
    groups, rotation = _GROUPS.decode(await relay.call(relay_parent, "ParachainHost_validator_groups", b""))
    group = groups[rotation.group_for_core(core, len(groups))]
    code_hash = await relay.validation_code_hash(relay_parent, para, OccupiedCoreAssumption.INCLUDED)
    if code_hash is None:
        raise ChainError(f"the relay chain has no validation code for para {para}")
    session = await relay.session_index_for_child(relay_parent)
    assignment = Assignment(para, relay_parent, core, session, len(validators), code_hash)
    return Scheduling(assignment, tuple(validators[index] for index in group))


async def may_be_backed(relay: RelayChainInterface, descriptor: CandidateDescriptor, head: Header) -> bool:
    """Whether a child of `head` may back a candidate: by its session and the age of its relay parent."""
    if await relay.session_index_for_child(head.hash) != descriptor.session_index:
        return False
    allowed: Header | None = head
    for _ in range(await relay.scheduling_lookahead(head.hash)):
        if allowed is None or allowed.hash == descriptor.relay_parent:
            return allowed is not None
        allowed = await relay.header(allowed.parent_hash)
    return False


async def collation_context(
    relay: RelayChainInterface,
    relay_parent: Hash,
    para: ParaId,
    *,
    extrinsics: Sequence[bytes],
    author: Ed25519Pair | None,
) -> CollationContext:
    """What the relay parent gives a block, with the proof of it.

    Raises:
        ChainError: The relay chain has no such para.
    """
    data = await validation_data(relay, relay_parent, para)
    return CollationContext(
        para=para,
        validation_data=data,
        relay_slot=await relay_slot(relay, relay_parent),
        relay_proof=await _proof(relay, relay_parent, para),
        downward_messages=await relay.dmq_contents(relay_parent, para),
        horizontal_messages=await relay.inbound_hrmp_channels_contents(relay_parent, para),
        extrinsics=extrinsics,
        author=author,
    )


async def validation_data(relay: RelayChainInterface, relay_parent: Hash, para: ParaId) -> PersistedValidationData:
    """Validation data of a candidate that stands on all pending ones.

    Raises:
        ChainError: The relay chain has no such para.
    """
    data = await relay.persisted_validation_data(relay_parent, para, OccupiedCoreAssumption.INCLUDED)
    if data is None:
        raise ChainError(f"the relay chain has no validation data for para {para}")
    return data


async def relay_slot(relay: RelayChainInterface, block: Hash) -> Slot:
    """Slot of a relay block.

    Raises:
        ChainError: Its state holds none.
    """
    raw = await relay.storage(block, well_known_keys.CURRENT_SLOT)
    if raw is None:
        raise ChainError(f"relay block 0x{block.hex()} has no slot")
    return decode(Slot, raw)


async def _proof(relay: RelayChainInterface, block: Hash, para: ParaId) -> tuple[bytes, ...]:
    senders = await _paras(relay, block, well_known_keys.hrmp_ingress_channel_index(para))
    recipients = await _paras(relay, block, well_known_keys.hrmp_egress_channel_index(para))
    keys = para_keys(para) + channel_keys(para, senders=senders, recipients=recipients)
    return await relay.prove_read(block, keys)


async def _paras(relay: RelayChainInterface, block: Hash, key: bytes) -> tuple[ParaId, ...]:
    raw = await relay.storage(block, key)
    return () if raw is None else decode(tuple[ParaId, ...], raw)
