"""The consensus system that a relay chain and its parachains are, in XCM's terms."""

from typing import Final

from relaychain.primitives.types import LOWEST_PUBLIC_ID
from substrate.crypto.hashing import blake2_256
from xcm.junction import ByGenesis

NETWORK: Final = ByGenesis(blake2_256(b"relayloom local network"))
"""The network's id. Upstream names a network by its genesis hash; here the relay chain's genesis holds the genesis
heads of its parachains, whose configuration names the network, so the id is fixed."""


def is_system_para(para: int) -> bool:
    """Whether a para, by its number in a location, is part of the relay chain's own system."""
    return para < LOWEST_PUBLIC_ID
