"""SCALE: the message of a transfer."""

import timeit
from collections.abc import Iterator

from bench import Figure

from substrate.scale.codec import codec_of
from xcm.asset import AllCounted, AssetId, Wild, assets, fungible
from xcm.instruction import BuyExecution, ClearOrigin, DepositAsset, ReserveAssetDeposited, SetTopic, Xcm
from xcm.junction import AccountId32
from xcm.location import PARENT, location
from xcm.versions.versioned import VersionedXcm, versioned_xcm
from xcm.weight import Unlimited

REPEATS, ROUNDS = 20_000, 5


def measure() -> Iterator[Figure]:
    some = assets(fungible(AssetId(PARENT), 10**12))
    program = Xcm(
        (
            ReserveAssetDeposited(some),
            ClearOrigin(),
            BuyExecution(some[0], Unlimited()),
            DepositAsset(Wild(AllCounted(1)), location(0, AccountId32(None, bytes(32)))),
            SetTopic(bytes(32)),
        )
    )
    codec = codec_of(VersionedXcm)
    message = versioned_xcm(program)
    data = codec.encode(message)
    assert codec.decode(data) == message
    for what, bar, goal, work in (
        ("SCALE, XCM transfer message, encode", 5, 3, lambda: codec.encode(message)),
        ("SCALE, XCM transfer message, decode", 7, 4, lambda: codec.decode(data)),
    ):
        best = min(timeit.repeat(work, number=REPEATS, repeat=ROUNDS)) / REPEATS
        yield Figure(what, "us", bar, goal, best * 1e6)
