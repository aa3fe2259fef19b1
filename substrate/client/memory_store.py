"""The default store: everything in dictionaries, states kept by the chain itself."""

from substrate.block import Justification
from substrate.client.protocols import Batch, StoredBlock
from substrate.trie.nodes import NodeSource
from substrate.types import Hash


class MemoryStore:
    """A Store that lives as long as its process."""

    def __init__(self) -> None:
        self.nodes: NodeSource | None = None
        self._blocks: dict[Hash, StoredBlock] = {}
        self._justifications: dict[Hash, tuple[Justification, ...]] = {}
        self._canonical: list[Hash] = []
        self._aux: dict[bytes, bytes] = {}

    def commit(self, batch: Batch) -> None:
        """See Store."""
        self._blocks.update((block.hash, block) for block in batch.blocks)
        for block, justification in batch.justifications:
            self._justifications[block] = (*self.justifications(block), justification)
        for key, value in batch.aux.items():
            if value is None:
                self._aux.pop(key, None)
            else:
                self._aux[key] = value
        for block in batch.removed:
            self._blocks.pop(block, None)
            self._justifications.pop(block, None)
        self._canonical.extend(block for _, block in batch.canonical)

    def block(self, block: Hash) -> StoredBlock | None:
        """See Store."""
        return self._blocks.get(block)

    def justifications(self, block: Hash) -> tuple[Justification, ...]:
        """See Store."""
        return self._justifications.get(block, ())

    def canonical(self, number: int) -> Hash | None:
        """See Store."""
        return self._canonical[number] if 0 <= number < len(self._canonical) else None

    def finalized(self) -> Hash | None:
        """See Store."""
        return self._canonical[-1] if self._canonical else None

    def unfinalized(self) -> tuple[StoredBlock, ...]:
        """See Store."""
        above = [block for block in self._blocks.values() if block.header.number >= len(self._canonical)]
        return tuple(sorted(above, key=lambda block: block.header.number))

    def aux(self, key: bytes) -> bytes | None:
        """See Store."""
        return self._aux.get(key)
