"""The tree of unfinalised blocks, rooted at the finalised one."""

from collections.abc import Iterator

from substrate.block import Header
from substrate.types import Hash


class Node:
    """One block of the tree."""

    __slots__ = ("children", "hash", "header", "number", "order", "parent", "weight")

    def __init__(self, block: Hash, header: Header, weight: int) -> None:
        self.hash = block
        self.header = header
        self.parent = header.parent_hash
        self.number = int(header.number)
        self.weight = weight
        self.children: list[Hash] = []
        # Lower hash wins a tie, so that nodes agree whatever came first.
        self.order = (weight, self.number, -int.from_bytes(block, "big"))


class BlockTree:
    """Fork-aware relations between blocks from the root up."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self._nodes: dict[Hash, Node] = {root.hash: root}

    def __contains__(self, block: Hash) -> bool:
        return block in self._nodes

    def get(self, block: Hash) -> Node | None:
        """The node of a block, None when it is not in the tree."""
        return self._nodes.get(block)

    def add(self, node: Node) -> None:
        """Attach a block to its parent, which is in the tree."""
        self._nodes[node.parent].children.append(node.hash)
        self._nodes[node.hash] = node

    def walk_up(self, block: Hash) -> Iterator[Node]:
        """The block and its ancestors down to and with the root."""
        node = self._nodes.get(block)
        while node is not None:
            yield node
            node = self._nodes.get(node.parent) if node is not self.root else None

    def ancestor_at(self, block: Hash, number: int) -> Hash | None:
        """The ancestor-or-self of a block at a height."""
        return next((node.hash for node in self.walk_up(block) if node.number == number), None)

    def walk_down(self, start: Hash) -> Iterator[Node]:
        """A block and all its descendants, parents first, siblings in order of arrival."""
        stack = [start]
        while stack:
            node = self._nodes[stack.pop()]
            yield node
            stack.extend(reversed(node.children))

    def leaves(self) -> list[Node]:
        """Blocks without children, best first."""
        ends = [node for node in self._nodes.values() if not node.children]
        return sorted(ends, key=lambda node: node.order, reverse=True)

    def common_ancestor(self, first: Hash, second: Hash) -> Hash:
        """Highest block that both descend from (or are)."""
        one, two = self._nodes[first], self._nodes[second]
        while one is not two:
            if one.number >= two.number:
                one = self._nodes[one.parent]
            else:
                two = self._nodes[two.parent]
        return one.hash

    def path(self, above: Hash, to: Hash) -> list[Hash]:
        """Blocks above an ancestor up to and with a descendant, oldest first."""
        blocks: list[Hash] = []
        for node in self.walk_up(to):
            if node.hash == above:
                break
            blocks.append(node.hash)
        return blocks[::-1]

    def abandoned_by(self, new_root: Hash) -> list[Hash]:
        """Blocks that finalising a block rules out, parents first."""
        chain = {node.hash for node in self.walk_up(new_root)}
        stack = [self.root.hash]
        dead: list[Hash] = []
        while stack:
            for child in self._nodes[stack.pop()].children:
                if child not in chain:
                    dead.extend(node.hash for node in self.walk_down(child))
                elif child != new_root:
                    stack.append(child)
        return dead

    def reroot(self, new_root: Hash) -> None:
        """Drop everything but a block and its descendants."""
        kept = {node.hash: node for node in self.walk_down(new_root)}
        self._nodes = kept
        self.root = kept[new_root]
