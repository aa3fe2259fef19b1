"""Authorship: who made the block.

Source: polkadot-sdk, `substrate/frame/authorship/src/lib.rs`, `substrate/frame/session` (`FindAccountFromAuthorIndex`).
"""

from collections.abc import Callable

from substrate.runtime.assembly import Runtime
from substrate.runtime.pallet import Pallet, config
from substrate.runtime.storage import StorageValue, storage_value
from substrate.types import AccountId, BlockNumber, Weight


class Authorship(Pallet):
    """The author of the block being executed."""

    author: StorageValue[AccountId | None] = storage_value()
    """Gone at the end of the block."""

    find_author: Callable[[Runtime], AccountId | None] = config()
    """Reads the author off the block's digest; `babe.block_author` for BABE."""
    on_author: Callable[[Runtime, AccountId], None] | None = config(None)
    """Told who made the block: for reward points."""

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Tell of the author."""
        if self.on_author is not None and (author := self.block_author()) is not None:
            self.on_author(self.runtime, author)
        return Weight.ZERO

    def on_finalize(self, number: BlockNumber) -> None:
        """Forget the author."""
        self.author.kill()

    def block_author(self) -> AccountId | None:
        """The author of this block, None if its digest does not say."""
        author = self.author.get()
        if author is None and (author := self.find_author(self.runtime)) is not None:
            self.author.put(author)
        return author
