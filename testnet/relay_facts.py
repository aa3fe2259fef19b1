"""What the relay chain's headers say of their blocks."""

from collections.abc import Mapping

from substrate.block import Block
from substrate.consensus.babe.verification import find_pre_digest


class RelayFacts:
    """Names authors by their index among the validators."""

    def __init__(self, validators: tuple[str, ...]) -> None:
        self._validators = validators

    def about(self, block: Block) -> Mapping[str, object]:
        """Author and slot."""
        digest = find_pre_digest(block.header)
        return {"author": self._validators[digest.authority_index], "slot": int(digest.slot)}
