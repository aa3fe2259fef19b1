"""Who may issue assets here that belong elsewhere."""

import pytest

from parachains.sdk.contract import ParaConfig
from parachains.sdk.foreign_assets import ForeignAssets
from relaychain.primitives.types import ParaId
from substrate.crypto.multi import Id
from substrate.runtime.assembly import Runtime
from substrate.runtime.dispatch import BadOrigin, DispatchFailure
from substrate.runtime.origin import Origin, RawSigned
from substrate.state import Overlay
from substrate.types import AccountId, Balance
from testnet.examples.bazaar import Bazaar
from xcm.builder.location_conversion import sovereign_account
from xcm.instruction import OriginKind
from xcm.junction import AccountId32, GeneralIndex, PalletInstance, Parachain
from xcm.location import HERE, PARENT, Location, location
from xcm.pallet import XcmPallet

SIBLING, OTHER = location(1, Parachain(3000)), location(1, Parachain(3001))
SOVEREIGN = sovereign_account(b"sibl", 3000)
INSIDE = location(1, Parachain(3000), PalletInstance(50), GeneralIndex(7))
USER = location(1, Parachain(3000), AccountId32(None, bytes(32)))
ADMIN = AccountId(b"a" * 32)


@pytest.fixture
def market() -> Runtime:
    accounts = dict.fromkeys((SOVEREIGN, ADMIN), 10**15)
    return Bazaar.runtime()(Overlay(Bazaar.genesis_state(ParaConfig(ParaId(2000), accounts=accounts))))


def sent_by(market: Runtime, place: Location, kind: OriginKind = OriginKind.Xcm) -> Origin:
    """What a location's `Transact` is dispatched as."""
    origin = market.pallet(XcmPallet).machine.origin_converter.convert_origin(place, kind)
    assert origin is not None
    return origin


def create(market: Runtime, asset: Location, origin: Origin) -> None:
    call = market.call_named("ForeignAssets.create", id=asset, admin=Id(ADMIN), min_balance=Balance(1))
    market.dispatch(call, origin)


@pytest.mark.parametrize("asset", [SIBLING, INSIDE], ids=["native", "issued"])
def test_a_sibling_creates_the_assets_inside_it_from_its_sovereign_account(market: Runtime, asset: Location) -> None:
    create(market, asset, sent_by(market, SIBLING))

    details = market.pallet(ForeignAssets).live(asset)
    assert (details.owner, details.admin) == (SOVEREIGN, ADMIN)


@pytest.mark.parametrize(
    ("asset", "sender", "kind"),
    [
        (OTHER, SIBLING, OriginKind.Xcm),
        (PARENT, SIBLING, OriginKind.Xcm),
        (HERE, SIBLING, OriginKind.Xcm),
        (PARENT, PARENT, OriginKind.Xcm),
        (SIBLING, USER, OriginKind.Xcm),
        (SIBLING, SIBLING, OriginKind.SovereignAccount),
        (SIBLING, SIBLING, OriginKind.Native),
    ],
)
def test_nobody_else_creates_assets(market: Runtime, asset: Location, sender: Location, kind: OriginKind) -> None:
    with pytest.raises(DispatchFailure) as refusal:
        create(market, asset, sent_by(market, sender, kind))

    assert refusal.value.error == BadOrigin()
    assert not market.pallet(ForeignAssets).exists(asset)


def test_no_user_here_creates_foreign_assets(market: Runtime) -> None:
    with pytest.raises(DispatchFailure) as refusal:
        create(market, SIBLING, RawSigned(ADMIN))

    assert refusal.value.error == BadOrigin()
