"""What a chain does by its own rules, and its channels, as its blocks tell: of made-up blocks of the relay chain."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

import testnet
import testnet.messages
from relaychain.primitives.messages import HrmpChannelId
from relaychain.primitives.types import ParaId
from relaychain.runtime.hrmp import Hrmp
from relaychain.runtime.hrmp_rules import HrmpChannel
from relaychain.runtime.loader import load_relay_runtime
from substrate.block import Block, Digest, Header
from substrate.client.importing import Execution
from substrate.pallets.balances import Balances
from substrate.pallets.system import System
from substrate.pallets.system_types import ApplyExtrinsic, Finalization, Phase
from substrate.runtime.assembly import CODE_KEY, Runtime
from substrate.scale.types import Struct
from substrate.state import Overlay
from substrate.trie.trie import Trie
from substrate.types import AccountId, Balance, BlockNumber, Hash
from testnet.bundler import NodeBundler
from testnet.genesis import relay_genesis
from testnet.issuance import OwnChanges
from testnet.manifest import demo_manifest_path
from testnet.manifest_reader import load_manifest
from testnet.messages import MessageObserver
from testnet.observing import Executed
from testnet.paras import load_paras
from testnet.places import Naming
from testnet.record import Record

ALICE, BOB = AccountId(b"a" * 32), AccountId(b"b" * 32)
GENESIS = Hash(bytes(32))
IN_AN_EXTRINSIC = ApplyExtrinsic(0)


@cache
def genesis() -> tuple[Trie, type[Runtime]]:
    manifest = load_manifest(demo_manifest_path())
    state = relay_genesis(manifest, load_paras(manifest, NodeBundler()))
    code = state.get(CODE_KEY)
    assert code is not None
    return state, load_relay_runtime(code)


def executed(
    name: str, *events: Struct, parent: Hash = GENESIS, phase: Phase = IN_AN_EXTRINSIC, state: Trie | None = None
) -> Executed:
    """A block called `name` with these events of the balances pallet."""
    trie, runtime = genesis()
    scratch = runtime(Overlay(trie))
    system = scratch.pallet(System)
    system.block_number.put(BlockNumber(1))
    system.execution_phase.put(phase)
    for event in events:
        scratch.pallet(Balances).deposit_event(event)
    header = Header(parent, BlockNumber(1), GENESIS, GENESIS, Digest())
    execution = Execution(trie if state is None else state, runtime, system.block_events())
    return Executed(Block(header, ()), Hash(name.encode().ljust(32)), execution, runtime)


def own_changes(*blocks: Executed) -> OwnChanges:
    own = OwnChanges(None, ())
    for block in blocks:
        own.take(block)
    return own


def test_changes_are_summed_along_each_branch() -> None:
    first = executed("first", Balances.Minted(who=ALICE, amount=Balance(5)))
    left = executed("left", Balances.Burned(who=ALICE, amount=Balance(2)), parent=first.hash)
    right = executed("right", Balances.Minted(who=BOB, amount=Balance(3)), parent=first.hash)
    own = own_changes(first, left, right)

    assert own.at(left.hash) == {((), None): 3, ((), ALICE): 3}
    assert own.at(right.hash) == {((), None): 8, ((), ALICE): 5, ((), BOB): 3}


def test_a_transfer_gives_to_one_what_it_takes_from_the_other() -> None:
    block = executed("one", Balances.Transfer(from_=ALICE, to=BOB, amount=Balance(7)))

    assert own_changes(block).at(block.hash) == {((), BOB): 7, ((), ALICE): -7}


@pytest.mark.parametrize("phase", [Finalization(), IN_AN_EXTRINSIC])
def test_dust_is_lost_wherever_it_falls(phase: Phase) -> None:
    block = executed("one", Balances.DustLost(account=ALICE, amount=Balance(4)), phase=phase)

    assert own_changes(block).at(block.hash) == {((), None): -4, ((), ALICE): -4}


def test_what_hooks_mint_is_not_a_chains_own() -> None:
    block = executed("one", Balances.Minted(who=ALICE, amount=Balance(4)), phase=Finalization())

    assert own_changes(block).at(block.hash) == {}


class StoppedClock:
    def now_us(self) -> int:
        return 0

    async def sleep_until_us(self, moment_us: int) -> None:
        raise NotImplementedError


def channel_rows(directory: Path, blocks: Sequence[Executed]) -> list[tuple[int, int]]:
    record = Record(directory / "run.sqlite")
    observer = MessageObserver(Naming({}, {}, {None: ()}), StoppedClock(), record)
    for block in blocks:
        observer.of_chain(None)(block)
    record.close()
    run = testnet.load(directory)
    rows = list(zip(run.channels.sender, run.channels.capacity, strict=True))
    run.close()
    assert len(observer._channels) <= testnet.messages.REMEMBERED
    return rows


def test_a_channel_that_opens_without_an_inclusion_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testnet.messages, "REMEMBERED", 2)
    trie, runtime = genesis()
    overlay = Overlay(trie)
    channel = HrmpChannel(3, 100, 100, 0, 0, None, Balance(0), Balance(0))
    runtime(overlay).pallet(Hrmp).hrmp_channels[HrmpChannelId(ParaId(7), ParaId(8))] = channel
    blocks = [executed("0")]
    for number in range(1, 5):
        state = overlay.finish() if number >= 3 else trie
        blocks.append(executed(str(number), parent=blocks[-1].hash, state=state))

    assert channel_rows(tmp_path, blocks) == [(1000, 8), (2000, 8), (7, 3)]
