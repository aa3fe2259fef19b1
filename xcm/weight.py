"""How much execution a message may use.

Source: polkadot-sdk, `polkadot/xcm/src/v3/mod.rs` (`WeightLimit`).
"""

from typing import TypeAlias

from substrate.scale.types import Struct, enum_path, variant
from substrate.types import Weight


@variant(0)
class Unlimited(Struct):
    """As much as it takes."""


@variant(1, unnamed=True)
class Limited(Struct):
    """At most that much."""

    weight: Weight


WeightLimit: TypeAlias = Unlimited | Limited
enum_path(WeightLimit, "xcm::v3::WeightLimit")
