"""New code on a parachain: what `System.set_code` checks of it, and whom it then asks.

Source: polkadot-sdk, `substrate/frame/system/src/lib.rs`, `cumulus/pallets/parachain-system/src/lib.rs`.
"""

from parachains.sdk.parachain_system import ParachainSystem
from relaychain.primitives.bundle import BundleError, read_bundle
from relaychain.primitives.types import ValidationCode
from substrate.pallets.system import CODE_KEY, System
from substrate.runtime.pallet import Pallet
from substrate.runtime.version import CodeVersion


def set_code(system: System, code: bytes) -> None:
    """`System.set_code` on a parachain: the relay chain decides when."""
    system.pallet(ParachainSystem).schedule_code_upgrade(ValidationCode(code))


def read_version(system: Pallet, code: bytes) -> CodeVersion | None:
    """`System.read_version` on a parachain: what a bundle says of itself.

    Raises:
        BundleError: It is no bundle, or one for other packages than those that this chain runs on.
    """
    new, present = read_bundle(code), read_bundle(system.state.get(CODE_KEY) or b"")
    if new.abi != present.abi:
        raise BundleError(f"the code was made for abi 0x{new.abi.hex()}, this chain runs on 0x{present.abi.hex()}")
    return new.version
