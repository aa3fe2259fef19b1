"""The record's views: forks that were abandoned do not count, and what happens twice is told apart."""

from collections.abc import Generator
from pathlib import Path

import pandas as pd
import pytest

import testnet
from testnet.record import Record

LEG = {"message_id": "0xm", "origin": "1000", "dest": "2000"}


@pytest.fixture
def record(tmp_path: Path) -> Generator[Record]:
    record = Record(tmp_path / "run.sqlite")
    yield record
    record.close()


def frame(record: Record, table: str) -> pd.DataFrame:
    """A view of what was written so far."""
    record.flush()
    run = testnet.load(record.path)
    found = run.df(table)
    run.close()
    return found


def moments(*times_us: int | None) -> list[object]:
    return [pd.NaT if each is None else pd.Timestamp(each, unit="us", tz="UTC") for each in times_us]


def execute(record: Record, fork: str, at: int) -> None:
    """The message, executed in one of the blocks 5 of its destination."""
    block = {"chain": "2000", "block": 5, "block_hash": f"0xe{fork}"}
    record.row("outcomes", **block, message_id="0xm", origin="1000", ok=True, at=at)
    record.row("hops", **LEG, **block, stage="executed", at=at)


def reach(record: Record, stage: str, head: str, block: int, fork: str, at: int) -> None:
    """The relay chain's word on a parachain's block."""
    record.row(
        "candidates", candidate=f"0xc{head}", stage=stage, chain="relay", head=head, block=block,
        block_hash=f"0xr{block}{fork}", at=at,
    )  # fmt: skip


def test_a_block_counts_as_included_where_the_relay_block_is_kept(record: Record) -> None:
    """Given a block included at relay block 6, early on fork F and later on G. When G is final. Then G counts."""
    record.row("messages", **LEG, block=1, block_hash="0xs", at=1)
    execute(record, "", at=5)
    reach(record, "included", "0xe", 6, "F", at=6)
    reach(record, "included", "0xe", 6, "G", at=9)
    record.row("finality", chain="relay", block=6, hash="0xr6G", at=10)

    hops = frame(record, "hops")

    assert frame(record, "messages").latency.tolist() == [pd.Timedelta(8, unit="us")]
    assert hops[["stage", "block_hash"]].to_numpy().tolist() == [["executed", "0xe"], ["dest_included", "0xr6G"]]
    assert hops["at"].tolist() == moments(5, 9)


def test_what_became_of_an_abandoned_block_is_no_hop_of_its_messages(record: Record) -> None:
    """Given a message executed on two forks, both backed. When G is final. Then the way leads through G alone."""
    for fork, at in (("F", 5), ("G", 6)):
        execute(record, fork, at)
        reach(record, "backed", f"0xe{fork}", 7, "", at=at + 2)
    record.row("finality", chain="2000", block=5, hash="0xeG", at=10)

    hops = frame(record, "hops")

    assert hops.stage.tolist() == ["executed", "dest_backed", "final"]
    assert hops["at"].tolist() == moments(6, 8, 10)


def test_a_message_sent_again_has_not_gone_the_first_ones_way(record: Record) -> None:
    for block in (1, 8):
        record.row("messages", **LEG, block=block, block_hash=f"0xs{block}", at=block)
    record.row("hops", **LEG, stage="routed", chain="relay", block=3, block_hash="0xr3", at=3)

    messages = frame(record, "messages").sort_values("sent_block")

    assert messages.routed_at.tolist() == moments(3, None)
    assert messages.status.tolist() == ["routed", "sent"]


def test_a_claim_is_of_one_trap_where_two_hold_the_same(record: Record) -> None:
    for block, action, who in ((1, "trapped", None), (2, "trapped", None), (3, "claimed", "alice")):
        record.row("traps", chain="2000", block=block, block_hash=f"0x{block}", hash="0xt", action=action, who=who,
                   at=block)  # fmt: skip

    trapped = frame(record, "trapped").sort_values("block")

    assert trapped["at"].tolist() == moments(1, 2)
    assert trapped.claimed_at.tolist() == moments(3, None)
