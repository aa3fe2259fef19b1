"""The relay chain's consensus in block import: BABE headers, epochs per fork, GRANDPA's authority set.

Source: polkadot-sdk, `substrate/client/consensus/babe/src/lib.rs` (`BabeBlockImport`),
`substrate/client/consensus/grandpa/src/import.rs`.
"""

from collections.abc import Callable
from typing import Any

from substrate.block import Header, Justification, without_seal
from substrate.client.chain import Chain
from substrate.client.protocols import Aux, Clock, Verified
from substrate.consensus.babe.epochs import EpochChanges, slot_at
from substrate.consensus.babe.types import AuthorityId, BabeConfiguration, EquivocationProof
from substrate.consensus.babe.verification import (
    added_weight,
    check_header,
    find_equivocation,
    find_pre_digest,
    header_slot,
)
from substrate.consensus.grandpa import types as grandpa
from substrate.consensus.grandpa.authorities import AuthoritySet
from substrate.consensus.grandpa.blocks import BlockRef
from substrate.consensus.grandpa.commit import check_justification
from substrate.consensus.grandpa.voter_set import VoterSet
from substrate.scale.codec import codec_of
from substrate.trie.trie import Trie
from substrate.types import BlockNumber, Hash, Slot

JUSTIFICATION = codec_of(grandpa.GrandpaJustification)


def fork_choice_weight(header: Header) -> int:
    """What a block adds to its chain: 1 for a primary slot."""
    return added_weight(find_pre_digest(header)) if header.number else 0


class ChainAncestry:
    """GRANDPA's view of a chain."""

    def __init__(self, chain: Chain[Any]) -> None:
        self._chain = chain

    @property
    def finalized(self) -> BlockRef:
        """The last finalised block."""
        return self._ref(self._chain.finalized)

    def ancestry(self, base: Hash, block: Hash) -> tuple[Hash, ...] | None:
        """Hashes strictly between, newest first; None unless `block` properly descends from `base`."""
        chain = self._chain
        if base == block or base not in chain or block not in chain or not chain.is_ancestor(base, block):
            return None
        between: list[Hash] = []
        at = chain.header(block).parent_hash
        while at != base:
            between.append(at)
            at = chain.header(at).parent_hash
        return tuple(between)

    def is_equal_or_descendant(self, base: Hash, block: Hash) -> bool:
        """Whether `base` is `block` or one of its ancestors."""
        return base == block or (base in self._chain and block in self._chain and self._chain.is_ancestor(base, block))

    def number_of(self, block: Hash) -> BlockNumber | None:
        """Number of a known block."""
        return BlockNumber(self._chain.number(block)) if block in self._chain else None

    def header(self, block: Hash) -> Header | None:
        """Header of a known block."""
        return self._chain.header(block) if block in self._chain else None

    def best_containing(self, block: Hash) -> BlockRef | None:
        """Best head among the chains that contain `block`."""
        return self._ref(self._chain.best_containing(block)) if block in self._chain else None

    def _ref(self, block: Hash) -> BlockRef:
        return BlockRef(block, BlockNumber(self._chain.number(block)))


class SlotAuthors:
    """The first header of each author in each slot that is not final yet."""

    def __init__(self) -> None:
        self._first: dict[Slot, dict[AuthorityId, Header]] = {}

    def note(self, header: Header, author: AuthorityId) -> EquivocationProof | None:
        """Take in a header that was checked; returns a proof if it is not the author's first one in its slot."""
        first = self._first.setdefault(header_slot(header), {}).setdefault(author, header)
        return find_equivocation(first, header, author)

    def forget(self, finalized: Slot) -> None:
        """Drop the slots before that of the finalised block."""
        for old in [slot for slot in self._first if slot < finalized]:
            del self._first[old]


class RelayConsensus:
    """Judges headers and justifications; keeps epochs per fork and the authority set, and tells of equivocations."""

    def __init__(
        self,
        chain: Chain[Any],
        config: BabeConfiguration,
        voters: grandpa.AuthorityList,
        clock: Clock,
        on_equivocation: Callable[[EquivocationProof], None],
    ) -> None:
        self.chain = chain
        self.view = ChainAncestry(chain)
        self.config = config
        self.epochs = EpochChanges(chain.genesis, config)
        self.voters = AuthoritySet(voters)
        self._clock = clock
        self._authors = SlotAuthors()
        self._on_equivocation = on_equivocation
        chain.on_finalized(self._on_finalized)

    def slot_now(self) -> Slot:
        """The clock's slot."""
        return slot_at(self._clock.now_us(), slot_duration_ms=self.config.slot_duration)

    def verify(self, header: Header, parent: Header) -> Verified:
        """Check slot, author, VRF and seal."""
        at = self.epochs.epoch_for(header.parent_hash, header_slot(header))
        digest = check_header(header, parent_slot=header_slot(parent), slot_now=self.slot_now(), epoch=at.epoch)
        proof = self._authors.note(header, at.epoch.authorities[digest.authority_index][0])
        if proof is not None:
            self._on_equivocation(proof)
        return Verified(without_seal(header)[0])

    def on_imported(self, block: Hash, header: Header, verified: Verified, state: Trie) -> Aux:
        """Take in the epoch and set changes that the block announces."""
        self.epochs.insert(header)
        self.voters = self.voters.with_header(header)
        return {}

    def check_justification(self, header: Header, justification: Justification) -> None:
        """Check a GRANDPA justification under the set in force."""
        voters = VoterSet(self.voters.current_authorities)
        target = BlockRef(header.hash, header.number)
        proof = JUSTIFICATION.decode(justification.data)
        check_justification(proof, voters, set_id=self.voters.set_id, target=target)

    def _on_finalized(self, block: Hash) -> None:
        self.voters = self.voters.finalize(BlockRef(block, BlockNumber(self.chain.number(block))), self.view)
        self._authors.forget(header_slot(self.chain.header(block)))
        number = self.chain.number(block)
        self.epochs.forget(
            [each for each in self.epochs.blocks() if each not in self.chain or self.chain.number(each) < number]
        )
