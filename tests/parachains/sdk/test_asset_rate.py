"""What foreign assets are worth."""

import pytest

from parachains.sdk.asset_rate import AssetRate
from substrate.pallets.fees import FIXED_ONE, FixedU128
from substrate.state import Overlay
from substrate.trie.trie import Trie
from testnet.examples.bazaar import Bazaar
from xcm.location import PARENT


@pytest.mark.parametrize(("native", "worth"), [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2), (2000, 2)])
def test_what_native_currency_is_worth_is_rounded_up(native: int, worth: int) -> None:
    rates = Bazaar.runtime()(Overlay(Trie.empty())).pallet(AssetRate)
    rates.conversion_rate_to_native[PARENT] = FixedU128(1000 * FIXED_ONE)

    assert rates.from_native(native, PARENT) == worth


@pytest.mark.parametrize("rate", [None, 0])
def test_without_a_rate_an_asset_is_worth_nothing_known(rate: int | None) -> None:
    rates = Bazaar.runtime()(Overlay(Trie.empty())).pallet(AssetRate)
    if rate is not None:
        rates.conversion_rate_to_native[PARENT] = FixedU128(rate)

    assert rates.from_native(1, PARENT) is None
