"""Versioned values: the forms in which messages and locations travel.

Source: polkadot-sdk, `polkadot/xcm/src/lib.rs`.
"""

from typing import Annotated, Any, Final, TypeAlias

from substrate.crypto.hashing import blake2_256
from substrate.scale.codec import decode, encode
from substrate.scale.types import Depth, Hint, Late, Struct, enum_path, variant
from xcm.asset import Asset, AssetId, Assets
from xcm.checked import must
from xcm.instruction import MAX_DEPTH, XCM_VERSION, Xcm
from xcm.location import Junctions, Location
from xcm.message import check_instruction_count
from xcm.response import Response
from xcm.versions.mirror import Mirror, VersionError, VersionReason
from xcm.versions.v3 import V3
from xcm.versions.v4 import V4

MIRRORS: Final[dict[int, Mirror]] = {3: V3, 4: V4}
OLDEST_VERSION: Final = 3


def _older(version: int, hint: Hint) -> Late:
    return Late(lambda: MIRRORS[version].of(hint))


def _program(hint: Hint) -> Any:
    return Annotated[Any, must(Annotated[hint, Depth(MAX_DEPTH)], check_instruction_count)]


@variant(3, name="V3", unnamed=True)
class XcmV3(Struct):
    """Version 3 of a program."""

    value: Annotated[Any, Late(lambda: _program(MIRRORS[3].of(Xcm)))]


@variant(4, name="V4", unnamed=True)
class XcmV4(Struct):
    """Version 4 of a program."""

    value: Annotated[Any, Late(lambda: _program(MIRRORS[4].of(Xcm)))]


@variant(5, name="V5", unnamed=True)
class XcmV5(Struct):
    """Version 5 of a program."""

    value: Annotated[Xcm, Late(lambda: _program(Xcm))]


VersionedXcm: TypeAlias = XcmV3 | XcmV4 | XcmV5
enum_path(VersionedXcm, "xcm::VersionedXcm")


@variant(3, name="V3", unnamed=True)
class LocationV3(Struct):
    """Version 3 of a location."""

    value: Annotated[Any, _older(3, Location)]


@variant(4, name="V4", unnamed=True)
class LocationV4(Struct):
    """Version 4 of a location."""

    value: Annotated[Any, _older(4, Location)]


@variant(5, name="V5", unnamed=True)
class LocationV5(Struct):
    """Version 5 of a location."""

    value: Location


VersionedLocation: TypeAlias = LocationV3 | LocationV4 | LocationV5
enum_path(VersionedLocation, "xcm::VersionedLocation")


@variant(3, name="V3", unnamed=True)
class AssetsV3(Struct):
    """Version 3 of assets."""

    value: Annotated[Any, _older(3, Assets)]


@variant(4, name="V4", unnamed=True)
class AssetsV4(Struct):
    """Version 4 of assets."""

    value: Annotated[Any, _older(4, Assets)]


@variant(5, name="V5", unnamed=True)
class AssetsV5(Struct):
    """Version 5 of assets."""

    value: Assets


VersionedAssets: TypeAlias = AssetsV3 | AssetsV4 | AssetsV5
enum_path(VersionedAssets, "xcm::VersionedAssets")


@variant(3, name="V3", unnamed=True)
class AssetV3(Struct):
    """Version 3 of an asset."""

    value: Annotated[Any, _older(3, Asset)]


@variant(4, name="V4", unnamed=True)
class AssetV4(Struct):
    """Version 4 of an asset."""

    value: Annotated[Any, _older(4, Asset)]


@variant(5, name="V5", unnamed=True)
class AssetV5(Struct):
    """Version 5 of an asset."""

    value: Asset


VersionedAsset: TypeAlias = AssetV3 | AssetV4 | AssetV5
enum_path(VersionedAsset, "xcm::VersionedAsset")


@variant(3, name="V3", unnamed=True)
class AssetIdV3(Struct):
    """Version 3 of the name of an asset."""

    value: Annotated[Any, _older(3, AssetId)]


@variant(4, name="V4", unnamed=True)
class AssetIdV4(Struct):
    """Version 4 of the name of an asset."""

    value: Annotated[Any, _older(4, AssetId)]


@variant(5, name="V5", unnamed=True)
class AssetIdV5(Struct):
    """Version 5 of the name of an asset."""

    value: AssetId


VersionedAssetId: TypeAlias = AssetIdV3 | AssetIdV4 | AssetIdV5
enum_path(VersionedAssetId, "xcm::VersionedAssetId")


@variant(3, name="V3", unnamed=True)
class ResponseV3(Struct):
    """Version 3 of a response."""

    value: Annotated[Any, _older(3, Response)]


@variant(4, name="V4", unnamed=True)
class ResponseV4(Struct):
    """Version 4 of a response."""

    value: Annotated[Any, _older(4, Response)]


@variant(5, name="V5", unnamed=True)
class ResponseV5(Struct):
    """Version 5 of a response."""

    value: Response


VersionedResponse: TypeAlias = ResponseV3 | ResponseV4 | ResponseV5
enum_path(VersionedResponse, "xcm::VersionedResponse")


@variant(3, name="V3", unnamed=True)
class InteriorLocationV3(Struct):
    """Version 3 of an interior location."""

    value: Annotated[Any, _older(3, Junctions)]


@variant(4, name="V4", unnamed=True)
class InteriorLocationV4(Struct):
    """Version 4 of an interior location."""

    value: Annotated[Any, _older(4, Junctions)]


@variant(5, name="V5", unnamed=True)
class InteriorLocationV5(Struct):
    """Version 5 of an interior location."""

    value: Junctions


VersionedInteriorLocation: TypeAlias = InteriorLocationV3 | InteriorLocationV4 | InteriorLocationV5
enum_path(VersionedInteriorLocation, "xcm::VersionedInteriorLocation")


_KINDS: Final[dict[type[Struct], tuple[int, Hint]]] = {
    XcmV3: (3, Xcm),
    XcmV4: (4, Xcm),
    XcmV5: (5, Xcm),
    LocationV3: (3, Location),
    LocationV4: (4, Location),
    LocationV5: (5, Location),
    AssetsV3: (3, Assets),
    AssetsV4: (4, Assets),
    AssetsV5: (5, Assets),
    AssetV3: (3, Asset),
    AssetV4: (4, Asset),
    AssetV5: (5, Asset),
    AssetIdV3: (3, AssetId),
    AssetIdV4: (4, AssetId),
    AssetIdV5: (5, AssetId),
    ResponseV3: (3, Response),
    ResponseV4: (4, Response),
    ResponseV5: (5, Response),
    InteriorLocationV3: (3, Junctions),
    InteriorLocationV4: (4, Junctions),
    InteriorLocationV5: (5, Junctions),
}


def version_of(versioned: Struct) -> int:
    """The version a versioned value is in."""
    return _KINDS[type(versioned)][0]


def _latest(versioned: Struct) -> Any:
    version, hint = _KINDS[type(versioned)]
    value = getattr(versioned, "value")  # noqa: B009 (every versioned struct has it, their common base does not)
    return value if version == XCM_VERSION else MIRRORS[version].up(hint, value)


def _in_version(forms: tuple[type[Any], type[Any], type[Any]], hint: Hint, value: Any, version: int) -> Any:
    if not OLDEST_VERSION <= version <= XCM_VERSION:
        raise VersionError(VersionReason.UNKNOWN_VERSION, version=version)
    form = forms[version - OLDEST_VERSION]
    return form(value if version == XCM_VERSION else MIRRORS[version].down(hint, value))


def latest_xcm(versioned: VersionedXcm) -> Xcm:
    """A program in version 5.

    Raises:
        VersionError: Version 5 has no form for it.
    """
    return _latest(versioned)


def versioned_xcm(value: Xcm, version: int = XCM_VERSION) -> VersionedXcm:
    """A program in a version.

    Raises:
        VersionError: The version is unknown or has no form for it.
    """
    return _in_version((XcmV3, XcmV4, XcmV5), Xcm, value, version)


def latest_location(versioned: VersionedLocation) -> Location:
    """A location in version 5.

    Raises:
        VersionError: Version 5 has no form for it.
    """
    return _latest(versioned)


def versioned_location(value: Location, version: int = XCM_VERSION) -> VersionedLocation:
    """A location in a version.

    Raises:
        VersionError: The version is unknown or has no form for it.
    """
    return _in_version((LocationV3, LocationV4, LocationV5), Location, value, version)


def latest_assets(versioned: VersionedAssets) -> Assets:
    """Assets in version 5.

    Raises:
        VersionError: Version 5 has no form for it.
    """
    return _latest(versioned)


def versioned_assets(value: Assets, version: int = XCM_VERSION) -> VersionedAssets:
    """Assets in a version.

    Raises:
        VersionError: The version is unknown or has no form for it.
    """
    return _in_version((AssetsV3, AssetsV4, AssetsV5), Assets, value, version)


def latest_asset(versioned: VersionedAsset) -> Asset:
    """An asset in version 5.

    Raises:
        VersionError: Version 5 has no form for it.
    """
    return _latest(versioned)


def versioned_asset(value: Asset, version: int = XCM_VERSION) -> VersionedAsset:
    """An asset in a version.

    Raises:
        VersionError: The version is unknown or has no form for it.
    """
    return _in_version((AssetV3, AssetV4, AssetV5), Asset, value, version)


def latest_asset_id(versioned: VersionedAssetId) -> AssetId:
    """The name of an asset in version 5.

    Raises:
        VersionError: Version 5 has no form for it.
    """
    return _latest(versioned)


def versioned_asset_id(value: AssetId, version: int = XCM_VERSION) -> VersionedAssetId:
    """The name of an asset in a version.

    Raises:
        VersionError: The version is unknown or has no form for it.
    """
    return _in_version((AssetIdV3, AssetIdV4, AssetIdV5), AssetId, value, version)


def latest_response(versioned: VersionedResponse) -> Response:
    """A response in version 5.

    Raises:
        VersionError: Version 5 has no form for it.
    """
    return _latest(versioned)


def versioned_response(value: Response, version: int = XCM_VERSION) -> VersionedResponse:
    """A response in a version.

    Raises:
        VersionError: The version is unknown or has no form for it.
    """
    return _in_version((ResponseV3, ResponseV4, ResponseV5), Response, value, version)


def latest_interior(versioned: VersionedInteriorLocation) -> Junctions:
    """An interior location in version 5.

    Raises:
        VersionError: Version 5 has no form for it.
    """
    return _latest(versioned)


def versioned_interior(value: Junctions, version: int = XCM_VERSION) -> VersionedInteriorLocation:
    """An interior location in a version.

    Raises:
        VersionError: The version is unknown or has no form for it.
    """
    return _in_version((InteriorLocationV3, InteriorLocationV4, InteriorLocationV5), Junctions, value, version)


def encode_message(message: VersionedXcm) -> bytes:
    """The bytes in which a message travels."""
    return encode(VersionedXcm, message)


def decode_message(data: bytes) -> VersionedXcm:
    """Read a message, all of `data`.

    Raises:
        DecodeError: Not a message, or outside the limits of the format.
    """
    return decode(VersionedXcm, data)


def message_hash(message: VersionedXcm) -> bytes:
    """Blake2-256 of the bytes in which a message travels."""
    return blake2_256(encode_message(message))
