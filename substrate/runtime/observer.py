"""The window through which execution may be watched; nothing flows back."""

from typing import Protocol

from substrate.scale.types import Struct


class Observer(Protocol):
    """Receives facts while a block is executed."""

    def note(self, fact: Struct) -> None:
        """Take one fact; must not change execution."""
        ...


class CallPanicked(Struct):
    """A call ended in an exception that its pallet does not declare."""

    pallet: str
    call: str
    text: str
