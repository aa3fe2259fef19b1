"""The authority set: a scheduled change waits for its block."""

import pytest

from substrate.block import Digest, Header
from substrate.consensus.grandpa.authorities import AuthoritySet, PendingChange
from substrate.consensus.grandpa.blocks import BlockRef
from substrate.consensus.grandpa.testing import BlockTree
from substrate.consensus.grandpa.types import AuthorityId, AuthorityList, ScheduledChange, digest_item
from substrate.types import BlockNumber, Hash

OLD: AuthorityList = ((AuthorityId(b"\1" * 32), 1),)
NEW: AuthorityList = ((AuthorityId(b"\2" * 32), 1),)
GENESIS = Hash(bytes(32))


@pytest.mark.parametrize(("height", "due"), [(1, False), (2, False), (3, True), (4, True)])
def test_a_change_is_in_force_once_a_block_at_its_height_is_final(height: int, due: bool) -> None:
    tree = BlockTree(GENESIS)
    change = Digest((digest_item(ScheduledChange(NEW, BlockNumber(2))),))
    signal = Header(GENESIS, BlockNumber(1), GENESIS, GENESIS, change)
    chain: list[BlockRef] = [tree.add(signal)]
    for _ in range(3):
        chain.append(tree.extend(chain[-1].hash))
    waiting = AuthoritySet(OLD).with_header(signal)
    assert waiting == AuthoritySet(OLD, 0, (PendingChange(NEW, BlockNumber(2), BlockNumber(1), signal.hash),))

    found = waiting.finalize(chain[height - 1], tree)

    assert found == (AuthoritySet(NEW, 1) if due else waiting)
