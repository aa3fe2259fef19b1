"""Voters and their weights.

Source: finality-grandpa, `src/voter_set.rs`; primary by derive-primary of the specification.
"""

from collections.abc import Iterable

from substrate.consensus.grandpa.types import AuthorityId

PREVOTE = 0
PRECOMMIT = 1


def threshold(total: int) -> int:
    """Weight that no two conflicting blocks can both gather unless more than a third is faulty."""
    return total - (total - 1) // 3


class VoterSet:
    """An authority set in id order. Votes are bit fields: bit 2i is voter i's prevote, bit 2i+1 its precommit."""

    def __init__(self, authorities: Iterable[tuple[AuthorityId, int]]) -> None:
        weights: dict[AuthorityId, int] = {}
        for voter, weight in authorities:
            if weight:
                weights[voter] = weights.get(voter, 0) + weight
        self.ids: tuple[AuthorityId, ...] = tuple(sorted(weights))
        self.weights: tuple[int, ...] = tuple(weights[voter] for voter in self.ids)
        self._index = {voter: index for index, voter in enumerate(self.ids)}
        self._uniform = self.weights[0] if len(set(self.weights)) == 1 else 0
        self._field = sum(1 << 2 * index for index in range(len(self.ids)))
        self.total = sum(self.weights)
        self.threshold = threshold(self.total)

    def __contains__(self, voter: AuthorityId) -> bool:
        return voter in self._index

    def __len__(self) -> int:
        return len(self.ids)

    def index(self, voter: AuthorityId) -> int | None:
        """Position of a voter, None for strangers."""
        return self._index.get(voter)

    def primary(self, round_number: int) -> AuthorityId:
        """The voter who may hint at a block in this round."""
        return self.ids[round_number % len(self.ids)]

    def bit(self, index: int, phase: int) -> int:
        """The vote of voter `index` in `phase`."""
        return 1 << (2 * index + phase)

    def weight(self, votes: int, phase: int) -> int:
        """Total weight of the voters whose vote of `phase` is in the field."""
        votes = (votes >> phase) & self._field
        if self._uniform:
            return votes.bit_count() * self._uniform
        total = 0
        while votes:
            lowest = votes & -votes
            total += self.weights[(lowest.bit_length() - 1) // 2]
            votes ^= lowest
        return total
