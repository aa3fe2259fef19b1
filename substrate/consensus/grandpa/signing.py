"""Signing votes and checking their signatures."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from substrate.consensus.grandpa.blocks import GrandpaError, GrandpaReason
from substrate.consensus.grandpa.types import AuthorityId, Message, Signature, SignedMessage, signing_payload
from substrate.crypto.keys import verify_ed25519

Verify: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""Signature check: (signature, message, public key)."""


class Signer(Protocol):
    """An ed25519 key pair."""

    @property
    def public(self) -> bytes:
        """The public key."""
        ...

    def sign(self, message: bytes, /) -> bytes:
        """Sign."""
        ...


def sign_vote(signer: Signer, message: Message, *, round_number: int, set_id: int) -> SignedMessage:
    """Cast a vote."""
    payload = signing_payload(message, round_number=round_number, set_id=set_id)
    return SignedMessage(message, Signature(signer.sign(payload)), AuthorityId(signer.public))


def check_signature(
    message: Message,
    voter: AuthorityId,
    signature: Signature,
    *,
    round_number: int,
    set_id: int,
    verify: Verify = verify_ed25519,
) -> None:
    """Raise unless `voter` signed the vote.

    Raises:
        GrandpaError: `BAD_SIGNATURE`.
    """
    if not verify(signature, signing_payload(message, round_number=round_number, set_id=set_id), voter):
        raise GrandpaError(GrandpaReason.BAD_SIGNATURE, voter=voter.hex(), round=round_number, set_id=set_id)
