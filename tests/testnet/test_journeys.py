"""Waiting for messages: until they are final, and not for ever."""

import asyncio
from pathlib import Path

import pytest

from substrate.types import Hash
from testnet.clock import run_virtual
from testnet.errors import RunFailed
from testnet.journeys import Journeys
from testnet.record import Record

EXTRINSIC = Hash(b"e" * 32)


def write(record: Record, *tables: str, ok: bool = True, fork: str = "0xb") -> None:
    rows: dict[str, dict[str, object]] = {
        "extrinsics": {"chain": "1000", "block": 1, "block_hash": "0xa", "extrinsic": 0, "hash": EXTRINSIC, "ok": ok},
        "messages": {"message_id": "0xm", "origin": "1000", "dest": "2000", "block": 1, "block_hash": "0xa"},
        "outcomes": {"message_id": "0xm", "origin": "1000", "chain": "2000", "block": 2, "block_hash": fork},
        "finality": {"chain": "2000", "block": 2, "hash": "0xb"},
    }
    rows["messages"]["extrinsic"] = EXTRINSIC
    rows["extrinsics"] |= {"call": "polkadot_xcm.send", "error": None if ok else "BadOrigin"}
    rows["outcomes"]["ok"] = True
    for table in tables:
        record.row(table, at=0, **rows[table])


def waited(path: Path, *steps: tuple[str, ...], ok: bool = True) -> float:
    """Virtual seconds until the message is final; a step each second."""

    async def main() -> float:
        record = Record(path / "run.sqlite")
        journeys = Journeys(record)

        async def act() -> None:
            for tables in steps:
                await asyncio.sleep(1)
                write(record, *tables, ok=ok)

        async with asyncio.TaskGroup() as tasks:
            acting = tasks.create_task(act())
            try:
                await journeys.until_final([EXTRINSIC], seconds=10)
            finally:
                acting.cancel()
                record.close()
        return asyncio.get_running_loop().time()

    return run_virtual(main())


def test_a_message_is_waited_for_until_its_execution_is_final(tmp_path: Path) -> None:
    assert waited(tmp_path, ("extrinsics", "messages"), ("outcomes",), ("finality",), ()) == 3


def test_finality_may_be_known_before_the_execution(tmp_path: Path) -> None:
    assert waited(tmp_path, ("finality",), ("extrinsics", "messages", "outcomes"), ()) == 2


@pytest.mark.parametrize(
    ("steps", "ok", "said"),
    [
        ((("extrinsics",),), False, "an extrinsic failed: polkadot_xcm.send: BadOrigin"),
        ((("extrinsics", "messages"), ("outcomes",)), True, "after 10 s 1 of 1 transfers are not final"),
    ],
)
def test_what_does_not_come_is_told(tmp_path: Path, steps: tuple[tuple[str, ...], ...], ok: bool, said: str) -> None:
    with pytest.raises(ExceptionGroup) as failure:
        waited(tmp_path, *steps, ok=ok)

    assert failure.group_contains(RunFailed, match=said)
