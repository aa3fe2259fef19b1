"""Session: who collates, with their keys, where clients and `Authorship` look for it.

Source: polkadot-sdk, `cumulus/parachains/runtimes/assets/asset-hub-westend/src/lib.rs` (`SessionKeys`),
`substrate/frame/session/src/lib.rs` (`FindAccountFromAuthorIndex`).
"""

from typing import ClassVar

from substrate.consensus.aura.types import AuthorityId
from substrate.errors import DecodeError
from substrate.pallets.session import Session
from substrate.pallets.session_types import KeyTypeId, OpaqueKeys
from substrate.runtime.assembly import Runtime
from substrate.runtime.pallet import runtime_api
from substrate.scale.types import path
from substrate.types import AccountId, BlockNumber

AURA = b"aura"


@path("parachain_template_runtime::SessionKeys")
class ParaSessionKeys(OpaqueKeys):
    """A collator's keys."""

    key_types: ClassVar[tuple[bytes, ...]] = (AURA,)

    aura: AuthorityId


class ParaSession(Session, parameters={"Keys": ParaSessionKeys}):
    """The collators of a parachain."""

    @runtime_api("SessionKeys_decode_session_keys")
    def decode_session_keys(self, encoded: bytes) -> tuple[tuple[bytes, KeyTypeId], ...] | None:
        """Each public key in encoded session keys with its type, None if they do not decode."""
        try:
            keys = ParaSessionKeys.decode(encoded)
        except DecodeError:
            return None
        return tuple((key, kind) for kind, key in keys.raw())


def never_ends(runtime: Runtime, number: BlockNumber) -> bool:
    """`Session.should_end_session` of a chain whose collators stay: one session for ever."""
    return False


def collator_keys(authorities: tuple[bytes, ...]) -> list[tuple[AccountId, ParaSessionKeys]]:
    """`Session` genesis keys; a collator's account is its key."""
    return [(AccountId(key), ParaSessionKeys(AuthorityId(key))) for key in authorities]
