"""Availability: stored, fetched, withheld, recovered from f+1 chunks."""

import asyncio
from typing import Any

import pytest

from relaychain.node.availability_distribution import chunk_of, sources
from relaychain.node.availability_recovery import AvailabilityRecovery, RecoveryError, recovered
from relaychain.node.availability_store import AvailabilityStore, ErasureCoder
from relaychain.node.requests import (
    CHUNK_FETCHING,
    ChunkFetchingResponse,
    FoundChunk,
    FoundData,
    NoSuchChunk,
)
from relaychain.primitives.availability import AvailableData, ErasureChunk, PoV
from relaychain.primitives.candidate import CandidateReceipt, candidate_hash
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import ZERO_HASH, CandidateHash, ChunkIndex, CoreIndex, HeadData, ValidatorIndex
from substrate.scale.bits import BitVec
from substrate.scale.codec import encode
from substrate.types import BlockNumber, Hash
from tests.relaychain.node.backing_parts import candidate, relay_parent
from tests.relaychain.node.para_network import ParaNetwork, Rows, run_network
from tests.relaychain.node.surroundings import Peers, reports

DATA = AvailableData(
    PoV(bytes(range(256)) * 5), PersistedValidationData(HeadData(b"head"), BlockNumber(1), ZERO_HASH, 5_000_000)
)
CANDIDATE = CandidateHash(b"c" * 32)


def chunks(*indices: int, n_validators: int = 7) -> dict[ChunkIndex, ErasureChunk]:
    coded = ErasureCoder().coded(n_validators, DATA)
    return {ChunkIndex(index): coded.chunks[index] for index in indices}


@pytest.mark.parametrize("indices", [(0, 1, 2), (4, 5, 6), (6, 0, 3), (0, 1, 2, 3, 4, 5, 6)])
def test_any_chunks_above_a_third_give_the_data(indices: tuple[int, ...]) -> None:
    coder = ErasureCoder()

    assert recovered(7, chunks(*indices), coder.coded(7, DATA).root, coder) == DATA


def test_too_few_chunks_give_nothing() -> None:
    with pytest.raises(RecoveryError, match="Unavailable"):
        recovered(7, chunks(0, 1), ErasureCoder().coded(7, DATA).root, ErasureCoder())


def test_chunks_of_other_data_make_the_candidate_invalid() -> None:
    with pytest.raises(RecoveryError, match="Invalid"):
        recovered(7, chunks(0, 1, 2), Hash(bytes(32)), ErasureCoder())


def test_the_store_forgets_some_time_after_finality() -> None:
    store = AvailabilityStore(kept_blocks=10)
    store.put_available_data(CANDIDATE, DATA, ErasureCoder().coded(4, DATA).chunks, 5)
    store.note_needed(CANDIDATE, 7)

    store.on_finalized(17)
    assert store.available_data(CANDIDATE) == DATA
    store.on_finalized(18)
    assert store.available_data(CANDIDATE) is None
    assert len(store) == 0


def test_each_validator_asks_another_backer_first() -> None:
    group = tuple(map(ValidatorIndex, (2, 4, 6)))

    assert [sources(group, ValidatorIndex(own)) for own in (0, 1, 4)] == [(2, 4, 6), (4, 6, 2), (2, 6)]


def test_chunks_shift_with_the_core_where_the_feature_is_on() -> None:
    plain, mapped = relay_parent(), relay_parent(node_features=BitVec((False, False, True)))

    assert [chunk_of(plain, ValidatorIndex(place), CoreIndex(1)) for place in range(5)] == [0, 1, 2, 3, 4]
    assert [chunk_of(mapped, ValidatorIndex(place), CoreIndex(1)) for place in range(5)] == [2, 3, 4, 0, 1]


def included_receipt(network: ParaNetwork) -> CandidateReceipt:
    ((_, candidate), *_) = [
        row for row in network.recorder.distinct("candidates", "stage", "candidate") if row[0] == "included"
    ]
    found = (each.receipt for each in network.collator(2000).offered.values())
    return next(receipt for receipt in found if candidate_hash(receipt) == candidate)


def recovery(network: ParaNetwork, *, backers: tuple[int, ...] = ()) -> Any:
    collator = network.collator(2000).node
    parent = collator.parachains.leaves.relay_parent(collator.chain.best)
    assert parent is not None, "the best block is a leaf"
    return collator.parachains.recovery.recover(
        parent, included_receipt(network), CoreIndex(0), backers=tuple(map(ValidatorIndex, backers))
    )


@pytest.mark.parametrize("backers", [(), (0, 1, 2, 3)])
def test_a_collator_recovers_a_block_from_the_validators(backers: tuple[int, ...]) -> None:
    found: list[AvailableData] = []

    async def scenario(network: ParaNetwork) -> None:
        await network.slots(4)
        found.append(await recovery(network, backers=backers))

    network = run_network(scenario)

    assert found[0].pov.hash == included_receipt(network).descriptor.pov_hash


def test_data_of_another_erasure_root_is_asked_of_the_next_backer() -> None:
    other = AvailableData(PoV(b"other"), DATA.validation_data)
    peers, rows, coder = Peers(lambda peer: FoundData(other if peer == "0" else DATA)), Rows(), ErasureCoder()
    receipt = candidate(erasure_root=coder.coded(5, DATA).root).receipt
    subject = AvailabilityRecovery(AvailabilityStore(), coder, peers, reports(rows))
    backers = [ValidatorIndex(0), ValidatorIndex(1), ValidatorIndex(2)]

    found = asyncio.run(subject.recover(relay_parent(), receipt, CoreIndex(0), backers=backers))

    assert (found, peers.asked) == (DATA, ["0", "1"])
    assert rows.distinct("faults", "kind", "detail") == [("AvailableDataFetching", "0: data of another erasure root")]


def withhold(network: ParaNetwork, name: str, answer: ChunkFetchingResponse) -> None:
    """Make a validator answer every chunk request in this way."""

    async def serve(_sender: str, _payload: bytes) -> bytes:
        return encode(ChunkFetchingResponse, answer)

    node = next(node for node in network.validators if node.name == name)
    servers: dict[str, Any] = node.surroundings.network.servers  # type: ignore[attr-defined]
    servers[CHUNK_FETCHING] = serve


@pytest.mark.parametrize("answer", [NoSuchChunk(), FoundChunk(ErasureChunk(b"x" * 40, ChunkIndex(0), ()))])
def test_a_chunk_comes_from_the_next_backer_when_one_withholds_it(answer: ChunkFetchingResponse) -> None:
    """Given two groups of three. When a backer gives no chunk, or a wrong one. Then candidates are included in time."""

    async def scenario(network: ParaNetwork) -> None:
        await network.slots(1)
        withhold(network, "alice", answer)
        await network.slots(8)

    network = run_network(scenario, paras=(1000, 2000), validators=6)

    assert network.heights("included")[:4] == [2, 2, 4, 4]
    details = [row["detail"] for row in network.recorder.rows.get("faults", [])]
    assert bool(details) is isinstance(answer, FoundChunk)
    assert all("InvalidBranchProof" in detail and detail.startswith("alice") for detail in details)
