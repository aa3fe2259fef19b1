"""BABE on the wire: pre-digests, consensus logs, epochs. Fields are in SCALE order.

A deviation from upstream: authority keys are ed25519, and the VRF is the one of `substrate/crypto/vrf.py`.

Source: polkadot-sdk, `substrate/primitives/consensus/babe/src/{lib,digests}.rs`.
"""

from enum import IntEnum
from typing import Annotated, NewType, TypeAlias

from substrate.block import Consensus, Header, PreRuntime, consensus_logs
from substrate.crypto.vrf import VrfOutput, VrfProof
from substrate.scale.codec import decode, encode
from substrate.scale.types import EnumOf, Fixed, Struct, enum_path, path, type_path, u32, u64, variant, wire
from substrate.types import Slot

ENGINE_ID = b"BABE"
KEY_TYPE = b"babe"

AuthorityId = NewType("AuthorityId", bytes)
wire(AuthorityId, Annotated[bytes, Fixed(32)], path="sp_consensus_babe::app::Public")
AuthorityList: TypeAlias = tuple[tuple[AuthorityId, u64], ...]
"""Authorities and their weights."""
Randomness: TypeAlias = Annotated[bytes, Fixed(32)]
Ratio: TypeAlias = tuple[u64, u64]


class AllowedSlots(IntEnum):
    """Which kinds of slots may be claimed."""

    PrimarySlots = 0
    PrimaryAndSecondaryPlainSlots = 1
    PrimaryAndSecondaryVRFSlots = 2


type_path(AllowedSlots, "sp_consensus_babe::AllowedSlots")


@path("sp_core::sr25519::vrf::VrfSignature")
class VrfSignature(Struct):
    """A VRF output and its proof."""

    pre_output: VrfOutput
    proof: VrfProof


@path("sp_consensus_babe::digests::PrimaryPreDigest")
@variant(1)
class Primary(Struct):
    """Claims a slot won in the lottery."""

    authority_index: u32
    slot: Slot
    vrf_signature: VrfSignature


@path("sp_consensus_babe::digests::SecondaryPlainPreDigest")
@variant(2)
class SecondaryPlain(Struct):
    """Claims a slot by turn."""

    authority_index: u32
    slot: Slot


@path("sp_consensus_babe::digests::SecondaryVRFPreDigest")
@variant(3)
class SecondaryVRF(Struct):
    """Claims a slot by turn, with a VRF output that feeds the epoch's randomness."""

    authority_index: u32
    slot: Slot
    vrf_signature: VrfSignature


PreDigest: TypeAlias = Primary | SecondaryPlain | SecondaryVRF
enum_path(PreDigest, "sp_consensus_babe::digests::PreDigest")


@path("sp_consensus_babe::BabeEpochConfiguration")
class BabeEpochConfiguration(Struct):
    """The lottery of an epoch."""

    c: Ratio
    """Probability that a slot has a primary author, as numerator and denominator."""
    allowed_slots: AllowedSlots


SECONDARY_VRF_ONLY = BabeEpochConfiguration((0, 1), AllowedSlots.PrimaryAndSecondaryVRFSlots)


@variant(1)
class NextEpochData(Struct):
    """The next epoch, announced in the first block of the one before."""

    authorities: AuthorityList
    randomness: Randomness


@variant(2)
class OnDisabled(Struct):
    """The authority with this index is disabled."""

    authority_index: u32


@variant(1, name="V1")
class NextConfigV1(Struct):
    """The next epoch's lottery."""

    c: Ratio
    allowed_slots: AllowedSlots

    @property
    def config(self) -> BabeEpochConfiguration:
        """The same as a plain configuration."""
        return BabeEpochConfiguration(self.c, self.allowed_slots)


NextConfigDescriptor: TypeAlias = Annotated[
    NextConfigV1, EnumOf("sp_consensus_babe::digests::NextConfigDescriptor", (), (NextConfigV1,))
]


@variant(3, unnamed=True)
class NextConfigData(Struct):
    """The next epoch's lottery changes."""

    descriptor: NextConfigDescriptor


ConsensusLog: TypeAlias = NextEpochData | OnDisabled | NextConfigData
enum_path(ConsensusLog, "sp_consensus_babe::ConsensusLog")


@path("sp_consensus_babe::BabeConfiguration")
class BabeConfiguration(Struct):
    """What a node needs to know at genesis."""

    slot_duration: u64
    """Milliseconds."""
    epoch_length: u64
    c: Ratio
    authorities: AuthorityList
    randomness: Randomness
    allowed_slots: AllowedSlots


@path("sp_consensus_babe::Epoch")
class Epoch(Struct):
    """An epoch: which slots, whose turn."""

    epoch_index: u64
    start_slot: Slot
    duration: u64
    authorities: AuthorityList
    randomness: Randomness
    config: BabeEpochConfiguration

    @property
    def end_slot(self) -> Slot:
        """The first slot after the epoch."""
        return Slot(self.start_slot + self.duration)


@path("sp_consensus_slots::EquivocationProof")
class EquivocationProof(Struct):
    """Two headers of one author in one slot."""

    offender: AuthorityId
    slot: Slot
    first_header: Header
    second_header: Header


def pre_digest_item(digest: PreDigest) -> PreRuntime:
    """A pre-digest as a digest item."""
    return PreRuntime(ENGINE_ID, encode(PreDigest, digest))


def digest_item(log: ConsensusLog) -> Consensus:
    """A BABE log as a digest item."""
    return Consensus(ENGINE_ID, encode(ConsensusLog, log))


def header_logs(header: Header) -> tuple[ConsensusLog, ...]:
    """The BABE logs of a header."""
    return tuple(decode(ConsensusLog, data) for data in consensus_logs(header, ENGINE_ID))
