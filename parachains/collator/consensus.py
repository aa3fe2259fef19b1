"""A runtime para's part in block import: Aura's slots and seals; finality is the relay chain's.

Source: polkadot-sdk, `cumulus/client/consensus/aura/src/equivocation_import_queue.rs`.
"""

from enum import StrEnum
from typing import Any

from parachains.sdk.aura import check_seal
from substrate.block import Header, Justification
from substrate.client.chain import Chain
from substrate.client.protocols import Aux, Clock, Verified
from substrate.consensus.aura.types import AuthorityId
from substrate.consensus.aura.verification import header_slot
from substrate.errors import RuleError
from substrate.scale.codec import codec_of
from substrate.scale.types import u64
from substrate.trie.trie import Trie
from substrate.types import Hash

MAX_DRIFT_SLOTS = 1
"""How far ahead of the clock a slot may be."""
_AUTHORITIES = codec_of(tuple[AuthorityId, ...])
_MILLISECONDS = codec_of(u64)


class ImportReason(StrEnum):
    """Why a para block is not imported."""

    TOO_FAR_IN_FUTURE = "TooFarInFuture"
    SLOT_DECREASES = "SlotDecreases"
    NO_FINALITY = "ParaHasNoFinality"


class ParaBlockError(RuleError):
    """A para block breaks a rule of import."""


class ParaConsensus:
    """See `Consensus`. Any sealed block of a slot's author is taken in; which count, the relay chain says."""

    def __init__(self, chain: Chain[Any], clock: Clock) -> None:
        self._chain = chain
        self._clock = clock

    def authorities(self, block: Hash) -> tuple[AuthorityId, ...]:
        """Who may author the next block, in turn; nobody means anybody."""
        return _AUTHORITIES.decode(self._chain.runtime(block).api("AuraApi_authorities", b""))

    def verify(self, header: Header, parent: Header) -> Verified:
        """Check slot and seal.

        Raises:
            ParaBlockError: `TOO_FAR_IN_FUTURE`, `SLOT_DECREASES`. AuraError: no slot, or a bad seal.
        """
        bare = check_seal(header, self.authorities(header.parent_hash))
        slot, parent_slot = header_slot(header), header_slot(parent)
        duration = _MILLISECONDS.decode(self._chain.runtime(header.parent_hash).api("AuraApi_slot_duration", b""))
        now = self._clock.now_us() // (duration * 1000)
        if slot > now + MAX_DRIFT_SLOTS:
            raise ParaBlockError(ImportReason.TOO_FAR_IN_FUTURE, slot=slot, now=now)
        if slot < parent_slot:
            raise ParaBlockError(ImportReason.SLOT_DECREASES, slot=slot, parent=parent_slot)
        return Verified(bare)

    def on_imported(self, block: Hash, header: Header, verified: Verified, state: Trie) -> Aux:
        """Authorities are in the state; nothing is kept beside it."""
        return {}

    def check_justification(self, header: Header, justification: Justification) -> None:
        """Refuse: a para's blocks become final with the relay blocks that include them.

        Raises:
            ParaBlockError: `NO_FINALITY`.
        """
        raise ParaBlockError(ImportReason.NO_FINALITY, engine=justification.engine.hex())
