"""A collator that prints money: validators refuse its blocks, and the parachain goes on when it stops.

    python break_a_collator.py

The network runs on the virtual clock, so this takes a second and ends the same every time.
"""

import sys
from pathlib import Path
from tempfile import mkdtemp

import testnet
from parachains.collator.behaviour import Mint, Times
from substrate.types import AccountId
from testnet.clock import run_virtual
from testnet.manifest import Manifest, Node, Parachain, Relaychain, Settings
from testnet.network import heights, running
from testnet.record import Record

MALLORY = AccountId(b"mallory".ljust(32, b"\0"))
SLOTS = 20


async def play(record: Record) -> None:
    network_file = Manifest(
        settings=Settings(seed=7),
        relaychain=Relaychain(nodes=tuple(Node(name=name) for name in ("alice", "bob", "charlie", "dave"))),
        parachains=(Parachain(id=2000, runtime="assets"),),
    )
    async with running(network_file, record) as network:
        [node] = next(iter(network.para_nodes.values()))
        assert node.collator is not None
        node.collator.behaviour = Times(Mint(MALLORY, 10**15), 3)  # three times, then it is honest
        await network.clock.sleep_until_us(network.clock.now_us() + SLOTS * network_file.block_time_us)
        best, final = heights(node)
        print(f"after {SLOTS} slots para 2000 is at block {best}, final {final}")


def main(path: Path) -> None:
    record = Record(path)
    run_virtual(play(record))
    record.close()

    run = testnet.load(path)
    print("\nrefused candidates, why, and by whom:")
    for candidate, refusals in run.refusals.groupby("candidate", sort=False):
        first = refusals.iloc[0]
        print(f"{str(candidate)[:10]}  {first.check}, by {', '.join(refusals.node)}\n    {first.detail}")
    print("\nwhat became of all candidates:")
    print(run.candidates.outcome.value_counts().to_string())
    run.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(mkdtemp()) / "run.sqlite")
