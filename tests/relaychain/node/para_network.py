"""Validators and collators of Level-0 paras on one virtual clock."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from relaychain.node.active_leaves import Leaf
from relaychain.node.parachains import SharedWork
from relaychain.node.runtime_api import ParachainHostApi
from relaychain.node.validator import RelayNode, SessionKeyPairs, Surroundings
from relaychain.primitives.availability import AvailableData, PoV
from relaychain.primitives.bundle import SourceFile
from relaychain.primitives.candidate import CandidateCommitments, CandidateReceipt, candidate_hash, descriptor_v2
from relaychain.primitives.collation import (
    COLLATION_FETCHING,
    COLLATOR_PROTOCOL,
    AdvertiseCollation,
    CollationFetchingRequest,
    CollationFetchingResponse,
    CollatorProtocolMessage,
    Declare,
    FetchedCollation,
    declare_payload,
)
from relaychain.primitives.core_state import CoreState, Free, Occupied, Scheduled
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import (
    CandidateHash,
    CollatorId,
    CollatorSignature,
    CoreIndex,
    HeadData,
    OccupiedCoreAssumption,
    ParaId,
    ValidationCode,
    head_hash,
    validation_code_hash,
)
from relaychain.primitives.validation import ValidationParams, ValidationResult
from relaychain.pvf.bundle import make_bundle
from relaychain.pvf.host import InlineHost, ValidationHost
from relaychain.runtime.genesis import GenesisPara, RelayGenesis, relay_genesis_state, same_key_for_all
from relaychain.runtime.loader import load_relay_runtime, relay_code
from substrate.block import Header
from substrate.client.importing import ExecutionCache
from substrate.client.rpc.methods_system import NodeInfo
from substrate.crypto.hashing import blake2_256
from substrate.crypto.keys import Ed25519Pair
from substrate.errors import ChainError
from substrate.scale.codec import encode
from substrate.state import Overlay
from substrate.types import AccountId, BlockNumber, Hash
from testnet.clock import clock_of, run_virtual
from testnet.transports.memory import MemoryHub, heal, partition

SLOT_MS = 6000
SLOT_US = SLOT_MS * 1000
NAMES = ("alice", "bob", "charlie", "dave", "eve", "ferdie", "grace", "heidi")

LEDGER = b'''
from relaychain.primitives.validation import ValidationParams, ValidationResult
from substrate.crypto.hashing import blake2_256


class Ledger:
    """Head: total supply u64, height u64. Block: debit, credit u64, root 32, consumed u32, watermark u32, spin u8."""

    @staticmethod
    def validate_block(params: ValidationParams) -> ValidationResult:
        block, head = params.block_data, params.parent_head
        debit, credit = int.from_bytes(block[:8], "little"), int.from_bytes(block[8:16], "little")
        if debit != credit:
            raise ValueError("the block mints")
        supply = int.from_bytes(head[:8], "little")
        if blake2_256(supply.to_bytes(8, "little")) != block[16:48]:
            raise ValueError("state root mismatch")
        while block[56] == 1:
            supply += 0
        height = int.from_bytes(head[8:16], "little") + 1
        return ValidationResult(
            supply.to_bytes(8, "little") + height.to_bytes(8, "little"), None, (), (),
            int.from_bytes(block[48:52], "little"), int.from_bytes(block[52:56], "little"),
        )
'''
CODE = ValidationCode(make_bundle("ledger:Ledger", [SourceFile("ledger", LEDGER)]))
SUPPLY = 1000


def ledger_head(height: int = 0, supply: int = SUPPLY) -> HeadData:
    return HeadData(supply.to_bytes(8, "little") + height.to_bytes(8, "little"))


class Draft(msgspec.Struct):
    """What a collator is about to offer; a dishonest one changes it."""

    data: PersistedValidationData
    core: CoreIndex
    session: int
    head: HeadData
    debit: int = 0
    credit: int = 0
    root: bytes = b""
    consumed: int = 0
    watermark: int = 0
    spin: bool = False
    code_hash: bytes = b""
    pov_hash: Hash | None = None
    erasure_root: Hash | None = None
    pvd_hash: Hash | None = None
    parent_head_hash: Hash | None = None
    commitments: CandidateCommitments | None = None

    @property
    def pov(self) -> PoV:
        numbers = self.debit.to_bytes(8, "little") + self.credit.to_bytes(8, "little")
        tail = self.consumed.to_bytes(4, "little") + self.watermark.to_bytes(4, "little") + bytes([self.spin])
        return PoV(numbers + self.root + tail)


Deviation = Callable[[Draft], None]


def honest(_: Draft) -> None:
    return None


class Rows:
    """A recorder that keeps everything in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def row(self, table: str, /, **columns: object) -> None:
        self.rows.setdefault(table, []).append(columns)

    def distinct(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Values of columns in order of first appearance."""
        found = (tuple(row.get(column) for column in columns) for row in self.rows.get(table, ()))
        return list(dict.fromkeys(found))


class ShortHost(InlineHost):
    """Runs fewer steps, so that endless code ends sooner."""

    def validate(self, code: bytes, params: ValidationParams, *, steps: int) -> ValidationResult:
        return super().validate(code, params, steps=min(steps, 10_000))


class Collator:
    """Offers a block on every leaf at which its core is free."""

    def __init__(self, para: ParaId, node: RelayNode, deviation: Deviation = honest) -> None:
        self.para = para
        self.node = node
        self.pair = Ed25519Pair.from_seed(blake2_256(b"collator" + encode(ParaId, para)))
        self.deviation = deviation
        self.is_eager = False
        """Builds on a pending block too."""
        self.offered: dict[CandidateHash, FetchedCollation] = {}
        self.seconded: list[bytes] = []
        self.network = node.surroundings.network
        self.api: ParachainHostApi = node.parachains.api

    def start(self) -> None:
        self.network.serve(COLLATION_FETCHING, self._serve)
        self.network.on(COLLATOR_PROTOCOL, lambda _sender, payload: self.seconded.append(payload))
        self.node.parachains.leaves.on_active(self._on_leaf)
        self._say(Declare(CollatorId(self.pair.public), self.para, self._signature()))

    def _signature(self) -> CollatorSignature:
        return CollatorSignature(self.pair.sign(declare_payload(self.network.name)))

    def _say(self, message: CollatorProtocolMessage) -> None:
        self.network.broadcast(COLLATOR_PROTOCOL, encode(CollatorProtocolMessage, message))

    async def _serve(self, _sender: str, payload: bytes) -> bytes:
        found = self.offered.get(CollationFetchingRequest.decode(payload).candidate_hash)
        if found is None:
            raise ChainError("no such collation")
        return encode(CollationFetchingResponse, found)

    def _on_leaf(self, leaf: Leaf) -> None:
        cores = self.api.availability_cores(leaf.hash)
        mine = [core for core, state in enumerate(cores) if self._takes(state)]
        if mine:
            self.offer(leaf, CoreIndex(mine[0]))

    def _takes(self, state: CoreState) -> bool:
        match state:
            case Scheduled(scheduled):
                return scheduled.para_id == self.para
            case Occupied(occupied):
                return self.is_eager and occupied.candidate_descriptor.para_id == self.para
            case Free():
                return False

    def offer(self, leaf: Leaf, core: CoreIndex) -> CandidateHash:
        """Make a block on a leaf and advertise it."""
        data = self.api.persisted_validation_data(leaf.hash, self.para, OccupiedCoreAssumption.INCLUDED)
        assert data is not None, "the para is registered"
        waiting = self.node.chain.runtime(leaf.hash).api("ParachainHost_dmq_contents", encode(ParaId, self.para))
        supply, height = data.parent_head[:8], int.from_bytes(data.parent_head[8:], "little")
        draft = Draft(
            data,
            core,
            self.api.session_index_for_child(leaf.hash),
            HeadData(supply + (height + 1).to_bytes(8, "little")),
            root=blake2_256(supply),
            consumed=waiting[0] >> 2,
            watermark=leaf.number,
        )
        self.deviation(draft)
        return self._advertise(leaf, draft)

    def _advertise(self, leaf: Leaf, draft: Draft) -> CandidateHash:
        validators = self.api.validators(leaf.hash)
        work = self.node.parachains.recovery._coder.coded(len(validators), AvailableData(draft.pov, draft.data))
        commitments = draft.commitments or CandidateCommitments(
            (), (), None, draft.head, draft.consumed, BlockNumber(draft.watermark)
        )
        descriptor = descriptor_v2(
            para_id=self.para,
            relay_parent=leaf.hash,
            core_index=draft.core,
            session_index=draft.session,  # type: ignore[arg-type]
            persisted_validation_data_hash=draft.pvd_hash or draft.data.hash,
            pov_hash=draft.pov_hash or draft.pov.hash,
            erasure_root=draft.erasure_root or work.root,
            para_head=head_hash(draft.head),
            validation_code_hash=draft.code_hash or validation_code_hash(CODE),  # type: ignore[arg-type]
        )
        receipt = CandidateReceipt(descriptor, commitments.hash)
        candidate = candidate_hash(receipt)
        self.offered[candidate] = FetchedCollation(receipt, draft.pov)
        parent_head = draft.parent_head_hash or head_hash(draft.data.parent_head)
        self._say(Declare(CollatorId(self.pair.public), self.para, self._signature()))
        self._say(AdvertiseCollation(leaf.hash, candidate, parent_head))
        return candidate


class ParaNetwork:
    """Validators, and one collator with a full node per para."""

    def __init__(
        self,
        hub: MemoryHub,
        paras: Sequence[int],
        validators: int,
        deviations: Mapping[int, Deviation],
        hosts: Mapping[str, ValidationHost] = {},
        **genesis: Any,
    ) -> None:
        self.recorder = Rows()
        self.clock = clock_of(asyncio.get_running_loop())
        self._hub = hub
        self._cache = ExecutionCache()
        self._work = SharedWork(ShortHost())
        self._hosts = hosts
        self.pairs = [Ed25519Pair.from_seed(bytes([place + 1] * 32)) for place in range(validators)]
        self._genesis = self._genesis_state(paras, **genesis)
        self.validators = [self._node(NAMES[place], pair) for place, pair in enumerate(self.pairs)]
        self.collators = [
            Collator(ParaId(para), self._node(f"collator-{para}", None), deviations.get(para, honest)) for para in paras
        ]

    def _genesis_state(
        self, paras: Sequence[int], *, epoch_slots: int = 100, edit: Callable[[Any], None] | None = None, **more: Any
    ) -> Any:
        state = relay_genesis_state(
            RelayGenesis(
                slot_duration_ms=SLOT_MS,
                epoch_slots=epoch_slots,
                validators=tuple((AccountId(pair.public), same_key_for_all(pair.public)) for pair in self.pairs),
                balances=(),
                sudo=AccountId(self.pairs[0].public),
                paras=tuple(GenesisPara(ParaId(para), ledger_head(), CODE) for para in paras),
                **more,
            )
        )
        if edit is None:
            return state
        overlay = Overlay(state)
        edit(load_relay_runtime(relay_code(SLOT_MS, epoch_slots))(overlay))
        return overlay.finish()

    def _node(self, name: str, pair: Ed25519Pair | None) -> RelayNode:
        network = self._hub.join(name)
        work = SharedWork(self._hosts[name]) if name in self._hosts else self._work
        surroundings = Surroundings(network, self.clock, self.recorder, self._cache, work)
        keys = None if pair is None else SessionKeyPairs(pair, pair, pair)
        info = NodeInfo("test", "relayloom", "0", {})
        return RelayNode(self._genesis, load_relay_runtime, info, surroundings, keys)

    def start(self, tasks: asyncio.TaskGroup) -> None:
        for node in self.validators:
            node.start(tasks)
        for collator in self.collators:
            collator.node.start(tasks)
            collator.start()

    def collator(self, para: int) -> Collator:
        """The collator of a para."""
        return next(collator for collator in self.collators if collator.para == para)

    def cut_off(self, name: str) -> None:
        """Take a node's links away."""
        partition(self._hub, [[name], [other for other in self._hub.names() if other != name]])

    def join_up(self) -> None:
        """Give all links back."""
        heal(self._hub)

    async def slots(self, count: int) -> None:
        """Let that many slots pass."""
        await self.clock.sleep_until_us(self.clock.now_us() + count * SLOT_US)

    @property
    def best(self) -> Header:
        chain = self.validators[0].chain
        return chain.header(chain.best)

    def heights(self, stage: str) -> list[int]:
        """Relay blocks in which candidates reached a stage."""
        return [
            row[1] for row in self.recorder.distinct("candidates", "stage", "block", "candidate") if row[0] == stage
        ]

    def checks(self) -> list[str]:
        """The checks that refused candidates."""
        return [row[0] for row in self.recorder.distinct("refusals", "check")]


def run_network(
    scenario: Callable[[ParaNetwork], Awaitable[None]],
    *,
    paras: Sequence[int] = (2000,),
    validators: int = 4,
    deviations: Mapping[int, Deviation] = {},
    **genesis: Any,
) -> ParaNetwork:
    """Run a scenario from genesis on a virtual clock."""

    async def main() -> ParaNetwork:
        async with MemoryHub(seed=7) as hub, asyncio.TaskGroup() as tasks:
            network = ParaNetwork(hub, paras, validators, deviations, **genesis)
            running = tasks.create_task(_forever(network))
            try:
                await scenario(network)
            finally:
                running.cancel()
        return network

    return run_virtual(main())


async def _forever(network: ParaNetwork) -> None:
    async with asyncio.TaskGroup() as tasks:
        network.start(tasks)
