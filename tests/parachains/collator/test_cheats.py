"""Collators that cheat: what validators say to what they offer."""

from typing import Any

import pytest

from parachains.collator.behaviour import (
    CollatorBehaviour,
    ForgeStateRoot,
    LieAboutWatermark,
    LoopForEver,
    Mint,
    SkipDownwardMessage,
    Times,
    honest,
)
from relaychain.pvf.host import BACKING_STEPS
from substrate.pallets.balances import Balances
from substrate.runtime.steps import CALL_STEPS
from substrate.types import AccountId, Hash
from tests.parachains.collator.relay_double import LOOKAHEAD, REFUSALS
from tests.parachains.collator.test_node import BOB, UNIT, World, play


def cheats(world: World) -> dict[str, CollatorBehaviour]:
    return {
        "mint": Mint(AccountId(BOB.public), UNIT),
        "forge_state_root": ForgeStateRoot(),
        "skip_downward_message": SkipDownwardMessage(),
        "lie_about_watermark": LieAboutWatermark(),
        "loop_for_ever": LoopForEver(
            *(world.sign("Spinner.spin", nonce) for nonce in range(BACKING_STEPS // CALL_STEPS + 1))
        ),
    }


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("mint", "BadStateRoot"),
        ("forge_state_root", "BadStateRoot"),
        ("skip_downward_message", "DmqMqcHeadMismatch"),
        ("lie_about_watermark", "CommitmentsHashMismatch"),
        ("loop_for_ever", "Timeout"),
    ],
)
def test_validators_refuse_what_a_cheating_collator_offers(name: str, cause: str) -> None:
    chosen = list[CollatorBehaviour]()

    def cheat(made: Any, context: Any, parent: Any) -> Any:
        return chosen[0](made, context, parent)

    async def story(world: World) -> None:
        chosen.append(honest)
        await world.slot()
        chosen[0] = Times(cheats(world)[name], 1)
        world.relay.fork.send_down(b"message")
        await world.slots(LOOKAHEAD)
        with pytest.raises(REFUSALS, match=cause):
            world.validator.validate(await world.validator.fetch("carol"))
        await world.slots(LOOKAHEAD - 1)
        await world.round()
        node = world.nodes["carol"]
        assert node.chain.best_number == 1, "honest again, the para goes on"
        assert node.chain.runtime(node.chain.best).pallet(Balances).free_balance(AccountId(BOB.public)) == 100 * UNIT

    play(story, behaviour=cheat)


CHEATS = ["mint", "forge_state_root", "skip_downward_message", "lie_about_watermark", "loop_for_ever"]


@pytest.mark.parametrize("name", CHEATS)
def test_what_a_cheat_offers_is_for_validators_only(name: str) -> None:
    """Given a collator that changes its block. When it offers that. Then no node has it, nor the block it was."""
    chosen, seen = list[CollatorBehaviour](), list[Hash]()

    def cheat(made: Any, context: Any, parent: Any) -> Any:
        offered = chosen[0](made, context, parent)
        seen.extend((made.block.block.hash, offered.block.block.hash))
        return offered

    async def story(world: World) -> None:
        chosen.append(cheats(world)[name])
        world.relay.advance()
        world.relay.fork.send_down(b"message")
        await world.slot()
        assert len(world.validator.advertised) == 1
        assert len(seen) == 2
        for node in world.nodes.values():
            assert node.chain.leaves() == (world.genesis,)
            assert [node.ledger.importer.cache.get(block) for block in seen] == [None, None]

    assert play(story, "carol", "dan", behaviour=cheat).rows.of("faults") == []
