"""Runtime APIs that every chain offers.

Source: polkadot-sdk, `substrate/primitives/api/src/lib.rs` (Core), `metadata_ir` (Metadata),
`substrate/primitives/transaction-pool/src/runtime_api.rs`.
"""

from typing import Annotated, TypeAlias

from substrate.runtime.assembly import Runtime
from substrate.runtime.checks import validate_transaction
from substrate.runtime.describe import ENCODERS
from substrate.runtime.pallet import runtime_api
from substrate.runtime.validity import (
    TransactionInvalid,
    TransactionSource,
    TransactionValidityError,
    ValidTransaction,
)
from substrate.runtime.version import RuntimeVersion
from substrate.scale.types import Err, MaxLen, Ok, u32
from substrate.types import Hash

Opaque: TypeAlias = Annotated[bytes, MaxLen(1 << 24)]
"""Metadata as runtime APIs give it: with its length."""


class ChainRuntime(Runtime):
    """A runtime with the APIs that clients and nodes expect of any chain."""

    @runtime_api("Core_version", version=5)
    def core_version(self) -> RuntimeVersion:
        """The runtime's version."""
        return self.assembly().version

    @runtime_api("Metadata_metadata", version=2)
    def metadata_latest(self) -> Opaque:
        """Metadata V14."""
        return self.metadata()

    @runtime_api("Metadata_metadata_at_version", version=2)
    def metadata_at_version(self, version: u32) -> Opaque | None:
        """Metadata of that version, if it is offered."""
        return self.metadata(version) if version in ENCODERS else None

    @runtime_api("Metadata_metadata_versions", version=2)
    def metadata_versions(self) -> tuple[u32, ...]:
        """Offered metadata versions."""
        return tuple(ENCODERS)

    @runtime_api("TaggedTransactionQueue_validate_transaction", version=3)
    def validate(
        self, source: TransactionSource, transaction: bytes, block: Hash
    ) -> Ok[ValidTransaction] | Err[TransactionValidityError]:
        """Whether a transaction may enter a block on top of `block`, whose state this is."""
        try:
            return Ok(validate_transaction(self, transaction, source, block))
        except TransactionInvalid as failure:
            return Err(failure.error)
