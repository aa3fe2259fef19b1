"""Whose slot is it: the primary lottery, the secondary turn, and claiming either.

Source: polkadot-sdk, `substrate/client/consensus/babe/src/authorship.rs`; specification, sect-block-production.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from substrate.consensus.babe.types import (
    AllowedSlots,
    AuthorityId,
    Epoch,
    PreDigest,
    Primary,
    Ratio,
    SecondaryPlain,
    SecondaryVRF,
    VrfSignature,
)
from substrate.crypto import vrf
from substrate.crypto.hashing import blake2_256
from substrate.crypto.keys import Ed25519Pair
from substrate.types import Slot

RANDOMNESS_CONTEXT = b"BabeVRFInOutContext"
LOTTERY_CONTEXT = b"substrate-babe-vrf"

Keys = Mapping[AuthorityId, Ed25519Pair]


def vrf_input(slot: Slot, epoch: Epoch) -> bytes:
    """The transcript that authors prove their VRF over: upstream's items in a fixed layout."""
    return b"BABE" + slot.to_bytes(8, "little") + epoch.epoch_index.to_bytes(8, "little") + epoch.randomness


def make_bytes(context: bytes, pre_output: bytes) -> bytes:
    """32 random bytes for one purpose from a VRF output that was checked."""
    return blake2_256(context + vrf.output(pre_output))


def next_randomness(accumulated: bytes, epoch_index: int, outputs: Sequence[bytes]) -> bytes:
    """The randomness of epoch `epoch_index` from that of the one before and the blocks' contributions, in order."""
    return blake2_256(accumulated + epoch_index.to_bytes(8, "little") + b"".join(outputs))


def secondary_author(slot: Slot, *, authority_count: int, randomness: bytes) -> int | None:
    """Index of the author whose turn the slot is, None without authorities."""
    if authority_count == 0:
        return None
    return int.from_bytes(blake2_256(randomness + slot.to_bytes(8, "little")), "big") % authority_count


def primary_threshold(c: Ratio, weights: Sequence[int], index: int) -> int:
    """The author wins the slot if its 128-bit draw is lower: floor(2^128 * (1 - (1 - c)^(w/W))), in f64 as upstream."""
    probability = 1.0 - (1.0 - c[0] / c[1]) ** (weights[index] / sum(weights))
    return int(Fraction(probability) * (1 << 128))


def wins_primary(epoch: Epoch, index: int, pre_output: bytes) -> bool:
    """Whether a VRF output wins the lottery for this authority."""
    if not epoch.config.c[0]:
        return False
    threshold = primary_threshold(epoch.config.c, [weight for _, weight in epoch.authorities], index)
    return int.from_bytes(make_bytes(LOTTERY_CONTEXT, pre_output)[:16], "little") < threshold


def claim_slot(slot: Slot, epoch: Epoch, keys: Keys) -> tuple[PreDigest, Ed25519Pair] | None:
    """Claim a slot with one of our keys: a primary claim if one wins, else the secondary one if it is our turn."""
    if epoch.config.c[0]:
        for index, (authority, _) in enumerate(epoch.authorities):
            if (pair := keys.get(authority)) is None:
                continue
            signature = VrfSignature(*vrf.prove(pair, vrf_input(slot, epoch)))
            if wins_primary(epoch, index, signature.pre_output):
                return Primary(index, slot, signature), pair
    return _claim_secondary(slot, epoch, keys)


def _claim_secondary(slot: Slot, epoch: Epoch, keys: Keys) -> tuple[PreDigest, Ed25519Pair] | None:
    index = secondary_author(slot, authority_count=len(epoch.authorities), randomness=epoch.randomness)
    pair = None if index is None else keys.get(epoch.authorities[index][0])
    if index is None or pair is None:
        return None
    match epoch.config.allowed_slots:
        case AllowedSlots.PrimarySlots:
            return None
        case AllowedSlots.PrimaryAndSecondaryPlainSlots:
            return SecondaryPlain(index, slot), pair
        case AllowedSlots.PrimaryAndSecondaryVRFSlots:
            return SecondaryVRF(index, slot, VrfSignature(*vrf.prove(pair, vrf_input(slot, epoch)))), pair
