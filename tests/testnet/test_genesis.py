"""Genesis: what a network file says of the host configuration takes effect."""

from typing import Any

import pytest

from relaychain.primitives.configuration import HostConfiguration
from relaychain.runtime.configuration import Configuration
from relaychain.runtime.loader import load_relay_runtime
from substrate.runtime.assembly import CODE_KEY
from substrate.state import Overlay
from testnet.errors import UsageError
from testnet.genesis import relay_genesis
from testnet.manifest import Manifest, Node, Relaychain


def host_configuration(relay: Relaychain) -> HostConfiguration:
    """As the genesis state holds it."""
    state = relay_genesis(Manifest(relaychain=relay), ())
    code = state.get(CODE_KEY)
    assert code is not None
    return load_relay_runtime(code)(Overlay(state)).pallet(Configuration).active


@pytest.mark.parametrize(
    "given",
    [
        {"group_rotation_frequency": 3, "max_pov_size": 999},
        {"scheduler_params": {"group_rotation_frequency": 3}, "max_pov_size": 999},
    ],
)
def test_parameters_of_the_scheduler_stand_in_its_table_or_by_themselves(given: dict[str, Any]) -> None:
    active = host_configuration(
        Relaychain(
            nodes=(Node(name="alice"),), validators_per_core=2, needed_approvals=5, genesis={"configuration": given}
        )
    )

    assert active.scheduler_params.group_rotation_frequency == 3
    assert active.scheduler_params.max_validators_per_core == 2
    assert (active.max_pov_size, active.needed_approvals) == (999, 5)


@pytest.mark.parametrize(
    ("given", "key", "message"),
    [
        ({"max_pov_size": 2**32}, ("max_pov_size",), f"{2**32} is not a whole number from 0 to {2**32 - 1}"),
        ({"max_validators": -1}, ("max_validators",), f"-1 is not a whole number from 0 to {2**32 - 1}"),
        ({"hrmp_sender_deposit": 2**128}, ("hrmp_sender_deposit",),
         f"{2**128} is not a whole number from 0 to {2**128 - 1}"),
        ({"scheduler_params": {"ttl": "6s"}}, ("scheduler_params", "ttl"),
         f"'6s' is not a whole number from 0 to {2**32 - 1}"),
        ({"num_cores": True}, ("num_cores",), f"True is not a whole number from 0 to {2**32 - 1}"),
        ({"approval_voting_params": 3}, ("approval_voting_params",),
         "3 is no table; its keys are max_approval_coalesce_count"),
    ],
)  # fmt: skip
def test_a_number_that_its_field_does_not_hold_is_refused_at_its_key(
    given: dict[str, Any], key: tuple[str, ...], message: str
) -> None:
    relay = Relaychain(nodes=(Node(name="alice"),), genesis={"configuration": given})

    with pytest.raises(UsageError) as refusal:
        relay_genesis(Manifest(relaychain=relay), ())

    assert (str(refusal.value), refusal.value.key) == (message, ("relaychain", "genesis", "configuration", *key))


def test_the_edges_of_a_field_are_taken() -> None:
    given = {"dispute_period": 2**32 - 1, "no_show_slots": 1, "hrmp_sender_deposit": 2**128 - 1, "ttl": 0}
    relay = Relaychain(nodes=(Node(name="alice"),), genesis={"configuration": given})

    active = host_configuration(relay)

    assert {name: getattr(active, name) for name in given if name != "ttl"} | {
        "ttl": active.scheduler_params.ttl
    } == given
