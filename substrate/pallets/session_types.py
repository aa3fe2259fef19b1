"""Session keys, and who is told about sessions.

Source: polkadot-sdk, `substrate/frame/session/src/lib.rs`, `substrate/primitives/runtime/src/traits` (`OpaqueKeys`),
`polkadot/runtime/westend/src/lib.rs` (`SessionKeys`).
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, NewType, Protocol, TypeAlias

from substrate.consensus.babe.types import KEY_TYPE as BABE
from substrate.consensus.babe.types import AuthorityId as BabeId
from substrate.consensus.grandpa.types import KEY_TYPE as GRANDPA
from substrate.consensus.grandpa.types import AuthorityId as GrandpaId
from substrate.runtime.pallet import Pallet
from substrate.scale.types import Fixed, Struct, path, wire
from substrate.types import AccountId, Perbill

KeyTypeId = NewType("KeyTypeId", bytes)
wire(KeyTypeId, Annotated[bytes, Fixed(4)], path="sp_core::crypto::KeyTypeId")
ParaValidatorKey = NewType("ParaValidatorKey", bytes)
wire(ParaValidatorKey, Annotated[bytes, Fixed(32)], path="polkadot_primitives::v9::validator_app::Public")
ParaAssignmentKey = NewType("ParaAssignmentKey", bytes)
wire(ParaAssignmentKey, Annotated[bytes, Fixed(32)], path="polkadot_primitives::v9::assignment_app::Public")
AuthorityDiscoveryKey = NewType("AuthorityDiscoveryKey", bytes)
wire(AuthorityDiscoveryKey, Annotated[bytes, Fixed(32)], path="sp_authority_discovery::app::Public")
OffenceSeverity = NewType("OffenceSeverity", int)
"""Share of the stake that an offence costs."""
wire(OffenceSeverity, Perbill, path="sp_staking::offence::OffenceSeverity")


class OpaqueKeys(Struct):
    """Base of a runtime's session keys: one public key per field, each with the type of `key_types` at its place."""

    key_types: ClassVar[tuple[bytes, ...]] = ()

    def raw(self) -> tuple[tuple[KeyTypeId, bytes], ...]:
        """Every key with its type."""
        keys = (getattr(self, name) for name in self.__struct_fields__)
        return tuple((KeyTypeId(kind), key) for kind, key in zip(self.key_types, keys, strict=True))


@path("relay_runtime::SessionKeys")
class SessionKeys(OpaqueKeys):
    """A relay chain validator's keys, all ed25519. Fields are in SCALE order."""

    key_types: ClassVar[tuple[bytes, ...]] = (GRANDPA, BABE, b"para", b"asgn", b"audi")

    grandpa: GrandpaId
    babe: BabeId
    para_validator: ParaValidatorKey
    para_assignment: ParaAssignmentKey
    authority_discovery: AuthorityDiscoveryKey


Validators: TypeAlias = Sequence[tuple[AccountId, SessionKeys]]
"""Validators with their keys, in the order of `Session.Validators`."""


class SessionHandler(Pallet):
    """Base of pallets that follow sessions; name them in `Session.handlers`."""

    def on_genesis_session(self, validators: Validators) -> None:
        """Take the validators of the first two sessions."""

    def on_new_session(self, *, changed: bool, validators: Validators, queued: Validators) -> None:
        """A session begins.

        Args:
            changed: The validators or their keys differ from the session before.
            validators: Those of the session that begins.
            queued: Those of the next one, barring further changes.
        """

    def on_before_session_ending(self) -> None:
        """The session is about to end."""

    def on_disabled(self, index: int) -> None:
        """The validator at this place is disabled for the rest of the session."""


class SessionManager(Protocol):
    """Chooses validators: a pallet that `Session.manager` names."""

    def new_session(self, index: int, *, is_genesis: bool) -> tuple[AccountId, ...] | None:
        """Validators of session `index`, asked for a session ahead; None keeps the set."""
        ...

    def start_session(self, index: int) -> None:
        """A session begins."""
        ...

    def end_session(self, index: int) -> None:
        """A session ends."""
        ...
