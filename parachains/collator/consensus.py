"""A runtime para's part in block import: Aura's slots and seals; finality is the relay chain's.

Source: polkadot-sdk, `cumulus/client/consensus/aura/src/equivocation_import_queue.rs`.
"""

from collections import OrderedDict
from enum import StrEnum
from typing import Any

from parachains.sdk.aura import check_seal
from parachains.sdk.parachain_system import RPSR_ENGINE
from substrate.block import Consensus, Header, Justification
from substrate.client.chain import Chain
from substrate.client.protocols import Aux, Clock, Verified
from substrate.consensus.aura.types import AuthorityId
from substrate.consensus.aura.verification import header_slot
from substrate.errors import RuleError
from substrate.scale.codec import codec_of
from substrate.scale.types import u64
from substrate.trie.trie import Trie
from substrate.types import BlockNumber, Hash, Slot

EQUIVOCATION_LIMIT = 16
"""Blocks that are taken in of one slot, height and relay parent."""
_REMEMBERED = 512
MAX_DRIFT_SLOTS = 1
"""How far ahead of the clock a slot may be."""
_AUTHORITIES = codec_of(tuple[AuthorityId, ...])
_MILLISECONDS = codec_of(u64)


class ImportReason(StrEnum):
    """Why a para block is not imported."""

    TOO_FAR_IN_FUTURE = "TooFarInFuture"
    SLOT_DECREASES = "SlotDecreases"
    TOO_MANY_EQUIVOCATIONS = "ExcessiveEquivocations"
    NO_FINALITY = "ParaHasNoFinality"


class ParaBlockError(RuleError):
    """A para block breaks a rule of import."""


class ParaConsensus:
    """See `Consensus`. Sealed blocks of a slot's author are taken in; which count, the relay chain says."""

    def __init__(self, chain: Chain[Any], clock: Clock) -> None:
        self._chain = chain
        self._clock = clock
        self._seen: OrderedDict[tuple[Slot, BlockNumber, bytes], int] = OrderedDict()
        """Blocks by slot, height and relay parent."""

    def authorities(self, block: Hash) -> tuple[AuthorityId, ...]:
        """Who may author the next block, in turn; nobody means anybody."""
        return _AUTHORITIES.decode(self._chain.runtime(block).api("AuraApi_authorities", b""))

    def verify(self, header: Header, parent: Header) -> Verified:
        """Check slot and seal.

        Raises:
            ParaBlockError: `TOO_FAR_IN_FUTURE`, `SLOT_DECREASES`, `TOO_MANY_EQUIVOCATIONS`.
            AuraError: No slot, or a bad seal.
        """
        bare = check_seal(header, self.authorities(header.parent_hash))
        slot, parent_slot = header_slot(header), header_slot(parent)
        duration = _MILLISECONDS.decode(self._chain.runtime(header.parent_hash).api("AuraApi_slot_duration", b""))
        now = self._clock.now_us() // (duration * 1000)
        if slot > now + MAX_DRIFT_SLOTS:
            raise ParaBlockError(ImportReason.TOO_FAR_IN_FUTURE, slot=slot, now=now)
        if slot < parent_slot:
            raise ParaBlockError(ImportReason.SLOT_DECREASES, slot=slot, parent=parent_slot)
        self._count(slot, header)
        return Verified(bare)

    def forget_equivocations(self) -> None:
        """Count anew: the relay chain includes a block that may be among those refused."""
        self._seen.clear()

    def _count(self, slot: Slot, header: Header) -> None:
        key = slot, header.number, _relay_parent(header)
        count = self._seen.pop(key, 0)
        self._seen[key] = min(count + 1, EQUIVOCATION_LIMIT)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        if count == EQUIVOCATION_LIMIT:
            raise ParaBlockError(ImportReason.TOO_MANY_EQUIVOCATIONS, slot=slot, number=header.number)

    def on_imported(self, block: Hash, header: Header, verified: Verified, state: Trie) -> Aux:
        """Authorities are in the state; nothing is kept beside it."""
        return {}

    def check_justification(self, header: Header, justification: Justification) -> None:
        """Refuse: a para's blocks become final with the relay blocks that include them.

        Raises:
            ParaBlockError: `NO_FINALITY`.
        """
        raise ParaBlockError(ImportReason.NO_FINALITY, engine=justification.engine.hex())


def _relay_parent(header: Header) -> bytes:
    """What the header says of its relay parent; nothing, where it says nothing."""
    logs = (item for item in header.digest.logs if isinstance(item, Consensus) and item.engine == RPSR_ENGINE)
    return next((item.data for item in logs), b"")
