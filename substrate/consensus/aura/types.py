"""Aura on the wire: the slot, the seal, the authority change.

Keys are ed25519 here, upstream's `ed25519` flavour of Aura.

Source: polkadot-sdk, `substrate/primitives/consensus/aura/src/{lib,digests}.rs`.
"""

from typing import Annotated, NewType, TypeAlias

from substrate.block import Consensus, PreRuntime
from substrate.scale.codec import encode
from substrate.scale.types import Fixed, Struct, enum_path, u32, variant, wire
from substrate.types import Slot

ENGINE_ID = b"aura"
KEY_TYPE = b"aura"

AuthorityId = NewType("AuthorityId", bytes)
wire(AuthorityId, Annotated[bytes, Fixed(32)], path="sp_consensus_aura::ed25519::app_ed25519::Public")


@variant(1, unnamed=True)
class AuthoritiesChange(Struct):
    """The authorities from the next block on."""

    authorities: tuple[AuthorityId, ...]


@variant(2, unnamed=True)
class OnDisabled(Struct):
    """The authority with this index is disabled."""

    authority_index: u32


ConsensusLog: TypeAlias = AuthoritiesChange | OnDisabled
enum_path(ConsensusLog, "sp_consensus_aura::ConsensusLog")


def pre_digest_item(slot: Slot) -> PreRuntime:
    """A slot as the pre-digest of a block."""
    return PreRuntime(ENGINE_ID, encode(Slot, slot))


def digest_item(log: ConsensusLog) -> Consensus:
    """An Aura log as a digest item."""
    return Consensus(ENGINE_ID, encode(ConsensusLog, log))
