"""Well-known keys are upstream's, byte for byte."""

import json
from pathlib import Path
from typing import Any

import pytest

from relaychain.primitives import well_known_keys as keys
from relaychain.primitives.messages import HrmpChannelId
from relaychain.primitives.types import ParaId

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "relay_storage_keys.json").read_text())
PARA = ParaId(2000)
CHANNEL = HrmpChannelId(PARA, ParaId(2001))


@pytest.mark.parametrize("name", sorted(VECTORS["values"]))
def test_values(name: str) -> None:
    assert getattr(keys, name).hex() == VECTORS["values"][name]["key"][2:]


@pytest.mark.parametrize("name", sorted(name for name in VECTORS["maps"] if "deprecated" not in name))
def test_maps(name: str) -> None:
    key = CHANNEL if name == "hrmp_channels" else PARA
    encoded = CHANNEL.encode() if name == "hrmp_channels" else PARA.to_bytes(4, "little")

    made: bytes = getattr(keys, name)(key)

    assert made.hex().startswith(VECTORS["maps"][name]["prefix"][2:])
    assert made.endswith(encoded)
    assert len(made) == 32 + 8 + len(encoded)


def test_worked_examples() -> None:
    examples = {example["fn"]: example["key"][2:] for example in VECTORS["examples"]}

    assert keys.para_head(PARA).hex() == examples["para_head(2000)"]
    assert keys.hrmp_channels(CHANNEL).hex() == examples["hrmp_channels(2000->2001)"]
    remaining = keys.relay_dispatch_queue_remaining_capacity(PARA).hex()
    assert remaining == examples["relay_dispatch_queue_remaining_capacity(2000)"]
