"""The relay chain as collators see it, over a chain in the same process."""

import asyncio
import gc

import pytest

from relaychain.node.relay_interface import WAITING, InProcessRelay, Stream
from relaychain.primitives import well_known_keys as keys
from relaychain.primitives.types import CoreIndex, HeadData, OccupiedCoreAssumption, ParaId, validation_code_hash
from relaychain.runtime.genesis import GenesisPara, RelayGenesis, relay_genesis_state, same_key_for_all
from relaychain.runtime.loader import load_relay_runtime
from substrate.block import Block, Header, Justification
from substrate.client.chain import Chain
from substrate.crypto.keys import Ed25519Pair
from substrate.errors import ChainError
from substrate.runtime.assembly import Runtime
from substrate.scale.codec import decode
from substrate.trie.proofs import trie_from_proof
from substrate.types import AccountId, BlockNumber, Hash
from testnet.clock import run_virtual

PARA = ParaId(2000)
HEAD, CODE = HeadData(b"head"), b"code"
VALIDATORS = tuple(Ed25519Pair.from_uri(f"//{name}").public for name in ("Alice", "Bob", "Charlie", "Dave"))


def relay_chain() -> Chain[Runtime]:
    genesis = RelayGenesis(
        slot_duration_ms=6_000,
        epoch_slots=10,
        validators=tuple((AccountId(key), same_key_for_all(key)) for key in VALIDATORS),
        balances=(),
        sudo=AccountId(VALIDATORS[0]),
        paras=(GenesisPara(PARA, HEAD, CODE),),
    )
    return Chain(relay_genesis_state(genesis), load_relay_runtime)


def insert(chain: Chain[Runtime], parent: Hash, mark: int = 0) -> Header:
    """A block that changes nothing."""
    above = chain.header(parent)
    header = Header(parent, BlockNumber(above.number + 1), above.state_root, Hash(bytes([mark]) * 32), above.digest)
    chain.insert(Block(header, ()), chain.state(parent))
    return header


def test_heads_come_as_the_chain_moves() -> None:
    async def main() -> None:
        chain = relay_chain()
        relay = InProcessRelay(chain)
        imported, best, finalized = relay.imported(), relay.best(), relay.finalized()
        first = insert(chain, chain.genesis)
        fork = min((insert(chain, chain.genesis, mark) for mark in (1, 2)), key=lambda header: -header.number)
        second = insert(chain, first.hash)
        chain.finalize(first.hash, Justification(b"FRNK", b"proof"))

        assert (await anext(imported)).hash == first.hash
        assert (await anext(imported)).number == fork.number
        assert (await anext(best)).number == 1
        head = await anext(finalized)
        assert (head.header, head.justification) == (first, b"proof")
        assert await relay.best_block_hash() == second.hash
        assert await relay.finalized_block_hash() == first.hash
        assert await relay.header(second.hash) == second
        assert await relay.header(Hash(bytes(32))) is None

    run_virtual(main())


def test_a_slow_reader_misses_the_oldest_heads() -> None:
    async def main() -> None:
        stream = Stream[int]()
        for number in range(WAITING + 3):
            stream.push(number)
        assert await anext(stream) == 3

    run_virtual(main())


def test_a_stream_that_nobody_holds_is_unsubscribed() -> None:
    async def main() -> None:
        chain = relay_chain()
        stream = InProcessRelay(chain).imported()
        del stream
        gc.collect()
        insert(chain, chain.genesis)
        assert chain._imported_callbacks == []

    run_virtual(main())


def test_parachain_questions_are_answered_from_the_state() -> None:
    async def main() -> None:
        chain = relay_chain()
        relay, at = InProcessRelay(chain), chain.genesis
        data = await relay.persisted_validation_data(at, PARA, OccupiedCoreAssumption.FREE)
        assert data is not None
        assert (data.parent_head, data.relay_parent_storage_root) == (HEAD, chain.state(at).root)
        unknown = await relay.persisted_validation_data(at, ParaId(1), OccupiedCoreAssumption.FREE)
        assert unknown is None
        code_hash = await relay.validation_code_hash(at, PARA, OccupiedCoreAssumption.FREE)
        assert code_hash == validation_code_hash(CODE)  # type: ignore[arg-type]
        assert PARA in (await relay.claim_queue(at))[CoreIndex(0)]
        assert set(await relay.validators(at)) == set(VALIDATORS)
        assert await relay.candidates_pending_availability(at, PARA) == ()
        assert await relay.dmq_contents(at, PARA) == ()
        assert await relay.inbound_hrmp_channels_contents(at, PARA) == {}
        assert await relay.session_index_for_child(at) == 0
        assert await relay.scheduling_lookahead(at) == 3
        with pytest.raises(ChainError):
            await relay.validators(Hash(bytes(32)))

    run_virtual(main())


def test_proofs_show_values_and_their_absence() -> None:
    async def main() -> None:
        chain = relay_chain()
        relay, at = InProcessRelay(chain), chain.genesis
        present, absent = keys.para_head(PARA), keys.para_head(ParaId(1))
        nodes = await relay.prove_read(at, (present, absent))
        proven = trie_from_proof(chain.header(at).state_root, nodes)
        raw = proven.get(present)
        assert raw is not None
        assert raw == await relay.storage(at, present)
        assert decode(HeadData, raw) == HEAD
        assert proven.get(absent) is None

    run_virtual(main())


def test_a_reader_waits_for_the_next_head() -> None:
    async def main() -> None:
        chain = relay_chain()
        waiting = asyncio.ensure_future(_next(InProcessRelay(chain)))
        await asyncio.sleep(0)
        header = insert(chain, chain.genesis)
        assert await waiting == header

    run_virtual(main())


async def _next(relay: InProcessRelay) -> Header:
    return await anext(relay.best())
