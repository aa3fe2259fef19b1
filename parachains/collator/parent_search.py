"""Which block to build on at a relay parent: from the head included there through the candidates that are pending.

Everything is read at the relay parent, so a reorganisation of the relay chain takes no special path.
Source: polkadot-sdk, `cumulus/client/consensus/common/src/parent_search.rs`.
"""

from collections.abc import Callable, Mapping, Sequence

from relaychain.primitives.candidate import CommittedCandidateReceipt
from relaychain.primitives.types import CoreIndex, HeadData, ParaId

SYNCHRONOUS = 0
"""How many candidates may be pending when a collator builds, before asynchronous backing: the core must be free."""


def find_parent(
    included: HeadData,
    pending: Sequence[CommittedCandidateReceipt],
    *,
    knows: Callable[[HeadData], bool],
    max_pending: int = SYNCHRONOUS,
) -> HeadData | None:
    """The head to build on; None to wait.

    Args:
        included: The para's head in the relay parent's state.
        pending: Candidates that await availability there, oldest first.
        knows: Whether the collator has the block behind a head, and its state.
        max_pending: How many of them the new block may stand on.
    """
    if len(pending) > max_pending:
        return None
    parent = pending[-1].commitments.head_data if pending else included
    return parent if knows(parent) else None


def core_for(para: ParaId, claims: Mapping[CoreIndex, Sequence[ParaId]]) -> CoreIndex | None:
    """The core that takes the para's next candidate: the lowest with the para first in its queue."""
    return min((core for core, queue in claims.items() if queue and queue[0] == para), default=None)
