"""What headers say of their blocks: author, slot."""

from collections.abc import Mapping

from substrate.block import Block
from substrate.consensus.aura.verification import header_slot
from substrate.consensus.babe.verification import find_pre_digest


class RelayFacts:
    """Names authors by their index among the validators."""

    def __init__(self, validators: tuple[str, ...]) -> None:
        self._validators = validators

    def about(self, block: Block) -> Mapping[str, object]:
        """Author and slot."""
        digest = find_pre_digest(block.header)
        return {"author": self._validators[digest.authority_index], "slot": int(digest.slot)}


class ParaFacts:
    """Names a parachain's authors by their turn."""

    def __init__(self, collators: tuple[str, ...]) -> None:
        self._collators = collators

    def about(self, block: Block) -> Mapping[str, object]:
        """Author and slot."""
        slot = int(header_slot(block.header))
        return {"author": self._collators[slot % len(self._collators)], "slot": slot}
