"""Genesis: what a network file says of the host configuration takes effect."""

from typing import Any

import pytest

from relaychain.runtime.configuration import Configuration
from relaychain.runtime.loader import load_relay_runtime
from substrate.runtime.assembly import CODE_KEY
from substrate.state import Overlay
from testnet.genesis import relay_genesis
from testnet.manifest import Manifest, Node, Relaychain


@pytest.mark.parametrize(
    "given",
    [
        {"group_rotation_frequency": 3, "max_pov_size": 999},
        {"scheduler_params": {"group_rotation_frequency": 3}, "max_pov_size": 999},
    ],
)
def test_parameters_of_the_scheduler_stand_in_its_table_or_by_themselves(given: dict[str, Any]) -> None:
    relay = Relaychain(
        nodes=(Node(name="alice"),), validators_per_core=2, needed_approvals=5, genesis={"configuration": given}
    )
    state = relay_genesis(Manifest(relaychain=relay), ())
    code = state.get(CODE_KEY)
    assert code is not None
    active = load_relay_runtime(code)(Overlay(state)).pallet(Configuration).active

    assert active.scheduler_params.group_rotation_frequency == 3
    assert active.scheduler_params.max_validators_per_core == 2
    assert (active.max_pov_size, active.needed_approvals) == (999, 5)
