"""Why a transaction may not enter a block, and what a valid one provides.

Source: polkadot-sdk, `substrate/primitives/runtime/src/transaction_validity.rs`.
"""

from enum import IntEnum
from typing import TypeAlias

from substrate.errors import ChainError
from substrate.scale.types import Struct, enum_path, path, u8, u64, variant


@path("sp_runtime::transaction_validity::TransactionSource")
class TransactionSource(IntEnum):
    """Where a transaction came from."""

    InBlock = 0
    Local = 1
    External = 2


@variant(0)
class Call(Struct):
    """The call of the transaction is not expected."""


@variant(1)
class Payment(Struct):
    """Inability to pay some fees."""


@variant(2)
class Future(Struct):
    """Its nonce is not yet due."""


@variant(3)
class Stale(Struct):
    """Its nonce is used up."""


@variant(4)
class BadProof(Struct):
    """Its signature does not verify."""


@variant(5)
class AncientBirthBlock(Struct):
    """Its mortality's birth block is unknown or too old."""


@variant(6)
class ExhaustsResources(Struct):
    """It does not fit into the block."""


@variant(7, unnamed=True)
class Custom(Struct):
    """A reason of the runtime's own."""

    code: u8


@variant(8)
class BadMandatory(Struct):
    """A mandatory call failed."""


@variant(9)
class MandatoryValidation(Struct):
    """A mandatory call was submitted as a transaction."""


@variant(10)
class BadSigner(Struct):
    """Its signer may not sign."""


InvalidTransaction: TypeAlias = (
    Call
    | Payment
    | Future
    | Stale
    | BadProof
    | AncientBirthBlock
    | ExhaustsResources
    | Custom
    | BadMandatory
    | MandatoryValidation
    | BadSigner
)
enum_path(InvalidTransaction, "sp_runtime::transaction_validity::InvalidTransaction")


@variant(0, name="CannotLookup")
class UnknownCannotLookup(Struct):
    """Some information needed for validation could not be looked up."""


@variant(1)
class NoUnsignedValidator(Struct):
    """No pallet vouches for this bare transaction."""


UnknownTransaction: TypeAlias = UnknownCannotLookup | NoUnsignedValidator
enum_path(UnknownTransaction, "sp_runtime::transaction_validity::UnknownTransaction")


@variant(0, unnamed=True)
class Invalid(Struct):
    """The transaction is invalid."""

    value: InvalidTransaction


@variant(1, unnamed=True)
class Unknown(Struct):
    """Whether it is valid could not be found out."""

    value: UnknownTransaction


TransactionValidityError: TypeAlias = Invalid | Unknown
enum_path(TransactionValidityError, "sp_runtime::transaction_validity::TransactionValidityError")


class TransactionInvalid(ChainError):
    """A transaction that may not enter a block (here and now)."""

    def __init__(self, error: InvalidTransaction | UnknownTransaction, detail: str = "") -> None:
        name = getattr(type(error), "variant_name", type(error).__name__)
        super().__init__(f"{name}: {detail}" if detail else name)
        self.variant = error

    @property
    def error(self) -> TransactionValidityError:
        """The wire value."""
        if isinstance(self.variant, UnknownCannotLookup | NoUnsignedValidator):
            return Unknown(self.variant)
        return Invalid(self.variant)


@path("sp_runtime::transaction_validity::ValidTransaction")
class ValidTransaction(Struct):
    """What a pool needs to order a transaction."""

    priority: u64
    requires: tuple[bytes, ...]
    provides: tuple[bytes, ...]
    longevity: u64
    propagate: bool
