"""Waiting for messages: until they are final, on the fork that counts, and not for ever."""

import asyncio
from pathlib import Path

import pytest

from substrate.types import Hash
from testnet.clock import run_virtual
from testnet.errors import RunFailed
from testnet.journeys import Journey, Journeys
from testnet.record import Record

EXTRINSIC = Hash(b"e" * 32)
ROWS: dict[str, dict[str, object]] = {
    "extrinsics": {"chain": "1000", "extrinsic": 0, "hash": EXTRINSIC, "call": "polkadot_xcm.send", "ok": True},
    "messages": {"message_id": "0xm", "origin": "1000", "dest": "2000", "extrinsic": EXTRINSIC},
    "outcomes": {"message_id": "0xm", "origin": "1000", "chain": "2000", "ok": True},
}


def sends(block: str, message: str = "0xm", **extrinsic: object) -> list[tuple[str, dict[str, object]]]:
    """A block of 1000 with the extrinsic, which sends a message there unless it fails."""
    place: dict[str, object] = {"block": 1, "block_hash": block}
    failing = ("extrinsics", ROWS["extrinsics"] | place | extrinsic)
    return [failing] if extrinsic else [failing, ("messages", ROWS["messages"] | place | {"message_id": message})]


def executes(block: str, message: str = "0xm") -> list[tuple[str, dict[str, object]]]:
    """A block of 2000 that executes the message."""
    return [("outcomes", ROWS["outcomes"] | {"block": 2, "block_hash": block, "message_id": message})]


def final(chain: str, block: str) -> list[tuple[str, dict[str, object]]]:
    return [("finality", {"chain": chain, "block": 1, "hash": block})]


def waited(path: Path, *steps: list[tuple[str, dict[str, object]]]) -> tuple[float, list[Journey]]:
    """Virtual seconds until the message is final, and what is; a step each second."""

    async def main() -> tuple[float, list[Journey]]:
        record = Record(path / "run.sqlite")
        journeys = Journeys(record)

        async def act() -> None:
            for rows in steps:
                await asyncio.sleep(1)
                for table, row in rows:
                    record.row(table, at=0, **row)

        async with asyncio.TaskGroup() as tasks:
            acting = tasks.create_task(act())
            try:
                found = await journeys.until_final([EXTRINSIC], seconds=10)
            finally:
                acting.cancel()
                record.close()
        return asyncio.get_running_loop().time(), found

    return run_virtual(main())


def test_a_message_is_waited_for_until_its_execution_is_final(tmp_path: Path) -> None:
    steps = (sends("0xa"), executes("0xb"), final("1000", "0xa"), final("2000", "0xb"), [])

    assert waited(tmp_path, *steps)[0] == 4


def test_finality_may_be_known_before_the_execution(tmp_path: Path) -> None:
    steps = (final("1000", "0xa") + final("2000", "0xb"), sends("0xa") + executes("0xb"), [])

    assert waited(tmp_path, *steps)[0] == 2


@pytest.mark.parametrize("same", [True, False])
def test_what_was_sent_on_an_abandoned_fork_is_not_waited_for(tmp_path: Path, same: bool) -> None:
    """On another fork the message may have the same id or another one."""
    ids = ("0xm", "0xm") if same else ("0xm", "0xn")
    forks = sends("0xa", ids[0]) + sends("0xc", ids[1]) + executes("0xb", ids[0]) + executes("0xd", ids[1])

    seconds, found = waited(tmp_path, forks, final("1000", "0xc"), final("2000", "0xd"), [])

    assert seconds == 3
    assert [(each.id, each.sent["block_hash"]) for each in found] == [(ids[1], "0xc")]


def test_an_extrinsic_that_fails_on_an_abandoned_fork_may_yet_succeed(tmp_path: Path) -> None:
    forks = sends("0xa", ok=False, error="BadOrigin") + sends("0xc") + executes("0xd")

    assert waited(tmp_path, forks, final("1000", "0xc") + final("2000", "0xd"), [])[0] == 2


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (
            (sends("0xa", ok=False, error="BadOrigin"), final("1000", "0xa")),
            "an extrinsic failed: polkadot_xcm.send: BadOrigin",
        ),
        (
            (sends("0xa"), executes("0xb"), final("1000", "0xa")),
            "after 10 s 1 of 1 transfers are not final",
        ),
    ],
)
def test_what_does_not_come_is_told(
    tmp_path: Path, steps: tuple[list[tuple[str, dict[str, object]]], ...], said: str
) -> None:
    with pytest.raises(ExceptionGroup) as failure:
        waited(tmp_path, *steps)

    assert failure.group_contains(RunFailed, match=said)
