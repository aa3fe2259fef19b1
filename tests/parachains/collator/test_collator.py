"""When a collator makes no collation."""

from relaychain.primitives.pvd import PersistedValidationData
from relaychain.primitives.types import HeadData, OccupiedCoreAssumption, ParaId
from substrate.types import Hash
from tests.parachains.collator.test_node import World, play


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
