"""Versioned values: the forms in which messages and locations travel.

Source: polkadot-sdk, `polkadot/xcm/src/lib.rs`.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Final, Generic, TypeAlias, TypeVar, cast

from substrate.crypto.hashing import blake2_256
from substrate.scale.codec import codec_of
from substrate.scale.types import Depth, EnumOf, Hint, Late, Struct, make_struct
from xcm.asset import Asset, AssetId, Assets
from xcm.checked import must
from xcm.instruction import MAX_DEPTH, XCM_VERSION, Xcm
from xcm.location import Junctions, Location
from xcm.message import check_instruction_count
from xcm.response import Response
from xcm.versions.mirror import Mirror, VersionError, VersionReason
from xcm.versions.v3 import V3
from xcm.versions.v4 import V4

T = TypeVar("T")

MIRRORS: Final[Mapping[int, Mirror]] = {3: V3, 4: V4}
"""The older versions; version 2 is refused, as current runtimes do."""


class Versioned(Struct, Generic[T]):
    """A value in the form of one version."""

    value: Any
    version: ClassVar[int] = 0


class Forms(Generic[T]):
    """The forms of one type: an enum of versions, with ways in and out.

    Args:
        name: What the type is called behind `xcm::Versioned`.
        hint: Its version 5 annotation.
        bound: Adds to the wire form of every version.
    """

    def __init__(self, name: str, hint: Hint, bound: Callable[[Hint], Hint] = lambda hint: hint) -> None:
        self.hint = hint
        self.cases = {version: self._case(name, version, bound) for version in (*MIRRORS, XCM_VERSION)}
        self.mark = EnumOf(f"xcm::Versioned{name}", variants=tuple(self.cases.values()))

    def _case(self, name: str, version: int, bound: Callable[[Hint], Hint]) -> type[Versioned[T]]:
        late = Late(lambda: bound(MIRRORS[version].of(self.hint) if version in MIRRORS else self.hint))
        case = make_struct(
            f"{name}V{version}",
            [("value", Annotated[Any, late])],
            bases=(Versioned,),
            index=version,
            variant_name=f"V{version}",
            unnamed=True,
            namespace={"version": version},
        )
        return cast(type[Versioned[T]], case)

    def latest(self, versioned: Versioned[T]) -> T:
        """The value in version 5.

        Raises:
            VersionError: Version 5 has no form for it.
        """
        mirror = MIRRORS.get(versioned.version)
        return mirror.up(self.hint, versioned.value) if mirror else versioned.value

    def wrap(self, value: T, version: int = XCM_VERSION) -> Versioned[T]:
        """A version 5 value in a version.

        Raises:
            VersionError: The version is unknown, or has no form for the value.
        """
        case = self.cases.get(version)
        if case is None:
            raise VersionError(VersionReason.UNKNOWN_VERSION, version=version)
        mirror = MIRRORS.get(version)
        return case(mirror.down(self.hint, value) if mirror else value)


def _program(hint: Hint) -> Hint:
    return Annotated[Any, must(Annotated[hint, Depth(MAX_DEPTH)], check_instruction_count)]


_XCM: Final = Forms[Xcm]("Xcm", Xcm, _program)
VersionedXcm: TypeAlias = Annotated[Versioned[Xcm], _XCM.mark]
latest_xcm, versioned_xcm = _XCM.latest, _XCM.wrap

_LOCATION: Final = Forms[Location]("Location", Location)
VersionedLocation: TypeAlias = Annotated[Versioned[Location], _LOCATION.mark]
latest_location, versioned_location = _LOCATION.latest, _LOCATION.wrap

_INTERIOR: Final = Forms[Junctions]("InteriorLocation", Junctions)
VersionedInteriorLocation: TypeAlias = Annotated[Versioned[Junctions], _INTERIOR.mark]
latest_interior, versioned_interior = _INTERIOR.latest, _INTERIOR.wrap

_ASSETS: Final = Forms[Assets]("Assets", Assets)
VersionedAssets: TypeAlias = Annotated[Versioned[Assets], _ASSETS.mark]
latest_assets, versioned_assets = _ASSETS.latest, _ASSETS.wrap

_ASSET: Final = Forms[Asset]("Asset", Asset)
VersionedAsset: TypeAlias = Annotated[Versioned[Asset], _ASSET.mark]
latest_asset, versioned_asset = _ASSET.latest, _ASSET.wrap

_ASSET_ID: Final = Forms[AssetId]("AssetId", AssetId)
VersionedAssetId: TypeAlias = Annotated[Versioned[AssetId], _ASSET_ID.mark]
latest_asset_id, versioned_asset_id = _ASSET_ID.latest, _ASSET_ID.wrap

_RESPONSE: Final = Forms[Response]("Response", Response)
VersionedResponse: TypeAlias = Annotated[Versioned[Response], _RESPONSE.mark]
latest_response, versioned_response = _RESPONSE.latest, _RESPONSE.wrap

XcmV5: Final = _XCM.cases[XCM_VERSION]
_MESSAGES: Final = codec_of(VersionedXcm)


def version_of(versioned: Versioned[Any]) -> int:
    """The version a versioned value is in."""
    return versioned.version


def encode_message(message: VersionedXcm) -> bytes:
    """The bytes in which a message travels."""
    return _MESSAGES.encode(message)


def decode_message(data: bytes) -> VersionedXcm:
    """Read a message, all of `data`.

    Raises:
        DecodeError: Not a message, or outside the limits of the format.
    """
    return _MESSAGES.decode(data)


def check_is_decodable(message: Xcm) -> None:
    """Refuse to send what no one could read: too many instructions, assets, or levels.

    Raises:
        ChainError: What is too much.
    """
    decode_message(encode_message(versioned_xcm(message)))


def message_hash(message: VersionedXcm) -> bytes:
    """Blake2-256 of the bytes in which a message travels."""
    return blake2_256(encode_message(message))
