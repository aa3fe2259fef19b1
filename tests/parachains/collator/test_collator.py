"""When a collator makes a collation, and when it does not."""

from parachains.collator.context import may_be_backed
from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import CoreIndex, HeadData, OccupiedCoreAssumption, ParaId, SessionIndex
from substrate.block import Header
from substrate.types import Hash
from tests.parachains.collator.relay_double import LOOKAHEAD
from tests.parachains.collator.test_node import World, play
from tests.relaychain.node.backing_parts import candidate


def test_no_collation_is_made_on_a_relay_block_that_is_not_the_best() -> None:
    async def story(world: World) -> None:
        collator = world.nodes["carol"].collator
        assert collator is not None
        first = await world.slot()
        await world.slot()
        assert await collator.on_relay_head(first) is None

    assert play(story).rows.of("faults") == []


def test_no_collation_is_made_on_another_parent_than_the_relay_chain_promises() -> None:
    async def story(world: World) -> None:
        async def other(block: Hash, para: ParaId, assumption: OccupiedCoreAssumption) -> PersistedValidationData:
            found = world.relay.blocks[block]
            return found.relay.promise(found.state, HeadData(b"other"))

        world.relay.persisted_validation_data = other
        await world.slot()

    world = play(story)

    assert world.rows.of("candidates") == []
    assert [row["detail"] for row in world.rows.of("faults")] == [
        "no collation on relay block 1: the relay chain promises validation data for another parent"
    ]


def offered_on(world: World, *parents: Header) -> bool:
    """Whether collations were built on these relay parents, and no others."""
    return [row["relay_parent"] for row in world.rows.of("candidates")] == [parent.hash for parent in parents]


def test_what_was_offered_is_offered_again_while_it_can_be_backed() -> None:
    async def story(world: World) -> None:
        heads = await world.slots(LOOKAHEAD + 1)
        assert offered_on(world, heads[0], heads[-1])
        candidates = [each.candidate_hash for each in world.validator.advertised]
        assert len(candidates) == LOOKAHEAD + 1 and len(set(candidates[:LOOKAHEAD])) == 1

    play(story)


def test_what_was_offered_in_another_session_is_built_anew_at_once() -> None:
    async def story(world: World) -> None:
        first = await world.slot()
        world.relay.session = SessionIndex(1)
        assert offered_on(world, first, await world.slot())

    play(story)


def test_what_was_offered_for_another_core_is_built_anew_at_once() -> None:
    async def story(world: World) -> None:
        first = await world.slot()
        world.relay.core = CoreIndex(1)
        assert offered_on(world, first, await world.slot())

    play(story)


def test_what_was_offered_on_an_abandoned_fork_is_built_anew_at_once() -> None:
    async def story(world: World) -> None:
        heads = await world.slots(LOOKAHEAD + 1)
        world.relay.go_back(heads[-2])
        assert offered_on(world, heads[0], heads[-1], await world.slot())

    play(story)


def test_what_stands_on_no_ancestor_is_not_backed_even_at_the_first_relay_block() -> None:
    async def story(world: World) -> None:
        stray = candidate(session_index=SessionIndex(0)).descriptor
        assert not await may_be_backed(world.relay, stray, await world.slot())

    play(story)
