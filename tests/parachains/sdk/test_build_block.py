"""Building: how much goes into a block, and whose turn it is."""

from dataclasses import replace

import pytest

from parachains.sdk.build_block import BuildError
from parachains.sdk.message_queue import Parent
from substrate.crypto.keys import dev_pair
from substrate.crypto.multi import Id
from substrate.types import AccountId, Weight
from testnet.examples.bazaar import Bazaar
from tests.parachains.sdk.test_plugin import AUTHOR, BOB, Para


def transfers(para: Para, count: int) -> list[bytes]:
    dest = Id(AccountId(BOB.public))
    return [para.sign("Balances.transfer_keep_alive", dest=dest, value=10**9) for _ in range(count)]


def too_heavy(para: Para, count: int) -> list[bytes]:
    """Extrinsics that weigh more than a block takes; each would be its sender's next."""
    execute, weight = "MessageQueue.execute_overweight", Weight(10**13, 0)
    heavy = para.sign(execute, BOB, message_origin=Parent(), page=0, index=0, weight_limit=weight)
    para.nonces[BOB.public] -= 1
    return [heavy] * count


@pytest.mark.parametrize("limit", [8_000, 12_000, 20_000])
def test_a_block_stays_within_the_proof_limit_and_says_what_is_left(limit: int) -> None:
    para = Para()
    para.relay.max_pov_size = limit
    sent = transfers(para, 200)

    made = para.block(*sent)

    assert len(made.block_data) <= limit
    assert 0 < len(made.included) < 200
    assert [*made.included, *(left.extrinsic for left in made.rejected)] == sent
    assert all(left.retry for left in made.rejected)


@pytest.mark.parametrize(("misfits", "included"), [(7, 1), (8, 0)])
def test_a_block_is_full_when_so_many_in_a_row_do_not_fit(misfits: int, included: int) -> None:
    para = Para()
    sent = [*too_heavy(para, misfits), *transfers(para, 1)]

    made = para.block(*sent)

    assert [*made.included] == sent[misfits : misfits + included]
    assert [left.extrinsic for left in made.rejected] == sent[: misfits + 1 - included]
    assert all(left.retry for left in made.rejected)


def test_what_does_not_fit_here_and_there_does_not_fill_a_block() -> None:
    para = Para()
    fitting = transfers(para, 3)

    made = para.block(*(extrinsic for each in fitting for extrinsic in (*too_heavy(para, 7), each)))

    assert [*made.included] == fitting
    assert len(made.rejected) == 21


def test_what_there_is_no_time_for_waits_for_a_later_block() -> None:
    para = Para()
    sent = transfers(para, 5)
    asked = iter([True, True, False])
    context = replace(para.relay.context(*sent, parent=para.head, author=AUTHOR), has_time=lambda: next(asked))

    made = Bazaar.collate(para.head, para.state, context)

    assert [*made.included] == sent[:2]
    assert [(left.extrinsic, left.retry) for left in made.rejected] == [(raw, True) for raw in sent[2:]]


def test_no_block_fits_into_a_proof_that_is_too_small() -> None:
    para = Para()
    para.relay.max_pov_size = 1_000

    with pytest.raises(BuildError, match=r"PovTooBig \(size=\d+, limit=1000\)"):
        para.collate()


@pytest.mark.parametrize("author", [None, dev_pair("Mallory", "ed25519")])
def test_only_the_slots_author_builds(author: object) -> None:
    para = Para()
    context = replace(para.relay.context(parent=para.head, author=AUTHOR), author=author)

    with pytest.raises(BuildError, match="NotOurTurn"):
        Bazaar.collate(para.head, para.state, context)


def test_what_can_never_be_included_is_dropped_for_good() -> None:
    para = Para()
    (first,) = transfers(para, 1)
    para.block(first)

    made = para.block(first, b"\x00")

    assert made.included == ()
    assert [left.retry for left in made.rejected] == [False, False]
