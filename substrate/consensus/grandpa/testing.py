"""A block tree in memory that answers as `ChainView`; for tests and worked examples."""

from substrate.block import Digest, Header
from substrate.consensus.grandpa.blocks import BlockRef
from substrate.types import BlockNumber, Hash


class BlockTree:
    """Blocks by hash; a block may be a real header or a mere name."""

    def __init__(self, root: Hash, number: int = 0) -> None:
        self.parents: dict[Hash, Hash] = {}
        self.numbers: dict[Hash, BlockNumber] = {root: BlockNumber(number)}
        self.headers: dict[Hash, Header] = {}
        self.finalized = BlockRef(root, BlockNumber(number))

    def push(self, parent: str, *names: str) -> BlockRef:
        """Add named blocks in a row above `parent`; returns the last."""
        current = Hash(parent.encode())
        for name in names:
            current = self._add(current, Hash(name.encode()))
        return self.ref(current)

    def add(self, header: Header) -> BlockRef:
        """Add a real block."""
        self.headers[header.hash] = header
        return self.ref(self._add(header.parent_hash, header.hash))

    def extend(self, parent: Hash, salt: int = 0) -> BlockRef:
        """Make and add a real block; `salt` tells siblings apart."""
        number = BlockNumber(self.numbers[parent] + 1)
        mark = Hash(salt.to_bytes(32, "little"))
        return self.add(Header(parent, number, mark, mark, Digest()))

    def ref(self, block: Hash) -> BlockRef:
        """Hash and number of a known block."""
        return BlockRef(block, self.numbers[block])

    def number_of(self, block: Hash) -> BlockNumber | None:
        """As `ChainView.number_of`."""
        return self.numbers.get(block)

    def header(self, block: Hash) -> Header | None:
        """As `ChainView.header`."""
        return self.headers.get(block)

    def ancestry(self, base: Hash, block: Hash) -> tuple[Hash, ...] | None:
        """As `ChainView.ancestry`."""
        route: list[Hash] = []
        current = self.parents.get(block)
        while current is not None and current != base:
            route.append(current)
            current = self.parents.get(current)
        return None if current is None else tuple(route)

    def is_equal_or_descendant(self, base: Hash, block: Hash) -> bool:
        """As `ChainView.is_equal_or_descendant`."""
        return (base == block and block in self.numbers) or self.ancestry(base, block) is not None

    def best_containing(self, block: Hash) -> BlockRef | None:
        """As `ChainView.best_containing`: the highest, then the lowest hash."""
        heads = [self.ref(head) for head in self.numbers if self.is_equal_or_descendant(block, head)]
        return min(heads, key=lambda head: (-head.number, head.hash)) if heads else None

    def _add(self, parent: Hash, block: Hash) -> Hash:
        self.parents[block] = parent
        self.numbers[block] = BlockNumber(self.numbers[parent] + 1)
        return block
