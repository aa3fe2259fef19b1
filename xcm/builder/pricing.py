"""What delivery costs: a price that grows with the queue.

Source: polkadot-sdk, `polkadot/runtime/common/src/xcm_sender.rs` (`ExponentialPrice`),
`polkadot/runtime/parachains/src/lib.rs` (`FeeTracker`).
"""

from dataclasses import dataclass
from typing import Final

from substrate.scale.codec import encode
from xcm.asset import Assets, assets, fungible
from xcm.instruction import Xcm
from xcm.location import Location

FIXED_ONE: Final = 10**18
"""1 in `FixedU128`."""
FACTOR_BASE: Final = 1_050_000_000_000_000_000
"""The factor grows and shrinks by 1.05."""
FACTOR_PER_KB: Final = 1_000_000_000_000_000
"""And grows by 0.001 for each KB of the message."""


@dataclass(frozen=True)
class ExponentialPrice:
    """A fee for the message and one for its bytes, times the factor of the queue it enters."""

    asset: Location
    base_fee: int
    byte_fee: int

    def price_for_delivery(self, message: Xcm, factor: int) -> Assets:
        """The price, with a factor in units of 10^-18."""
        plain = self.base_fee + self.byte_fee * len(encode(Xcm, message))
        return assets(fungible(self.asset, plain * factor // FIXED_ONE))


def increased_factor(factor: int, message_size: int) -> int:
    """The factor after a message entered a queue that is too long."""
    growth = FACTOR_BASE + message_size // 1024 * FACTOR_PER_KB
    return factor * growth // FIXED_ONE


def decreased_factor(factor: int) -> int:
    """The factor after a queue became short enough again."""
    return max(FIXED_ONE, factor * FIXED_ONE // FACTOR_BASE)
