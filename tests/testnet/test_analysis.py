"""The record as DataFrames: what follows from the facts, in types that lose nothing."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import testnet
from testnet.analysis import Run
from testnet.record import Record, RecordError

SECOND = 1_000_000


def hashed(chain: str, number: int, fork: int = 0) -> str:
    return f"0x{chain}{number}{fork}"


def write_message(record: Record, number: int, latency: int | None, *, ok: bool = True, block: int = 1) -> None:
    message = f"0xm{number}"
    record.row(
        "messages", message_id=message, origin="assets", dest="bazaar", block=block, block_hash=hashed("a", block),
        position=number, fee_delivery=2**70, at=block * SECOND, kind="HRMP",
    )  # fmt: skip
    way = {"message_id": message, "origin": "assets", "dest": "bazaar"}
    record.row("hops", **way, stage="routed", chain="relay", block=3, block_hash="0xr3", at=3 * SECOND)
    if latency is not None:
        block = {"chain": "bazaar", "block": 5 + number, "block_hash": hashed("b", 5 + number)}
        record.row(
            "outcomes", **block, message_id=message, origin="assets", ok=ok, error=None if ok else "TooExpensive",
            error_index=None if ok else 2, fee_execution=3, at=SECOND,
        )  # fmt: skip
        record.row("hops", **way, **block, stage="executed", at=5 * SECOND)
        symbol, decimals = ("UNIT", 12) if number else ("USDX", 6)
        record.row(
            "assets", **block, message_id=message, role="fee", asset=symbol, symbol=symbol, decimals=decimals,
            amount_raw=3, at=SECOND,
        )  # fmt: skip
        for relay in (4, 5):  # forks may include it twice
            record.row(
                "candidates", candidate=f"0xc{number}", stage="included", chain="relay", head=block["block_hash"],
                block=relay, block_hash=hashed("r", relay), at=(1 + latency + relay - 4) * SECOND,
            )  # fmt: skip
        record.row("finality", chain="bazaar", block=5 + number, hash=block["block_hash"], at=9 * SECOND)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    record = Record(tmp_path / "run.sqlite")
    record.note("name", "demo")
    for number in range(10):
        write_message(record, number, number)
    write_message(record, 10, 4, ok=False)
    write_message(record, 11, 4, ok=False)
    record.row(
        "traps", chain="bazaar", block=16, block_hash=hashed("b", 16), action="trapped", message_id="0xm11", hash="0xt",
        at=5 * SECOND, assets=[["Here", 5]],
    )  # fmt: skip
    write_message(record, 12, None)
    record.row("channels", sender=1000, recipient=2000, block=1, block_hash="0xr1", at=SECOND)
    record.close()
    return testnet.load(tmp_path)


def test_the_summary_is_by_channel(run: Run) -> None:
    [row] = run.summary().to_dict("records")

    assert (row["origin"], row["dest"]) == ("assets", "bazaar")
    assert [row[name] for name in ("count", "ok", "failed", "trapped")] == [13, 10, 1, 1]
    assert row["p50"] == pd.Timedelta("4s")
    assert (row["p90"], row["p99"]) == (pd.Timedelta("7.9s"), pd.Timedelta("8.89s"))
    assert (row["fee_delivery"], row["fee_execution"]) == (13 * 2**70, "0.000000000033 UNIT, 0.000003 USDX")


def test_the_summary_may_count_until_final(run: Run) -> None:
    [row] = run.summary(until="final").to_dict("records")

    assert (row["p50"], row["p99"]) == (pd.Timedelta("8s"), pd.Timedelta("8s"))


def test_status_and_latency_follow_from_the_facts(run: Run) -> None:
    status = dict(zip(run.messages.message_id, run.messages.status, strict=True))

    assert status["0xm1"] == "final"
    assert status["0xm10"] == "failed"
    assert status["0xm11"] == "trapped"
    assert status["0xm12"] == "routed"
    by_id = run.messages.set_index("message_id")
    assert by_id.latency["0xm7"] == pd.Timedelta("7s")
    assert by_id.latency_final["0xm7"] == pd.Timedelta("8s")
    assert pd.isna(by_id.latency["0xm12"])


def test_a_message_to_a_parachain_takes_until_its_block_is_included(run: Run) -> None:
    hops = run.hops[run.hops.message_id == "0xm7"].set_index("stage")

    assert run.messages.set_index("message_id").executed_at["0xm7"] == pd.Timestamp(1, unit="s", tz="UTC")
    assert run.messages.set_index("message_id").latency["0xm7"] == pd.Timedelta("7s")
    assert (hops.chain["dest_included"], hops.block["dest_included"]) == ("relay", 4)
    assert hops["at"]["dest_included"] == pd.Timestamp(8, unit="s", tz="UTC")


def test_types_lose_nothing(run: Run) -> None:
    messages = run.messages

    assert str(messages.sent_at.dtype) == "datetime64[ns, UTC]"
    assert str(messages.latency.dtype) == "timedelta64[ns]"
    assert str(messages.sent_block.dtype) == "UInt32"
    assert str(messages.ok.dtype) == "boolean"
    assert messages.status.cat.ordered
    assert messages.fee_delivery.tolist() == [2**70] * 13
    assert (messages.error_index == 2).sum() == 2
    assert run.outcomes.fee_execution.sum() == 36
    assert (messages.status >= "executed").sum() == 12


def test_hops_know_the_time_since_the_stage_before(run: Run) -> None:
    hops = run.hops[run.hops.message_id == "0xm4"].set_index("stage")

    assert hops["dt"]["executed"] == pd.Timedelta("2s")
    assert pd.isna(hops["dt"]["routed"])


def test_abandoned_forks_do_not_count(tmp_path: Path) -> None:
    record = Record(tmp_path / "run.sqlite")
    for fork in (0, 1):
        record.row("blocks", chain="relay", block=1, hash=hashed("r", 1, fork), at=SECOND)
        record.row(
            "messages",
            message_id="0xm",
            origin="relay",
            dest="assets",
            block=1,
            block_hash=hashed("r", 1, fork),
            at=fork,
        )
    record.row("blocks", chain="relay", block=2, hash="0xr2", at=2 * SECOND)
    record.row("finality", chain="relay", block=1, hash=hashed("r", 1, 1), at=3 * SECOND)
    record.close()
    run = testnet.load(tmp_path)

    assert run.blocks.set_index("hash").status.to_dict() == {"0xr10": "fork", "0xr11": "final", "0xr2": "best"}
    assert run.messages.sent_at.tolist() == [pd.Timestamp(1, unit="us", tz="UTC")]
    run.close()


def leg_of(message: str) -> dict[str, str]:
    return {"message_id": message, "origin": "1000", "dest": "2000"}


def execute(record: Record, message: str, block: int, fork: str = "", **columns: object) -> None:
    record.row(
        "outcomes", chain="2000", origin="1000", message_id=message, block=block, block_hash=f"0xe{block}{fork}",
        at=block, **columns,
    )  # fmt: skip


def test_what_happened_on_an_abandoned_fork_does_not_touch_a_message(tmp_path: Path) -> None:
    """Given a message routed, trapped and failed on forks. When it succeeds in final blocks. Then those count."""
    record = Record(tmp_path / "run.sqlite")
    record.row("messages", **leg_of("0xm"), block=1, block_hash="0xs", at=1)
    for fork, at in (("F", 2), ("G", 3)):
        record.row("hops", **leg_of("0xm"), stage="routed", chain="relay", block=3, block_hash=f"0xr{fork}", at=at)
    execute(record, "0xm", 5, "F", ok=False, error="TooExpensive")
    record.row("traps", chain="2000", block=5, block_hash="0xe5F", hash="0xt", action="trapped", message_id="0xm", at=5)
    execute(record, "0xm", 5, "G", ok=True)
    record.row("finality", chain="2000", block=5, hash="0xe5G", at=9)
    record.row("finality", chain="relay", block=3, hash="0xrG", at=9)
    record.close()
    run = testnet.load(tmp_path)

    [message] = run.messages.to_dict("records")
    assert (message["status"], message["ok"], pd.isna(message["error"])) == ("final", True, True)
    assert message["routed_at"] == pd.Timestamp(3, unit="us", tz="UTC")
    run.close()


def test_a_message_sent_again_under_its_topic_is_a_message_of_its_own(tmp_path: Path) -> None:
    """Given one program with one topic sent thrice, once on two forks. Then each sending has its own outcome."""
    record = Record(tmp_path / "run.sqlite")
    for block, fork in ((1, "F"), (1, "G"), (2, ""), (8, "")):
        record.row("messages", **leg_of("0xm"), block=block, block_hash=f"0xs{block}{fork}", at=block)
    for block in (3, 9):
        record.row(
            "hops", **leg_of("0xm"), stage="routed", chain="relay", block=block, block_hash=f"0xr{block}", at=block
        )
    execute(record, "0xm", 5, "F", ok=True)
    execute(record, "0xm", 5, "G", ok=True)
    execute(record, "0xm", 6, ok=False, error="TooExpensive")
    record.close()
    run = testnet.load(tmp_path)

    messages = run.messages.sort_values("sent_block")
    assert messages.sent_block.tolist() == [1, 2, 8]
    assert messages.status.tolist() == ["executed", "failed", "routed"]
    assert messages.executed_block.tolist() == [5, 6, pd.NA]
    run.close()


def test_a_candidate_is_one_row_with_its_stages(tmp_path: Path) -> None:
    record = Record(tmp_path / "run.sqlite")
    for stage, block in (("backed", 1), ("included", 2)):
        record.row(
            "candidates", candidate="0xc", stage=stage, para_id=1000, chain="assets", head="0xh", block=block,
            block_hash=f"0xr{block}", at=block * SECOND, backers=["alice", "bob"] if stage == "backed" else None,
        )  # fmt: skip
    record.row("blocks", chain="assets", para_id=1000, block=7, hash="0xh", at=SECOND)
    record.row("finality", chain="relay", block=2, hash="0xr2", at=4 * SECOND)
    record.close()
    run = testnet.load(tmp_path)

    [candidate] = run.candidates.to_dict("records")
    assert (candidate["outcome"], candidate["relay_block"], candidate["backers"]) == ("included", 2, '["alice","bob"]')
    assert candidate["final_at"] - candidate["backed_at"] == pd.Timedelta("3s")
    assert run.blocks.included_at[0] == candidate["included_at"]
    run.close()


def test_a_trap_is_open_until_it_is_claimed(tmp_path: Path) -> None:
    record = Record(tmp_path / "run.sqlite")
    trap = {"chain": "assets", "block": 1, "block_hash": "0x1", "hash": "0xt", "message_id": "0xm"}
    record.row("traps", **trap, action="trapped", at=1)
    record.row("traps", **(trap | {"hash": "0xu"}), action="trapped", at=1)
    record.row("traps", **(trap | {"block_hash": "0x2"}), action="claimed", who="alice", at=2)
    record.close()
    run = testnet.load(tmp_path)

    assert run.trapped.claimed_by.isna().tolist() == [False, True]
    run.close()


def test_amounts_are_also_given_in_tokens(tmp_path: Path) -> None:
    record = Record(tmp_path / "run.sqlite")
    record.row(
        "assets", chain="a", block=1, block_hash="0x", message_id="0xm", role="fee", asset="Here", decimals=12,
        amount_raw=2_500_000_000_000,
    )  # fmt: skip
    record.close()
    run = testnet.load(tmp_path)

    assert run.assets.amount.tolist() == [2.5]
    assert run.assets.amount_raw.tolist() == [2_500_000_000_000]
    run.close()


def test_every_table_of_an_empty_record_is_a_frame(tmp_path: Path) -> None:
    Record(tmp_path / "run.sqlite").close()
    run = testnet.load(tmp_path)

    for name in run.schema()["table"].unique():
        assert len(getattr(run, name)) == 0
    assert run.summary().empty
    run.close()


def test_a_running_record_is_read_again(tmp_path: Path) -> None:
    record = Record(tmp_path / "run.sqlite")
    run = testnet.load(tmp_path)
    assert len(run.blocks) == 0
    record.row("blocks", chain="relay", block=1, hash="0x1", at=1)
    record.flush()

    assert len(run.blocks) == 0
    assert len(run.refresh().blocks) == 1
    run.close()
    record.close()


def test_parts_sql_digest_and_export(run: Run, tmp_path: Path) -> None:
    assert run.df("hops", columns=["stage", "at"], chain="bazaar", since_us=0).columns.tolist() == ["stage", "at"]
    assert run.sql("SELECT COUNT(*) AS n FROM messages WHERE status = ?", ["final"]).n[0] == 10
    assert run.digest().startswith("0x")
    assert run.meta["name"] == "demo"
    written = run.export(tmp_path / "out")
    messages = pd.read_csv(tmp_path / "out" / "messages.csv")
    assert len(written) == len(set(written)) > 12
    assert int(messages.fee_delivery[0]) == 2**70


@pytest.mark.parametrize(
    ("table", "wanted", "count"),
    [
        ("messages", {"chain": "bazaar", "since_us": SECOND}, 13),
        ("messages", {"chain": "assets", "since_us": SECOND + 1}, 0),
        ("messages", {"chain": "relay"}, 0),
        ("candidates", {"chain": "relay"}, 12),
        ("channels", {"chain": "2000"}, 1),
        ("trapped", {"chain": "bazaar", "since_us": 0}, 1),
    ],
)
def test_a_part_is_by_the_columns_that_a_table_has(run: Run, table: str, wanted: dict[str, Any], count: int) -> None:
    assert len(run.df(table, **wanted)) == count


def test_a_part_that_cannot_be_names_what_there_is(run: Run) -> None:
    with pytest.raises(RecordError, match=r"^run cannot be filtered by chain; its columns are name, value$"):
        run.df("run", chain="relay")
    with pytest.raises(RecordError, match=r"^run cannot be filtered by since_us; its columns are name, value$"):
        run.df("run", since_us=0)
    with pytest.raises(RecordError, match=r"^run has no column 'colour'; its columns are name, value$"):
        run.df("run", columns=["colour"])
    with pytest.raises(RecordError, match=r"^a record has no table 'colours'; it has assets, blocks,"):
        run.df("colours")


def test_candidates_that_nobody_backed_are_refused(tmp_path: Path) -> None:
    record = Record(tmp_path / "run.sqlite")
    for name, stages in (("0xa", ["collated"]), ("0xb", ["collated", "backed"]), ("0xc", ["collated"])):
        for stage in stages:
            record.row("candidates", candidate=name, stage=stage, chain="relay", at=1)
    for name in ("0xa", "0xb"):
        record.row("refusals", chain="relay", candidate=name, check="Timeout", node="bob", at=2)
    record.close()
    run = testnet.load(tmp_path)

    assert run.candidates.set_index("candidate").outcome.to_dict() == {"0xa": "refused", "0xb": "open", "0xc": "open"}
    run.close()


def test_the_latest_run_is_one_with_blocks(tmp_path: Path) -> None:
    for name, blocks in (("first", 1), ("failed", 0), ("starting", 0)):
        (tmp_path / name).mkdir()
        record = Record(tmp_path / name / "run.sqlite")
        for number in range(blocks):
            record.row("blocks", chain="relay", block=number, hash=f"0x{number}", at=number)
        record.close()
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "run.sqlite").write_text("no database")

    assert testnet.load("latest", runs=tmp_path).path.parent.name == "first"


def test_the_latest_run_is_found_and_a_missing_one_is_named(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        Record(tmp_path / name / "run.sqlite").close()

    assert testnet.load("latest", runs=tmp_path).path.parent.name == "b"
    assert testnet.load("a", runs=tmp_path).path.parent.name == "a"
    with pytest.raises(RecordError, match=r"no run in .*; start one with `testnet demo`"):
        testnet.load(runs=tmp_path / "none")
    with pytest.raises(RecordError, match="no record at nowhere"):
        testnet.load("nowhere")
    (tmp_path / "junk").write_text("not a database, but long enough to look like one")
    with pytest.raises(RecordError, match="is not a record"):
        testnet.load(tmp_path / "junk")
    with pytest.raises(AttributeError, match="no table 'colours'"):
        _ = testnet.load(runs=tmp_path).colours


def test_importing_testnet_does_not_import_pandas() -> None:
    code = "import sys, testnet, testnet.cli; assert not {'pandas', 'amqtt', 'substrateinterface'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
