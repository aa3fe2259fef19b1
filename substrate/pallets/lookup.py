"""Addresses to accounts.

Source: polkadot-sdk, `substrate/primitives/runtime/src/traits/mod.rs` (`AccountIdLookup`).
"""

from substrate.crypto.multi import Id, MultiAddress
from substrate.runtime.dispatch import CannotLookup, DispatchFailure
from substrate.types import AccountId


def lookup(address: MultiAddress) -> AccountId:
    """The account that an address names.

    Raises:
        DispatchFailure: `CannotLookup`: it is no `MultiAddress::Id`, and there are no account indices here.
    """
    if isinstance(address, Id):
        return address.account
    raise DispatchFailure(CannotLookup())
